import { sinkDefaultTasks } from "../../contract/sink-connector";
import { pipelineTopics } from "../../contract/topics";
import { nameLimits, physicalName } from "../shared/names";
import type { AuditSinkArgs } from "./types";

/** The arguments that decide how much the sink can do, with their defaults filled in. */
export function capacityOf(args: AuditSinkArgs) {
  return {
    tasks: args.tasks ?? sinkDefaultTasks,
    workers: args.workers ?? 1,
    mcusPerWorker: args.mcusPerWorker ?? 1,
    eventsPartitions: args.eventsPartitions ?? pipelineTopics().events.partitions,
  };
}

/** The connector's name, known at preview. */
export function connectorNameOf(name: string, args: Pick<AuditSinkArgs, "connectorName">): string {
  return args.connectorName ?? physicalName(name, nameLimits.connector);
}
