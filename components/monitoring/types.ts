import type * as pulumi from "@pulumi/pulumi";

/** The DMS task and its instance. */
export interface MonitoredCaptureArgs {
  /** ARN of the DMS task. */
  taskArn: pulumi.Input<string>;
  /** Last part of the task's ARN. */
  taskIdentifier: pulumi.Input<string>;
  /** ARN of the DMS replication instance. */
  instanceArn: pulumi.Input<string>;
  /** Name of the DMS replication instance. */
  instanceIdentifier: pulumi.Input<string>;
}

/** The MSK cluster, at monitoring level `PER_BROKER` or above, and the topics that are watched. */
export interface MonitoredKafkaArgs {
  /** ARN of the MSK cluster. */
  clusterArn: pulumi.Input<string>;
  /** Topic of change records. */
  rawTopic: pulumi.Input<string>;
  /** Topic of audit events. */
  eventsTopic: pulumi.Input<string>;
  /** Topic of records that were set aside. */
  deadLetterTopic: pulumi.Input<string>;
}

/** The ECS service of the transformer. */
export interface MonitoredTransformerArgs {
  /** Name of the ECS cluster. */
  clusterName: pulumi.Input<string>;
  /** Name of the ECS service. */
  serviceName: pulumi.Input<string>;
  /** Consumer group of the transformer. */
  consumerGroup: pulumi.Input<string>;
}

/** The MSK Connect connector. */
export interface MonitoredSinkArgs {
  /** Name of the MSK Connect connector. */
  connectorName: pulumi.Input<string>;
  /** Consumer group of the connector. */
  consumerGroup: pulumi.Input<string>;
}

/** The operator's Lambda function. */
export interface MonitoredOperatorArgs {
  /** Name of the operator's Lambda function. */
  functionName: pulumi.Input<string>;
  /** The pipeline's `source_id`, the dimension of the operator's own metrics. */
  sourceId: pulumi.Input<string>;
  /** SQS queue of runs that failed. Default: it is not watched. */
  failedRunsQueueName?: pulumi.Input<string>;
  /** Minutes between canaries. Default: none are sent, so the alarm for missing ones is left out. */
  canaryIntervalMinutes?: number;
}

/** The reviewer's page behind its load balancer; a `ReviewService` has both names. */
export interface MonitoredReviewArgs {
  /** The load balancer's dimension in CloudWatch, `app/<name>/<id>`. */
  loadBalancerMetricName: pulumi.Input<string>;
  /** The target group's dimension in CloudWatch, `targetgroup/<name>/<id>`. */
  targetGroupMetricName: pulumi.Input<string>;
}

export interface MonitoringArgs {
  /** Where alarms go; AWS first asks that address to confirm. Default: nobody, until something subscribes to the topic. */
  email?: pulumi.Input<string>;
  /** Identifier of the source's Aurora cluster, to watch its replication slots. Default: the source is not watched. */
  sourceClusterIdentifier?: pulumi.Input<string>;
  /** The change capture. */
  capture: MonitoredCaptureArgs;
  /** The Kafka cluster. */
  kafka: MonitoredKafkaArgs;
  /** The transformer. */
  transformer: MonitoredTransformerArgs;
  /** The sink. */
  sink: MonitoredSinkArgs;
  /** The operator. Default: canaries, partitions and lost slots are not watched. */
  operator?: MonitoredOperatorArgs;
  /** The reviewer's page. Default: it is not watched. */
  review?: MonitoredReviewArgs;
  /** Seconds that a hop may be behind for a quarter of an hour, 60 to 86400. Default 300. */
  latencySeconds?: number;
  /** GiB of WAL that a replication slot may hold back, 1 to 10000. Default 10. */
  slotLagGiB?: number;
  /** Percentage of a broker's volume that may be used, 10 to 95. Default 85. */
  kafkaDiskUsedPercent?: number;
  /** Days ahead for which the audit table must have partitions, 1 to 365. Default 7. */
  partitionDaysAhead?: number;
  /** A customer-managed key of your own; its policy must let CloudWatch and EventBridge use it. Default: a new one. */
  kmsKeyArn?: pulumi.Input<string>;
}
