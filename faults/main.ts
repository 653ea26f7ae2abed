import { randomInt } from "node:crypto";
import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { Command, InvalidArgumentError } from "commander";
import type { FaultRunResult, RunEvent } from "./results";
import { runFaults } from "./run";

interface Options {
  readonly seed?: number;
  readonly from?: number;
  readonly faults?: number;
  readonly changes?: number;
  readonly minutes?: number;
  readonly rate?: number;
  readonly pace?: number;
  readonly only?: string;
  readonly keep?: boolean;
  readonly json?: string;
}

const number = (least: number) => (text: string) => {
  const value = Number(text);
  if (!Number.isFinite(value) || value < least) throw new InvalidArgumentError(`It must be a number from ${least} on.`);
  return value;
};

async function main(): Promise<void> {
  const command = new Command("npm run faults --")
    .description(
      "Breaks the local pipeline on purpose while writers write, and compares the audit log with the truth after each " +
        "fault. Exit code 0 only when nothing was lost, doubled or wrong.",
    )
    .option("--seed <number>", "decides the faults and what is written (default: random)", number(0))
    .option("--minutes <minutes>", "how long to run (default 10, without --faults)", number(0))
    .option("--faults <number>", "end after this many faults; 0 only writes, for --minutes", number(0))
    .option("--changes <number>", "with --faults: write at least this many changes, spread over the faults", number(0))
    .option("--rate <number>", "changes per second while no fault slows the writers (default 2500)", number(1))
    .option("--from <index>", "begin with this step of the seed", number(0))
    .option("--pace <factor>", "multiply the durations of faults by this (default 1)", number(0))
    .option("--only <pattern>", "only faults whose name matches this regular expression")
    .option("--keep", "keep logs and data of a run that fails")
    .option("--json <file>", "also write the result to this file");
  const options = command.parse().opts<Options>();
  const seed = options.seed ?? randomInt(1_000_000);
  const minutes = options.minutes ?? (options.faults === undefined ? 10 : undefined);

  console.log(
    `${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, seed ${seed}\n`,
  );
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      console.log("Stopping after this step.");
      stopping.abort();
    });
  }
  const result = await runFaults({
    ...options,
    signal: stopping.signal,
    seed,
    ...(minutes === undefined ? {} : { minutes }),
    report: show,
  });
  if (options.json) writeFileSync(options.json, JSON.stringify(result, undefined, 2));
  summarise(result, options);
  // Not left to Node: with sockets that were reset it may spin for ever in its own cleanup.
  process.exit(result.failure ? 1 : 0);
}

function show(event: RunEvent): void {
  switch (event.kind) {
    case "impossible":
      console.log(`Left out: ${event.name}, because ${event.why}.`);
      break;
    case "started":
      console.log(`Everything runs after ${event.seconds.toFixed(1)} s.\n`);
      console.log("step  changes  flows after  complete after  what happened");
      break;
    case "step": {
      const { index, changes, flowResumed, complete, faults, exits } = event.result;
      console.log(
        `${String(index).padStart(4)} ${changes.toLocaleString("en").padStart(8)} ${flowResumed.toFixed(1).padStart(10)} s ` +
          `${complete.toFixed(1).padStart(13)} s  ${faults.join(" and ") || "nothing"}`,
      );
      for (const exit of new Set(exits)) console.log(`${" ".repeat(42)}started again: ${exit.slice(0, 160)}`);
      break;
    }
    case "checking":
      console.log("\nThe whole log is compared once more.");
      break;
  }
}

function summarise(result: FaultRunResult, options: Options): void {
  const line = (what: string, value: string) => console.log(`${what.padEnd(34)} ${value}`);
  console.log();
  line("faults injected", String(result.faultsInjected));
  line(
    "changes written",
    `${result.changes.toLocaleString("en")} in ${result.transactions.toLocaleString("en")} transactions`,
  );
  line("lost, doubled, wrong", `${result.lost}, ${result.doubled}, ${result.wrong}`);
  line("poison records, all set aside", String(result.deadLetters));
  line(
    "longest until changes flowed again",
    `${result.longestGap.seconds.toFixed(1)} s, after ${result.longestGap.after}`,
  );
  line(
    "longest until the log was complete",
    `${result.longestCatchUp.seconds.toFixed(1)} s, after ${result.longestCatchUp.after}`,
  );
  const restarts = Object.entries(result.restarts).map(([part, count]) => `${part} ${count}`);
  line("ended by themselves, started again", restarts.join(", ") || "none");
  for (const { part, quarters, highest, flat } of result.memory) {
    const course = quarters.map((median) => (Number.isFinite(median) ? median.toFixed(0) : "–")).join(", ");
    line(
      `memory: ${part}`,
      `${course} MiB by quarter of the run, at most ${highest.toFixed(0)}${flat === undefined ? "" : flat ? ", flat" : ", GROWING"}`,
    );
  }
  line("took", `${result.minutes.toFixed(1)} minutes`);
  const { failure } = result;
  if (!failure) {
    console.log("\nNothing was lost, doubled or wrong.");
    return;
  }
  console.log(`\nFailed at step ${failure.index}:\n  ${failure.problems.slice(0, 20).join("\n  ")}`);
  const repeated = ["pace", "only", "rate"] as const;
  const same = repeated.flatMap((name) => (options[name] === undefined ? [] : [`--${name} '${options[name]}'`]));
  console.log(
    `\nTo see it again: npm run faults -- ${[`--seed ${result.seed}`, `--from ${failure.index}`, "--minutes 1", "--keep", ...same].join(" ")}`,
  );
  if (failure.folder) console.log(`Logs and data: ${failure.folder}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exit(1);
});
