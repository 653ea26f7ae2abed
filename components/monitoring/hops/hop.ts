import type * as pulumi from "@pulumi/pulumi";

/** A CloudWatch metric of one thing, or with `acrossBrokers` of all brokers of a cluster together. */
export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly statistic: "Average" | "Maximum" | "Minimum" | "Sum" | "SampleCount";
  readonly dimensions: Readonly<Record<string, pulumi.Input<string>>>;
  /** MSK reports it by broker; the statistic is taken over all brokers. */
  readonly acrossBrokers?: boolean;
}

/** An alarm for one way in which the pipeline stops or falls behind. */
export interface Alarm {
  /** Part of its name. */
  readonly key: string;
  readonly metric: Metric;
  readonly breachedWhen: "above" | "below";
  readonly threshold: number;
  /** What the threshold counts, as a plural: `seconds`, `bytes`. */
  readonly unit: string;
  /** The argument that sets the threshold. Default: it is fixed. */
  readonly setting?: "latencySeconds" | "slotLagGiB" | "kafkaDiskUsedPercent" | "partitionDaysAhead";
  /** How long the breach must last, in minutes; a multiple of the period. */
  readonly minutes: number;
  /** Length of the periods by which it is judged. Default {@link alarmPeriodMinutes}. */
  readonly periodMinutes?: number;
  /** Whether missing data is a breach: yes for a metric that a working part always reports. */
  readonly silenceBreaches: boolean;
  /** What has happened, as a sentence. */
  readonly meaning: string;
  /** What to look at first, as a sentence. */
  readonly firstStep: string;
  /** Heading in docs/runbook.md under which the repair stands. Default: the first step says it all. */
  readonly runbookSection?: string;
}

/** Something worth seeing that raises no alarm. */
export interface Chart {
  readonly title: string;
  readonly metrics: readonly Metric[];
}

/** One stage of the flow. */
export interface Hop {
  readonly title: string;
  readonly about: string;
  readonly alarms: readonly Alarm[];
  readonly charts: readonly Chart[];
}

/** Length of the periods by which most alarms are judged: some of the metrics come no more often. */
export const alarmPeriodMinutes = 5;

/** Seconds that a hop may be behind, unless told otherwise. */
export const defaultLatencySeconds = 300;

export const gibibyte = 2 ** 30;
