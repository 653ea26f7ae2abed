import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build, isBuilt } from "../local/machine/build";
import { withClient } from "../local/servers/database-client";
import { topicEndOffsets } from "../local/servers/topics";
import { MemoryWatch, type MemoryCourse } from "./memory";
import { planStep, possibleFaults, type PlannedStep } from "./plan";
import { deadLetterOrigins } from "./injection/poison";
import { System } from "./system";
import { compareStretch, eventsSince, isExact, type Comparison, type Stretch } from "./truth/comparison";
import { Workload } from "./workload";

/** How long the log may take to come true once a part has given up; the run has failed by then, whatever comes of it. */
const afterGivingUpMilliseconds = 60_000;

export interface FaultRunOptions {
  readonly seed: number;
  /** Index of the first step; steps before it are left out. Default 0. */
  readonly from?: number;
  /** Ends after this many faults. Default: {@link minutes} decides. */
  readonly faults?: number;
  /** Ends not before so many changes were written; spread over the faults. Default 0. */
  readonly changes?: number;
  /** Ends when this time is over, the step that runs then included. Default: {@link faults} decides. */
  readonly minutes?: number;
  /** Rows changed a second while nothing hinders the writers. Default 2,500. */
  readonly rate?: number;
  /** What the durations of faults are multiplied with. Default 1. */
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

export interface StepResult {
  readonly index: number;
  /** What happened, in words. */
  readonly faults: readonly string[];
  readonly changes: number;
  /** Seconds from the end of the last fault to the first event committed since, and to the last one. */
  readonly flowResumed: number;
  readonly complete: number;
  /** Parts that ended though no fault ended them. */
  readonly exits: readonly string[];
}

export type RunEvent =
  | { readonly kind: "impossible"; readonly name: string; readonly why: string }
  | { readonly kind: "started"; readonly seconds: number }
  | { readonly kind: "step"; readonly result: StepResult }
  | { readonly kind: "checking" };

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

/** Steps between two counts of the whole log. */
const totalsEvery = 10;
/** Transactions that every step must have after its faults. */
const fewestTransactions = 20;
/** Length of a step without faults. */
const quietStepMilliseconds = 10_000;

/** Starts the pipeline, lets faults happen while writers write, and compares the log with the truth after each. */
export async function runFaults(options: FaultRunOptions): Promise<FaultRunResult> {
  if (!isBuilt()) await build();
  const run = new FaultRun(options, mkdtempSync(join(tmpdir(), "cdc-audit-faults-")));
  return run.execute();
}

class FaultRun {
  private readonly begun = Date.now();
  private readonly planned: ReturnType<typeof possibleFaults>;
  private readonly stretches: Stretch[] = [];
  private readonly steps: StepResult[] = [];
  private readonly problems: string[] = [];
  private readonly found = { lost: 0, doubled: 0, wrong: 0 };
  private system!: System;
  private workload!: Workload;
  private memory!: MemoryWatch;
  private faultsInjected = 0;
  private changes = 0;
  /** Records of the dead-letter topic, and how many had been poisoned, when the two were found equal. */
  private deadLetters = 0;
  private deadLettersOf = 0;
  private boundary = { id: 0n, time: "-infinity" };
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

  /** Faults, then writing until the step has its share of changes, then a moment of silence in which the log must come true. */
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
    const { stretch, complete, problems } = await this.comeTrue(mended, exitsBefore);
    const flowResumed = await flowing;
    this.changes += stretch.changes;
    const exits = this.system.exits.slice(exitsBefore).map(({ description }) => description);
    if (problems.length === 0) problems.push(...this.standInExits(exitsBefore));
    if (this.steps.length % totalsEvery === totalsEvery - 1) problems.push(...(await this.surplus()));
    const result: StepResult = {
      index: step.index,
      faults: told,
      changes: stretch.changes,
      flowResumed,
      complete,
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

  /** Waits until every part is back and the log equals the truth; says what is wrong when that takes too long. */
  private async comeTrue(
    mended: number,
    exitsBefore: number,
  ): Promise<{ stretch: Comparison; complete: number; problems: string[] }> {
    let deadline = Date.now() + this.patienceMilliseconds;
    const stretch = await this.nextStretch(deadline);
    let comparison: Comparison | undefined;
    let problems: string[] = [];
    let gaveUp: string[] = [];
    let checkedAt = 0;
    for (;;) {
      try {
        comparison = await this.compareOnceThere(stretch);
        problems = comparison && isExact(comparison) ? await this.deadLetterProblems() : [];
        if (comparison && isExact(comparison) && problems.length === 0 && this.system.settled) break;
      } catch (error) {
        // Something is on its way up yet.
        problems = [(error as Error).message];
      }
      if (gaveUp.length === 0 && Date.now() - checkedAt > 5_000) {
        checkedAt = Date.now();
        gaveUp = [...this.standInExits(exitsBefore), ...(await this.system.failedTasks())];
        // Whoever starts it again shall see whether anything was lost for good.
        if (gaveUp.length > 0) deadline = Math.min(deadline, Date.now() + afterGivingUpMilliseconds);
      }
      if (Date.now() > deadline) {
        problems.push(`The log did not equal the truth within ${this.patienceMilliseconds / 1000} s after the faults.`);
        break;
      }
      await sleep(200);
    }
    if (gaveUp.length === 0) gaveUp = this.standInExits(exitsBefore);
    if (!comparison || !isExact(comparison)) {
      comparison = await this.compareNow(stretch);
      this.found.lost += comparison.lost;
      this.found.doubled += comparison.doubled;
      this.found.wrong += comparison.wrong;
      problems.push(...comparison.differences);
    }
    return { stretch: comparison, complete: (Date.now() - mended) / 1000, problems: [...gaveUp, ...problems] };
  }

  /** A DMS task that gives up is not started again by anybody. */
  private standInExits(exitsBefore: number): string[] {
    const exits = this.system.exits.slice(exitsBefore).filter(({ part }) => part === "DMS stand-in");
    return exits.slice(0, 1).map(({ description }) => description);
  }

  private get patienceMilliseconds(): number {
    return (this.options.patience ?? 240) * 1000;
  }

  /** From the last boundary to now, while no transaction is open. */
  private async nextStretch(deadline: number): Promise<Stretch> {
    for (;;) {
      try {
        const [row] = await this.system.querySource<{ id: string; time: string }>(
          "SELECT coalesce(max(id), 0) AS id, clock_timestamp()::text AS time FROM oracle.changes",
        );
        if (!row) throw new Error("The oracle does not answer.");
        const stretch = {
          after: this.boundary.id,
          upTo: BigInt(row.id),
          since: this.boundary.time,
          until: row.time,
        };
        this.boundary = { id: stretch.upTo, time: stretch.until };
        this.stretches.push(stretch);
        return stretch;
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await sleep(200);
      }
    }
  }

  /** Undefined while events are missing: counting is cheaper than comparing. */
  private async compareOnceThere(stretch: Stretch): Promise<Comparison | undefined> {
    return withClient(this.system.pipeline.destination, async (client) => {
      const { rows } = await client.query<{ count: string }>(
        "SELECT count(*) FROM oracle.changes WHERE id > $1 AND id <= $2",
        [stretch.after, stretch.upTo],
      );
      if ((await eventsSince(client, stretch.since)) < Number(rows[0]?.count)) return undefined;
      return compareStretch(client, stretch);
    });
  }

  private compareNow(stretch: Stretch): Promise<Comparison> {
    return withClient(this.system.pipeline.destination, (client) => compareStretch(client, stretch));
  }

  /** Exactly the poisoned records must be dead letters. */
  private async deadLetterProblems(): Promise<string[]> {
    const { pipeline, poisoned } = this.system;
    const ends = await topicEndOffsets(pipeline.bootstrapServers, pipeline.topics.deadLetter.name);
    const count = ends.reduce((sum, end) => sum + Number(end), 0);
    if (count === this.deadLetters && this.deadLettersOf === poisoned.length) return [];
    const origins = await deadLetterOrigins(pipeline);
    const expected = new Set(poisoned);
    const missing = poisoned.filter((place) => !origins.has(place));
    const surplus = [...origins].filter((place) => !expected.has(place));
    if (missing.length + surplus.length === 0) {
      this.deadLetters = count;
      this.deadLettersOf = poisoned.length;
      return [];
    }
    return [
      ...missing.map((place) => `The poisoned record ${place} is no dead letter.`),
      ...surplus.map((place) => `The record ${place} is a dead letter though nothing is wrong with it.`),
    ];
  }

  /** Events beyond the truth anywhere in the log, such as a late second copy of an old change. */
  private async surplus(): Promise<string[]> {
    const surplus = await withClient(this.system.pipeline.destination, async (client) => {
      const { rows } = await client.query<{ count: string }>("SELECT count(*) FROM oracle.changes");
      return (await eventsSince(client, "-infinity")) - Number(rows[0]?.count);
    });
    if (surplus === 0) return [];
    if (surplus > 0) this.found.doubled += surplus;
    else this.found.lost -= surplus;
    return [
      `The whole log has ${Math.abs(surplus)} row events ${surplus > 0 ? "more" : "fewer"} than there were changes.`,
    ];
  }

  /** The whole log once more: nothing that happened later may have touched what was right before. */
  private async checkEverything(): Promise<void> {
    this.options.report?.({ kind: "checking" });
    await this.workload.pause();
    const { stretch: rest, problems } = await this.comeTrue(Date.now(), this.system.exits.length);
    this.changes += rest.changes;
    this.problems.push(...problems, ...(await this.surplus()));
    for (const stretch of this.stretches) {
      const comparison = await this.compareNow(stretch);
      if (isExact(comparison)) continue;
      this.found.lost += comparison.lost;
      this.found.doubled += comparison.doubled;
      this.found.wrong += comparison.wrong;
      this.problems.push("What was right before has changed:", ...comparison.differences);
    }
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
      ...this.found,
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
