import type { Change, JsonText, Read, TableName } from "../../api";
import type { LogDatabase, ReadOptions } from "../database";
import type { Reader } from "../reader";

/** What a view has around it. */
export interface Asking extends ReadOptions {
  readonly database: LogDatabase;
  readonly reader: Reader;
  /** Seconds that are looked back when nobody says from when on. */
  readonly defaultWindow: number;
}

/** A record whose values were shown. */
export interface ShownRecord {
  readonly table: TableName;
  readonly key: JsonText;
}

/** The records of changes that were shown. */
export function shownRecords(changes: readonly Change[]): ShownRecord[] {
  return changes.flatMap(({ table, key }) => (key === null ? [] : [{ table, key }]));
}

/** Notes a look at the log, before its answer leaves. Keys go in as their text. */
export async function note(
  { database, reader }: Asking,
  action: Read["action"] | "completions",
  detail: object,
  records: readonly ShownRecord[] = [],
  reason?: string,
): Promise<void> {
  const unique = new Set(records.map(({ table, key }) => `{"table":${JSON.stringify(table)},"key":${key}}`));
  await database.noteRead({
    reader: reader.name,
    action,
    records: `[${[...unique].join(",")}]`,
    detail: JSON.stringify(detail),
    ...(reason === undefined ? {} : { reason }),
  });
}
