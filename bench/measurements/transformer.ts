import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pipelineTopics } from "../../contract/topics";
import type { Pipeline } from "../../local/pipeline";
import { createTopics, topicEndOffsets } from "../../local/servers/topics";
import { copyTopic } from "../load/copy-topic";
import { ownGoals } from "../report/goals";
import type { Setting } from "./setting";
import { cpuSeconds } from "../../local/machine/processes";

/** Records that compile the transformer's code before it is measured over as many again. */
const warmUpRecords = 1_000_000;

/** A second transformer reads copies of `cdc.raw` and writes to separate topics, while nothing else runs. */
export async function measureTransformer(setting: Setting, pipeline: Pipeline): Promise<void> {
  const { bootstrapServers } = pipeline;
  const topics = pipelineTopics({ prefix: "bench" });
  await createTopics(bootstrapServers, Object.values(topics), 1);
  const [captured = 0n] = await topicEndOffsets(bootstrapServers, pipeline.topics.raw.name);
  const rounds = 2 * Math.ceil(warmUpRecords / Number(captured));
  const records = await copyTopic(bootstrapServers, pipeline.topics.raw.name, topics.raw.name, rounds);
  const process = await pipeline.transformerFor({
    applicationId: "bench-transformer",
    topics,
    stateFolder: join(pipeline.options.folder, "data/bench-transformer"),
    logFile: pipeline.logFile("bench-transformer"),
  });
  const begin = Date.now();
  await process.start();
  const pid = process.pid as number;
  const samples: { at: number; cpu: number; events: number }[] = [];
  for (;;) {
    const ends = await topicEndOffsets(bootstrapServers, topics.events.name);
    const events = ends.reduce((sum, offset) => sum + Number(offset), 0);
    samples.push({ at: Date.now(), cpu: cpuSeconds(pid), events });
    if (samples.length > 20 && samples.at(-20)?.events === events && events > 0) break;
    if (Date.now() - begin > 300_000) throw new Error("The transformer did not read its topic within 5 minutes.");
    await sleep(100);
  }
  await process.stop();
  const last = samples.at(-20) as (typeof samples)[number];
  const warm = samples.find(({ events }) => events >= last.events / 2) as (typeof samples)[number];
  const perCpuSecond = (last.events - warm.events) / (last.cpu - warm.cpu);
  setting.recorder.recordAll({ system: "cdc-audit", phase: "transformer" }, [
    {
      metric: ownGoals.transformer.metric,
      value: perCpuSecond,
      unit: "/s",
      goal: ownGoals.transformer.goal,
    },
    {
      metric: "events per second, warm",
      value: ((last.events - warm.events) * 1000) / (last.at - warm.at),
      unit: "/s",
    },
    { metric: "events per CPU second, start and compilation included", value: last.events / last.cpu, unit: "/s" },
    { metric: "records read", value: records, unit: "" },
  ]);
}
