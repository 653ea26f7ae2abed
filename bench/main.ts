import { mkdtempSync, chmodSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { build, isBuilt } from "../local/machine/build";
import { sampleUser } from "../local/parts/sample-database";
import { Pipeline } from "../local/pipeline";
import { withClient } from "../local/servers/database-client";
import { measureWorkload, warmUp, type Setting } from "./measurements/comparison";
import { startDebezium, stopDebezium, type Images } from "./systems/debezium";
import { measureGrowth } from "./measurements/growth";
import { pipelineSystem } from "./systems/ours";
import { measureOutage, measureRestart, measureStart } from "./measurements/recovery";
import { writeReport } from "./report/report";
import { conclude, Recorder, type Run, thisMachine } from "./report/results";
import { measureSink, measureSinkAgainst } from "./measurements/sink";
import { measureTransformer } from "./measurements/transformer";
import { describeServer, postgresOption } from "./load/postgres-option";
import { createTables, workloads as allWorkloads } from "./load/workloads";
import { measureWriterCost, removePipeline } from "./measurements/writer-cost";
import { writerName } from "./load/writer";

const phases = ["workloads", "transformer", "restart", "outage", "writer", "sink", "growth"] as const;
type Phase = (typeof phases)[number];
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
  if (!isBuilt()) await build();
  const recorder = new Recorder();
  const run: Omit<Run, "figures" | "failures"> = {
    startedAt: new Date().toISOString(),
    machine: thisMachine(),
    writer: writerName,
    quick: plan.quick,
    scale: options.scale,
  };
  const { processors, memoryGibibytes, loadBefore } = run.machine;
  console.log(`${processors}, ${memoryGibibytes} GiB, load ${loadBefore}; writer: ${run.writer}; ${run.startedAt}`);

  const postgres = await measureOnPipeline(recorder, plan);
  const { against } = options;
  if (plan.wanted.includes("sink")) {
    await recorder.attempt("sink", () =>
      against ? measureSinkAgainst(recorder, plan.sinkEvents, against) : measureSink(recorder, plan.sinkEvents),
    );
  }

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
    // Sink and growth take minutes each. Growth also takes 12 GB of disk, so it must be named.
    wanted: options.only ?? phases.filter((phase) => phase !== "growth" && !(quick && phase === "sink")),
    peers: options.peers ?? (quick ? "none" : "all"),
    chosen,
    selected: chosen.filter(({ name }) => !options.workloads || options.workloads.includes(name)),
    ...sizes(options),
  };
}

/** Starts the pipeline, measures it and the peers on it, and stops it. Returns what its server is, where one was started. */
async function measureOnPipeline(recorder: Recorder, plan: Plan): Promise<Server | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "cdc-audit-bench-"));
  chmodSync(folder, 0o755);
  const begin = Date.now();
  let filling = 0;
  const pipeline = await Pipeline.prepare({
    folder,
    tables: [{ schema: "ledger", table: "%" }],
    // As in production: in the application's database the log would go through its own capture, for every system.
    auditDatabase: "audit",
    prepareSample: async (client) => {
      const before = Date.now();
      await createTables(client, plan.scale);
      filling = Date.now() - before;
    },
    postgresSettings: {
      // Nothing reads while a backlog grows; the server must not end the reader's session.
      wal_sender_timeout: "0",
      // As on a server whose log has millions of rows, for every system; PostgreSQL's defaults suit a laptop.
      shared_buffers: "1GB",
      max_wal_size: "8GB",
    },
  });
  const setting: Setting = {
    recorder,
    application: { ...pipeline.sample, ...sampleUser },
    source: pipeline.sample,
    observer: pipeline.destination,
    brokerLog: join(folder, "data/kafka/log"),
    seconds: plan.seconds,
    backlog: plan.backlog,
  };
  const interrupted = () => void pipeline.stop().finally(() => process.exit(130));
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  let server: Server | undefined;
  try {
    if (plan.wanted.some((phase) => phase !== "sink")) {
      await pipeline.start();
      server = await withClient(pipeline.destination, describeServer);
      // Filling the application's large tables is no part of starting.
      await measureStart(setting, pipeline, begin + filling);
      await measurePipeline(setting, pipeline, plan);
    }
    if (plan.wanted.includes("workloads") && (plan.peers === "debezium" || plan.peers === "all")) {
      await measurePeers(setting, pipeline, plan);
    }
  } finally {
    await pipeline.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return server;
}

/** Everything that needs the pipeline. The writer's cost comes last, because it removes capture again. */
async function measurePipeline(setting: Setting, pipeline: Pipeline, plan: Plan): Promise<void> {
  const { recorder } = setting;
  const { wanted, chosen, selected } = plan;
  const system = pipelineSystem(pipeline);
  if (wanted.includes("workloads") || wanted.includes("transformer")) await warmUp(setting, system, chosen);
  // First, while only the warm-up's rows have been captured, so that the chosen workloads make no difference.
  if (wanted.includes("transformer")) {
    await recorder.attempt("transformer", () => measureTransformer(setting, pipeline));
  }
  if (wanted.includes("workloads")) {
    for (const workload of selected) {
      await recorder.attempt(`${system.name}, ${workload.title}`, () => measureWorkload(setting, system, workload));
    }
  }
  const steps: Partial<Record<Phase, () => Promise<void>>> = {
    restart: () => measureRestart(setting, pipeline),
    outage: () => measureOutage(setting, pipeline, plan.outage),
    growth: () => measureGrowth(setting, pipeline, 10_000_000 * plan.scale),
    writer: () =>
      measureWriterCost(
        setting,
        pipeline,
        chosen.filter(({ name }) => name === "hot" || (name === "tpcb" && !plan.quick)),
        plan.peers === "triggers" || plan.peers === "all",
      ),
  };
  for (const [phase, measure] of Object.entries(steps) as [Phase, () => Promise<void>][]) {
    if (wanted.includes(phase)) await recorder.attempt(phase, measure);
  }
}

async function measurePeers(setting: Setting, pipeline: Pipeline, plan: Plan): Promise<void> {
  await removePipeline(pipeline);
  for (const images of ["old and new values", "new values only"] as const) {
    await setting.recorder.attempt(`Debezium, ${images}`, () => measureDebezium(setting, pipeline, images, plan));
    await stopDebezium(pipeline, images);
  }
}

async function measureDebezium(setting: Setting, pipeline: Pipeline, images: Images, plan: Plan): Promise<void> {
  const system = await startDebezium(pipeline, images);
  await warmUp(setting, system, plan.chosen);
  for (const workload of plan.selected) {
    await setting.recorder.attempt(`${system.name}, ${workload.title}`, () =>
      measureWorkload(setting, system, workload),
    );
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
    .option("--only <phases>", `some of ${phases.join(",")}; growth only by name`, listOf(phases))
    .option("--workloads <names>", `some of ${names.join(",")}`, listOf(names))
    .option("--scale <factor>", "multiply every size by this, to try out the benchmark itself", positive, 1)
    .option("--against <commit>", "the sink beside that of a commit of this repository, in place of Debezium's")
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
