import { renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildSync } from "esbuild";
import { repositoryFolder } from "../machine/folders";
import { ManagedProcess } from "../machine/managed-process";

/**
 * The stand-in as a local process; the caller starts it. Its configuration, which holds a password, is written to a file
 * for the owner alone; its program, in one file, beside it.
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
      writeProgram(dirname(configurationFile)),
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

/** Writes the program into a folder, where another stand-in may be running it, and returns its path. */
function writeProgram(folder: string): string {
  const file = join(folder, "dms-stand-in.cjs");
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, program());
  renameSync(unfinished, file);
  return file;
}

let bundled: Uint8Array | undefined;

/** `main.ts` with all that it needs: one file starts in an eighth of the time that hundreds of modules take. */
function program(): Uint8Array {
  if (bundled) return bundled;
  const { outputFiles } = buildSync({
    entryPoints: [join(__dirname, "main.ts")],
    absWorkingDir: repositoryFolder,
    bundle: true,
    keepNames: true,
    platform: "node",
    format: "cjs",
    // An optional native driver, which is not installed.
    external: ["pg-native"],
    // This build of the package reads no file beside itself.
    alias: { "@platformatic/wasm-utils": "@platformatic/wasm-utils/bundled" },
    // Modules use it to find optional packages from where they are.
    define: { "import.meta.url": "bundleUrl" },
    banner: { js: 'const bundleUrl=require("node:url").pathToFileURL(__filename).href;' },
    write: false,
    logLevel: "warning",
  });
  bundled = outputFiles[0]?.contents;
  if (!bundled) throw new Error("esbuild made nothing of the DMS stand-in.");
  return bundled;
}
