import type { ConformanceDatabase } from "./database";
import type { Driver } from "./driver";
import { expectationOf } from "./expectation";
import { interleavedBatches } from "./interleaving";
import { problemsOf } from "./judge";
import { type Batch, type Feature, featuresOf, type Greeting } from "./protocol";
import { type Scenario, scenarios } from "./scenarios";

/** What became of a scenario. */
export interface Outcome {
  readonly name: string;
  /** Sentences; none if it holds. */
  readonly problems: readonly string[];
  /** Why it was not asked for. */
  readonly skipped?: string;
}

/** A driver on a database, and what it is. */
export interface Run {
  readonly database: ConformanceDatabase;
  readonly driver: Driver;
  readonly greeting: Greeting;
}

/** Asks for every scenario that the client's framework can do, and tells of each as it ends. */
export async function runScenarios(run: Run, tell: (outcome: Outcome) => void): Promise<void> {
  for (const scenario of scenarios) {
    const reasons = lacking(scenario, run.greeting);
    if (reasons.length > 0) tell({ name: scenario.name, problems: [], skipped: reasons.join("; ") });
    else tell({ name: scenario.name, problems: await problemsOfScenario(run, scenario) });
  }
}

/** Asks for many interleaved requests, and stops at the first batch that is not right. Returns its problems. */
export async function runInterleaved(run: Run, requests: number, seed: number): Promise<readonly string[]> {
  const cannot = new Set(Object.keys(run.greeting.cannot) as Feature[]);
  for (const batch of interleavedBatches(requests, seed, cannot)) {
    const problems = await problemsOfBatch(run, batch);
    if (problems.length > 0) return problems;
  }
  return [];
}

function lacking({ batches }: Scenario, { cannot }: Greeting): string[] {
  const needed = new Set(batches.flatMap(({ requests }) => requests.flatMap(({ steps }) => featuresOf(steps))));
  // Without it the client is held to another rule.
  needed.delete("secondActor");
  return [...needed].flatMap((feature) => cannot[feature] ?? []);
}

async function problemsOfScenario(run: Run, scenario: Scenario): Promise<string[]> {
  try {
    if (scenario.onlyReads) return await problemsOfReads(run, scenario);
    if (scenario.behindLock) return await problemsBehindLock(run, scenario);
    const problems: string[] = [];
    for (const batch of scenario.batches) problems.push(...(await problemsOfBatch(run, batch)));
    return problems;
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

async function problemsOfBatch({ database, driver, greeting }: Run, batch: Batch): Promise<string[]> {
  const { errors } = await driver.ask(batch);
  const expectation = expectationOf(batch, greeting.cannot.secondActor === undefined);
  return [
    ...errors.map(({ request, message }) => `Request ${request} failed: ${message}`),
    ...problemsOf(expectation, await database.changes()),
  ];
}

/** The server itself may write a little now and then: the least of some attempts counts. */
async function problemsOfReads(run: Run, scenario: Scenario): Promise<string[]> {
  let problems: string[] = [];
  for (let attempt = 0; attempt < 4; attempt++) {
    problems = [];
    for (const batch of scenario.batches) {
      // Connecting and a first look at catalogs are not the transaction's.
      problems.push(...(await problemsOfBatch(run, batch)));
      const before = await run.database.trace();
      problems.push(...(await problemsOfBatch(run, { ...batch, fresh: false })));
      const after = await run.database.trace();
      if (before.transactionId !== after.transactionId)
        problems.push("A transaction that only read took a transaction id.");
      if (before.wal !== after.wal) problems.push("A transaction that only read wrote WAL.");
    }
    if (problems.length === 0) return [];
  }
  return problems;
}

async function problemsBehindLock(run: Run, { batches, name }: Scenario): Promise<string[]> {
  const batch = batches[0] as Batch;
  const { errors } = await run.database.behindLock(name, () => run.driver.ask(batch));
  const changes = await run.database.changes();
  const stale = changes.filter(({ seen }) => seen !== name);
  return [
    ...errors.map(({ request, message }) => `Request ${request} failed: ${message}`),
    ...problemsOf(expectationOf(batch, run.greeting.cannot.secondActor === undefined), changes),
    ...stale.map(({ id }) => `The insert of ${id} saw what was before the lock: its snapshot was taken too early.`),
  ];
}
