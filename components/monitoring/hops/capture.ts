import type { MonitoringArgs } from "../types";
import { type Alarm, type Hop, type Metric, defaultLatencySeconds, gibibyte } from "./hop";

/** A metric of one thing, by its name in CloudWatch. */
type MetricOf = (name: string, statistic: Metric["statistic"]) => Metric;

export function captureHop({ capture, latencySeconds = defaultLatencySeconds }: MonitoringArgs): Hop {
  const instance = { ReplicationInstanceIdentifier: capture.instanceIdentifier };
  const task = { ...instance, ReplicationTaskIdentifier: capture.taskIdentifier };
  const namespace = "AWS/DMS";
  const ofInstance: MetricOf = (name, statistic) => ({ namespace, name, statistic, dimensions: instance });
  const ofTask: MetricOf = (name, statistic) => ({ namespace, name, statistic, dimensions: task });
  return {
    title: "Change capture",
    about: "DMS reads the WAL and writes change records to Kafka.",
    alarms: [...taskAlarms(ofTask, latencySeconds), ...instanceAlarms(ofInstance)],
    charts: [
      { title: "Changes waiting", metrics: [ofTask("CDCIncomingChanges", "Maximum")] },
      { title: "Processor of the instance (%)", metrics: [ofInstance("CPUUtilization", "Maximum")] },
    ],
  };
}

function taskAlarms(metric: MetricOf, latencySeconds: number): Alarm[] {
  return [
    {
      key: "capture-reads-behind",
      metric: metric("CDCLatencySource", "Maximum"),
      breachedWhen: "above",
      threshold: latencySeconds,
      unit: "seconds",
      setting: "latencySeconds",
      minutes: 15,
      silenceBreaches: true,
      meaning: "DMS reads the database late, or not at all. A transaction that stays open looks the same.",
      firstStep: "Look at the task's state and log, then at pg_stat_activity for long transactions.",
      runbookSection: "Recover",
    },
    {
      key: "capture-writes-behind",
      metric: metric("CDCLatencyTarget", "Maximum"),
      breachedWhen: "above",
      threshold: latencySeconds,
      unit: "seconds",
      setting: "latencySeconds",
      minutes: 15,
      silenceBreaches: true,
      meaning: "DMS writes to Kafka late, or not at all.",
      firstStep: "Look at the task's log, then at the brokers.",
      runbookSection: "Recover",
    },
    {
      key: "capture-queues-reads-on-disk",
      metric: metric("CDCChangesDiskSource", "Minimum"),
      breachedWhen: "above",
      threshold: 0,
      unit: "changes",
      minutes: 30,
      silenceBreaches: false,
      meaning: "Changes read from the database wait on the replication instance's disk.",
      firstStep: "Look for a transaction too large for memory; a larger instance class helps.",
    },
    {
      key: "capture-queues-writes-on-disk",
      metric: metric("CDCChangesDiskTarget", "Minimum"),
      breachedWhen: "above",
      threshold: 0,
      unit: "changes",
      minutes: 30,
      silenceBreaches: false,
      meaning: "Changes bound for Kafka wait on the replication instance's disk.",
      firstStep: "Look at the brokers; a larger instance class helps.",
    },
  ];
}

function instanceAlarms(metric: MetricOf): Alarm[] {
  return [
    {
      key: "capture-storage-low",
      metric: metric("FreeStorageSpace", "Minimum"),
      breachedWhen: "below",
      threshold: 2 * gibibyte,
      unit: "bytes",
      minutes: 15,
      silenceBreaches: true,
      meaning: "The replication instance runs out of disk, or is gone. Full, it pauses reading.",
      firstStep: "Raise allocatedStorageGiB.",
    },
    {
      key: "capture-memory-low",
      metric: metric("FreeableMemory", "Minimum"),
      breachedWhen: "below",
      threshold: gibibyte / 4,
      unit: "bytes",
      minutes: 15,
      silenceBreaches: false,
      meaning: "The replication instance runs out of memory and will swap.",
      firstStep: "Choose a larger instanceClass.",
    },
  ];
}
