import type * as pulumi from "@pulumi/pulumi";
import type { MonitoringArgs } from "../types";
import { type Hop, type Metric, gibibyte } from "./hop";

export function sourceHop(args: MonitoringArgs, clusterIdentifier: pulumi.Input<string>): Hop {
  const metric = (name: string, statistic: Metric["statistic"]): Metric => ({
    namespace: "AWS/RDS",
    name,
    statistic,
    dimensions: { DBClusterIdentifier: clusterIdentifier, Role: "WRITER" },
  });
  return {
    title: "Source database",
    about: "Aurora PostgreSQL keeps the WAL that the capture has not read yet.",
    alarms: [
      {
        key: "slot-behind",
        metric: metric("OldestReplicationSlotLag", "Maximum"),
        breachedWhen: "above",
        threshold: (args.slotLagGiB ?? 10) * gibibyte,
        unit: "bytes",
        setting: "slotLagGiB",
        minutes: 15,
        silenceBreaches: false,
        meaning: "A replication slot holds back WAL, and the database's storage grows.",
        firstStep: "See whether the DMS task runs; drop the slot if it is to stay stopped.",
        runbookSection: "Lose a slot",
      },
      {
        key: "transaction-ids-used",
        metric: metric("MaximumUsedTransactionIDs", "Maximum"),
        breachedWhen: "above",
        threshold: 1_000_000_000,
        unit: "transaction ids",
        minutes: 15,
        silenceBreaches: false,
        meaning: "Vacuum can't free old transaction ids; at two thousand million the database stops writing.",
        firstStep: "Look for old transactions and slots: pg_stat_activity, pg_replication_slots, pg_prepared_xacts.",
      },
    ],
    charts: [
      { title: "Slots on disk (bytes)", metrics: [metric("ReplicationSlotDiskUsage", "Maximum")] },
      { title: "Commits per second", metrics: [metric("CommitThroughput", "Average")] },
    ],
  };
}
