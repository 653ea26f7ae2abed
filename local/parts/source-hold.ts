import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";

/** Taken by everything that starts a capture or takes one back. */
const lock = "hashtextextended('cdc-audit.local-run', 0)";
const applicationName = "cdc-audit local run";
/** Milliseconds between two signs of life; a lost connection is made again as often. */
const interval = 5_000;

/** Another process holds the source. */
export class SourceHeldError extends Error {
  /** @param backend the server's process that holds the lock. */
  constructor(readonly backend: number | undefined) {
    super("Another run holds the source.");
  }
}

/**
 * A connection that holds a lock in the source as long as this process lives. The server drops it with the connection, so
 * it tells from any machine whether a run lives, however it ended.
 */
export class SourceHold {
  private client: Client | undefined;
  private readonly closing = new AbortController();
  private watching: Promise<void> | undefined;

  private constructor(private readonly url: string) {}

  /** @throws SourceHeldError when another process has it. */
  static async take(url: string): Promise<SourceHold> {
    const hold = new SourceHold(url);
    hold.client = await hold.connect();
    hold.watching = hold.watch();
    return hold;
  }

  /** Lets go. */
  async release(): Promise<void> {
    this.closing.abort();
    await this.watching;
    await this.client?.end().catch(() => undefined);
  }

  private async connect(): Promise<Client> {
    const client = new Client({
      connectionString: this.url,
      application_name: applicationName,
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
    });
    client.on("error", () => (this.client = undefined));
    await client.connect();
    try {
      // A machine that has gone without a word is noticed within a minute; a quiet session is not ended.
      await client.query(
        "SET tcp_keepalives_idle = 20; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3; SET statement_timeout = 0",
      );
      await client.query(
        "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('idle_session_timeout', 'transaction_timeout')",
      );
      const { rows } = await client.query<{ held: boolean }>(`SELECT pg_try_advisory_lock(${lock}) AS held`);
      if (!rows[0]?.held) throw new SourceHeldError(await holder(client));
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
  }

  /** Takes the lock again whenever the connection was lost, such as by a restart of the server. */
  private async watch(): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      await sleep(interval, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      if (this.client) await this.client.query("SELECT").catch(() => (this.client = undefined));
      else this.client = await this.connect().catch(() => undefined);
    }
  }
}

async function holder(client: Client): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>(
    `SELECT pid FROM pg_locks
     WHERE locktype = 'advisory' AND granted AND objsubid = 1
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND (classid::bigint << 32) | objid::bigint = ${lock}`,
  );
  return rows[0]?.pid;
}
