/** The newest major version that DMS reads; AWS picks the minor one. */
export const defaultEngineVersion = "17";

/** One entry of a cluster parameter group. */
export interface Parameter {
  readonly name: string;
  readonly value: string;
  /** PostgreSQL takes some parameters only at a restart; AWS refuses to apply those at once. */
  readonly applyMethod: "immediate" | "pending-reboot";
}

/** Replication slots and WAL senders: one for each DMS task, and room for read replicas and migrations. */
const replicationSlots = 20;

/**
 * More than logical replication workers (4), autovacuum workers and parallel workers together on the largest instance
 * class; an unused slot costs a few KB.
 */
const workerProcesses = 128;

/** DMS accepts 0 or from 10 seconds to less than 5 minutes; anything below ends its task. */
const walSenderTimeoutMilliseconds = 30_000;

/**
 * What logical decoding to DMS needs of Aurora. `max_slot_wal_keep_size` is left alone on purpose: with a limit, a slot
 * that lags loses its WAL and the capture has to start over.
 */
export const captureParameters: readonly Parameter[] = [
  { name: "rds.logical_replication", value: "1", applyMethod: "pending-reboot" },
  { name: "max_replication_slots", value: String(replicationSlots), applyMethod: "pending-reboot" },
  { name: "max_wal_senders", value: String(replicationSlots), applyMethod: "pending-reboot" },
  { name: "max_logical_replication_workers", value: "4", applyMethod: "pending-reboot" },
  { name: "max_worker_processes", value: String(workerProcesses), applyMethod: "pending-reboot" },
  { name: "wal_sender_timeout", value: String(walSenderTimeoutMilliseconds), applyMethod: "immediate" },
  // Aurora loses changes for logical decoding with anything less.
  { name: "synchronous_commit", value: "on", applyMethod: "immediate" },
  // DMS keeps transactions open while it loads. Give the application's roles a limit of their own.
  { name: "idle_in_transaction_session_timeout", value: "0", applyMethod: "immediate" },
  // KB that one slot may use before a large transaction spills to disk.
  { name: "logical_decoding_work_mem", value: "65536", applyMethod: "immediate" },
  { name: "rds.force_ssl", value: "1", applyMethod: "immediate" },
];

/** Left alone on purpose; setting it would break the capture. */
export const forbiddenParameters: readonly string[] = ["max_slot_wal_keep_size"];

/** Family of the parameter group for an engine version: `aurora-postgresql17` for `17.5`. */
export function parameterFamily(engineVersion: string): string {
  return `aurora-postgresql${engineVersion.split(".")[0]}`;
}
