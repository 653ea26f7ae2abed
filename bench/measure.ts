import { mkdtempSync, chmodSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { Client } from "pg";
import { pipelineTopics } from "../contract/topics";
import { build, isBuilt } from "../local/build";
import { Pipeline, shopUser, withClient } from "../local/pipeline";
import { createTopics, topicEndOffsets } from "../local/topics";
import { copyTopic } from "./copy-topic";
import { LatencyProbe } from "./latency";
import { cpuSeconds, memoryMebibytes, total } from "./processes";

/** One measured figure. */
interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: string;
  readonly holds?: boolean;
}

const accounts = 10_000;
const figures: Figure[] = [];

function report(
  what: string,
  value: number,
  unit: string,
  goal?: { readonly text: string; readonly holds: boolean },
): void {
  figures.push({ what, value, unit, ...(goal ? { goal: goal.text, holds: goal.holds } : {}) });
  const shown = value >= 1000 ? Math.round(value).toLocaleString("en") : value.toFixed(1);
  const verdict = goal ? `  (goal ${goal.text}: ${goal.holds ? "met" : "MISSED"})` : "";
  console.log(`${what.padEnd(64)} ${shown.padStart(9)} ${unit}${verdict}`);
}

const atMost = (value: number, limit: number, unit: string) => ({
  text: `≤ ${limit.toLocaleString("en")} ${unit}`,
  holds: value <= limit,
});
const atLeast = (value: number, limit: number, unit: string) => ({
  text: `≥ ${limit.toLocaleString("en")} ${unit}`,
  holds: value >= limit,
});

async function main(): Promise<void> {
  const command = new Command("npm run bench --")
    .description("Measures the local pipeline on this machine. Figures of one run belong together; compare no others.")
    .option("--quick", "shorter phases and a smaller backlog; under 5 minutes")
    .option("--only <phases>", "some of latency,drain,transformer,restart,outage (start is always measured)")
    .option("--json <file>", "also write the figures to this file");
  const options = command.parse().opts<{ quick?: boolean; only?: string; json?: string }>();
  const seconds = options.quick ? 10 : 30;
  const backlog = options.quick ? 100_000 : 300_000;
  const outage = options.quick ? 15 : 60;

  if (!isBuilt()) await build();
  console.log(
    `${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ${new Date().toISOString()}\n`,
  );

  const folder = mkdtempSync(join(tmpdir(), "cdc-audit-bench-"));
  chmodSync(folder, 0o755);
  const started = Date.now();
  const pipeline = await Pipeline.prepare({
    folder,
    tables: [{ schema: "ledger", table: "accounts" }],
    prepareSample: async (client) => {
      await client.query(`
        CREATE SCHEMA ledger;
        CREATE TABLE ledger.accounts (
          id integer PRIMARY KEY, owner text NOT NULL, balance numeric(14, 2) NOT NULL, active boolean NOT NULL,
          changed_at timestamptz NOT NULL, tags jsonb NOT NULL, filler text NOT NULL);`);
    },
  });
  try {
    await pipeline.start();
    await measureStart(pipeline, started);
    const phases: Record<string, () => Promise<void>> = {
      latency: () => measureLatency(pipeline, seconds),
      drain: () => measureDrain(pipeline, backlog),
      transformer: () => measureTransformer(pipeline, folder),
      restart: () => measureRestart(pipeline),
      outage: () => measureOutage(pipeline, outage),
    };
    await warmUp(pipeline);
    const wanted = options.only?.split(",") ?? Object.keys(phases);
    for (const [phase, measure] of Object.entries(phases)) if (wanted.includes(phase)) await measure();
  } finally {
    await pipeline.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  if (options.json) writeFileSync(options.json, JSON.stringify(figures, undefined, 2));
  const missed = figures.filter(({ holds }) => holds === false);
  console.log(missed.length === 0 ? "\nEvery goal was met." : `\nMissed: ${missed.map(({ what }) => what).join("; ")}`);
}

async function measureStart(pipeline: Pipeline, started: number): Promise<void> {
  await write(
    pipeline,
    `INSERT INTO ledger.accounts
    SELECT n, 'owner ' || n, n, true, now(), '{"kind": "private", "limits": [100, 200]}', repeat('x', 120) FROM generate_series(1, ${accounts}) n`,
  );
  await stored(pipeline, 1);
  const first = (Date.now() - started) / 1000;
  report("start of everything to the first visible audit row", first, "s", atMost(first, 30, "s"));
  await stored(pipeline, accounts);
  await sleep(5000);
  let sum = 0;
  for (const part of pipeline.processes) {
    const memory = total(part.pid as number, memoryMebibytes);
    report(`idle memory: ${part.name}`, memory, "MiB");
    sum += memory;
  }
  report("idle memory: all", sum, "MiB", atMost(sum, 1536, "MiB"));
}

/** What runs for months is measured once its code is compiled: each part has had some 60,000 changes by then. */
async function warmUp(pipeline: Pipeline): Promise<void> {
  const before = await count(pipeline);
  const rounds = 400;
  await withClient({ ...pipeline.destination, ...shopUser }, async (client) => {
    for (let round = 0; round < rounds; round += 1) await client.query(updateOf(1 + ((round * 100) % accounts), 100));
  });
  await stored(pipeline, before + rounds * 100);
  await paced(pipeline, 1000, 20);
  await sleep(1000);
}

async function measureLatency(pipeline: Pipeline, seconds: number): Promise<void> {
  const probe = await LatencyProbe.start(pipeline.destination);
  for (const rate of [500, 1000]) {
    probe.reset();
    const begin = new Date();
    const written = await paced(pipeline, rate, seconds);
    await sleep(2000);
    const { p50, p90, p99, max, count } = probe.result();
    report(`commit to table at ${rate}/s, changes measured`, count, `of ${written}`);
    report(`commit to table at ${rate}/s, p50`, p50, "ms");
    report(`commit to table at ${rate}/s, p90`, p90, "ms");
    report(`commit to table at ${rate}/s, p99`, p99, "ms", atMost(p99, 120, "ms"));
    report(`commit to table at ${rate}/s, max`, max, "ms");
    await reportHops(pipeline, begin);
  }
  await probe.stop();
}

/** Where the time goes, by the times that each event carries; `stored` is when the sink's transaction began. */
async function reportHops(pipeline: Pipeline, since: Date): Promise<void> {
  const hops = {
    "commit to DMS stand-in": "captured_at - committed_at",
    "to transformer": "transformed_at - captured_at",
    "to sink": "stored_at - transformed_at",
  };
  await withClient(pipeline.destination, async (client) => {
    for (const [hop, difference] of Object.entries(hops)) {
      const { rows } = await client.query<{ p50: number; p99: number }>(
        `SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::float AS p50, percentile_cont(0.99) WITHIN GROUP (ORDER BY ms)::float AS p99
         FROM (SELECT extract(epoch FROM ${difference}) * 1000 AS ms FROM audit.events WHERE committed_at > $1 AND operation = 'update') AS rows`,
        [since],
      );
      report(`  ${hop}, p50`, rows[0]?.p50 ?? Number.NaN, "ms");
      report(`  ${hop}, p99`, rows[0]?.p99 ?? Number.NaN, "ms");
    }
  });
}

async function measureDrain(pipeline: Pipeline, backlog: number): Promise<void> {
  const before = await count(pipeline);
  await pipeline.standIn.stop();
  const rounds = Math.ceil(backlog / 100);
  await withClient({ ...pipeline.destination, ...shopUser }, async (client) => {
    for (let round = 0; round < rounds; round += 1) await client.query(updateOf(1 + ((round * 100) % accounts), 100));
  });
  const parts = pipeline.processes;
  // The time that the process takes to start is not the pipeline's.
  await pipeline.standIn.start();
  const begin = Date.now();
  const already = await count(pipeline);
  const cpu = new Map(parts.map((part) => [part.name, total(part.pid as number, cpuSeconds)]));
  await stored(pipeline, before + rounds * 100);
  const elapsed = (Date.now() - begin) / 1000;
  const rate = (before + rounds * 100 - already) / elapsed;
  report(
    `backlog of ${rounds * 100} changes (100 a transaction), drained at`,
    rate,
    "changes/s",
    atLeast(rate, 10_000, "changes/s"),
  );
  for (const part of parts) {
    const used = total(part.pid as number, cpuSeconds) - (cpu.get(part.name) ?? 0);
    report(`  CPU for 1,000 changes: ${part.name}`, (used * 1e6) / (rounds * 100), "ms");
  }
}

/**
 * A second transformer reads copies of `cdc.raw` into topics of its own, alone on the machine. The first 300,000 records
 * or more compile its code; the rest is measured.
 */
async function measureTransformer(pipeline: Pipeline, folder: string): Promise<void> {
  const { bootstrapServers } = pipeline;
  const topics = pipelineTopics({ prefix: "bench" });
  await createTopics(bootstrapServers, Object.values(topics), 1);
  const [captured = 0n] = await topicEndOffsets(bootstrapServers, pipeline.topics.raw.name);
  const warmUp = Math.ceil(300_000 / Number(captured)) * Number(captured);
  const records = await copyTopic(
    bootstrapServers,
    pipeline.topics.raw.name,
    topics.raw.name,
    (2 * warmUp) / Number(captured),
  );
  const process = await pipeline.transformerFor({
    applicationId: "bench-transformer",
    topics,
    stateFolder: join(folder, "data/bench-transformer"),
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
  report(
    "transformer, warm: events per CPU second",
    perCpuSecond,
    `/s (${last.events - warm.events} events)`,
    atLeast(perCpuSecond, 80_000, "/s"),
  );
  report("transformer, warm: events per second", ((last.events - warm.events) * 1000) / (last.at - warm.at), "/s");
  report("transformer over all: events per CPU second", last.events / last.cpu, `/s (${records} records)`);
}

async function measureRestart(pipeline: Pipeline): Promise<void> {
  const before = await count(pipeline);
  await pipeline.transformer.stop();
  await write(pipeline, updateOf(1, 1));
  const begin = Date.now();
  await pipeline.transformer.start();
  const running = (Date.now() - begin) / 1000;
  report("transformer: clean restart to running", running, "s", atMost(running, 5, "s"));
  await stored(pipeline, before + 1);
  report("transformer: clean restart to the next row in the log", (Date.now() - begin) / 1000, "s");
}

async function measureOutage(pipeline: Pipeline, seconds: number): Promise<void> {
  const before = await count(pipeline);
  await write(pipeline, updateOf(1, 1000));
  await pipeline.postgres.stop("SIGQUIT");
  await sleep(seconds * 1000);
  await pipeline.postgres.start();
  const begin = Date.now();
  await write(pipeline, updateOf(1, 1000));
  await stored(pipeline, before + 2000);
  report(`database down for ${seconds} s: from its return until the log is complete`, (Date.now() - begin) / 1000, "s");
}

/** Single-row transactions at a fixed rate; returns how many were committed. */
async function paced(pipeline: Pipeline, rate: number, seconds: number): Promise<number> {
  const clients = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const client = new Client({ ...pipeline.destination, ...shopUser });
      await client.connect();
      return client;
    }),
  );
  const begin = performance.now();
  let written = 0;
  await Promise.all(
    clients.map(async (client, worker) => {
      for (let own = 0; ; own += 1) {
        const due = begin + ((own * clients.length + worker) * 1000) / rate;
        if (due > begin + seconds * 1000) return;
        const wait = due - performance.now();
        if (wait > 1) await sleep(wait);
        await client.query(updateOf(1 + ((own * 7 + worker * 2500) % accounts), 1));
        written += 1;
      }
    }),
  );
  await Promise.all(clients.map((client) => client.end()));
  return written;
}

function updateOf(first: number, rows: number): string {
  return `UPDATE ledger.accounts SET balance = balance + 1.25, changed_at = clock_timestamp(), active = NOT active
          WHERE id BETWEEN ${first} AND ${first + rows - 1}`;
}

function write(pipeline: Pipeline, statement: string): Promise<void> {
  return withClient({ ...pipeline.destination, ...shopUser }, async (client) => {
    await client.query(statement);
  });
}

async function count(pipeline: Pipeline): Promise<number> {
  return withClient(pipeline.destination, async (client) => {
    const { rows } = await client.query<{ count: string }>(
      "SELECT count(*) FROM audit.events WHERE operation IN ('insert', 'update', 'delete')",
    );
    return Number(rows[0]?.count);
  });
}

/**
 * Waits until so many changes are in the log. Counting a large table costs the database what it should give to the sink,
 * so the next count comes when half of the rest is expected.
 */
async function stored(pipeline: Pipeline, changes: number): Promise<void> {
  const begin = Date.now();
  await withClient(pipeline.destination, async (client) => {
    let first: number | undefined;
    for (;;) {
      const { rows } = await client.query<{ count: string }>(
        "SELECT count(*) FROM audit.events WHERE operation IN ('insert', 'update', 'delete')",
      );
      const counted = Number(rows[0]?.count);
      if (counted >= changes) return;
      const elapsed = Date.now() - begin;
      if (elapsed > 600_000)
        throw new Error(`Only ${counted} of ${changes} changes reached the log within 10 minutes.`);
      first ??= counted;
      const expected = ((changes - counted) * elapsed) / Math.max(1, counted - first);
      await sleep(Math.min(Math.max(expected / 2, 20), 2000));
    }
  });
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exit(1);
});
