import {
  type completable,
  type Completions,
  type Image,
  type JsonText,
  limits,
  type Moment,
  operations,
  type Read,
  type ReadsPage,
  type Revealed,
  type RevealRequest,
  type Session,
  type TableName,
  type WholeValue,
} from "../../api";
import { FailureError } from "../failures";
import { checkScope, maySee, tableParts } from "../reader";
import { type Asking, note, type ShownRecord } from "./view";

export async function session({ database, reader, defaultWindow, ...options }: Asking): Promise<Session> {
  const rows = await database.read<{ source: string }>(
    "sources",
    "SELECT DISTINCT source_id AS source FROM audit.known_tables() UNION SELECT source FROM audit.freshness() ORDER BY 1",
    [],
    options,
  );
  return {
    reader: reader.name,
    signedInBy: reader.signedInBy,
    scope: reader.scope,
    masked: reader.masked,
    mayReveal: reader.mayReveal,
    sources: rows.map(({ source }) => source),
    defaultWindowSeconds: defaultWindow,
  };
}

export async function completions(
  { database, reader, ...options }: Asking,
  of: (typeof completable)[number],
  start: string,
  tables: readonly TableName[] | undefined,
): Promise<Completions> {
  if (of === "operation") return { values: operations.filter((name) => name.startsWith(start.toLowerCase())) };
  const rows = await database.read<{ value: string }>(
    "completions",
    `SELECT value FROM audit.completions($1, $2, $3::text[], $4::jsonb, ${limits.completions}) AS value`,
    [of, start, tables ?? null, reader.scope ? JSON.stringify(reader.scope) : null],
    options,
  );
  return { values: rows.map(({ value }) => value) };
}

interface FoundChange {
  readonly table: TableName;
  readonly key: JsonText | null;
  readonly before: Image | null;
  readonly after: Image | null;
}

/** One change with whole values, of the named columns alone. */
async function wholeChange(
  { database, reader, ...options }: Asking,
  time: Moment,
  event: string,
  columns: readonly string[],
): Promise<FoundChange> {
  const [found] = await database.read<FoundChange>(
    "whole values",
    `SELECT format('%I.%I', line."schema", line."table") AS "table", line.key::text AS key,
       audit.exact_values((SELECT jsonb_object_agg(name, value) FROM jsonb_each(line.before) AS part (name, value)
         WHERE name = ANY ($3::text[]))) AS before,
       audit.exact_values((SELECT jsonb_object_agg(name, value) FROM jsonb_each(line.after) AS part (name, value)
         WHERE name = ANY ($3::text[]))) AS after
     FROM audit.change_of($1::timestamptz, $2::uuid) AS line`,
    [time, event, columns],
    options,
  );
  if (!found) throw new FailureError("not found", "The log has no such change.");
  checkScope(reader, found.table);
  return found;
}

const recordOf = ({ table, key }: FoundChange): ShownRecord[] => (key === null ? [] : [{ table, key }]);

/** One whole value, however long. */
export async function value(
  asking: Asking,
  { time, event, side, column }: { time: Moment; event: string; side: "before" | "after"; column: string },
): Promise<WholeValue> {
  const found = await wholeChange(asking, time, event, [column]);
  if (asking.reader.masked.includes(`${tableParts(found.table).join(".")}.${column}`)) {
    throw new FailureError("not allowed", `${column} is masked.`, ["Reveal it, with a reason."]);
  }
  const text = found[side]?.[column];
  if (typeof text !== "string") throw new FailureError("not found", `The change has no ${side} of ${column}.`);
  await note(asking, "value", { time, event, column, side }, recordOf(found));
  return { value: text };
}

/** Hidden values of one change, noted with the reason before they leave. */
export async function reveal(asking: Asking, request: RevealRequest): Promise<Revealed> {
  const { time, event, columns, reason } = request;
  if (!asking.reader.mayReveal) {
    throw new FailureError("not allowed", "None of your groups may reveal masked values.");
  }
  const found = await wholeChange(asking, time, event, columns);
  await note(asking, "reveal", { time, event, columns }, recordOf(found), reason);
  return { before: found.before ?? {}, after: found.after ?? {} };
}

interface ReadRow {
  readonly id: string;
  readonly time: Moment;
  readonly reader: string;
  readonly action: Read["action"];
  readonly table: string | null;
  readonly key: JsonText | null;
  readonly reason: string | null;
  readonly detail: JsonText;
}

/** Who looked at a record, or at the log. */
export async function reads(
  asking: Asking,
  of: ShownRecord | undefined,
  before: string | undefined,
): Promise<ReadsPage> {
  const { database, reader, ...options } = asking;
  if (of) checkScope(reader, of.table);
  const rows = await database.read<ReadRow>(
    "reads",
    `SELECT seen.read_id::text AS id, audit.moment(seen."time") AS "time", seen.reader, seen.action,
       seen.records #>> '{0,table}' AS "table", (seen.records #> '{0,key}')::text AS key, seen.reason, seen.detail::text AS detail
     FROM audit.seen_by($1, $2::text::jsonb, $3::bigint, ${limits.changes}) AS seen`,
    [of?.table ?? null, of?.key ?? null, before ?? null],
    options,
  );
  await note(asking, "reads", of ? { table: of.table } : {});
  return {
    reads: rows.map(({ id: _, table, key, ...read }) => ({
      ...read,
      // What others looked at in tables that this reader may not see is theirs.
      ...(of ? { table: of.table, key: of.key } : hidden(asking, table) ? { table: null, key: null } : { table, key }),
    })),
    older: rows.length === limits.changes ? (rows.at(-1)?.id ?? null) : null,
  };
}

const hidden = ({ reader }: Asking, table: string | null) => table !== null && !maySee(reader, table);
