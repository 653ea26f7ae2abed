import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { dirname } from "node:path";

/** One measured figure. */
export interface Figure {
  /** What was measured: the pipeline, a peer, or the part named by the phase. */
  readonly system: string;
  readonly phase: string;
  /** The workload's name, where there is one. */
  readonly workload?: string;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: Goal;
}

/** What a figure should be. Goals that are ratios between systems are in the report. */
export type Goal = { readonly atMost: number } | { readonly atLeast: number };

export const meets = (value: number, goal: Goal): boolean =>
  "atMost" in goal ? value <= goal.atMost : value >= goal.atLeast;

export const goalText = (goal: Goal): string =>
  "atMost" in goal ? `≤ ${goal.atMost.toLocaleString("en")}` : `≥ ${goal.atLeast.toLocaleString("en")}`;

/** One run, as it is written to a file. */
export interface Run {
  readonly startedAt: string;
  readonly machine: {
    readonly processors: string;
    readonly memoryGibibytes: number;
    readonly kernel: string;
    readonly node: string;
    /** Load average of the minute before the run: other work on the machine. */
    readonly loadBefore: number;
    /** The server; runs before it was recorded lack it. */
    readonly postgres?: {
      readonly version: string;
      /** Whether it can compress large values with lz4, as Aurora does. */
      readonly lz4: boolean;
    };
  };
  readonly writer: string;
  readonly quick: boolean;
  readonly scale: number;
  /** How sustained rates were found. Runs without it let the writer go as fast as it could, and held it. */
  readonly sustained?: "search";
  readonly figures: readonly Figure[];
  /** What was asked for and did not run, with the reason. */
  readonly failures: readonly { readonly what: string; readonly reason: string }[];
}

export function thisMachine(): Run["machine"] {
  return {
    processors: `${cpus().length} × ${cpus()[0]?.model.trim()}`,
    memoryGibibytes: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    loadBefore: loadavg()[0] ?? Number.NaN,
  };
}

/** Collects figures and shows each as it comes. */
export class Recorder {
  readonly figures: Figure[] = [];
  readonly failures: { what: string; reason: string }[] = [];
  private heading = "";

  record(figure: Figure): void {
    this.figures.push(figure);
    const { system, phase, workload, metric, value, unit, goal } = figure;
    const heading = [system, phase, workload].filter(Boolean).join(" · ");
    if (heading !== this.heading) console.log(`\n${heading}`);
    this.heading = heading;
    const verdict = goal ? `  (goal ${goalText(goal)}: ${meets(value, goal) ? "met" : "MISSED"})` : "";
    console.log(`  ${metric.padEnd(58)} ${shown(value).padStart(10)} ${unit}${verdict}`);
  }

  /** Records several figures of one measurement. */
  recordAll(
    of: Pick<Figure, "system" | "phase" | "workload">,
    figures: readonly Omit<Figure, keyof typeof of>[],
  ): void {
    for (const figure of figures) this.record({ ...of, ...figure });
  }

  /** Says that there is no figure, and why. */
  notMeasured(what: string, reason: string): void {
    this.failures.push({ what, reason });
    console.error(`\n${what}: not measured: ${reason}`);
  }

  /** Runs a measurement whose failure must not end the others; a failure is reported as such. */
  async attempt(what: string, measure: () => Promise<void>): Promise<void> {
    try {
      await measure();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.failures.push({ what, reason });
      console.error(`\n${what} FAILED: ${reason}`);
    }
  }
}

/** A number as people read it. */
export function shown(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

/** Ends a run: writes it to a file where one is named, and says which goals it missed and what was not measured. */
export function conclude(
  run: Omit<Run, "figures" | "failures">,
  { figures, failures }: Recorder,
  file: string | undefined,
): void {
  if (file) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify({ ...run, figures, failures } satisfies Run, undefined, 1) + "\n");
  }
  const judged = figures.filter(({ goal }) => goal);
  const missed = judged.filter(({ goal, value }) => goal && !meets(value, goal));
  const met = judged.length === 0 ? "No goal was measured." : `Every goal that was measured was met: ${judged.length}.`;
  console.log(`\n${missed.length === 0 ? met : `Missed: ${missed.map(({ metric }) => metric).join("; ")}`}`);
  for (const { what, reason } of failures) console.log(`Not measured: ${what} (${reason})`);
  if (failures.length > 0) process.exitCode = 1;
}
