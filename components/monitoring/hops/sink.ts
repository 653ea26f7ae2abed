import type { MonitoringArgs } from "../types";
import { consumerLag } from "./metrics";
import { type Hop, type Metric, defaultLatencySeconds } from "./hop";

export function sinkHop(args: MonitoringArgs): Hop {
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
        unit: "tasks",
        minutes: 5,
        silenceBreaches: false,
        meaning: "Tasks of the sink have failed, and do not start again by themselves.",
        firstStep:
          "Look at the connector's log, mend the cause, then restart its tasks: aws kafkaconnect restart-connector, or " +
          "an update of the connector.",
        runbookSection: "Recover",
      },
      {
        key: "sink-tasks-missing",
        // AWS does not say whether each worker counts its own tasks or all. In either case 1 means that some task runs.
        metric: ofConnector("RunningTaskCount", "Maximum"),
        breachedWhen: "below",
        threshold: 1,
        unit: "tasks",
        minutes: 15,
        silenceBreaches: true,
        meaning: "No task of the sink runs.",
        firstStep: "Look at the connector's state and log in the MSK console.",
        runbookSection: "Recover",
      },
      {
        key: "sink-behind",
        metric: consumerLag(args, sink.consumerGroup, kafka.eventsTopic, "EstimatedMaxTimeLag"),
        breachedWhen: "above",
        threshold: args.latencySeconds ?? defaultLatencySeconds,
        unit: "seconds",
        setting: "latencySeconds",
        minutes: 15,
        silenceBreaches: true,
        meaning: "Audit events reach the audit table late, or the sink's consumer group is not stable.",
        firstStep: "See whether the destination database is up and not overloaded, then raise tasks or workers.",
      },
    ],
    charts: [
      { title: "Events waiting", metrics: [consumerLag(args, sink.consumerGroup, kafka.eventsTopic, "SumOffsetLag")] },
      { title: "Events stored per second", metrics: [ofConnector("SinkRecordSendRate", "Sum")] },
      {
        title: "Processor and memory of the workers (%)",
        metrics: [ofConnector("CpuUtilization", "Maximum"), ofConnector("MemoryUtilization", "Maximum")],
      },
    ],
  };
}
