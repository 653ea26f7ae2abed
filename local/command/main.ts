import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { Client } from "pg";
import type { TableSelection } from "../../contract/change-capture";
import { postgresPort } from "../../contract/ports";
import { pinSession } from "../../contract/session-settings";
import { exactJson, followLog } from "./follow-log";
import { localFolder, repositoryFolder, runFile } from "../machine/folders";
import { connectionUrl, withClient } from "../servers/database-client";
import { Pipeline } from "../pipeline";
import { slotName } from "../parts/capture";
import { sampleUser } from "../parts/sample-database";
import { sourceProblems } from "../parts/source";
import { Output } from "./output";
import { tailLogs } from "./tail-logs";
import type { LogRow } from "./timeline";
import { createShop, runShop, shopTables, type ExpectedChange } from "./shop";

interface Options {
  readonly once?: boolean;
  readonly source?: string;
  readonly tables: string;
  readonly keep?: boolean;
  readonly fullLoad?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** Milliseconds that `--once` waits for the last change to reach the log. */
const arrivalTimeout = 60_000;

async function main(): Promise<number> {
  const command = new Command("npm run local --")
    .description(
      "The whole audit pipeline on this machine: PostgreSQL, Kafka, Kafka Connect, the transformer, and a stand-in for DMS.",
    )
    .option("--once", "show the sample's changes, check that all of them are in the log, and stop (exit code 0 or 1)")
    .option(
      "--source <url>",
      "audit a PostgreSQL database of your own, e.g. postgres://user:password@host:5432/database",
    )
    .option(
      "--tables <list>",
      "with --source: tables to audit, e.g. public.% or public.orders,public.customers",
      "public.%",
    )
    .option("--full-load", "also record the rows that already exist, as baselines")
    .option("--keep", "keep the data when stopping, and start from those of the last run")
    .option("--json", "print one JSON object per line instead of text")
    .option("--verbose", "also show the logs of all parts")
    .showHelpAfterError("(npm run local -- --help lists the options)");
  const options = command.parse().opts<Options>();
  if (options.once && options.source) command.error("error: --once runs the sample, so it can't go with --source");

  const output = new Output(options);
  refuseSecondRun();
  if (options.source) await checkSourceDatabase(options.source);

  const stopRequested = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stopRequested.abort());
  let failure: string | undefined;

  const started = Date.now();
  const pipeline = await Pipeline.prepare({
    folder: localFolder,
    ...(options.source
      ? { source: options.source, tables: parseTables(options.tables) }
      : { prepareSample: createShop, tables: shopTables }),
    ...(options.keep ? { keep: true } : {}),
    ...(options.fullLoad ? { fullLoad: true } : {}),
  });
  pipeline.onUnexpectedExit((description) => {
    failure ??= description;
    stopRequested.abort();
  });
  const tail = options.verbose ? tailLogs(join(localFolder, "logs")) : undefined;

  try {
    await output.steps(pipeline, stopRequested.signal);
    writeRunFile(pipeline);
    if (!stopRequested.signal.aborted) {
      output.ready(pipeline, Date.now() - started);
      const complete = await showLog(pipeline, options, output, stopRequested.signal, started);
      if (!complete) failure ??= "Not every change of the sample reached the log.";
    }
  } catch (error) {
    if (!stopRequested.signal.aborted) failure ??= error instanceof Error ? error.message : String(error);
  } finally {
    output.stopping();
    await pipeline.stop();
    rmSync(runFile, { force: true });
    await tail?.();
    output.stopped();
  }
  if (failure) output.failed(failure, pipeline);
  return failure ? 1 : 0;
}

/** Runs the sample (unless there is a source) and shows the log, until stopped or, with --once, until it is complete. */
async function showLog(
  pipeline: Pipeline,
  options: Options,
  output: Output,
  stop: AbortSignal,
  started: number,
): Promise<boolean> {
  const done = new AbortController();
  const signal = AbortSignal.any([stop, done.signal]);
  const seen: LogRow[] = [];
  const reader = new Client({ ...pipeline.destination, types: exactJson });
  reader.on("error", () => undefined);
  await reader.connect();
  await reader.query(pinSession());

  const follow = (async () => {
    for await (const row of followLog(reader, new Date(options.keep ? Date.now() : 0), signal)) {
      if (seen.length === 0) output.firstRow(Date.now() - started);
      seen.push(row);
      output.row(row);
    }
  })();
  const story = (async () => {
    if (options.source) return true;
    const expected = await withClient({ ...pipeline.sample, ...sampleUser }, (client) =>
      runShop(client, () => sleep(options.once ? 50 : 400)),
    );
    if (!options.once) {
      output.tryNext();
      return true;
    }
    const deadline = Date.now() + arrivalTimeout;
    while (!stop.aborted && Date.now() < deadline && missing(expected, seen).length > 0) await sleep(100);
    output.checked(expected.length, missing(expected, seen), surplus(expected, seen));
    done.abort();
    return missing(expected, seen).length === 0 && surplus(expected, seen).length === 0;
  })();

  try {
    const [complete] = await Promise.all([story, follow]);
    return complete;
  } catch (error) {
    done.abort();
    // A database that goes away while stopping is no failure.
    if (stop.aborted) return true;
    throw error;
  } finally {
    await reader.end().catch(() => undefined);
  }
}

/** Changes of the sample that the log lacks, e.g. `update products by price-job`; each as often as it is missing. */
function missing(expected: readonly ExpectedChange[], seen: readonly LogRow[]): string[] {
  return without(expected.map(describe), seen.map(describeRow));
}

/** Changes in the log that the sample did not make. */
function surplus(expected: readonly ExpectedChange[], seen: readonly LogRow[]): string[] {
  const changes = seen.filter((row) => row.operation !== "schema" && row.operation !== "baseline");
  return without(changes.map(describeRow), expected.map(describe));
}

const describe = (change: ExpectedChange) => `${change.operation} ${change.table} by ${change.actor}`;
const describeRow = (row: LogRow) => `${row.operation} ${row.table} by ${row.actor}`;

function without(all: readonly string[], some: readonly string[]): string[] {
  const rest = [...all];
  for (const item of some) {
    const index = rest.indexOf(item);
    if (index >= 0) rest.splice(index, 1);
  }
  return rest;
}

async function checkSourceDatabase(source: string): Promise<void> {
  let problems: string[];
  try {
    problems = await sourceProblems(source, slotName);
  } catch (error) {
    throw new SetupError(connectionProblem(source, error as NodeJS.ErrnoException));
  }
  if (problems.length > 0) {
    throw new SetupError(
      `The source database can't be audited yet:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`,
    );
  }
}

/** One clear line for a connection that failed. Never shows the password. */
function connectionProblem(source: string, error: NodeJS.ErrnoException): string {
  let shown = "--source";
  try {
    const url = new URL(source);
    if (url.protocol !== "postgres:" && url.protocol !== "postgresql:") throw new Error("not PostgreSQL");
    shown = `${url.hostname}:${url.port || postgresPort}${url.pathname}`;
  } catch {
    return "--source is not a connection URL. It must look like postgres://user:password@host:5432/database.";
  }
  switch (error.code) {
    case "28P01":
    case "28000":
      return `${shown} refused the user or the password in --source (${error.message}). Check both; special characters in a URL must be percent-encoded.`;
    case "3D000":
      return `${shown}: ${error.message}. Name an existing database in --source.`;
    case "ECONNREFUSED":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
      return `${shown} can't be reached (${error.code}). Check host and port in --source, and that the server listens there.`;
    default:
      return `${shown} can't be used: ${error.message}.`;
  }
}

function parseTables(list: string): TableSelection[] {
  return list.split(",").map((item) => {
    const [schema, table, ...rest] = item.trim().split(".");
    if (!schema || !table || rest.length > 0) {
      throw new SetupError(
        `--tables has ${JSON.stringify(item)}; each entry must be schema.table or schema.%, separated by commas.`,
      );
    }
    return { schema, table };
  });
}

/** Two runs at once would share one data folder. Removes the file of a run that has died, and ends what it left running. */
function refuseSecondRun(): void {
  if (!existsSync(runFile)) return;
  const run = JSON.parse(readFileSync(runFile, "utf8")) as { process: number; processes: number[] };
  if (isOurs(run.process)) {
    throw new SetupError(
      `The local pipeline is already running (process ${run.process}). Stop it with Ctrl-C, or: kill ${run.process}`,
    );
  }
  for (const pid of run.processes) if (isOurs(pid)) process.kill(pid, "SIGKILL");
  rmSync(runFile, { force: true });
}

/** True when the process exists and was started from this repository. */
function isOurs(pid: number): boolean {
  try {
    // macOS has no /proc; ps fails where the process is not.
    return execFileSync("ps", ["-ww", "-p", String(pid), "-o", "command="], { encoding: "utf8" }).includes(
      repositoryFolder,
    );
  } catch {
    return false;
  }
}

function writeRunFile(pipeline: Pipeline): void {
  mkdirSync(dirname(runFile), { recursive: true });
  const content = {
    process: process.pid,
    processes: pipeline.processes.map((part) => part.pid),
    bootstrapServers: pipeline.bootstrapServers,
    connect: `http://127.0.0.1:${pipeline.ports.worker}`,
    database: connectionUrl({ ...pipeline.sample, ...sampleUser }),
  };
  writeFileSync(runFile, JSON.stringify(content, undefined, 2));
}

/** A problem that the user can fix: shown as one message, without a stack. */
class SetupError extends Error {}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(
      error instanceof SetupError ? `${error.message}\n` : `${error instanceof Error ? error.stack : String(error)}\n`,
    );
    process.exit(1);
  },
);
