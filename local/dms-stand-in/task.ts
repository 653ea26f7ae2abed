import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Admin } from "@platformatic/kafka";
import type { Pool } from "pg";
import { ChangeRecordBuilder, columnsOf, shapeChanged } from "./change-records";
import type { StandInConfiguration } from "./configuration";
import type { Log } from "./log";
import { RecordWriter } from "./record-writer";
import { ReplicationStream, type WalMessage } from "./replication-stream";
import {
  checkSource,
  createSlot,
  isOutage,
  isSlotInUse,
  slotExists,
  sourceDatabase,
  sourceTables,
  TaskError,
} from "./source-database";
import { tableSelection } from "./table-selection";
import { TableShapes, type TableShape } from "./table-shapes";
import { decodeMessage, type DecodedMessage } from "./test-decoding";
import { TransactionBuffer } from "./transaction-buffer";

const firstRetryMilliseconds = 50;
const longestRetryMilliseconds = 2_000;

/** One DMS replication task: a slot of the source, read into Kafka until it is stopped. */
export class Task {
  private readonly database: Pool;
  private readonly shapes: TableShapes;
  private readonly known = new Map<string, TableShape | undefined>();
  private readonly records: ChangeRecordBuilder;
  private readonly transaction = new TransactionBuffer();
  private writer: RecordWriter | undefined;
  private stream: ReplicationStream | undefined;
  private acknowledged = 0n;
  private stopping: AbortController = new AbortController();
  private failure: Error | undefined;

  constructor(
    private readonly configuration: StandInConfiguration,
    private readonly log: Log,
  ) {
    const { topic, tableMappings, taskSettings } = configuration;
    this.database = sourceDatabase(configuration.sourceUrl);
    this.shapes = new TableShapes(
      this.database,
      tableSelection(tableMappings, topic),
      taskSettings.TargetMetadata.LobMaxSize,
    );
    this.records = new ChangeRecordBuilder(taskSettings.BeforeImageSettings.FieldName);
  }

  /** Captures until {@link stop}. Throws when it can't go on. */
  async run(): Promise<void> {
    try {
      this.writer = await this.openWriter();
      this.writer.add(this.records.applyExceptionsTable(this.configuration.topic, this.taskId()));
      await this.captureUntilStopped(this.writer);
    } finally {
      await this.writer?.close().catch(() => undefined);
      await this.database.end();
    }
  }

  /** Reads no further, waits for Kafka to acknowledge what was read, confirms it and lets {@link run} return. */
  stop(): void {
    this.stopping.abort();
    void this.stream?.close();
  }

  private async captureUntilStopped(writer: RecordWriter): Promise<void> {
    let retry = firstRetryMilliseconds;
    let slotInUseSince: number | undefined;
    while (!this.stopping.signal.aborted) {
      try {
        await this.capture(writer, () => {
          retry = firstRetryMilliseconds;
          slotInUseSince = undefined;
        });
      } catch (error) {
        if (this.stopping.signal.aborted) break;
        if (this.failure) throw this.failure;
        if (isSlotInUse(error)) {
          slotInUseSince ??= Date.now();
          this.refuseForeignReader(slotInUseSince, error as Error);
        } else if (!isOutage(error)) {
          throw error;
        }
        this.log.warn("source-away", { reason: (error as Error).message, retryMilliseconds: retry });
        await sleep(retry, undefined, { signal: this.stopping.signal }).catch(() => undefined);
        retry = Math.min(retry * 2, longestRetryMilliseconds);
      }
    }
    if (this.failure) throw this.failure;
  }

  private refuseForeignReader(since: number, error: Error): void {
    const { slotName, slotWaitSeconds } = this.configuration;
    if (Date.now() - since < slotWaitSeconds * 1000) return;
    throw new TaskError(
      `The replication slot ${slotName} is read by somebody else (${error.message}). ` +
        `Stop that reader, or choose another slotName.`,
    );
  }

  /** One session: from connecting to the moment the stream breaks or is closed. */
  private async capture(writer: RecordWriter, streaming: () => void): Promise<void> {
    const { slotName, sourceUrl } = this.configuration;
    await checkSource(this.database);
    await this.checkTables();
    if (!(await slotExists(this.database, slotName))) {
      await createSlot(this.database, slotName);
      this.log.info("slot-created", { slot: slotName });
    }
    // What an earlier session read goes out first: the server begins after it.
    await writer.flush();
    this.transaction.clear();
    this.known.clear();
    this.stream = await ReplicationStream.open({
      sourceUrl,
      slotName,
      startPosition: this.acknowledged,
      onMessages: (messages) => this.take(messages, writer),
    });
    if (this.stopping.signal.aborted) void this.stream.close();
    streaming();
    this.log.info("streaming", { slot: slotName, topic: this.configuration.topic });
    try {
      await this.stream.closed;
    } finally {
      await this.stream.close();
    }
  }

  private async checkTables(): Promise<void> {
    const { tableMappings, topic } = this.configuration;
    const route = tableSelection(tableMappings, topic);
    const tables = await sourceTables(this.database);
    if (!tables.some(({ schema, table }) => route(schema, table))) {
      throw new TaskError(
        "No table of the source matches the table mappings. Correct tableMappings or create a table.",
      );
    }
  }

  private async take(messages: readonly WalMessage[], writer: RecordWriter): Promise<void> {
    for (const { line, position } of messages) {
      if (line === undefined) {
        // A keepalive: all that was committed before this position has been sent.
        writer.mark(position);
      } else if (line.startsWith("COMMIT ")) {
        await this.commit(line, position, writer);
      } else {
        if (line.startsWith("BEGIN ")) this.transaction.clear();
        this.transaction.add(position, line);
      }
    }
  }

  private async commit(line: string, end: bigint, writer: RecordWriter): Promise<void> {
    const commit = decodeMessage(line);
    if (commit.kind !== "commit") throw new Error("unreachable");
    let messageNumber = 0;
    let transactionPosition = 0n;
    this.records.beginTransaction();
    for (const group of this.transaction.groups()) {
      for (const message of group) {
        messageNumber++;
        // BEGIN comes without a position.
        if (transactionPosition === 0n) transactionPosition = message.position;
        const change = decodeMessage(message.line);
        if (change.kind !== "change") continue;
        let shape = this.known.has(change.relation)
          ? this.known.get(change.relation)
          : await this.loadShape(change.relation);
        if (!shape) continue;
        const place = { ...commit, transactionPosition, position: message.position, messageNumber };
        let record = this.records.change(message.line, change, shape, place);
        if (record === shapeChanged) {
          shape = await this.reshape(message.line, change);
          if (!shape) continue;
          record = this.records.change(message.line, change, shape, place);
          if (record === shapeChanged) throw new Error(`A change of ${change.relation} could not be read.`);
        }
        if (record) writer.add(record);
        const room = writer.capacity();
        if (room) await room;
      }
    }
    this.transaction.clear();
    writer.mark(end);
  }

  private async loadShape(relation: string): Promise<TableShape | undefined> {
    const shape = await this.shapes.load(relation);
    this.known.set(relation, shape);
    return shape;
  }

  private async reshape(
    line: string,
    change: Extract<DecodedMessage, { kind: "change" }>,
  ): Promise<TableShape | undefined> {
    const current = await this.loadShape(change.relation);
    if (!current) return undefined;
    const printed = columnsOf(line, change);
    if (
      printed.length === current.columns.length &&
      printed.every(({ prefix }, at) => prefix === current.columns[at]?.prefix)
    ) {
      return current;
    }
    const shape = this.shapes.reconstruct(current, printed);
    this.known.set(change.relation, shape);
    return shape;
  }

  private async openWriter(): Promise<RecordWriter> {
    const { bootstrapServers, tableMappings, topic, messageMaxBytes } = this.configuration;
    const routed = tableMappings.rules.flatMap((rule) =>
      rule["rule-type"] === "object-mapping" ? [rule["kafka-target-topic"]] : [],
    );
    const brokers = bootstrapServers.split(",");
    return new RecordWriter({
      bootstrapServers: brokers,
      partitions: await this.partitions(brokers, [...new Set([topic, ...routed])]),
      messageMaxBytes,
      log: this.log,
      onAcknowledged: (position) => {
        this.acknowledged = position;
        this.stream?.confirm(position);
      },
      onFailure: (error) => {
        this.failure = error;
        void this.stream?.close();
      },
    });
  }

  /** Waits for the broker; refuses topics that it does not have. */
  private async partitions(brokers: string[], topics: string[]): Promise<Map<string, number>> {
    const admin = new Admin({ clientId: "dms-stand-in", bootstrapBrokers: brokers, retries: 0 });
    try {
      for (;;) {
        try {
          const all = new Set(await admin.listTopics());
          const missing = topics.filter((topic) => !all.has(topic));
          if (missing.length > 0) {
            throw new TaskError(`Kafka at ${brokers.join(",")} has no topic ${missing.join(", ")}. Create it first.`);
          }
          const metadata = await admin.metadata({ topics, forceUpdate: true });
          return new Map(topics.map((topic) => [topic, metadata.topics.get(topic)?.partitionsCount ?? 1]));
        } catch (error) {
          if (error instanceof TaskError || this.stopping.signal.aborted) throw error;
          this.log.warn("kafka-away", { reason: (error as Error).message });
          await sleep(500);
        }
      }
    } finally {
      await admin.close();
    }
  }

  /** Like a DMS task's resource id: 26 letters and digits, always the same for one slot. */
  private taskId(): string {
    const digest = createHash("sha256").update(this.configuration.slotName).digest();
    return [...digest.subarray(0, 26)].map((byte) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte % 32]).join("");
  }
}
