import { styleText } from "node:util";

/** A row of the view `audit.log`, as the timeline shows it. */
export interface LogRow {
  readonly time: Date;
  readonly actor: string | null;
  readonly operation: string;
  readonly schema: string;
  readonly table: string;
  readonly key: Record<string, unknown> | null;
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
  readonly unknown_columns: string[] | null;
}

export interface TimelineStyle {
  /** Columns of the terminal; lines are cut to it. Infinity for files and pipes. */
  readonly width: number;
  readonly colours: boolean;
}

const colourOf: Record<string, Parameters<typeof styleText>[0]> = {
  insert: "green",
  update: "yellow",
  delete: "red",
  truncate: "red",
  schema: "magenta",
  baseline: "blue",
};

/** The heading above the timeline. */
export function timelineHeading(style: TimelineStyle): string {
  const line = cut(
    `${"time".padEnd(12)}  ${"who".padEnd(20)}  ${"did".padEnd(8)}  ${"to".padEnd(30)}  what`,
    style.width,
  );
  return style.colours ? styleText("dim", line) : line;
}

/** One change as one line: when, who, did what, to which record, from what to what. */
export function timelineLine(row: LogRow, style: TimelineStyle): string {
  const time = row.time.toISOString().slice(11, 23);
  const actor = (row.actor ?? "(unknown)").padEnd(20);
  const record = recordName(row).padEnd(30);
  const plain = cut(`${time}  ${actor}  ${row.operation.padEnd(8)}  ${record}  ${describeChange(row)}`, style.width);
  const colour = colourOf[row.operation];
  if (!style.colours || !colour) return plain;
  const start = time.length + actor.length + 4;
  return (
    styleText("dim", plain.slice(0, time.length)) +
    plain.slice(time.length, start) +
    styleText(colour, plain.slice(start, start + 8)) +
    plain.slice(start + 8)
  );
}

/** What changed, in words: `status: new → paid`. */
export function describeChange(row: LogRow): string {
  const lost = row.unknown_columns?.length ? ` (unknown: ${row.unknown_columns.join(", ")})` : "";
  switch (row.operation) {
    case "update": {
      const changed = Object.entries(row.before ?? {}).map(
        ([column, old]) => `${column}: ${show(old)} → ${show(row.after?.[column])}`,
      );
      return (changed.length > 0 ? changed.join(", ") : "nothing changed") + lost;
    }
    case "delete":
      return `was ${showRow(row, row.before)}${lost}`;
    case "insert":
    case "baseline":
      return showRow(row, row.after) + lost;
    case "truncate":
      return "all rows removed";
    case "schema":
      return schemaChange(row);
    default:
      return "";
  }
}

function recordName(row: LogRow): string {
  const table = `${row.schema}.${row.table}`;
  const key = Object.entries(row.key ?? {}).map(([column, value]) => `${column}=${show(value)}`);
  return key.length > 0 ? `${table} ${key.join(" ")}` : table;
}

function schemaChange(row: LogRow): string {
  const columnsOf = (image: Record<string, unknown> | null) =>
    new Map(((image?.["columns"] ?? []) as { name: string; type: string }[]).map(({ name, type }) => [name, type]));
  const before = columnsOf(row.before);
  const after = columnsOf(row.after);
  const parts = [
    ...[...after].filter(([name]) => !before.has(name)).map(([name, type]) => `+ ${name} ${type}`),
    ...[...before.keys()].filter((name) => !after.has(name)).map((name) => `- ${name}`),
    ...[...after]
      .filter(([name, type]) => before.has(name) && before.get(name) !== type)
      .map(([name, type]) => `${name}: ${before.get(name)} → ${type}`),
  ];
  return parts.length > 0 ? parts.join(", ") : "same columns";
}

function showRow(row: LogRow, image: Record<string, unknown> | null): string {
  return Object.entries(image ?? {})
    .filter(([column]) => !(column in (row.key ?? {})))
    .map(([column, value]) => `${column}: ${show(value)}`)
    .join(", ");
}

function show(value: unknown): string {
  if (value === null || value === undefined) return "null";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function cut(line: string, width: number): string {
  const oneLine = line.replaceAll(/\s*\n\s*/g, " ");
  return oneLine.length > width ? `${oneLine.slice(0, width - 1)}…` : oneLine;
}
