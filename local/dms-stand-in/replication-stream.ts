import { Client, type Connection } from "pg";
import { setTimeout as sleep } from "node:timers/promises";
import { captureSearchPath, pinSession } from "../../contract/session-settings";

/** A message of the output plugin. */
export interface WalMessage {
  /** WAL position of the change; of a COMMIT, the end of the transaction. */
  readonly position: bigint;
  /** The plugin's text; undefined for a keepalive, whose position is the end of what the server has sent. */
  readonly line: string | undefined;
}

export interface ReplicationStreamOptions {
  readonly sourceUrl: string;
  readonly slotName: string;
  /** Where to begin; the server begins at the slot's confirmed position if that is later. */
  readonly startPosition: bigint;
  /**
   * Given all messages of one read of the socket, and the stream, which may bring the first before {@link
   * ReplicationStream.open} resolves. Until its promise resolves nothing more is read.
   */
  readonly onMessages: (messages: readonly WalMessage[], stream: ReplicationStream) => Promise<void>;
}

/**
 * Gives every session that reads rows the text forms that DMS's rendering builds on. They override the settings of the
 * role, of the database, and of the connection URL.
 */
export const pinReader = pinSession(captureSearchPath);

/** What the sessions of the stand-in call themselves in the server. */
export const standInSession = "dms-stand-in";

/** Connection settings of every session that reads rows. */
export function sessionOptions(sourceUrl: string) {
  return { connectionString: sourceUrl, application_name: standInSession };
}

const xlogDataHeaderBytes = 25;
const reportMilliseconds = 100;
/**
 * A message that comes alone wakes both sides, which costs more than the message itself, so a busy stream of small
 * transactions is read this far apart. So many bytes at once are a large transaction or a backlog, read without a pause.
 */
const restMilliseconds = 20;
const restBytes = 1 << 20;
/** Messages between two reports that make a stream a busy one: some 3,000 small transactions a second. */
const busyMessages = 1_000;
/** The server ends a session that is silent for wal_sender_timeout, which DMS wants at 10 s or more. */
const keepaliveMilliseconds = 3_000;
const closeMilliseconds = 2_000;
const microsecondsTo2000 = 946_684_800_000_000n;

/**
 * PostgreSQL's streaming replication protocol over node-postgres.
 *
 * The npm package pg-logical-replication does the same, but confirms one byte more than it was told: a transaction
 * whose commit record begins exactly there is skipped after a restart. It also offers no way to stop reading the socket
 * other than awaiting each message.
 */
export class ReplicationStream {
  /**
   * Rejects when the stream breaks, resolves after {@link stopReading}; either way not before the messages at hand are
   * worked through, so that no two sessions ever write at the same time.
   */
  readonly ended: Promise<void>;
  private readonly settle: { resolve: () => void; reject: (error: Error) => void };
  private readonly timers: NodeJS.Timeout[] = [];
  private replication: Promise<unknown> = Promise.resolve();
  private batch: WalMessage[] = [];
  private batchBytes = 0;
  private messagesSinceReport = 0;
  private busy = false;
  private delivering = false;
  private stopped = false;
  private failure: Error | undefined;
  private replyRequested = false;
  private confirmed: bigint;
  private reported = 0n;
  private reportedAt = 0;

  private constructor(
    private readonly client: Client,
    private readonly connection: Connection,
    private readonly options: ReplicationStreamOptions,
  ) {
    this.confirmed = options.startPosition;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ended = promise;
    this.settle = { resolve, reject };
    // A caller that awaits it later still gets the rejection.
    promise.catch(() => undefined);
  }

  /** Connects and starts streaming. Rejects when the server refuses. */
  static async open(options: ReplicationStreamOptions): Promise<ReplicationStream> {
    const client = new Client({
      ...sessionOptions(options.sourceUrl),
      // Not in the types of node-postgres, which passes it on to the server.
      ...{ replication: "database" },
    });
    const connection = (client as unknown as { connection: Connection }).connection;
    const stream = new ReplicationStream(client, connection, options);
    client.on("error", (error) => stream.fail(error));
    await client.connect();
    try {
      await client.query(pinReader);
      await stream.start();
    } catch (error) {
      await stream.close();
      throw error;
    }
    return stream;
  }

  /** Everything before this position is safe and need not be sent again. */
  confirm(position: bigint): void {
    if (position > this.confirmed) this.confirmed = position;
  }

  /** Takes nothing more from the server. */
  stopReading(): void {
    this.stopped = true;
    this.batch = [];
    this.connection.stream.pause();
    if (!this.delivering) this.end();
  }

  /** Tells the server the last confirmed position and ends the session. */
  async close(): Promise<void> {
    this.stopped = true;
    this.timers.forEach(clearInterval);
    if (this.connection.stream.writable) {
      this.report();
      // CopyDone. Then what the server sent meanwhile is read and dropped: a socket that is closed with unread data
      // may take the report down with it.
      this.connection.stream.write(Buffer.from([0x63, 0, 0, 0, 4]));
      this.connection.stream.resume();
    }
    const patience = sleep(closeMilliseconds, undefined, { ref: false });
    await Promise.race([this.replication.catch(() => undefined), patience]);
    await Promise.race([this.client.end().catch(() => undefined), patience]);
  }

  private async start(): Promise<void> {
    const { slotName, startPosition } = this.options;
    const start = `${(startPosition >> 32n).toString(16)}/${(startPosition & 0xffffffffn).toString(16)}`;
    const streaming = new Promise<void>((resolve) => this.connection.once("replicationStart", () => resolve()));
    this.connection.on("copyData", ({ chunk }: { chunk: Buffer }) => this.received(chunk));
    this.replication = this.client.query(
      `START_REPLICATION SLOT "${slotName}" LOGICAL ${start} ` +
        `("include-xids" 'on', "include-timestamp" 'on', "skip-empty-xacts" 'on')`,
    );
    this.replication.then(
      () => this.fail(new Error("PostgreSQL ended the replication stream.")),
      (error: Error) => this.fail(error),
    );
    await Promise.race([streaming, this.replication]);
    this.timers.push(
      setInterval(() => {
        this.busy = this.messagesSinceReport > busyMessages;
        this.messagesSinceReport = 0;
        const idle = performance.now() - this.reportedAt;
        if (this.confirmed > this.reported || idle > keepaliveMilliseconds) this.report();
      }, reportMilliseconds),
    );
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.stopReading();
  }

  private end(): void {
    if (this.failure) this.settle.reject(this.failure);
    else this.settle.resolve();
  }

  private received(chunk: Buffer): void {
    if (this.stopped) return;
    const isData = chunk[0] === 0x77;
    const line = isData ? chunk.toString("utf8", xlogDataHeaderBytes) : undefined;
    this.batch.push({ position: chunk.readBigUInt64BE(1), line });
    this.batchBytes += chunk.length;
    if (!isData && chunk[17] === 1) this.replyRequested = true;
    if (!this.delivering) {
      this.delivering = true;
      // Once everything that the socket holds has been read.
      setImmediate(() => void this.deliver());
    }
  }

  /** Hands over what was read, and stops reading until that is done. */
  private async deliver(): Promise<void> {
    try {
      this.connection.stream.pause();
      const rest = this.busy && this.batchBytes < restBytes;
      while (this.batch.length > 0) {
        const messages = this.batch;
        this.batch = [];
        this.messagesSinceReport += messages.length;
        await this.options.onMessages(messages, this);
      }
      this.batchBytes = 0;
      if (rest && !this.stopped) await sleep(restMilliseconds);
    } catch (error) {
      this.failure ??= error as Error;
      this.stopped = true;
    }
    this.delivering = false;
    if (this.stopped) return this.end();
    if (this.replyRequested) this.report();
    this.replyRequested = false;
    this.connection.stream.resume();
  }

  /** Standby status update: written, flushed and applied up to the confirmed position. */
  private report(): void {
    if (!this.connection.stream.writable) return;
    this.reported = this.confirmed;
    this.reportedAt = performance.now();
    const message = Buffer.alloc(39);
    message.writeUInt8(0x64, 0);
    message.writeUInt32BE(38, 1);
    message.writeUInt8(0x72, 5);
    message.writeBigUInt64BE(this.confirmed, 6);
    message.writeBigUInt64BE(this.confirmed, 14);
    message.writeBigUInt64BE(this.confirmed, 22);
    message.writeBigInt64BE(BigInt(Date.now()) * 1000n - microsecondsTo2000, 30);
    this.connection.stream.write(message);
  }
}
