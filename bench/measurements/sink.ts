import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryFolder } from "../../local/machine/folders";
import type { Recorder } from "../report/results";

/** One line of what `SinkBenchmark` writes. */
interface SinkResult {
  readonly sink: "ours" | "stock";
  readonly tasks: number;
  readonly batch: number;
  readonly indexes: "shipped" | "key";
  readonly rowsPerSecond: number;
  readonly processorMicroseconds: number;
}

/** A benchmark that failed at its start may never end by itself. */
const patienceMilliseconds = 1_800_000;

/** The sink alone, from a full topic, beside Debezium's own with the same converter, servers and table. */
export async function measureSink(recorder: Recorder, events: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "cdc-audit-sink-"));
  try {
    const file = join(folder, "results.json");
    await maven([`-Devents=${events}`, "-Drounds=1", `-Dresult=${file}`]);
    const results = JSON.parse(readFileSync(file, "utf8")) as SinkResult[];
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

function maven(properties: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      "mvn",
      ["-q", "-B", "-f", "connect/pom.xml", "test-compile", "exec:java@benchmark", ...properties],
      {
        cwd: repositoryFolder,
        timeout: patienceMilliseconds,
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    let output = "";
    child.stdout.on("data", (text: Buffer) => (output += text.toString()));
    child.stderr.on("data", (text: Buffer) => (output += text.toString()));
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0
        ? resolve()
        : reject(new Error(`The sink's benchmark failed (exit code ${code}): ${output.slice(-2000)}`)),
    );
  });
}
