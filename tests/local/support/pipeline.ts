import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { build, isBuilt } from "../../../local/machine/build";
import { compareOnceComplete, compareStretch, isExact, wholeTruth } from "../../../faults/truth/comparison";
import { installOracle } from "../../../faults/truth/oracle";
import { withClient } from "../../../local/servers/database-client";
import { sampleUser } from "../../../local/parts/sample-database";
import { Pipeline } from "../../../local/pipeline";
import type { TableToWatch } from "../../../operator/database/watch-tables";

/** A running pipeline over tables of a test, and what the test needs to know of it. */
export interface TestPipeline {
  readonly pipeline: Pipeline;
  /** Runs one transaction as the application; both the product and the oracle are told its actor. */
  act(actor: string, ...statements: string[]): Promise<void>;
  /** As the superuser, in the audited database. */
  query<Row>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** Waits until the log equals the oracle's truth; returns the differences that remain when it never does. */
  differences(timeout?: number): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export interface TestPipelineOptions {
  /** Whether the capture begins with a full load. Default false. */
  readonly fullLoad?: boolean;
  /** Settings of the PostgreSQL server. Default: none of its own. */
  readonly postgresSettings?: Readonly<Record<string, string>>;
  /** Work beside the start. */
  readonly beside?: (pipeline: Pipeline) => Promise<void>;
}

/** Builds if necessary, and starts everything in a new folder. */
export async function startTestPipeline(
  tables: readonly TableToWatch[],
  prepareSample: (client: Client) => Promise<void>,
  options: TestPipelineOptions = {},
): Promise<TestPipeline> {
  if (!isBuilt()) await build();
  const folder = mkdtempSync(join(tmpdir(), "cdc-audit-test-"));
  // The server may run as another user, who must be able to enter.
  chmodSync(folder, 0o755);
  const { fullLoad = false, postgresSettings = {} } = options;
  const pipeline = await Pipeline.prepare({ folder, tables, prepareSample, fullLoad, postgresSettings });
  const exits: string[] = [];
  pipeline.onUnexpectedExit((description) => {
    const log = pipeline.processes.find(({ name }) => description.startsWith(name))?.logFile;
    exits.push(`${description} ${log ? readFileSync(log, "utf8").trimEnd().split("\n").slice(-3).join("\n") : ""}`);
  });
  const stop = async () => {
    await pipeline.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all([pipeline.start(), options.beside?.(pipeline)]);
    await withClient(pipeline.destination, (client) => installOracle(client, namedWhole(tables)));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    pipeline,
    act: (actor, ...statements) =>
      withClient({ ...pipeline.sample, ...sampleUser }, (client) => transaction(client, actor, statements)),
    query: <Row>(sql: string, values: unknown[] = []) =>
      withClient(pipeline.destination, async (client) => (await client.query(sql, values)).rows as Row[]),
    differences: (timeout = 60_000) => waitForTruth(pipeline, exits, timeout),
    stop,
  };
}

/** A test that creates a table covered by a pattern installs the oracle on it. */
function namedWhole(tables: readonly { schema: string; table: string }[]) {
  return tables.filter(({ table }) => !table.includes("%"));
}

/** One transaction that says who acts. */
export async function transaction(client: Client, actor: string, statements: readonly string[]): Promise<void> {
  await client.query("BEGIN");
  await client.query("SELECT set_config('oracle.actor', $1, true)", [actor]);
  await client.query("SELECT capture.set_context($1)", [actor]);
  for (const statement of statements) await client.query(statement);
  await client.query("COMMIT");
}

const leftOut = { unknownColumns: "left out" } as const;

/** A part that ended by itself is the first difference: nothing would ever arrive. */
async function waitForTruth(pipeline: Pipeline, exits: readonly string[], timeout: number): Promise<readonly string[]> {
  const deadline = Date.now() + timeout;
  for (;;) {
    const over = exits.length > 0 || Date.now() > deadline;
    const comparison = await withClient(pipeline.destination, (client) =>
      over ? compareStretch(client, wholeTruth, leftOut) : compareOnceComplete(client, wholeTruth, leftOut),
    );
    if (over) return [...exits, ...(comparison?.differences ?? [])];
    if (comparison && isExact(comparison)) return [];
    await sleep(500);
  }
}
