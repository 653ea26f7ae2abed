import type * as pulumi from "@pulumi/pulumi";
import { warningDays } from "../../../contract/lifetimes";
import { operatorMetrics } from "../../../contract/operator-metrics";
import type { MonitoredOperatorArgs } from "../types";
import { type Alarm, type Hop, type Metric, alarmPeriodMinutes } from "./hop";
import { operatorMetric } from "./metrics";

/** What only the operator can report, because it sees all hops together. */
export function endToEndHop(operator: MonitoredOperatorArgs): Hop {
  const ofFunction = (name: string): Metric => ({
    namespace: "AWS/Lambda",
    name,
    statistic: "Sum",
    dimensions: { FunctionName: operator.functionName },
  });
  return {
    title: "End to end",
    about: "The operator sends canaries from the source to the audit table, and looks after what stands between.",
    alarms: [
      ...(operator.canaryIntervalMinutes === undefined ? [] : [canaryAlarm(operator, operator.canaryIntervalMinutes)]),
      {
        key: "operator-failing",
        metric: ofFunction("Errors"),
        breachedWhen: "above",
        threshold: 0,
        unit: "errors",
        minutes: 5,
        silenceBreaches: false,
        meaning: "The operator failed: a check did not pass or maintenance did not finish.",
        firstStep: "Read the function's log.",
      },
      ...(operator.failedRunsQueueName === undefined ? [] : [failedRunsAlarm(operator.failedRunsQueueName)]),
      {
        key: "slot-lost",
        metric: operatorMetric(operator, operatorMetrics.slotsLost, "Maximum"),
        breachedWhen: "above",
        threshold: 0,
        unit: "slots",
        minutes: 5,
        silenceBreaches: false,
        meaning: "A replication slot has lost its place in the WAL, or is about to: changes are missing from the log.",
        firstStep: "Look at pg_replication_slots, then start the capture again with a full load.",
        runbookSection: "Lose a slot",
      },
      {
        key: "capture-undermined",
        metric: operatorMetric(operator, operatorMetrics.captureProblems, "Maximum"),
        breachedWhen: "above",
        threshold: 0,
        unit: "problems",
        minutes: 5,
        silenceBreaches: false,
        meaning: "Somebody changed what the capture relies on, such as a trigger or a replica identity.",
        firstStep: "Read SELECT * FROM capture.problems() in the source, which names each fix.",
        runbookSection: "Add a table",
      },
      {
        key: "version-ends",
        metric: operatorMetric(operator, operatorMetrics.versionDaysLeft, "Minimum"),
        breachedWhen: "below",
        threshold: warningDays,
        unit: "days",
        // Maintenance reports every six hours.
        minutes: 13 * 60,
        periodMinutes: 13 * 60,
        silenceBreaches: false,
        meaning: "A version that the pipeline runs on ends soon, or has ended. AWS then upgrades it by itself.",
        firstStep: "Run pulumi preview: it names the version and what to set.",
        runbookSection: "Versions end",
      },
    ],
    charts: [
      {
        title: "From commit to audit table (milliseconds)",
        metrics: [operatorMetric(operator, operatorMetrics.canaryLatency, "Maximum")],
      },
      {
        title: "WAL kept for the slowest slot (bytes)",
        metrics: [operatorMetric(operator, operatorMetrics.slotRetainedBytes, "Maximum")],
      },
      { title: "Runs of the operator", metrics: [ofFunction("Invocations"), ofFunction("Errors")] },
    ],
  };
}

/** Rings when none arrives in the time of two: one late canary is not enough. */
function canaryAlarm(operator: MonitoredOperatorArgs, intervalMinutes: number): Alarm {
  const minutes = Math.max(2 * intervalMinutes, alarmPeriodMinutes);
  return {
    key: "canary-missing",
    metric: operatorMetric(operator, operatorMetrics.canaryArrived, "Maximum"),
    breachedWhen: "below",
    threshold: 1,
    unit: "canaries",
    minutes,
    periodMinutes: minutes,
    silenceBreaches: true,
    meaning: "Canaries written at the source do not reach the audit table in time, or none are sent.",
    firstStep: "Read the last line of the operator's log: it names the hop that the canary did not pass.",
  };
}

function failedRunsAlarm(queueName: pulumi.Input<string>): Alarm {
  return {
    key: "operator-runs-failed",
    metric: {
      namespace: "AWS/SQS",
      // Not the number of messages in the queue: they stay there for two weeks.
      name: "NumberOfMessagesSent",
      statistic: "Sum",
      dimensions: { QueueName: queueName },
    },
    breachedWhen: "above",
    threshold: 0,
    unit: "runs",
    minutes: 5,
    silenceBreaches: false,
    meaning: "A scheduled run of the operator failed, or its schedule could not start it.",
    firstStep: "Read the messages of the dead-letter queue: each holds the request and the error.",
  };
}
