/**
 * The CloudWatch metrics that the operator publishes, and that the alarms read. Their one dimension is the pipeline's
 * `source_id`.
 */
export const operatorMetrics = {
  namespace: "CdcAudit",
  dimension: "SourceId",
  /** Days from now for which `audit.events` has partitions. After each maintenance run. */
  partitionDaysAhead: "PartitionDaysAhead",
  /** Rows in the default partition, which catches what no other partition takes. After each maintenance run. */
  defaultPartitionRows: "DefaultPartitionRows",
  /** WAL in bytes that the server keeps for the slot that is furthest behind. After each maintenance run. */
  slotRetainedBytes: "SlotRetainedBytes",
  /** Slots that lost their place in the WAL, or are about to. After each maintenance run. */
  slotsLost: "SlotsLost",
  /** 1 when the signal table was emptied, 0 when writers held it. After each maintenance run. */
  signalsCleared: "SignalsCleared",
  /** Things that somebody changed behind the back of the capture, such as a trigger dropped. After each maintenance run. */
  captureProblems: "CaptureProblems",
  /** Days until a version ends that the pipeline runs on. After each maintenance run, where an end is known. */
  versionDaysLeft: "VersionDaysLeft",
  /** 1 when a canary went through the pipeline in time, 0 when not. After each canary. */
  canaryArrived: "CanaryArrived",
  /** Milliseconds from the commit of a canary at the source until it was stored. After each canary that arrived. */
  canaryLatency: "CanaryLatency",
} as const;

/** The name of a metric in {@link operatorMetrics}. */
export type OperatorMetric = Exclude<keyof typeof operatorMetrics, "namespace" | "dimension">;
