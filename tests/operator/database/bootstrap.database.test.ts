import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { databaseRoles } from "../../../contract/database-roles";
import { sqlFiles } from "../../../database";
import {
  bootstrapDestination,
  bootstrapSource,
  checkSource,
  SourceNotReadyError,
  uninstallSource,
} from "../../../operator/database/bootstrap";
import { takeInventory } from "../../../operator/database/inventory";
import { maintainDestination, maintainSource } from "../../../operator/database/maintain";
import { storeEvents } from "../../database/support/audit-events";
import {
  administrator as administratorLogin,
  connectAdministrator,
  createAuroraRoles,
} from "../../database/support/aurora";
import { type DatabaseClient, errorOf, TestServer } from "../../../local/servers/test-server";
import { takeSignals } from "../../database/support/signals";
import { watchedTables } from "../../database/support/watched-tables";

let server: TestServer;
let client: DatabaseClient;

beforeAll(async () => {
  server = await TestServer.start();
});

afterAll(() => server.stop());

beforeEach(async () => {
  client = await server.createDatabase();
  await client.query(`
    CREATE SCHEMA shop;
    CREATE TABLE shop.orders (id int PRIMARY KEY, note text, secret text);
    CREATE TABLE shop.order_lines (id int PRIMARY KEY, note text);`);
});

const orders = { schema: "shop", table: "orders" };

describe("A bootstrap", () => {
  // First, while this server has none of the roles, which its databases share.
  it("runs once at a time when several start together, also in different databases of one server", async () => {
    const { rowCount: roles } = await client.query("SELECT FROM pg_roles WHERE rolname = ANY ($1::text[])", [
      Object.values(databaseRoles),
    ]);
    expect(roles).toBe(0);
    const other = await server.createDatabase();
    const connections: Client[] = [other, client];
    for (const { database } of [client, client, other]) connections.push(await server.connect({ database }));
    await Promise.all(
      connections.map(async (connection) => {
        await bootstrapSource(connection, { tables: [] });
        await bootstrapDestination(connection);
      }),
    );
    expect((await bootstrapSource(other, { tables: [] })).changes).toEqual([]);
    expect((await bootstrapDestination(client)).changes).toEqual([]);
  });

  it("says what it made, and a second one that there was nothing to make", async () => {
    const source = await bootstrapSource(client, { tables: [orders] });
    expect(source.changes).toEqual(
      expect.arrayContaining([
        { object: "schema capture", change: "created" },
        { object: "event trigger capture_ddl", change: "created" },
        { object: "trigger capture_truncate on shop.orders", change: "created" },
        { object: "replica identity of shop.orders", change: "changed" },
        { object: "watch on shop.orders", change: "created" },
      ]),
    );
    expect((await bootstrapSource(client, { tables: [orders] })).changes).toEqual([]);
    const destination = await bootstrapDestination(client);
    expect(destination.changes).toEqual(expect.arrayContaining([{ object: "view audit.log", change: "created" }]));
    expect((await bootstrapDestination(client)).changes).toEqual([]);
    await takeSignals(client);
    await bootstrapSource(client, { tables: [orders] });
    expect(await takeSignals(client)).toEqual([]);
  });

  it("completes what was applied only in part, from wherever it stopped", async () => {
    await bootstrapSource(client, { tables: [] });
    await bootstrapDestination(client);
    const whole = await takeInventory(client);
    for (const side of ["source", "destination"] as const) {
      const files = sqlFiles(side);
      for (let applied = 0; applied < files.length; applied += 1) {
        await client.query(`DROP SCHEMA ${side === "source" ? "capture, capture_heartbeat" : "audit"} CASCADE`);
        for (const { sql } of files.slice(0, applied)) await client.query(sql);
        await (side === "source" ? bootstrapSource(client, { tables: [] }) : bootstrapDestination(client));
        expect(await takeInventory(client)).toEqual(whole);
      }
    }
  });

  it("heals what was dropped, replaced or disabled since", async () => {
    await bootstrapSource(client, { tables: [orders] });
    await bootstrapDestination(client);
    const whole = await takeInventory(client);
    await client.query(`
      DROP FUNCTION capture.set_context(text, text, jsonb);
      DROP FUNCTION capture.on_ddl CASCADE;
      CREATE OR REPLACE FUNCTION capture.column_names(relation regclass) RETURNS text[] LANGUAGE sql STABLE AS 'SELECT NULL::text[]';
      GRANT EXECUTE ON FUNCTION capture.clear_signals() TO PUBLIC;
      ALTER EVENT TRIGGER capture_drop DISABLE;
      DROP TABLE capture.signal;
      DROP TRIGGER capture_truncate ON shop.orders;
      ALTER TABLE shop.orders REPLICA IDENTITY NOTHING;
      DROP VIEW audit.log CASCADE;
      DROP INDEX audit.events_actor;
      DROP TRIGGER keep_row ON audit.events;
      DROP TABLE audit.events_default;`);
    await bootstrapSource(client, { tables: [orders] });
    await bootstrapDestination(client);
    expect(await takeInventory(client)).toEqual(whole);
  });

  it("leaves nothing behind when it fails, and names the table and the column", async () => {
    const before = await takeInventory(client);
    const error = await errorOf(bootstrapSource(client, { tables: [{ ...orders, redactedColumns: ["secrte"] }] }));
    expect(error.message).toBe("shop.orders has no column secrte; it has id, note, secret");
    const after = await takeInventory(client);
    expect([...after.keys()].filter((object) => !object.startsWith("role "))).toEqual(
      [...before.keys()].filter((object) => !object.startsWith("role ")),
    );
  });

  it("watches table by table, keeps what is done when one fails, and goes on from there", async () => {
    const lines = { schema: "shop", table: "order_lines" };
    const writer = await server.connect({ database: client.database });
    await writer.query("BEGIN; INSERT INTO shop.order_lines VALUES (1)");
    const options = { tables: [orders, lines], lockTimeoutMilliseconds: 100 };
    const error = await errorOf(bootstrapSource(client, options));
    expect(error.message).toMatch(/^shop\.order_lines: other transactions held a lock on it for more than 100 ms/);
    expect(await watchedTables(client)).toEqual(["shop.orders"]);
    await writer.query("COMMIT");
    const { changes } = await bootstrapSource(client, options);
    expect(changes.map(({ object }) => object)).toEqual([
      "replica identity of shop.order_lines",
      "trigger capture_truncate on shop.order_lines",
      "watch on shop.order_lines",
    ]);
  });

  it("run again stops neither writers nor readers, nor is stopped by them", async () => {
    await bootstrapSource(client, { tables: [orders] });
    await bootstrapDestination(client);
    const writer = await server.connect({ database: client.database });
    await writer.query("BEGIN; INSERT INTO shop.orders VALUES (1); SELECT capture.set_context('alice')");
    await storeEvents(writer, [{ committed_at: "2026-11-05T10:00:00Z", operation: "insert" }]);
    const impatient = { lockTimeoutMilliseconds: 50 };
    await bootstrapSource(client, { tables: [orders], ...impatient });
    await bootstrapDestination(client, impatient);
    await writer.query("COMMIT");
  });

  it("gives up rather than hold up writers behind a lock that it does not get", async () => {
    const writer = await server.connect({ database: client.database });
    await writer.query("BEGIN; INSERT INTO shop.orders VALUES (1)");
    const error = await errorOf(bootstrapSource(client, { tables: [orders], lockTimeoutMilliseconds: 100 }));
    expect(error.message).toBe(
      "shop.orders: other transactions held a lock on it for more than 100 ms. Run this again, or raise lockTimeoutMilliseconds.",
    );
    await writer.query("COMMIT");
    await bootstrapSource(client, { tables: [orders] });
  });

  it("is not fooled by a user's object that bears the name of a system function", async () => {
    await client.query(`
      CREATE FUNCTION public.to_regrole(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE ''hijacked''; END';
      SET search_path = public, pg_catalog`);
    await bootstrapSource(client, { tables: [orders] });
    await bootstrapDestination(client);
  });
});

describe("Uninstalling", () => {
  /** What somebody could notice of the tables: identity, triggers, rights. */
  const asFound = async () =>
    (
      await client.query(
        `SELECT oid::regclass::text AS table, relreplident, coalesce(relacl, acldefault('r', relowner))::text AS rights,
           (SELECT array_agg(tgname ORDER BY 1) FROM pg_trigger WHERE tgrelid = pg_class.oid) AS triggers
         FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1`,
      )
    ).rows;

  it("leaves the tables as they were found, and no object, event trigger or role", async () => {
    await client.query(`
      CREATE TABLE shop.parts (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE shop.parts_1 PARTITION OF shop.parts FOR VALUES FROM (0) TO (10);
      ALTER TABLE shop.order_lines REPLICA IDENTITY NOTHING`);
    const before = { tables: await asFound(), inventory: await takeInventory(client) };
    await bootstrapSource(client, { tables: [{ schema: "shop", table: "%", identifyActor: true }] });
    await client.query("SET ROLE cdc_capture; CREATE TABLE capture_heartbeat.awsdms_heartbeat (id int); RESET ROLE");
    await client.query(
      "CREATE TABLE shop.parts_2 PARTITION OF shop.parts FOR VALUES FROM (10) TO (20); DROP TABLE shop.parts_2",
    );
    const report = await uninstallSource(client);
    expect(report.changes).toContainEqual({ object: "schema capture", change: "removed" });
    expect(await asFound()).toEqual(before.tables);
    const withoutRoles = (inventory: ReadonlyMap<string, string>) =>
      new Map([...inventory].filter(([object]) => !object.startsWith("role ")));
    expect(withoutRoles(await takeInventory(client))).toEqual(withoutRoles(before.inventory));
    expect((await uninstallSource(client)).changes).toEqual([]);
  });

  it("keeps a role that something else depends on", async () => {
    const other = await server.createDatabase();
    await bootstrapSource(other, { tables: [] });
    // Once where the capture never was, and once where it was.
    await uninstallSource(client);
    await bootstrapSource(client, { tables: [] });
    await uninstallSource(client);
    expect((await other.query("SELECT FROM pg_roles WHERE rolname IN ('cdc_capture', 'capture_app')")).rowCount).toBe(
      2,
    );
    expect((await bootstrapSource(other, { tables: [] })).changes).toEqual([]);
    await uninstallSource(other);
  });

  it("names the slots that still keep WAL", async () => {
    await bootstrapSource(client, { tables: [orders] });
    await client.query("SELECT pg_create_logical_replication_slot('left_over', 'test_decoding')");
    const { warnings } = await uninstallSource(client);
    expect(warnings).toEqual([expect.stringContaining("SELECT pg_drop_replication_slot('left_over')")]);
    await client.query("SELECT pg_drop_replication_slot('left_over')");
  });

  it("works on what is left of a capture that was half removed by hand", async () => {
    await bootstrapSource(client, { tables: [orders] });
    await client.query("DROP TABLE capture.watched_tables CASCADE");
    await uninstallSource(client);
    expect((await client.query("SELECT FROM pg_namespace WHERE nspname LIKE 'capture%'")).rowCount).toBe(0);
    expect((await client.query("SELECT FROM pg_event_trigger")).rowCount).toBe(0);
  });
});

describe("The checks", () => {
  it("find nothing wrong with a database that is ready", async () => {
    expect(await checkSource(client, { tables: [orders, { schema: "empty", table: "%" }] })).toEqual([]);
  });

  it("refuse a version of PostgreSQL that AWS DMS does not read, and take any that the pipeline is made for without DMS", async () => {
    const { rows } = await client.query("SELECT current_setting('server_version_num')::integer / 10000 AS major");
    const major = rows[0].major as number;
    expect(await checkSource(client, { postgresVersions: [15, major] })).toEqual([]);
    expect(await checkSource(client, { postgresVersions: [15, 16] })).toEqual([
      {
        what: expect.stringMatching(new RegExp(`^The server is PostgreSQL ${major}\\.`)) as string,
        why: "AWS DMS reads 15 and 16",
        fix: "Use a server of version 16 until AWS DMS reads newer ones, which postgresVersions of the capture then names",
      },
    ]);
  });

  it("refuse tables of which row security would hide rows from a full load, with what mends it", async () => {
    await client.query(`
      CREATE TABLE shop.cases (id int PRIMARY KEY, tenant text);
      ALTER TABLE shop.cases ENABLE ROW LEVEL SECURITY;
      CREATE POLICY own ON shop.cases USING (tenant = current_setting('app.tenant', true))`);
    const tables = [{ schema: "shop", table: "cases" }];
    const [problem, ...others] = await checkSource(client, { tables });
    expect(others).toEqual([]);
    expect(problem).toMatchObject({
      what: "Row security may hide rows of shop.cases from cdc_capture",
      fix: expect.stringMatching(/^(CREATE ROLE cdc_capture LOGIN; )?ALTER ROLE cdc_capture BYPASSRLS$/) as string,
    });
    await client.query(problem!.fix);
    expect(await checkSource(client, { tables })).toEqual([]);
    await client.query("ALTER ROLE cdc_capture NOBYPASSRLS");
    await client.query("CREATE POLICY capture_reads_all ON shop.cases FOR SELECT TO cdc_capture USING (true)");
    expect(await checkSource(client, { tables })).toEqual([]);
  });

  it("refuse identities that look right and identify no row", async () => {
    await client.query(`
      CREATE TABLE shop.later (id int PRIMARY KEY DEFERRABLE);
      CREATE TABLE shop.lost (id int PRIMARY KEY, a int NOT NULL);
      CREATE UNIQUE INDEX lost_a ON shop.lost (a);
      ALTER TABLE shop.lost REPLICA IDENTITY USING INDEX lost_a;
      DROP INDEX shop.lost_a`);
    const problems = await checkSource(client, {
      tables: [
        { schema: "shop", table: "later", replicaIdentity: "default" },
        { schema: "shop", table: "lost", replicaIdentity: "keep" },
      ],
    });
    expect(problems.map(({ what }) => what)).toEqual([
      "shop.later has a deferrable primary key, and its replica identity is to be default",
      "shop.lost has a replica identity that identifies no row",
    ]);
  });

  it("say everything that is missing at once, each with its fix, before anything is touched", async () => {
    const unfit = await TestServer.start({
      wal_level: "replica",
      max_replication_slots: "1",
      wal_sender_timeout: "5s",
    });
    try {
      const admin = await unfit.connect();
      await admin.query(`
        SELECT pg_create_physical_replication_slot('taken');
        CREATE ROLE landlord; CREATE ROLE tenant LOGIN PASSWORD 'tenant';
        CREATE TABLE public."Let" (id int); ALTER TABLE public."Let" OWNER TO landlord`);
      await admin.query("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
      const tenant = await unfit.connect({ user: "tenant", password: "tenant" });
      const tables = [
        { schema: "public", table: "Let" },
        { schema: "public", table: "let" },
      ];
      const problems = await checkSource(tenant, { tables });
      expect(problems.map(({ what, fix }) => `${what}: ${fix}`)).toEqual([
        "wal_level is replica: Run ALTER SYSTEM SET wal_level = 'logical' and restart the server",
        expect.stringMatching(/^All 1 replication slots are in use: Drop a slot that nobody reads/),
        "wal_sender_timeout is 5000 ms: Set it to 30000, or to 0 for none",
        'Role tenant may not create schemas in database postgres: GRANT CREATE ON DATABASE "postgres" TO "tenant"',
        'Role tenant may not create roles: ALTER ROLE "tenant" CREATEROLE',
        expect.stringMatching(/^Role tenant may not give another role the right to replicate: Connect as a superuser/),
        "Role tenant may not create event triggers: Connect as a superuser",
        "There is no table let in schema public of database postgres: Create it first, or correct the name; upper case counts",
        'public."Let" belongs to role landlord: Have a superuser or an administrator of landlord run GRANT "landlord" TO "tenant", or take the table out of the tables to audit',
      ]);
      const error = await bootstrapSource(tenant, { tables }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(SourceNotReadyError);
      expect((error as SourceNotReadyError).problems).toEqual(problems);
      expect((error as SourceNotReadyError).message.split("\n")).toHaveLength(problems.length + 1);
      expect((await admin.query("SELECT FROM pg_namespace WHERE nspname = 'capture'")).rowCount).toBe(0);
      const latin = await unfit.connect({ database: "latin" });
      expect((await checkSource(latin)).map(({ what }) => what)).toContain("The encoding of database latin is LATIN1");
    } finally {
      await unfit.stop();
    }
  });
});

describe("An administrator who is no superuser, as on Aurora", () => {
  it("bootstraps both sides, captures, maintains and uninstalls", async () => {
    // A server of its own, whose roles no superuser has made.
    const aurora = await TestServer.start();
    try {
      const client = await aurora.createDatabase();
      await client.query("CREATE SCHEMA shop; CREATE TABLE shop.orders (id int PRIMARY KEY)");
      await createAuroraRoles(client);
      const administrator = await connectAdministrator(aurora, client);
      const options = { tables: [{ ...orders, identifyActor: true }], passwords: { cdc_capture: "capture" } };
      await bootstrapSource(administrator, options);
      expect((await bootstrapSource(administrator, options)).changes).toEqual([]);
      const { rows } = await client.query(
        "SELECT pg_has_role('cdc_capture', 'rds_replication', 'MEMBER') AS replicates",
      );
      expect(rows).toEqual([{ replicates: true }]);

      const { database } = await aurora.createDatabase({ owner: "administrator" });
      const destination = await aurora.connect({ database, ...administratorLogin });
      await bootstrapDestination(destination, { passwords: { audit_writer: "writer" } });
      expect((await bootstrapDestination(destination)).changes).toEqual([]);
      expect((await maintainDestination(destination)).actions).toEqual([]);
      const writer = await aurora.connect({ database, user: "audit_writer", password: "writer" });
      expect(await storeEvents(writer, [{ committed_at: "2026-11-05T10:00:00Z", operation: "insert" }])).toBe(1);
      expect((await errorOf(destination.query("UPDATE audit.events SET actor = 'x'"))).message).toContain(
        "append-only",
      );

      const application = await aurora.connect({
        database: client.database,
        user: "application",
        password: "application",
      });
      await application.query("INSERT INTO shop.orders VALUES (1)");
      await application.query("ALTER TABLE shop.orders ADD COLUMN more int");
      await application.query("TRUNCATE shop.orders");
      expect((await takeSignals(client)).map(({ kind }) => kind)).toEqual([
        "catalog",
        "session",
        "catalog",
        "session",
        "truncate",
      ]);
      expect(await maintainSource(administrator)).toMatchObject({
        signalsCleared: true,
        shapesPublished: 1,
        problems: [],
      });
      await uninstallSource(administrator);
      expect((await client.query("SELECT FROM pg_namespace WHERE nspname LIKE 'capture%'")).rowCount).toBe(0);
      expect(
        (await client.query("SELECT FROM pg_roles WHERE rolname IN ('cdc_capture', 'capture_app')")).rowCount,
      ).toBe(0);
    } finally {
      await aurora.stop();
    }
  });
});

describe("Tables of roles that the administrator is no member of", () => {
  it("are left out of a pattern where it can't become one, and refused with a fix where it can or where they are named", async () => {
    const aurora = await TestServer.start();
    try {
      const client = await aurora.createDatabase();
      await client.query("CREATE SCHEMA shop; CREATE TABLE shop.orders (id int PRIMARY KEY)");
      await createAuroraRoles(client);
      await client.query(`
        CREATE ROLE platform; CREATE ROLE colleague;
        GRANT colleague TO administrator WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;
        CREATE TABLE shop.flyway_schema_history (id int PRIMARY KEY);
        ALTER TABLE shop.flyway_schema_history OWNER TO platform`);
      const administrator = await connectAdministrator(aurora, client);
      const history = { schema: "shop", table: "flyway_schema_history" };
      const pattern = { schema: "shop", table: "%" };
      expect(await checkSource(administrator, { tables: [pattern, history] })).toMatchObject([
        {
          what: "shop.flyway_schema_history belongs to role platform",
          fix: 'Have a superuser or an administrator of platform run GRANT "platform" TO "administrator", or take the table out of the tables to audit',
        },
      ]);
      const { warnings } = await bootstrapSource(administrator, { tables: [pattern] });
      expect(warnings).toEqual([
        expect.stringMatching(
          /^shop\.flyway_schema_history matches a pattern and is not watched, because it belongs to role platform, which this role can't be granted\. .*"exclude":true/,
        ),
      ]);
      const problems = async () =>
        (
          await administrator.query<{ object: string; problem: string; fix: string }>(
            "SELECT * FROM capture.problems()",
          )
        ).rows;
      expect(await problems()).toMatchObject([
        {
          object: "shop.flyway_schema_history",
          problem: expect.stringContaining("it belongs to role platform, which administrator can't be granted"),
          fix: expect.stringContaining('"exclude" : true'),
        },
      ]);
      expect(
        (await bootstrapSource(administrator, { tables: [pattern, { ...history, exclude: true }] })).warnings,
      ).toEqual([]);
      expect(await problems()).toEqual([]);

      await client.query("CREATE TABLE shop.notes (id int PRIMARY KEY); ALTER TABLE shop.notes OWNER TO colleague");
      await client.query("SELECT capture.unwatch('shop.notes')");
      expect(await checkSource(administrator, { tables: [pattern, { ...history, exclude: true }] })).toMatchObject([
        { what: "shop.notes belongs to role colleague", fix: 'GRANT "colleague" TO "administrator"' },
      ]);
      const [problem] = await problems();
      expect(problem?.fix).toBe("GRANT colleague TO administrator; SELECT capture.watch('shop.notes')");
      await administrator.query(problem!.fix);
      expect(await problems()).toEqual([]);
    } finally {
      await aurora.stop();
    }
  });
});

describe("Every object", () => {
  beforeEach(async () => {
    await bootstrapSource(client, { tables: [] });
    await bootstrapDestination(client);
  });

  it("says what it is: schemas, tables, views, columns, functions and event triggers have comments", async () => {
    const { rows } = await client.query(`
      WITH own AS (SELECT oid FROM pg_namespace WHERE nspname IN ('capture', 'capture_heartbeat', 'audit'))
      SELECT oid::regnamespace::text AS object FROM own WHERE obj_description(oid, 'pg_namespace') IS NULL
      UNION ALL
      SELECT oid::regclass::text FROM pg_class
      WHERE relnamespace IN (SELECT oid FROM own) AND relkind IN ('r', 'p', 'v', 'I') AND obj_description(oid, 'pg_class') IS NULL
        AND NOT EXISTS (SELECT FROM pg_index WHERE indexrelid = pg_class.oid AND indisprimary)
      UNION ALL
      SELECT attrelid::regclass || '.' || attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
      WHERE relnamespace IN (SELECT oid FROM own) AND relkind IN ('r', 'p', 'v') AND NOT relispartition AND attnum > 0
        AND col_description(attrelid, attnum) IS NULL
      UNION ALL
      SELECT oid::regprocedure::text FROM pg_proc
      WHERE pronamespace IN (SELECT oid FROM own) AND obj_description(oid, 'pg_proc') IS NULL
      UNION ALL
      SELECT evtname FROM pg_event_trigger WHERE obj_description(oid, 'pg_event_trigger') IS NULL`);
    expect(rows).toEqual([]);
  });

  it("that is a function resolves names in pg_catalog alone", async () => {
    const { rows } = await client.query(`
      SELECT oid::regprocedure::text AS function FROM pg_proc
      WHERE pronamespace IN ('capture'::regnamespace, 'audit'::regnamespace)
        -- A body of the SQL standard's form has its names resolved already.
        AND prosqlbody IS NULL
        AND NOT 'search_path=pg_catalog, pg_temp' = ANY (coalesce(proconfig, '{}'))`);
    expect(rows).toEqual([]);
  });
});
