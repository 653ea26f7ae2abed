import { auditEventsTable } from "./audit-table";
import { deadLetterMaxBytes, type TopicNames } from "./topics";

/** Where the sink writes, and where it finds its user and password. */
export interface SinkDestination {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** Name or ARN of the secret `{"username","password"}`. No password ever stands in the connector's configuration. */
  readonly secretId: string;
  readonly region: string;
  /** Only for one machine: a stand-in for Secrets Manager. */
  readonly secretsManagerEndpoint?: string;
  /** pgjdbc `sslmode`. Default `require`; `disable` only on loopback. */
  readonly sslMode?: "disable" | "require" | "verify-full";
}

/** What differs between deployments of the sink; every other property is the contract. */
export interface SinkSettings {
  readonly topics: Pick<TopicNames, "events" | "deadLetter">;
  readonly destination: SinkDestination;
  /** Parallel tasks, at most the partitions of `audit.events`. Default {@link sinkDefaultTasks}. */
  readonly tasks?: number;
  /** Replication factor of the dead-letter topic. Connect insists on one even though the topic exists already. */
  readonly deadLetterReplicationFactor: number;
  /** Largest message in bytes that the topics take. Default 16 MiB. */
  readonly messageMaxBytes?: number;
}

/** Default of {@link SinkSettings.tasks}. */
export const sinkDefaultTasks = 2;

/** The connector's name decides its consumer group: a renamed connector starts from the beginning. */
export const sinkConnectorName = "audit-sink";

/** The group that a sink connector reads with; Kafka Connect makes it from the connector's name. */
export function sinkConsumerGroup(connectorName: string): string {
  return `connect-${connectorName}`;
}

/** Class names that the plugin ZIP of `connect/` provides. */
export const sinkClasses = {
  connector: "io.cdcaudit.connect.AuditSinkConnector",
  valueConverter: "io.cdcaudit.connect.AuditEventConverter",
  keyConverter: "org.apache.kafka.connect.storage.StringConverter",
} as const;

/**
 * The sink's JDBC URL through the AWS JDBC wrapper, whose Secrets Manager plugin fetches user and password at each
 * connect: rotation needs no change here, and the local pipeline uses the same form against a stand-in.
 */
export function sinkConnectionUrl(destination: SinkDestination): string {
  const parameters: [string, string][] = [
    ["wrapperPlugins", "awsSecretsManager"],
    ["secretsManagerSecretId", destination.secretId],
    ["secretsManagerRegion", destination.region],
    ...(destination.secretsManagerEndpoint
      ? ([["secretsManagerEndpoint", destination.secretsManagerEndpoint]] as [string, string][])
      : []),
    ["sslmode", destination.sslMode ?? "require"],
    ["reWriteBatchedInserts", "true"],
    // Otherwise the driver puts the whole statement, with thousands of rows, into the message of an error.
    ["logServerErrorDetail", "false"],
    ["tcpKeepAlive", "true"],
    ["connectTimeout", "10"],
    ["socketTimeout", "60"],
    ["ApplicationName", sinkConnectorName],
  ];
  const query = parameters.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join("&");
  return `jdbc:aws-wrapper:postgresql://${destination.host}:${destination.port}/${encodeURIComponent(destination.database)}?${query}`;
}

/**
 * The properties that every worker runs with, of those that MSK Connect lets one set. Both converters are mandatory and
 * only stand in for the connector's own.
 */
export const connectWorkerProperties: Readonly<Record<string, string>> = {
  "key.converter": sinkClasses.keyConverter,
  "value.converter": sinkClasses.keyConverter,
  // After a restart at most five seconds of events are written again.
  "offset.flush.interval.ms": "5000",
};

/** Kafka's default of a producer's `buffer.memory`. */
const producerDefaultBufferBytes = 32 * 1024 * 1024;

/** The connector's whole configuration: what MSK Connect and the local worker are given, property by property. */
export function sinkConnectorProperties(settings: SinkSettings): Record<string, string> {
  const largestDeadLetter = deadLetterMaxBytes(settings.messageMaxBytes);
  return {
    "connector.class": sinkClasses.connector,
    "tasks.max": String(settings.tasks ?? sinkDefaultTasks),
    topics: settings.topics.events.name,
    "key.converter": sinkClasses.keyConverter,
    "value.converter": sinkClasses.valueConverter,

    "connection.url": sinkConnectionUrl(settings.destination),
    // Debezium requires a user name; the wrapper replaces it with the secret's.
    "connection.username": "from-secret",
    "connection.password": "from-secret",

    "collection.name.format": auditEventsTable.qualifiedName,
    "insert.mode": "upsert",
    "primary.key.mode": "record_value",
    "primary.key.fields": auditEventsTable.primaryKey.join(","),
    "delete.enabled": "false",
    "schema.evolution": "none",
    "use.time.zone": "UTC",
    // Batches above 500 need both. Larger ones are no faster, but outlive the worker's young generation.
    "batch.size": "1000",
    "consumer.override.max.poll.records": "1000",
    "consumer.override.auto.offset.reset": "earliest",
    "consumer.override.session.timeout.ms": "10000",
    // MSK limits how many IAM connections a second it accepts; a consumer that it turns away once fails its task.
    "consumer.override.reconnect.backoff.ms": "1000",
    "producer.override.reconnect.backoff.ms": "1000",

    "errors.tolerance": "all",
    "errors.log.enable": "true",
    // Rows may hold personal data: the log gets coordinates, the dead-letter topic the record.
    "errors.log.include.messages": "false",
    "errors.deadletterqueue.topic.name": settings.topics.deadLetter.name,
    "errors.deadletterqueue.topic.replication.factor": String(settings.deadLetterReplicationFactor),
    "errors.deadletterqueue.context.headers.enable": "true",
    // Without it a refused record above 1 MB could not be set aside, and the task would fail.
    "producer.override.max.request.size": String(largestDeadLetter),
    // A record larger than the whole buffer is turned down too; and while one is sent, the next one finds room.
    "producer.override.buffer.memory": String(Math.max(producerDefaultBufferBytes, 2 * largestDeadLetter)),
  };
}
