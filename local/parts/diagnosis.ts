import type { CanaryRequest } from "../../contract/operator";
import { sinkConnectorName } from "../../contract/sink-connector";
import type { Diagnosis } from "../../operator/handlers/canary/canary";
import { connectorTasks } from "../servers/kafka";
import type { Pipeline } from "../pipeline";

/** Where a canary stopped on this machine: the first part of the flow that is down, or has not read what waits for it. */
export async function diagnoseLocally(pipeline: Pipeline, request: CanaryRequest, writtenAt: Date): Promise<Diagnosis> {
  const { kafka } = request;
  const read = (part: string) => `Read ${pipeline.logFile(part)}.`;
  const down = (running: boolean | undefined, part: string) =>
    running ? undefined : `The process of the ${part} is not running.`;

  const capture = down(pipeline.standIn?.running, "DMS stand-in");
  if (capture !== undefined) return { hop: "capture", finding: capture, fix: read("dms-stand-in") };
  const broker = down(pipeline.broker?.running, "broker");
  if (broker !== undefined) return { hop: "raw-topic", finding: broker, fix: read("kafka") };
  // Only now: loading the client takes longer than all the rest of a canary that arrives.
  const { withKafkaAdmin } = await import("../../operator/kafka/admin");
  const { captured, unread, unstored } = await withKafkaAdmin(
    { bootstrapServers: pipeline.bootstrapServers, login: { kind: "none" } },
    async (admin) => ({
      captured: await admin.hasRecordsSince(kafka.rawTopic, writtenAt),
      unread: await admin.groupLag(kafka.transformerGroup, kafka.rawTopic),
      unstored: await admin.groupLag(kafka.sinkGroup, kafka.eventsTopic),
    }),
  );
  if (!captured) {
    return {
      hop: "capture",
      finding: `${kafka.rawTopic} got no record since the canary was written.`,
      fix: read("dms-stand-in"),
    };
  }
  const transformer =
    down(pipeline.transformer?.running, "transformer") ??
    (unread > 0 ? `The transformer has not committed ${unread} records of ${kafka.rawTopic}.` : undefined);
  if (transformer !== undefined) return { hop: "transformer", finding: transformer, fix: read("transformer") };
  const failed = (await connectorTasks(pipeline.ports.worker, sinkConnectorName).catch(() => [])).find(
    ({ state }) => state !== "RUNNING",
  );
  const finding =
    down(pipeline.worker?.running, "Kafka Connect worker") ??
    (failed
      ? `A task of the sink is ${failed.state}: ${failed.trace?.split("\n")[0] ?? "without a reason"}.`
      : `The sink has not stored ${unstored} records of ${kafka.eventsTopic}.`);
  return { hop: "sink", finding, fix: `${read("connect")} Refused records are listed by npm run dead-letters.` };
}
