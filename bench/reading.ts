import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { Command, InvalidArgumentError } from "commander";
import { freePorts } from "../local/machine/managed-process";
import { postgresServer, superuserConnection } from "../local/servers/postgres";
import { fill, installOf, installToday, measureReading, type ReadingSystem } from "./measurements/reading";
import { describeServer, postgresOption } from "./load/postgres-option";
import { conclude, Recorder, thisMachine } from "./report/results";

interface Options {
  readonly events: number;
  readonly against?: string;
  readonly json?: string;
  readonly data?: string;
}

const fullSize = 10_000_000;

/** Fills logs with events, the same in each, and measures what it takes to read them. */
async function main(): Promise<void> {
  const options = parse();
  const folder = options.data ?? mkdtempSync(join(tmpdir(), "cdc-audit-reading-"));
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
  const clients: Client[] = [];
  const connect = async (database: string) => {
    const client = new Client(superuserConnection(server, database));
    await client.connect();
    clients.push(client);
    return client;
  };
  const stop = async () => {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
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
    await postgres.start();
    const admin = await connect("postgres");
    machine = { ...machine, postgres: await describeServer(admin) };
    const systems = [await filled("today", installToday)];
    if (options.against) systems.push(await filled("before", (client) => installOf(client, options.against as string)));

    /** The log of a database, which is filled unless an earlier run has done so. */
    async function filled(name: string, install: (client: Client) => Promise<ReadingSystem>): Promise<ReadingSystem> {
      const kept = await admin.query("SELECT FROM pg_database WHERE datname = $1", [name]);
      if (kept.rowCount === 0) await admin.query(`CREATE DATABASE ${name}`);
      const system = await install(await connect(name));
      const begun = performance.now();
      if (kept.rowCount === 0) await fill(system, options.events, new Date(startedAt));
      const { rows } = await system.client.query<{ events: string }>(
        "SELECT sum(reltuples)::bigint AS events FROM pg_class WHERE relkind = 'r' AND relname ~ '^events_'",
      );
      const seconds = ((performance.now() - begun) / 1000).toFixed(0);
      console.log(
        `${system.name}: ${Number(rows[0]?.events).toLocaleString("en")} events, ${kept.rowCount === 0 ? `filled in ${seconds} s` : "kept by an earlier run"}`,
      );
      return system;
    }
    await measureReading(recorder, systems);
  } finally {
    await stop();
  }
  const scale = options.events / fullSize;
  conclude({ startedAt, machine, writer: "none", quick: false, scale }, recorder, options.json);
}

function parse(): Options {
  const events = (text: string) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 200_000) {
      throw new InvalidArgumentError(`${text} is not a whole number from 200000 on.`);
    }
    return value;
  };
  return new Command("npm run bench:reading --")
    .description(
      "Measures row_as_of and history on a log of three months: 1,000 records of 10 to 10,000 events that are asked for, " +
        "among records of 8 events. The full size takes 16 GB of disk and half an hour with --against, half of it without.",
    )
    .option("--events <number>", "events of the log, from 200000 on", events, fullSize)
    .option("--against <commit>", "ask the log's SQL of this commit too, in turns, on the same events")
    .option("--data <folder>", "keep the filled logs in this folder, and use those that an earlier run kept there")
    .addOption(postgresOption())
    .option("--json <file>", "also write the figures to this file")
    .parse()
    .opts<Options>();
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exit(1);
});
