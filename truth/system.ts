import { chmodSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { ShiftedClock } from "../faults/injection/clock";
import { slotName } from "../local/parts/capture";
import { sampleUser } from "../local/parts/sample-database";
import { Pipeline } from "../local/pipeline";
import { keptSchema, schemas } from "./tables";

const marksSchema = "truth_marks";
/** So many that each partition of `audit.events` gets some. */
const marks = 64;
const patienceMilliseconds = 60_000;

/** The whole pipeline over empty schemas, the log in the same database, and the clock of its server in our hands. */
export class TruthSystem {
  private mark = 0;
  private readonly exits: string[] = [];

  private constructor(
    readonly pipeline: Pipeline,
    private readonly folder: string,
    /** Undefined where no clock can be shifted. */
    readonly clock: ShiftedClock | undefined,
  ) {}

  static async start(folder: string): Promise<TruthSystem> {
    // The server may run as another user, who must be able to enter.
    chmodSync(folder, 0o755);
    const clock = ShiftedClock.obstacle() ? undefined : ShiftedClock.create(folder);
    const pipeline = await Pipeline.prepare({
      folder,
      tables: [...schemas.map((schema) => ({ schema, table: "%" })), { schema: marksSchema, table: "marks" }],
      prepareSample: async (client) => {
        await client.query(`
          CREATE SCHEMA ${schemas[0]};
          CREATE SCHEMA ${schemas[1]};
          CREATE SCHEMA ${marksSchema};
          CREATE TABLE ${marksSchema}.marks (id integer PRIMARY KEY, n integer NOT NULL);
          INSERT INTO ${marksSchema}.marks SELECT id, 0 FROM generate_series(1, ${marks}) AS id`);
      },
      // Stopping removes no file; the run does, unless somebody wants to look.
      keep: true,
      // A new slot brings the rows that are there.
      fullLoad: true,
      ...(clock ? { postgresEnvironment: clock.environment } : {}),
    });
    const system = new TruthSystem(pipeline, folder, clock);
    pipeline.onUnexpectedExit((description) => system.exits.push(description));
    try {
      await pipeline.start();
      await system.asSuperuser((client) => client.query(`CREATE SCHEMA ${keptSchema}`));
      return system;
    } catch (error) {
      await system.stop(false);
      throw error;
    }
  }

  /** What the application connects by. */
  get application() {
    return { ...this.pipeline.sample, ...sampleUser };
  }

  async connect(): Promise<Client> {
    const client = new Client(this.pipeline.sample);
    client.on("error", () => undefined);
    await client.connect();
    return client;
  }

  async asSuperuser<Result>(use: (client: Client) => Promise<Result>): Promise<Result> {
    const client = await this.connect();
    try {
      return await use(client);
    } finally {
      await client.end();
    }
  }

  /** Waits until the log has everything that was committed before. */
  async waitForLog(client: Client): Promise<void> {
    this.mark += 1;
    const { rows } = await client.query<{ transaction: string }>(
      `WITH marked AS (UPDATE ${marksSchema}.marks SET n = $1 RETURNING 1)
       SELECT (pg_current_xact_id()::text::numeric % 4294967296)::bigint AS transaction FROM marked LIMIT 1`,
      [this.mark],
    );
    const deadline = Date.now() + patienceMilliseconds;
    for (;;) {
      const { rows: arrived } = await client.query<{ count: string }>(
        "SELECT count(*) FROM audit.events WHERE transaction_id = $1 AND schema_name = $2 AND after @> $3",
        [rows[0]?.transaction, marksSchema, { n: this.mark }],
      );
      if (Number(arrived[0]?.count) === marks) return;
      if (this.exits.length > 0) throw new Error(this.exits.join("\n"));
      if (Date.now() > deadline) {
        throw new Error(
          `The log has ${arrived[0]?.count} of ${marks} marks ${patienceMilliseconds / 1000} s after they were committed.`,
        );
      }
      await sleep(15);
    }
  }

  /**
   * What follows a lost slot: the capture stops, changes happen that it never sees, and a new slot begins with a full
   * load, beside which changes go on.
   */
  async loseSlot(client: Client, unseen: () => Promise<void>, beside: () => Promise<void>): Promise<void> {
    const { standIn } = this.pipeline;
    await this.waitForLog(client);
    await standIn.stop();
    await this.dropSlot(client);
    await unseen();
    standIn.launch();
    await Promise.all([standIn.waitUntilReady(), beside()]);
    await client.query("SELECT capture.republish_shapes()");
    // The operator tells the log which tables were loaded.
    await this.pipeline.canary();
  }

  /** The server notices a moment later that the reader has gone. */
  private async dropSlot(client: Client): Promise<void> {
    const deadline = Date.now() + patienceMilliseconds;
    for (;;) {
      try {
        await client.query("SELECT pg_drop_replication_slot($1)", [slotName]);
        return;
      } catch (error) {
        if ((error as { code?: string }).code !== "55006" || Date.now() > deadline) throw error;
        await sleep(50);
      }
    }
  }

  async stop(keepFiles: boolean): Promise<void> {
    this.clock?.shift(0);
    await this.pipeline.stop();
    if (!keepFiles) rmSync(this.folder, { recursive: true, force: true });
  }
}
