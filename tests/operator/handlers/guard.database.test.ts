import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DescribeClusterCommand,
  DescribeConfigurationRevisionCommand,
  KafkaClient,
  ListScramSecretsCommand,
} from "@aws-sdk/client-kafka";
import { Admin, Consumer, Producer } from "@platformatic/kafka";
import { mockClient } from "aws-sdk-client-mock";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GuardRequest } from "../../../contract/operator";
import { kafkaBroker, type ScramUser } from "../../../local/servers/kafka-broker";
import { freePorts, type ManagedProcess } from "../../../local/machine/managed-process";
import { guard } from "../../../operator/handlers/guard";
import { captureRules, principalOf } from "../../../operator/kafka/access-rules";
import { isKafkaError, KafkaAdmin, type KafkaLogin, KafkaLoginError } from "../../../operator/kafka/admin";
import { testContext } from "../support/operator-world";

// One broker as MSK is: SCRAM logins, access rules, and an administrator whom no rule binds, as IAM clients are there.
const administrator: ScramUser = { username: "operator", password: "operator-password" };
const capture: ScramUser = { username: "change-capture", password: "capture-password" };
const stranger: ScramUser = { username: "stranger", password: "stranger-password" };
const rawTopic = "cdc.raw";
const otherTopic = "audit.events";

const folder = mkdtempSync(join(tmpdir(), "kafka-security-"));
let ports: [number, number];
let broker: ManagedProcess | undefined;
const msk = mockClient(KafkaClient);

// Other files of this worker call the real client.
afterAll(() => msk.restore());

beforeAll(async () => {
  ports = (await freePorts(2)) as [number, number];
});

afterAll(async () => {
  await broker?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function bootstrapServers(): string {
  return `127.0.0.1:${ports[0]}`;
}

/** Starts the broker, or starts it again on what it has with the property changed, as MSK does after a deployment. */
async function startBroker(letEveryoneIn: boolean): Promise<void> {
  await broker?.stop();
  broker = await kafkaBroker({
    dataFolder: folder,
    logFile: join(folder, "broker.log"),
    port: ports[0],
    controllerPort: ports[1],
    security: { administrator, users: [capture, stranger], letEveryoneIn },
  });
  await broker.start();
  await expect.poll(() => outcomeOf(as(administrator, (admin) => admin.logIn())), { timeout: 30_000 }).toBe("done");
  // What AWS would tell of the same cluster.
  msk.reset();
  msk.on(DescribeClusterCommand).resolves({
    ClusterInfo: { State: "ACTIVE", CurrentBrokerSoftwareInfo: { ConfigurationArn: "arn", ConfigurationRevision: 1 } },
  });
  msk.on(DescribeConfigurationRevisionCommand).resolves({
    ServerProperties: new TextEncoder().encode(`allow.everyone.if.no.acl.found=${letEveryoneIn}\n`),
  });
  msk.on(ListScramSecretsCommand).resolves({ SecretArnList: ["arn:capture"] });
}

function login({ username, password }: ScramUser): KafkaLogin {
  return { kind: "scram", username, password, tls: false };
}

async function as<Result>(user: ScramUser, work: (admin: KafkaAdmin) => Promise<Result>): Promise<Result> {
  const admin = new KafkaAdmin({ bootstrapServers: bootstrapServers(), login: login(user), attempts: 1 });
  try {
    return await work(admin);
  } finally {
    await admin.close();
  }
}

/** The client's own connection of a user, for what the operator never does. */
function client(user: ScramUser) {
  return {
    clientId: "test",
    bootstrapBrokers: [bootstrapServers()],
    retries: 1,
    retryDelay: 100,
    sasl: { mechanism: "SCRAM-SHA-512" as const, ...user },
  };
}

async function closing<Result>(
  opened: { close: ((force: boolean) => Promise<void>) & (() => Promise<void>) },
  work: Promise<Result>,
): Promise<Result> {
  return work.finally(() => opened.close().catch(() => undefined));
}

const refusals = [
  "TOPIC_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
  "GROUP_AUTHORIZATION_FAILED",
  "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
] as const;

/** `done`, or Kafka's reason for a refusal. */
async function outcomeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "done";
  } catch (error) {
    if (error instanceof KafkaLoginError) return "LOGIN_REFUSED";
    const causes = [error, (error as Error).cause];
    return refusals.find((code) => causes.some((cause) => isKafkaError(cause, code))) ?? String(error);
  }
}

function write(user: ScramUser, topic: string, idempotent = false): Promise<string> {
  const producer = new Producer({ ...client(user), idempotent });
  const messages = [{ topic, partition: 0, key: Buffer.from("key"), value: Buffer.from("value") }];
  return outcomeOf(closing(producer, producer.send({ messages, acks: -1 })));
}

/** Fetches from a partition itself: a consumer would have to join a group first, and be refused for that. */
function read(user: ScramUser, topic: string): Promise<string> {
  const consumer = new Consumer({ ...client(user), groupId: "no-group" });
  const partition = {
    partition: 0,
    fetchOffset: 0n,
    partitionMaxBytes: 1024,
    currentLeaderEpoch: 0,
    lastFetchedEpoch: -1,
  };
  const fetch = async () => {
    await consumer.metadata({ topics: [topic] });
    return consumer.fetch({
      node: 1,
      maxWaitTime: 100,
      topics: [{ topicId: topicIds.get(topic)!, partitions: [partition] }],
    });
  };
  return outcomeOf(closing(consumer, fetch()));
}

function administer(user: ScramUser, work: (admin: Admin) => Promise<unknown>): Promise<string> {
  const admin = new Admin(client(user));
  return outcomeOf(closing(admin, work(admin)));
}

const topicIds = new Map<string, string>();

const request: GuardRequest = {
  action: "guard",
  clusterArn: "arn:aws:kafka:eu-central-1:123456789012:cluster/audit/6b1f0a1e-0000-4000-8000-000000000000-5",
  bootstrapBrokersIam: "",
  captureUsername: capture.username,
  rawTopic,
};

function runGuard(operator: ScramUser = administrator) {
  const { context } = testContext("guard", { kafkaLogin: () => Promise.resolve(login(operator)) }, 60);
  return guard({ ...request, bootstrapBrokersIam: bootstrapServers() }, context);
}

const ruleOfAnybody = captureRules(stranger.username, otherTopic)[0]!;
const everyRule = { resourceType: 1, resourcePatternType: 1, operation: 1, permissionType: 1 } as const;

/** What a user who may write `cdc.raw` has no business to do, and how Kafka refuses it. */
const forbidden: readonly (readonly [what: string, attempt: (user: ScramUser) => Promise<string>, refusal: string])[] =
  [
    ["read cdc.raw", (user) => read(user, rawTopic), "TOPIC_AUTHORIZATION_FAILED"],
    ["write another topic", (user) => write(user, otherTopic), "TOPIC_AUTHORIZATION_FAILED"],
    ["read another topic", (user) => read(user, otherTopic), "TOPIC_AUTHORIZATION_FAILED"],
    [
      "create a topic",
      (user) => administer(user, (admin) => admin.createTopics({ topics: ["own"], partitions: 1, replicas: 1 })),
      "TOPIC_AUTHORIZATION_FAILED",
    ],
    [
      "delete cdc.raw",
      (user) => administer(user, (admin) => admin.deleteTopics({ topics: [rawTopic] })),
      "TOPIC_AUTHORIZATION_FAILED",
    ],
    [
      "add a partition to cdc.raw",
      (user) =>
        administer(user, (admin) =>
          admin.createPartitions({ topics: [{ name: rawTopic, count: 2, assignments: [] }] }),
        ),
      "TOPIC_AUTHORIZATION_FAILED",
    ],
    [
      "delete records of cdc.raw",
      (user) =>
        administer(user, (admin) =>
          admin.deleteRecords({ topics: [{ name: rawTopic, partitions: [{ partition: 0, offset: 1n }] }] }),
        ),
      "TOPIC_AUTHORIZATION_FAILED",
    ],
    [
      "look at a consumer group",
      (user) => administer(user, (admin) => admin.listConsumerGroupOffsets({ groups: ["transformer"] })),
      "GROUP_AUTHORIZATION_FAILED",
    ],
    [
      "add an access rule",
      (user) => as(user, (admin) => outcomeOf(admin.addAccessRules([ruleOfAnybody]))),
      "CLUSTER_AUTHORIZATION_FAILED",
    ],
    [
      "remove access rules",
      (user) =>
        administer(user, (admin) =>
          admin.deleteAcls({ filters: [{ ...everyRule, resourceName: null, principal: null, host: null }] }),
        ),
      "CLUSTER_AUTHORIZATION_FAILED",
    ],
  ];

describe("in the right order", () => {
  test("the capture user writes before there is any rule, as everybody may", async () => {
    await startBroker(true);
    await administer(administrator, async (admin) => {
      const topics = await admin.createTopics({ topics: [rawTopic, otherTopic], partitions: 1, replicas: 1 });
      for (const { name, id } of topics) topicIds.set(name, id);
    });
    await expect.poll(() => write(capture, rawTopic)).toBe("done");
    expect(await write(stranger, rawTopic)).toBe("done");
    expect(await read(stranger, rawTopic)).toBe("done");
  });

  test("the guard sets the rules while the capture user writes without a pause", async () => {
    let guarded = false;
    const work = runGuard().finally(() => (guarded = true));
    const outcomes = new Set<string>();
    while (!guarded) outcomes.add(await write(capture, rawTopic));
    expect(await work).toMatchObject({ warnings: [], publicAccess: "closed" });
    expect((await work).rulesAdded).toHaveLength(4);
    outcomes.add(await write(capture, rawTopic));
    expect([...outcomes]).toEqual(["done"]);
  });

  test("from then on nobody else may write the topic", async () => {
    expect(await write(stranger, rawTopic)).toBe("TOPIC_AUTHORIZATION_FAILED");
    expect(await write(stranger, otherTopic)).toBe("done");
  });

  test("neither operator nor capture user is locked out once users without rules are", async () => {
    await startBroker(false);
    expect(await write(capture, rawTopic)).toBe("done");
    expect(await write(capture, rawTopic, true)).toBe("done");
    expect(await runGuard()).toMatchObject({ rulesAdded: [], warnings: [] });
    expect(await as(administrator, (admin) => admin.endOffsets(rawTopic))).toHaveLength(1);
  });
});

describe("the capture user", () => {
  test.each(forbidden)("may not %s", async (_, attempt, refusal) => {
    expect(await attempt(capture)).toBe(refusal);
  });

  test("sees the rules that the guard gave it, and has changed none", async () => {
    const rules = await as(administrator, (admin) => admin.accessRules([rawTopic, otherTopic]));
    expect(rules).toHaveLength(4);
    expect(new Set(rules.map(({ principal }) => principal))).toEqual(new Set([principalOf(capture.username)]));
  });
});

describe("a user without rules", () => {
  test.each([
    ["write cdc.raw", (user: ScramUser) => write(user, rawTopic), "TOPIC_AUTHORIZATION_FAILED"],
    ...forbidden,
  ] as const)("may not %s", async (_, attempt, refusal) => {
    expect(await attempt(stranger)).toBe(refusal);
  });

  test("may not even see who may do what", async () => {
    expect(await outcomeOf(as(stranger, (admin) => admin.accessRules([rawTopic])))).toBe(
      "CLUSTER_AUTHORIZATION_FAILED",
    );
  });

  test.each([
    ["a name that nobody has", { username: "nobody", password: "password" }],
    ["a wrong password", { ...capture, password: "wrong" }],
  ])("does not get in with %s", async (_, user) => {
    expect(await outcomeOf(as(user, (admin) => admin.logIn()))).toBe("LOGIN_REFUSED");
  });
});

describe("in the wrong order", () => {
  test("the capture user is locked out by shutting out users without rules before it has any", async () => {
    await administer(administrator, (admin) =>
      admin.deleteAcls({ filters: [{ ...everyRule, resourceName: null, principal: null, host: null }] }),
    );
    await expect.poll(() => write(capture, rawTopic)).toBe("TOPIC_AUTHORIZATION_FAILED");
  });

  test("an operator whom rules bind is refused, with the way back", async () => {
    await expect(runGuard(stranger)).rejects.toThrow(
      /allow\.everyone\.if\.no\.acl\.found is false before change-capture has a rule.*DMS is locked out.*deploy/,
    );
  });

  test("the operator whom none binds gives the rules late, and says that it was late", async () => {
    const { rulesAdded, warnings } = await runGuard();
    expect(rulesAdded).toHaveLength(4);
    expect(warnings).toEqual([expect.stringContaining("DMS could not write cdc.raw")]);
    expect(await write(capture, rawTopic)).toBe("done");
  });
});
