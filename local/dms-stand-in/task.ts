import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Admin } from "@platformatic/kafka";
import type { Pool } from "pg";
import { ChangeReader } from "./change-reader";
import { ChangeRecordBuilder } from "./change-records";
import type { StandInConfiguration } from "./configuration";
import { fullLoad } from "./full-load";
import { Heartbeat } from "./heartbeat";
import type { Log } from "./log";
import { RecordWriter } from "./record-writer";
import { ReplicationStream } from "./replication-stream";
import {
  checkSource,
  createSlot,
  dropSlot,
  isOutage,
  isSlotInUse,
  renameSlot,
  slotExists,
  sourceDatabase,
  sourceTables,
  TaskError,
  type SourceTable,
} from "./source-database";
import { loadOrder, tableRouter, type TableRouter } from "./table-selection";
import { TableShapes } from "./table-shapes";

const firstRetryMilliseconds = 50;
const longestRetryMilliseconds = 2_000;
/** How long the task may take at its end to send what was read. */
const drainMilliseconds = 10_000;
/** How long the server may take to say goodbye. */
const closeMilliseconds = 1_000;

/** One DMS replication task: a slot of the source, read into Kafka until it is stopped. */
export class Task {
  private readonly database: Pool;
  private readonly route: TableRouter;
  private readonly shapes: TableShapes;
  private readonly records: ChangeRecordBuilder;
  private readonly heartbeat: Heartbeat;
  private readonly stopping = new AbortController();
  private stream: ReplicationStream | undefined;
  /** WAL position. Everything before it is in Kafka, so the server may forget it. */
  private acknowledged = 0n;
  private writerFailure: Error | undefined;

  constructor(
    private readonly configuration: StandInConfiguration,
    private readonly log: Log,
  ) {
    const { sourceUrl, topic, tableMappings, taskSettings, heartbeatSeconds, extraConnectionAttributes } =
      configuration;
    this.database = sourceDatabase(sourceUrl);
    this.route = tableRouter(tableMappings, topic);
    this.shapes = new TableShapes(this.database, this.route, {
      lobMaxKilobytes: taskSettings.TargetMetadata.LobMaxSize,
      unboundedVarcharMaxBytes: extraConnectionAttributes.unboundedVarcharMaxSize,
    });
    this.records = new ChangeRecordBuilder(taskSettings.BeforeImageSettings.FieldName);
    this.heartbeat = new Heartbeat(this.database, heartbeatSeconds, log);
  }

  /** Captures until {@link stop}. Throws when it can't go on. */
  async run(): Promise<void> {
    try {
      const partitions = await this.topicPartitions();
      if (partitions) await this.captureInto(this.openWriter(partitions));
    } finally {
      this.heartbeat.stop();
      await Promise.race([this.database.end(), sleep(closeMilliseconds)]);
    }
  }

  /** Makes {@link run} stop reading, send to Kafka what was read, confirm it and return. */
  stop(): void {
    this.stopping.abort();
    this.stream?.stopReading();
  }

  private async captureInto(writer: RecordWriter): Promise<void> {
    // Closing the writer ends every wait for Kafka.
    const limitDrain = () => setTimeout(() => void writer.close(), drainMilliseconds).unref();
    this.stopping.signal.addEventListener("abort", limitDrain);
    writer.add(this.records.applyExceptionsTable(this.configuration.topic, this.taskId()));
    try {
      await this.captureUntilStopped(writer);
    } finally {
      limitDrain();
      await this.drain(writer);
      await writer.close();
    }
  }

  private async captureUntilStopped(writer: RecordWriter): Promise<void> {
    let retryMilliseconds = firstRetryMilliseconds;
    let slotInUseSince: number | undefined;
    while (!this.stopping.signal.aborted) {
      try {
        await this.capture(writer, () => {
          retryMilliseconds = firstRetryMilliseconds;
          slotInUseSince = undefined;
        });
      } catch (error) {
        if (this.writerFailure) throw this.writerFailure;
        if (this.stopping.signal.aborted) return;
        if (isSlotInUse(error)) {
          // Perhaps the session of a predecessor that was killed; the server notices soon.
          slotInUseSince ??= Date.now();
          this.refuseOtherReader(slotInUseSince, error as Error);
        } else if (!isOutage(error)) {
          throw error;
        }
        this.log.warn("source-away", { reason: reasonOf(error), retryMilliseconds });
        await sleep(retryMilliseconds, undefined, { signal: this.stopping.signal }).catch(() => undefined);
        retryMilliseconds = Math.min(retryMilliseconds * 2, longestRetryMilliseconds);
      }
      if (this.writerFailure) throw this.writerFailure;
    }
  }

  private refuseOtherReader(since: number, error: Error): void {
    const { slotName, slotWaitSeconds } = this.configuration;
    if (Date.now() - since < slotWaitSeconds * 1000) return;
    throw new TaskError(
      `The replication slot ${slotName} is read by somebody else (${error.message}). ` +
        "Stop that reader, or choose another slotName.",
    );
  }

  /** One session: from connecting until the stream breaks or is to stop. */
  private async capture(writer: RecordWriter, streaming: () => void): Promise<void> {
    const { slotName, sourceUrl, topic } = this.configuration;
    const tables = await this.unlessStopped(this.prepareSource(writer));
    if (!tables) return;
    const reader = new ChangeReader(this.shapes, this.records, writer);
    const stream = await ReplicationStream.open({
      sourceUrl,
      slotName,
      startPosition: this.acknowledged,
      onMessages: (messages) => reader.take(messages),
    });
    this.stream = stream;
    // What Kafka took before the stream was at hand.
    stream.confirm(this.acknowledged);
    if (this.stopping.signal.aborted) stream.stopReading();
    streaming();
    this.heartbeat.start();
    this.log.info("streaming", { slot: slotName, topic, tables: tables.length });
    try {
      await stream.ended;
      await this.drain(writer);
    } finally {
      reader.discard();
      await stream.close();
    }
  }

  /** Checks the source and creates the slot if it is missing. Sends what an earlier session read before the next begins. */
  private async prepareSource(writer: RecordWriter): Promise<readonly SourceTable[]> {
    await checkSource(this.database);
    const tables = await this.selectedTables();
    if (!(await slotExists(this.database, this.configuration.slotName))) await this.createSlotAndLoad(tables, writer);
    await writer.flush();
    return tables;
  }

  /** The result of some work; undefined as soon as the task is to stop, because the work need not be finished. */
  private async unlessStopped<Result>(work: Promise<Result>): Promise<Result | undefined> {
    const { signal } = this.stopping;
    const stopped = new Promise<undefined>((resolve) => {
      if (signal.aborted) resolve(undefined);
      signal.addEventListener("abort", () => resolve(undefined), { once: true });
    });
    return Promise.race([work, stopped]);
  }

  /** Waits until Kafka has what was read. What does not arrive in time is read again by the next run. */
  private async drain(writer: RecordWriter): Promise<void> {
    await writer.flush().catch(() => this.log.warn("not-drained", { pendingRecords: writer.pendingRecords }));
  }

  /** The tables that the mappings select, in the order of a full load; refuses mappings that select none. */
  private async selectedTables(): Promise<SourceTable[]> {
    const order = loadOrder(this.configuration.tableMappings);
    const tables = (await sourceTables(this.database))
      .filter(({ schema, table }) => this.route(schema, table))
      .map((table) => ({ table, order: order(table.schema, table.table) }))
      .sort((left, right) => right.order - left.order)
      .map(({ table }) => table);
    if (tables.length > 0) return tables;
    throw new TaskError("The table mappings select no table of the source. Correct tableMappings or create a table.");
  }

  /**
   * Makes the slot, and loads the tables if that is wanted. The slot gets its name only after the load, so that a load
   * that was cut off begins again.
   */
  private async createSlotAndLoad(tables: readonly SourceTable[], writer: RecordWriter): Promise<void> {
    const { slotName } = this.configuration;
    const provisional = `${slotName}_load`;
    this.log.info("creating-slot", { slot: slotName, waitsFor: "the transactions that are open now" });
    await dropSlot(this.database, provisional);
    if (this.configuration.fullLoad) {
      await createSlot(this.database, provisional);
      await fullLoad(this.database, tables, this.shapes, this.records, writer, this.log);
      await renameSlot(this.database, provisional, slotName);
    } else {
      await createSlot(this.database, slotName);
    }
    this.log.info("slot-created", { slot: slotName });
  }

  private openWriter(partitions: ReadonlyMap<string, number>): RecordWriter {
    return new RecordWriter({
      bootstrapServers: this.brokers(),
      partitions,
      messageMaxBytes: this.configuration.messageMaxBytes,
      log: this.log,
      onAcknowledged: (position) => {
        if (position > this.acknowledged) this.acknowledged = position;
        this.stream?.confirm(position);
      },
      onFailure: (error) => {
        this.writerFailure = error;
        this.stream?.stopReading();
      },
    });
  }

  /** Waits for the broker; refuses topics that it does not have. Undefined when the task is to stop before it answers. */
  private async topicPartitions(): Promise<Map<string, number> | undefined> {
    const { tableMappings, topic } = this.configuration;
    const routed = tableMappings.rules.flatMap((rule) =>
      rule["rule-type"] === "object-mapping" ? [rule["kafka-target-topic"]] : [],
    );
    const topics = [...new Set([topic, ...routed])];
    const admin = new Admin({ clientId: "dms-stand-in", bootstrapBrokers: this.brokers(), retries: 0 });
    try {
      while (!this.stopping.signal.aborted) {
        try {
          const existing = new Set(await admin.listTopics());
          const missing = topics.filter((name) => !existing.has(name));
          if (missing.length > 0) {
            throw new TaskError(`Kafka at ${this.brokers().join(",")} has no topic ${missing.join(", ")}. Create it.`);
          }
          const metadata = await admin.metadata({ topics });
          return new Map(topics.map((name) => [name, metadata.topics.get(name)?.partitionsCount ?? 1]));
        } catch (error) {
          if (error instanceof TaskError) throw error;
          this.log.warn("kafka-away", { reason: reasonOf(error) });
          await sleep(longestRetryMilliseconds / 4, undefined, { signal: this.stopping.signal }).catch(() => undefined);
        }
      }
      return undefined;
    } finally {
      await admin.close();
    }
  }

  private brokers(): string[] {
    return this.configuration.bootstrapServers.split(",");
  }

  /** Like a DMS task's resource id: 26 letters and digits, always the same for one slot. */
  private taskId(): string {
    const digest = createHash("sha256").update(this.configuration.slotName).digest();
    return [...digest.subarray(0, 26)].map((byte) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte % 32]).join("");
  }
}

function reasonOf(error: unknown): string {
  const { message, code } = error as { message?: string; code?: string };
  return message || code || String(error);
}
