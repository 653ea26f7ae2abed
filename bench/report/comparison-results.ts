import { workloads } from "../load/workloads";
import type { Figure, Run } from "./results";

export const ours = "cdc-audit";
export const oldAndNew = "Debezium, old and new values";
export const newOnly = "Debezium, new values only";
export const systems = [ours, oldAndNew, newOnly];

/** What is compared between systems, and the goal of the ratio of ours to each peer's. */
export const comparisons = [
  { phase: "sustained", metric: "sustained rate", title: "Sustained rate", unit: "changes/s", better: "more" },
  { phase: "drain", metric: "drain rate", title: "Drain of a backlog", unit: "changes/s", better: "more" },
  { phase: "latency", metric: "p50", title: "Commit to table, p50", unit: "ms", better: "less" },
  { phase: "latency", metric: "p99", title: "Commit to table, p99", unit: "ms", better: "less" },
  { phase: "latency", metric: "max", title: "Commit to table, slowest", unit: "ms", better: "less" },
  { phase: "drain", metric: "CPU", title: "CPU of the whole chain", unit: "ms for 1,000 changes", better: "less" },
  { phase: "drain", metric: "log", title: "Rows and indexes of the log", unit: "B a change", better: "less" },
  { phase: "drain", metric: "memory", title: "Memory of the whole chain after a drain", unit: "MiB", better: "less" },
] as const;
export type Comparison = (typeof comparisons)[number];

/** Ratios of ours to a peer's that were set as goals, under the workload of single-row updates. */
export const ratioGoals = [
  { metric: "sustained rate", peer: oldAndNew, atLeast: 1.2 },
  { metric: "drain rate", peer: oldAndNew, atLeast: 1.2 },
  { metric: "sustained rate", peer: newOnly, atLeast: 0.9 },
  { metric: "drain rate", peer: newOnly, atLeast: 0.9 },
  { metric: "p50", peer: oldAndNew, atMost: 1 },
  { metric: "p99", peer: oldAndNew, atMost: 1 },
] as const;

/** Headings of what is measured without peers beside it. */
export const phaseTitles: Readonly<Record<string, string>> = {
  writer: "What the application pays",
  transformer: "The transformer alone",
  sink: "The sink alone",
  start: "Start and rest",
  restart: "Restart",
  outage: "Outage",
  growth: "A growing log",
  reading: "Reading a log of ten million events",
};

/** A latency's metric names its rate first, which differs with the size of a run. */
export const shortMetric = (phase: string, metric: string): string =>
  phase === "latency" ? metric.replace(/^.*, /, "") : metric;

/** The figures of several runs. */
export class Results {
  private readonly byKey: readonly ReadonlyMap<string, number>[];

  constructor(readonly runs: readonly Run[]) {
    this.byKey = runs.map(({ figures }) => {
      const values = new Map<string, number>();
      for (const figure of figures) values.set(keyOf(figure), figure.value);
      for (const [key, value] of sums(figures)) values.set(key, value);
      return values;
    });
  }

  /** Each run's value, where it has one. */
  values(system: string, phase: string, workload: string | undefined, metric: string): (number | undefined)[] {
    return this.byKey.map((values) => values.get(keyOf({ system, phase, workload, metric })));
  }

  median(system: string, phase: string, workload: string | undefined, metric: string): number | undefined {
    return median(this.values(system, phase, workload, metric));
  }

  /** The median of our value over a peer's in the same run. */
  ratio(peer: string, phase: string, workload: string, metric: string): number | undefined {
    const theirs = this.values(peer, phase, workload, metric);
    return median(
      this.values(ours, phase, workload, metric).map((value, run) => {
        const their = theirs[run];
        return value === undefined || their === undefined ? undefined : value / their;
      }),
    );
  }

  /** All different figures, each once, in the order in which they were measured. */
  distinct(filter: (figure: Figure) => boolean): Figure[] {
    const seen = new Map<string, Figure>();
    for (const figure of this.runs.flatMap(({ figures }) => figures).filter(filter)) {
      if (!seen.has(keyOf(figure))) seen.set(keyOf(figure), figure);
    }
    return [...seen.values()];
  }
}

export const cpuPrefix = "CPU for 1,000 changes: ";

const keyOf = ({
  system,
  phase,
  workload,
  metric,
}: Pick<Figure, "system" | "phase" | "metric"> & { workload?: string | undefined }) =>
  [system, phase, workload ?? "", shortMetric(phase, metric)].join(" | ");

/** Figures that are sums of others: what the whole chain uses, and the whole log. */
function sums(figures: readonly Figure[]): Map<string, number> {
  const summed = new Map<string, number>();
  const prefixes = {
    [cpuPrefix]: "CPU",
    "memory after the drain: ": "memory",
    "bytes per change: rows in the log": "log",
    "bytes per change: indexes of the log": "log",
  };
  for (const figure of figures) {
    if (figure.phase !== "drain" || figure.metric.endsWith("everything else on the machine")) continue;
    const [, sum] = Object.entries(prefixes).find(([start]) => figure.metric.startsWith(start)) ?? [];
    if (!sum) continue;
    const key = keyOf({ ...figure, metric: sum });
    summed.set(key, (summed.get(key) ?? 0) + figure.value);
  }
  return summed;
}

export function median(values: readonly (number | undefined)[]): number | undefined {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return undefined;
  return sorted.length % 2 ? sorted[middle] : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** A workload as people call it; empty where there is none. */
export const titleOf = (name: string | undefined) =>
  workloads(1).find((workload) => workload.name === name)?.title ?? name ?? "";
