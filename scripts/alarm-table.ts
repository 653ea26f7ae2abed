import type { MonitoringArgs } from "../components/monitoring";
import { pipelineHops } from "../components/monitoring/hops";
import type { Alarm } from "../components/monitoring/hops/hop";
import { canaryTiming } from "../components/operator/timing";
import { table } from "./settings-reference";

const kibibyte = 1024;

/** A pipeline of which everything is watched, with every default; only what identifies its parts is made up. */
const watchedPipeline: MonitoringArgs = {
  sourceClusterIdentifier: "source",
  capture: { taskArn: "", taskIdentifier: "", instanceArn: "", instanceIdentifier: "" },
  kafka: {
    clusterArn: "arn:aws:kafka:us-east-1:111122223333:cluster/kafka/00000000-0000-4000-8000-000000000000-1",
    rawTopic: "",
    eventsTopic: "",
    deadLetterTopic: "",
  },
  transformer: { clusterName: "", serviceName: "", consumerGroup: "" },
  sink: { connectorName: "", consumerGroup: "" },
  operator: {
    functionName: "",
    sourceId: "",
    failedRunsQueueName: "",
    canaryIntervalMinutes: canaryTiming({}).intervalMinutes,
  },
  review: { loadBalancerMetricName: "", targetGroupMetricName: "" },
};

/** Every alarm that a pipeline can have, with its default threshold, in the order that data flows. */
export function alarmTable(): string {
  const rows = pipelineHops(watchedPipeline).flatMap((hop) =>
    hop.alarms.map((alarm) => [`\`${alarm.key}\``, alarm.meaning, breachText(alarm), firstStepText(alarm)]),
  );
  return `${rows.length} alarms:\n\n${table(["key", "what has happened", "rings when", "look first"], rows)}`;
}

/** `more than 10 GiB (alarms.slotLagGiB) for 15 minutes`; says whether missing data rings too. */
function breachText(alarm: Alarm): string {
  const argument = alarm.setting ? ` (\`alarms.${alarm.setting}\`)` : "";
  const silence = alarm.silenceBreaches ? ", or no data" : "";
  return `${limitText(alarm)}${argument} for ${duration(alarm.minutes)}${silence}`;
}

function limitText({ breachedWhen, threshold, unit }: Alarm): string {
  if (breachedWhen === "above") return threshold === 0 ? `any ${unit}` : `more than ${amount(threshold, unit)}`;
  return threshold === 1 ? `no ${unit}` : `less than ${amount(threshold, unit)}`;
}

function amount(value: number, unit: string): string {
  if (unit === "%") return `${value} %`;
  if (unit !== "bytes") return `${value.toLocaleString("en-US")} ${unit}`;
  const mebibytes = value / kibibyte ** 2;
  return mebibytes < kibibyte ? `${mebibytes} MiB` : `${mebibytes / kibibyte} GiB`;
}

function duration(minutes: number): string {
  return minutes > 60 && minutes % 60 === 0 ? `${minutes / 60} hours` : `${minutes} minutes`;
}

function firstStepText({ firstStep, runbookSection }: Alarm): string {
  if (runbookSection === undefined) return firstStep;
  const anchor = runbookSection.toLowerCase().replaceAll(" ", "-");
  return `${firstStep} [${runbookSection}](#${anchor})`;
}
