import { styleText } from "node:util";
import stringWidth from "string-width";
import { type Json, stringifyExact } from "../../review/exact-json";
import { changedValues } from "./changed-values";

/** A row of the view `audit.log`, as the timeline shows it. */
export interface LogRow {
  /** `2026-12-01T00:43:25.313766Z`. */
  readonly time: string;
  readonly actor: string | null;
  readonly operation: string;
  readonly schema: string;
  readonly table: string;
  readonly key: Record<string, unknown> | null;
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
  readonly unknown_columns: string[] | null;
  /** Of a change of a table's shape: what changed, as the catalog signal has it. */
  readonly detail?: { readonly changes?: readonly ShapeChange[] } | null;
}

/** One thing that DDL changed, such as `{"change": "column added", "column": "note", "type": "text"}`. */
type ShapeChange = Readonly<Record<string, unknown>> & { readonly change: string };

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

/** Columns of a terminal below which the key and what changed stand on a line of their own. */
const narrow = 120;
const timeWidth = 15;
const operationWidth = 8;
const indent = "    ";
/** Widths at first, and the widest that a column grows to when something longer comes. */
const widths = { who: [20, 32], to: [34, 60] } as const;

/** The log as lines: when, who, did what, to which record, from what to what. */
export class Timeline {
  private who: number = widths.who[0];
  private to: number = widths.to[0];

  constructor(private readonly style: TimelineStyle) {}

  /** The heading above the lines. */
  heading(): string {
    const columns = this.columns("time", "who", "did", "to");
    const line = cut(this.isNarrow ? columns.trimEnd() : `${columns}what`, this.style.width);
    return this.style.colours ? styleText("dim", line) : line;
  }

  /** One event, in one line, or in two where the terminal is narrow. */
  event(row: LogRow, late = false): string {
    const actor = row.actor ?? "(unknown)";
    const table = `${row.schema}.${row.table}`;
    const record = `${table} ${keyOf(row)}`.trimEnd();
    this.who = Math.max(this.who, Math.min(stringWidth(actor), this.isNarrow ? widths.who[0] : widths.who[1]));
    if (!this.isNarrow) this.to = Math.max(this.to, Math.min(stringWidth(record), widths.to[1]));
    const change = oneLine(describeChange(row)) + (late ? " (arrived late)" : "");
    const columns = this.columns(timeOf(row), actor, row.operation, this.isNarrow ? table : record);
    if (!this.isNarrow) return this.coloured(cut(`${columns}${change}`, this.style.width), row.operation);
    const first = this.coloured(cut(columns.trimEnd(), this.style.width), row.operation);
    const second = [keyOf(row), change].filter((part) => part !== "").join("  ");
    return second === "" ? first : `${first}\n${cut(indent + second, this.style.width)}`;
  }

  /** Events that came between the lines before and after. */
  more(count: number, of: ReadonlyMap<string, number>): string {
    const largest = [...of].sort(([, left], [, right]) => right - left);
    const named = largest.slice(0, 3).map(([what, each]) => `${number(each)} ${what}`);
    const rest = largest.length > 3 ? [`${largest.length - 3} other kinds`] : [];
    const line = cut(`${indent}+ ${number(count)} more: ${[...named, ...rest].join(", ")}`, this.style.width);
    return this.style.colours ? styleText("dim", line) : line;
  }

  private get isNarrow(): boolean {
    return this.style.width < narrow;
  }

  private columns(time: string, who: string, did: string, to: string): string {
    const cells = [
      [time, timeWidth],
      [who, this.who],
      [did, operationWidth],
    ] as const;
    const left = cells.map(([text, width]) => `${padded(cut(oneLine(text), width), width)}  `).join("");
    return `${left}${this.isNarrow ? oneLine(to) : `${padded(cut(oneLine(to), this.to), this.to)}  `}`;
  }

  private coloured(line: string, operation: string): string {
    const colour = colourOf[operation];
    if (!this.style.colours || !colour) return line;
    const at = line.indexOf(`  ${operation} `, timeWidth) + 2;
    const end = at + operation.length;
    return (
      styleText("dim", line.slice(0, timeWidth)) +
      line.slice(timeWidth, at) +
      styleText(colour, line.slice(at, end)) +
      line.slice(end)
    );
  }
}

/** The time of day, to the microsecond, of the log's `2026-12-01T00:43:25.313766Z`. */
function timeOf(row: LogRow): string {
  return row.time.slice(row.time.indexOf("T") + 1).replace(/Z$/, "");
}

const number = (value: number) => value.toLocaleString("en-US");

/** What changed, in words: `status: new → paid, attributes.colour: blue → red`. */
export function describeChange(row: LogRow): string {
  const lost = row.unknown_columns?.length ? ` (unknown: ${row.unknown_columns.join(", ")})` : "";
  switch (row.operation) {
    case "update": {
      const changed = Object.entries(row.before ?? {})
        .flatMap(([column, old]) => changedValues(column, old as Json, row.after?.[column] as Json | undefined))
        .map(
          ({ path, from, to }) =>
            `${path}: ${from === undefined ? "" : `${show(from)} → `}${to === undefined ? "gone" : show(to)}`,
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

function keyOf(row: LogRow): string {
  const key = Object.entries(row.key ?? {}).map(([column, value]) => `${column}=${show(value)}`);
  return oneLine(key.join(" "));
}

function schemaChange(row: LogRow): string {
  const changes = row.detail?.changes ?? [];
  if (changes.length > 0) return changes.map(shapeChange).join(", ");
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

function shapeChange({ change, column, type, from, to, ...rest }: ShapeChange): string {
  const name = (table: unknown) =>
    Object.values((table ?? {}) as Record<string, unknown>)
      .map(show)
      .join(".");
  switch (change) {
    case "column added":
      return `+ ${show(column)} ${show(type)}`;
    case "column dropped":
      return `- ${show(column)}`;
    case "renamed":
      return `was ${name(from)}`;
    case "foreign key added":
    case "foreign key dropped":
      return `${change.endsWith("added") ? "+" : "-"} foreign key to ${show(rest["schema"])}.${show(rest["table"])}`;
    case "trigger enabled":
    case "trigger disabled":
      return `${change}: ${show(rest["trigger"])}`;
    default:
      return (
        `${change === "type" ? "" : `${change} `}${column === undefined ? "" : show(column)}`.trimEnd() +
        `: ${show(from)} → ${show(to)}`
      );
  }
}

function showRow(row: LogRow, image: Record<string, unknown> | null): string {
  return Object.entries(image ?? {})
    .filter(([column]) => !(column in (row.key ?? {})))
    .map(([column, value]) => `${column}: ${show(value)}`)
    .join(", ");
}

function show(value: unknown): string {
  if (value === null || value === undefined) return "null";
  return typeof value === "string" ? value : stringifyExact(value);
}

/** Control characters are shown, not sent: no value may steer the terminal. */
const oneLine = (text: string) =>
  text
    .replaceAll(/\s*\n\s*/g, " ")
    .replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, (each) => `\\x${each.charCodeAt(0).toString(16).padStart(2, "0")}`);

const padded = (text: string, width: number) => text + " ".repeat(Math.max(0, width - stringWidth(text)));

/** The text in at most so many columns of a terminal, in which some characters take two and others none. */
function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = "";
  let columns = 0;
  for (const character of text) {
    columns += stringWidth(character);
    if (columns > width - 1) return `${kept}…`;
    kept += character;
  }
  return kept;
}
