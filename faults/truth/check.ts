import { setTimeout as sleep } from "node:timers/promises";
import { withClient } from "../../local/servers/database-client";
import { topicEndOffsets } from "../../local/servers/topics";
import { deadLetterOrigins } from "../injection/poison";
import type { System } from "../system";
import { workloadTables } from "../workload";
import { compareOnceComplete, compareStretch, eventsSince, isExact, type Comparison, type Stretch } from "./comparison";
import { connectTables, sourceTablesSchema } from "./oracle";
import { compareTable } from "./tables";

/** How long the log may take to match the truth once a part has given up; the run has failed by then in any case. */
const afterGivingUpMilliseconds = 60_000;

/** What a check found out. */
export interface Checked {
  readonly comparison: Comparison;
  /** Seconds from the end of the last fault until the log equalled the truth, or until it was given up. */
  readonly seconds: number;
  readonly problems: readonly string[];
}

interface LogState {
  /** Undefined while events are missing. */
  readonly comparison: Comparison | undefined;
  readonly problems: string[];
}

/** Compares the log of a system under fault with the truth, a stretch at a time, and adds up what is not right. */
export class TruthCheck {
  readonly found = { lost: 0, doubled: 0, wrong: 0 };
  private readonly stretches: Stretch[] = [];
  private boundary = { id: 0n, time: "-infinity" };
  /** Records of the dead-letter topic, and how many had been poisoned, when the two were last found equal. */
  private matchedDeadLetters = { letters: 0, poisoned: 0 };

  /** @param patienceMilliseconds that the log may take to equal the truth. */
  constructor(
    private readonly system: System,
    private readonly patienceMilliseconds: number,
  ) {}

  /**
   * Waits until every part is back and the log equals the truth up to now; says what is wrong when that takes too long.
   * No transaction may be open.
   *
   * @param mended when the last fault ended; milliseconds since 1970.
   * @param exitsBefore how many exits of parts there had been before the faults.
   */
  async waitForTruth(mended: number, exitsBefore: number): Promise<Checked> {
    let deadline = Date.now() + this.patienceMilliseconds;
    const stretch = await this.nextStretch(deadline);
    let state: LogState = { comparison: undefined, problems: [] };
    let gaveUp: string[] = [];
    let checkedAt = 0;
    for (;;) {
      state = await this.look(stretch, state.comparison);
      if (state.comparison && isExact(state.comparison) && state.problems.length === 0 && this.system.settled) break;
      if (gaveUp.length === 0 && Date.now() - checkedAt > 5_000) {
        checkedAt = Date.now();
        gaveUp = [...this.system.standInExits(exitsBefore), ...(await this.system.failedTasks())];
        // Later arrivals show whether anything was lost for good.
        if (gaveUp.length > 0) deadline = Math.min(deadline, Date.now() + afterGivingUpMilliseconds);
      }
      if (Date.now() > deadline) {
        state.problems.push(
          `The log did not equal the truth within ${this.patienceMilliseconds / 1000} s after the faults.`,
        );
        break;
      }
      await sleep(200);
    }
    if (gaveUp.length === 0) gaveUp = this.system.standInExits(exitsBefore);
    let { comparison } = state;
    const { problems } = state;
    if (!comparison || !isExact(comparison)) {
      comparison = await this.compare(stretch);
      problems.push(...this.count(comparison));
    }
    return { comparison, seconds: (Date.now() - mended) / 1000, problems: [...gaveUp, ...problems] };
  }

  /** The state of the log now; `last` is the comparison before, which stays when none can be made. */
  private async look(stretch: Stretch, last: Comparison | undefined): Promise<LogState> {
    let comparison = last;
    try {
      comparison = await withClient(this.system.pipeline.destination, (client) => compareOnceComplete(client, stretch));
      return { comparison, problems: comparison && isExact(comparison) ? await this.deadLetterProblems() : [] };
    } catch (error) {
      // Something is still on its way up.
      return { comparison, problems: [(error as Error).message] };
    }
  }

  /** Events beyond the truth anywhere in the log, such as a late second copy of an old change. */
  async surplus(): Promise<string[]> {
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

  /** Compares all stretches again: nothing that happened later may have changed what was right before. */
  async compareAgain(): Promise<string[]> {
    const problems: string[] = [];
    for (const stretch of this.stretches) {
      const comparison = await this.compare(stretch);
      if (isExact(comparison)) continue;
      problems.push("What was right before has changed:", ...this.count(comparison));
    }
    return problems;
  }

  /** What the log tells that tables hold now and they do not, of those that have a key. No transaction may be open. */
  async tables(): Promise<string[]> {
    const tables = await this.system.querySource<{ schema: string; table: string; key: string[] }>(
      `SELECT nspname AS schema, relname AS table,
              (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
               WHERE attrelid = indrelid AND attnum = ANY (indkey)) AS key
       FROM pg_index JOIN pg_class ON pg_class.oid = indrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
       WHERE indisprimary AND (nspname, relname) IN (SELECT * FROM unnest($1::text[], $2::text[]))
       ORDER BY relname`,
      [workloadTables.map(({ schema }) => schema), workloadTables.map(({ table }) => table)],
    );
    return withClient(this.system.pipeline.destination, async (client) => {
      const problems: string[] = [];
      for (const schema of new Set(tables.map((each) => each.schema))) {
        await connectTables(client, schema);
        for (const { table, key } of tables.filter((each) => each.schema === schema)) {
          const relation = `${sourceTablesSchema}.${client.escapeIdentifier(table)}`;
          const name = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(table)}`;
          problems.push(...(await compareTable(client, { name, relation, key })));
        }
      }
      this.found.wrong += problems.length;
      return problems;
    });
  }

  /** Adds up the differences, and returns their lines. */
  private count({ lost, doubled, wrong, differences }: Comparison): readonly string[] {
    this.found.lost += lost;
    this.found.doubled += doubled;
    this.found.wrong += wrong;
    return differences;
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

  private compare(stretch: Stretch): Promise<Comparison> {
    return withClient(this.system.pipeline.destination, (client) => compareStretch(client, stretch));
  }

  /** Exactly the poisoned records must be dead letters. */
  private async deadLetterProblems(): Promise<string[]> {
    const { pipeline, poisoned } = this.system;
    const ends = await topicEndOffsets(pipeline.bootstrapServers, pipeline.topics.deadLetter.name);
    const count = ends.reduce((sum, end) => sum + Number(end), 0);
    if (count === this.matchedDeadLetters.letters && this.matchedDeadLetters.poisoned === poisoned.length) return [];
    const origins = await deadLetterOrigins(pipeline);
    const expected = new Set(poisoned);
    const missing = poisoned.filter((place) => !origins.has(place));
    const surplus = [...origins].filter((place) => !expected.has(place));
    if (missing.length + surplus.length === 0) {
      this.matchedDeadLetters = { letters: count, poisoned: poisoned.length };
      return [];
    }
    return [
      ...missing.map((place) => `The poisoned record ${place} is no dead letter.`),
      ...surplus.map((place) => `The record ${place} is a dead letter though nothing is wrong with it.`),
    ];
  }
}
