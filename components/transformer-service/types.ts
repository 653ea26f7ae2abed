import type * as pulumi from "@pulumi/pulumi";
import type { CpuArchitecture } from "../shared/cpu-architecture";

/** A Kafka cluster as an IAM client reaches it. */
export interface IamKafkaArgs {
  /** The MSK cluster, whose ARN the topics' and groups' ARNs are built from. */
  clusterArn: pulumi.Input<string>;
  /** `host:port,…` for IAM clients (port 9098). */
  bootstrapBrokersIam: pulumi.Input<string>;
  /** Security group of the brokers; a rule that admits the client is added to it. */
  securityGroupId: pulumi.Input<string>;
}

/** Names of the topics. They must exist: give them as outputs of the topics' resources. */
export interface TransformerTopicsArgs {
  /** Read: change records. */
  raw: pulumi.Input<string>;
  /** Written: audit events. */
  events: pulumi.Input<string>;
  /** Read and written: the shapes of the tables. */
  catalog: pulumi.Input<string>;
  /** Written: records that can't be read. */
  deadLetter: pulumi.Input<string>;
}

export interface TransformerServiceArgs {
  /** VPC of the subnets. */
  vpcId: pulumi.Input<string>;
  /** Private subnets that reach AWS's services, with NAT or interface endpoints. */
  subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /** The Kafka cluster to read from and write to; a `KafkaCluster` fits. */
  kafka: IamKafkaArgs;
  /** Names of the pipeline's topics. */
  topics: TransformerTopicsArgs;
  /** Partitions of the raw topic: more stream threads than that would idle. Default 1. */
  rawPartitions?: number;
  /** Written to `source_id` of every event and part of its identity: never change it for a running pipeline. */
  sourceId: string;
  /**
   * Kafka Streams application id and consumer group. Default: made from project, stack and component name. A changed one
   * reads the raw topic from its beginning; nothing doubles, but the backlog is worked through again.
   */
  applicationId?: string;
  /** The image by digest, such as `123456789012.dkr.ecr.eu-central-1.amazonaws.com/transformer@sha256:…`. */
  imageUri?: pulumi.Input<string>;
  /** Instead of `imageUri`: the folder that holds `transformer/Dockerfile`, to build and push the image while deploying. */
  imageBuildContext?: string;
  /** Default `ARM64`. */
  architecture?: CpuArchitecture;
  /** CPU units of a task, 1024 for one vCPU. Default 1024. */
  cpu?: number;
  /** Memory of a task in MiB, as Fargate offers it for `cpu`. Default 2048. */
  memoryMiB?: number;
  /** Stream threads of a task. Default 1. */
  streamThreads?: number;
  /** Tasks that always run. Default 1. */
  minimumTasks?: number;
  /** Tasks that lag may start, at most `rawPartitions / streamThreads`, which is the default. */
  maximumTasks?: number;
  /** `LobMaxSize` of the DMS task in KB: a value of that size was cut, and is named in `unknown_columns`. Default 4096. */
  lobMaxSizeKilobytes?: number;
  /** Largest message in bytes that topics take. Default 16 MiB. */
  messageMaxBytes?: number;
  /** Whether an image repository with images in it survives. Default true. */
  retainData?: boolean;
  /** Days that logs are kept in CloudWatch. Default 30. */
  logRetentionDays?: pulumi.Input<number>;
  /** A customer-managed key of your own; its policy must let CloudWatch Logs use it. Default: a new one. */
  kmsKeyArn?: pulumi.Input<string>;
}
