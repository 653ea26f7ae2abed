import { Command, InvalidArgumentError } from "commander";
import { build, isBuilt } from "../../local/machine/build";
import { localFolder } from "../../local/machine/folders";
import { lastRun } from "../../local/machine/processes-file";
import { type ScreenLoad, watchScreen } from "./run";

/** Milliseconds within which the last event of the log must be on the screen. */
const longestLag = 2_000;

const number = (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("It must be a whole number from 1 on.");
  return value;
};

async function main(): Promise<void> {
  const command = new Command("npm run screen --")
    .description(
      "Runs npm run local -- --source over a full load with changes beside it, and compares what it shows with what the log " +
        "holds. Exit code 0 only when every event was shown or counted, and the last one within 2 seconds of being stored.",
    )
    .option("--rows <number>", "rows of the full load", number, 50_000)
    .option("--rate <number>", "changes a second beside it", number, 5_000)
    .option("--seconds <number>", "how long the changes go on", number, 10);
  const load = command.parse().opts<ScreenLoad>();
  if (lastRun(localFolder)?.running !== undefined)
    throw new Error("The local pipeline runs in this checkout. Stop it first.");
  if (!isBuilt()) await build();
  const { stored, shown, counted, rate, pipelineLag, screenLag } = await watchScreen(load);
  console.log(`${load.rows} rows loaded, ${rate} changes a second made for ${load.seconds} s`);
  console.log(`in the log       ${stored}`);
  console.log(`on the screen    ${shown}, and ${counted} in counts`);
  console.log(`the last change  stored ${pipelineLag} ms after its commit, on the screen ${screenLag} ms after that`);
  const complete = stored === shown + counted;
  if (!complete)
    console.log(`MISSED: ${stored - shown - counted} events of the log were not on the screen, and in no count`);
  if (!(screenLag <= longestLag)) console.log(`MISSED: the last one was to be shown within ${longestLag} ms`);
  process.exitCode = complete && screenLag <= longestLag ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
