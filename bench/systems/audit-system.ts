import type { Client } from "pg";
import type { Workload } from "../load/workloads";

/** A table that a system writes its log into. */
export interface LogTable {
  /** Qualified and quoted. */
  readonly name: string;
  /** The commit time of a row, in milliseconds since 1970, as SQL over the row's columns. */
  readonly committedAt: string;
  /** Which rows are changes, as SQL. */
  readonly changes: string;
}

/** A process of a system. */
export interface SystemProcess {
  readonly name: string;
  /** Its number while it runs. */
  readonly pid: number | undefined;
}

/** A chain that carries changes into an audit log: ours, or a peer. Everything is measured the same way through this. */
export interface AuditSystem {
  readonly name: string;
  /** The processes of the chain, PostgreSQL among them. */
  processes(): readonly SystemProcess[];
  /** What Kafka holds between the hops, in order; several topics may make one hop. */
  topics(): readonly { readonly name: string; readonly topics: readonly string[] }[];
  /** Creates what the system needs before it meets a workload's tables. */
  prepare(client: Client, workload: Workload): Promise<void>;
  logTables(client: Client): Promise<readonly LogTable[]>;
  /** Commit time of the newest change in the log, in milliseconds since 1970; undefined while it is empty. Cheap. */
  newestCommit(client: Client): Promise<number | undefined>;
  emptyLog(client: Client): Promise<void>;
}

/** How many changes are in the log. */
export async function countChanges(client: Client, system: AuditSystem): Promise<number> {
  let sum = 0;
  for (const { name, changes } of await system.logTables(client)) {
    const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ${name} WHERE ${changes}`);
    sum += Number(rows[0]?.count);
  }
  return sum;
}

/** Size of the log in bytes: rows with what is stored out of line, and indexes. */
export async function logSize(client: Client, system: AuditSystem): Promise<{ rows: number; indexes: number }> {
  const size = { rows: 0, indexes: 0 };
  for (const { name } of await system.logTables(client)) {
    const { rows } = await client.query<{ rows: string; indexes: string }>(
      `SELECT sum(pg_table_size(relid)) AS rows, sum(pg_indexes_size(relid)) AS indexes
       FROM (SELECT relid FROM pg_partition_tree($1) WHERE isleaf UNION SELECT $1::regclass) AS part`,
      [name],
    );
    size.rows += Number(rows[0]?.rows);
    size.indexes += Number(rows[0]?.indexes);
  }
  return size;
}
