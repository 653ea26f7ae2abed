import type { ReplicationTask } from "@aws-sdk/client-database-migration-service";
import { DescribeConnectorCommand, type DescribeConnectorResponse } from "@aws-sdk/client-kafkaconnect";
import { auditEventsTable } from "../../../contract/audit-table";
import type { CanaryRequest } from "../../../contract/operator";
import { describeTask } from "../../aws/dms";
import { isAwsError, pause } from "../../aws/wait";
import type { OperatorContext } from "../../context";
import { type SlotHealth, slotHealth } from "../../database/maintain";
import { OperatorError } from "../../errors";
import { type GroupProgress, KafkaAdmin } from "../../kafka/admin";

/** Milliseconds that one look may take: all are taken side by side, and a canary keeps 30 s back for them. */
const lookTimeout = 20_000;

/** What one look has seen, or why it saw nothing. */
export type Seen<Value> = { readonly value: Value } | { readonly error: unknown };

/** Everything that is looked at, in the order of the flow. */
export interface Evidence {
  readonly slots: Seen<readonly SlotHealth[]>;
  /** Undefined when DMS knows no such task. */
  readonly task: Seen<ReplicationTask | undefined>;
  /** Whether `cdc.raw` got a record since the canary was written. */
  readonly captured: Seen<boolean>;
  readonly transformer: Seen<GroupProgress>;
  /** Whether `audit.events` got a record since then. */
  readonly transformed: Seen<boolean>;
  /** Undefined when there is no such connector. */
  readonly connector: Seen<DescribeConnectorResponse | undefined>;
  readonly sink: Seen<GroupProgress>;
  /** Whether the audit table has a canary of that time. */
  readonly stored: Seen<boolean>;
}

/** Looks at every part of the flow, side by side. */
export async function look(request: CanaryRequest, context: OperatorContext, writtenAt: Date): Promise<Evidence> {
  const { rawTopic, eventsTopic, transformerGroup, sinkGroup, bootstrapBrokersIam } = request.kafka;
  const see = <Value>(work: () => Promise<Value>) => seen(work, context.signal);
  const kafka = { bootstrapServers: bootstrapBrokersIam, login: await context.kafkaLogin(), attempts: 2 };
  const admin = new KafkaAdmin(kafka);
  try {
    const [slots, task, captured, transformer, transformed, connector, sink, stored] = await Promise.all([
      see(() => slotsOf(request, context)),
      see(() => describeTask(context, request.captureTaskArn)),
      see(() => admin.hasRecordsSince(rawTopic, writtenAt)),
      see(() => admin.groupProgress(transformerGroup, rawTopic)),
      see(() => admin.hasRecordsSince(eventsTopic, writtenAt)),
      see(() => connectorOf(request, context)),
      see(() => admin.groupProgress(sinkGroup, eventsTopic)),
      see(() => storedSince(request, context, writtenAt)),
    ]);
    return { slots, task, captured, transformer, transformed, connector, sink, stored };
  } finally {
    await admin.close().catch(() => undefined);
  }
}

async function seen<Value>(work: () => Promise<Value>, signal: AbortSignal): Promise<Seen<Value>> {
  const over = new AbortController();
  const timeout = pause(lookTimeout, AbortSignal.any([signal, over.signal])).then(() => {
    throw new OperatorError(`it took more than ${lookTimeout / 1000} s.`, "Look again later.");
  });
  try {
    return { value: await Promise.race([work(), timeout]) };
  } catch (error) {
    return { error };
  } finally {
    timeout.catch(() => undefined);
    over.abort();
  }
}

async function slotsOf(request: CanaryRequest, context: OperatorContext): Promise<SlotHealth[]> {
  const client = await context.connect(request.source);
  try {
    return await slotHealth(client);
  } finally {
    await client.end();
  }
}

async function connectorOf(
  { connectorArn }: CanaryRequest,
  { clients, signal }: OperatorContext,
): Promise<DescribeConnectorResponse | undefined> {
  try {
    return await clients.kafkaConnect.send(new DescribeConnectorCommand({ connectorArn }), { abortSignal: signal });
  } catch (error) {
    if (isAwsError(error, "NotFoundException")) return undefined;
    throw error;
  }
}

async function storedSince(request: CanaryRequest, context: OperatorContext, writtenAt: Date): Promise<boolean> {
  const client = await context.connect(request.destination);
  try {
    const { rowCount } = await client.query(
      `SELECT FROM ${auditEventsTable.qualifiedName}
       WHERE committed_at >= $1 AND operation = 'canary' AND source_id = $2
       LIMIT 1`,
      // A second earlier: a date of JavaScript is coarser than PostgreSQL's.
      [new Date(writtenAt.getTime() - 1000), request.sourceId],
    );
    return rowCount === 1;
  } finally {
    await client.end();
  }
}

/** Undefined when it could not be looked at. */
export function known<Value>(seen: Seen<Value>): Value | undefined {
  return "value" in seen ? seen.value : undefined;
}
