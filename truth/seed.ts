import { appendFileSync, writeFileSync } from "node:fs";
import type { Client } from "pg";
import { Random } from "../faults/random";
import type { Part } from "./kinds";
import { differencesAt, differencesNow, type Moment, noteMoment, prepareNoting } from "./moments";
import { Session } from "./session";
import { keySteps } from "./steps/keys";
import { partitionSteps, truncateSteps } from "./steps/partitions";
import { renameSteps } from "./steps/renames";
import { rowSteps } from "./steps/rows";
import { shapeSteps, swapSteps } from "./steps/shapes";
import type { TruthSystem } from "./system";
import { createTables, keptSchema, sqlName } from "./tables";
import { type Step, World } from "./world";

/** What a seed does. */
export interface SeedOptions {
  readonly seed: number;
  readonly without: ReadonlySet<Part>;
  /** Steps to take. */
  readonly steps: number;
  /** Where the statements are written, to be read or run again. */
  readonly scriptFile: string;
  /** Whether to leave the tables of a seed of which the log told something else. */
  readonly keep: boolean;
}

/** What came of a seed. */
export interface SeedResult {
  readonly seed: number;
  readonly seconds: number;
  readonly tables: number;
  /** Moments that were compared besides the end. */
  readonly moments: number;
  /** How often each step was taken, by title, and how often it was refused. */
  readonly taken: Readonly<Record<string, { readonly done: number; readonly refused: number }>>;
  /** Empty when the log told the truth. */
  readonly differences: readonly string[];
}

const sessions = 3;
const moments = 10;
/** Longest step back of the clock, in seconds. It takes away the moments that were noted so shortly before. */
const longestStepBack = 0.6;
const stepsSetBack: readonly [number, number] = [3, 8];

const allSteps: readonly Step[] = [
  ...rowSteps,
  ...keySteps,
  ...partitionSteps,
  ...truncateSteps,
  ...renameSteps,
  ...shapeSteps,
  ...swapSteps,
];

/** The parts of a run that some steps belong to, by the steps' titles. The others come with every seed. */
export const partsOfSteps: ReadonlyMap<string, Part> = new Map(
  allSteps.flatMap(({ title, part }) => (part === undefined ? [] : [[title, part] as const])),
);

/** Runs one seed on a running system, and compares what the log tells with what the tables held. */
export async function runSeed(system: TruthSystem, options: SeedOptions): Promise<SeedResult> {
  const client = await system.connect();
  try {
    await prepareNoting(client);
    writeFileSync(options.scriptFile, `-- seed ${options.seed}\n`);
    return await new SeedRun(system, client, options).execute();
  } finally {
    system.clock?.shift(0);
    await client.end();
  }
}

class SeedRun {
  private readonly random: Random;
  private readonly suffix: string;
  private readonly steps: readonly Step[];
  private readonly noted: Moment[] = [];
  private readonly taken: Record<string, { done: number; refused: number }> = {};
  private world!: World;
  /** The step at which a clock that was set back is right again. */
  private clockRightAt: number | undefined;

  constructor(
    private readonly system: TruthSystem,
    private readonly client: Client,
    private readonly options: SeedOptions,
  ) {
    this.random = Random.of(options.seed, 0);
    this.suffix = `_s${options.seed}`;
    this.steps = allSteps.filter(({ part }) => part === undefined || !options.without.has(part));
  }

  async execute(): Promise<SeedResult> {
    const begun = performance.now();
    await this.prepare();
    // Drawn before anything else, so that leaving parts out moves neither.
    const planned = Random.of(this.options.seed, 1);
    const load = Math.floor(planned.number(0.35, 0.65) * this.options.steps);
    const clockSteps = new Set(
      [0.2, 0.75].map((share) => Math.floor((share + planned.number(0, 0.1)) * this.options.steps)),
    );
    const every = this.options.steps / moments;
    for (let index = 0; index < this.options.steps; index += 1) {
      this.note(`-- step ${index}`);
      if (clockSteps.has(index) && this.does("clock-steps")) this.setClockBack(index);
      if (index === this.clockRightAt) this.setClockRight();
      if (index === load && this.does("loads")) await this.loseSlot();
      else await this.take(this.steps);
      if (Math.floor((index + 1) / every) > Math.floor(index / every) && this.clockRightAt === undefined) {
        await this.noteMoment(index);
      }
    }
    this.setClockRight();
    for (const session of this.world.sessions) await session.end(this.random.chance(0.8));
    const differences = await this.compare();
    const tables = this.world.tables.length;
    if (differences.length === 0 || !this.options.keep) await this.clean();
    return {
      seed: this.options.seed,
      seconds: (performance.now() - begun) / 1000,
      tables,
      moments: this.noted.length,
      taken: this.taken,
      differences,
    };
  }

  private does(part: Part): boolean {
    return !this.options.without.has(part);
  }

  private async prepare(): Promise<void> {
    const count = this.does("overlaps") ? sessions : 1;
    const opened: Session[] = [];
    for (let number = 1; number <= count; number += 1) {
      opened.push(await Session.open(number, this.system.application, (text) => this.note(text)));
    }
    this.world = new World(this.random, this.suffix, opened, this.client, this.does("savepoints"));
    for (const sql of createTables(this.suffix, this.does("partitions"))) {
      await (opened[0] as Session).transaction([sql]);
    }
    await this.world.refresh();
  }

  private note(text: string): void {
    appendFileSync(this.options.scriptFile, `${text}\n`);
  }

  private async take(steps: readonly Step[]): Promise<void> {
    const step = this.random.weighted(steps);
    this.note(`-- ${step.title}`);
    const refused = await step.take(this.world);
    if (refused) this.note(`-- refused: ${refused}`);
    const counts = (this.taken[step.title] ??= { done: 0, refused: 0 });
    counts[refused === undefined ? "done" : "refused"] += 1;
  }

  private async noteMoment(step: number): Promise<void> {
    const moment = await noteMoment(this.client, this.suffix, step, (table) => this.world.forgotten(table));
    this.note(`-- noted at ${moment.time}`);
    this.noted.push(moment);
  }

  /** A time then means two moments: those that come again are not asked for. */
  private setClockBack(step: number): void {
    const { clock } = this.system;
    if (!clock) return;
    const seconds = this.random.number(0.1, longestStepBack);
    clock.shift(-seconds);
    const again = Date.now() - seconds * 1000;
    this.noted.splice(0, this.noted.length, ...this.noted.filter(({ at }) => at < again));
    this.clockRightAt = step + this.random.integer(...stepsSetBack);
    this.note(`-- the clock is set back by ${seconds.toFixed(3)} s`);
  }

  private setClockRight(): void {
    if (this.clockRightAt === undefined) return;
    this.system.clock?.shift(0);
    this.clockRightAt = undefined;
    this.note("-- the clock is right again");
  }

  private async loseSlot(): Promise<void> {
    this.setClockRight();
    // Whoever reads a table for the load holds it, so that nothing changes its shape.
    const rows = this.steps.filter(({ isDdl }) => isDdl !== true);
    const takeSome = async (count: number) => {
      for (let taken = 0; taken < count; taken += 1) await this.take(rows);
      for (const session of this.world.sessions) await session.end(this.random.chance(0.8));
    };
    this.note("-- nobody captures");
    await this.system.loseSlot(
      this.client,
      () => takeSome(this.random.integer(2, 6)),
      async () => {
        this.note("-- a full load begins");
        for (let round = 0; round < 6; round += 1) await takeSome(4);
      },
    );
    this.note("-- the full load is over");
  }

  private async compare(): Promise<string[]> {
    const { world, client } = this;
    await this.system.waitForLog(client);
    await world.refresh();
    const now = await differencesNow(client, world.relations, (table) => world.forgotten(table), world.names);
    const differences = now.map((line) => `at the end: ${line}`);
    for (const moment of this.noted) {
      for (const line of await differencesAt(client, moment, world.names)) {
        differences.push(`after step ${moment.step}, at ${moment.time}: ${line}`);
      }
    }
    return differences;
  }

  /** Takes the seed's tables away, so that later seeds are not slowed. */
  private async clean(): Promise<void> {
    const { world, client } = this;
    const [session] = world.sessions as [Session];
    if (world.tables.length > 0) {
      await session.transaction([`DROP TABLE ${world.tables.map(sqlName).join(", ")} CASCADE`]);
    }
    await session.transaction([
      "DO $$ BEGIN ALTER SCHEMA truth_renamed RENAME TO truth; EXCEPTION WHEN OTHERS THEN NULL; END $$",
    ]);
    for (const each of world.sessions) await each.close();
    const { rows } = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = $1`,
      [keptSchema],
    );
    if (rows.length > 0) await client.query(`DROP TABLE ${rows.map(({ name }) => name).join(", ")}`);
  }
}
