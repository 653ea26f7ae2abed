import { randomInt } from "node:crypto";
import { Command, InvalidArgumentError } from "commander";
import { type Part, partNames, parts } from "./kinds";
import { runTruth, type TruthEvent, type TruthResult } from "./run";

interface Options {
  readonly seed?: number;
  readonly seeds?: number;
  readonly minutes?: number;
  readonly steps?: number;
  readonly without?: readonly Part[];
  readonly keep?: boolean;
}

const shownDifferences = 12;

const number = (least: number) => (text: string) => {
  const value = Number(text);
  if (!Number.isFinite(value) || value < least) throw new InvalidArgumentError(`It must be a number from ${least} on.`);
  return value;
};

const whole = (least: number) => (text: string) => {
  const value = number(least)(text);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError("It must be a whole number.");
  return value;
};

function partsOf(text: string): Part[] {
  const chosen = text.split(",").filter(Boolean);
  const unknown = chosen.filter((name) => !(name in parts));
  if (unknown.length > 0) {
    throw new InvalidArgumentError(`${unknown.join(", ")} is no part of a run. Parts: ${partNames.join(", ")}.`);
  }
  return chosen as Part[];
}

async function main(): Promise<void> {
  const options = new Command("npm run truth --")
    .description(
      "Does anything that applications and migrations do to tables of the local pipeline, and compares what the log tells " +
        "of them, now and at ten noted moments, with what they held. Exit code 0 only when it told nothing but the truth.",
    )
    .option("--seed <number>", "the first seed; it decides what is done (default: random)", whole(0))
    .option("--seeds <number>", "how many seeds, one after the other (default: as many as fit --minutes)", whole(1))
    .option("--minutes <minutes>", "begin no seed after this time (default 10, without --seeds)", number(0))
    .option("--steps <number>", "steps of each seed, to cut a failure short (default 120)", whole(1))
    .option("--without <parts>", `leave out some of ${partNames.join(",")}`, partsOf)
    .option("--keep", "end with the first seed that fails, and keep data, logs and statements")
    .addHelpText("after", `\nParts:\n${partNames.map((name) => `  ${name.padEnd(14)} ${parts[name]}`).join("\n")}`)
    .parse()
    .opts<Options>();
  const seed = options.seed ?? randomInt(1_000_000);
  const minutes = options.minutes ?? (options.seeds === undefined ? 10 : undefined);
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      console.log("Stopping after this seed.");
      stopping.abort();
    });
  }
  const result = await runTruth({
    ...options,
    seed,
    ...(minutes === undefined ? {} : { minutes }),
    signal: stopping.signal,
    report: show,
  });
  summarise(result, options);
  process.exit(isTrue(result) ? 0 : 1);
}

const isTrue = ({ broken, seeds }: TruthResult) =>
  !broken && seeds.every(({ differences }) => differences.length === 0);

function show(event: TruthEvent): void {
  switch (event.kind) {
    case "impossible":
      console.log(`Left out: ${event.part}, because ${event.why}.`);
      break;
    case "started":
      console.log(`Everything runs after ${event.seconds.toFixed(1)} s.\n`);
      console.log("    seed  done  refused  tables  moments    took  what the log tells");
      break;
    case "seed": {
      const { seed, seconds, tables, moments, taken, differences } = event.result;
      const counts = Object.values(taken);
      const sum = (of: "done" | "refused") => counts.reduce((total, count) => total + count[of], 0);
      console.log(
        `${String(seed).padStart(8)} ${String(sum("done")).padStart(5)} ${String(sum("refused")).padStart(8)} ` +
          `${String(tables).padStart(7)} ${String(moments).padStart(8)} ${seconds.toFixed(1).padStart(5)} s  ` +
          (differences.length === 0 ? "the truth" : `${differences.length} DIFFERENCES`),
      );
      for (const line of differences.slice(0, shownDifferences)) console.log(`          ${line}`);
      if (differences.length > shownDifferences)
        console.log(`          and ${differences.length - shownDifferences} more`);
      break;
    }
  }
}

function summarise({ seeds, minutes, broken, folder }: TruthResult, options: Options): void {
  const totals = new Map<string, { done: number; refused: number }>();
  for (const [title, { done, refused }] of seeds.flatMap(({ taken }) => Object.entries(taken))) {
    const total = totals.get(title) ?? { done: 0, refused: 0 };
    totals.set(title, { done: total.done + done, refused: total.refused + refused });
  }
  console.log("\n    done  refused  what was done");
  for (const [title, { done, refused }] of totals) {
    console.log(`${String(done).padStart(8)} ${String(refused).padStart(8)}  ${title}`);
  }
  const moments = seeds.reduce((sum, seed) => sum + seed.moments, 0);
  console.log(`\n${seeds.length} seeds, ${moments} moments and ${seeds.length} ends in ${minutes.toFixed(1)} minutes.`);
  const failed = seeds.filter(({ differences }) => differences.length > 0);
  if (broken) console.log(`Seed ${broken.seed} could not be run to its end: ${broken.reason}`);
  if (failed.length === 0 && !broken) {
    console.log("The log told nothing but the truth.");
    return;
  }
  if (failed.length > 0)
    console.log(`The log did not tell the truth of ${failed.length}: ${failed.map(({ seed }) => seed).join(", ")}.`);
  const same = [
    `--seed ${failed[0]?.seed ?? broken?.seed}`,
    "--seeds 1",
    "--keep",
    ...(options.steps === undefined ? [] : [`--steps ${options.steps}`]),
    ...(options.without === undefined ? [] : [`--without ${options.without.join(",")}`]),
  ];
  console.log(`To see it again: npm run truth -- ${same.join(" ")}`);
  if (folder) console.log(`Data, logs and statements: ${folder}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exit(1);
});
