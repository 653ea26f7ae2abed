import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build, isBuilt } from "../local/machine/build";
import { MemoryWatch } from "./memory";
import { planStep, possibleFaults, type PlannedStep } from "./plan";
import type { FaultRunResult, RunEvent, StepResult } from "./results";
import { System } from "./system";
import { TruthCheck } from "./truth/check";
import { Workload } from "./workload";

export interface FaultRunOptions {
  readonly seed: number;
  /** Index of the first step; steps before it are left out. Default 0. */
  readonly from?: number;
  /** Ends after this many faults. Default: {@link minutes} decides. */
  readonly faults?: number;
  /** Does not end before this many changes were written, spread over the faults. Default 0. */
  readonly changes?: number;
  /** Ends after the step in which this time is over. Default: {@link faults} decides. */
  readonly minutes?: number;
  /** Rows changed a second while no fault slows the writers. Default 2,500. */
  readonly rate?: number;
  /** Factor for the durations of faults. Default 1. */
  readonly pace?: number;
  /** Only faults whose name matches this regular expression. Default: all. */
  readonly only?: string;
  /** Seconds after a step until the log must equal the truth. Default 240. */
  readonly patience?: number;
  /** Keep processes' logs and data of a run that failed. Default false. */
  readonly keep?: boolean;
  readonly report?: (event: RunEvent) => void;
  /** Ends the run after the step that is under way. */
  readonly signal?: AbortSignal;
}

/** Steps between two counts of the whole log. */
const totalsEvery = 10;
/** Transactions that every step must have after its faults. */
const fewestTransactions = 20;
/** Length of a step without faults. */
const quietStepMilliseconds = 10_000;

/** Starts the pipeline, injects faults while writers write, and compares the log with the truth after each. */
export async function runFaults(options: FaultRunOptions): Promise<FaultRunResult> {
  if (!isBuilt()) await build();
  const run = new FaultRun(options, mkdtempSync(join(tmpdir(), "cdc-audit-faults-")));
  return run.execute();
}

class FaultRun {
  private readonly begun = Date.now();
  private readonly planned: ReturnType<typeof possibleFaults>;
  private readonly steps: StepResult[] = [];
  private readonly problems: string[] = [];
  private system!: System;
  private workload!: Workload;
  private memory!: MemoryWatch;
  private truth!: TruthCheck;
  private faultsInjected = 0;
  private changes = 0;
  private index: number;

  constructor(
    private readonly options: FaultRunOptions,
    private readonly folder: string,
  ) {
    this.planned = possibleFaults(options.only);
    this.index = options.from ?? 0;
    if (this.planned.possible.length === 0 && options.faults !== 0)
      throw new Error(`No fault is left to inject: none that is possible here matches ${options.only}.`);
  }

  async execute(): Promise<FaultRunResult> {
    for (const each of this.planned.impossible) this.options.report?.({ kind: "impossible", ...each });
    this.system = await System.start(this.folder);
    this.options.report?.({ kind: "started", seconds: (Date.now() - this.begun) / 1000 });
    this.memory = new MemoryWatch(this.system);
    this.truth = new TruthCheck(this.system, this.patienceMilliseconds);
    this.workload = new Workload({
      connection: this.system.writerConnection,
      seed: this.options.seed,
      rate: this.options.rate ?? 2_500,
    });
    try {
      await this.workload.start();
      while (this.problems.length === 0 && !this.finished()) {
        await this.step(planStep(this.options.seed, this.index, this.planned.possible, this.options.pace ?? 1));
        this.index += 1;
      }
      if (this.problems.length === 0) await this.checkEverything();
    } catch (error) {
      this.problems.push(`The run itself failed: ${(error as Error).stack}`);
    } finally {
      this.memory.stop();
      await this.workload.stop();
      await this.system.stop({ keepFiles: this.problems.length > 0 && this.options.keep === true });
    }
    return this.result();
  }

  private finished(): boolean {
    const { faults, minutes, signal } = this.options;
    if (signal?.aborted) return true;
    if (minutes !== undefined && Date.now() - this.begun >= minutes * 60_000) return true;
    if (faults === undefined || this.faultsInjected < faults) return false;
    return this.changes >= (this.options.changes ?? 0) && (minutes === undefined || faults > 0);
  }

  /** Faults, then writing until the step has its share of changes, then a pause in which the log must catch up. */
  private async step(step: PlannedStep): Promise<void> {
    const { random } = step;
    const exitsBefore = this.system.exits.length;
    const faults = this.options.faults === 0 ? [] : step.faults;
    await sleep(random.number(300, 1_200));
    const begin = new Date().toISOString();
    const told = await Promise.all(
      faults.map(async ({ fault, seconds }) => {
        const detail = await fault.happen(this.system, seconds, random);
        return `${fault.name} (${seconds.toFixed(1)} s${detail ? `, ${detail}` : ""})`;
      }),
    );
    const mended = Date.now();
    this.faultsInjected += faults.length;
    const flowing = this.flowing(begin, mended);
    await this.writeShare();
    await this.workload.pause();
    const checked = await this.truth.waitForTruth(mended, exitsBefore);
    const flowResumed = await flowing;
    const { changes } = checked.comparison;
    this.changes += changes;
    const exits = this.system.exits.slice(exitsBefore).map(({ description }) => description);
    const problems = [...checked.problems];
    if (problems.length === 0) problems.push(...this.system.standInExits(exitsBefore));
    if (this.steps.length % totalsEvery === totalsEvery - 1) problems.push(...(await this.truth.surplus()));
    const result: StepResult = {
      index: step.index,
      faults: told,
      changes,
      flowResumed,
      complete: checked.seconds,
      exits,
    };
    this.steps.push(result);
    this.options.report?.({ kind: "step", result });
    this.problems.push(...problems);
    this.workload.proceed();
  }

  /** Until something was written after the faults and this step has its share of the changes. */
  private async writeShare(): Promise<void> {
    if (this.options.faults === 0) return void (await sleep(quietStepMilliseconds));
    const { faults = 0, changes = 0 } = this.options;
    const goal = faults > 0 ? Math.ceil((changes * this.faultsInjected) / faults) : changes;
    const transactions = this.workload.transactions + fewestTransactions;
    const deadline = Date.now() + this.patienceMilliseconds;
    const enough = () => this.workload.transactions >= transactions && this.workload.changes >= goal;
    while (!enough() && Date.now() < deadline) await sleep(50);
  }

  /** Seconds until the log holds an event that was committed after the faults began. */
  private async flowing(begin: string, mended: number): Promise<number> {
    const deadline = mended + this.patienceMilliseconds;
    while (Date.now() < deadline) {
      const rows = await this.system
        .queryDestination<{ flows: boolean }>(
          "SELECT EXISTS (SELECT FROM audit.events WHERE committed_at > $1) AS flows",
          [begin],
        )
        .catch(() => []);
      if (rows[0]?.flows) break;
      await sleep(100);
    }
    return (Date.now() - mended) / 1000;
  }

  private get patienceMilliseconds(): number {
    return (this.options.patience ?? 240) * 1000;
  }

  /** The changes since the last step, once more all that were compared before, and what the log makes of them all. */
  private async checkEverything(): Promise<void> {
    this.options.report?.({ kind: "checking" });
    await this.workload.pause();
    const { comparison, problems } = await this.truth.waitForTruth(Date.now(), this.system.exits.length);
    this.changes += comparison.changes;
    this.problems.push(...problems, ...(await this.truth.surplus()), ...(await this.truth.compareAgain()));
    if (this.problems.length === 0) this.problems.push(...(await this.truth.tables()));
  }

  private result(): FaultRunResult {
    const longest = (of: (step: StepResult) => number) =>
      this.steps.reduce(
        (most, step) => (of(step) > most.seconds ? { seconds: of(step), after: step.faults.join(" and ") } : most),
        { seconds: 0, after: "" },
      );
    const restarts: Record<string, number> = {};
    for (const { part } of this.system.exits) restarts[part] = (restarts[part] ?? 0) + 1;
    const memory = this.memory.courses();
    // After an outage a part may need more for its backlog, so only a steady load shows whether memory grows.
    const growing = memory.filter(({ flat }) => this.options.faults === 0 && flat === false);
    const problems = [...this.problems, ...growing.map(({ part }) => `The memory of the ${part} grew over the run.`)];
    return {
      seed: this.options.seed,
      minutes: (Date.now() - this.begun) / 60_000,
      faultsInjected: this.faultsInjected,
      changes: this.changes,
      transactions: this.workload.transactions,
      deadLetters: this.system.poisoned.length,
      ...this.truth.found,
      longestGap: longest(({ flowResumed }) => flowResumed),
      longestCatchUp: longest(({ complete }) => complete),
      restarts,
      memory,
      steps: this.steps,
      impossible: this.planned.impossible,
      ...(problems.length > 0
        ? {
            failure: {
              index: this.steps.at(-1)?.index ?? this.index,
              problems,
              ...(this.options.keep ? { folder: this.folder } : {}),
            },
          }
        : {}),
    };
  }
}
