import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { memoryMebibytes, total } from "../../local/machine/processes";
import { withClient } from "../../local/servers/database-client";
import { write } from "../load/writer";
import type { Workload } from "../load/workloads";
import { logSize, type AuditSystem } from "../systems/audit-system";
import { everythingArrived, stored } from "./arrival";
import { cpu, cpuPerThousand } from "./cpu";
import { LatencyProbe } from "./latency";
import type { Measured, Setting, SystemUnderTest } from "./setting";
import { measureSustained, type Drained } from "./sustained";

/**
 * Measures systems under one workload, in turns: latency and drain of a backlog of each, then the sustained rates of all
 * together. What fails for one system is reported, and the others go on.
 */
export async function measureWorkload(systems: readonly SystemUnderTest[], workload: Workload): Promise<void> {
  const drained: Drained[] = [];
  for (const test of systems) {
    const { recorder } = test.setting;
    await recorder.attempt(`${test.system.name}, ${workload.title}`, async () => {
      drained.push({ ...test, drain: await latencyAndDrain(test, workload) });
    });
  }
  await measureSustained(drained, workload);
}

/** Returns the rate of the drain. */
async function latencyAndDrain({ setting, system }: SystemUnderTest, workload: Workload): Promise<number> {
  const { recorder } = setting;
  return withClient(setting.observer, async (observer) => {
    await prime(setting, observer, system, workload);
    const of = (phase: string) => ({ system: system.name, phase, workload: workload.name });
    recorder.recordAll(of("latency"), await latency(setting, observer, system, workload));
    const { rate, figures } = await drain(setting, observer, system, workload);
    recorder.recordAll(of("drain"), figures);
    return rate;
  });
}

/**
 * A pipeline runs for months, so it is measured after its code is compiled: some 60,000 changes in large transactions and
 * a minute of small ones make every hop compile what it runs.
 */
export async function warmUp(setting: Setting, system: AuditSystem, workloads: readonly Workload[]): Promise<void> {
  const rounds = Math.min(setting.backlog, 60_000);
  const [single, , hundred] = workloads as [Workload, Workload, Workload];
  await withClient(setting.observer, async (observer) => {
    await prime(setting, observer, system, single);
    await system.emptyLog(observer);
    const bulk = await write(setting.application, hundred, { transactions: rounds / hundred.changes });
    await stored(setting, observer, system, bulk.transactions * hundred.changes);
    const seconds = Math.min(60, 8 * setting.seconds);
    const singles = await write(setting.application, single, { seconds });
    await stored(setting, observer, system, bulk.transactions * hundred.changes + singles.transactions);
  });
}

/** Carries one transaction of the workload through, so that everything made on first use exists afterwards. */
async function prime(setting: Setting, observer: Client, system: AuditSystem, workload: Workload): Promise<void> {
  // A workload that failed may have left changes on their way.
  await everythingArrived(setting, observer, system);
  await system.emptyLog(observer);
  const { transactions } = await write(setting.application, workload, { transactions: 1 });
  await stored(setting, observer, system, transactions * workload.changes);
  await system.prepare(observer, workload);
}

/** From the source's commit until the sink's transaction is visible, at a fixed rate or of one large transaction. */
async function latency(
  setting: Setting,
  observer: Client,
  system: AuditSystem,
  workload: Workload,
): Promise<Measured[]> {
  await system.emptyLog(observer);
  const probe = await LatencyProbe.start(setting.observer, await system.logTables(observer));
  const { latencyRate } = workload;
  const { transactions } = await write(
    setting.application,
    workload,
    latencyRate === "once"
      ? { transactions: 1 }
      : { seconds: setting.seconds, transactionsPerSecond: latencyRate / workload.changes },
  );
  const changes = transactions * workload.changes;
  await stored(setting, observer, system, changes);
  // The last announcement may still be on its way.
  await sleep(200);
  const { count, p50, p90, p99, max } = probe.result();
  await probe.stop();
  if (count !== changes) throw new Error(`${system.name}: ${count} of ${changes} changes had their latency measured.`);
  const rate = latencyRate === "once" ? "one transaction" : `at ${latencyRate}/s`;
  const ours = system.name === "cdc-audit" && latencyRate !== "once";
  return [
    { metric: `commit to table ${rate}, changes measured`, value: count, unit: "" },
    { metric: `commit to table ${rate}, p50`, value: p50, unit: "ms" },
    { metric: `commit to table ${rate}, p90`, value: p90, unit: "ms" },
    {
      metric: `commit to table ${rate}, p99`,
      value: p99,
      unit: "ms",
      ...(ours && workload.name === "hot" ? { goal: { atMost: 100 } } : {}),
    },
    { metric: `commit to table ${rate}, max`, value: max, unit: "ms" },
  ];
}

/**
 * Does some work while the server's process that reads the WAL for the system is stopped. Nothing is decoded, sent or
 * queued in that time. A system that was only told to pause would already do so.
 */
async function whileCaptureIsHeld<Result>(observer: Client, work: () => Promise<Result>): Promise<Result> {
  const pid = await stopWalSender(observer);
  const resume = () => void process.kill(pid, "SIGCONT");
  // A server does not end while one of its processes is stopped.
  process.once("SIGINT", resume).once("SIGTERM", resume);
  try {
    return await work();
  } finally {
    process.off("SIGINT", resume).off("SIGTERM", resume);
    resume();
  }
}

/** Stops it while it waits for WAL: there it holds no lock that others would wait for. */
async function stopWalSender(observer: Client): Promise<number> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(20)) {
    const { rows } = await observer.query<{ pid: number }>(
      "SELECT active_pid AS pid FROM pg_replication_slots WHERE active",
    );
    const pid = rows[0]?.pid;
    if (pid === undefined) continue;
    process.kill(pid, "SIGSTOP");
    let waiting: number | null = 0;
    try {
      ({ rowCount: waiting } = await observer.query(
        // Before version 17 its name ends in WAL.
        "SELECT FROM pg_stat_activity WHERE pid = $1 AND lower(wait_event) = 'walsenderwaitforwal'",
        [pid],
      ));
    } finally {
      if (!waiting) process.kill(pid, "SIGCONT");
    }
    if (waiting) return pid;
  }
  throw new Error("No process that reads a replication slot came to rest within 30 s.");
}

/** How fast a backlog, written while capture was held, reaches the log; and what that costs. No writer runs beside it. */
async function drain(
  setting: Setting,
  observer: Client,
  system: AuditSystem,
  workload: Workload,
): Promise<{ rate: number; figures: Measured[] }> {
  await system.emptyLog(observer);
  const wanted = Math.max(1, Math.round((setting.backlog * workload.backlogShare) / workload.changes));
  const parts = system.processes();
  const { changes, walBytes, topicsBefore, cpuBefore, begin } = await whileCaptureIsHeld(observer, async () => {
    const walBefore = await walPosition(observer);
    const { transactions } = await write(setting.application, workload, { transactions: wanted });
    const walBytes = (await walPosition(observer)) - walBefore;
    await observer.query("CHECKPOINT");
    const topicsBefore = topicBytes(setting, system);
    return {
      changes: transactions * workload.changes,
      walBytes,
      topicsBefore,
      cpuBefore: cpu(parts),
      begin: Date.now(),
    };
  });
  await stored(setting, observer, system, changes);
  const seconds = (Date.now() - begin) / 1000;
  const cpuAfter = cpu(parts);
  const topicsAfter = topicBytes(setting, system);
  const size = await logSize(observer, system);
  const memory = parts.map((part) => ({ name: part.name, value: total(part.pid as number, memoryMebibytes) }));
  const rate = changes / seconds;
  const figures: Measured[] = [
    {
      metric: "drain rate",
      value: rate,
      unit: "changes/s",
      ...(system.name === "cdc-audit" && workload.name === "hundred" ? { goal: { atLeast: 10_000 } } : {}),
    },
    { metric: "backlog", value: changes, unit: "changes" },
    ...cpuPerThousand(cpuBefore, cpuAfter, changes),
    ...memory.map(({ name, value }) => ({ metric: `memory after the drain: ${name}`, value, unit: "MiB" })),
    { metric: "bytes per change: WAL of the writer", value: walBytes / changes, unit: "B" },
    ...system.topics().map(({ name }, index) => ({
      metric: `bytes per change: ${name}`,
      value: ((topicsAfter[index] as number) - (topicsBefore[index] as number)) / changes,
      unit: "B",
    })),
    { metric: "bytes per change: rows in the log", value: size.rows / changes, unit: "B" },
    { metric: "bytes per change: indexes of the log", value: size.indexes / changes, unit: "B" },
  ];
  return { rate, figures };
}

/** The WAL position in bytes. */
export async function walPosition(observer: Client): Promise<number> {
  const { rows } = await observer.query<{ position: string }>(
    "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS position",
  );
  return Number(rows[0]?.position);
}

/** Bytes on disk of each of a system's hops through Kafka. */
function topicBytes({ brokerLog }: Setting, system: AuditSystem): number[] {
  const partitions = readdirSync(brokerLog).filter((folder) => /-\d+$/.test(folder));
  return system.topics().map(({ topics }) =>
    partitions
      .filter((folder) => topics.includes(folder.replace(/-\d+$/, "")))
      .flatMap((folder) => readdirSync(join(brokerLog, folder)).map((file) => join(brokerLog, folder, file)))
      .filter((file) => file.endsWith(".log"))
      .reduce((sum, file) => sum + statSync(file).size, 0),
  );
}
