import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { unzipSync } from "fflate";
import { sinkConnectorName } from "../../contract/sink-connector";
import { artifacts } from "../machine/build";
import { connectorTasks } from "../servers/kafka";

/** Waits until every task of the sink runs; a failed one is reported with its reason. */
export async function sinkRuns(workerPort: number, logFile: string): Promise<void> {
  for (;;) {
    const tasks = await connectorTasks(workerPort, sinkConnectorName).catch(() => []);
    const failed = tasks.find((task) => task.state === "FAILED");
    if (failed) throw new Error(`The JDBC sink failed: ${failed.trace?.split("\n")[0]}. The log is ${logFile}.`);
    if (tasks.length > 0 && tasks.every((task) => task.state === "RUNNING")) return;
    await sleep(50);
  }
}

/** Unpacks the ZIP that MSK Connect loads too, so that the worker isolates it as a plugin of its own; returns `folder`. */
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
