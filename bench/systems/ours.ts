import type { Client } from "pg";
import type { Pipeline } from "../../local/pipeline";
import type { AuditSystem, LogTable } from "./audit-system";

const events: LogTable = {
  name: "audit.events",
  committedAt: "extract(epoch FROM committed_at) * 1000",
  changes: "operation IN ('insert', 'update', 'delete') AND table_name <> 'marker'",
};

/** This repository's pipeline. */
export function pipelineSystem(pipeline: Pipeline): AuditSystem {
  return {
    name: "cdc-audit",
    processes: () => pipeline.processes,
    topics: () =>
      [pipeline.topics.raw, pipeline.topics.events].map(({ name }) => ({ name: `topic ${name}`, topics: [name] })),
    prepare: async () => undefined,
    logTables: async () => [events],
    newestCommit: async (client) => {
      const { rows } = await client.query<{ newest: string | null }>(
        "SELECT extract(epoch FROM max(committed_at)) * 1000 AS newest FROM audit.events",
      );
      return rows[0]?.newest ? Number(rows[0].newest) : undefined;
    },
    emptyLog: async (client: Client) => {
      // The log refuses to be emptied; a replica's triggers stay silent.
      await client.query("SET session_replication_role = replica");
      await client.query("TRUNCATE audit.events");
      await client.query("RESET session_replication_role");
    },
  };
}
