import { daysUntil } from "../../contract/lifetimes";
import type { MaintainRequest } from "../../contract/operator";
import type { OperatorMetric } from "../../contract/operator-metrics";
import type { OperatorContext } from "../context";
import {
  type DestinationMaintenance,
  maintainDestination,
  maintainSource,
  type SlotHealth,
  type SourceMaintenance,
} from "../database/maintain";
import { withDatabase } from "./with-database";

/** What maintenance did and found on each side. */
export interface MaintainResult {
  readonly source: SourceMaintenance;
  readonly destination: DestinationMaintenance;
}

/** Maintains both sides and publishes what the alarms read. If one side fails, the other is maintained all the same. */
export async function maintain(request: MaintainRequest, context: OperatorContext): Promise<MaintainResult> {
  const { partitionsAhead, partitionPeriod, retention } = request.destination;
  const destination = await settled(() =>
    withDatabase(context, "destination", request.destination, (client) =>
      context.step("maintain the partitions", () =>
        maintainDestination(client, { ahead: partitionsAhead, period: partitionPeriod, retention }),
      ),
    ),
  );
  const source = await settled(() =>
    withDatabase(context, "source", request.source, (client) =>
      context.step("maintain the capture", () => maintainSource(client)),
    ),
  );
  const metrics = {
    ...("done" in destination ? destinationMetrics(destination.done) : {}),
    ...("done" in source ? sourceMetrics(source.done) : {}),
    ...(request.versionsEnd === undefined ? {} : { versionDaysLeft: daysUntil(request.versionsEnd, new Date()) }),
  };
  if (Object.keys(metrics).length > 0) {
    await context.step("publish the metrics", () => context.publishMetrics(request.sourceId, metrics));
  }
  if ("failed" in destination) throw destination.failed;
  if ("failed" in source) throw source.failed;
  return { source: source.done, destination: destination.done };
}

function destinationMetrics(found: DestinationMaintenance): Partial<Record<OperatorMetric, number>> {
  return { partitionDaysAhead: found.partitionDaysAhead, defaultPartitionRows: found.defaultPartitionRows };
}

function sourceMetrics(found: SourceMaintenance): Partial<Record<OperatorMetric, number>> {
  return {
    signalsCleared: Number(found.signalsCleared),
    captureProblems: found.problems.length,
    slotRetainedBytes: Math.max(0, ...found.slots.map(({ retainedBytes }) => retainedBytes ?? 0)),
    slotsLost: found.slots.filter(isLost).length,
  };
}

/** Such a slot has lost its place in the WAL, or soon will. */
const isLost = ({ walStatus }: SlotHealth) => walStatus === "lost" || walStatus === "unreserved";

type Settled<Result> = { readonly done: Result } | { readonly failed: unknown };

async function settled<Result>(work: () => Promise<Result>): Promise<Settled<Result>> {
  try {
    return { done: await work() };
  } catch (failed) {
    return { failed };
  }
}
