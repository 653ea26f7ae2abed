import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryFolder } from "../machine/folders";
import { ManagedProcess } from "../machine/managed-process";

/**
 * The stand-in as a local process; the caller starts it. Its configuration, which holds a password, is written to a file
 * for the owner alone.
 *
 * @param configuration what `configuration.ts` reads.
 */
export function standInProcess(
  configuration: object,
  options: { readonly configurationFile: string; readonly logFile: string },
): ManagedProcess {
  const { configurationFile, logFile } = options;
  writeFileSync(configurationFile, JSON.stringify(configuration), { mode: 0o600 });
  const standIn = new ManagedProcess({
    name: "DMS stand-in",
    command: process.execPath,
    arguments: [
      // What is read lives until Kafka has it: in Node's usual 16 MiB it would be copied again and again.
      "--max-semi-space-size=32",
      "--import",
      "tsx",
      join(repositoryFolder, "local/dms-stand-in/main.ts"),
      "--config",
      configurationFile,
    ],
    logFile,
    ready: async () => {
      if (!standIn.logSinceLaunch().includes('"event":"streaming"')) throw new Error("it does not stream yet");
    },
  });
  return standIn;
}
