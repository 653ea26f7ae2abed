import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "pg";
import { freePorts, type ManagedProcess } from "../../local/machine/managed-process";
import { connectionUrl, withClient } from "../../local/servers/database-client";
import { postgresServer, superuserConnection } from "../../local/servers/postgres";

const superuserPassword = "source-password";

/** A server with a database of many tables, of many shapes, as a user's own. */
export class StopsSource {
  private constructor(
    private readonly folder: string,
    private readonly server: ManagedProcess,
    private readonly port: number,
    readonly tables: number,
  ) {}

  static async start(tables: number): Promise<StopsSource> {
    const folder = mkdtempSync(join(tmpdir(), "cdc-audit-stops-"));
    chmodSync(folder, 0o755);
    const port = (await freePorts(1))[0] as number;
    const server = await postgresServer({
      dataFolder: join(folder, "postgres"),
      logFile: join(folder, "postgres.log"),
      port,
      superuserPassword,
    });
    await server.start();
    const source = new StopsSource(folder, server, port, tables);
    await source
      .use((client) => createTables(client, tables))
      .catch(async (error: unknown) => {
        await source.stop();
        throw error;
      });
    return source;
  }

  get connection() {
    return superuserConnection({ port: this.port, superuserPassword });
  }

  get url(): string {
    return connectionUrl(this.connection);
  }

  async use<Result>(work: (client: Client) => Promise<Result>): Promise<Result> {
    return withClient(this.connection, work);
  }

  async stop(): Promise<void> {
    await this.server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function createTables(client: Client, tables: number): Promise<void> {
  await client.query("CREATE SCHEMA app; CREATE ROLE clerk; GRANT USAGE ON SCHEMA app TO clerk");
  // One transaction: the server has to sync once.
  await client.query("BEGIN");
  for (let number = 1; number <= tables; number += 1) {
    const table = `app.t${number}`;
    const kind = number % 5;
    await client.query(
      `CREATE TABLE ${table} (id integer${kind === 0 ? " NOT NULL" : " PRIMARY KEY"}, n integer, note text)`,
    );
    if (kind === 0) await client.query(`CREATE UNIQUE INDEX ON ${table} (id)`);
    if (kind === 1) await client.query(`ALTER TABLE ${table} REPLICA IDENTITY FULL`);
    if (kind === 2) await client.query(`GRANT SELECT, UPDATE ON ${table} TO clerk`);
    if (kind === 3) {
      await client.query(`CREATE UNIQUE INDEX t${number}_n ON ${table} (n); ALTER TABLE ${table} ALTER n SET NOT NULL`);
      await client.query(`ALTER TABLE ${table} REPLICA IDENTITY USING INDEX t${number}_n`);
    }
  }
  await client.query(
    `CREATE FUNCTION app.seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
     CREATE TRIGGER seen AFTER UPDATE ON app.t1 FOR EACH STATEMENT EXECUTE FUNCTION app.seen()`,
  );
  await client.query("COMMIT");
}

/**
 * Everything of the server that a run may touch, as lines to compare: schemas and their objects, functions, triggers, replica
 * identities, slots, roles with their passwords and settings, privileges, and event triggers. A privilege that is granted by
 * default counts as if it were written down.
 */
export async function fingerprint(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(`
    SELECT 'schema ' || nspname || ' ' || coalesce(obj_description(oid, 'pg_namespace'), '') AS line FROM pg_namespace
    WHERE nspname !~ '^pg_(temp|toast_temp)'
    UNION ALL
    SELECT 'relation ' || oid::regclass || ' ' || relkind::text || ' identity ' || relreplident::text
    FROM pg_class WHERE relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
    UNION ALL
    SELECT 'identity index ' || indexrelid::regclass FROM pg_index WHERE indisreplident
    UNION ALL
    SELECT 'function ' || oid::regprocedure || ' ' || md5(prosrc) FROM pg_proc
    WHERE pronamespace::regnamespace::text !~ '^(pg_|information_schema)'
    UNION ALL
    SELECT 'trigger ' || tgrelid::regclass || ' ' || tgname || ' ' || tgenabled::text FROM pg_trigger
    UNION ALL
    SELECT 'event trigger ' || evtname || ' ' || evtenabled::text FROM pg_event_trigger
    UNION ALL
    SELECT 'slot ' || slot_name FROM pg_replication_slots
    UNION ALL
    SELECT concat_ws(' ', 'role', rolname, rolsuper, rolcanlogin, rolreplication, rolbypassrls, rolcreaterole, rolpassword)
    FROM pg_authid
    UNION ALL
    SELECT 'member ' || roleid::regrole || ' of ' || member::regrole FROM pg_auth_members
    UNION ALL
    SELECT 'setting ' || setdatabase || ' ' || setrole::regrole || ' ' || setconfig::text FROM pg_db_role_setting
    UNION ALL
    SELECT 'privilege ' || object || ' ' || coalesce(nullif(grantee, 0)::regrole::text, 'public') || ' ' || privilege_type
    FROM (
      SELECT 'database ' || datname AS object, coalesce(datacl, acldefault('d', datdba)) AS acl FROM pg_database
      UNION ALL SELECT 'schema ' || nspname, coalesce(nspacl, acldefault('n', nspowner)) FROM pg_namespace
      WHERE nspname !~ '^pg_(temp|toast_temp)'
      UNION ALL SELECT 'table ' || oid::regclass, coalesce(relacl, acldefault('r', relowner)) FROM pg_class
      WHERE relkind IN ('r', 'p') AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
    ) AS granted CROSS JOIN LATERAL aclexplode(acl)
    ORDER BY 1`);
  return rows.map(({ line }) => line);
}
