import { Client } from "pg";
import type { Table } from "./tables";

/** What may come of a statement that meets others, or rows that forbid it. Anything else is a fault of the run itself. */
const refusals = new Set([
  "0A000", // not supported, such as a change of a partition key's type
  "22001", // too long
  "22003", // out of range
  "22007", // no such date
  "22008", // beyond the last date
  "22P02", // no such value of the new type
  "23502", // null
  "23503", // foreign key
  "23505", // the key is taken
  "23514", // no partition, or a row that does not fit one
  "2BP01", // something depends on it
  "40P01", // deadlock
  "42704", // dropped meanwhile
  "42804", // no conversion
  "42809", // not such a table
  "42830", // no key that a foreign key could refer to
  "42P01", // dropped or renamed meanwhile
  "42P07", // the name is taken
  "42P16", // not allowed for this table
  "42P17", // partitions that overlap
  "54000", // too long for an index
  "55006", // in use by this session
  "55P03", // somebody else holds the lock
]);

/** How long a statement waits for others. They are held by the same hand, so it would wait for ever. */
const lockTimeoutMilliseconds = 10;

/** A session of the application, with at most one open transaction. */
export class Session {
  isOpen = false;
  /** Tables that the open transaction has touched, by oid. */
  readonly touched = new Set<number>();

  private constructor(
    readonly number: number,
    private readonly client: Client,
    private readonly note: (text: string) => void,
  ) {}

  static async open(
    number: number,
    connection: ConstructorParameters<typeof Client>[0],
    note: (text: string) => void,
  ): Promise<Session> {
    const client = new Client(connection);
    client.on("error", () => undefined);
    await client.connect();
    await client.query(`SET lock_timeout = '${lockTimeoutMilliseconds}ms'`);
    return new Session(number, client, note);
  }

  async begin(actor?: string): Promise<void> {
    await this.send("BEGIN");
    this.isOpen = true;
    if (actor) await this.send(`SELECT capture.set_context('${actor}')`);
  }

  /** Runs a statement in the open transaction. When it is refused, it has done nothing; returns why. */
  async run(sql: string, tables: readonly Pick<Table, "oid">[] = []): Promise<string | undefined> {
    if (!this.isOpen) await this.begin();
    for (const { oid } of tables) this.touched.add(oid);
    try {
      await this.send(`SAVEPOINT attempt; ${sql}; RELEASE attempt`);
      return undefined;
    } catch (error) {
      await this.send("ROLLBACK TO attempt; RELEASE attempt");
      return refusal(error, sql);
    }
  }

  /** Runs a whole transaction of its own; a refused statement takes all of it back. Returns why. */
  async transaction(statements: readonly string[], isAbandoned = false): Promise<string | undefined> {
    await this.begin();
    let sql = "";
    try {
      for (sql of statements) await this.send(sql);
      sql = "COMMIT";
      await this.end(!isAbandoned);
      return undefined;
    } catch (error) {
      await this.end(false);
      return refusal(error, sql);
    }
  }

  /** Ends the open transaction, if there is one. A commit that is refused is a rollback. */
  async end(commit: boolean): Promise<void> {
    if (!this.isOpen) return;
    this.touched.clear();
    this.isOpen = false;
    try {
      await this.send(commit ? "COMMIT" : "ROLLBACK");
    } catch (error) {
      refusal(error, "COMMIT");
    }
  }

  async close(): Promise<void> {
    await this.client.end();
  }

  private async send(sql: string): Promise<void> {
    this.note(`/* session ${this.number} */ ${sql};`);
    await this.client.query(sql);
  }
}

function refusal(error: unknown, sql: string): string {
  const { code = "", message } = error as { code?: string; message: string };
  if (refusals.has(code)) return `${code} ${message}`;
  throw new Error(`${message} (${code}), in: ${sql}`);
}
