import { workloads } from "../load/workloads";
import type { Figure, Run } from "./results";

export const ours = "cdc-audit";
export const oldAndNew = "Debezium, old and new values";
export const newOnly = "Debezium, new values only";
/** Another build of ours. */
export const earlierName = (commit: string): string => `cdc-audit at ${commit}`;

/** What is compared between systems. */
export const comparisons = [
  { phase: "sustained", metric: "sustained rate", title: "Sustained rate", unit: "changes/s", better: "more" },
  { phase: "drain", metric: "drain rate", title: "Drain of a backlog", unit: "changes/s", better: "more" },
  { phase: "latency", metric: "p50", title: "Commit to table, p50", unit: "ms", better: "less" },
  { phase: "latency", metric: "p99", title: "Commit to table, p99", unit: "ms", better: "less" },
  { phase: "latency", metric: "max", title: "Commit to table, slowest", unit: "ms", better: "less" },
  { phase: "drain", metric: "CPU", title: "CPU of the whole chain", unit: "ms for 1,000 changes", better: "less" },
  {
    phase: "drain",
    metric: "CPU of what ships",
    title: "CPU of what ships",
    unit: "ms for 1,000 changes",
    better: "less",
  },
  { phase: "drain", metric: "log", title: "Rows and indexes of the log", unit: "B a change", better: "less" },
  { phase: "drain", metric: "memory", title: "Memory of the whole chain after a drain", unit: "MiB", better: "less" },
] as const;
export type Comparison = (typeof comparisons)[number];

/** Headings of what is measured without peers beside it. */
export const phaseTitles: Readonly<Record<string, string>> = {
  writer: "What the application pays",
  transformer: "The transformer alone",
  sink: "The sink alone",
  "sink against": "The sink alone, beside an earlier build",
  upgrade: "The log of an earlier build, upgraded while its sink writes",
  start: "Start and rest",
  restart: "Restart",
  outage: "Outage",
  growth: "A growing log",
  reading: "Reading a log of ten million events",
  review: "The reviewer's page over ten million events",
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

  /** The systems that were compared: ours, other builds of it, and the peers. */
  get systems(): string[] {
    const names = new Set(this.runs.flatMap(({ figures }) => figures.map(({ system }) => system)));
    return [ours, ...[...names].filter((name) => name.startsWith(earlierName(""))), oldAndNew, newOnly].filter((name) =>
      names.has(name),
    );
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

/** What a team would run besides its database and its Kafka: of ours the transformer and the sink, of a peer its Connect; and what they make the log's server do. */
const shippedParts = ["transformer", "Kafka Connect", "PostgreSQL, storing"];

/** Figures that are sums of others: what the whole chain uses, what of it ships, and the whole log. */
function sums(figures: readonly Figure[]): Map<string, number> {
  const summed = new Map<string, number>();
  const prefixes: readonly (readonly [start: string, sum: string])[] = [
    [cpuPrefix, "CPU"],
    ...shippedParts.map((part) => [cpuPrefix + part, "CPU of what ships"] as const),
    ["memory after the drain: ", "memory"],
    ["bytes per change: rows in the log", "log"],
    ["bytes per change: indexes of the log", "log"],
  ];
  for (const figure of figures) {
    if (figure.phase !== "drain" || figure.metric.endsWith("everything else on the machine")) continue;
    for (const [start, sum] of prefixes) {
      if (!figure.metric.startsWith(start)) continue;
      const key = keyOf({ ...figure, metric: sum });
      summed.set(key, (summed.get(key) ?? 0) + figure.value);
    }
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
