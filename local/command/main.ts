import { randomUUID } from "node:crypto";
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TableToWatch } from "../../operator/database/watch-tables";
import { localFolder, runFile } from "../machine/folders";
import { startLocalReview } from "../parts/review";
import { sampleUser } from "../parts/sample-database";
import { sinkFailure } from "../parts/sink";
import type { AuditedSource } from "../parts/source";
import type { TableChoice } from "../parts/watched";
import { Pipeline } from "../pipeline";
import { connectionUrl } from "../servers/database-client";
import { passwordsOf } from "../servers/passwords";
import { type Options, parseTables, readOptions, SetupError } from "./options";
import { Output } from "./output";
import { createShop, shopTables } from "./shop";
import { showLog } from "./show-log";
import { endKilledRun, openSource, withoutPassword } from "./source-setup";
import { StopRequest } from "./stop-request";
import { tailLogs } from "./tail-logs";

/** Milliseconds between two looks at the sink's tasks. */
const sinkInterval = 5_000;

/**
 * Three Java programs start at once, on few cores. What their second compiler makes of code that has just begun to run costs
 * more than a run of some minutes gets back; a user who wants it says so in JAVA_TOOL_OPTIONS.
 */
function startJavaBriefly(): void {
  const { JAVA_TOOL_OPTIONS = "" } = process.env;
  if (!JAVA_TOOL_OPTIONS.includes("TieredStopAtLevel"))
    process.env.JAVA_TOOL_OPTIONS = `${JAVA_TOOL_OPTIONS} -XX:TieredStopAtLevel=1`.trimStart();
}

async function main(): Promise<number> {
  const options = readOptions();
  startJavaBriefly();
  const output = new Output(options);
  const stop = new StopRequest(() => output.stillStopping());
  const run = randomUUID();
  await endKilledRun(output, options.source);
  if (!options.source) return runPipeline(options, output, stop, run);
  const choice = { ...parseTables(options.tables), identifyActor: options.identifyActor ?? false };
  const opened = await openSource(options.source, choice, { run, keep: !!options.keep }, output);
  try {
    return await runPipeline(options, output, stop, run, { ...opened, choice });
  } finally {
    await opened.source.close();
  }
}

/** The user's own database, and which of its tables are audited. */
interface OwnDatabase {
  readonly source: AuditedSource;
  readonly tables: readonly TableToWatch[];
  readonly choice: TableChoice;
}

async function runPipeline(
  options: Options,
  output: Output,
  stop: StopRequest,
  run: string,
  own?: OwnDatabase,
): Promise<number> {
  let failure: string | undefined;
  const started = Date.now();
  const pipeline = await Pipeline.prepare({
    folder: localFolder,
    run,
    followed: true,
    ...(own ? { source: own.source, tables: own.tables } : { prepareSample: createShop, tables: shopTables }),
    ...(options.actorSources ? { actorSources: options.actorSources } : {}),
    ...(options.keep ? { keep: true } : {}),
    ...(options.fullLoad ? { fullLoad: true } : {}),
  });
  pipeline.onUnexpectedExit((description) => {
    failure ??= description;
    stop.request();
  });
  if (stop.signal.aborted) pipeline.abandonStart();
  else stop.signal.addEventListener("abort", () => pipeline.abandonStart());
  const watch = setInterval(async () => {
    // Its process goes on when a task has failed, so nothing else would tell.
    const reason = pipeline.worker?.running ? await sinkFailure(pipeline.ports.worker) : undefined;
    if (reason === undefined || stop.signal.aborted) return;
    failure ??= `The JDBC sink failed: ${reason}.`;
    stop.request();
  }, sinkInterval);
  let closeReview: (() => Promise<void>) | undefined;
  const tail = options.verbose ? tailLogs(join(localFolder, "logs")) : undefined;

  try {
    await output.steps(pipeline, stop.signal);
    writeRunFile(pipeline);
    if (!stop.signal.aborted) {
      if (own) await output.tables(own.source.url, own.choice, pipeline);
      const review = await startReview(pipeline, output);
      closeReview = review?.stop;
      output.ready(pipeline, Date.now() - started, review?.link);
      const complete = await showLog(pipeline, options, output, stop.signal, started);
      if (!complete) failure ??= "Not every change of the sample reached the log.";
    }
  } catch (error) {
    if (!stop.signal.aborted) failure ??= error instanceof Error ? error.message : String(error);
  } finally {
    clearInterval(watch);
    output.stopping();
    await closeReview?.().catch(() => undefined);
    const left = await stopPipeline(pipeline, output, options.source);
    rmSync(runFile, { force: true });
    await tail?.();
    if (left === undefined) output.stopped(own?.source.place);
    failure ??= stop.failure ?? left;
  }
  if (failure) output.failed(failure, pipeline);
  return failure ? 1 : 0;
}

/** The reviewer's page over this run's log. Without it the pipeline is as good, so a failure is only said. */
async function startReview(pipeline: Pipeline, output: Output) {
  try {
    return await startLocalReview({
      destination: pipeline.destination,
      password: passwordsOf(join(localFolder, "data/passwords.json")).review,
      log: (line) => appendFileSync(pipeline.logFile("review"), `${new Date().toISOString()} ${line}\n`),
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    output.note(`The reviewer's page does not run: ${reason}`, { event: "review", reason });
    return undefined;
  }
}

/** Returns what is wrong when the source could not be left as it was. */
async function stopPipeline(pipeline: Pipeline, output: Output, source?: string): Promise<string | undefined> {
  try {
    for (const text of await pipeline.stop()) output.note(text, { event: "stays", text });
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (!source) return reason;
    return (
      `Every process is ended, but what this run put into the source could not be taken back: ${reason}. The source has it ` +
      `noted. Once that is solved: npm run local:clean -- --source ${withoutPassword(source)}`
    );
  }
}

function writeRunFile(pipeline: Pipeline): void {
  mkdirSync(dirname(runFile), { recursive: true });
  const content = {
    process: process.pid,
    bootstrapServers: pipeline.bootstrapServers,
    connect: `http://127.0.0.1:${pipeline.ports.worker}`,
    database: connectionUrl({ ...pipeline.sample, ...sampleUser }),
  };
  writeFileSync(runFile, JSON.stringify(content, undefined, 2));
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(
      error instanceof SetupError ? `${error.message}\n` : `${error instanceof Error ? error.stack : String(error)}\n`,
    );
    process.exit(1);
  },
);
