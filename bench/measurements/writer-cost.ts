import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { ReplicationStream } from "../../local/dms-stand-in/replication-stream";
import { connectionUrl, withClient } from "../../local/servers/database-client";
import type { Pipeline } from "../../local/pipeline";
import { repositoryFolder } from "../../local/machine/folders";
import { walPosition } from "./comparison";
import type { Setting } from "./setting";
import { postgresCpuSeconds } from "../../local/machine/processes";
import type { Goal } from "../report/results";
import type { Workload } from "../load/workloads";
import { write } from "../load/writer";
import { removePipeline } from "../systems/ours";

const phase = "writer";
const rowTriggerSystem = "row trigger";

/**
 * What an audit log costs the application: transactions a second, as fast as they go, over those of the same database
 * with nothing installed. Ends with the pipeline's capture removed.
 */
export async function measureWriterCost(
  setting: Setting,
  pipeline: Pipeline,
  workloads: readonly Workload[],
  withRowTrigger: boolean,
): Promise<void> {
  await withClient(setting.source, async (source) => {
    const peaks = new Map<string, Map<string, Peak>>();
    const run = async (mode: string, repeats = 1) => {
      const measured = peaks.get(mode) ?? new Map<string, Peak>();
      for (const workload of workloads) {
        const peak = await peakOf(setting, pipeline, source, workload);
        const before = measured.get(workload.name);
        measured.set(workload.name, before ? mean(before, peak, repeats) : peak);
      }
      peaks.set(mode, measured);
    };
    await run("whole chain on the same processors");
    await captureOnly(pipeline, source);
    await run("capture to Kafka on the same processors");
    await readingElsewhere(pipeline, source, async () => {
      // In turns, so that a slow minute of the machine falls on both.
      for (const repeats of [1, 2]) {
        await identifyActor(source, workloads, false);
        await run("capture and full identity", repeats);
        await identifyActor(source, workloads, true);
        await run("capture, full identity and actor trigger", repeats);
      }
    });
    await removePipeline(pipeline);
    await run("capture off");
    if (withRowTrigger) {
      await source.query(readFileSync(join(repositoryFolder, "bench/systems/row-trigger.sql"), "utf8"));
      for (const table of tablesOf(workloads)) await source.query(rowTriggerOn(table));
      await run(rowTriggerSystem);
      await recordRowTriggerSize(setting, source);
      await source.query("DROP SCHEMA row_trigger CASCADE");
    }
    // Before and after the row trigger, so that a machine that becomes slower favours neither.
    await run("capture off", 2);
    for (const workload of workloads) report(setting, peaks, workload);
  });
}

async function identifyActor(source: Client, workloads: readonly Workload[], wanted: boolean): Promise<void> {
  for (const table of tablesOf(workloads)) {
    await source.query("SELECT capture.watch($1::regclass, identify_actor => $2)", [table, wanted]);
  }
}

/** The application at its fastest. */
interface Peak {
  readonly transactions: number;
  readonly perSecond: number;
  readonly walBytes: number;
  /** CPU of the server in milliseconds for 1,000 transactions. */
  readonly cpu: number;
}

const mean = (one: Peak, other: Peak, repeats: number): Peak => ({
  transactions: one.transactions + other.transactions,
  perSecond: (one.perSecond * (repeats - 1) + other.perSecond) / repeats,
  walBytes: (one.walBytes * (repeats - 1) + other.walBytes) / repeats,
  cpu: (one.cpu * (repeats - 1) + other.cpu) / repeats,
});

async function peakOf(setting: Setting, pipeline: Pipeline, source: Client, workload: Workload): Promise<Peak> {
  await caughtUp(source);
  await source.query("CHECKPOINT");
  await write(setting.application, workload, { seconds: 2 });
  const postmaster = pipeline.postgres.pid as number;
  const [cpu, wal] = [cpuOf(postmaster), await walPosition(source)];
  const { transactions, seconds } = await write(setting.application, workload, { seconds: setting.seconds });
  return {
    transactions,
    perSecond: transactions / seconds,
    walBytes: ((await walPosition(source)) - wal) / transactions,
    cpu: ((cpuOf(postmaster) - cpu) * 1e6) / transactions,
  };
}

function report(setting: Setting, peaks: ReadonlyMap<string, ReadonlyMap<string, Peak>>, workload: Workload): void {
  const off = peaks.get("capture off")?.get(workload.name) as Peak;
  for (const [mode, measured] of peaks) {
    const peak = measured.get(workload.name) as Peak;
    const ratio = peak.perSecond / off.perSecond;
    setting.recorder.recordAll(
      { system: mode === rowTriggerSystem ? rowTriggerSystem : "cdc-audit", phase, workload: workload.name },
      [
        { metric: `${mode}: transactions`, value: peak.perSecond, unit: "/s" },
        {
          metric: `${mode}: share of the rate with capture off`,
          value: ratio,
          unit: "",
          ...goalOf(mode, workload),
        },
        { metric: `${mode}: WAL per transaction`, value: peak.walBytes, unit: "B" },
        { metric: `${mode}: server CPU for 1,000 transactions`, value: peak.cpu, unit: "ms" },
      ],
    );
  }
}

function goalOf(mode: string, workload: Workload): { goal?: Goal } {
  if (workload.name !== "hot") return {};
  if (mode === "capture and full identity") return { goal: { atLeast: 0.65 } };
  if (mode === "capture, full identity and actor trigger") return { goal: { atLeast: 0.55 } };
  return {};
}

async function recordRowTriggerSize(setting: Setting, source: Client): Promise<void> {
  const { rows } = await source.query<{ rows: string; indexes: string; changes: string }>(
    `SELECT pg_table_size(log) AS rows, pg_indexes_size(log) AS indexes, (SELECT count(*) FROM row_trigger.versions) AS changes
     FROM (SELECT 'row_trigger.versions'::regclass AS log) AS named`,
  );
  const [size] = rows;
  setting.recorder.recordAll({ system: rowTriggerSystem, phase }, [
    { metric: "bytes per change: rows in the log", value: Number(size?.rows) / Number(size?.changes), unit: "B" },
    { metric: "bytes per change: indexes of the log", value: Number(size?.indexes) / Number(size?.changes), unit: "B" },
  ]);
}

/** Only the DMS stand-in and the broker go on. */
async function captureOnly(pipeline: Pipeline, source: Client): Promise<void> {
  await caughtUp(source);
  await pipeline.transformer.stop();
  await pipeline.worker.stop();
}

/**
 * Meanwhile the slot is read as the stand-in does, but what is read is thrown away: what an application's server pays
 * when DMS is on a machine of its own. Rejects when the reading breaks.
 */
async function readingElsewhere(pipeline: Pipeline, source: Client, work: () => Promise<void>): Promise<void> {
  await caughtUp(source);
  await pipeline.standIn.stop();
  const { rows } = await source.query<{ name: string }>("SELECT slot_name AS name FROM pg_replication_slots");
  const stream = await ReplicationStream.open({
    sourceUrl: connectionUrl(pipeline.sample),
    slotName: rows[0]?.name as string,
    startPosition: 0n,
    onMessages: async (messages, reading) => reading.confirm(messages.at(-1)?.position ?? 0n),
  });
  try {
    await Promise.race([work(), stream.ended]);
  } finally {
    await stream.close();
  }
}

/** Waits until every slot has been read to its end. */
async function caughtUp(client: Client): Promise<void> {
  const { rows } = await client.query<{ end: string }>("SELECT pg_current_wal_lsn() AS end");
  for (const deadline = Date.now() + 300_000; ; await sleep(100)) {
    const { rowCount } = await client.query("SELECT FROM pg_replication_slots WHERE confirmed_flush_lsn < $1::pg_lsn", [
      rows[0]?.end,
    ]);
    if (!rowCount) return;
    if (Date.now() > deadline) throw new Error("A replication slot was not read to its end within 5 minutes.");
  }
}

const cpuOf = (postmaster: number) => Object.values(postgresCpuSeconds(postmaster)).reduce((sum, each) => sum + each);

/** The tables that workloads change, by their statements. */
function tablesOf(workloads: readonly Workload[]): string[] {
  const written = workloads.flatMap(({ statements }) =>
    statements.flatMap((statement) => /(?:UPDATE|INSERT INTO) (ledger\.\w+)/.exec(statement)?.[1] ?? []),
  );
  return [...new Set(written)];
}

const rowTriggerOn = (table: string) =>
  `CREATE TRIGGER remember AFTER INSERT OR UPDATE OR DELETE ON ${table} FOR EACH ROW EXECUTE FUNCTION row_trigger.remember()`;
