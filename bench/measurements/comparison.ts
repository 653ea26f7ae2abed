import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { withClient } from "../../local/servers/database-client";
import { countChanges, logSize, type AuditSystem } from "../systems/audit-system";
import { LatencyProbe } from "./latency";
import {
  cpuSeconds,
  machineCpuSeconds,
  memoryMebibytes,
  postgresCpuSeconds,
  total,
} from "../../local/machine/processes";
import type { Figure, Recorder } from "../report/results";
import type { Workload } from "../load/workloads";
import { startWriter, write, type Connection } from "../load/writer";

/** What every system is measured with. */
export interface Setting {
  readonly recorder: Recorder;
  /** The application, and a superuser of its database. */
  readonly application: Connection;
  readonly source: Connection;
  /** A superuser of the log's database, which is on the same server. */
  readonly observer: Connection;
  /** The broker's log folder, for the bytes of each topic. */
  readonly brokerLog: string;
  /** Seconds of each measurement at a rate. */
  readonly seconds: number;
  /** Changes of a full backlog. */
  readonly backlog: number;
}

/** How long a measurement waits for changes before it fails. */
const patienceMilliseconds = 900_000;

/** The sustained rate is measured for this many times the usual seconds, so that the last changes' way weighs little. */
const sustainedShare = 2;

/** How far the log may be behind during that time. */
const tolerableLagMilliseconds = 1000;

type Measured = Omit<Figure, "system" | "phase" | "workload">;

/** Measures one system under one workload: latency, sustained rate, drain of a backlog. */
export async function measureWorkload(setting: Setting, system: AuditSystem, workload: Workload): Promise<void> {
  const { recorder } = setting;
  await withClient(setting.observer, async (observer) => {
    await prime(setting, observer, system, workload);
    const of = (phase: string) => ({ system: system.name, phase, workload: workload.name });
    recorder.recordAll(of("latency"), await latency(setting, observer, system, workload));
    recorder.recordAll(of("sustained"), await sustained(setting, observer, system, workload));
    recorder.recordAll(of("drain"), await drain(setting, observer, system, workload));
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
 * The highest rate without a growing backlog: the writer goes as fast as it can, and is held whenever the log is more
 * than a second behind. All changes, over the time from the first commit until the last of them is in the log.
 */
async function sustained(
  setting: Setting,
  observer: Client,
  system: AuditSystem,
  workload: Workload,
): Promise<Measured[]> {
  await system.emptyLog(observer);
  const parts = system.processes();
  const cpuBefore = cpu(parts);
  const begin = Date.now();
  const wanted = sustainedShare * setting.seconds;
  const { clients, saturatingClients = clients } = workload;
  const writer = startWriter(setting.application, { ...workload, clients: saturatingClients }, { seconds: wanted });
  let pausedAt: number | undefined;
  let held = 0;
  let finished = false;
  void writer.finished.finally(() => (finished = true)).catch(() => undefined);
  while (!finished) {
    await sleep(100);
    const newest = (await system.newestCommit(observer)) ?? begin;
    const lag = (pausedAt ?? Date.now()) - newest;
    const over = Date.now() > begin + wanted * 1000;
    if (pausedAt === undefined && lag > tolerableLagMilliseconds && !over) {
      writer.pause();
      pausedAt = Date.now();
    } else if (pausedAt !== undefined && (lag < tolerableLagMilliseconds / 2 || over)) {
      writer.resume();
      held += Date.now() - pausedAt;
      pausedAt = undefined;
    }
  }
  const { transactions } = await writer.finished;
  const changes = transactions * workload.changes;
  await stored(setting, observer, system, changes);
  const seconds = (Date.now() - begin) / 1000;
  return [
    { metric: "sustained rate", value: changes / seconds, unit: "changes/s" },
    { metric: "share of the time that the writer was held", value: (100 * held) / (seconds * 1000), unit: "%" },
    ...cpuPerThousand(cpuBefore, cpu(parts), changes),
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
async function drain(setting: Setting, observer: Client, system: AuditSystem, workload: Workload): Promise<Measured[]> {
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
  return [
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
}

/** CPU seconds so far: of each part, PostgreSQL's by what it does, and of everything else on the machine. */
function cpu(parts: ReturnType<AuditSystem["processes"]>): Map<string, number> {
  const seconds = new Map<string, number>();
  let measured = 0;
  for (const part of parts) {
    const pid = part.pid as number;
    if (part.name === "PostgreSQL") {
      for (const [role, value] of Object.entries(postgresCpuSeconds(pid))) {
        seconds.set(`PostgreSQL, ${role}`, value);
        measured += value;
      }
    } else {
      const value = total(pid, cpuSeconds);
      seconds.set(part.name, value);
      measured += value;
    }
  }
  seconds.set("everything else on the machine", machineCpuSeconds() - measured);
  return seconds;
}

function cpuPerThousand(before: Map<string, number>, after: Map<string, number>, changes: number): Measured[] {
  return [...after].map(([name, seconds]) => ({
    metric: `CPU for 1,000 changes: ${name}`,
    value: ((seconds - (before.get(name) ?? 0)) * 1e6) / changes,
    unit: "ms",
  }));
}

/** Waits until exactly this many changes are in the log. The checks are cheap, because the same machine does the work. */
async function stored(setting: Setting, observer: Client, system: AuditSystem, changes: number): Promise<void> {
  const checkDeadline = await everythingArrived(setting, observer, system);
  for (;;) {
    const begin = performance.now();
    const count = await countChanges(observer, system);
    if (count === changes) return;
    if (count > changes) throw new Error(`${system.name}: ${count} changes in the log, but ${changes} were written.`);
    checkDeadline(`${count} of ${changes} changes have arrived`);
    await sleep(Math.max(20, 5 * (performance.now() - begin)));
  }
}

/**
 * Waits for a row that is written after everything else and is not counted. Returns a function that throws when the time
 * to wait is over.
 */
async function everythingArrived(
  setting: Setting,
  observer: Client,
  system: AuditSystem,
): Promise<(state: string) => void> {
  const marked = Date.now();
  const deadline = marked + patienceMilliseconds;
  const checkDeadline = (state: string) => {
    if (Date.now() > deadline)
      throw new Error(`${system.name}: ${state} after ${patienceMilliseconds / 60_000} minutes.`);
  };
  await withClient(setting.source, (source) => source.query("UPDATE ledger.marker SET at = clock_timestamp()"));
  while (((await system.newestCommit(observer)) ?? 0) < marked) {
    checkDeadline("the newest change has not arrived");
    await sleep(20);
  }
  return checkDeadline;
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
