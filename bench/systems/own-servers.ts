import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "pg";
import { sampleUser } from "../../local/parts/sample-database";
import { Pipeline } from "../../local/pipeline";
import type { Connection } from "../load/writer";
import { createTables } from "../load/workloads";
import type { Setting } from "../measurements/setting";

/** What is the same for every system that is measured. */
export interface Size extends Pick<Setting, "recorder" | "seconds" | "backlog"> {
  /** Of the application's tables. */
  readonly scale: number;
}

/** What was started and has to be stopped, whatever happens. */
export class Running {
  private readonly stops: (() => Promise<void>)[] = [];
  private stopping = false;

  /** Returns the stop, which does its work once. Throws once everything is being stopped. */
  add(stop: () => Promise<void>): () => Promise<void> {
    if (this.stopping) throw new Error("The benchmark was asked to stop.");
    let stopped: Promise<void> | undefined;
    const once = () => (stopped ??= stop());
    this.stops.push(once);
    return once;
  }

  /** Stops everything, what was started last first. */
  async stop(): Promise<void> {
    this.stopping = true;
    for (const stop of [...this.stops].reverse()) await stop();
  }
}

/** What a pipeline is prepared with, whether today's or an earlier one: the application's tables, captured into a log. */
export function pipelineOptions(folder: string, scale: number) {
  return {
    folder,
    tables: [{ schema: "ledger", table: "%" }],
    // As in production: in the application's database the log would go through its own capture, for every system.
    auditDatabase: "audit",
    prepareSample: (client: Client) => createTables(client, scale),
    postgresSettings: {
      // Nothing reads while a backlog grows; the server must not end the reader's session.
      wal_sender_timeout: "0",
      // As on a server whose log has millions of rows, for every system; PostgreSQL's defaults suit a laptop.
      shared_buffers: "1GB",
      max_wal_size: "8GB",
    },
  };
}

/** A new folder for servers, which may run as another user. */
export function folderOfServers(): string {
  const folder = mkdtempSync(join(tmpdir(), "cdc-audit-bench-"));
  chmodSync(folder, 0o755);
  return folder;
}

/** Where a system on these servers is measured. */
export function settingOf(size: Size, folder: string, source: Connection, observer: Connection): Setting {
  const { recorder, seconds, backlog } = size;
  const brokerLog = join(folder, "data/kafka/log");
  return { recorder, seconds, backlog, source, observer, brokerLog, application: { ...source, ...sampleUser } };
}

/** Servers and the parts of today's pipeline, not yet started. */
export interface PreparedPipeline {
  readonly pipeline: Pipeline;
  readonly setting: Setting;
  /** Milliseconds that filling the application's tables took. */
  readonly filling: () => number;
  readonly stop: () => Promise<void>;
}

export async function preparePipeline(size: Size, running: Running): Promise<PreparedPipeline> {
  const folder = folderOfServers();
  const options = pipelineOptions(folder, size.scale);
  let filling = 0;
  const pipeline = await Pipeline.prepare({
    ...options,
    prepareSample: async (client) => {
      const before = Date.now();
      await options.prepareSample(client);
      filling = Date.now() - before;
    },
  });
  const stop = running.add(async () => {
    await pipeline.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const setting = settingOf(size, folder, pipeline.sample, pipeline.destination);
  return { pipeline, setting, filling: () => filling, stop };
}
