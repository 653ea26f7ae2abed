import type { CanaryHop, CanaryRequest } from "../../../contract/operator";
import type { OperatorContext } from "../../context";
import type { SlotHealth } from "../../database/maintain";
import { MissingTopicError } from "../../kafka/admin";
import type { Diagnosis } from "./canary";
import { type Evidence, known, look, type Seen } from "./evidence";

/** Asks the evidence whether the flow stands still at one place. */
type Check = (evidence: Evidence, request: CanaryRequest) => Diagnosis | undefined;

/**
 * Finds the hop that a canary did not pass: the first in the flow that stands still, or else the first that is behind.
 * The finding names what could not be looked at.
 */
export async function diagnoseCanary(
  request: CanaryRequest,
  context: OperatorContext,
  writtenAt: Date,
): Promise<Diagnosis> {
  const evidence = await look(request, context, writtenAt);
  const found = firstOf([...standstills, ...delays], evidence, request) ?? withoutFinding(evidence);
  const unseen = blindSpots(evidence);
  return unseen === "" ? found : { ...found, finding: `${found.finding} Not looked at: ${unseen}` };
}

function firstOf(checks: readonly Check[], evidence: Evidence, request: CanaryRequest): Diagnosis | undefined {
  for (const check of checks) {
    const diagnosis = check(evidence, request);
    if (diagnosis) return diagnosis;
  }
  return undefined;
}

const sourceHasSlot: Check = ({ slots, task }) => {
  const found = known(slots);
  if (!found) return undefined;
  const state = "value" in task ? ` The DMS task is ${task.value?.Status ?? "gone"}.` : "";
  if (found.length === 0) {
    return {
      hop: "source",
      finding: `The source database has no replication slot.${state}`,
      fix:
        "If the task never ran, start it (start-replication). If it did, changes since then are lost to it: follow " +
        '"Lose a slot" in docs/runbook.md.',
    };
  }
  if (found.every(({ walStatus }) => walStatus === "lost")) {
    const names = found.map(({ name }) => name).join(", ");
    return {
      hop: "source",
      finding: `Replication slot ${names} has lost its place in the WAL.${state}`,
      fix: 'Follow "Lose a slot" in docs/runbook.md, and raise max_slot_wal_keep_size or remove it.',
    };
  }
  return undefined;
};

const taskRuns: Check = ({ task }, { captureTaskArn }) => {
  if (!("value" in task)) return undefined;
  const status = task.value?.Status;
  if (status === "running") return undefined;
  if (status === undefined) {
    return { hop: "capture", finding: `DMS has no task ${captureTaskArn}.`, fix: "Deploy again." };
  }
  const reasons = [task.value?.LastFailureMessage, task.value?.StopReason].filter(Boolean).join("; ");
  const start = status === "ready" ? "start-replication" : "resume-processing";
  return {
    hop: "capture",
    finding: `The DMS task is ${status}${reasons ? `: ${reasons}` : ""}.`,
    fix:
      "Mend what its log names, then run aws dms start-replication-task " +
      `--replication-task-arn ${captureTaskArn} --start-replication-task-type ${start}.`,
  };
};

const slotIsRead: Check = ({ slots }) => {
  const found = known(slots);
  if (!found || found.some(({ active }) => active)) return undefined;
  return {
    hop: "capture",
    finding: `Nobody reads ${found.map(slotText).join(", ")}.`,
    fix: "Run the connections action: it tells why DMS can't connect to the source. Then look at the task's log.",
  };
};

const rawTopicGrows: Check = ({ captured, slots }, { kafka }) => {
  const missing = missingTopic(captured);
  if (missing) return { hop: "raw-topic", finding: missing.message, fix: missing.fix };
  if (known(captured) !== false) return undefined;
  const held = known(slots)
    ?.filter(({ active }) => active)
    .map(slotText)
    .join(", ");
  return {
    hop: "raw-topic",
    finding: `DMS is at work, but ${kafka.rawTopic} got no record since the canary was written.${held ? ` Read: ${held}.` : ""}`,
    fix:
      "Look at the task's CDCLatencySource (a long transaction, or too much WAL) and CDCLatencyTarget (Kafka refuses: " +
      "run the connections and the guard action), and at its log.",
  };
};

const transformerRuns: Check = ({ transformer, transformed }, { kafka }) => {
  const progress = known(transformer);
  if (!progress) return undefined;
  const { rawTopic, eventsTopic, transformerGroup: group } = kafka;
  const behind = `${progress.lag} records of ${rawTopic} wait`;
  if (progress.members === 0) {
    return {
      hop: "transformer",
      finding: `The group ${group} has no members: the transformer does not run, and ${behind}.`,
      fix: "Look at the events and stopped tasks of its ECS service, and at its log.",
    };
  }
  if (progress.lag > 0 && known(transformed) === false) {
    return {
      hop: "transformer",
      finding: `The transformer is there but writes nothing to ${eventsTopic}; ${behind}.`,
      fix: "Look at its log for an error that it repeats; restart its ECS service (--force-new-deployment).",
    };
  }
  return undefined;
};

const eventsTopicGrows: Check = ({ transformed }, { kafka }) => {
  const missing = missingTopic(transformed);
  if (missing) return { hop: "events-topic", finding: missing.message, fix: missing.fix };
  if (known(transformed) !== false) return undefined;
  return {
    hop: "events-topic",
    finding: `The transformer has read all of ${kafka.rawTopic}, but ${kafka.eventsTopic} got no record.`,
    fix: "List the dead letters (npm run dead-letters): each says why its record is no event.",
  };
};

const connectorRuns: Check = ({ connector }, { connectorArn }) => {
  if (!("value" in connector)) return undefined;
  const state = connector.value?.connectorState;
  if (state === "RUNNING") return undefined;
  if (state === undefined) {
    return { hop: "sink", finding: `MSK Connect has no connector ${connectorArn}.`, fix: "Deploy again." };
  }
  const { code, message } = connector.value?.stateDescription ?? {};
  const reason = [code, message].filter(Boolean).join(": ");
  return {
    hop: "sink",
    finding: `The connector is ${state}${reason ? ` (${reason})` : ""}.`,
    fix: "Look at the connector's log. A connector that has FAILED never recovers: replace it (pulumi up --replace).",
  };
};

const sinkReads: Check = ({ sink }, { kafka }) => {
  const progress = known(sink);
  if (!progress || progress.members > 0) return undefined;
  return {
    hop: "sink",
    finding: `The group ${kafka.sinkGroup} has no members: no task of the sink runs, and ${progress.lag} events wait.`,
    fix: "Look at the connector's log for the error that ended its tasks, and at ErroredTaskCount.",
  };
};

const transformerIsBehind: Check = ({ transformer }, { kafka }) => {
  const lag = known(transformer)?.lag ?? 0;
  if (lag === 0) return undefined;
  return {
    hop: "transformer",
    finding: `The transformer runs, but is ${lag} records of ${kafka.rawTopic} behind.`,
    fix: "Wait until it has caught up, or give it more CPU; its lag is on the dashboard.",
  };
};

const sinkIsBehind: Check = ({ sink }, { kafka }) => {
  const lag = known(sink)?.lag ?? 0;
  if (lag === 0) return undefined;
  return {
    hop: "sink",
    finding: `The sink runs, but is ${lag} events of ${kafka.eventsTopic} behind.`,
    fix: "Look at the connector's log: a database that is away or full holds it up. Otherwise give it more workers.",
  };
};

const standstills: readonly Check[] = [
  sourceHasSlot,
  taskRuns,
  slotIsRead,
  rawTopicGrows,
  transformerRuns,
  eventsTopicGrows,
  connectorRuns,
  sinkReads,
];

/** Asked only when everything runs: a busy pipeline always has some lag. */
const delays: readonly Check[] = [transformerIsBehind, sinkIsBehind];

/** No part that could be looked at stands still or has anything left to do. */
function withoutFinding(evidence: Evidence): Diagnosis {
  if (known(evidence.stored)) {
    return {
      hop: "sink",
      finding: "It arrived after all, later than allowed.",
      fix: "Look which latency on the dashboard has grown, or raise timeoutSeconds.",
    };
  }
  const [unseen] = unseenParts(evidence);
  if (unseen !== undefined) {
    return {
      hop: parts[unseen].hop,
      finding: "Nothing that could be looked at stands still.",
      fix: "Let the operator look at the rest, and run the canary again.",
    };
  }
  return {
    hop: "sink",
    finding: "Every part is at work and nothing waits, but the row is not there: the sink has set it aside.",
    fix: "List the dead letters (npm run dead-letters): each says why it was refused.",
  };
}

function missingTopic(seen: Seen<unknown>): MissingTopicError | undefined {
  return "error" in seen && seen.error instanceof MissingTopicError ? seen.error : undefined;
}

function slotText({ name, retainedBytes }: SlotHealth): string {
  const held = retainedBytes === null ? "no WAL" : `${(retainedBytes / 1_048_576).toFixed(1)} MiB of WAL`;
  return `slot ${name}, which holds ${held}`;
}

const parts: Readonly<Record<keyof Evidence, { readonly name: string; readonly hop: CanaryHop }>> = {
  slots: { name: "the source database", hop: "source" },
  task: { name: "the DMS task", hop: "capture" },
  captured: { name: "the raw topic", hop: "raw-topic" },
  transformer: { name: "the transformer's group", hop: "transformer" },
  transformed: { name: "the events topic", hop: "events-topic" },
  connector: { name: "the connector", hop: "sink" },
  sink: { name: "the sink's group", hop: "sink" },
  stored: { name: "the audit table", hop: "sink" },
};

/** The parts that could not be looked at, in the order of the flow. */
function unseenParts(evidence: Evidence): (keyof Evidence)[] {
  const inOrder = Object.keys(parts) as (keyof Evidence)[];
  return inOrder.filter((part) => "error" in evidence[part] && !missingTopic(evidence[part]));
}

/** What could not be looked at and why, each reason once. */
function blindSpots(evidence: Evidence): string {
  const byReason = new Map<string, string[]>();
  for (const part of unseenParts(evidence)) {
    const { error } = evidence[part] as { readonly error: unknown };
    const reason = error instanceof Error ? error.message : String(error);
    byReason.set(reason, [...(byReason.get(reason) ?? []), parts[part].name]);
  }
  return [...byReason].map(([reason, names]) => `${names.join(", ")} (${reason})`).join("; ");
}
