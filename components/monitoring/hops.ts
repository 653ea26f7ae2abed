import * as pulumi from "@pulumi/pulumi";
import { operatorMetrics } from "../../contract/operator-metrics";
import { clusterName } from "../kafka-cluster/arns";
import type { MonitoringArgs } from "./types";

/** A CloudWatch metric of one thing, or with `acrossBrokers` of all brokers of a cluster together. */
export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly statistic: "Average" | "Maximum" | "Minimum" | "Sum" | "SampleCount";
  readonly dimensions: Readonly<Record<string, pulumi.Input<string>>>;
  /** MSK reports it by broker: the statistic is taken over all of them, however many there are. */
  readonly acrossBrokers?: boolean;
}

/** A way in which the pipeline stops or falls behind. */
export interface Alarm {
  /** Part of its name. */
  readonly key: string;
  readonly metric: Metric;
  readonly breachedWhen: "above" | "below";
  readonly threshold: number;
  /** How long it has to last, in minutes; a multiple of the period. */
  readonly minutes: number;
  /** Length of the periods that it is judged by. Default {@link alarmPeriodMinutes}. */
  readonly periodMinutes?: number;
  /** Whether silence is a breach too: it is where a part that works always reports. */
  readonly silenceBreaches: boolean;
  /** What has happened, as a sentence. */
  readonly meaning: string;
  /** What to look at first, as a sentence. */
  readonly firstStep: string;
}

/** Something worth seeing that rings no bell. */
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

/** Length of the periods that most alarms are judged by: some of the metrics come no more often. */
export const alarmPeriodMinutes = 5;

/** Days ahead below which the alarm for missing partitions rings, unless told otherwise. */
export const defaultPartitionDaysAhead = 7;

const gibibyte = 2 ** 30;

/**
 * The flow from the source to the audit table: what is shown of each hop and what is an alarm. Alarms and dashboard are
 * both made from it.
 */
export function pipelineHops(args: MonitoringArgs): Hop[] {
  return [
    ...(args.sourceClusterIdentifier === undefined ? [] : [sourceHop(args, args.sourceClusterIdentifier)]),
    captureHop(args),
    kafkaHop(args),
    transformerHop(args),
    sinkHop(args),
    ...(args.operator === undefined ? [] : [auditTableHop(args, args.operator), endToEndHop(args.operator)]),
  ];
}

function sourceHop(args: MonitoringArgs, clusterIdentifier: pulumi.Input<string>): Hop {
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
        minutes: 15,
        silenceBreaches: false,
        meaning: "A replication slot holds back WAL, and the database's storage grows.",
        firstStep: "See whether the DMS task runs; drop the slot if it is to stay stopped.",
      },
      {
        key: "transaction-ids-used",
        metric: metric("MaximumUsedTransactionIDs", "Maximum"),
        breachedWhen: "above",
        threshold: 1_000_000_000,
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

function captureHop(args: MonitoringArgs): Hop {
  const instance = { ReplicationInstanceIdentifier: args.capture.instanceIdentifier };
  const ofInstance = (name: string, statistic: Metric["statistic"]): Metric => ({
    namespace: "AWS/DMS",
    name,
    statistic,
    dimensions: instance,
  });
  const ofTask = (name: string, statistic: Metric["statistic"]): Metric => ({
    namespace: "AWS/DMS",
    name,
    statistic,
    dimensions: { ...instance, ReplicationTaskIdentifier: args.capture.taskIdentifier },
  });
  const latencySeconds = args.latencySeconds ?? 300;
  return {
    title: "Change capture",
    about: "DMS reads the WAL and writes change records to Kafka.",
    alarms: [
      {
        key: "capture-reads-behind",
        metric: ofTask("CDCLatencySource", "Maximum"),
        breachedWhen: "above",
        threshold: latencySeconds,
        minutes: 15,
        silenceBreaches: true,
        meaning: "DMS reads the database late, or not at all. A transaction that stays open looks the same.",
        firstStep: "Look at the task's state and log, then at pg_stat_activity for long transactions.",
      },
      {
        key: "capture-writes-behind",
        metric: ofTask("CDCLatencyTarget", "Maximum"),
        breachedWhen: "above",
        threshold: latencySeconds,
        minutes: 15,
        silenceBreaches: true,
        meaning: "DMS writes to Kafka late, or not at all.",
        firstStep: "Look at the task's log, then at the brokers.",
      },
      {
        key: "capture-queues-reads-on-disk",
        metric: ofTask("CDCChangesDiskSource", "Minimum"),
        breachedWhen: "above",
        threshold: 0,
        minutes: 30,
        silenceBreaches: false,
        meaning: "Changes read from the database wait on the replication instance's disk.",
        firstStep: "Look for a transaction too large for memory; a larger instance class helps.",
      },
      {
        key: "capture-queues-writes-on-disk",
        metric: ofTask("CDCChangesDiskTarget", "Minimum"),
        breachedWhen: "above",
        threshold: 0,
        minutes: 30,
        silenceBreaches: false,
        meaning: "Changes bound for Kafka wait on the replication instance's disk.",
        firstStep: "Look at the brokers; a larger instance class helps.",
      },
      {
        key: "capture-storage-low",
        metric: ofInstance("FreeStorageSpace", "Minimum"),
        breachedWhen: "below",
        threshold: 2 * gibibyte,
        minutes: 15,
        silenceBreaches: true,
        meaning: "The replication instance runs out of disk, or is gone. Full, it pauses reading.",
        firstStep: "Raise allocatedStorageGiB.",
      },
      {
        key: "capture-memory-low",
        metric: ofInstance("FreeableMemory", "Minimum"),
        breachedWhen: "below",
        threshold: gibibyte / 4,
        minutes: 15,
        silenceBreaches: false,
        meaning: "The replication instance runs out of memory and will swap.",
        firstStep: "Choose a larger instanceClass.",
      },
    ],
    charts: [
      { title: "Changes waiting", metrics: [ofTask("CDCIncomingChanges", "Maximum")] },
      { title: "Processor of the instance (%)", metrics: [ofInstance("CPUUtilization", "Maximum")] },
    ],
  };
}

function kafkaHop(args: MonitoringArgs): Hop {
  const cluster = { "Cluster Name": pulumi.output(args.kafka.clusterArn).apply(clusterName) };
  const metric = (name: string, statistic: Metric["statistic"], rest: Partial<Metric> = {}): Metric => ({
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
      {
        key: "kafka-disk-used",
        metric: metric("KafkaDataLogsDiskUsed", "Maximum", { acrossBrokers: true }),
        breachedWhen: "above",
        threshold: args.kafkaDiskUsedPercent ?? 85,
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
        minutes: 15,
        silenceBreaches: true,
        meaning: "The cluster has no controller, or does not report.",
        firstStep: "Look at the cluster's state in the MSK console.",
      },
      {
        key: "dead-letters",
        metric: ofTopic("BytesInPerSec", args.kafka.deadLetterTopic),
        breachedWhen: "above",
        threshold: 0,
        minutes: 5,
        silenceBreaches: false,
        meaning: "Records could not be read or stored and were set aside, whole.",
        firstStep: "List them with their reasons, mend the cause and send them through again.",
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

function lag(
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

function transformerHop(args: MonitoringArgs): Hop {
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
        minutes: 5,
        silenceBreaches: true,
        meaning: "No task of the transformer runs.",
        firstStep: "Look at the service's events and at the log of the last stopped task.",
      },
      {
        key: "transformer-behind",
        metric: lag(args, transformer.consumerGroup, kafka.rawTopic, "EstimatedMaxTimeLag"),
        breachedWhen: "above",
        threshold: args.latencySeconds ?? 300,
        minutes: 15,
        silenceBreaches: true,
        meaning: "The transformer reads change records late, or its consumer group is not stable.",
        firstStep:
          "Look at the tasks' log and processor; more needs more partitions of the raw topic, or larger tasks.",
      },
    ],
    charts: [
      { title: "Records waiting", metrics: [lag(args, transformer.consumerGroup, kafka.rawTopic, "SumOffsetLag")] },
      {
        title: "Processor and memory of the tasks (%)",
        metrics: [ofService("CPUUtilization", "Maximum"), ofService("MemoryUtilization", "Maximum")],
      },
    ],
  };
}

function sinkHop(args: MonitoringArgs): Hop {
  const { sink, kafka } = args;
  const ofConnector = (name: string, statistic: Metric["statistic"]): Metric => ({
    namespace: "AWS/KafkaConnect",
    name,
    statistic,
    dimensions: { ConnectorName: sink.connectorName },
  });
  return {
    title: "Audit sink",
    about: "MSK Connect writes audit events into the audit table.",
    alarms: [
      {
        key: "sink-tasks-failed",
        metric: ofConnector("ErroredTaskCount", "Maximum"),
        breachedWhen: "above",
        threshold: 0,
        minutes: 5,
        silenceBreaches: false,
        meaning: "Tasks of the sink have failed, and do not start again by themselves.",
        firstStep:
          "Look at the connector's log, mend the cause, then restart its tasks: aws kafkaconnect restart-connector, or " +
          "an update of the connector.",
      },
      {
        key: "sink-tasks-missing",
        // AWS does not say whether each worker counts its own tasks or all: some task runs in either case.
        metric: ofConnector("RunningTaskCount", "Maximum"),
        breachedWhen: "below",
        threshold: 1,
        minutes: 15,
        silenceBreaches: true,
        meaning: "No task of the sink runs.",
        firstStep: "Look at the connector's state and log in the MSK console.",
      },
      {
        key: "sink-behind",
        metric: lag(args, sink.consumerGroup, kafka.eventsTopic, "EstimatedMaxTimeLag"),
        breachedWhen: "above",
        threshold: args.latencySeconds ?? 300,
        minutes: 15,
        silenceBreaches: true,
        meaning: "Audit events reach the audit table late, or the sink's consumer group is not stable.",
        firstStep: "See whether the destination database is up and not overloaded, then raise tasks or workers.",
      },
    ],
    charts: [
      { title: "Events waiting", metrics: [lag(args, sink.consumerGroup, kafka.eventsTopic, "SumOffsetLag")] },
      { title: "Events stored per second", metrics: [ofConnector("SinkRecordSendRate", "Sum")] },
      {
        title: "Processor and memory of the workers (%)",
        metrics: [ofConnector("CpuUtilization", "Maximum"), ofConnector("MemoryUtilization", "Maximum")],
      },
    ],
  };
}

type Operator = NonNullable<MonitoringArgs["operator"]>;

function ofPipeline(operator: Operator, name: string, statistic: Metric["statistic"]): Metric {
  return {
    namespace: operatorMetrics.namespace,
    name,
    statistic,
    dimensions: { [operatorMetrics.dimension]: operator.sourceId },
  };
}

function auditTableHop(args: MonitoringArgs, operator: Operator): Hop {
  const ofTable = (name: string, statistic: Metric["statistic"]) => ofPipeline(operator, name, statistic);
  return {
    title: "Audit table",
    about: "The operator makes partitions ahead and drops old ones.",
    alarms: [
      {
        key: "partitions-missing",
        metric: ofTable(operatorMetrics.partitionDaysAhead, "Minimum"),
        breachedWhen: "below",
        threshold: args.partitionDaysAhead ?? defaultPartitionDaysAhead,
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

/** What only the operator can tell, as it looks at all hops together. */
function endToEndHop(operator: Operator): Hop {
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
        minutes: 5,
        silenceBreaches: false,
        meaning: "The operator failed: a check did not pass or maintenance did not finish.",
        firstStep: "Read the function's log.",
      },
      ...(operator.failedRunsQueueName === undefined ? [] : [failedRunsAlarm(operator.failedRunsQueueName)]),
      {
        key: "slot-lost",
        metric: ofPipeline(operator, operatorMetrics.slotsLost, "Maximum"),
        breachedWhen: "above",
        threshold: 0,
        minutes: 5,
        silenceBreaches: false,
        meaning: "A replication slot has lost its place in the WAL, or is about to: changes are missing from the log.",
        firstStep: "Look at pg_replication_slots, then start the capture anew with a full load.",
      },
      {
        key: "capture-undermined",
        metric: ofPipeline(operator, operatorMetrics.captureProblems, "Maximum"),
        breachedWhen: "above",
        threshold: 0,
        minutes: 5,
        silenceBreaches: false,
        meaning: "Somebody changed what the capture relies on, such as a trigger or a replica identity.",
        firstStep: "Read SELECT * FROM capture.problems() in the source, which names each fix.",
      },
    ],
    charts: [
      {
        title: "From commit to audit table (milliseconds)",
        metrics: [ofPipeline(operator, operatorMetrics.canaryLatency, "Maximum")],
      },
      {
        title: "WAL kept for the slowest slot (bytes)",
        metrics: [ofPipeline(operator, operatorMetrics.slotRetainedBytes, "Maximum")],
      },
      { title: "Runs of the operator", metrics: [ofFunction("Invocations"), ofFunction("Errors")] },
    ],
  };
}

/** None arrived in the time of two: one late canary wakes nobody. */
function canaryAlarm(operator: Operator, intervalMinutes: number): Alarm {
  const minutes = Math.max(2 * intervalMinutes, alarmPeriodMinutes);
  return {
    key: "canary-missing",
    metric: ofPipeline(operator, operatorMetrics.canaryArrived, "Maximum"),
    breachedWhen: "below",
    threshold: 1,
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
      // Not the messages that lie there: they stay for two weeks to be looked at.
      name: "NumberOfMessagesSent",
      statistic: "Sum",
      dimensions: { QueueName: queueName },
    },
    breachedWhen: "above",
    threshold: 0,
    minutes: 5,
    silenceBreaches: false,
    meaning: "A scheduled run of the operator failed, or its schedule could not start it.",
    firstStep: "Read the messages of the dead-letter queue: each holds the request and the error.",
  };
}
