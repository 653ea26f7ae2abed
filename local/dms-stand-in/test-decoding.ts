/**
 * PostgreSQL's output plugin `test_decoding`, read exactly. One message is one line of text, but identifiers and values
 * may hold anything, line breaks included:
 *
 *     BEGIN 733
 *     table shop.orders: UPDATE: old-key: id[integer]:1 note[text]:'it''s' new-tuple: id[integer]:1 note[text]:null
 *     COMMIT 733 (at 2026-11-22 10:00:00.123456+00)
 *
 * Identifiers are quoted as in SQL. Numbers, booleans, `null` and `unchanged-toast-datum` have no quotes. Other values
 * are in single quotes with quotes doubled; bit strings have a B before the quote. An old tuple leaves out nulls.
 */

/** Why a line could not be read; holds a position, never the text, which may be personal data. */
export class DecodingError extends Error {}

/** The value did not change and is stored out of line, so the WAL does not repeat it. */
export const unchangedToast = Symbol("unchanged-toast-datum");

/** A value as text in PostgreSQL's output form, without quotes. */
export type DecodedValue = string | null | typeof unchangedToast;

/** What a message is about. */
export type DecodedMessage =
  | { readonly kind: "begin"; readonly transactionId: number }
  | { readonly kind: "commit"; readonly transactionId: number; readonly committedAt: string }
  | DecodedChange
  /** TRUNCATE and logical messages: DMS carries neither. */
  | { readonly kind: "other" };

/** A change, its tuples still unread. */
export interface DecodedChange {
  readonly kind: "change";
  readonly operation: ChangeOperation;
  /** `schema.table` as printed, each quoted where SQL needs it. */
  readonly relation: string;
  /** Position in the line where the tuples begin. */
  readonly body: number;
}
export type ChangeOperation = "insert" | "update" | "delete";

const changePrefix = "table ";
const doubleQuote = 0x22;
const singleQuote = 0x27;
const colon = 0x3a;
const space = 0x20;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** Whether a message is about rows of tables, rather than the begin or the end of a transaction. */
export function isAboutRows(line: string): boolean {
  return line.startsWith(changePrefix);
}

/** Reads all of a message but its tuples. */
export function decodeMessage(line: string): DecodedMessage {
  if (isAboutRows(line)) return decodeChange(line);
  if (line.startsWith("BEGIN ")) return { kind: "begin", transactionId: Number(line.slice(6)) };
  if (line.startsWith("COMMIT ")) {
    const at = line.indexOf(" (at ");
    if (at < 0) throw new DecodingError("COMMIT carries no time: the slot was read without include-timestamp.");
    return { kind: "commit", transactionId: Number(line.slice(7, at)), committedAt: line.slice(at + 5, -1) };
  }
  return { kind: "other" };
}

function decodeChange(line: string): DecodedMessage {
  const start = changePrefix.length;
  let end = line.indexOf(":", start);
  if (line.slice(start, end).includes('"')) end = relationsEnd(line, start);
  const relation = line.slice(start, end);
  switch (line.charCodeAt(end + 2)) {
    case 0x49: // INSERT
      return { kind: "change", operation: "insert", relation, body: end + 9 };
    case 0x55: // UPDATE
      return { kind: "change", operation: "update", relation, body: end + 9 };
    case 0x44: // DELETE
      return { kind: "change", operation: "delete", relation, body: end + 9 };
    case 0x54: // TRUNCATE, of one table or several
      return { kind: "other" };
    default:
      throw new DecodingError(`Unknown operation at character ${end + 2} of a change.`);
  }
}

/** End of `schema.table`, or of several joined by commas. */
function relationsEnd(line: string, start: number): number {
  let position = start;
  for (;;) {
    position = identifierEnd(line, position);
    const next = line.charCodeAt(position);
    if (next === colon) return position;
    position += line.startsWith(", ", position) ? 2 : 1;
    if (position >= line.length) throw new DecodingError("A change names no relation.");
  }
}

/** End of the identifier at `start`: after its closing quote, or before the first character that a bare one can't have. */
function identifierEnd(line: string, start: number): number {
  if (line.charCodeAt(start) === doubleQuote) return quotedEnd(line, start, '"', doubleQuote);
  let position = start;
  for (; position < line.length; position++) {
    const character = line[position] as string;
    if (character === "." || character === ":" || character === "[" || character === "," || character === " ") break;
  }
  return position;
}

/** Position after the quote that closes the one at `start`; a doubled quote does not close. */
function quotedEnd(line: string, start: number, quote: string, code: number): number {
  let position = start + 1;
  for (;;) {
    position = line.indexOf(quote, position) + 1;
    if (position === 0) throw new DecodingError(`The quote at character ${start} is never closed.`);
    if (line.charCodeAt(position) !== code) return position;
    position++;
  }
}

/** The schema and the table of a printed relation. */
export function relationNames(relation: string): { schema: string; table: string } {
  const end = identifierEnd(relation, 0);
  return { schema: unquoted(relation.slice(0, end)), table: unquoted(relation.slice(end + 1)) };
}

function unquoted(identifier: string): string {
  return identifier.startsWith('"') ? identifier.slice(1, -1).replaceAll('""', '"') : identifier;
}

/** A column as the lines of its table print it. */
export interface PrintedColumn {
  readonly name: string;
  /** The type's name as printed, e.g. `character varying` or `shop.mood[]`. */
  readonly type: string;
  /** What precedes each of its values: ` name[type]:`. */
  readonly prefix: string;
}

/** The tuples of a change. */
export interface DecodedTuples {
  /** By column; undefined where a column was left out, as nulls are. Undefined when no old tuple was printed. */
  readonly old: (DecodedValue | undefined)[] | undefined;
  readonly new: (DecodedValue | undefined)[] | undefined;
}

const oldKey = " old-key:";
const newTuple = " new-tuple:";
const noTuple = " (no-tuple-data)";

/**
 * Reads the tuples of a change to a table whose columns are known. Returns undefined when the line was printed with
 * other columns: the table has changed its shape.
 */
export function readTuples(
  line: string,
  operation: ChangeOperation,
  body: number,
  columns: readonly PrintedColumn[],
): DecodedTuples | undefined {
  if (line.startsWith(noTuple, body)) return { old: undefined, new: undefined };
  const reader = new TupleReader(line, body, columns);
  if (operation === "delete") {
    const old = reader.tuple(false);
    return old && reader.atEnd ? { old, new: undefined } : undefined;
  }
  let old: (DecodedValue | undefined)[] | undefined;
  if (operation === "update" && reader.skip(oldKey)) {
    old = reader.tuple(false);
    if (!old || !reader.skip(newTuple)) return undefined;
    if (line.startsWith(noTuple, reader.position)) return { old, new: undefined };
  }
  const tuple = reader.tuple(true);
  return tuple && reader.atEnd ? { old, new: tuple } : undefined;
}

class TupleReader {
  constructor(
    private readonly line: string,
    public position: number,
    private readonly columns: readonly PrintedColumn[],
  ) {}

  get atEnd(): boolean {
    return this.position >= this.line.length;
  }

  skip(text: string): boolean {
    if (!this.line.startsWith(text, this.position)) return false;
    this.position += text.length;
    return true;
  }

  /** One value for each column; undefined when `complete` is asked for and a column is missing. */
  tuple(complete: boolean): (DecodedValue | undefined)[] | undefined {
    const values: (DecodedValue | undefined)[] = [];
    for (const { prefix } of this.columns) {
      if (this.skip(prefix)) {
        values.push(this.value());
      } else {
        if (complete) return undefined;
        values.push(undefined);
      }
    }
    return values;
  }

  value(): DecodedValue {
    const { line } = this;
    const start = this.position;
    const first = line.charCodeAt(start);
    if (first === singleQuote) return this.quoted(start);
    // Bare values that begin with a B do not exist, so this is a bit string.
    if (first === 0x42) return this.quoted(start + 1);
    let end = line.indexOf(" ", start);
    if (end < 0) end = line.length;
    this.position = end;
    const text = line.slice(start, end);
    if (text === "null") return null;
    return text === "unchanged-toast-datum" ? unchangedToast : text;
  }

  private quoted(start: number): string {
    this.position = quotedEnd(this.line, start, "'", singleQuote);
    const text = this.line.slice(start + 1, this.position - 1);
    return text.includes("'") ? text.replaceAll("''", "'") : text;
  }
}

/** The columns that a line itself prints: of its new tuple, or of its old one when that is all there is. */
export function printedColumns(line: string, operation: ChangeOperation, body: number): PrintedColumn[] {
  if (line.startsWith(noTuple, body)) return [];
  if (operation !== "update" || !line.startsWith(oldKey, body)) return discoverColumns(line, body).columns;
  const old = discoverColumns(line, body + oldKey.length);
  if (!line.startsWith(newTuple, old.end))
    throw new DecodingError(`No new tuple at character ${old.end} of an update.`);
  return discoverColumns(line, old.end + newTuple.length).columns;
}

function discoverColumns(line: string, start: number): { columns: PrintedColumn[]; end: number } {
  const columns: PrintedColumn[] = [];
  const reader = new TupleReader(line, start, []);
  while (!reader.atEnd && !line.startsWith(newTuple, reader.position)) {
    const nameStart = reader.position + 1;
    const nameEnd = identifierEnd(line, nameStart);
    if (line.charCodeAt(reader.position) !== space || line.charCodeAt(nameEnd) !== openBracket) {
      throw new DecodingError(`No column at character ${reader.position} of a change.`);
    }
    const valueStart = typeEnd(line, nameEnd);
    columns.push({
      name: unquoted(line.slice(nameStart, nameEnd)),
      type: line.slice(nameEnd + 1, valueStart - 2),
      prefix: line.slice(reader.position, valueStart),
    });
    reader.position = valueStart;
    reader.value();
  }
  return { columns, end: reader.position };
}

/** Position after the `]:` that ends the type whose bracket opens at `start`; arrays and odd names nest more. */
function typeEnd(line: string, start: number): number {
  let depth = 0;
  for (let position = start; position < line.length; position++) {
    const code = line.charCodeAt(position);
    if (code === doubleQuote) position = quotedEnd(line, position, '"', doubleQuote) - 1;
    else if (code === openBracket) depth++;
    else if (code === closeBracket && --depth === 0) {
      if (line.charCodeAt(position + 1) !== colon) break;
      return position + 2;
    }
  }
  throw new DecodingError(`The type at character ${start} of a change never ends.`);
}
