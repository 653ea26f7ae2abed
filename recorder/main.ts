import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { goldenDifference, goldenText } from "./golden";
import { Graph } from "./graph";
import { mermaidPicture } from "./picture";
import type { Recording } from "./recorder";
import { goldenFile, recordProgram, recordVariant, recordedStacks, recordedVariants, variantNames } from "./stacks";
import { printTree } from "./tree";

interface Options {
  readonly preview?: boolean;
  readonly picture?: string;
  readonly json?: string;
  readonly stackTraces?: boolean;
  readonly timing?: boolean;
  readonly update?: boolean;
}

const command = new Command("graph")
  .description("Shows what the program would create, without an account, the Pulumi CLI or a network.")
  .argument("[stack]", "the stack whose settings to use", "dev")
  .option("--preview", "run as a preview: what only AWS would tell is unknown")
  .option("--picture <file>", "write a Mermaid picture of the components")
  .option("--json <file>", "write the whole recording")
  .option("--stack-traces", "tell where an error in the program came from")
  .option("--timing", "say how long a cold and a warm recording take")
  .option("--update", "write the golden files of all recorded stacks")
  .action(async (stack: string, options: Options) => {
    if (options.timing) return printTiming(stack);
    if (options.update) return updateGoldens();
    const graph = new Graph(await recordProgram(stack, options));
    if (options.picture) write(options.picture, mermaidPicture(graph));
    if (options.json) write(options.json, `${JSON.stringify(graph.recording, null, 2)}\n`);
    console.log(printTree(graph));
  });

async function updateGoldens(): Promise<void> {
  const recordings = new Map<string, Recording>();
  for (const stack of recordedStacks) {
    const recording = await recordProgram(stack);
    recordings.set(stack, recording);
    write(goldenFile(stack), goldenText(recording));
  }
  for (const name of variantNames) {
    const stack = recordings.get(recordedVariants[name].stack)!;
    write(goldenFile(name), goldenDifference(stack, await recordVariant(name)));
  }
}

/** Cold is a run with an empty compiler cache, as after a fresh clone; warm is the median of the three after it. */
async function printTiming(stack: string): Promise<void> {
  const cache = mkdtempSync(join(tmpdir(), "graph-timing-"));
  process.env.TMPDIR = cache;
  try {
    const cold = await recordProgram(stack);
    const warm = [await recordProgram(stack), await recordProgram(stack), await recordProgram(stack)];
    const median = warm.map(({ seconds }) => seconds).sort((one, other) => one - other)[1] ?? NaN;
    console.log(`cold ${cold.seconds.toFixed(1)} s, warm ${median.toFixed(1)} s (${stack})`);
  } finally {
    rmSync(cache, { recursive: true });
  }
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.error(`wrote ${file}`);
}

command.parseAsync().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
