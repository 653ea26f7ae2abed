import { setTimeout as sleep } from "node:timers/promises";
import { withClient } from "../../local/servers/database-client";
import type { Pipeline } from "../../local/pipeline";
import { ownGoals } from "../report/goals";
import type { Setting } from "./setting";
import { countChanges } from "../systems/audit-system";
import { pipelineSystem } from "../systems/ours";
import { total, memoryMebibytes } from "../../local/machine/processes";
import { accounts, fillAccounts } from "../load/workloads";

const system = "cdc-audit";
const updateOf = (rows: number) => `UPDATE ledger.accounts SET balance = balance + 1.25 WHERE id <= ${rows}`;

/** From nothing to the first row that is visible in the log, and the memory of all parts at rest. */
export async function measureStart(setting: Setting, pipeline: Pipeline, begin: number): Promise<void> {
  const { recorder } = setting;
  await run(setting, fillAccounts);
  await arrived(setting, pipeline, 1);
  const first = (Date.now() - begin) / 1000;
  recorder.record({
    system,
    phase: "start",
    metric: "start of everything to the first visible audit row",
    value: first,
    unit: "s",
    goal: { atMost: 30 },
  });
  await arrived(setting, pipeline, accounts);
  await sleep(5000);
  const memory = pipeline.processes.map((part) => ({
    metric: `idle memory: ${part.name}`,
    value: total(part.pid as number, memoryMebibytes),
    unit: "MiB",
  }));
  const all = memory.reduce((sum, { value }) => sum + value, 0);
  recorder.recordAll({ system, phase: "start" }, [
    ...memory,
    { metric: ownGoals.idleMemory.metric, value: all, unit: "MiB", goal: ownGoals.idleMemory.goal },
  ]);
}

/** An orderly stop and start of the transformer, as a deployment makes. */
export async function measureRestart(setting: Setting, pipeline: Pipeline): Promise<void> {
  const before = await inLog(setting, pipeline);
  await pipeline.transformer.stop();
  await run(setting, updateOf(1));
  const begin = Date.now();
  await pipeline.transformer.start();
  const running = (Date.now() - begin) / 1000;
  await arrived(setting, pipeline, before + 1);
  setting.recorder.recordAll({ system, phase: "restart" }, [
    { metric: "transformer: clean restart to running", value: running, unit: "s", goal: { atMost: 5 } },
    { metric: "transformer: clean restart to the next row in the log", value: (Date.now() - begin) / 1000, unit: "s" },
  ]);
}

/** The database is away, and comes back; the rest is left alone. */
export async function measureOutage(setting: Setting, pipeline: Pipeline, seconds: number): Promise<void> {
  const before = await inLog(setting, pipeline);
  await run(setting, updateOf(1000));
  await pipeline.postgres.stop("SIGQUIT");
  await sleep(seconds * 1000);
  await pipeline.postgres.start();
  const begin = Date.now();
  await run(setting, updateOf(1000));
  await arrived(setting, pipeline, before + 2000);
  setting.recorder.record({
    system,
    phase: "outage",
    metric: `database down for ${seconds} s: from its return until the log is complete`,
    value: (Date.now() - begin) / 1000,
    unit: "s",
  });
}

function run(setting: Setting, statement: string): Promise<void> {
  return withClient(setting.application, async (client) => {
    await client.query(statement);
  });
}

function inLog(setting: Setting, pipeline: Pipeline): Promise<number> {
  return withClient(setting.observer, (client) => countChanges(client, pipelineSystem(pipeline)));
}

async function arrived(setting: Setting, pipeline: Pipeline, changes: number): Promise<void> {
  const deadline = Date.now() + 600_000;
  await withClient(setting.observer, async (client) => {
    for (;;) {
      const count = await countChanges(client, pipelineSystem(pipeline));
      if (count >= changes) return;
      if (Date.now() > deadline) throw new Error(`Only ${count} of ${changes} changes reached the log in 10 minutes.`);
      await sleep(20);
    }
  });
}
