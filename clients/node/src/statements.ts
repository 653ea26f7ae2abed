/** What a statement means to who announces: see {@link kindOf}. */
export type StatementKind =
  /** Begins a transaction. */
  | "begin"
  /** The same, and it can change nothing. */
  | "begin read only"
  /** Ends the transaction. */
  | "end"
  /** Takes back what was said since a savepoint. */
  | "rollback to savepoint"
  /** Must come before the snapshot of its transaction, which an announcement takes. */
  | "before the snapshot"
  /** The same, and it lets a transaction write that began as read only. */
  | "read write"
  /** Changes rows, or calls what may. */
  | "write"
  /** Calls what may commit by itself, unless a transaction is open around it. */
  | "procedure"
  /** Anything else: it reads, or it may not stand in a transaction. */
  | "other";

const comments = /^(?:\s+|;|--[^\n]*(?:\n|$)|\/\*(?:[^*]|\*(?!\/))*\*\/)+/;
const snapshotWords = /\bisolation\s+level\b|\bdeferrable\b|(?:^|;)\s*lock\b/i;
const changingWords = /\b(?:insert|update|delete|merge|truncate|copy|call|do|execute)\b/i;

const kinds: readonly (readonly [StatementKind, RegExp])[] = [
  ["begin read only", /^(?:begin|start\s+transaction)\b[^;]*\bread\s+only\b/i],
  ["begin", /^(?:begin|start\s+transaction)\b/i],
  ["rollback to savepoint", /^rollback\s+(?:work\s+|transaction\s+)?to\b/i],
  ["other", /^(?:commit|rollback)\s+prepared\b/i],
  ["end", /^(?:commit|end|abort|rollback|prepare\s+transaction)\b/i],
  ["read write", /^set\b[^;]*\bread\s+write\b/i],
  ["before the snapshot", /^(?:set|reset|show|lock|discard)\b/i],
  ["procedure", /^(?:call|do)\b/i],
  ["write", /^(?:insert|update|delete|merge|truncate|copy|execute)\b/i],
  // A function that is called for what it does: SELECT pay(7), SELECT * FROM pay(7).
  ["write", /^select\s+(?:\*\s+from\s+)?["\w.]+\s*\((?![^]*\bfrom\b)/i],
];

/**
 * What kind of statement a text is, by its first words; comments may stand before them. Of several statements in one text
 * the first decides.
 */
export function kindOf(text: string): StatementKind {
  const statement = text.replace(comments, "");
  if (/^with\b/i.test(statement)) return changingWords.test(statement) ? "write" : "other";
  return kinds.find(([, pattern]) => pattern.test(statement))?.[0] ?? "other";
}

/** What else a text of several statements does behind its first. */
export interface Rest {
  /** Whether it may change rows. */
  readonly changes: boolean;
  /** Whether it ends the transaction. */
  readonly ends: boolean;
  /** Whether the text, with its first statement, has what must come before the snapshot that an announcement takes. */
  readonly needsFirst: boolean;
}

/** What stands behind the first statement of a text, as far as its semicolons tell; undefined if nothing does. */
export function restOf(text: string): Rest | undefined {
  const statements = text.replace(comments, "");
  const rest = /;\s*(\S[^]*)$/.exec(statements)?.[1];
  if (rest === undefined) return undefined;
  const ends = /(?:^|;)\s*(?:commit|end|abort|rollback)\b(?![^;]*\b(?:to|chain)\b)[^;]*;?\s*$/i.test(rest);
  return { changes: changingWords.test(rest), ends, needsFirst: snapshotWords.test(statements) };
}
