import { spawn } from "node:child_process";
import { once } from "node:events";
import { Command, InvalidArgumentError } from "commander";
import { StopsSource } from "./source";
import { build, isBuilt } from "../../local/machine/build";
import { repositoryFolder } from "../../local/machine/folders";

interface Options {
  readonly tables: number;
  readonly times: number;
}

/** Seconds that a start may take on two idle cores. */
const goal = 15;

/** Seconds from the command to the line that says that everything runs. */
async function start(url: string): Promise<number> {
  const begun = performance.now();
  const child = spawn(
    process.execPath,
    ["--import", "tsx", "local/command/main.ts", "--source", url, "--tables", "app.%", "--json"],
    { cwd: repositoryFolder, stdio: ["ignore", "pipe", "inherit"] },
  );
  const exited = once(child, "exit");
  let text = "";
  const seconds = await new Promise<number>((resolve, reject) => {
    child.stdout.on("data", (part) => {
      text += String(part);
      if (text.includes('"event":"ready"')) resolve((performance.now() - begun) / 1000);
    });
    exited.then(() => reject(new Error(`npm run local ended before everything ran:\n${text.slice(-2000)}`)), reject);
  });
  child.kill("SIGINT");
  await exited;
  return seconds;
}

async function main({ tables, times }: Options): Promise<void> {
  if (!isBuilt()) await build();
  const source = await StopsSource.start(tables);
  try {
    for (let time = 1; time <= times; time++) {
      const seconds = await start(source.url);
      console.log(
        `npm run local -- --source over ${tables} tables: everything runs after ${seconds.toFixed(1)} s (goal ${goal})`,
      );
      if (seconds > goal) process.exitCode = 1;
    }
  } finally {
    await source.stop();
  }
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("It must be a whole number from 1 on.");
  return value;
}

new Command("npm run bench:start --")
  .description(
    `Measures how long npm run local -- --source takes to start over many tables. Exit code 0 if each start is within ${goal} s.`,
  )
  .option("--tables <number>", "tables of the source", whole, 514)
  .option("--times <number>", "how often", whole, 3)
  .action(main)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
