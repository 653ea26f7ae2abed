import { Client, type Connection } from "pg";
import { setTimeout as sleep } from "node:timers/promises";

/** A message of the output plugin. */
export interface WalMessage {
  /** Where the change stands in the WAL; for a COMMIT, the end of the transaction. */
  readonly position: bigint;
  /** The plugin's text; undefined for a keepalive, whose position is the end of what the server has sent. */
  readonly line: string | undefined;
}

export interface ReplicationStreamOptions {
  readonly sourceUrl: string;
  readonly slotName: string;
  /** Where to begin; the server begins at the slot's confirmed position if that is later. */
  readonly startPosition: bigint;
  /** Given all messages of one read of the socket. Until its promise resolves nothing more is read. */
  readonly onMessages: (messages: readonly WalMessage[]) => Promise<void>;
}

/** The text forms that DMS's rendering builds on, whatever the role's or the database's own settings. */
const sessionSettings =
  "-c datestyle=ISO -c timezone=UTC -c intervalstyle=postgres -c extra_float_digits=1 -c bytea_output=hex";

/** Connection settings of every session that reads rows. */
export function sessionOptions(sourceUrl: string) {
  return { connectionString: sourceUrl, application_name: "dms-stand-in", options: sessionSettings };
}

const xlogDataHeaderBytes = 25;
const statusIntervalMilliseconds = 100;
const keepaliveIntervalMilliseconds = 5_000;
const microsecondsTo2000 = 946_684_800_000_000n;

/**
 * PostgreSQL's streaming replication protocol over node-postgres.
 *
 * The npm package pg-logical-replication does the same, but confirms one byte more than it was told: a transaction
 * whose commit record begins exactly there is skipped after a restart. It also offers no way to stop reading the socket
 * other than awaiting each message.
 */
export class ReplicationStream {
  private confirmed = 0n;
  private reported = -1n;
  private batch: WalMessage[] = [];
  private delivering = false;
  private replyRequested = false;
  private failed: ((error: Error) => void) | undefined;
  private ended = false;
  private timers: NodeJS.Timeout[] = [];
  private lastReport = 0;

  private constructor(
    private readonly client: Client,
    private readonly connection: Connection,
    private readonly options: ReplicationStreamOptions,
  ) {}

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
      await stream.start();
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    return stream;
  }

  /** Everything before this position is safe and need not be sent again. */
  confirm(position: bigint): void {
    if (position > this.confirmed) this.confirmed = position;
  }

  /** Pending until the stream breaks; rejects with the reason, or resolves after {@link close}. */
  readonly closed = new Promise<void>((resolve, reject) => {
    this.failed = (error) => (this.ended ? resolve() : reject(error));
  });

  /** Reports the last confirmed position and ends the session. */
  async close(): Promise<void> {
    this.ended = true;
    this.timers.forEach(clearInterval);
    if (this.connection.stream.writable) {
      this.report();
      // CopyDone, so that the server ends the stream in order and keeps the position.
      this.connection.stream.write(Buffer.from([0x63, 0, 0, 0, 4]));
      this.connection.stream.resume();
    }
    await Promise.race([this.client.end().catch(() => undefined), sleep(2_000, undefined, { ref: false })]);
    this.failed?.(new Error("closed"));
  }

  private async start(): Promise<void> {
    this.closed.catch(() => undefined);
    const { slotName, startPosition } = this.options;
    const start = `${(startPosition >> 32n).toString(16)}/${(startPosition & 0xffffffffn).toString(16)}`;
    const query = this.client.query(
      `START_REPLICATION SLOT "${slotName}" LOGICAL ${start} ` +
        `("include-xids" 'on', "include-timestamp" 'on', "skip-empty-xacts" 'on')`,
    );
    this.connection.on("copyData", ({ chunk }: { chunk: Buffer }) => this.received(chunk));
    const streaming = new Promise<void>((resolve) => this.connection.once("replicationStart", () => resolve()));
    query.then(
      () => this.fail(new Error("PostgreSQL ended the replication stream.")),
      (error: Error) => this.fail(error),
    );
    await Promise.race([streaming, query]);
    this.confirmed = startPosition;
    this.timers.push(
      setInterval(() => this.confirmed > this.reported && this.report(), statusIntervalMilliseconds),
      setInterval(
        () => performance.now() - this.lastReport > keepaliveIntervalMilliseconds && this.report(),
        keepaliveIntervalMilliseconds / 2,
      ),
    );
  }

  private fail(error: Error): void {
    this.timers.forEach(clearInterval);
    this.failed?.(error);
  }

  private received(chunk: Buffer): void {
    if (this.ended) return;
    const isData = chunk[0] === 0x77;
    const line = isData ? chunk.toString("utf8", xlogDataHeaderBytes) : undefined;
    this.batch.push({ position: chunk.readBigUInt64BE(1), line });
    if (!isData && chunk[17] === 1) this.replyRequested = true;
    if (!this.delivering) {
      this.delivering = true;
      // Once the whole read has been taken apart.
      queueMicrotask(() => void this.deliver());
    }
  }

  /** Hands over what was read; stops reading meanwhile. */
  private async deliver(): Promise<void> {
    try {
      this.connection.stream.pause();
      while (this.batch.length > 0) {
        const messages = this.batch;
        this.batch = [];
        await this.options.onMessages(messages);
      }
      this.delivering = false;
      if (this.replyRequested) this.report();
      this.replyRequested = false;
      this.connection.stream.resume();
    } catch (error) {
      this.fail(error as Error);
    }
  }

  /** Standby status update: written, flushed and applied up to the confirmed position. */
  private report(): void {
    if (!this.connection.stream.writable) return;
    this.reported = this.confirmed;
    this.lastReport = performance.now();
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
