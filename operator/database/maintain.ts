import { setTimeout as sleep } from "node:timers/promises";
import type { ClientBase } from "pg";
import { operatorDefaults } from "../../contract/operator";

/** State of one logical replication slot of the database. A slot without a reader keeps WAL until the disk is full. */
export interface SlotHealth {
  readonly name: string;
  readonly plugin: string;
  /** Whether a reader is connected. */
  readonly active: boolean;
  /** WAL that the server keeps for the slot, in bytes; null when the slot has lost its place. */
  readonly retainedBytes: number | null;
  /** PostgreSQL's `wal_status`: `reserved` and `extended` are fine, `unreserved` is about to be lost, `lost` is. */
  readonly walStatus: string;
}

/** Something that `capture.watch` set up and that somebody has changed since. */
export interface CaptureProblem {
  readonly object: string;
  readonly problem: string;
  readonly fix: string;
}

/** An application that writes without saying who acts. */
export interface UnnamedWriter {
  /** Its `application_name`; empty when it gives none. */
  readonly application: string;
  /** The user of its sessions. */
  readonly user: string;
  readonly transactions: number;
}

export interface SourceMaintenance {
  /** Whether the signal table was emptied. False: writers held it at each attempt, and the next run tries again. */
  readonly signalsCleared: boolean;
  /** How many table shapes were signalled again. */
  readonly shapesPublished: number;
  readonly problems: readonly CaptureProblem[];
  /** Who has written without saying who acts since the last run, most first. */
  readonly unnamedWriters: readonly UnnamedWriter[];
  readonly slots: readonly SlotHealth[];
}

/** One thing that `audit.maintain` did. */
export interface PartitionAction {
  readonly action: "created" | "moved" | "dropped" | "kept" | "left";
  readonly partition: string;
  readonly detail: string;
}

export interface DestinationMaintenance {
  readonly actions: readonly PartitionAction[];
  /** Days from now for which there are partitions. */
  readonly partitionDaysAhead: number;
  /** Events in the default partition: those dated beyond the partitions. */
  readonly defaultPartitionRows: number;
}

export interface DestinationMaintenanceOptions {
  /** How far ahead partitions are made, as a PostgreSQL interval. Default `3 months`. */
  readonly ahead?: string;
  /** Events older than this go, by whole partitions; a PostgreSQL interval of at least a day. Default: none go. */
  readonly retention?: string;
  /** How much time one partition holds. Default `month`. */
  readonly period?: "month" | "day";
}

/**
 * Empties the signal table, then signals every table's shape again, so that a full load still finds it. Reports what is
 * wrong with the watched tables, who writes without a name, and the slots.
 *
 * @param options.clearAttempts how often to try to empty the table between two writers, 200 ms each. Default 10.
 */
export async function maintainSource(
  client: ClientBase,
  options: { readonly clearAttempts?: number } = {},
): Promise<SourceMaintenance> {
  // Before the signals go that tell.
  const unnamed = await client.query<UnnamedWriter>(
    'SELECT application, "user", transactions::integer AS transactions FROM capture.unnamed_writers()',
  );
  const signalsCleared = await clearSignals(client, options.clearAttempts ?? 10);
  const { rows } = await client.query<{ count: number }>("SELECT capture.republish_shapes() AS count");
  // Who does not say who acts stands in a list of its own: no alarm is about people.
  const problems = await client.query<CaptureProblem>(
    "SELECT object, problem, fix FROM capture.problems() WHERE NOT starts_with(object, 'application ')",
  );
  return {
    signalsCleared,
    shapesPublished: rows[0]?.count ?? 0,
    problems: problems.rows,
    unnamedWriters: unnamed.rows,
    slots: await slotHealth(client),
  };
}

/** Makes partitions ahead, moves events out of the default partition, drops what is older than the retention. */
export async function maintainDestination(
  client: ClientBase,
  options: DestinationMaintenanceOptions = {},
): Promise<DestinationMaintenance> {
  const { rows: actions } = await client.query<PartitionAction>(
    "SELECT action, partition, detail FROM audit.maintain(ahead => $1::interval, retention => $2::interval, period => $3)",
    [
      options.ahead ?? operatorDefaults.partitionsAhead,
      options.retention ?? null,
      options.period ?? operatorDefaults.partitionPeriod,
    ],
  );
  const { rows } = await client.query<{ days: number; events: number }>(
    `SELECT
       (SELECT extract(epoch FROM max(upper_bound) - now())::float8 / 86400 FROM audit.partitions()) AS days,
       (SELECT count(*)::float8 FROM audit.events_default) AS events`,
  );
  return { actions, partitionDaysAhead: rows[0]?.days ?? 0, defaultPartitionRows: rows[0]?.events ?? 0 };
}

/** The logical slots of this database. */
export async function slotHealth(client: ClientBase): Promise<SlotHealth[]> {
  const { rows } = await client.query<{
    name: string;
    plugin: string;
    active: boolean;
    retained_bytes: string | null;
    wal_status: string;
  }>(
    `SELECT slot_name AS name, plugin, active, wal_status,
       pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint AS retained_bytes
     FROM pg_replication_slots
     WHERE slot_type = 'logical' AND database = current_database()
     ORDER BY slot_name`,
  );
  return rows.map(({ name, plugin, active, retained_bytes, wal_status }) => ({
    name,
    plugin,
    active,
    retainedBytes: retained_bytes === null ? null : Number(retained_bytes),
    walStatus: wal_status,
  }));
}

async function clearSignals(client: ClientBase, attempts: number): Promise<boolean> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const { rows } = await client.query<{ cleared: boolean }>("SELECT capture.clear_signals() AS cleared");
    if (rows[0]?.cleared) return true;
    // Let writers that queued behind the attempt go first.
    if (attempt < attempts) await sleep(100);
  }
  return false;
}
