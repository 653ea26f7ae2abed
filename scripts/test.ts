import { tmpdir } from "node:os";
import { join } from "node:path";
import { Argument, Command } from "commander";
import { exitCode, type Part, PartRunner, summary } from "./test-parts";

const script = (name: string, npmScript: string): Part => ({ name, command: `npm run --silent ${npmScript}` });
const project = (name: string): Part => ({ name, command: `npx vitest run --project ${name}` });

/**
 * What `npm test` runs. In the first stage two lanes share the machine, each with parts that keep the processor busy and
 * parts that mostly wait for servers to start, to stop and to notice. Pipelines restart parts under load: they have the
 * machine to themselves.
 */
const stages: readonly (readonly (readonly Part[])[])[] = [
  [
    // The Java parts that other parts run are built with their tests, once.
    [
      script("java", "test:java"),
      project("database"),
      script("python-client", "test:python"),
      script("java-client", "test:java-client"),
      project("clients"),
    ],
    [
      script("types", "typecheck"),
      script("lint", "lint"),
      script("architecture", "architecture"),
      script("format", "format:check"),
      { name: "unit", command: "npx vitest run --project unit --project mocked" },
      project("graph"),
      project("browser"),
      { ...project("package"), after: "java" },
      { ...project("postgres-18"), after: "java" },
    ],
  ],
  [[project("pipeline")]],
];

const names = stages.flat(2).map(({ name }) => name);

/** The stages with the parts of these names alone. */
function only(chosen: readonly string[]): typeof stages {
  const kept = (lane: readonly Part[]) => lane.filter(({ name }) => chosen.includes(name));
  return stages.map((lanes) => lanes.map(kept).filter((lane) => lane.length > 0)).filter((lanes) => lanes.length > 0);
}

async function main(chosen: readonly string[]): Promise<void> {
  const begun = performance.now();
  // Hundreds of processes load the same SDKs: only the first compiles them.
  process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), "node-compile-cache");
  const runner = new PartRunner(chosen.length === 0 ? stages : only(chosen), (text) => void process.stdout.write(text));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => runner.stop());
  const results = await runner.run();
  process.stdout.write(`\n${summary(results, (performance.now() - begun) / 1000)}`);
  process.exitCode = exitCode(results);
}

new Command("test")
  .description("Runs the tests part by part, stops at the first that fails, and says how long each took.")
  .addArgument(new Argument("[parts...]", "parts to run").choices(names).default([], "all"))
  .action(main)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
