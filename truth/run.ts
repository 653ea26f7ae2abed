import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, isBuilt } from "../local/machine/build";
import type { Part } from "./kinds";
import { runSeed, type SeedResult } from "./seed";
import { TruthSystem } from "./system";

export interface TruthOptions {
  /** The first seed; those after it follow by one. */
  readonly seed: number;
  /** Ends after so many seeds. Default: {@link minutes} decides. */
  readonly seeds?: number;
  /** Begins no seed after this time. Default: {@link seeds} decides. */
  readonly minutes?: number;
  /** Steps of each seed. Default 120. */
  readonly steps?: number;
  /** Parts to leave out. Default: none. */
  readonly without?: readonly Part[];
  /** End with the first seed that fails, and keep data, the processes' logs and the statements. Default false. */
  readonly keep?: boolean;
  readonly report?: (event: TruthEvent) => void;
  /** Begins no seed once it is aborted. */
  readonly signal?: AbortSignal;
}

/** What a run tells while it goes on. */
export type TruthEvent =
  | { readonly kind: "impossible"; readonly part: Part; readonly why: string }
  | { readonly kind: "started"; readonly seconds: number }
  | { readonly kind: "seed"; readonly result: SeedResult };

export interface TruthResult {
  readonly seeds: readonly SeedResult[];
  readonly minutes: number;
  /** What kept the run from going on. */
  readonly broken?: { readonly seed: number; readonly reason: string };
  /** Where data, logs and statements are, when they were kept. */
  readonly folder?: string;
}

const defaultSteps = 120;

/** Starts the pipeline, and runs seeds on it one after another, each on tables of its own. */
export async function runTruth(options: TruthOptions): Promise<TruthResult> {
  if (!isBuilt()) await build();
  const begun = Date.now();
  const folder = mkdtempSync(join(tmpdir(), "cdc-audit-truth-"));
  const system = await TruthSystem.start(folder);
  options.report?.({ kind: "started", seconds: (Date.now() - begun) / 1000 });
  const without = new Set(options.without ?? []);
  if (!system.clock && !without.has("clock-steps")) {
    const why = "the clock of one process can't be shifted here: that needs Linux and a C compiler";
    options.report?.({ kind: "impossible", part: "clock-steps", why });
    without.add("clock-steps");
  }
  mkdirSync(join(folder, "statements"));
  const seeds: SeedResult[] = [];
  let broken: TruthResult["broken"];
  const { keep = false } = options;
  const isWrong = ({ differences }: SeedResult) => differences.length > 0;
  const isOver = () =>
    options.signal?.aborted === true ||
    (keep && seeds.some(isWrong)) ||
    (options.seeds !== undefined && seeds.length >= options.seeds) ||
    (options.minutes !== undefined && Date.now() - begun >= options.minutes * 60_000);
  while (!broken && !isOver()) {
    const seed = options.seed + seeds.length;
    const scriptFile = join(folder, "statements", `${seed}.sql`);
    try {
      const result = await runSeed(system, {
        seed,
        without,
        steps: options.steps ?? defaultSteps,
        scriptFile,
        keep,
      });
      seeds.push(result);
      if (isWrong(result))
        writeFileSync(join(folder, "statements", `${seed}.differences`), result.differences.join("\n"));
      options.report?.({ kind: "seed", result });
    } catch (error) {
      broken = { seed, reason: (error as Error).stack ?? String(error) };
    }
  }
  const isKept = keep && (broken !== undefined || seeds.some(isWrong));
  await system.stop(isKept);
  return {
    seeds,
    minutes: (Date.now() - begun) / 60_000,
    ...(broken ? { broken } : {}),
    ...(isKept ? { folder } : {}),
  };
}
