import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { withClient } from "../../local/servers/database-client";
import { isSparse, write, type Effort, type Written } from "../load/writer";
import type { Workload } from "../load/workloads";
import type { AuditSystem } from "../systems/audit-system";
import { everythingArrived, stored } from "./arrival";
import { cpu, cpuPerThousand } from "./cpu";
import {
  keptUp,
  rateFound,
  searchInTurns,
  tolerableCatchUp,
  type LagSample,
  type RateSearch,
  type Trial,
} from "./rate-search";
import type { Measured, Setting, SystemUnderTest } from "./setting";

/** A system whose drain is known. */
export interface Drained extends SystemUnderTest {
  /** Changes a second. */
  readonly drain: number;
}

/** A trial lasts this share of the usual seconds, but as long as some transactions take. */
const trialShare = 1 / 3;
const fewestTransactions = 5;
const longestTrialSeconds = 60;

/** Fewer commits than these tell nothing of the lag between them. */
const tellingCommitsPerSecond = 5;

interface MeasuredTrial extends Trial {
  /** Milliseconds from the last commit until everything was stored. */
  readonly catchUp: number;
  readonly cpu: readonly Measured[];
}

/** The highest fixed rate that each system carries without falling behind, by search, the systems in turns. */
export async function measureSustained(systems: readonly Drained[], workload: Workload): Promise<void> {
  const searches = await searchInTurns(
    systems.map((test) => ({ drain: test.drain, trial: (rate: number) => attemptTrial(test, workload, rate) })),
  );
  systems.forEach((test, index) => {
    const search = searches[index];
    if (search) report(test, workload, search);
  });
}

/** Undefined when the trial failed, which is then reported. */
async function attemptTrial(test: Drained, workload: Workload, rate: number): Promise<MeasuredTrial | undefined> {
  let made: MeasuredTrial | undefined;
  await test.setting.recorder.attempt(`${test.system.name}, ${workload.title}, sustained rate`, async () => {
    made = await withClient(test.setting.observer, (observer) => makeTrial(test, observer, workload, rate));
  });
  return made;
}

async function makeTrial(
  { setting, system, drain }: Drained,
  observer: Client,
  workload: Workload,
  rate: number,
): Promise<MeasuredTrial> {
  await everythingArrived(setting, observer, system);
  await system.emptyLog(observer);
  const cpuBefore = cpu(system.processes());
  const effort = effortAt(setting, workload, rate);
  const { lags, written, milliseconds } = await whileLagIsSampled(observer, system, effort, () =>
    write(setting.application, { ...workload, clients: workload.saturatingClients ?? workload.clients }, effort),
  );
  const changes = written.transactions * workload.changes;
  const wrote = performance.now();
  await stored(setting, observer, system, changes);
  const catchUp = performance.now() - wrote;
  const writing = secondsOf(effort, written);
  const tolerable = tolerableCatchUp(milliseconds, (1000 * workload.changes) / drain, tells(effort));
  return {
    asked: rate,
    written: changes > 0 ? changes / writing : 0,
    stored:
      changes / (isSparse(effort) ? Math.max(writing, (milliseconds + catchUp) / 1000) : writing + catchUp / 1000),
    carried: changes > 0 && keptUp(lags, milliseconds, catchUp, tolerable),
    catchUp,
    cpu: cpuPerThousand(cpuBefore, cpu(system.processes()), changes),
  };
}

type RatedEffort = Required<Extract<Effort, { readonly seconds: number }>>;

function effortAt(setting: Setting, workload: Workload, rate: number): RatedEffort {
  const transactionsPerSecond = rate / workload.changes;
  const enough = Math.min(longestTrialSeconds, fewestTransactions / transactionsPerSecond);
  return { transactionsPerSecond, seconds: Math.max(2, Math.round(trialShare * setting.seconds), Math.ceil(enough)) };
}

/** A few transactions take the time between them, the last one as well. */
function secondsOf(effort: RatedEffort, { transactions, seconds }: Written): number {
  return isSparse(effort) ? Math.max(seconds, transactions / effort.transactionsPerSecond) : seconds;
}

const tells = ({ transactionsPerSecond }: RatedEffort): boolean => transactionsPerSecond >= tellingCommitsPerSecond;

/** How far the newest change in the log is behind the clock, while something is written without a pause. */
async function whileLagIsSampled(
  observer: Client,
  system: AuditSystem,
  effort: RatedEffort,
  work: () => Promise<Written>,
): Promise<{ lags: LagSample[]; written: Written; milliseconds: number }> {
  const lags: LagSample[] = [];
  const begin = Date.now();
  let working = true;
  const finished = work().finally(() => (working = false));
  finished.catch(() => undefined);
  while (working && tells(effort)) {
    await Promise.race([sleep(100), finished.catch(() => undefined)]);
    const newest = await system.newestCommit(observer);
    if (working && newest !== undefined) lags.push({ at: Date.now() - begin, lag: Date.now() - newest });
  }
  return { lags, written: await finished, milliseconds: Date.now() - begin };
}

function report({ setting, system }: Drained, workload: Workload, search: RateSearch<MeasuredTrial>): void {
  const { recorder } = setting;
  const found = rateFound(search);
  if ("reason" in found) {
    return recorder.notMeasured(`${system.name}, ${workload.title}, sustained rate`, found.reason);
  }
  const { best, writtenAbove } = found;
  recorder.recordAll({ system: system.name, phase: "sustained", workload: workload.name }, [
    { metric: "sustained rate", value: best.stored, unit: "changes/s" },
    { metric: "lag when the writer ended", value: best.catchUp, unit: "ms" },
    ...(writtenAbove === undefined
      ? []
      : [{ metric: "share of the next higher rate that the writer wrote", value: writtenAbove, unit: "%" }]),
    { metric: "rates that were tried", value: search.trials.length, unit: "" },
    ...best.cpu,
  ]);
}
