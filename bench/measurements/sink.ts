import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryFolder } from "../../local/machine/folders";
import type { Recorder } from "../report/results";
import { type BuiltTree, maven } from "../systems/work-tree";

/** One line of what `SinkBenchmark` writes. */
interface SinkResult {
  readonly sink: "ours" | "stock";
  readonly tasks: number;
  readonly batch: number;
  readonly indexes: "shipped" | "key";
  readonly rowsPerSecond: number;
  readonly processorMicroseconds: number;
}

/** The sink alone, from a full topic, beside Debezium's own with the same converter, servers and table. */
export async function measureSink(recorder: Recorder, events: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "cdc-audit-sink-"));
  try {
    const file = join(folder, "results.json");
    const results = await drain(repositoryFolder, events, file, ["-Drounds=1"]);
    for (const result of results) {
      const { sink, tasks, batch, indexes, rowsPerSecond, processorMicroseconds } = result;
      const setup = `${tasks} ${tasks === 1 ? "task" : "tasks"}, batches of ${batch}, ${indexes === "key" ? "primary key only" : "shipped indexes"}`;
      const stock = results.find(
        (other) =>
          other.sink === "stock" && other.tasks === tasks && other.batch === batch && other.indexes === indexes,
      );
      recorder.recordAll({ system: sink === "ours" ? "cdc-audit" : "Debezium's sink", phase: "sink" }, [
        {
          metric: `${setup}: rows`,
          value: rowsPerSecond,
          unit: "/s",
          ...(sink === "ours" && tasks === 2 && batch === 1000 && indexes === "shipped"
            ? { goal: { atLeast: 28_000 } }
            : {}),
        },
        { metric: `${setup}: worker CPU for 1,000 rows`, value: processorMicroseconds, unit: "ms" },
        ...(sink === "ours" && stock
          ? [
              {
                metric: `${setup}: rate over Debezium's`,
                value: rowsPerSecond / stock.rowsPerSecond,
                unit: "×",
                goal: { atLeast: 0.9 },
              },
            ]
          : []),
      ]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Rounds of {@link measureSinkAgainst}, each with both sinks. */
const pairedRounds = 5;
const pairedGoal = 0.97;
const benchmarkFile = "connect/src/test/java/io/cdcaudit/connect/benchmark/SinkBenchmark.java";

/**
 * Our sink, and that of another commit of this repository, in turns. Both run by the benchmark of today, which may know how
 * to leave out what is not compared.
 */
export async function measureSinkAgainst(
  recorder: Recorder,
  events: number,
  { commit, folder: tree }: BuiltTree,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "cdc-audit-sink-"));
  // The servers run as another user when root starts them.
  chmodSync(folder, 0o755);
  try {
    copyFileSync(join(repositoryFolder, benchmarkFile), join(tree, benchmarkFile));
    const ratios: number[] = [];
    for (let round = 0; round < pairedRounds; round += 1) {
      const rates = new Map<string, number>();
      for (const each of round % 2 === 0 ? [repositoryFolder, tree] : [tree, repositoryFolder]) {
        const [usual] = await drain(each, events, join(folder, "results.json"), ["-Drounds=2", "-Dsetups=usual"]);
        rates.set(each, usual?.rowsPerSecond ?? Number.NaN);
      }
      const [ours, theirs] = [repositoryFolder, tree].map((each) => rates.get(each) ?? Number.NaN) as [number, number];
      ratios.push(ours / theirs);
      recorder.recordAll({ system: "cdc-audit", phase: "sink against" }, [
        { metric: `round ${round + 1}: rows`, value: ours, unit: "/s" },
        { metric: `round ${round + 1}: rows at ${commit}`, value: theirs, unit: "/s" },
      ]);
    }
    recorder.record({
      system: "cdc-audit",
      phase: "sink against",
      metric: `2 tasks, batches of 1000, shipped indexes: median rate over that of ${commit}`,
      value: ratios.sort((one, other) => one - other)[Math.floor(pairedRounds / 2)] as number,
      unit: "×",
      goal: { atLeast: pairedGoal },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function drain(folder: string, events: number, file: string, settings: readonly string[]): Promise<SinkResult[]> {
  await maven(folder, [
    ...["-f", "connect/pom.xml", "test-compile", "exec:java@benchmark"],
    ...[`-Devents=${events}`, ...settings, `-Dresult=${file}`],
  ]);
  return JSON.parse(readFileSync(file, "utf8")) as SinkResult[];
}
