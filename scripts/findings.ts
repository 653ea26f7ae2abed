import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { Command } from "commander";

const repositoryFolder = resolve(__dirname, "..");

/** What a script of `findings/` says by its exit code: 0 when the surprise still holds, 1 when it has changed. */
export type Outcome = "ok" | "changed" | `not run (${string})`;

/** Names of the findings in a folder, sorted. */
export function findingNames(folder: string): string[] {
  const files = existsSync(folder) ? readdirSync(folder) : [];
  return files
    .filter((file) => file.endsWith(".sh"))
    .map((file) => basename(file, ".sh"))
    .sort();
}

/**
 * Runs one finding in the repository.
 *
 * @returns what it says, its seconds, and what it printed.
 */
export function runFinding(
  folder: string,
  name: string,
): Promise<{ readonly outcome: Outcome; readonly seconds: number; readonly output: string }> {
  const begun = performance.now();
  const child = spawn("bash", [join(folder, `${name}.sh`)], {
    cwd: repositoryFolder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const printed: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => printed.push(text));
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      const outcome: Outcome =
        code === 0 ? "ok" : code === 1 ? "changed" : `not run (${signal ?? `exit code ${code}`})`;
      resolve({ outcome, seconds: (performance.now() - begun) / 1000, output: printed.join("") });
    });
  });
}

/** Runs findings one after the other and prints a line for each. @returns whether every surprise holds. */
export async function runFindings(
  folder: string,
  chosen: readonly string[],
  print: (line: string) => void,
): Promise<boolean> {
  const all = findingNames(folder);
  const unknown = chosen.filter((name) => !all.includes(name));
  if (unknown.length > 0) {
    throw new Error(`There is no finding ${unknown.join(", ")}; there are ${all.join(", ") || "none"}.`);
  }
  let allOk = true;
  for (const name of chosen.length === 0 ? all : chosen) {
    const { outcome, seconds, output } = await runFinding(folder, name);
    print(`${name}: ${outcome}, ${seconds.toFixed(1)} s`);
    if (outcome === "ok") continue;
    allOk = false;
    print(output.trimEnd().replace(/^/gm, "  "));
  }
  return allOk;
}

if (require.main === module) {
  new Command("findings")
    .description(
      "Shows whether the surprises of outside software in findings/ still hold; exit code 1 when one does not.",
    )
    .argument("[names...]", "findings to run, such as those of findings/README.md", [])
    .action(async (names: readonly string[]) => {
      if (!(await runFindings(join(repositoryFolder, "findings"), names, console.log))) process.exitCode = 1;
    })
    .parseAsync()
    .catch((error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    });
}
