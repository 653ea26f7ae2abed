/** Processor of the tasks, and so of the image. */
export const CpuArchitecture = {
  /** Graviton: a fifth cheaper. Building the image on another processor needs emulation. */
  Arm64: "ARM64",
  X86: "X86_64",
} as const;
export type CpuArchitecture = (typeof CpuArchitecture)[keyof typeof CpuArchitecture];
