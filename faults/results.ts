import type { MemoryCourse } from "./memory";

/** What came of one step of a run. */
export interface StepResult {
  readonly index: number;
  /** What happened, in words. */
  readonly faults: readonly string[];
  readonly changes: number;
  /** Seconds from the end of the last fault to the first event committed since, and to the last one. */
  readonly flowResumed: number;
  readonly complete: number;
  /** Parts that ended although no fault ended them. */
  readonly exits: readonly string[];
}

/** What a run tells while it goes on. */
export type RunEvent =
  | { readonly kind: "impossible"; readonly name: string; readonly why: string }
  | { readonly kind: "started"; readonly seconds: number }
  | { readonly kind: "step"; readonly result: StepResult }
  | { readonly kind: "checking" };

/** What came of a whole run. */
export interface FaultRunResult {
  readonly seed: number;
  readonly minutes: number;
  readonly faultsInjected: number;
  readonly changes: number;
  readonly transactions: number;
  readonly deadLetters: number;
  readonly lost: number;
  readonly doubled: number;
  readonly wrong: number;
  readonly longestGap: { readonly seconds: number; readonly after: string };
  readonly longestCatchUp: { readonly seconds: number; readonly after: string };
  readonly restarts: Readonly<Record<string, number>>;
  readonly memory: readonly MemoryCourse[];
  readonly steps: readonly StepResult[];
  readonly impossible: readonly { readonly name: string; readonly why: string }[];
  /** What failed, and at which step; the run ends with the first. */
  readonly failure?: { readonly index: number; readonly problems: readonly string[]; readonly folder?: string };
}
