import type { Client } from "pg";

/** The tables under audit, as `schema.table`, by name. */
export async function watchedTables(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT schema_name || '.' || table_name AS name FROM capture.watched_tables ORDER BY 1",
  );
  return rows.map(({ name }) => name);
}
