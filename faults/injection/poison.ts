import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Producer, stringSerializers } from "@platformatic/kafka";
import { repositoryFolder } from "../../local/machine/folders";
import type { Pipeline } from "../../local/pipeline";
import type { Random } from "../random";

const run = promisify(execFile);

/** An event that the converter accepts until a member is replaced. */
const event = {
  committed_at: "2026-01-01T00:00:00Z",
  event_id: "00000000-0000-5000-8000-000000000001",
  source_id: "local",
  operation: "insert",
  schema_name: "ledger",
  table_name: "accounts",
};

const change = {
  data: { id: 1 },
  metadata: {
    timestamp: "2026-01-01T00:00:00.000000Z",
    "record-type": "data",
    operation: "insert",
    "partition-key-type": "primary-key",
    "schema-name": "ledger",
    "table-name": "accounts",
  },
};

/** Records that cannot be read, each for a different reason. */
const raw = [
  "this is no JSON",
  "",
  "[]",
  '{"data": {"id": 1}}',
  // No transaction details.
  JSON.stringify(change),
  JSON.stringify({ ...change, metadata: { ...change.metadata, operation: "dance" } }),
  '{"data": {"id": 1}, "metadata": {"record-type": "data"',
];
const events = [
  "no event",
  JSON.stringify({ ...event, committed_at: "yesterday" }),
  JSON.stringify({ ...event, unheard_of: 1 }),
  JSON.stringify({ ...event, after: { text: "\u0000" } }),
  // The converter passes these two; PostgreSQL has no such time, and no such operation is allowed.
  JSON.stringify({ ...event, committed_at: "2026-02-30T00:00:00Z" }),
  JSON.stringify({ ...event, operation: "dance" }),
];

/** Sends one such record to a topic in use; returns its place in the form of {@link deadLetterOrigins}. */
export async function poison(pipeline: Pipeline, random: Random): Promise<string> {
  const [topic, values] = random.chance(0.5) ? [pipeline.topics.raw.name, raw] : [pipeline.topics.events.name, events];
  const producer = new Producer({
    clientId: "poisoner",
    bootstrapBrokers: [pipeline.bootstrapServers],
    serializers: stringSerializers,
    idempotent: true,
    retries: 20,
    retryDelay: 250,
  });
  try {
    const { offsets } = await producer.send({ messages: [{ topic, key: "bad", value: random.pick(values) }] });
    const place = offsets?.[0];
    if (!place) throw new Error("Kafka did not say where it put a record.");
    return `${place.topic}-${place.partition}@${place.offset}`;
  } finally {
    await producer.close();
  }
}

/** Origins of the records in the dead-letter topic; one that was refused twice is listed once. */
export async function deadLetterOrigins(pipeline: Pipeline): Promise<Set<string>> {
  const { stdout } = await run(
    process.execPath,
    ["--import", "tsx", "tools/dead-letters/main.ts", "--json", "--bootstrap-servers", pipeline.bootstrapServers],
    { cwd: repositoryFolder, maxBuffer: 64 << 20 },
  );
  const lines = stdout.trim() ? stdout.trim().split("\n") : [];
  return new Set(
    lines.map((line) => {
      const { topic, topicPartition, topicOffset } = JSON.parse(line) as Record<string, string>;
      return `${topic}-${topicPartition}@${topicOffset}`;
    }),
  );
}
