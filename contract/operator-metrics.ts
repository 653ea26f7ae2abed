/**
 * The CloudWatch metrics that the operator publishes after each maintenance run, and that the alarms read. Their one
 * dimension is the pipeline's `source_id`.
 */
export const operatorMetrics = {
  namespace: "CdcAudit",
  dimension: "SourceId",
  /** Days from now for which `audit.events` has partitions. */
  partitionDaysAhead: "PartitionDaysAhead",
  /** Rows in the default partition, which catches what no other partition takes. */
  defaultPartitionRows: "DefaultPartitionRows",
} as const;
