import type {
  AsOf,
  Blame,
  BlamedColumn,
  Change,
  Comparison,
  Image,
  JsonText,
  Moment,
  RecordPage,
  RecordStep,
  Value,
} from "../../api";
import { limits } from "../../api";
import type { ReadOptions } from "../database";
import { FailureError, failureOf } from "../failures";
import { checkScope, hiddenColumns, maySee, type Reader, tableParts } from "../reader";
import { type Asking, note, type ShownRecord, shownRecords } from "./view";

export interface RecordQuestion extends ShownRecord {
  readonly source?: string | undefined;
}

/** Milliseconds for related records, whose search reads every event of the tables that refer to this one. */
const relatedTimeout = 3_000;

const stepsQuestion = `
  SELECT audit.exact_change(step.line, $6::jsonb, ${limits.valueCharacters}) AS change, step.is_related AS related,
    step.next_step::text AS next, step.of_source AS source
  FROM audit.record_steps($1, $2::text::jsonb, $3, $4, $5::text::jsonb, ${limits.changes}) AS step
  ORDER BY step.place DESC`;

const tableStepsQuestion = `
  SELECT audit.exact_change(step, NULL, ${limits.valueCharacters}) AS change
  FROM audit.table_steps($1, $2::text[], $3::timestamptz, $4::timestamptz) AS step`;

interface StepRow {
  readonly change: Change;
  readonly related: boolean;
  readonly next: string | null;
  readonly source: string;
}

/** The life of a record, a page of it, newest first. */
export async function record(
  asking: Asking,
  question: RecordQuestion,
  related: boolean,
  before?: JsonText,
): Promise<RecordPage> {
  const { reader } = asking;
  checkScope(reader, question.table);
  const { rows, narrow } = await stepRows(asking, question, related, before);
  const own = rows.filter((row) => !row.related);
  const shown = rows.filter(({ change }) => maySee(reader, change.table));
  const next = rows.find((row) => row.next !== null)?.next ?? null;
  const of = rows[0]?.source;
  const table = of === undefined ? [] : await tableSteps(asking, of, own, before !== undefined);
  await note(asking, "record", { related, ...(before === undefined ? {} : { older: true }) }, [
    { table: canonical(question.table), key: question.key },
    ...shownRecords(shown.map(({ change }) => change)),
  ]);
  return {
    table: question.table,
    key: question.key,
    source: of ?? question.source ?? "",
    steps: stepsOf(shown, table),
    older: next === null ? null : Buffer.from(next).toString("base64url"),
    narrow,
  };
}

/** As the log writes a table's name. */
function canonical(table: string): string {
  return tableParts(table)
    .map((part) => (/^[a-z_][a-z0-9_$]*$/.test(part) ? part : `"${part.replaceAll('"', '""')}"`))
    .join(".");
}

async function stepRows(
  { database, reader, signal }: Asking,
  { table, key, source }: RecordQuestion,
  related: boolean,
  before: JsonText | undefined,
): Promise<{ rows: StepRow[]; narrow: string | null }> {
  const ask = (withRelated: boolean, options: ReadOptions) =>
    database.read<StepRow>(
      "steps of a record",
      stepsQuestion,
      [table, key, source ?? null, withRelated, before ?? null, hiddenColumns(reader.masked)],
      options,
    );
  const options = signal ? { signal } : {};
  if (!related) return { rows: await ask(false, options), narrow: null };
  try {
    return { rows: await ask(true, { ...options, timeout: relatedTimeout }), narrow: null };
  } catch (error) {
    if (failureOf(error).kind !== "took too long") throw error;
    return {
      rows: await ask(false, options),
      narrow:
        "Related records are not shown: finding them reads every event of the tables that refer to this one, which took too " +
        "long. Look for their own table and key instead.",
    };
  }
}

/** What happened to the table meanwhile: from the oldest step of this page up to the newest, or to today on the first page. */
async function tableSteps(
  { database, ...options }: Asking,
  source: string,
  own: readonly StepRow[],
  isOlder: boolean,
): Promise<Change[]> {
  const [newest, oldest] = [own[0]?.change, own.at(-1)?.change];
  if (!newest || !oldest) return [];
  const tables = [...new Set(own.map(({ change }) => change.table))];
  const rows = await database.read<{ change: Change }>(
    "steps of a table",
    tableStepsQuestion,
    [source, tables, oldest.time, isOlder ? newest.time : "infinity"],
    options,
  );
  const told = new Set(own.map(({ change }) => change.event));
  return rows.map(({ change }) => change).filter(({ event }) => !told.has(event));
}

/** Puts a table's steps between a record's, and says where its key or name was another, and where the log has a gap. */
export function stepsOf(rows: readonly Pick<StepRow, "change" | "related">[], table: readonly Change[]): RecordStep[] {
  const steps: RecordStep[] = [];
  const left = [...table];
  let later: Change | undefined;
  for (const { change, related } of rows) {
    while (left[0] && left[0].time > change.time) steps.push({ kind: "table", change: left.shift() as Change });
    if (related) {
      steps.push({ kind: "change", change, related: true });
      continue;
    }
    const gap = gapOf(change);
    if (gap) {
      steps.push(gap);
      continue;
    }
    if (later && change.key !== null && (change.table !== later.table || change.key !== later.key)) {
      steps.push({ kind: "moved", time: later.time, former: { table: change.table, key: change.key } });
    }
    steps.push({ kind: "change", change, related: false });
    later = change;
  }
  return [...steps, ...left.map((change): RecordStep => ({ kind: "table", change }))];
}

/** A full load that did not find the record any more: its end is in a gap of the stream. */
function gapOf(change: Change): RecordStep | undefined {
  if (change.operation !== "load" || change.detail === null) return undefined;
  const { reason, last_seen: lastSeen } = JSON.parse(change.detail) as { reason?: string; last_seen?: string };
  if (lastSeen === undefined) return undefined;
  return {
    kind: "gap",
    from: new Date(lastSeen).toISOString().replace("Z", "000Z"),
    to: change.time,
    reason: `It was ${reason ?? "not there any more"}; how it ended is not known.`,
  };
}

const asOfQuestion = `
  SELECT audit.exact_values(known."row", $5::text[]) AS "row", known."row" IS NULL AS absent,
    ARRAY(SELECT jsonb_object_keys(known.unknown)) AS unknown,
    ARRAY(SELECT name FROM unnest($5::text[]) AS listed (name) WHERE known."row" ? name) AS masked,
    known.doubt ->> 'reason' AS doubt, known.named AS "table"
  FROM audit.record_as_of($1, $2::text::jsonb, $3::timestamptz, $4) AS known`;

interface AsOfRow {
  readonly row: Image | null;
  readonly absent: boolean;
  readonly unknown: readonly string[];
  readonly masked: readonly string[];
  readonly doubt: string | null;
  readonly table: string;
}

/** The columns of a table that are hidden from a reader. */
function concealed(reader: Reader, table: string): string[] {
  const prefix = `${tableParts(table).join(".")}.`;
  return reader.masked.filter((entry) => entry.startsWith(prefix)).map((entry) => entry.slice(prefix.length));
}

async function rowAsOf({ database, reader, ...options }: Asking, of: RecordQuestion, time: Moment): Promise<AsOf> {
  const ask = (hidden: readonly string[]) =>
    database.read<AsOfRow>(
      "a record at a time",
      asOfQuestion,
      [of.table, of.key, time, of.source ?? null, hidden],
      options,
    );
  const [found] = await ask(concealed(reader, of.table));
  const named = found && found.table !== of.table ? concealed(reader, found.table) : [];
  // Under another name then: what is hidden under that name stays hidden too.
  const [row] = named.length > 0 ? await ask([...concealed(reader, of.table), ...named]) : [found];
  if (!row) throw new FailureError("not found", "The log knows nothing of this record.");
  return {
    time,
    row: row.row,
    unknown: row.unknown,
    masked: row.masked,
    absence: row.absent ? (row.doubt ?? "It did not exist then, or the log knows nothing of it yet.") : null,
  };
}

export async function asOf(asking: Asking, question: RecordQuestion, time: Moment): Promise<AsOf> {
  checkScope(asking.reader, question.table);
  const answer = await rowAsOf(asking, question, time);
  await note(asking, "record", { asOf: time }, [{ table: canonical(question.table), key: question.key }]);
  return answer;
}

export async function compare(asking: Asking, question: RecordQuestion, from: Moment, to: Moment): Promise<Comparison> {
  checkScope(asking.reader, question.table);
  const [old, now] = await Promise.all([rowAsOf(asking, question, from), rowAsOf(asking, question, to)]);
  await note(asking, "record", { compare: { from, to } }, [{ table: canonical(question.table), key: question.key }]);
  return { from: old, to: now, changed: differing(old, now) };
}

/** Columns that differ, or may because one side is not known. Values are whole texts here, so equal texts are equal values. */
export function differing(old: AsOf, now: AsOf): string[] {
  const names = new Set([old, now].flatMap(({ row, unknown }) => [...Object.keys(row ?? {}), ...unknown]));
  return [...names]
    .filter((name) => {
      const isUnknown = old.unknown.includes(name) || now.unknown.includes(name);
      return isUnknown || JSON.stringify(old.row?.[name]) !== JSON.stringify(now.row?.[name]);
    })
    .sort();
}

const blameQuestion = `
  SELECT told."column", audit.exact_values(jsonb_build_object('value', told.value), '{}', ${limits.valueCharacters})
      -> 'value' AS value,
    told.is_known, audit.moment(told."time") AS "time", told.event_id AS event, told.of_source AS source,
    told.transaction::text AS transaction, told.actor, told.request, told.operation,
    audit.moment(told.searched_back_to) AS back
  FROM audit.blame($1, $2::text::jsonb, $3) AS told`;

type BlameRow = NonNullable<BlamedColumn["writer"]> & {
  readonly column: string;
  readonly value: Value | null;
  readonly is_known: boolean;
  readonly time: Moment | null;
  readonly back: Moment | null;
};

export async function blame(asking: Asking, question: RecordQuestion): Promise<Blame> {
  const { database, reader, ...options } = asking;
  checkScope(reader, question.table);
  const rows = await database.read<BlameRow>(
    "blame",
    blameQuestion,
    [question.table, question.key, question.source ?? null],
    options,
  );
  await note(asking, "record", { blame: true }, [{ table: canonical(question.table), key: question.key }]);
  const hidden = concealed(reader, question.table);
  return {
    columns: rows.map(({ column, value, is_known, time, ...writer }): BlamedColumn => {
      const state = hidden.includes(column) ? "masked" : is_known ? "known" : "unknown";
      return {
        column,
        value: state === "known" ? value : null,
        state,
        writer: time === null ? null : { time, ...pick(writer) },
      };
    }),
    searchedBackTo: rows[0]?.back ?? null,
  };
}

function pick(
  writer: Omit<NonNullable<BlamedColumn["writer"]>, "time">,
): Omit<NonNullable<BlamedColumn["writer"]>, "time"> {
  const { event, source, transaction, actor, request, operation } = writer;
  return { event, source, transaction, actor, request, operation };
}
