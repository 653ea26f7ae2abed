import { earlierName, newOnly, oldAndNew, type Results } from "./comparison-results";
import type { Figure, Goal } from "./results";

/** What a ratio of ours to another system's must be, in each of these workloads. */
export interface RatioGoal {
  /** One of `comparisons`. */
  readonly metric: string;
  readonly workloads: readonly string[];
  readonly other: string;
  readonly goal: Goal;
}

/** The build that today's is compared with. */
export const baseline = earlierName("f761236");
/** Runs of full size whose median decides. */
export const decisiveRuns = 3;

const narrow = ["hot", "tpcb", "hundred", "bulk"];
const every = [...narrow, "wide-1k", "wide-8k"];

export const ratioGoals: readonly RatioGoal[] = [
  { metric: "drain rate", workloads: ["wide-8k"], other: oldAndNew, goal: { atLeast: 1 } },
  { metric: "sustained rate", workloads: ["wide-8k"], other: oldAndNew, goal: { atLeast: 0.95 } },
  { metric: "drain rate", workloads: ["wide-1k"], other: oldAndNew, goal: { atLeast: 1.15 } },
  { metric: "sustained rate", workloads: ["wide-1k"], other: oldAndNew, goal: { atLeast: 1.15 } },
  { metric: "CPU of what ships", workloads: ["wide-8k"], other: baseline, goal: { atMost: 0.5 } },
  { metric: "CPU of what ships", workloads: ["wide-8k"], other: oldAndNew, goal: { atMost: 0.85 } },
  { metric: "log", workloads: ["wide-8k"], other: oldAndNew, goal: { atMost: 0.6 } },
  { metric: "log", workloads: ["hot"], other: oldAndNew, goal: { atMost: 1.2 } },
  { metric: "sustained rate", workloads: narrow, other: baseline, goal: { atLeast: 0.98 } },
  { metric: "drain rate", workloads: narrow, other: baseline, goal: { atLeast: 0.98 } },
  { metric: "sustained rate", workloads: ["hot"], other: oldAndNew, goal: { atLeast: 1.3 } },
  { metric: "drain rate", workloads: ["hot"], other: oldAndNew, goal: { atLeast: 1.8 } },
  { metric: "p99", workloads: every, other: oldAndNew, goal: { atMost: 1 } },
  { metric: "memory", workloads: every, other: oldAndNew, goal: { atMost: 1 } },
  { metric: "p50", workloads: ["hot"], other: oldAndNew, goal: { atMost: 1 } },
  { metric: "sustained rate", workloads: ["hot"], other: newOnly, goal: { atLeast: 0.9 } },
  { metric: "drain rate", workloads: ["hot"], other: newOnly, goal: { atLeast: 0.9 } },
];

/** Goals of our own figures that have changed. They also judge runs that recorded the earlier goals. */
export const ownGoals = {
  transformer: { phase: "transformer", metric: "events per CPU second, warm", goal: { atLeast: 150_000 } },
  idleMemory: { phase: "start", metric: "idle memory: all", goal: { atMost: 900 } },
} as const;

/** What a figure is judged by today. */
export function goalOf({ phase, metric, goal }: Figure): Goal | undefined {
  return Object.values(ownGoals).find((own) => own.phase === phase && own.metric === metric)?.goal ?? goal;
}

/** The workload in which a goal of several is furthest from being met, and in how many there is a ratio. */
export function furthest(
  results: Results,
  { metric, workloads, other, goal }: RatioGoal,
  phase: string,
): { readonly workload: string; readonly ratio: number; readonly measured: number } | undefined {
  const ratios = workloads.flatMap((workload) => {
    const ratio = results.ratio(other, phase, workload, metric);
    return ratio === undefined ? [] : [{ workload, ratio }];
  });
  const [worst] = ratios.sort((one, two) => ("atMost" in goal ? two.ratio - one.ratio : one.ratio - two.ratio));
  return worst && { ...worst, measured: ratios.length };
}
