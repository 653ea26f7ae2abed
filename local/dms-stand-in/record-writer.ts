import { crc32 } from "node:zlib";
import { setTimeout as sleep } from "node:timers/promises";
import { findErrorBy, Producer, ProduceAcks } from "@platformatic/kafka";
import type { Log } from "./log";
import type { OutgoingRecord } from "./change-records";

export interface RecordWriterOptions {
  readonly bootstrapServers: readonly string[];
  /** Partitions of each topic that records go to. */
  readonly partitions: ReadonlyMap<string, number>;
  readonly messageMaxBytes: number;
  readonly log: Log;
  /** Everything up to this position is in Kafka, on all in-sync replicas. */
  readonly onAcknowledged: (position: bigint) => void;
  /** A record can't be written, ever. */
  readonly onFailure: (error: Error) => void;
}

interface Message {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer;
  readonly value: Buffer;
}

interface Waiter {
  readonly until: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Bytes that wait for Kafka before the source is read no further. */
const maxPendingBytes = 4 << 20;
const maxBatchBytes = 512 << 10;
const maxBatchRecords = 5_000;
/**
 * A record that comes alone never waits; under a stream of them requests are this far apart, in milliseconds, by the
 * records of the batch before.
 */
const requestSpacings = [
  { records: 250, milliseconds: 100 },
  { records: 60, milliseconds: 50 },
  { records: 0, milliseconds: 25 },
] as const;
const retryDelayMilliseconds = 250;
const outageWarningMilliseconds = 5_000;

/**
 * Writes records in order: one batch is under way at a time, and is tried until the broker acknowledges it. Idempotent,
 * so that a retry after a lost answer leaves no second and no late copy.
 */
export class RecordWriter {
  private readonly producer: Producer<Buffer, Buffer, Buffer, Buffer>;
  private queue: Message[] = [];
  private queueStart = 0;
  private pendingBytes = 0;
  private added = 0;
  private acknowledged = 0;
  /** Positions that become safe once that many records are acknowledged. */
  private marks: { readonly after: number; readonly position: bigint }[] = [];
  private sending = false;
  private lastRequestAt = 0;
  private batchRecords = 0;
  private failure: Error | undefined;
  private waiters: Waiter[] = [];

  constructor(private readonly options: RecordWriterOptions) {
    this.producer = new Producer({
      clientId: "dms-stand-in",
      bootstrapBrokers: [...options.bootstrapServers],
      idempotent: true,
      acks: ProduceAcks.ALL,
      retryDelay: retryDelayMilliseconds,
      timeout: 10_000,
    });
  }

  /** Takes a record. Await {@link capacity} now and then when adding many. */
  add(record: OutgoingRecord): void {
    const key = Buffer.from(record.key);
    const value = Buffer.from(record.value);
    if (value.length + key.length > this.options.messageMaxBytes) {
      throw new Error(
        `A change record of ${value.length} bytes for topic ${record.topic} is above messageMaxBytes ` +
          `(${this.options.messageMaxBytes}). Raise it in the configuration and on the topic.`,
      );
    }
    const partitions = this.options.partitions.get(record.topic) ?? 1;
    // The partitioner of librdkafka, the usual C client. Java's differs; no consumer may rely on either.
    const partition = partitions === 1 ? 0 : crc32(key) % partitions;
    this.queue.push({ topic: record.topic, partition, key, value });
    this.pendingBytes += value.length;
    this.added++;
    if (!this.sending) this.startSending();
  }

  /** Once everything added so far is acknowledged, `position` is reported as safe. */
  mark(position: bigint): void {
    if (this.acknowledged === this.added) return this.options.onAcknowledged(position);
    const last = this.marks.at(-1);
    if (last?.after === this.added) this.marks.pop();
    this.marks.push({ after: this.added, position });
  }

  /** Undefined while there is room for more, else a promise of room; it rejects once the writer has failed. */
  capacity(): Promise<void> | undefined {
    if (this.pendingBytes < maxPendingBytes) return undefined;
    return this.wait(() => this.pendingBytes < maxPendingBytes / 2);
  }

  /** Resolves when everything added so far is acknowledged; rejects once the writer has failed. */
  async flush(): Promise<void> {
    const target = this.added;
    if (this.acknowledged < target) await this.wait(() => this.acknowledged >= target);
  }

  /** Records that Kafka has not acknowledged. */
  get pendingRecords(): number {
    return this.added - this.acknowledged;
  }

  /** Ends the writer; what is still pending is given up. */
  async close(): Promise<void> {
    this.fail(new Error("The writer was closed."));
    await this.producer.close();
  }

  private wait(until: () => boolean): Promise<void> {
    if (this.failure) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => this.waiters.push({ until, resolve, reject }));
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const { reject } of this.waiters.splice(0)) reject(error);
  }

  private startSending(): void {
    this.sending = true;
    // What else this turn of the event loop adds goes into the same batch.
    setImmediate(() => void this.sendAll());
  }

  private async sendAll(): Promise<void> {
    try {
      while (this.queueStart < this.queue.length && !this.failure) {
        await this.gather();
        const messages = this.nextBatch();
        await this.send(messages);
        this.batchAcknowledged(messages);
      }
    } catch (error) {
      if (this.failure) return;
      this.fail(error as Error);
      this.options.onFailure(error as Error);
      return;
    }
    this.sending = false;
  }

  /** Right after a batch, waits a moment for company: a request costs far more than another record in it. */
  private async gather(): Promise<void> {
    const spacing = requestSpacings.find(({ records }) => this.batchRecords >= records)?.milliseconds ?? 0;
    const wait = spacing - (performance.now() - this.lastRequestAt);
    if (wait > 0 && this.pendingBytes < maxBatchBytes) await sleep(wait);
    this.lastRequestAt = performance.now();
    this.batchRecords = this.queue.length - this.queueStart;
  }

  private nextBatch(): Message[] {
    let bytes = 0;
    let end = this.queueStart;
    while (end < this.queue.length && end - this.queueStart < maxBatchRecords) {
      bytes += (this.queue[end] as Message).value.length;
      if (bytes > maxBatchBytes && end > this.queueStart) break;
      end++;
    }
    const messages = this.queue.slice(this.queueStart, end);
    this.queueStart = end;
    if (this.queueStart === this.queue.length) {
      this.queue = [];
      this.queueStart = 0;
    } else if (this.queueStart > 50_000) {
      this.queue = this.queue.slice(this.queueStart);
      this.queueStart = 0;
    }
    return messages;
  }

  private async send(messages: Message[]): Promise<void> {
    const since = performance.now();
    let warned = false;
    const timer = setInterval(() => {
      warned = true;
      const seconds = Math.round((performance.now() - since) / 1000);
      this.options.log.warn("kafka-does-not-acknowledge", { seconds, pendingRecords: this.pendingRecords });
    }, outageWarningMilliseconds);
    try {
      for (;;) {
        try {
          await this.producer.send({ messages });
          break;
        } catch (error) {
          if (this.failure || isPermanent(error)) throw error;
          this.options.log.warn("kafka-refused-a-batch", { reason: (error as Error).message });
          await sleep(retryDelayMilliseconds);
        }
      }
    } finally {
      clearInterval(timer);
    }
    if (warned) this.options.log.info("kafka-acknowledges-again");
  }

  private batchAcknowledged(messages: readonly Message[]): void {
    this.acknowledged += messages.length;
    for (const message of messages) this.pendingBytes -= message.value.length;
    let safe: bigint | undefined;
    let count = 0;
    for (; count < this.marks.length; count++) {
      const mark = this.marks[count] as (typeof this.marks)[number];
      if (mark.after > this.acknowledged) break;
      safe = mark.position;
    }
    this.marks.splice(0, count);
    if (safe !== undefined) this.options.onAcknowledged(safe);
    const ready = this.waiters.filter(({ until }) => until());
    this.waiters = this.waiters.filter((waiter) => !ready.includes(waiter));
    for (const { resolve } of ready) resolve();
  }
}

/** Errors of the broker that no retry mends. */
const permanentErrors = [
  "MESSAGE_TOO_LARGE",
  "RECORD_LIST_TOO_LARGE",
  "INVALID_RECORD",
  "INVALID_TOPIC_EXCEPTION",
  "POLICY_VIOLATION",
  "TOPIC_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
  "UNSUPPORTED_VERSION",
];

function isPermanent(error: unknown): boolean {
  if (findErrorBy(error as Error, "code", "PLT_KFK_USER")) return true;
  return permanentErrors.some((id) => findErrorBy(error as Error, "apiId", id));
}
