import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { Producer, stringSerializers } from "@platformatic/kafka";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repositoryFolder } from "../../local/machine/folders";
import { startTestPipeline, type TestPipeline } from "../local/support/pipeline";

const run = promisify(execFile);

interface DeadLetter {
  readonly topic: string;
  readonly offset: string;
  readonly reason: string;
  readonly attempts: number;
}

let running: TestPipeline;

beforeAll(async () => {
  running = await startTestPipeline([{ schema: "notes", table: "notes" }], async (client) => {
    await client.query("CREATE SCHEMA notes; CREATE TABLE notes.notes (id integer PRIMARY KEY, text text)");
  });
});

afterAll(async () => {
  await running?.stop();
});

async function send(topic: string, ...values: string[]): Promise<void> {
  const producer = new Producer({
    clientId: "vandal",
    bootstrapBrokers: [running.pipeline.bootstrapServers],
    serializers: stringSerializers,
  });
  await producer.send({ messages: values.map((value) => ({ topic, key: "bad", value })) });
  await producer.close();
}

async function deadLetters(...options: string[]): Promise<DeadLetter[]> {
  const { stdout } = await run(
    process.execPath,
    [
      "--import",
      "tsx",
      "tools/dead-letters/main.ts",
      "--json",
      "--bootstrap-servers",
      running.pipeline.bootstrapServers,
      ...options,
    ],
    { cwd: join(repositoryFolder) },
  );
  return stdout.trim()
    ? stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as DeadLetter)
    : [];
}

test("malformed records end among the dead letters with reason and origin, while good ones flow on", async () => {
  await running.act("ann", "INSERT INTO notes.notes VALUES (1, 'before')");
  await send(running.pipeline.topics.raw.name, "this is no JSON", '{"data": {"id": 1}}', "[]", "");
  await send(
    running.pipeline.topics.events.name,
    '{"committed_at": "yesterday"}',
    // The converter passes this one; PostgreSQL has no such time.
    JSON.stringify({
      committed_at: "2026-02-30T00:00:00Z",
      event_id: "00000000-0000-5000-8000-000000000001",
      source_id: "local",
      operation: "insert",
      schema_name: "notes",
      table_name: "notes",
    }),
  );
  await running.act("ann", "INSERT INTO notes.notes VALUES (2, 'after')");

  expect(await running.differences()).toEqual([]);
  await expect.poll(async () => (await deadLetters()).length, { timeout: 60_000, interval: 1000 }).toBe(6);
  const letters = await deadLetters();
  const fromRaw = letters.filter(({ topic }) => topic === running.pipeline.topics.raw.name);
  expect(fromRaw.map(({ reason }) => reason).sort()).toEqual([
    "not-a-change-record",
    "not-a-change-record",
    "not-json",
    "not-json",
  ]);
  expect(letters.filter(({ topic }) => topic === running.pipeline.topics.events.name)).toHaveLength(2);
});

test("a replay sends each dead letter through again once; what still fails comes back with its count", async () => {
  await deadLetters("--replay");
  await expect.poll(async () => (await deadLetters()).length, { timeout: 60_000, interval: 1000 }).toBe(12);
  const again = (await deadLetters()).filter(({ attempts }) => attempts === 1);
  expect(again).toHaveLength(6);
});
