import type { Filter, Session } from "../api";
import type { ReviewGroupRights } from "../../contract/review-environment";
import { FailureError } from "./failures";

/** Who asks, and what they may see. */
export interface Reader extends Pick<Session, "signedInBy" | "scope" | "masked" | "mayReveal"> {
  readonly name: string;
}

/** What a reader may see by being in groups: the tables of each of them, and the best of their other rights. */
export function readerOf(
  name: string,
  memberOf: readonly string[],
  groups: Readonly<Record<string, ReviewGroupRights>>,
  maskedColumns: readonly string[],
): Reader {
  const rights = memberOf.flatMap((group) =>
    Object.hasOwn(groups, group) ? [groups[group] as ReviewGroupRights] : [],
  );
  if (rights.length === 0) {
    throw new FailureError("not allowed", `${name} is in none of the groups that may read this log.`, [
      `Groups that may: ${Object.keys(groups).join(", ") || "none is set"}.`,
    ]);
  }
  const tables = [...new Set(rights.flatMap((each) => each.tables))].sort();
  return {
    name,
    signedInBy: "load balancer",
    scope: tables.includes("*") ? null : tables,
    masked: rights.some(({ unmasked }) => unmasked) ? [] : maskedColumns,
    mayReveal: rights.some(({ reveal, unmasked }) => reveal || unmasked),
  };
}

/** A table's name in its parts, as SQL reads it. */
export function tableParts(name: string): readonly [schema: string, table: string] {
  const parts = [...name.matchAll(/"((?:[^"]|"")*)"|([^".]+)/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain as string).toLowerCase() : quoted.replaceAll('""', '"'),
  );
  const [first, second, ...more] = parts;
  if (first === undefined || more.length > 0) {
    throw new FailureError("not understood", `${name} is not the name of a table.`, ["Write schema.table."]);
  }
  return second === undefined ? ["public", first] : [first, second];
}

export function maySee({ scope }: Pick<Reader, "scope">, table: string): boolean {
  if (scope === null) return true;
  const [schema, name] = tableParts(table);
  return scope.some((pattern) => pattern === `${schema}.*` || pattern === `${schema}.${name}`);
}

/** @throws FailureError when a table is outside of the reader's scope. */
export function checkScope(reader: Reader, table: string): void {
  if (maySee(reader, table)) return;
  throw new FailureError("not allowed", `${table} is not among the tables that you may see.`, [
    `You may see ${(reader.scope ?? []).join(", ")}.`,
  ]);
}

/** The masked columns as the SQL functions take them: by table, schema and name joined by a character no name holds. */
export function hiddenColumns(masked: readonly string[]): string | null {
  if (masked.length === 0) return null;
  const byTable: Record<string, string[]> = {};
  for (const entry of masked) {
    const [schema = "", table = "", ...column] = entry.split(".");
    (byTable[`${schema}\u0001${table}`] ??= []).push(column.join("."));
  }
  return JSON.stringify(byTable);
}

/** The filter as `audit.filter_of` reads it, with what this reader may see. The key's text goes in as it is. */
export function filterText(filter: Filter, reader: Pick<Reader, "scope" | "masked">): string {
  const { key, ...rest } = filter;
  const text = JSON.stringify({
    ...rest,
    ...(reader.scope ? { visible: reader.scope } : {}),
    ...(reader.masked.length > 0 ? { hidden: reader.masked } : {}),
  });
  if (key === undefined) return text;
  return `${text === "{}" ? "{" : `${text.slice(0, -1)},`}"key":${key}}`;
}
