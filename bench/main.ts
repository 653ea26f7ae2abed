import { Command, InvalidArgumentError, Option } from "commander";
import { build, isBuilt } from "../local/machine/build";
import type { Pipeline } from "../local/pipeline";
import { withClient } from "../local/servers/database-client";
import { describeServer, postgresOption } from "./load/postgres-option";
import { workloads as allWorkloads } from "./load/workloads";
import { writerName } from "./load/writer";
import { measureWorkload, warmUp } from "./measurements/comparison";
import { measureGrowth } from "./measurements/growth";
import { measureOutage, measureRestart, measureStart } from "./measurements/recovery";
import type { Setting, SystemUnderTest } from "./measurements/setting";
import { measureSink, measureSinkAgainst } from "./measurements/sink";
import { measureTransformer } from "./measurements/transformer";
import { measureUpgrade } from "./measurements/upgrade";
import { measureWriterCost } from "./measurements/writer-cost";
import { earlierName } from "./report/comparison-results";
import { writeReport } from "./report/report";
import { conclude, Recorder, type Run, thisMachine } from "./report/results";
import { startDebezium } from "./systems/debezium";
import { startEarlier } from "./systems/earlier";
import { pipelineSystem } from "./systems/ours";
import { preparePipeline, Running, type Size } from "./systems/own-servers";
import { type BuiltTree, builtTree } from "./systems/work-tree";

const phases = ["workloads", "transformer", "restart", "outage", "writer", "sink", "growth", "upgrade"] as const;
type Phase = (typeof phases)[number];
const byName: readonly Phase[] = ["growth", "upgrade"];
/** Those that need no pipeline of today's. */
const withoutPipeline: readonly Phase[] = ["sink", "upgrade"];
type Server = NonNullable<Run["machine"]["postgres"]>;
const peerChoices = ["none", "debezium", "triggers", "all"] as const;

interface Options {
  readonly quick?: boolean;
  readonly peers?: (typeof peerChoices)[number];
  readonly only?: readonly Phase[];
  readonly workloads?: readonly string[];
  readonly scale: number;
  readonly against?: string;
  readonly json?: string;
  readonly report?: readonly string[];
}

/** The sizes of a run. */
function sizes({ quick, scale }: Options) {
  return quick
    ? { seconds: Math.max(2, Math.round(3 * scale)), backlog: 20_000 * scale, outage: 10, sinkEvents: 50_000 * scale }
    : {
        seconds: Math.max(2, Math.round(30 * scale)),
        backlog: 500_000 * scale,
        outage: Math.max(5, 60 * scale),
        sinkEvents: 200_000 * scale,
      };
}

async function main(): Promise<void> {
  const options = parse();
  if (options.report) return writeReport(options.report);
  const plan = planOf(options);
  if (plan.wanted.includes("upgrade") && !options.against) {
    throw new Error("--only upgrade needs --against, which names the commit whose log is upgraded, such as HEAD~1.");
  }
  if (!isBuilt()) await build();
  const recorder = new Recorder();
  const run: Omit<Run, "figures" | "failures"> = {
    startedAt: new Date().toISOString(),
    machine: thisMachine(),
    writer: writerName,
    quick: plan.quick,
    scale: options.scale,
    sustained: "search",
  };
  const { processors, memoryGibibytes, loadBefore } = run.machine;
  console.log(`${processors}, ${memoryGibibytes} GiB, load ${loadBefore}; writer: ${run.writer}; ${run.startedAt}`);

  const against = options.against ? await builtTree(options.against) : undefined;
  const postgres = await measureOnPipeline(recorder, plan, against);
  if (plan.wanted.includes("sink")) {
    await recorder.attempt("sink", () =>
      against ? measureSinkAgainst(recorder, plan.sinkEvents, against) : measureSink(recorder, plan.sinkEvents),
    );
  }

  if (plan.wanted.includes("upgrade") && against) await measureUpgradeOf(recorder, plan, against);

  const machine = { ...run.machine, ...(postgres ? { postgres } : {}) };
  conclude({ ...run, machine }, recorder, options.json);
}

/** What a run measures, and how much of it. */
type Plan = ReturnType<typeof planOf>;

function planOf(options: Options) {
  const { quick = false } = options;
  const scale = quick ? options.scale / 5 : options.scale;
  const chosen = allWorkloads(scale);
  return {
    quick,
    /** Of the tables and the workloads. */
    scale,
    // Sink and growth take minutes each. Growth also takes 12 GB of disk, and an upgrade is one of another build: both must be
    // named.
    wanted: options.only ?? phases.filter((phase) => !byName.includes(phase) && !(quick && phase === "sink")),
    peers: options.peers ?? (quick ? "none" : "all"),
    chosen,
    selected: chosen.filter(({ name }) => !options.workloads || options.workloads.includes(name)),
    ...sizes(options),
  };
}

/** Starts the pipeline, measures it, and other systems in turns with it. Returns what its server is, where one was started. */
async function measureOnPipeline(recorder: Recorder, plan: Plan, against?: BuiltTree): Promise<Server | undefined> {
  if (plan.wanted.every((phase) => withoutPipeline.includes(phase))) return undefined;
  return withRunning(async (running) => {
    const begin = Date.now();
    const size = sizeOf(recorder, plan);
    const { pipeline, setting, filling, stop } = await preparePipeline(size, running);
    await pipeline.start();
    // Filling the application's large tables is no part of starting.
    await measureStart(setting, pipeline, begin + filling());
    await measureBriefly(setting, pipeline, plan);
    if (plan.wanted.includes("workloads")) {
      const others = await startOthers(size, running, plan, against);
      await measureWorkloads({ system: pipelineSystem(pipeline), setting, stop }, others, plan);
    }
    await measureAlone(setting, pipeline, plan);
    return await withClient(pipeline.destination, describeServer);
  });
}

/** The other build alone. Its log is that of today afterwards. */
async function measureUpgradeOf(recorder: Recorder, plan: Plan, against: BuiltTree): Promise<void> {
  await withRunning((running) =>
    recorder.attempt("upgrade", async () =>
      measureUpgrade(await startEarlier(sizeOf(recorder, plan), running, against)),
    ),
  );
}

const sizeOf = (recorder: Recorder, { seconds, backlog, scale }: Plan): Size => ({ recorder, seconds, backlog, scale });

/** Stops whatever was started, also when the measurement fails or is interrupted. */
async function withRunning<T>(measure: (running: Running) => Promise<T>): Promise<T> {
  const running = new Running();
  const interrupted = () => void running.stop().finally(() => process.exit(130));
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  try {
    return await measure(running);
  } finally {
    await running.stop();
  }
}

/** While only the warm-up's rows have been captured, so that the chosen workloads make no difference to the transformer. */
async function measureBriefly(setting: Setting, pipeline: Pipeline, { wanted, chosen }: Plan): Promise<void> {
  const measuresTransformer = wanted.includes("transformer");
  if (measuresTransformer || wanted.includes("workloads")) await warmUp(setting, pipelineSystem(pipeline), chosen);
  if (measuresTransformer) {
    await setting.recorder.attempt("transformer", () => measureTransformer(setting, pipeline));
  }
}

/** All systems run at once, each on its own servers, and one at a time is at work. */
async function measureWorkloads(ours: SystemUnderTest, others: readonly SystemUnderTest[], plan: Plan): Promise<void> {
  const systems = [ours, ...others];
  for (const [index, workload] of plan.selected.entries()) {
    const first = index % systems.length;
    await measureWorkload([...systems.slice(first), ...systems.slice(0, first)], workload);
  }
  for (const { stop } of others) await stop();
}

/** One that does not start is reported. */
async function startOthers(
  size: Size,
  running: Running,
  plan: Plan,
  against: BuiltTree | undefined,
): Promise<SystemUnderTest[]> {
  const started: SystemUnderTest[] = [];
  const start = (what: string, starting: () => Promise<SystemUnderTest>) =>
    size.recorder.attempt(what, async () => {
      const test = await starting();
      await warmUp(test.setting, test.system, plan.chosen).catch(async (error: unknown) => {
        await test.stop();
        throw error;
      });
      started.push(test);
    });
  if (against) await start(earlierName(against.commit), () => startEarlier(size, running, against));
  if (plan.peers === "debezium" || plan.peers === "all") {
    for (const images of ["old and new values", "new values only"] as const) {
      await start(`Debezium, ${images}`, () => startDebezium(size, running, images));
    }
  }
  return started;
}

/** What is measured without others. The writer's cost comes last, because it removes capture. */
async function measureAlone(setting: Setting, pipeline: Pipeline, plan: Plan): Promise<void> {
  const steps: Partial<Record<Phase, () => Promise<void>>> = {
    restart: () => measureRestart(setting, pipeline),
    outage: () => measureOutage(setting, pipeline, plan.outage),
    growth: () => measureGrowth(setting, pipeline, 10_000_000 * plan.scale),
    writer: () =>
      measureWriterCost(
        setting,
        pipeline,
        plan.chosen.filter(({ name }) => name === "hot" || (name === "tpcb" && !plan.quick)),
        plan.peers === "triggers" || plan.peers === "all",
      ),
  };
  for (const [phase, measure] of Object.entries(steps) as [Phase, () => Promise<void>][]) {
    if (plan.wanted.includes(phase)) await setting.recorder.attempt(phase, measure);
  }
}

function parse(): Options {
  const names = allWorkloads(1).map(({ name }) => name);
  const listOf = (allowed: readonly string[]) => (text: string) => {
    const chosen = text.split(",");
    const unknown = chosen.filter((name) => !allowed.includes(name));
    if (unknown.length > 0) throw new InvalidArgumentError(`${unknown.join(",")} is none of ${allowed.join(",")}.`);
    return chosen;
  };
  const positive = (text: string) => {
    const value = Number(text);
    if (!(value > 0 && value <= 10)) throw new InvalidArgumentError(`${text} is not a number above 0 and up to 10.`);
    return value;
  };
  return new Command("npm run bench --")
    .description(
      "Measures the local pipeline, and its peers in the same run. Do not compare figures of different runs.",
    )
    .option("--quick", "small backlogs and short measurements, without peers: under 5 minutes")
    .addOption(
      new Option("--peers <which>", "what to measure besides it (default: all; with --quick: none)").choices(
        peerChoices,
      ),
    )
    .option(
      "--only <phases>",
      `some of ${phases.join(",")}; growth, and upgrade with --against, only by name`,
      listOf(phases),
    )
    .option("--workloads <names>", `some of ${names.join(",")}`, listOf(names))
    .option("--scale <factor>", "multiply every size by this, to try out the benchmark itself", positive, 1)
    .option(
      "--against <commit>",
      "another build of ours, of this commit of this repository, beside today's and the peers; the sink alone in place of Debezium's",
    )
    .addOption(postgresOption())
    .option("--json <file>", "also write the figures to this file")
    .option("--report <files...>", "measure nothing: write docs/performance.md from these files")
    .parse()
    .opts<Options>();
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exit(1);
});
