import type { MonitoringArgs } from "../types";
import { consumerLag } from "./metrics";
import { type Hop, type Metric, defaultLatencySeconds } from "./hop";

export function transformerHop(args: MonitoringArgs): Hop {
  const { transformer, kafka } = args;
  const ofService = (name: string, statistic: Metric["statistic"]): Metric => ({
    namespace: "AWS/ECS",
    name,
    statistic,
    dimensions: { ClusterName: transformer.clusterName, ServiceName: transformer.serviceName },
  });
  return {
    title: "Transformer",
    about: "Kafka Streams on Fargate turns change records into audit events.",
    alarms: [
      {
        key: "transformer-stopped",
        // Each running task reports once a minute, so the samples count them.
        metric: ofService("CPUUtilization", "SampleCount"),
        breachedWhen: "below",
        threshold: 1,
        unit: "tasks",
        minutes: 5,
        silenceBreaches: true,
        meaning: "No task of the transformer runs.",
        firstStep: "Look at the service's events and at the log of the last stopped task.",
        runbookSection: "Recover",
      },
      {
        key: "transformer-behind",
        metric: consumerLag(args, transformer.consumerGroup, kafka.rawTopic, "EstimatedMaxTimeLag"),
        breachedWhen: "above",
        threshold: args.latencySeconds ?? defaultLatencySeconds,
        unit: "seconds",
        setting: "latencySeconds",
        minutes: 15,
        silenceBreaches: true,
        meaning: "The transformer reads change records late, or its consumer group is not stable.",
        firstStep:
          "Look at the tasks' log and processor; more needs more partitions of the raw topic, or larger tasks.",
      },
      {
        key: "transformer-memory-high",
        metric: ofService("MemoryUtilization", "Maximum"),
        breachedWhen: "above",
        // The heap takes 60 % of a task, and the rest of the JVM some 170 MiB: 77 % of the smallest.
        threshold: 92,
        unit: "%",
        minutes: 15,
        silenceBreaches: false,
        meaning: "A task of the transformer is about to run out of memory. ECS then ends it, and starts another.",
        firstStep: "Raise transformer.memoryMiB.",
      },
    ],
    charts: [
      {
        title: "Records waiting",
        metrics: [consumerLag(args, transformer.consumerGroup, kafka.rawTopic, "SumOffsetLag")],
      },
      {
        title: "Processor and memory of the tasks (%)",
        metrics: [ofService("CPUUtilization", "Maximum"), ofService("MemoryUtilization", "Maximum")],
      },
    ],
  };
}
