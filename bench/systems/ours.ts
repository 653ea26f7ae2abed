import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { sinkConnectorName } from "../../contract/sink-connector";
import type { Pipeline } from "../../local/pipeline";
import { withClient } from "../../local/servers/database-client";
import { connectRequest } from "../../local/servers/kafka-connect";
import { uninstallSource } from "../../operator/database/bootstrap";
import type { AuditSystem, LogTable, SystemProcess } from "./audit-system";

const events: LogTable = {
  name: "audit.events",
  committedAt: "extract(epoch FROM committed_at) * 1000",
  changes: "operation IN ('insert', 'update', 'delete') AND table_name <> 'marker'",
};

/** What the measurements need to know of a running pipeline, today's or an earlier one. */
export interface MeasuredPipeline {
  readonly processes: readonly SystemProcess[];
  readonly topics: Readonly<Record<"raw" | "events", { readonly name: string }>>;
}

/** This repository's pipeline. */
export function pipelineSystem(pipeline: MeasuredPipeline, name = "cdc-audit"): AuditSystem {
  return {
    name,
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

/** Ends the pipeline's parts and takes back what capture put into the database. Safe to repeat. */
export async function removePipeline(pipeline: Pipeline): Promise<void> {
  await withClient(pipeline.sample, async (client) => {
    await pipeline.standIn.stop();
    await pipeline.transformer.stop();
    if (!pipeline.worker.running) await pipeline.worker.start();
    await connectRequest(pipeline.ports.worker, "DELETE", `/connectors/${sinkConnectorName}`).catch(() => undefined);
    await pipeline.worker.stop();
    await dropSlots(client);
    await uninstallSource(client);
  });
}

async function dropSlots(client: Client): Promise<void> {
  // The server notices a closed replication connection a moment later.
  for (const deadline = Date.now() + 10_000; ; await sleep(100)) {
    const { rowCount } = await client.query("SELECT FROM pg_replication_slots WHERE active");
    if (!rowCount || Date.now() > deadline) break;
  }
  await client.query("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
}
