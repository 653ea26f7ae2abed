import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { unzipSync } from "fflate";
import { sinkConnectorName, sinkConnectorProperties } from "../../contract/sink-connector";
import type { Topics } from "../../contract/topics";
import { artifacts } from "../machine/build";
import { connectorTasks, putConnector } from "../servers/kafka-connect";
import { writerSecret } from "./operator";

export interface SinkOptions {
  readonly workerPort: number;
  readonly topics: Topics;
  /** Where the audit log is; 127.0.0.1 without TLS. */
  readonly databasePort: number;
  readonly database: string;
  /** Where the stand-in of Secrets Manager answers. */
  readonly secretsManagerEndpoint: string;
}

/** Gives the sink's connector to the worker, configured as MSK Connect gets it. */
export async function putSink(options: SinkOptions): Promise<void> {
  await putConnector(
    options.workerPort,
    sinkConnectorName,
    sinkConnectorProperties({
      topics: options.topics,
      deadLetterReplicationFactor: 1,
      destination: {
        host: "127.0.0.1",
        port: options.databasePort,
        database: options.database,
        secretId: writerSecret,
        region: "eu-central-1",
        secretsManagerEndpoint: options.secretsManagerEndpoint,
        sslMode: "disable",
      },
    }),
  );
}

/** The reason of a task of the sink that has failed; undefined as long as none has, or the worker does not answer. */
export async function sinkFailure(workerPort: number): Promise<string | undefined> {
  const tasks = await connectorTasks(workerPort, sinkConnectorName).catch(() => []);
  const failed = tasks.find(({ state }) => state === "FAILED");
  return failed && causeOf(failed.trace ?? "it gave no reason");
}

/** The last cause of a stack trace, in its own words. */
function causeOf(trace: string): string {
  const lines = trace.split("\n").filter((line) => !/^\s+(at |\.\.\.)/.test(line));
  return (lines.findLast((line) => line.startsWith("Caused by: ")) ?? lines[0] ?? trace).replace("Caused by: ", "");
}

/** Waits until every task of the sink runs; a failed one is reported with its reason. */
export async function sinkRuns(workerPort: number, logFile: string): Promise<void> {
  for (;;) {
    const tasks = await connectorTasks(workerPort, sinkConnectorName).catch(() => []);
    const failure = await sinkFailure(workerPort);
    if (failure !== undefined) throw new Error(`The JDBC sink failed: ${failure}. The log is ${logFile}.`);
    if (tasks.length > 0 && tasks.every((task) => task.state === "RUNNING")) return;
    await sleep(50);
  }
}

/** Unpacks the ZIP that MSK Connect loads too, so that the worker loads it as an isolated plugin; returns `folder`. */
export function unpackPlugin(folder: string): string {
  const plugin = join(folder, "audit-sink");
  rmSync(plugin, { recursive: true, force: true });
  for (const [name, content] of Object.entries(unzipSync(readFileSync(artifacts.sinkPlugin)))) {
    if (name.endsWith("/")) continue;
    const file = join(plugin, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  return folder;
}
