import { randomUUID } from "node:crypto";
import type { Client } from "pg";
import { auditEventsTable } from "../../../contract/audit-table";

/** An audit event as a test writes it; what it leaves out gets a plain value. */
export interface EventInput {
  readonly event_id?: string;
  readonly committed_at: string;
  readonly operation: string;
  readonly table?: string;
  readonly transaction_id?: number | null;
  readonly sequence?: number | null;
  readonly record_key?: object | null;
  readonly before?: object;
  readonly before_patches?: object;
  readonly after?: object;
  readonly unknown_columns?: readonly string[];
  readonly actor?: string;
  readonly request_id?: string;
  readonly context?: object;
  readonly source_id?: string;
  readonly captured_at?: string;
  readonly transformed_at?: string;
  readonly stream_order?: number;
  readonly partition_name?: string;
}

/** The statement that the sink runs for a batch of `count` events. */
function insertStatement(count: number, columns: readonly string[]): string {
  const rows = Array.from(
    { length: count },
    (_, row) => `(${columns.map((_, column) => `$${row * columns.length + column + 1}`).join(", ")})`,
  );
  return `INSERT INTO ${auditEventsTable.qualifiedName} (${columns.join(", ")}) VALUES ${rows.join(", ")}
    ON CONFLICT (${auditEventsTable.primaryKey.join(", ")}) DO NOTHING`;
}

/**
 * Writes events in one statement, as the sink does; columns that none of them has are left out, so that a table of an
 * earlier version can be written to as well. Returns how many rows the server says it affected.
 */
export async function storeEvents(client: Client, events: readonly EventInput[]): Promise<number | null> {
  const rows = events.map((event): Record<string, unknown> => {
    const [schema_name, table_name] = (event.table ?? "shop.orders").split(".");
    return {
      event_id: randomUUID(),
      source_id: "test",
      transaction_id: 1,
      sequence: 1,
      schema_name,
      table_name,
      ...event,
    };
  });
  const columns = auditEventsTable.eventColumns
    .map(({ name }) => name)
    .filter((name) => rows.some((row) => row[name] !== undefined));
  const values = rows.flatMap((row) => columns.map((name) => row[name] ?? null));
  return (await client.query(insertStatement(events.length, columns), values)).rowCount;
}

/** Empties the audit log for the next test, as only a superuser who switches its triggers off can. */
export async function emptyLog(client: Client): Promise<void> {
  await client.query("SET session_replication_role = replica");
  await client.query(`DELETE FROM ${auditEventsTable.qualifiedName}`);
  await client.query("RESET session_replication_role");
}
