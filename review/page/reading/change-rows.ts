import type { AsOf, Change, Image, Value } from "../../api";

/** One side of a column: a value, or why there is none to show. None of these is null, which is a value. */
export type Side =
  | { readonly state: "value"; readonly value: Value; readonly isUntyped: boolean }
  /** The stream did not carry it. */
  | { readonly state: "unknown" }
  /** The log never held it. */
  | { readonly state: "redacted" }
  /** Hidden from this reader. */
  | { readonly state: "masked" };

/** A column of a change. Without `from` it was not there before, without `to` it is gone. */
export interface ColumnRow {
  readonly column: string;
  readonly isChanged: boolean;
  readonly from?: Side;
  readonly to?: Side;
}

/** What the values of masked columns are, once they were revealed. */
export interface RevealedImages {
  readonly before: Image;
  readonly after: Image;
}

/** The columns of a change in the order of its row, with what each side of them is. */
export function columnRows(change: Change, revealed?: RevealedImages): readonly ColumnRow[] {
  const before = { ...change.before, ...revealed?.before };
  const after = { ...change.after, ...revealed?.after };
  const names = new Set([
    ...Object.keys(after),
    ...Object.keys(before),
    ...change.changed,
    ...change.unknown,
    ...change.masked,
  ]);
  const side = (column: string, image: Image) => sideOf(change, column, image, revealed);
  return [...names].map((column): ColumnRow => {
    switch (change.operation) {
      case "insert":
      case "baseline":
        return { column, isChanged: true, to: side(column, after) };
      case "delete":
        return { column, isChanged: true, from: side(column, before) };
      default: {
        const isChanged = change.changed.includes(column) || Object.hasOwn(before, column);
        const isUnsure = change.unknown.includes(column);
        if (isChanged || isUnsure) {
          return { column, isChanged: true, from: side(column, before), to: side(column, after) };
        }
        return { column, isChanged: false, to: side(column, after) };
      }
    }
  });
}

function sideOf(change: Change, column: string, image: Image, revealed: RevealedImages | undefined): Side {
  const value = Object.hasOwn(image, column) ? image[column] : undefined;
  if (change.redacted.includes(column)) return { state: "redacted" };
  if (value !== undefined) return { state: "value", value, isUntyped: change.untyped.includes(column) };
  if (change.masked.includes(column) && revealed === undefined) return { state: "masked" };
  return { state: "unknown" };
}

/** The columns of a record at a moment. */
export function columnsAsOf(asOf: AsOf): readonly { readonly column: string; readonly side: Side }[] {
  const row = asOf.row ?? {};
  const names = new Set([...Object.keys(row), ...asOf.unknown, ...asOf.masked]);
  return [...names].map((column) => ({ column, side: sideAsOf(asOf, column) }));
}

/** One column of a record at a moment; unknown where the record was there and the column's value is not known. */
export function sideAsOf(asOf: AsOf, column: string): Side {
  const value = asOf.row && Object.hasOwn(asOf.row, column) ? asOf.row[column] : undefined;
  if (asOf.masked.includes(column)) return { state: "masked" };
  if (value === undefined) return { state: "unknown" };
  return value === '"[redacted]"' ? { state: "redacted" } : { state: "value", value, isUntyped: false };
}
