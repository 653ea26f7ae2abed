import type { Client } from "pg";
import { captureSchema } from "../../../contract/change-capture";

/** A signal as a reader of the WAL sees it. */
export interface Signal {
  readonly kind: string;
  readonly table: string | null;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- bodies are free JSON, checked by each test
  readonly body: any;
}

const bodyColumns = captureSchema.signalBodyColumns;

/** The signals written since the last call, in order, which are then cleared. */
export async function takeSignals(client: Client): Promise<Signal[]> {
  const { rows } = await client.query<{ kind: string; table: string | null; pieces: (string | null)[] }>(
    `SELECT kind, schema_name || '.' || table_name AS table, ARRAY[${bodyColumns.join(", ")}] AS pieces
     FROM ${captureSchema.schema}.${captureSchema.signalTable} ORDER BY ctid`,
  );
  await client.query(`TRUNCATE ${captureSchema.schema}.${captureSchema.signalTable}`);
  return rows.map(({ kind, table, pieces }) => ({
    kind,
    table,
    body: kind === "session" ? sessionFacts(pieces) : JSON.parse(pieces.join("")),
  }));
}

/** The columns of a `session` signal by what they hold; nulls are left out. */
function sessionFacts(columns: readonly (string | null)[]) {
  const facts = columns.map((value, index) => [captureSchema.sessionFacts[index] ?? `body_${index + 1}`, value]);
  return Object.fromEntries(facts.filter(([, value]) => value !== null));
}
