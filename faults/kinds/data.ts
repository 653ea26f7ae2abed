import type { Client } from "pg";
import { sinkConnectorName } from "../../contract/sink-connector";
import { withClient } from "../../local/servers/database-client";
import { connectRequest } from "../../local/servers/kafka-connect";
import { topicEndOffsets } from "../../local/servers/topics";
import { type Fault, pause, persistently } from "../fault";
import { poison } from "../injection/poison";
import { alteredTable } from "../workload";

/** Kafka Connect's answer about the offsets that a sink has reached. */
interface ConnectorOffsets {
  readonly offsets: readonly {
    readonly partition: { readonly kafka_topic: string; readonly kafka_partition: number };
    readonly offset: { readonly kafka_offset: number };
  }[];
}

/** Resets to the start of a small topic, else some thousand events back, to save time. */
export const offsetsReset: Fault = {
  name: "the connector's offsets are reset",
  touches: ["worker", "broker", "worker to broker"],
  weight: 2,
  happen: async (system, _seconds, random) => {
    const { pipeline } = system;
    const connector = `/connectors/${sinkConnectorName}`;
    const ends = await topicEndOffsets(pipeline.bootstrapServers, pipeline.topics.events.name);
    const total = ends.reduce((sum, end) => sum + Number(end), 0);
    const back = total < 100_000 ? undefined : random.integer(500, 8_000);
    await persistently(() => connectRequest(pipeline.ports.worker, "PUT", `${connector}/stop`));
    await persistently(async () => {
      if (back === undefined) await connectRequest(pipeline.ports.worker, "DELETE", `${connector}/offsets`);
      else {
        // Counted from the connector's offsets, not from the end of the topic: a reset must never skip an event.
        const answer = await connectRequest(pipeline.ports.worker, "GET", `${connector}/offsets`);
        const { offsets } = answer as ConnectorOffsets;
        await connectRequest(pipeline.ports.worker, "PATCH", `${connector}/offsets`, {
          offsets: offsets.map(({ partition, offset }) => ({
            partition,
            offset: { kafka_offset: Math.max(0, offset.kafka_offset - back) },
          })),
        });
      }
    });
    await persistently(() => connectRequest(pipeline.ports.worker, "PUT", `${connector}/resume`));
    return back === undefined ? `to the beginning, ${total} events` : `by ${back} in each partition`;
  },
};

/** A slot can't go back, but an earlier copy of it can replace it. */
export const olderPosition: Fault = {
  name: "the DMS stand-in replays from an older position",
  touches: ["DMS stand-in", "source database", "DMS stand-in to source"],
  weight: 2,
  shortest: 1,
  happen: async (system, seconds) => {
    const [slot] = await system.querySource<{ slot_name: string }>(
      "SELECT slot_name FROM pg_replication_slots WHERE slot_type = 'logical'",
    );
    if (!slot) throw new Error("The source has no replication slot.");
    const older = `${slot.slot_name}_older`;
    await system.querySource("SELECT pg_copy_logical_replication_slot($1, $2)", [slot.slot_name, older]);
    await pause(seconds);
    await system.end("DMS stand-in", "SIGKILL");
    await persistently(() => system.querySource("SELECT pg_drop_replication_slot($1)", [slot.slot_name]));
    await system.querySource("SELECT pg_copy_logical_replication_slot($1, $2)", [older, slot.slot_name]);
    await system.querySource("SELECT pg_drop_replication_slot($1)", [older]);
    system.release("DMS stand-in");
  },
};

export const poisonRecords: Fault = {
  name: "poison records",
  touches: ["broker"],
  weight: 3,
  happen: async (system, seconds, random) => {
    const count = random.integer(1, 8);
    for (let sent = 0; sent < count; sent += 1) {
      system.poisoned.push(await poison(system.pipeline, random));
      await pause(seconds / count);
    }
    return `${count}`;
  },
};

/** Ends the current partition at the present: later commits have no partition until maintenance makes one. */
export const missingPartition: Fault = {
  name: "a partition is missing",
  touches: ["destination database"],
  weight: 2,
  shortest: 2,
  happen: async (system, seconds) => {
    await persistently(() => withClient(system.pipeline.destination, cutPartitionOff));
    await pause(seconds);
    return withClient(system.pipeline.destination, async (client) => {
      const { rows } = await client.query<{ count: string }>("SELECT count(*) FROM audit.events_default");
      const { rowCount } = await client.query("SELECT FROM audit.maintain() WHERE action = 'created'");
      if (!rowCount) throw new Error("Maintenance made no partition.");
      return `${rows[0]?.count} events in the default partition`;
    });
  },
};

/** The bound is a second from now, so that no event lies beyond it yet. If the locks take longer, the server refuses. */
async function cutPartitionOff(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string; from: string; bound: string; suffix: string }>(
    `SELECT partition::text AS name, lower_bound::text AS "from", (now() + interval '1 second')::text AS bound,
            to_char(now(), 'DD_HH24MISSMS') AS suffix
     FROM audit.partitions() WHERE lower_bound <= now() AND now() < upper_bound`,
  );
  const [current] = rows;
  if (!current) throw new Error("There is no partition for the present.");
  const shortened = `events_until_${current.suffix}`;
  await client.query(`
    BEGIN;
    ALTER TABLE audit.events DETACH PARTITION ${current.name};
    ALTER TABLE ${current.name} RENAME TO ${shortened};
    ALTER TABLE audit.events ATTACH PARTITION audit.${shortened} FOR VALUES FROM ('${current.from}') TO ('${current.bound}');
    COMMIT`);
}

export const schemaChange: Fault = {
  name: "a column is added under load",
  touches: ["source database"],
  weight: 2,
  happen: async (system, seconds, random) => {
    const column = `extra_${Date.now()}`;
    const type = random.pick([
      "integer DEFAULT 7",
      "text",
      "numeric(8, 3) DEFAULT 1.500",
      "boolean",
      "jsonb DEFAULT '[1]'",
    ]);
    await system.querySource(`ALTER TABLE ${alteredTable} ADD COLUMN ${column} ${type}`);
    await pause(seconds);
    return `${column} ${type}`;
  },
};
