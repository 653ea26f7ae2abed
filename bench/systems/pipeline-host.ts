import { join } from "node:path";
import { pipelineOptions } from "./own-servers";

/** What its parent tells it, as JSON in {@link hostVariable}. */
export interface HostOrder {
  /** A built tree of this repository, today's or an earlier one. */
  readonly tree: string;
  readonly folder: string;
  readonly scale: number;
}

/** What it tells its parent once the pipeline runs. */
export interface HostedPipeline {
  readonly sample: HostedDatabase;
  readonly destination: HostedDatabase;
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
  readonly topics: Readonly<Record<"raw" | "events", { readonly name: string }>>;
}

interface HostedDatabase {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export const hostVariable = "BENCH_PIPELINE";

/**
 * All that is asked of an earlier pipeline's code; `local/pipeline` has had it since f761236. What has moved or changed
 * since then, such as the sample's user, the servers and the steps, is not used here.
 */
interface EarlierPipeline extends HostedPipeline {
  start(): Promise<void>;
  stop(): Promise<unknown>;
}

interface EarlierModule {
  readonly Pipeline: { prepare(options: ReturnType<typeof pipelineOptions>): Promise<EarlierPipeline> };
}

/** Runs another tree's pipeline by that tree's own code until its parent is gone or tells it to stop. */
async function main(order: HostOrder): Promise<void> {
  // Its path is known only now.
  const { Pipeline } = (await import(join(order.tree, "local/pipeline.ts"))) as EarlierModule;
  const pipeline = await Pipeline.prepare(pipelineOptions(order.folder, order.scale));
  const stop = () => void pipeline.stop().finally(() => process.exit(0));
  process.once("disconnect", stop).once("message", stop);
  await pipeline.start();
  const { sample, destination, topics, processes } = pipeline;
  const pids = processes.map(({ name, pid }) => ({ name, pid }));
  process.send?.({ sample, destination, topics, processes: pids } satisfies HostedPipeline);
}

// Ctrl-C reaches it too; its parent then stops it in order.
process.on("SIGINT", () => undefined);
const order = process.env[hostVariable];
if (order) {
  main(JSON.parse(order) as HostOrder).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
}
