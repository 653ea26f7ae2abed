import type * as pulumi from "@pulumi/pulumi";

/** Which metrics MSK sends to CloudWatch. */
export const MonitoringLevel = {
  /** Cluster, broker and consumer lag by group and topic; free of charge. */
  Default: "DEFAULT",
  /** Also each broker's connections, requests and partitions below their minimum of copies. */
  PerBroker: "PER_BROKER",
  /** Also traffic by topic on each broker. */
  PerTopicPerBroker: "PER_TOPIC_PER_BROKER",
  /** Also lag by partition. */
  PerTopicPerPartition: "PER_TOPIC_PER_PARTITION",
} as const;
export type MonitoringLevel = (typeof MonitoringLevel)[keyof typeof MonitoringLevel];

/** Growth of the brokers' volumes. MSK can enlarge a volume, never shrink it, and only once in six hours. */
export interface StorageAutoscalingArgs {
  /** GiB that a broker's volume may grow to, up to 16384. */
  maximumGiB: number;
  /** Percentage in use at which volumes grow, 10 to 80. Default 60. */
  targetUtilization?: number;
}

/** Public access takes two deployments, because MSK refuses it while it creates a cluster. */
export const PublicAccessStage = {
  /**
   * From now on SCRAM users need access control lists. The operator of each pipeline writes them when it is deployed, so
   * deploy it before; without one, an IAM client must: Describe and Write on the raw topic, Describe and IdempotentWrite
   * on the cluster. The brokers stay private.
   */
  Prepare: "prepare",
  /** The brokers get public addresses, and the named networks may connect until the end time. */
  Open: "open",
} as const;
export type PublicAccessStage = (typeof PublicAccessStage)[keyof typeof PublicAccessStage];

/**
 * Temporary access from the internet, which the pipeline itself never needs. At the end time a schedule in AWS revokes
 * the guests' rules. Within a quarter of an hour the operator removes the brokers' public addresses. Both happen
 * whether or not anybody deploys. A later deployment is refused until the argument is removed.
 */
export interface PublicAccessArgs {
  /** Networks that may connect, /24 or smaller, such as `203.0.113.7/32`. */
  cidrs: string[];
  /** When it ends, as a time with its zone such as `2026-12-01T18:00:00Z`, at most 30 days ahead. */
  until: string;
  /** `prepare` in a first deployment, `open` in the next. */
  stage: PublicAccessStage;
}

/** A topic to make on the cluster. */
export interface KafkaTopicArgs {
  /** Name in Kafka. A change replaces the topic and deletes its records. */
  name: string;
  /** Partitions; can grow, never shrink. */
  partitions: number;
  /** Topic configuration in Kafka's own names and values. Default: the brokers' defaults. */
  config?: Record<string, string>;
}

export interface KafkaClusterArgs {
  /** VPC of the subnets. */
  vpcId: pulumi.Input<string>;
  /** Subnets of two or three zones, one each. A change would replace the cluster and is refused. */
  subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /** Whether `subnetIds` have a route to an internet gateway, which `publicAccess` needs. Default false. */
  subnetsArePublic?: boolean;
  /**
   * Number of brokers, a multiple of the subnets, from 2 to 15, which is what MSK's API takes when a cluster is made and
   * when brokers are added. More can be added later, none removed without a plan.
   */
  brokers: number;
  /** Broker class: `kafka.t3.small`, which is enough to try things out, or `kafka.m7g.*`. Default `kafka.m7g.large`. */
  instanceType?: pulumi.Input<string>;
  /**
   * A KRaft version in MSK's spelling. Default `3.9.x.kraft` for a new cluster, and whatever runs for one that is there: MSK
   * upgrades by itself once a version has ended. A lower one would replace the cluster and is refused.
   */
  kafkaVersion?: pulumi.Input<string>;
  /** GiB of each broker's volume, 1 to 16384. Default 100. */
  volumeSizeGiB?: pulumi.Input<number>;
  /** Lets volumes grow by themselves; `volumeSizeGiB` is then only their first size. Default: they don't. */
  storageAutoscaling?: StorageAutoscalingArgs;
  /** Temporary access from the internet. Default: none. */
  publicAccess?: PublicAccessArgs;
  /**
   * Metrics in CloudWatch. Default `PER_BROKER`, the lowest level that reports partitions below their minimum of
   * copies.
   */
  monitoringLevel?: MonitoringLevel;
  /** Topics to make here. Default: none; a pipeline makes its own. */
  topics?: KafkaTopicArgs[];
  /** SCRAM user that DMS writes with, as DMS can't use IAM. Default `change-capture`. */
  scramUsername?: pulumi.Input<string>;
  /**
   * Whether the data survives mistakes: Pulumi refuses to delete or replace cluster, key and topics, and the SCRAM secret
   * can be restored for 30 days after it was deleted. Default true.
   */
  retainData?: boolean;
  /** Days that broker logs are kept in CloudWatch. Default 30. */
  logRetentionDays?: pulumi.Input<number>;
  /**
   * A customer-managed key of your own; its policy must let CloudWatch Logs use it. Default: a new one. A change would
   * replace the cluster and is refused.
   */
  kmsKeyArn?: pulumi.Input<string>;
}
