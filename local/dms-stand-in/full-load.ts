import { escapeIdentifier, type Pool } from "pg";
import { microsecondClock, type ChangeRecordBuilder } from "./change-records";
import type { Log } from "./log";
import type { RecordWriter } from "./record-writer";
import { TaskError, type SourceTable } from "./source-database";
import type { TableShape, TableShapes } from "./table-shapes";

const rowsPerFetch = 2_000;

/**
 * Sends every row of the tables as a `load` record, table by table, each read as it is now: a row that changes
 * meanwhile may be read already changed, and its change is streamed later as well, as with DMS.
 */
export async function fullLoad(
  database: Pool,
  tables: readonly SourceTable[],
  shapes: TableShapes,
  records: ChangeRecordBuilder,
  writer: RecordWriter,
  log: Log,
): Promise<void> {
  const now = microsecondClock();
  for (const { schema, table } of tables) {
    const shape = await shapes.find(schema, table);
    // Dropped since the tables were listed.
    if (!shape || shape.columns.length === 0) continue;
    const startedAt = now();
    const rows = await loadTable(database, shape, records, writer);
    log.info("table-loaded", { schema, table, startedAt, endedAt: now(), rows });
  }
  await writer.flush();
}

async function loadTable(
  database: Pool,
  shape: TableShape,
  records: ChangeRecordBuilder,
  writer: RecordWriter,
): Promise<number> {
  const columns = shape.columns.map(({ name }) => escapeIdentifier(name)).join(", ");
  const table = `${escapeIdentifier(shape.schema)}.${escapeIdentifier(shape.table)}`;
  const client = await database.connect();
  let count = 0;
  try {
    await client.query("begin isolation level repeatable read read only");
    await client.query(`declare load_rows no scroll cursor for select ${columns} from only ${table}`);
    for (;;) {
      const { rows } = await client.query<(string | null)[]>({
        text: `fetch ${rowsPerFetch} from load_rows`,
        rowMode: "array",
        types: { getTypeParser: () => (text: string) => text },
      });
      if (rows.length === 0) break;
      count += rows.length;
      for (const row of rows) writer.add(records.load(row, shape));
      const room = writer.capacity();
      if (room) await room;
    }
    await client.query("commit");
    client.release();
    return count;
  } catch (error) {
    client.release(error as Error);
    if ((error as { code?: string }).code !== "42501") throw error;
    throw new TaskError(`The role may not read ${table} for the full load. Run GRANT SELECT ON ${table} TO it.`);
  }
}
