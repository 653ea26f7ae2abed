import { defaultLobMaxSizeKilobytes } from "../../contract/change-capture";
import { defaultMessageMaxBytes, pipelineTopics } from "../../contract/topics";
import { CpuArchitecture } from "../shared/cpu-architecture";
import type { TransformerServiceArgs } from "./types";

/** The arguments that decide what a task is and how many run, with their defaults filled in. */
export function sizeOf(args: TransformerServiceArgs) {
  const rawPartitions = args.rawPartitions ?? pipelineTopics().raw.partitions;
  const streamThreads = args.streamThreads ?? 1;
  return {
    architecture: args.architecture ?? CpuArchitecture.Arm64,
    cpu: args.cpu ?? 1024,
    memoryMiB: args.memoryMiB ?? 2048,
    rawPartitions,
    streamThreads,
    minimumTasks: args.minimumTasks ?? 1,
    maximumTasks: args.maximumTasks ?? Math.max(1, Math.floor(rawPartitions / streamThreads)),
    lobMaxSizeKilobytes: args.lobMaxSizeKilobytes ?? defaultLobMaxSizeKilobytes,
    messageMaxBytes: args.messageMaxBytes ?? defaultMessageMaxBytes,
  };
}
export type TransformerSize = ReturnType<typeof sizeOf>;
