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

/** Left alone on purpose: each lets PostgreSQL drop a slot, and with it changes that DMS has not read. */
export const forbiddenParameters: readonly string[] = ["max_slot_wal_keep_size", "idle_replication_slot_timeout"];

/**
 * Parameters that PostgreSQL, its extensions and Aurora take only at a restart. AWS refuses to apply them at once. Others
 * that AWS calls static need no list: it says so itself.
 */
const alwaysStatic: ReadonlySet<string> = new Set([
  ...["archive_mode", "autovacuum_freeze_max_age"],
  ...["autovacuum_multixact_freeze_max_age", "autovacuum_worker_slots", "bonjour", "bonjour_name", "cluster_name"],
  ...["commit_timestamp_buffers", "config_file", "data_directory", "data_sync_retry", "debug_io_direct"],
  ...["dynamic_shared_memory_type", "event_source", "external_pid_file", "hba_file", "hot_standby"],
  ...[
    "huge_page_size",
    "huge_pages",
    "ident_file",
    "ignore_invalid_pages",
    "io_max_combine_limit",
    "io_max_concurrency",
  ],
  ...["io_method", "jit_provider", "listen_addresses", "logging_collector", "max_active_replication_origins"],
  ...["max_connections", "max_files_per_process", "max_locks_per_transaction", "max_logical_replication_workers"],
  ...["max_notify_queue_pages", "max_pred_locks_per_transaction", "max_prepared_transactions", "max_replication_slots"],
  ...["max_wal_senders", "max_worker_processes", "min_dynamic_shared_memory", "multixact_member_buffers"],
  ...["multixact_offset_buffers", "notify_buffers", "old_snapshot_threshold", "port", "recovery_target"],
  ...["recovery_target_action", "recovery_target_inclusive", "recovery_target_lsn", "recovery_target_name"],
  ...["recovery_target_time", "recovery_target_timeline", "recovery_target_xid", "reserved_connections"],
  ...[
    "serializable_buffers",
    "shared_buffers",
    "shared_memory_type",
    "shared_preload_libraries",
    "subtransaction_buffers",
  ],
  ...[
    "superuser_reserved_connections",
    "trace_connection_negotiation",
    "track_activity_query_size",
    "track_commit_timestamp",
  ],
  ...["transaction_buffers", "unix_socket_directories", "unix_socket_group", "unix_socket_permissions", "wal_buffers"],
  ...["wal_decode_buffer_size", "wal_level", "wal_log_hints"],
  // Of extensions.
  ...["cron.database_name", "cron.host", "cron.log_run", "cron.log_statement", "cron.max_running_jobs"],
  ...["cron.timezone", "cron.use_background_workers", "pg_stat_statements.max", "pg_prewarm.autoprewarm"],
  // Of Aurora.
  ...["rds.babelfish_status", "rds.custom_dns_resolution", "rds.enable_plan_management", "rds.logical_replication"],
  ...["rds.logical_wal_cache", "rds.pg_stat_ramdisk_size", "rds.restrict_password_commands"],
]);

/** Those that an earlier major version takes only at a restart, and the first that takes them while it runs. */
const dynamicSince: Readonly<Record<string, number>> = { autovacuum_max_workers: 18 };

/** Whether a parameter takes effect only at a restart, by its folded name, in a version such as `17` or `17.5`. */
export function isStaticParameter(name: string, engineVersion: string): boolean {
  return alwaysStatic.has(name) || Number.parseInt(engineVersion, 10) < (dynamicSince[name] ?? 0);
}

/** AWS folds the names of parameters: two spellings are one parameter. */
export function foldedName(name: string): string {
  return name.trim().toLowerCase();
}

/** Family of the parameter group for an engine version: `aurora-postgresql17` for `17.5`. */
export function parameterFamily(engineVersion: string): string {
  return `aurora-postgresql${engineVersion.split(".")[0]}`;
}
