import type { CanaryRequest } from "../../contract/operator";
import { sinkConnectorName } from "../../contract/sink-connector";
import type { Diagnosis } from "../../operator/handlers/canary/canary";
import { connectorTasks } from "../servers/kafka-connect";

/** Parts that a canary goes through. */
type Part = "standIn" | "broker" | "transformer" | "worker";

/** A part's process, as a diagnosis sees it. */
interface ObservedPart {
  /** Undefined before it was made. */
  readonly part: { readonly running: boolean } | undefined;
  readonly logFile: string;
}

/** What a diagnosis knows of the parts. */
export type ObservedParts = Readonly<Record<Part, ObservedPart>> & {
  readonly kafka: {
    readonly bootstrapServers: string;
    /** Port of the Connect worker's REST interface. */
    readonly workerPort: number;
  };
};

const partNames: Readonly<Record<Part, string>> = {
  standIn: "DMS stand-in",
  broker: "broker",
  transformer: "transformer",
  worker: "Kafka Connect worker",
};

/** Where a canary stopped on this machine: the first part of the flow that is down, or has not read what waits for it. */
export async function diagnoseLocally(
  parts: ObservedParts,
  { rawTopic, eventsTopic, transformerGroup, sinkGroup }: CanaryRequest["kafka"],
  writtenAt: Date,
): Promise<Diagnosis> {
  const read = (part: Part) => `Read ${parts[part].logFile}.`;
  const down = (part: Part) =>
    parts[part].part?.running ? undefined : `The process of the ${partNames[part]} is not running.`;

  const capture = down("standIn");
  if (capture !== undefined) return { hop: "capture", finding: capture, fix: read("standIn") };
  const broker = down("broker");
  if (broker !== undefined) return { hop: "raw-topic", finding: broker, fix: read("broker") };
  // Imported only now: loading the client takes longer than all the rest of a canary that arrives.
  const { withKafkaAdmin } = await import("../../operator/kafka/admin");
  const { captured, unread, unstored } = await withKafkaAdmin(
    { bootstrapServers: parts.kafka.bootstrapServers, login: { kind: "none" } },
    async (admin) => ({
      captured: await admin.hasRecordsSince(rawTopic, writtenAt),
      unread: await admin.groupLag(transformerGroup, rawTopic),
      unstored: await admin.groupLag(sinkGroup, eventsTopic),
    }),
  );
  if (!captured) {
    return {
      hop: "capture",
      finding: `${rawTopic} got no record since the canary was written.`,
      fix: read("standIn"),
    };
  }
  const transformer =
    down("transformer") ??
    (unread > 0 ? `The transformer has not committed ${unread} records of ${rawTopic}.` : undefined);
  if (transformer !== undefined) return { hop: "transformer", finding: transformer, fix: read("transformer") };
  const failed = (await connectorTasks(parts.kafka.workerPort, sinkConnectorName).catch(() => [])).find(
    ({ state }) => state !== "RUNNING",
  );
  const finding =
    down("worker") ??
    (failed
      ? `A task of the sink is ${failed.state}: ${failed.trace?.split("\n")[0] ?? "without a reason"}.`
      : `The sink has not stored ${unstored} records of ${eventsTopic}.`);
  return { hop: "sink", finding, fix: `${read("worker")} Refused records are listed by npm run dead-letters.` };
}
