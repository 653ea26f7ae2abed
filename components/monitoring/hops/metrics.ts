import * as pulumi from "@pulumi/pulumi";
import { operatorMetrics } from "../../../contract/operator-metrics";
import { clusterName } from "../../kafka-cluster/arns";
import type { MonitoredOperatorArgs, MonitoringArgs } from "../types";
import type { Metric } from "./hop";

/** How far a consumer group is behind on a topic, as MSK reports it. */
export function consumerLag(
  args: MonitoringArgs,
  consumerGroup: pulumi.Input<string>,
  topic: pulumi.Input<string>,
  name: string,
): Metric {
  return {
    namespace: "AWS/Kafka",
    name,
    statistic: "Maximum",
    dimensions: {
      "Cluster Name": pulumi.output(args.kafka.clusterArn).apply(clusterName),
      "Consumer Group": consumerGroup,
      Topic: topic,
    },
  };
}

/** A metric that the operator itself reports of its pipeline. */
export function operatorMetric(operator: MonitoredOperatorArgs, name: string, statistic: Metric["statistic"]): Metric {
  return {
    namespace: operatorMetrics.namespace,
    name,
    statistic,
    dimensions: { [operatorMetrics.dimension]: operator.sourceId },
  };
}
