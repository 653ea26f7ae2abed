import { parseArgs } from "node:util";
import { readConfiguration } from "./configuration";
import { standardLog } from "./log";
import { Task } from "./task";

/** `tsx local/dms-stand-in/main.ts --config FILE`: runs one task until SIGTERM or SIGINT; exit 1 when it can't. */
async function main(): Promise<void> {
  const log = standardLog();
  try {
    const { values } = parseArgs({ options: { config: { type: "string" } } });
    if (!values.config) throw new Error("Say which configuration to run: --config FILE.");
    const task = new Task(readConfiguration(values.config), log);
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.once(signal, () => {
        log.info("stopping", { signal });
        task.stop();
      });
    }
    await task.run();
    log.info("stopped");
  } catch (error) {
    log.error("failed", { reason: error instanceof Error ? error.message : String(error) });
    process.exitCode = 1;
  }
}

// A statement that still waits in the server must not keep the process.
void main().then(() => process.exit());
