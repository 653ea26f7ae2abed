import type { Client } from "pg";
import { captureSchema } from "../../contract/change-capture";
import { decodeMessage, printedColumns, readTuples, relationNames } from "../../local/dms-stand-in/test-decoding";

/** A change of the table `items` as the WAL has it, with the name that the log will show. */
export interface Change {
  readonly operation: "insert" | "update" | "delete";
  readonly id: string;
  readonly isolation: string | null;
  readonly seen: string | null;
  /** Null when its transaction says nothing of who acts, as if the actor trigger were missing. */
  readonly by: Said | null;
}

/** What a signal says of who acts. */
export interface Said {
  readonly actor: string;
  readonly request_id: string | null;
  readonly context: Readonly<Record<string, unknown>>;
}

type Row = Readonly<Record<string, string | null>>;

/** What the session itself tells; the actor trigger adds it to each context. */
export const sessionFactNames = captureSchema.sessionFacts.slice(2);

/** Takes what was committed since the last call from a slot of `test_decoding`. */
export async function takeChanges(client: Client, slot: string): Promise<Change[]> {
  const { rows } = await client.query<{ data: string }>(
    "SELECT data FROM pg_logical_slot_get_changes($1, NULL, NULL, 'include-timestamp', 'on')",
    [slot],
  );
  return changesOf(rows.map(({ data }) => data));
}

/** The changes in lines of `test_decoding`. As in the log, the nearest signal before a change counts, else the first after. */
export function changesOf(lines: readonly string[]): Change[] {
  const changes: Change[] = [];
  let transaction: { said: Said | null; changes: Change[] } = { said: null, changes: [] };
  for (const line of lines) {
    const message = decodeMessage(line);
    if (message.kind === "begin") transaction = { said: null, changes: [] };
    if (message.kind === "commit") changes.push(...transaction.changes);
    if (message.kind !== "change") continue;
    const { schema, table } = relationNames(message.relation);
    const row = rowOf(line, message.operation, message.body);
    if (schema === captureSchema.schema && table === captureSchema.signalTable) {
      const said = saidBy(row);
      if (!said) continue;
      if (!transaction.said) transaction.changes = transaction.changes.map((change) => ({ ...change, by: said }));
      transaction.said = said;
    } else if (table === "items") {
      const { operation } = message;
      const [id, isolation, seen] = [row.id as string, row.isolation ?? null, row.seen ?? null];
      transaction.changes.push({ operation, id, isolation, seen, by: transaction.said });
    }
  }
  return changes;
}

function rowOf(line: string, operation: "insert" | "update" | "delete", body: number): Row {
  const columns = printedColumns(line, operation, body);
  const tuples = readTuples(line, operation, body, columns);
  const values = tuples?.new ?? tuples?.old ?? [];
  return Object.fromEntries(
    columns.map(({ name }, place) => [name, (values[place] as string | null | undefined) ?? null]),
  );
}

function saidBy(signal: Row): Said | undefined {
  const pieces = captureSchema.signalBodyColumns.map((column) => signal[column] ?? null);
  if (signal.kind === "session") {
    return { actor: pieces[0] as string, request_id: pieces[1] ?? null, context: {} };
  }
  if (signal.kind !== "context") return undefined;
  const { actor, request_id = null, context } = JSON.parse(pieces.join("")) as Said;
  const own = Object.entries(context).filter(([name]) => !sessionFactNames.includes(name));
  return { actor, request_id, context: Object.fromEntries(own) };
}
