import type { Client } from "pg";
import { captureSchema } from "../../../contract/change-capture";

/** A signal as a reader of the WAL sees it. */
export interface Signal {
  readonly kind: string;
  readonly table: string | null;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- bodies are free JSON, checked by each test
  readonly body: any;
}

const bodyPieces = captureSchema.signalBodyColumns.join(", ");

/** The signals written since the last call, in order, which are then cleared. */
export async function takeSignals(client: Client): Promise<Signal[]> {
  const { rows } = await client.query<{ kind: string; table: string | null; body: string }>(
    `SELECT kind, schema_name || '.' || table_name AS table, concat(${bodyPieces}) AS body
     FROM ${captureSchema.schema}.${captureSchema.signalTable} ORDER BY ctid`,
  );
  await client.query(`TRUNCATE ${captureSchema.schema}.${captureSchema.signalTable}`);
  return rows.map(({ kind, table, body }) => ({ kind, table, body: JSON.parse(body) }));
}
