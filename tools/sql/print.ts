import { types } from "pg";
import stringWidth from "string-width";

/** A statement's result, each value as the server's text. */
export interface Result {
  /** The server's tag, such as `INSERT 0 1` or `CREATE TABLE`. */
  readonly tag: string;
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
  readonly rows: readonly (readonly (string | null)[])[];
}

interface Column {
  readonly name: string;
  readonly cells: readonly string[];
  readonly width: number;
  readonly right: boolean;
}

const { INT2, INT4, INT8, FLOAT4, FLOAT8, NUMERIC, OID, MONEY, JSON: JSON_TYPE, JSONB } = types.builtins;
const numbers: readonly number[] = [INT2, INT4, INT8, FLOAT4, FLOAT8, NUMERIC, OID, MONEY];
const documents: readonly number[] = [JSON_TYPE, JSONB];

/** The result as psql prints it: rows as an aligned table, anything else as its command tag. */
export function resultText(result: Result, terminalWidth?: number): string {
  if (result.fields.length === 0) return result.tag;
  const table = alignedTable(result);
  const tooWide = terminalWidth !== undefined && table.some((line) => stringWidth(line) > terminalWidth);
  // As \x auto does: what does not fit the terminal is shown a column a line.
  const text = tooWide ? expandedRows(result, terminalWidth) : `${table.join("\n")}\n`;
  // Of statements that return rows and change some as well.
  return /^(INSERT|UPDATE|DELETE|MERGE)\b/.test(result.tag) ? `${text}\n${result.tag}` : text;
}

/** Tabs as blanks, and control characters as psql writes them: no value may steer the terminal. */
function shown(value: string): string {
  return value
    .split("\n")
    .map((line) =>
      line
        .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, (each) =>
          each === "\r" ? "\\r" : `\\x${each.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`,
        )
        .replace(/[^\t]*\t/g, (text) => text.slice(0, -1) + " ".repeat(8 - (stringWidth(text.slice(0, -1)) % 8))),
    )
    .join("\n");
}

function alignedTable({ fields, rows }: Result): string[] {
  const columns = fields.map(({ name, dataTypeID }, index): Column => {
    const cells = rows.map((row) => shown(row[index] ?? ""));
    const width = Math.max(stringWidth(name), ...cells.flatMap((cell) => cell.split("\n").map(stringWidth)));
    return { name, cells, width, right: numbers.includes(dataTypeID) };
  });
  const heading = columns.map(({ name, width }) => ` ${centred(name, width)} `).join("|");
  const ruler = columns.map(({ width }) => "-".repeat(width + 2)).join("+");
  const lines = rows.flatMap((_, row) => tableLines(columns, row));
  return [heading, ruler, ...lines, `(${rows.length} ${rows.length === 1 ? "row" : "rows"})`];
}

/** The lines of a row; a value of several lines goes on below, with psql's + at each end but the last. */
function tableLines(columns: readonly Column[], row: number): string[] {
  const cells = columns.map(({ cells }) => (cells[row] as string).split("\n"));
  const height = Math.max(...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    columns
      .map(({ width, right }, index) => {
        const lines = cells[index] as string[];
        const text = lines[line] ?? "";
        const last = index === columns.length - 1;
        const goesOn = line < lines.length - 1;
        // psql leaves out the blanks that end a line.
        const over = last && line >= lines.length;
        const cell = over ? "" : right ? padStart(text, width) : last && !goesOn ? text : padEnd(text, width);
        return ` ${cell}${goesOn ? "+" : last ? "" : " "}`;
      })
      .join("|"),
  );
}

/** A line for each column; JSON that does not fit it is indented below. */
function expandedRows({ fields, rows }: Result, terminalWidth: number): string {
  if (rows.length === 0) return "(0 rows)\n";
  const nameWidth = Math.max(...fields.map(({ name }) => stringWidth(name)));
  const room = terminalWidth - nameWidth - 3;
  const values = rows.map((row) =>
    fields.map(({ dataTypeID }, column) => {
      const text = shown(row[column] ?? "");
      const wide = documents.includes(dataTypeID) && stringWidth(text) > room;
      return (wide ? indentedJson(text) : text).split("\n");
    }),
  );
  const valueWidth = Math.min(room, Math.max(...values.flat(2).map(stringWidth)));
  const lines = values.flatMap((row, number) => [
    ruleOf(`-[ RECORD ${number + 1} ]`, nameWidth, valueWidth),
    ...row.flatMap((text, column) =>
      text.map((line, at) => `${padEnd(at === 0 ? (fields[column]?.name ?? "") : "", nameWidth)} | ${line}`),
    ),
  ]);
  return `${lines.join("\n")}\n`;
}

/** The line above a row: as wide as the row, with a crossing where the columns part. */
function ruleOf(label: string, nameWidth: number, valueWidth: number): string {
  const rule = label.padEnd(nameWidth + 3 + valueWidth, "-");
  const crossing = nameWidth + 1;
  return crossing < label.length ? rule : `${rule.slice(0, crossing)}+${rule.slice(crossing + 1)}`;
}

/** A JSON text over several lines. It is not parsed, so that each number keeps its digits. */
export function indentedJson(text: string): string {
  let depth = 0;
  const indent = () => `\n${"  ".repeat(depth)}`;
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s"[\]{}:,]+/g) ?? [];
  return tokens
    .map((token, index) => {
      const next = tokens[index + 1];
      switch (token) {
        case "{":
        case "[":
          if (next === "}" || next === "]") return token;
          depth += 1;
          return token + indent();
        case "}":
        case "]": {
          const previous = tokens[index - 1];
          if (previous === "{" || previous === "[") return token;
          depth -= 1;
          return indent() + token;
        }
        case ",":
          return token + indent();
        case ":":
          return ": ";
        default:
          return token;
      }
    })
    .join("");
}

interface ServerError {
  readonly severity?: string | undefined;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  readonly where?: string | undefined;
  /** Of the character that the error is about, from 1. */
  readonly position?: string | undefined;
}

/** An error as psql prints it, with the line that it is about. */
export function errorText(error: ServerError, statements: string): string {
  const lines = [`${error.severity ?? "ERROR"}:  ${error.message}`];
  if (error.position !== undefined) {
    const before = [...statements].slice(0, Number(error.position) - 1).join("");
    const number = before.split("\n").length;
    const label = `LINE ${number}: `;
    const start = before.split("\n").at(-1) ?? "";
    lines.push(
      `${label}${statements.split("\n")[number - 1] ?? ""}`,
      " ".repeat(label.length + stringWidth(start)) + "^",
    );
  }
  if (error.detail) lines.push(`DETAIL:  ${error.detail}`);
  if (error.hint) lines.push(`HINT:  ${error.hint}`);
  if (error.where) lines.push(`CONTEXT:  ${error.where}`);
  return lines.join("\n");
}

function centred(text: string, width: number): string {
  const free = width - stringWidth(text);
  return padEnd(" ".repeat(Math.floor(free / 2)) + text, width);
}

const padEnd = (text: string, width: number) => text + " ".repeat(Math.max(0, width - stringWidth(text)));
const padStart = (text: string, width: number) => " ".repeat(Math.max(0, width - stringWidth(text))) + text;
