import type { Act, JsonText, Operation } from "../../api";
import { isObject, type JsonObject, parseExact, stringifyExact } from "../../exact-json";

/** What an operation did, said of rows. */
export const didWith: Readonly<Record<Operation, string>> = {
  insert: "added",
  update: "changed",
  delete: "deleted",
  truncate: "emptied",
  schema: "reshaped",
  load: "loaded",
  baseline: "first seen",
};

/** What each operation is, in a sentence. */
export const meaningOf: Readonly<Record<Operation, string>> = {
  insert: "a new row",
  update: "a row changed",
  delete: "a row was deleted",
  truncate: "the table was emptied",
  schema: "the table's shape changed (DDL)",
  load: "a full load of the table ended",
  baseline: "a row as the first load found it",
};

/** A number with a sign between its thousands. */
export const counted = (count: number) => count.toLocaleString("en-GB");

export const plural = (count: number, one: string, many = `${one}s`) => `${counted(count)} ${count === 1 ? one : many}`;

/** What an act did, in parts: `{did: "deleted", rows: "12 rows of", table: "shop.order_lines"}`. */
export interface Deed {
  readonly operation: Operation;
  readonly did: string;
  readonly rows: string;
  readonly table: string;
}

export function deedsOf(act: Act): readonly Deed[] {
  return act.counts.map(({ table, operation, changes }) => {
    const isOfTable = operation === "truncate" || operation === "schema" || operation === "load";
    const times = isOfTable && changes > 1 ? `${plural(changes, "time")}:` : "";
    const rows = `${act.hasMore ? "at least " : ""}${plural(changes, "row")} of`;
    return { operation, did: didWith[operation], rows: isOfTable ? times : rows, table };
  });
}

/** How many changes an act has, as far as they were counted. */
export const changesOf = (act: Act) => act.counts.reduce((sum, { changes }) => sum + changes, 0);

/** An act in one sentence, for those who do not see the line. */
export function sentenceOf(act: Act): string {
  const deeds = deedsOf(act).map(({ did, rows, table }) => `${did} ${rows} ${table}`.replace(/ {2,}/g, " "));
  return `${act.actor ?? "Somebody unknown"} ${deeds.join(", ") || "did nothing that you may see"}`;
}

/** The members of what an application said about a transaction, each as text. */
export function membersOf(text: JsonText | null): readonly (readonly [name: string, value: string])[] {
  if (text === null) return [];
  const value = readJson(text);
  if (!isObject(value)) return [];
  return Object.entries(value as JsonObject).map(([name, member]) => [
    name,
    typeof member === "string" ? member : stringifyExact(member),
  ]);
}

/** A key as people write it: `42`, or `order_id 7, line 2` when it has several columns. */
export function keyText(key: JsonText | null): string {
  const members = membersOf(key);
  if (members.length === 1) return members[0]?.[1] ?? "";
  return members.map(([name, value]) => `${name} ${value}`).join(", ");
}

/** JSON text as a value with every digit; what is no JSON stays the text that it is. */
export function readJson(text: JsonText): unknown {
  try {
    return parseExact(text);
  } catch {
    return text;
  }
}
