import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { bootstrapSource } from "../../operator/database/bootstrap";
import { type DatabaseClient, TestServer } from "../../local/servers/test-server";
import { type Change, takeChanges } from "./changes";
import { applicationRole } from "./judge";

const slot = "actors";
const password = "application-password";
/** Milliseconds. A driver that was killed may leave connections, which end with the server. */
const longestGoodbye = 2_000;

/** How a driver signs in, on this machine. */
export interface Login {
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

/** The environment that tells a driver its login. */
export function environmentOf({ port, database, user, password }: Login): Readonly<Record<string, string>> {
  return {
    DATABASE_URL: `postgres://${user}:${password}@127.0.0.1:${port}/${database}`,
    PGHOST: "127.0.0.1",
    PGPORT: String(port),
    PGDATABASE: database,
    PGUSER: user,
    PGPASSWORD: password,
  };
}

/** The role that drivers sign in as, and what it needs on the table that they write. */
export const applicationStatements = `
  CREATE ROLE ${applicationRole} LOGIN PASSWORD '${password}' IN ROLE capture_app;
  ALTER ROLE ${applicationRole} SET search_path = public;
  GRANT SELECT, INSERT, UPDATE, DELETE, TRIGGER ON public.items TO ${applicationRole}`;

/** The login of {@link applicationStatements}. */
export const applicationLogin = { user: applicationRole, password } as const;

/** The table that drivers write. */
export const itemsTable = "CREATE TABLE public.items (id text PRIMARY KEY, note text, isolation text, seen text)";

/** What the suite needs of a database that it has to itself. */
export class ConformanceDatabase {
  private constructor(
    private readonly server: TestServer,
    private readonly client: DatabaseClient,
  ) {}

  /** Starts a server with a watched table, and a role for the driver. */
  static async start(): Promise<ConformanceDatabase> {
    const server = await TestServer.start({ log_statement: "none", max_connections: "60", autovacuum: "off" });
    try {
      const client = await server.createDatabase();
      await client.query(`
        ${itemsTable};
        CREATE SCHEMA suite;
        CREATE TABLE suite.news (seen text NOT NULL);
        INSERT INTO suite.news VALUES ('old');
        CREATE FUNCTION suite.look() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
          NEW.isolation := current_setting('transaction_isolation');
          NEW.seen := (SELECT seen FROM suite.news);
          RETURN NEW;
        END $$;
        CREATE TRIGGER look BEFORE INSERT ON public.items FOR EACH ROW EXECUTE FUNCTION suite.look()`);
      await bootstrapSource(client, { tables: [{ schema: "public", table: "items", identifyActor: true }] });
      await client.query(applicationStatements);
      await client.query("SELECT pg_create_logical_replication_slot($1, 'test_decoding')", [slot]);
      return new ConformanceDatabase(server, client);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** How a driver reaches it. */
  get login(): Login {
    return { port: this.server.port, database: this.client.database, ...applicationLogin };
  }

  /** What was committed since the last call. */
  changes(): Promise<Change[]> {
    return takeChanges(this.client, slot);
  }

  /** Where the WAL ends and the next transaction id. */
  async trace(): Promise<{ readonly wal: string; readonly transactionId: string }> {
    const { rows } = await this.client.query<{ wal: string; transactionId: string }>(
      `SELECT pg_current_wal_insert_lsn() AS wal, pg_snapshot_xmax(pg_current_snapshot()) AS "transactionId"`,
    );
    return rows[0] as { wal: string; transactionId: string };
  }

  /** Does `work` while the table is locked; when `work` waits for the lock, rows that see `news` are committed and it goes. */
  async behindLock<Result>(news: string, work: () => Promise<Result>): Promise<Result> {
    const holder = await this.server.connect({ database: this.client.database });
    try {
      await holder.query("BEGIN; LOCK TABLE public.items IN ACCESS EXCLUSIVE MODE");
      const result = work();
      result.catch(() => undefined);
      await until(async () => (await this.waiters(holder)) > 0, result);
      await holder.query("UPDATE suite.news SET seen = $1", [news]);
      await holder.query("COMMIT");
      return await result;
    } finally {
      await holder.end();
    }
  }

  /** Stops the server once the driver's connections are closed: a pool ends a little before its last socket does. */
  async stop(): Promise<void> {
    const deadline = Date.now() + longestGoodbye;
    while (Date.now() < deadline && (await this.connections()) > 0) await sleep(20);
    await this.server.stop();
  }

  private async connections(): Promise<number> {
    const { rows } = await this.client.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM pg_stat_activity WHERE usename = $1",
      [applicationRole],
    );
    return rows[0]?.count ?? 0;
  }

  private async waiters(holder: Client): Promise<number> {
    const { rows } = await holder.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM pg_locks WHERE NOT granted",
    );
    return rows[0]?.count ?? 0;
  }
}

/** Waits for a condition; gives up when `work` is over without it. */
async function until(condition: () => Promise<boolean>, work: Promise<unknown>): Promise<void> {
  let over = false;
  work.then(
    () => (over = true),
    () => (over = true),
  );
  while (!over && !(await condition())) await sleep(10);
}
