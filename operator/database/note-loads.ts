import type { ClientBase } from "pg";
import { neverAudited } from "../../contract/change-capture";
import type { TableLoad } from "../../contract/operator";

/**
 * Signals full loads that have ended to the log, each once; the tables of the pipeline itself are left out. Returns those
 * that the log was not told of yet.
 */
export async function noteLoads(client: ClientBase, loads: readonly TableLoad[]): Promise<TableLoad[]> {
  const audited = loads.filter(
    ({ schema, table }) => !neverAudited.schemas.includes(schema) && !table.startsWith(neverAudited.tablePrefix),
  );
  if (audited.length === 0) return [];
  const { rows } = await client.query<{ place: string }>(
    `SELECT place
     FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::bigint[])
       WITH ORDINALITY AS load (schema_name, table_name, started_at, ended_at, loaded_rows, place)
     WHERE capture.note_load(schema_name, table_name, started_at, ended_at, loaded_rows)
     ORDER BY place`,
    [
      audited.map(({ schema }) => schema),
      audited.map(({ table }) => table),
      audited.map(({ startedAt }) => startedAt),
      audited.map(({ endedAt }) => endedAt),
      audited.map(({ rows }) => rows),
    ],
  );
  return rows.map(({ place }) => audited[Number(place) - 1]!);
}
