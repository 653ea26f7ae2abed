import { type Problem, checkOneOf } from "./checks";

/** Memory in MiB that Fargate offers for each number of CPU units: from, to, in steps. */
const offeredMemory: Readonly<Record<number, { from: number; to: number; step: number }>> = {
  256: { from: 512, to: 2048, step: 512 },
  512: { from: 1024, to: 4096, step: 1024 },
  1024: { from: 2048, to: 8192, step: 1024 },
  2048: { from: 4096, to: 16384, step: 1024 },
  4096: { from: 8192, to: 30720, step: 1024 },
  8192: { from: 16384, to: 61440, step: 4096 },
  16384: { from: 32768, to: 122880, step: 8192 },
};

/** The one gap in Fargate's steps. */
const notOffered = { cpu: 256, memoryMiB: 1536 };

/**
 * Problems of a task's size, as Fargate offers it.
 *
 * @param minimumCpu CPU units without which the task does not do its work.
 */
export function checkFargateSize(
  { cpu, memoryMiB }: { readonly cpu: number; readonly memoryMiB: number },
  minimumCpu: number,
): Problem[] {
  const offered = offeredMemory[cpu];
  if (offered === undefined || cpu < minimumCpu) {
    const choices = Object.keys(offeredMemory).map(Number);
    return checkOneOf(
      "cpu",
      cpu,
      choices.filter((choice) => choice >= minimumCpu),
    );
  }
  const { from, to, step } = offered;
  const isGap = cpu === notOffered.cpu && memoryMiB === notOffered.memoryMiB;
  if (memoryMiB >= from && memoryMiB <= to && memoryMiB % step === 0 && !isGap) return [];
  return [
    {
      setting: "memoryMiB",
      value: memoryMiB,
      allowed:
        cpu === notOffered.cpu
          ? `512, 1024 or 2048 with cpu ${cpu}`
          : `${from} to ${to} in steps of ${step} with cpu ${cpu}`,
      fix: `Set memoryMiB to ${from}, or choose another cpu.`,
    },
  ];
}
