import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { auditEventsTable } from "../../../contract/audit-table";
import { captureSchema } from "../../../contract/change-capture";
import {
  canaryDiagnosisSeconds,
  type CanaryHop,
  type CanaryRequest,
  operatorDefaults,
  type TableLoad,
} from "../../../contract/operator";
import { awsStep } from "../../aws/errors";
import type { OperatorContext } from "../../context";
import { noteLoads } from "../../database/note-loads";
import { OperatorError, type StepError } from "../../errors";
import { withDatabase } from "../with-database";

/** How long a canary took, in milliseconds between the times in its row, which come from the clocks of four machines. */
export interface CanaryReport {
  readonly id: string;
  /** Commit time at the source, ISO-8601. */
  readonly committedAt: string;
  /** From the commit at the source until DMS had built its change record. */
  readonly captureMilliseconds: number;
  /** From there through `cdc.raw` until the transformer had built its audit event. */
  readonly transformerMilliseconds: number;
  /** From there through `audit.events` until the sink stored it. */
  readonly sinkMilliseconds: number;
  /** From the commit until it was stored. */
  readonly totalMilliseconds: number;
  /** Tables of whose full load the log was told now, as `schema.table`. */
  readonly loadsNoted: readonly string[];
}

type Passage = Omit<CanaryReport, "loadsNoted">;

/** Where a canary stopped. */
export interface Diagnosis {
  readonly hop: CanaryHop;
  /** What was seen there, a sentence. */
  readonly finding: string;
  /** What to do, a sentence. */
  readonly fix: string;
}

/** Looks for the hop that a canary written at a time did not pass. */
export type Diagnose = (request: CanaryRequest, context: OperatorContext, writtenAt: Date) => Promise<Diagnosis>;

/** What a canary asks of the running parts: on AWS of their services, on one machine of their processes. */
export interface CanaryInquiries {
  readonly diagnose: Diagnose;
  /** The full loads of the capture's tables that have ended. */
  readonly tableLoads: (request: CanaryRequest, context: OperatorContext) => Promise<readonly TableLoad[]>;
}

/** Milliseconds. */
export interface CanaryTiming {
  /** Between two looks at the audit table. */
  readonly pollInterval: number;
  /** Until the canary is written again: a capture that has just begun misses what was before its slot. */
  readonly writeAgainAfter: number;
}

const defaultTiming: CanaryTiming = { pollInterval: 250, writeAgainAfter: 15_000 };

/**
 * Sends a row through the whole pipeline and waits for it, then tells the log of full loads that have ended.
 *
 * @throws StepError that names the hop where it stopped, as `diagnose` finds it.
 */
export async function canary(
  request: CanaryRequest,
  context: OperatorContext,
  inquiries: CanaryInquiries,
  timing: Partial<CanaryTiming> = {},
): Promise<CanaryReport> {
  const passage = await send(request, context, inquiries.diagnose, { ...defaultTiming, ...timing }).catch(
    async (failure: unknown) => {
      // Report the failure, also when even the metrics can't be published.
      await context
        .step("publish the metrics", () => context.publishMetrics(request.sourceId, { canaryArrived: 0 }))
        .catch(() => undefined);
      throw failure;
    },
  );
  await context.step("publish the metrics", () =>
    context.publishMetrics(request.sourceId, { canaryArrived: 1, canaryLatency: passage.totalMilliseconds }),
  );
  return { ...passage, loadsNoted: await noteFullLoads(request, context, inquiries) };
}

/** After the canary has its result: that a row went through is true, whatever becomes of this. */
async function noteFullLoads(
  request: CanaryRequest,
  context: OperatorContext,
  { tableLoads }: CanaryInquiries,
): Promise<string[]> {
  const loads = await awsStep(context, "ask for full loads", () => tableLoads(request, context));
  if (loads.length === 0) return [];
  const noted = await withDatabase(context, "source", request.source, (source) =>
    context.step("note full loads", () => noteLoads(source, loads)),
  );
  return noted.map(({ schema, table }) => `${schema}.${table}`);
}

async function send(
  request: CanaryRequest,
  context: OperatorContext,
  diagnose: Diagnose,
  timing: CanaryTiming,
): Promise<Passage> {
  return withDatabase(context, "destination", request.destination, (destination) =>
    withDatabase(context, "source", request.source, async (source) => {
      const id = randomUUID();
      const writtenAt = await context.step("write the canary", () => write(source, id, request));
      return context.step("wait for its row", async () => {
        const timeout = (request.timeoutSeconds ?? operatorDefaults.canaryTimeoutSeconds) * 1000;
        const begun = Date.now();
        const end = Math.min(begun + timeout, context.deadline - canaryDiagnosisSeconds * 1000);
        let writtenLast = begun;
        for (;;) {
          const report = await find(destination, request.sourceId, id, writtenAt);
          if (report) return report;
          if (Date.now() >= end) break;
          if (Date.now() - writtenLast > timing.writeAgainAfter) {
            await write(source, id, request);
            writtenLast = Date.now();
          }
          await sleep(timing.pollInterval, undefined, { signal: context.signal });
        }
        throw await notArrived(request, context, diagnose, writtenAt, Date.now() - begun);
      });
    }),
  );
}

async function write(source: Client, id: string, { publishShapes = false }: CanaryRequest): Promise<Date> {
  // One statement is one transaction: the shapes travel with the canary.
  const { rows } = await source.query<{ sent_at: Date }>(
    `SELECT ${publishShapes ? "capture.republish_shapes(), " : ""}capture.write_canary($1) AS sent_at`,
    [id],
  );
  return rows[0]!.sent_at;
}

/** The canary's row, found by the index on records: signals have no key. */
async function find(destination: Client, sourceId: string, id: string, writtenAt: Date): Promise<Passage | undefined> {
  const { rows } = await destination.query<{
    committed_at: Date;
    captured_at: Date;
    transformed_at: Date;
    stored_at: Date;
  }>(
    `SELECT committed_at, captured_at, transformed_at, stored_at
     FROM ${auditEventsTable.qualifiedName}
     WHERE operation = 'canary' AND schema_name = $1 AND table_name = $2 AND record_key IS NULL
       AND committed_at >= $3 AND source_id = $4 AND context ->> 'id' = $5
     ORDER BY committed_at
     LIMIT 1`,
    // A second earlier: a date of JavaScript is coarser than PostgreSQL's.
    [captureSchema.schema, captureSchema.signalTable, new Date(writtenAt.getTime() - 1000), sourceId, id],
  );
  const row = rows[0];
  if (!row) return undefined;
  const between = (from: Date, until: Date) => until.getTime() - from.getTime();
  return {
    id,
    committedAt: row.committed_at.toISOString(),
    captureMilliseconds: between(row.committed_at, row.captured_at),
    transformerMilliseconds: between(row.captured_at, row.transformed_at),
    sinkMilliseconds: between(row.transformed_at, row.stored_at),
    totalMilliseconds: between(row.committed_at, row.stored_at),
  };
}

async function notArrived(
  request: CanaryRequest,
  context: OperatorContext,
  diagnose: Diagnose,
  writtenAt: Date,
  waited: number,
): Promise<OperatorError> {
  const missing = `No row arrived within ${Math.round(waited / 1000)} s.`;
  try {
    const { hop, finding, fix } = await context.step("find where it stopped", () =>
      diagnose(request, context, writtenAt),
    );
    return new OperatorError(`${missing} It stopped at ${hop}: ${finding}`, fix);
  } catch (error) {
    return new OperatorError(
      `${missing} Where it stopped could not be found: ${(error as StepError).reason}`,
      "Look at the alarms in the order of the flow: capture task, topics, transformer, connector.",
    );
  }
}
