import { Pool } from "pg";
import { pinReader, sessionOptions } from "./replication-stream";

/** The task can't go on until a person helps; the message says what to do. */
export class TaskError extends Error {}

/** An ordinary session pool on the source, for the catalog, the heartbeat and the slot. */
export function sourceDatabase(sourceUrl: string): Pool {
  const pool = new Pool({
    ...sessionOptions(sourceUrl),
    max: 2,
    connectionTimeoutMillis: 10_000,
    onConnect: async (client) => void (await client.query(pinReader)),
  });
  // A broken idle session is replaced by the next query.
  pool.on("error", () => undefined);
  return pool;
}

/**
 * SQLSTATEs (or their classes) after which the server is expected back, and Node's names for a lost connection. 25P04 ends
 * the stream within a transaction that takes longer to send than transaction_timeout allows.
 */
const recoverable = /^(08...|25P04|57P0[123]|53...|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/;
const lostConnection = /Connection terminated|PostgreSQL ended the replication stream|timeout exceeded when trying/;

/** Whether trying again may help: the server is away, starting, stopping, or full. */
export function isOutage(error: unknown): boolean {
  const { code, message, errors } = error as { code?: string; message?: string; errors?: unknown[] };
  if (errors?.length) return errors.every(isOutage);
  return recoverable.test(code ?? "") || lostConnection.test(message ?? "");
}

/** SQLSTATE object_in_use: another session reads the slot. */
export function isSlotInUse(error: unknown): boolean {
  return (error as { code?: string }).code === "55006";
}

/** Refuses a server or a role that cannot be captured, naming the fix. */
export async function checkSource(database: Pool): Promise<void> {
  const { rows } = await database.query<{ wal_level: string; role: string; may_replicate: boolean }>(
    `select current_setting('wal_level') as wal_level, current_user as role,
            (select rolreplication or rolsuper from pg_roles where rolname = current_user)
            or exists (select from pg_roles where rolname = 'rds_replication' and pg_has_role(oid, 'usage')) as may_replicate`,
  );
  const [server] = rows;
  if (server?.wal_level !== "logical") {
    throw new TaskError(
      `The source has wal_level=${server?.wal_level}, and change capture needs logical. ` +
        "Run ALTER SYSTEM SET wal_level = 'logical' and restart PostgreSQL (on Aurora: rds.logical_replication=1).",
    );
  }
  if (!server.may_replicate) {
    throw new TaskError(
      `The role ${server.role} may not replicate. Run ALTER ROLE "${server.role}" REPLICATION ` +
        `(on Aurora: GRANT rds_replication TO "${server.role}").`,
    );
  }
}

interface Slot {
  readonly plugin: string;
  readonly database: string;
  readonly here: boolean;
  readonly lost: boolean;
}

const outputPlugin = "test_decoding";

/** Whether the slot is there; refuses one that this task can't read. */
export async function slotExists(database: Pool, slotName: string): Promise<boolean> {
  const { rows } = await database.query<Slot>(
    `select plugin, database, database = current_database() as here, coalesce(wal_status = 'lost', false) as lost
       from pg_replication_slots where slot_name = $1`,
    [slotName],
  );
  const [slot] = rows;
  if (!slot) return false;
  const drop = `SELECT pg_drop_replication_slot('${slotName}')`;
  if (slot.plugin !== outputPlugin || !slot.here) {
    throw new TaskError(
      `The replication slot ${slotName} belongs to something else (plugin ${slot.plugin}, database ${slot.database}). ` +
        `Choose another slotName, or drop it: ${drop}.`,
    );
  }
  if (slot.lost) {
    throw new TaskError(
      `The replication slot ${slotName} has lost WAL that was not captured yet: changes are missing. Drop it with ` +
        `${drop} and start again with a full load.`,
    );
  }
  return true;
}

/** Makes a slot that begins now. */
export async function createSlot(database: Pool, slotName: string): Promise<void> {
  try {
    await database.query("select pg_create_logical_replication_slot($1, $2)", [slotName, outputPlugin]);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code === "53400") {
      throw new TaskError(`${message}. Drop a slot that nobody reads, or raise max_replication_slots and restart.`);
    }
    if (code === "58P01") throw new TaskError(`The source has no ${outputPlugin}: install postgresql-contrib there.`);
    throw error;
  }
}

/** Gives a slot its final name: at the same position, with everything since. */
export async function renameSlot(database: Pool, from: string, to: string): Promise<void> {
  await database.query("select pg_copy_logical_replication_slot($1, $2)", [from, to]);
  await dropSlot(database, from);
}

/** Drops a slot if it is there. */
export async function dropSlot(database: Pool, slotName: string): Promise<void> {
  await database.query("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1", [
    slotName,
  ]);
}

export interface SourceTable {
  readonly schema: string;
  readonly table: string;
}

/** Every table that could be captured. */
export async function sourceTables(database: Pool): Promise<SourceTable[]> {
  const { rows } = await database.query<SourceTable>(
    `select n.nspname as schema, c.relname as table
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and c.relpersistence = 'p'
        and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\\_toast%'
      order by 1, 2`,
  );
  return rows;
}
