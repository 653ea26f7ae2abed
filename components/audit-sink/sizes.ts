import { sinkDefaultTasks } from "../../contract/sink-connector";
import { pipelineTopics } from "../../contract/topics";
import type { AuditSinkArgs } from "./types";

/** The arguments that decide the sink's capacity, with their defaults filled in. */
export function capacityOf(args: AuditSinkArgs) {
  return {
    tasks: args.tasks ?? sinkDefaultTasks,
    workers: args.workers ?? 1,
    mcusPerWorker: args.mcusPerWorker ?? 1,
    eventsPartitions: args.eventsPartitions ?? pipelineTopics().events.partitions,
  };
}
