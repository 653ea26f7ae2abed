import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { connectRequest } from "../local/servers/kafka-connect";
import { withClient } from "../local/servers/database-client";
import { sinkConnectorName } from "../contract/sink-connector";
import { topicEndOffsets } from "../local/servers/topics";
import { Disk } from "./injection/disk";
import { poison } from "./injection/poison";
import type { Random } from "./random";
import { ShiftedClock } from "./injection/clock";
import { diskOwners, linkNames, parts, type LinkName, type Part, type System } from "./system";
import { alteredTable } from "./workload";

/** Something that goes wrong, and is mended after a while. */
export interface Fault {
  readonly name: string;
  /** What it affects. Two faults that share one of these do not happen at once. */
  readonly touches: readonly (Part | LinkName)[];
  /** How often it is drawn, against the others. */
  readonly weight: number;
  /** Seconds of a long one. Default {@link defaultLongSeconds}. */
  readonly long?: number;
  /** Seconds that it must last to have an effect. Default 0. */
  readonly shortest?: number;
  /** Why it can't happen on this machine. */
  readonly obstacle?: () => string | undefined;
  /** Lets it happen, waits, mends it. May return what it did in a few words. */
  readonly happen: (system: System, seconds: number, random: Random) => Promise<string | void>;
}

/** Faults that are made in the same way, as `docs/reliability.md` lists them. */
export interface FaultKind {
  /** What happens to the pipeline. */
  readonly title: string;
  /** How the harness makes it happen. */
  readonly how: string;
  readonly faults: readonly Fault[];
}

/** Default of {@link Fault.long}, in seconds. */
export const defaultLongSeconds = 10;

const pause = (seconds: number) => sleep(seconds * 1000);

/** Every link that begins or ends at a part. */
function linksOf(part: Part): LinkName[] {
  const end = { "source database": "source", "destination database": "database", broker: "broker" } as const;
  const arrives = part in end ? ` to ${end[part as keyof typeof end]}` : undefined;
  const leaves = part === "worker" ? ["worker to", "sink to"] : [`${part} to`];
  return linkNames.filter(
    (link) => (arrives && link.endsWith(arrives)) || leaves.some((beginning) => link.startsWith(beginning)),
  );
}

function down(name: string, part: Part, signal: NodeJS.Signals, options: { weight: number; long?: number }): Fault {
  return {
    name,
    touches: [part],
    ...options,
    happen: async (system, seconds) => {
      await system.end(part, signal);
      await pause(seconds);
      system.release(part);
    },
  };
}

const kills: Fault[] = [
  down("kill the DMS stand-in", "DMS stand-in", "SIGKILL", { weight: 3 }),
  down("kill the broker", "broker", "SIGKILL", { weight: 3, long: 60 }),
  down("kill the transformer", "transformer", "SIGKILL", { weight: 2 }),
  down("kill the worker", "worker", "SIGKILL", { weight: 2 }),
];

const immediateShutdowns: Fault[] = [
  down("shut the source database down at once", "source database", "SIGQUIT", { weight: 3 }),
  down("shut the destination database down at once", "destination database", "SIGQUIT", { weight: 3, long: 60 }),
];

const orderlyStops: Fault[] = [
  down("stop the transformer in order", "transformer", "SIGTERM", { weight: 1 }),
  down("stop the worker in order", "worker", "SIGTERM", { weight: 1 }),
  down("stop the DMS stand-in in order", "DMS stand-in", "SIGTERM", { weight: 1 }),
  down("stop the broker in order", "broker", "SIGTERM", { weight: 1 }),
];

const standstills: Fault[] = parts.map((part) => ({
  name: `SIGSTOP the ${part}`,
  touches: [part],
  weight: 1,
  long: 30,
  happen: async (system, seconds) => {
    system.signal(part, "SIGSTOP");
    await pause(seconds);
    system.signal(part, "SIGCONT");
  },
}));

const networkFaults: Fault[] = linkNames.flatMap((link): Fault[] => [
  {
    name: `cut ${link}`,
    touches: [link],
    weight: 1,
    happen: async (system, seconds) => {
      system.link(link).cut();
      await pause(seconds);
      system.link(link).mend();
    },
  },
  {
    name: `lose every packet of ${link}`,
    touches: [link],
    weight: 0.7,
    long: 30,
    happen: async (system, seconds) => {
      system.link(link).freeze();
      await pause(seconds);
      system.link(link).mend();
    },
  },
]);

const slowDestination: Fault = {
  name: "slow destination",
  touches: ["sink to database"],
  weight: 2,
  happen: async (system, seconds, random) => {
    const delay = random.integer(20, 150);
    const bytesPerSecond = random.pick([100_000, 500_000, 2_000_000]);
    system.link("sink to database").slow({ delay, bytesPerSecond });
    await pause(seconds);
    system.link("sink to database").mend();
    return `${delay} ms, ${bytesPerSecond / 1000} kB/s`;
  },
};

const fullDisks: Fault[] = diskOwners.map((owner) => ({
  name: `disk full: ${owner}`,
  touches: [owner],
  weight: 1,
  shortest: 3,
  obstacle: () => Disk.obstacle(),
  happen: async (system, seconds) => {
    const disk = system.disks.get(owner) as Disk;
    await disk.fill();
    await pause(seconds);
    await disk.free();
  },
}));

/** Kafka Connect's answer about the offsets that a sink has reached. */
interface ConnectorOffsets {
  readonly offsets: readonly {
    readonly partition: { readonly kafka_topic: string; readonly kafka_partition: number };
    readonly offset: { readonly kafka_offset: number };
  }[];
}

/** Resets to the start of a small topic, else some thousand events back, to save time. */
const offsetsReset: Fault = {
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
const olderPosition: Fault = {
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

const poisonRecords: Fault = {
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
const missingPartition: Fault = {
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

const schemaChange: Fault = {
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

/** The sink is stopped meanwhile: the broker must not delete as old what the sink has not read yet. */
const clockJump: Fault = {
  name: "the transformer's clock jumps",
  touches: ["transformer", "worker"],
  weight: 2,
  shortest: 3,
  obstacle: () => ShiftedClock.obstacle(),
  happen: async (system, seconds, random) => {
    const hours = random.pick([-24 * 10, -24 * 100, -1, 1, 24 * 400]);
    system.signal("worker", "SIGSTOP");
    system.clock?.shift(hours * 3600);
    await pause(seconds);
    system.clock?.shift(0);
    system.signal("worker", "SIGCONT");
    return `${hours} hours`;
  },
};

/** Kafka's clients measure by this clock how long to wait until they connect again. */
const clockRightAgainOffline: Fault = {
  name: "the transformer's clock is set right while its broker is away",
  touches: ["transformer", "transformer to broker"],
  weight: 1,
  shortest: 3,
  obstacle: () => ShiftedClock.obstacle(),
  happen: async (system, seconds, random) => {
    const hours = random.pick([1, 24 * 400]);
    system.clock?.shift(hours * 3600);
    system.link("transformer to broker").cut();
    await pause(seconds);
    system.clock?.shift(0);
    system.link("transformer to broker").mend();
    return `${hours} hours ahead before`;
  },
};

/** Every fault that is known, by kind. A seed names the same faults only while their order stays. */
export const faultKinds: readonly FaultKind[] = [
  {
    title: "a process is killed",
    how: "`kill -9` of stand-in, broker, transformer or worker; a supervisor starts it again, as ECS and MSK do",
    faults: kills,
  },
  {
    title: "a database is shut down at once",
    how: "SIGQUIT of source or destination: no checkpoint, then crash recovery",
    faults: immediateShutdowns,
  },
  {
    title: "a process stands still",
    how: "SIGSTOP of a process and of all that it started",
    faults: standstills,
  },
  {
    title: "a connection is cut, or loses every packet",
    how: "cut: both ends are reset, and so are new connections; lost packets: nothing moves, and neither end is told",
    faults: networkFaults,
  },
  { title: "the destination is slow", how: "20 to 150 ms of delay, 0.1 to 2 MB/s", faults: [slowDestination] },
  {
    title: "a disk is full",
    how: "every block of the file system of source, destination or broker is taken",
    faults: fullDisks,
  },
  {
    title: "the connector's offsets are reset",
    how: "to the beginning while `audit.events` is small, later by 500 to 8,000 in each partition",
    faults: [offsetsReset],
  },
  {
    title: "the capture replays",
    how: "an older copy of the stand-in's slot takes the slot's place",
    faults: [olderPosition],
  },
  {
    title: "poison records",
    how: "unreadable change records and audit events, and rows that PostgreSQL refuses, among the good ones",
    faults: [poisonRecords],
  },
  {
    title: "a partition is missing",
    how: "the running partition ends within a second; `audit.maintain` runs later",
    faults: [missingPartition],
  },
  { title: "the schema changes", how: "`ADD COLUMN` while the table is written", faults: [schemaChange] },
  {
    title: "the transformer's clock jumps",
    how: "by 100 days back to 400 days forward, while the sink stands still",
    faults: [clockJump],
  },
  {
    title: "the transformer's clock is set right while its broker is away",
    how: "the clock is an hour or 400 days ahead; the connection is cut; the clock goes back",
    faults: [clockRightAgainOffline],
  },
  {
    title: "a process is stopped in order",
    how: "SIGTERM of transformer, worker, stand-in or broker, and a start",
    faults: orderlyStops,
  },
];

/** Every fault that is known. */
export const catalogue: readonly Fault[] = faultKinds.flatMap(({ faults }) => faults);

/** Whether two faults can happen at the same time without one undoing or hindering the other. */
export function compatible(one: Fault, other: Fault): boolean {
  const reach = ({ touches }: Fault) =>
    new Set<string>(
      touches.flatMap((touched) => [
        touched,
        ...(parts.some((part) => part === touched) ? linksOf(touched as Part) : []),
      ]),
    );
  return (
    other.touches.every((touched) => !reach(one).has(touched)) &&
    one.touches.every((touched) => !reach(other).has(touched))
  );
}

const patienceMilliseconds = 60_000;

/** Asks again while a pipeline under fault refuses. */
async function persistently(ask: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + patienceMilliseconds;
  for (;;) {
    try {
      await ask();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(200);
    }
  }
}
