import * as pulumi from "@pulumi/pulumi";
import { clusterName } from "../../kafka-cluster/arns";
import type { MonitoringArgs } from "../types";
import type { Alarm, Hop, Metric } from "./hop";

/** A metric of the cluster, by its name in CloudWatch. */
type ClusterMetric = (name: string, statistic: Metric["statistic"], rest?: Partial<Metric>) => Metric;

export function kafkaHop(args: MonitoringArgs): Hop {
  const cluster = { "Cluster Name": pulumi.output(args.kafka.clusterArn).apply(clusterName) };
  const metric: ClusterMetric = (name, statistic, rest = {}) => ({
    namespace: "AWS/Kafka",
    name,
    statistic,
    dimensions: cluster,
    ...rest,
  });
  const ofTopic = (name: string, topic: pulumi.Input<string>): Metric =>
    metric(name, "Sum", { dimensions: { ...cluster, Topic: topic }, acrossBrokers: true });
  return {
    title: "Kafka",
    about: "MSK keeps change records and audit events until the next hop has read them.",
    alarms: [
      ...brokerAlarms(metric, args.kafkaDiskUsedPercent ?? 85),
      {
        key: "dead-letters",
        metric: ofTopic("BytesInPerSec", args.kafka.deadLetterTopic),
        breachedWhen: "above",
        threshold: 0,
        unit: "bytes",
        minutes: 5,
        silenceBreaches: false,
        meaning: "Records could not be read or stored and were set aside, whole.",
        firstStep: "List them with their reasons, mend the cause and send them through again.",
        runbookSection: "Replay dead letters",
      },
    ],
    charts: [
      {
        title: "Traffic into the topics (bytes per second)",
        metrics: [args.kafka.rawTopic, args.kafka.eventsTopic].map((topic) => ofTopic("BytesInPerSec", topic)),
      },
      {
        title: "Processor of the busiest broker (%)",
        metrics: ["CpuUser", "CpuSystem"].map((name) => metric(name, "Maximum", { acrossBrokers: true })),
      },
    ],
  };
}

function brokerAlarms(metric: ClusterMetric, diskUsedPercent: number): Alarm[] {
  return [
    {
      key: "kafka-disk-used",
      metric: metric("KafkaDataLogsDiskUsed", "Maximum", { acrossBrokers: true }),
      breachedWhen: "above",
      threshold: diskUsedPercent,
      unit: "%",
      setting: "kafkaDiskUsedPercent",
      minutes: 15,
      silenceBreaches: false,
      meaning: "A broker's volume fills up. Full, the broker stops.",
      firstStep: "Enlarge the volumes or shorten retention, and look for a consumer that stands still.",
    },
    {
      key: "kafka-partitions-offline",
      metric: metric("OfflinePartitionsCount", "Maximum"),
      breachedWhen: "above",
      threshold: 0,
      unit: "partitions",
      minutes: 5,
      silenceBreaches: false,
      meaning: "Partitions have no leader: nobody can read or write them.",
      firstStep: "Look at the brokers' state in the MSK console.",
    },
    {
      key: "kafka-copies-missing",
      metric: metric("UnderMinIsrPartitionCount", "Maximum", { acrossBrokers: true }),
      breachedWhen: "above",
      threshold: 0,
      unit: "partitions",
      minutes: 15,
      silenceBreaches: false,
      meaning: "Partitions have fewer copies in step than they must: writing to them is refused.",
      firstStep: "See whether a broker is down for longer than a rolling restart.",
    },
    {
      key: "kafka-without-controller",
      metric: metric("ActiveControllerCount", "Maximum"),
      breachedWhen: "below",
      threshold: 1,
      unit: "controllers",
      minutes: 15,
      silenceBreaches: true,
      meaning: "The cluster has no controller, or does not report.",
      firstStep: "Look at the cluster's state in the MSK console.",
    },
  ];
}
