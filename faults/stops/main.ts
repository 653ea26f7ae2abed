import { randomInt } from "node:crypto";
import { Command, InvalidArgumentError } from "commander";
import { build, isBuilt } from "../../local/machine/build";
import { lastRun } from "../../local/machine/processes-file";
import { localFolder } from "../../local/machine/folders";
import { Random } from "../random";
import { type Stop, stopAgainAndAgain } from "./run";

interface Options {
  readonly times: number;
  readonly tables: number;
  readonly seed?: number;
}

const number = (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("It must be a whole number from 1 on.");
  return value;
};

async function main(): Promise<void> {
  const command = new Command("npm run stops --")
    .description(
      "Stops npm run local -- --source at random moments, with every signal, busy and idle, and compares the source and the " +
        "processes with what was before. Exit code 0 only when nothing was left.",
    )
    .option("--times <number>", "how many stops", number, 200)
    .option("--tables <number>", "tables of the source", number, 186)
    .option("--seed <number>", "decides when the stops come (default: random)", number);
  const { times, tables, seed = randomInt(1_000_000) } = command.parse().opts<Options>();
  if (lastRun(localFolder)?.running !== undefined)
    throw new Error("The local pipeline runs in this checkout. Stop it first.");
  if (!isBuilt()) await build();
  console.log(`${times} stops of a run over ${tables} tables, seed ${seed}\n`);
  console.log("stop  how           after    load  ready  ended in  taken back by  left");
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      console.log("Stopping after this stop.");
      stopping.abort();
    });
  }
  const stops = await stopAgainAndAgain({
    times,
    tables,
    random: new Random(seed),
    report: show,
    signal: stopping.signal,
  });
  const bad = stops.filter(({ problems }) => problems.length > 0);
  console.log(
    `\n${stops.length} stops: ${bad.length === 0 ? "nothing was left by any" : `${bad.length} left something`}.`,
  );
  // A pipe that was closed on purpose may still be open on this side.
  process.exit(bad.length === 0 && stops.length === times ? 0 : 1);
}

function show({ number, way, after, busy, ready, took, cleaned, problems }: Stop): void {
  const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`.padStart(6);
  console.log(
    [
      String(number).padStart(4),
      way.padEnd(12),
      seconds(after),
      (busy ? "busy" : "idle").padEnd(4),
      (ready ? "yes" : "no").padEnd(5),
      seconds(took).padStart(8),
      (cleaned ?? "itself").padEnd(13),
      problems.length === 0 ? "nothing" : problems.join("\n        "),
    ].join("  "),
  );
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
