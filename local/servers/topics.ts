import { setTimeout as sleep } from "node:timers/promises";
import { Admin, ConfigResourceTypes, findErrorBy } from "@platformatic/kafka";
import type { TopicDefinition } from "../../contract/topics";
import { type KafkaConnection, withKafkaAdmin } from "../../operator/kafka/admin";

/**
 * Creates the topics that are missing and checks the others: partitions and every configured property must be as
 * defined. Throws one error that names all differences.
 */
export async function createTopics(
  bootstrapServers: string,
  topics: readonly TopicDefinition[],
  replicationFactor: number,
): Promise<void> {
  await withAdmin(bootstrapServers, async (admin) => {
    const existing = new Set(await admin.listTopics());
    for (const topic of topics.filter(({ name }) => !existing.has(name))) {
      await createTopic(admin, topic, replicationFactor);
    }
    await waitForTopics(admin, topics);
    const differences = (await Promise.all(topics.map((topic) => topicDifferences(admin, topic)))).flat();
    if (differences.length > 0) {
      throw new Error(
        `Topics on ${bootstrapServers} differ from their definition: ${differences.join("; ")}. ` +
          "Change them with kafka-topics and kafka-configs, or delete them and start again.",
      );
    }
  });
}

async function createTopic(admin: Admin, topic: TopicDefinition, replicationFactor: number): Promise<void> {
  const { name, partitions, config } = topic;
  const configs = Object.entries(config).map(([key, value]) => ({ name: key, value }));
  try {
    await admin.createTopics({ topics: [name], partitions, replicas: replicationFactor, configs });
  } catch (error) {
    if (!findErrorBy(error as Error, "apiId", "TOPIC_ALREADY_EXISTS")) throw error;
  }
}

/** The controller knows of a new topic before the broker does. */
async function waitForTopics(admin: Admin, topics: readonly TopicDefinition[]): Promise<void> {
  for (;;) {
    const known = new Set(await admin.listTopics());
    if (topics.every(({ name }) => known.has(name))) return;
    await sleep(20);
  }
}

async function topicDifferences(admin: Admin, topic: TopicDefinition): Promise<string[]> {
  const partitions = await partitionCount(admin, topic.name);
  const [description] = await admin.describeConfigs({
    resources: [
      {
        resourceType: ConfigResourceTypes.TOPIC,
        resourceName: topic.name,
        configurationKeys: Object.keys(topic.config),
      },
    ],
  });
  const actual = new Map(description?.configs.map(({ name, value }) => [name, value]));
  return [
    ...(partitions === topic.partitions ? [] : [`${topic.name} has ${partitions} partitions, not ${topic.partitions}`]),
    ...Object.entries(topic.config)
      .filter(([name, value]) => actual.get(name) !== value)
      .map(([name, value]) => `${topic.name} has ${name}=${actual.get(name)}, not ${value}`),
  ];
}

/** For each partition the offset that its next record will get: how many records a topic that loses none has taken. */
export async function topicEndOffsets(bootstrapServers: string, topic: string): Promise<bigint[]> {
  return withKafkaAdmin(localKafka(bootstrapServers), (admin) => admin.endOffsets(topic));
}

/** Records of a topic that a consumer group has not committed, over all partitions; all of them before its first commit. */
export async function groupLag(bootstrapServers: string, group: string, topic: string): Promise<number> {
  return withKafkaAdmin(localKafka(bootstrapServers), (admin) => admin.groupLag(group, topic));
}

/** A broker of this machine. It may have just opened its port and not answer yet. */
export function localKafka(bootstrapServers: string): KafkaConnection {
  return { bootstrapServers, login: { kind: "none" }, attempts: 21 };
}

async function partitionCount(admin: Admin, topic: string): Promise<number> {
  const metadata = await admin.metadata({ topics: [topic], forceUpdate: true });
  const count = metadata.topics.get(topic)?.partitionsCount;
  if (!count) throw new Error(`Kafka has no topic ${topic}.`);
  return count;
}

/** Waits for a broker that has just opened its port and does not answer yet. */
async function withAdmin<T>(bootstrapServers: string, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Admin({
    clientId: "local-pipeline",
    bootstrapBrokers: bootstrapServers.split(","),
    retries: 20,
    retryDelay: 250,
  });
  try {
    return await use(admin);
  } catch (error) {
    const unreachable = findErrorBy(error as Error, "code", "PLT_KFK_NETWORK");
    throw unreachable
      ? new Error(`Kafka at ${bootstrapServers} does not answer (${unreachable.message}).`, { cause: error })
      : error;
  } finally {
    await admin.close();
  }
}
