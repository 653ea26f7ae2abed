import definitions from "./topic-definitions.json";

/** One Kafka topic of the pipeline, as data: the stack, the local pipeline and the tests all create it from this. */
export interface TopicDefinition {
  /** Full topic name. The prefix is empty for the first pipeline on a cluster. */
  readonly name: string;
  readonly partitions: number;
  /** Topic-level configuration, in Kafka's own property names and string values. */
  readonly config: Readonly<Record<string, string>>;
}

/** The four topics, in the order data meets them. */
export interface Topics {
  /** `cdc.raw`: change records as DMS writes them. One partition keeps DMS's commit order. */
  readonly raw: TopicDefinition;
  /** `audit.events`: one plain-JSON audit event per record; the sink reads it. */
  readonly events: TopicDefinition;
  /** `audit.catalog`: compacted; the shape of each watched table, with its history. */
  readonly catalog: TopicDefinition;
  /** `audit.dead-letter`: records that could not be read or stored, whole, with their reason in headers. */
  readonly deadLetter: TopicDefinition;
}

/** The topics by name alone: all that a reader or writer of them must know. */
export type TopicNames = { readonly [Role in keyof Topics]: { readonly name: string } };

/** What a deployment may change about its topics; everything else is the contract. */
export interface TopicSettings {
  /** Put before each name with a dot, so that two pipelines can share a cluster. Default: none. */
  readonly prefix?: string;
  /** Partitions of `cdc.raw`. Default 1. More gives up order across records (each record's own order stays). */
  readonly rawPartitions?: number;
  /** Partitions of `audit.events`, at least the sink's tasks. Default 6. */
  readonly eventsPartitions?: number;
  /** Days that `cdc.raw` and `audit.events` are kept. Default 7. */
  readonly retentionDays?: number;
  /** Largest message in bytes on every topic. Default 16 MiB: an update carries a row twice, and JSON escapes it. */
  readonly messageMaxBytes?: number;
}

/** Default of {@link TopicSettings.messageMaxBytes}, in bytes. */
export const defaultMessageMaxBytes: number = definitions.messageMaxBytes;

/** Bytes that a dead letter's headers may add to the record that it keeps whole. */
const deadLetterHeadroom = 65_536;

/** Largest message on the dead-letter topic: a record of the largest size, and its reason. */
export function deadLetterMaxBytes(messageMaxBytes: number = defaultMessageMaxBytes): number {
  return messageMaxBytes + deadLetterHeadroom;
}

const millisecondsPerDay = 86_400_000;

/** The topics of one pipeline. Pure; refuses nothing: settings are validated where they are read. */
export function pipelineTopics(settings: TopicSettings = {}): Topics {
  const prefix = settings.prefix ? `${settings.prefix}.` : "";
  const maximum = { "max.message.bytes": String(settings.messageMaxBytes ?? defaultMessageMaxBytes) };
  const days = (count: number) => ({
    "cleanup.policy": "delete",
    "retention.ms": String(count * millisecondsPerDay),
    // By the broker's clock: a producer whose clock is behind would write what retention takes for old.
    "message.timestamp.type": "LogAppendTime",
  });
  const retention = days(settings.retentionDays ?? definitions.retentionDays);
  return {
    raw: {
      name: prefix + definitions.raw.name,
      partitions: settings.rawPartitions ?? definitions.raw.partitions,
      config: { ...retention, ...maximum },
    },
    events: {
      name: prefix + definitions.events.name,
      partitions: settings.eventsPartitions ?? definitions.events.partitions,
      config: { ...retention, ...maximum },
    },
    catalog: {
      name: prefix + definitions.catalog.name,
      partitions: definitions.catalog.partitions,
      config: { "cleanup.policy": "compact", ...maximum },
    },
    deadLetter: {
      name: prefix + definitions.deadLetter.name,
      partitions: definitions.deadLetter.partitions,
      config: {
        ...days(definitions.deadLetter.retentionDays),
        "max.message.bytes": String(deadLetterMaxBytes(settings.messageMaxBytes)),
      },
    },
  };
}

/** The topics as a list, to create or check all of them. */
export function topicList(topics: Topics): readonly TopicDefinition[] {
  return [topics.raw, topics.events, topics.catalog, topics.deadLetter];
}
