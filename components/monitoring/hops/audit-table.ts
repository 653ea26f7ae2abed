import { operatorMetrics } from "../../../contract/operator-metrics";
import type { MonitoredOperatorArgs, MonitoringArgs } from "../types";
import type { Hop, Metric } from "./hop";
import { operatorMetric } from "./metrics";

/** Days ahead below which the alarm for missing partitions rings, unless told otherwise. */
export const defaultPartitionDaysAhead = 7;

export function auditTableHop(args: MonitoringArgs, operator: MonitoredOperatorArgs): Hop {
  const ofTable = (name: string, statistic: Metric["statistic"]) => operatorMetric(operator, name, statistic);
  return {
    title: "Audit table",
    about: "The operator makes partitions ahead and drops old ones.",
    alarms: [
      {
        key: "partitions-missing",
        metric: ofTable(operatorMetrics.partitionDaysAhead, "Minimum"),
        breachedWhen: "below",
        threshold: args.partitionDaysAhead ?? defaultPartitionDaysAhead,
        unit: "days",
        setting: "partitionDaysAhead",
        // Maintenance reports every six hours: two reports missing is too long.
        minutes: 13 * 60,
        periodMinutes: 60,
        silenceBreaches: true,
        meaning: "The audit table has no partitions for the coming days, or maintenance does not run.",
        firstStep: "Run the operator's maintenance and read its log.",
      },
      {
        key: "default-partition-used",
        metric: ofTable(operatorMetrics.defaultPartitionRows, "Maximum"),
        breachedWhen: "above",
        threshold: 0,
        unit: "rows",
        minutes: 5,
        silenceBreaches: false,
        meaning: "Rows fell into the default partition, as no other takes their time.",
        firstStep: "Look at the committed_at of those rows: a clock is wrong, or partitions came too late.",
      },
    ],
    charts: [
      { title: "Days with partitions ahead", metrics: [ofTable(operatorMetrics.partitionDaysAhead, "Minimum")] },
    ],
  };
}
