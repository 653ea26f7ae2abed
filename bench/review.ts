import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { fork } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { Command, InvalidArgumentError } from "commander";
import { databaseRoles } from "../contract/database-roles";
import { freePorts } from "../local/machine/managed-process";
import { postgresServer, superuserConnection } from "../local/servers/postgres";
import { buildPage } from "../review/build";
import { bundleServer } from "../review/build-service";
import { nodeOptions } from "../review/server/node-options";
import { bootstrapDestination } from "../operator/database/bootstrap";
import { fill } from "./measurements/reading";
import { describeServer, postgresOption } from "./load/postgres-option";
import { addDeletes, measureFirstAct, measureReview, type ServedReview } from "./measurements/review";
import { conclude, Recorder, thisMachine } from "./report/results";

interface Options {
  readonly events: number;
  readonly rounds: number;
  readonly data?: string;
  readonly json?: string;
}

const fullSize = 10_000_000;
const password = "review-password";
const database = "review";

/** Fills a log as `npm run bench:reading` does, and measures what the reviewer's page takes to answer over it. */
async function main(): Promise<void> {
  const options = parse();
  const folder = options.data ?? mkdtempSync(join(tmpdir(), "cdc-audit-review-"));
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  const server = {
    dataFolder: join(folder, "postgres"),
    logFile: join(folder, "postgres.log"),
    port: (await freePorts(1))[0] as number,
    superuserPassword: "superuser-password",
  };
  const postgres = await postgresServer({
    ...server,
    settings: { shared_buffers: "1GB", max_wal_size: "4GB", wal_level: "replica", checkpoint_timeout: "15min" },
  });
  let client: Client | undefined;
  let served: ServedReview | undefined;
  const stop = async () => {
    await served?.stop();
    await client?.end().catch(() => undefined);
    await postgres.retire();
    if (!options.data) rmSync(folder, { recursive: true, force: true });
  };
  const interrupted = () => void stop().finally(() => process.exit(130));
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  const recorder = new Recorder();
  let machine = thisMachine();
  const startedAt = new Date().toISOString();
  console.log(`${machine.processors}, ${machine.memoryGibibytes} GiB, load ${machine.loadBefore}; ${startedAt}`);
  try {
    // First, since it takes a moment and the log a while.
    const page = await buildPage(join(folder, "page"));
    await postgres.start();
    client = await logOf(server, options.events, new Date(startedAt));
    machine = { ...machine, postgres: await describeServer(client) };
    recorder.recordAll({ system: "cdc-audit", phase: "review" }, [
      {
        metric: "script and style, compressed",
        value: page.compressedBytes / 1000,
        unit: "kB",
        goal: { atMost: 60 },
      },
    ]);
    const running = await serve(server.port, page.folder);
    served = running;
    await measureReview(recorder, client, running, { rounds: options.rounds, until: await newestOf(client) });
    // Not every machine has a browser that runs here.
    await recorder.attempt("first act shown on the page", () => measureFirstAct(recorder, running));
  } finally {
    await stop();
  }
  const scale = options.events / fullSize;
  conclude({ startedAt, machine, writer: "none", quick: false, scale }, recorder, options.json);
}

/** A connection to the log, which is filled unless an earlier run has done so. */
async function logOf(server: Parameters<typeof superuserConnection>[0], events: number, until: Date): Promise<Client> {
  const admin = new Client(superuserConnection(server));
  await admin.connect();
  const kept = await admin.query("SELECT FROM pg_database WHERE datname = $1", [database]);
  if (kept.rowCount === 0) await admin.query(`CREATE DATABASE ${database}`);
  await admin.end();
  const client = new Client(superuserConnection(server, database));
  await client.connect();
  await bootstrapDestination(client, { passwords: { [databaseRoles.review]: password } });
  if (kept.rowCount !== 0) {
    console.log(`The log that was filled until ${(await newestOf(client)).toISOString()}`);
    return client;
  }
  const begun = performance.now();
  await fill({ name: "cdc-audit", client, hasStreamOrder: true }, events, until);
  await addDeletes(client, until);
  console.log(`${events.toLocaleString("en")} events in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  return client;
}

async function newestOf(client: Client): Promise<Date> {
  const { rows } = await client.query<{ newest: Date }>(
    "SELECT committed_at AS newest FROM audit.events ORDER BY committed_at DESC LIMIT 1",
  );
  return rows[0]?.newest as Date;
}

/** The page's server in a process of its own, whose memory is its own, and in one file as its image runs it. */
async function serve(databasePort: number, pageFolder: string): Promise<ServedReview> {
  const port = (await freePorts(1))[0] as number;
  const program = join(pageFolder, "..", "review-server.cjs");
  await bundleServer(join(__dirname, "systems/review-server.ts"), program);
  const child = fork(program, [], {
    execArgv: [...nodeOptions],
    env: {
      ...process.env,
      BENCH_REVIEW: JSON.stringify({ databasePort, database, port, pageFolder, password }),
    },
  });
  const cookie = await new Promise<string>((resolve, reject) => {
    child.once("message", (message) => resolve((message as { cookie: string }).cookie));
    child.once("exit", (code) => reject(new Error(`The page's server ended with ${code}.`)));
  });
  return {
    origin: `http://127.0.0.1:${port}`,
    cookie,
    processId: child.pid as number,
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null) return resolve();
        child.once("exit", () => resolve());
        child.kill("SIGTERM");
      }),
  };
}

function parse(): Options {
  const atLeast = (least: number) => (text: string) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`${text} is not a whole number from ${least} on.`);
    }
    return value;
  };
  return new Command("npm run bench:review --")
    .description(
      "Measures what the reviewer's page takes to answer, with five readers at once, over the log of npm run bench:reading. " +
        "The full size takes 8 GB of disk and a quarter of an hour.",
    )
    .option("--events <number>", "events of the log, from 200000 on", atLeast(200_000), fullSize)
    .option("--rounds <number>", "how often each reader asks each question", atLeast(5), 40)
    .option(
      "--data <folder>",
      "keep the filled log in this folder, and use that which a run of the same day kept there",
    )
    .addOption(postgresOption())
    .option("--json <file>", "also write the figures to this file")
    .parse()
    .opts<Options>();
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exit(1);
});
