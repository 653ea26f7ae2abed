import type * as pulumi from "@pulumi/pulumi";
import type { IamKafkaArgs } from "../transformer-service/types";

/** The database that holds the audit table. */
export interface DestinationDatabaseArgs {
  /** Host name of the cluster's writer. */
  endpoint: pulumi.Input<string>;
  /** Default 5432. */
  port?: pulumi.Input<number>;
  /** Database that holds the audit table. */
  databaseName: pulumi.Input<string>;
  /** Security group of the database; a rule that admits the sink is added to it. */
  securityGroupId: pulumi.Input<string>;
  /** ARN of the secret `{"username","password"}` of the role that writes the audit table. */
  secretArn: pulumi.Input<string>;
  /** Customer-managed key of that secret. Default: the secret is under AWS's own key. */
  keyArn?: pulumi.Input<string>;
}

/** Names of the topics. They must exist: give them as outputs of the topics' resources. */
export interface SinkTopicsArgs {
  /** Read: audit events. */
  events: pulumi.Input<string>;
  /** Written: events that the database refuses. */
  deadLetter: pulumi.Input<string>;
}

export interface AuditSinkArgs {
  /** VPC of the subnets. */
  vpcId: pulumi.Input<string>;
  /** Private subnets that reach AWS's services, with NAT or interface endpoints; each worker takes an address. */
  subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /** The Kafka cluster to read from; a `KafkaCluster` fits. */
  kafka: IamKafkaArgs;
  /** Names of the topics. */
  topics: SinkTopicsArgs;
  /** The database to write to. */
  destination: DestinationDatabaseArgs;
  /** The plugin's ZIP, which `npm run build:plugin` makes at `connect/target/audit-sink-plugin.zip`. */
  pluginPath: string;
  /**
   * Name of the connector. Default: made from project, stack and component name. It decides the consumer group: a changed
   * one writes all events again, which changes no row.
   */
  connectorName?: string;
  /** Partitions of the events topic, the most tasks that can share the work. Default 6. */
  eventsPartitions?: number;
  /** Tasks that write side by side. Default 2. */
  tasks?: number;
  /** Machines that run the tasks, 1 to 10. Default 1. */
  workers?: number;
  /** Size of a worker: 1, 2, 4 or 8 MCU, each of one vCPU and 4 GiB. Default 1. */
  mcusPerWorker?: number;
  /** Copies that the cluster's topics keep. Connect requires it, though the topic exists already. */
  replicationFactor: pulumi.Input<number>;
  /** Largest message in bytes that topics take. Default 16 MiB. */
  messageMaxBytes?: number;
  /** Whether the bucket survives with plugins in it. Default true. */
  retainData?: boolean;
  /** Days that the workers' log is kept in CloudWatch. Default 30. */
  logRetentionDays?: pulumi.Input<number>;
  /** A customer-managed key of your own; its policy must let CloudWatch Logs use it. Default: a new one. */
  kmsKeyArn?: pulumi.Input<string>;
}
