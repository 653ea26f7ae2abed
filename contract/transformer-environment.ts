import { deadLetterMaxBytes, type TopicNames } from "./topics";

/** What the transformer must be told; the same for a Fargate task and for a local process. */
export interface TransformerSettings {
  /** Written to `source_id` of every event and part of its identity: never change it for a running pipeline. */
  readonly sourceId: string;
  /** Kafka `bootstrap.servers`. */
  readonly bootstrapServers: string;
  /** Streams `application.id` and so the consumer group. A changed one reads `cdc.raw` from the start. */
  readonly applicationId: string;
  readonly topics: TopicNames;
  /** `iam`: SASL_SSL with MSK IAM. `none`: plaintext, for one machine only. */
  readonly authentication: "iam" | "none";
  /** Replication factor of the topics that Streams itself may create; -1 takes the broker's default. */
  readonly replicationFactor?: number;
  /** Stream threads of one process; more than the partitions of `cdc.raw` would idle. Default 1. */
  readonly streamThreads?: number;
  /** `LobMaxSize` of the DMS task, in KB: a value of that size was cut, and is named in `unknown_columns`. */
  readonly lobMaxSizeKilobytes: number;
  /** Largest message on every topic but that of the dead letters, which may be {@link deadLetterMaxBytes}; in bytes. */
  readonly messageMaxBytes: number;
  /** Port of the health and metrics endpoints. Default 8080. */
  readonly managementPort?: number;
}

/** The transformer's environment variables. It reads nothing else, and refuses to start when one is missing or wrong. */
export function transformerEnvironment(settings: TransformerSettings): Record<string, string> {
  return {
    AUDIT_SOURCE_ID: settings.sourceId,
    AUDIT_BOOTSTRAP_SERVERS: settings.bootstrapServers,
    AUDIT_APPLICATION_ID: settings.applicationId,
    AUDIT_AUTHENTICATION: settings.authentication,
    AUDIT_TOPICS_RAW: settings.topics.raw.name,
    AUDIT_TOPICS_EVENTS: settings.topics.events.name,
    AUDIT_TOPICS_CATALOG: settings.topics.catalog.name,
    AUDIT_TOPICS_DEAD_LETTER: settings.topics.deadLetter.name,
    AUDIT_REPLICATION_FACTOR: String(settings.replicationFactor ?? -1),
    AUDIT_STREAM_THREADS: String(settings.streamThreads ?? 1),
    AUDIT_LOB_MAX_SIZE_KILOBYTES: String(settings.lobMaxSizeKilobytes),
    AUDIT_MESSAGE_MAX_BYTES: String(settings.messageMaxBytes),
    AUDIT_DEAD_LETTER_MAX_BYTES: String(deadLetterMaxBytes(settings.messageMaxBytes)),
    AUDIT_MANAGEMENT_PORT: String(settings.managementPort ?? 8080),
  };
}

/** Paths of the transformer's HTTP endpoints, for health checks and scrapers. */
export const transformerEndpoints = {
  /** 200 while Streams is RUNNING or REBALANCING. */
  liveness: "/actuator/health/liveness",
  /** 200 only while Streams is RUNNING. */
  readiness: "/actuator/health/readiness",
  metrics: "/actuator/prometheus",
} as const;
