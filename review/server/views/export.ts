import type { Change, ExportFormat, Filter, Image, Value, Window } from "../../api";
import type { Asking } from "./view";
import { note } from "./view";
import { filterText, hiddenColumns } from "../reader";
import { bounded, windowOf } from "./feed";

/** Acts that are found at once, and changes that are looked at for them. */
const actsAtOnce = 200;
const examinedAtOnce = 200_000;
/** An export cuts no value. */
const wholeValues = 1_000_000_000;

const actsQuestion = `
  SELECT audit.moment(act."time") AS "time", act.source, act.transaction::text AS transaction, act.note IS NOT NULL AS stopped,
    audit.moment(act."time" + interval '1 microsecond') AS above
  FROM audit.acts_found($1::jsonb, $2::timestamptz, $3, $4::bigint, ${actsAtOnce}, ${examinedAtOnce})
    WITH ORDINALITY AS act ("time", source, transaction, note, place)
  ORDER BY act.place`;

/** How many changes come at once, and how many characters of theirs, is the function's to say: they fit into memory. */
const changesQuestion = `
  SELECT told.act::integer, audit.exact_change(told.change, $2::jsonb, ${wholeValues}) AS change
  FROM audit.changes_of_acts($3::timestamptz[], $4::text[], $5::bigint[], $1::jsonb, $6::integer, $7::uuid)
    WITH ORDINALITY AS told (act, change, place)
  ORDER BY told.place`;

interface FoundAct {
  readonly time: string;
  readonly source: string;
  readonly transaction: string | null;
  readonly stopped: boolean;
  readonly above: string;
}

/** What an export says of itself, before and after its changes. */
export interface Envelope {
  readonly filter: Filter;
  readonly window: Window;
  readonly reader: string;
  readonly exportedAt: string;
}

/** Every change that fits, the newest act first, in the pieces in which they are written. */
export async function* exported(asking: Asking, filter: Filter, format: ExportFormat): AsyncGenerator<string> {
  const window = windowOf(filter, asking.defaultWindow);
  // An export has an end, so that it does not grow while it is written.
  const fixed: Filter = { ...bounded(filter, window), to: window.to };
  const envelope: Envelope = { filter, window, reader: asking.reader.name, exportedAt: new Date().toISOString() };
  await note(asking, "export", { ...envelope, format });
  const write = format === "csv" ? csv : ndjson;
  yield write.beginning(envelope);
  let count = 0;
  for await (const changes of allChanges(asking, fixed)) {
    count += changes.length;
    yield changes.map(write.change).join("");
  }
  await note(asking, "export", { ...envelope, format, changes: count });
  yield write.end(count);
}

async function* allChanges(asking: Asking, filter: Filter): AsyncGenerator<Change[]> {
  let before: Pick<FoundAct, "time" | "source" | "transaction"> | undefined;
  for (;;) {
    const acts: FoundAct[] = await asking.database.read<FoundAct & Record<string, unknown>>(
      "acts of an export",
      actsQuestion,
      [filterText(filter, asking.reader), before?.time ?? null, before?.source ?? null, before?.transaction ?? null],
      asking,
    );
    yield* changesOfActs(
      asking,
      filter,
      acts.filter(({ stopped }) => !stopped),
    );
    const last = acts.at(-1);
    if (!last) return;
    if (!last.stopped && acts.length < actsAtOnce) return;
    before = last.stopped ? { time: last.above, source: "", transaction: null } : last;
  }
}

/** What fits of some acts, many acts a question or many questions an act. */
async function* changesOfActs(asking: Asking, filter: Filter, acts: readonly FoundAct[]): AsyncGenerator<Change[]> {
  let left = acts;
  let last: Change | undefined;
  while (left.length > 0) {
    const rows: { act: number; change: Change }[] = await asking.database.read(
      "changes of an export",
      changesQuestion,
      [
        filterText(filter, asking.reader),
        hiddenColumns(asking.reader.masked),
        left.map(({ time }) => time),
        left.map(({ source }) => source),
        left.map(({ transaction }) => transaction),
        last?.sequence ?? null,
        last?.event ?? null,
      ],
      asking,
    );
    const end = rows.at(-1);
    if (!end) return;
    yield rows.map(({ change }) => change);
    last = end.change;
    left = left.slice(end.act - 1);
  }
}

interface Writer {
  readonly beginning: (envelope: Envelope) => string;
  readonly change: (change: Change) => string;
  readonly end: (count: number) => string;
}

/** A line of JSON for the envelope, one for each change, and one that says that nothing is missing. */
export const ndjson: Writer = {
  beginning: (envelope) => `${JSON.stringify({ export: "changes", version: 1, ...envelope })}\n`,
  change: (change) => {
    const { before, after, key, detail, ...rest } = change;
    const members = Object.entries({ key, before: imageText(before), after: imageText(after), detail }).map(
      ([name, text]) => `"${name}":${text ?? "null"}`,
    );
    return `${JSON.stringify(rest).slice(0, -1)},${members.join(",")}}\n`;
  },
  end: (count) => `${JSON.stringify({ export: "end", changes: count, complete: true })}\n`,
};

const columns = [
  "line",
  "time",
  "actor",
  "request",
  "operation",
  "table",
  "key",
  "changed",
  "before",
  "after",
  "unknown",
  "untyped",
  "redacted",
  "masked",
  "detail",
  "transaction",
  "sequence",
  "source",
  "event",
  "storedAt",
] as const;

/** The same as a table: the first line under the heading is the envelope, the last one says that nothing is missing. */
export const csv: Writer = {
  beginning: (envelope) => row([...columns]) + row(["export", envelope.exportedAt, JSON.stringify(envelope)]),
  change: (change) => {
    const texts: Record<string, string | number | null> = {
      ...change,
      line: "change",
      before: imageText(change.before),
      after: imageText(change.after),
      changed: change.changed.join(" "),
      unknown: change.unknown.join(" "),
      untyped: change.untyped.join(" "),
      redacted: change.redacted.join(" "),
      masked: change.masked.join(" "),
    };
    return row(columns.map((name) => texts[name] ?? ""));
  },
  end: (count) => row(["end", "", `${count} changes, complete`]),
};

/** The JSON text of an image, put together from the texts of its values: no number is read on the way. */
function imageText(image: Image | null): string | null {
  if (image === null) return null;
  const text = (value: Value) => (typeof value === "string" ? value : JSON.stringify(value));
  return `{${Object.entries(image)
    .map(([name, value]) => `${JSON.stringify(name)}:${text(value)}`)
    .join(",")}}`;
}

function row(cells: readonly (string | number)[]): string {
  return `${cells.map((cell) => csvCell(String(cell))).join(",")}\r\n`;
}

/** A cell that a spreadsheet shows as text: what it would take for a formula begins with an apostrophe. */
export function csvCell(text: string): string {
  const safe = /^[\s]*[=+\-@\t\r|%]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
