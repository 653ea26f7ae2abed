import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Admin, Consumer, Producer } from "@platformatic/kafka";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectDeadLetterHeaders, deadLetterHeaders } from "../../contract/dead-letter";
import { pipelineTopics, topicList } from "../../contract/topics";
import { repositoryFolder } from "../../local/machine/folders";
import { createTopics, groupLag, localKafka, topicEndOffsets } from "../../local/servers/topics";
import { MissingTopicError, withKafkaAdmin } from "../../operator/kafka/admin";
import { StandInBench } from "../local/dms-stand-in/stand-in";

let bench: StandInBench;
let brokers: string;
const topics = pipelineTopics();

beforeAll(async () => {
  bench = await StandInBench.start();
  brokers = bench.bootstrapServers;
  await createTopics(brokers, topicList(topics), 1);
});

afterAll(() => bench?.stop());

async function send(topic: string, partition: number, value: string, headers: Record<string, string> = {}) {
  const producer = new Producer({ clientId: "test", bootstrapBrokers: [brokers] });
  const encoded = Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)] as const);
  const message = { topic, partition, key: Buffer.from("key"), value: Buffer.from(value), headers: new Map(encoded) };
  await producer.send({ messages: [message], acks: -1 });
  await producer.close();
}

describe("topics", () => {
  test("are created once, and found to be as defined after that", async () => {
    await createTopics(brokers, topicList(topics), 1);
    expect(await topicEndOffsets(brokers, topics.events.name)).toEqual([0n, 0n, 0n, 0n, 0n, 0n]);
  });

  test("that differ from their definition are refused, all at once", async () => {
    const others = pipelineTopics({ eventsPartitions: 4, retentionDays: 3 });
    await expect(createTopics(brokers, topicList(others), 1)).rejects.toThrow(
      /cdc\.raw has retention\.ms=604800000, not 259200000; audit\.events has 6 partitions, not 4; audit\.events has/,
    );
  });

  test("have a lag of all records before a group commits, and of the rest afterwards", async () => {
    const name = "lag.test";
    await createTopics(brokers, [{ name, partitions: 2, config: {} }], 1);
    for (const partition of [0, 0, 1]) await send(name, partition, "x");
    expect(await groupLag(brokers, "reader", name)).toBe(3);
    const admin = new Admin({ clientId: "test", bootstrapBrokers: [brokers] });
    const partitionOffsets = [{ partition: 0, offset: 1n }];
    await admin.alterConsumerGroupOffsets({ groupId: "reader", topics: [{ name, partitionOffsets }] });
    await admin.close();
    expect(await groupLag(brokers, "reader", name)).toBe(2);
  });

  test("tell the operator whether records came since a time, and who reads them", async () => {
    const name = "watched.test";
    await createTopics(brokers, [{ name, partitions: 2, config: {} }], 1);
    const before = new Date();
    await withKafkaAdmin(localKafka(brokers), async (admin) => {
      expect(await admin.hasRecordsSince(name, before)).toBe(false);
      for (const partition of [0, 1, 1]) await send(name, partition, "x");
      expect(await admin.hasRecordsSince(name, before)).toBe(true);
      expect(await admin.hasRecordsSince(name, new Date(Date.now() + 60_000))).toBe(false);

      expect(await admin.groupProgress("watchers", name)).toEqual({ members: 0, committed: false, lag: 3 });
      const consumer = new Consumer({ clientId: "test", groupId: "watchers", bootstrapBrokers: [brokers] });
      await consumer.joinGroup({});
      await consumer.commit({ offsets: [{ topic: name, partition: 1, offset: 2n, leaderEpoch: 0 }] });
      expect(await admin.groupProgress("watchers", name)).toEqual({ members: 1, committed: true, lag: 1 });
      await consumer.leaveGroup();
      await consumer.close();
      expect((await admin.groupProgress("watchers", name)).members).toBe(0);
    });
  });

  test("that are missing are named to the operator", async () => {
    const look = withKafkaAdmin(localKafka(brokers), (admin) => admin.groupProgress("watchers", "missing.test"));
    await expect(look).rejects.toThrow(MissingTopicError);
    await expect(look).rejects.toThrow("Kafka has no topic missing.test.");
  });

  test("can't be asked for on a broker that is not there", async () => {
    await expect(topicEndOffsets("127.0.0.1:1", "any")).rejects.toThrow(/^Kafka at 127\.0\.0\.1:1 does not answer/);
  });
});

describe("npm run dead-letters", () => {
  async function deadLetters(...options: string[]): Promise<{ code: number; lines: string[]; error: string }> {
    const commandLine = ["--import", "tsx", "tools/dead-letters/main.ts", "--bootstrap-servers", brokers, ...options];
    const outcome = await promisify(execFile)(process.execPath, commandLine, { cwd: repositoryFolder }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
    return { code: outcome.code, lines: outcome.stdout.trimEnd().split("\n"), error: outcome.stderr };
  }

  test("says that there are none, lists what there is, and replays each once", async () => {
    expect(await deadLetters()).toMatchObject({ code: 0, lines: ["No dead letters in audit.dead-letter."] });

    await send(topics.deadLetter.name, 0, "not json", {
      [deadLetterHeaders.reason]: "not-json",
      [deadLetterHeaders.topic]: topics.raw.name,
      [deadLetterHeaders.partition]: "0",
      [deadLetterHeaders.offset]: "3",
    });
    await send(topics.deadLetter.name, 0, "{}", {
      [connectDeadLetterHeaders.topic]: topics.events.name,
      [connectDeadLetterHeaders.partition]: "4",
      [connectDeadLetterHeaders.offset]: "9",
      [connectDeadLetterHeaders.reason]: "io.cdcaudit.connect.RefusedRowException",
    });
    const table = await deadLetters();
    expect(table.lines).toHaveLength(5);
    expect(table.lines[1]).toContain("cdc.raw-0@3");
    expect(table.lines[2]).toContain("audit.events-4@9");
    expect(table.lines.join()).not.toContain("not json");
    expect((await deadLetters("--show-values")).lines.join()).toContain("    not json");

    expect(await deadLetters("--replay", "--offset", "1")).toMatchObject({ code: 0 });
    expect(await topicEndOffsets(brokers, topics.events.name)).toEqual([0n, 0n, 0n, 0n, 1n, 0n]);
    expect((await deadLetters("--replay")).lines).toEqual(["Sent 1 of 1 dead letters through again."]);
    expect((await deadLetters("--replay")).lines).toEqual(["Sent 0 of 0 dead letters through again."]);
    expect(await topicEndOffsets(brokers, topics.raw.name)).toEqual([1n]);
    const states = (await deadLetters("--json")).lines.map((line) => JSON.parse(line).replayed);
    expect(states).toEqual([true, true]);
  });

  test("fails for an offset that holds none, and for a record whose origin is gone", async () => {
    expect(await deadLetters("--offset", "999")).toMatchObject({
      code: 1,
      error: "There is no dead letter at offset 999.\n",
    });
    await send(topics.deadLetter.name, 0, "orphan", { [deadLetterHeaders.topic]: "gone" });
    const { code, error } = await deadLetters("--replay");
    expect([code, error]).toEqual([1, expect.stringMatching(/^Not replayed, because .*: \d+ \(from gone\)\.\n$/)]);
  });
});
