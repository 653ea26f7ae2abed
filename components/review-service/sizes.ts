import { CpuArchitecture } from "../shared/cpu-architecture";
import type { ReviewServiceArgs } from "./types";

/** CPU units of the smallest task that Fargate offers. */
export const smallestCpu = 256;

/** The arguments that decide what a task is and how many run, with their defaults filled in. */
export function sizeOf(args: Pick<ReviewServiceArgs, "architecture" | "cpu" | "memoryMiB" | "tasks">) {
  return {
    architecture: args.architecture ?? CpuArchitecture.Arm64,
    cpu: args.cpu ?? smallestCpu,
    memoryMiB: args.memoryMiB ?? 512,
    tasks: args.tasks ?? 1,
  };
}
export type ReviewSize = ReturnType<typeof sizeOf>;
