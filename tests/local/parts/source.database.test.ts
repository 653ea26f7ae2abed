import { hostname } from "node:os";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fingerprint } from "../../../faults/stops/source";
import { AuditedSource, SourceInUseError } from "../../../local/parts/source";
import type { Runner } from "../../../local/parts/source-record";
import { selectionsOf, watchedTables } from "../../../local/parts/watched";
import { connectionUrl } from "../../../local/servers/database-client";
import { type DatabaseClient, superuser, TestServer } from "../../../local/servers/test-server";
import { bootstrapSource } from "../../../operator/database/bootstrap";

let server: TestServer;
let client: DatabaseClient;
let url: string;
const opened: AuditedSource[] = [];

beforeAll(async () => {
  server = await TestServer.start({ log_statement: "none" });
});
afterAll(() => server.stop());

beforeEach(async () => {
  client = await server.createDatabase();
  url = connectionUrl({ host: "127.0.0.1", port: server.port, ...superuser, database: client.database });
  await client.query(`
    CREATE SCHEMA app;
    CREATE TABLE app.orders (id integer PRIMARY KEY);
    CREATE TABLE app.log_old (id integer PRIMARY KEY);
    CREATE UNLOGGED TABLE app.cache (id integer PRIMARY KEY)`);
});
afterEach(async () => {
  for (const source of opened.splice(0)) await source.close();
  await client.query("DROP ROLE IF EXISTS cdc_capture, capture_app").catch(() => undefined);
});

const runner = (run = "11111111-1111-4111-8111-111111111111"): Runner => ({
  run,
  account: `alice@${hostname()}`,
  machine: hostname(),
  folder: "a-checkout-of-alice/.local",
  process: 4711,
});

async function open(run?: string): Promise<AuditedSource> {
  const source = await AuditedSource.open(url, runner(run));
  opened.push(source);
  return source;
}

const tables = [{ schema: "app", table: "%" }];
const capture = () => bootstrapSource(client, { tables, passwords: { cdc_capture: "capture-password" } });

describe("a source", () => {
  it("is as before once everything is taken back", async () => {
    const before = await fingerprint(client);
    const source = await open();
    await source.begin();
    await capture();
    await client.query("SELECT pg_create_logical_replication_slot('cdc_audit_local', 'test_decoding')");
    await client.query("SELECT pg_create_logical_replication_slot('cdc_audit_local_load', 'test_decoding')");
    expect(await fingerprint(client)).not.toEqual(before);

    expect(await source.leave(false)).toEqual([]);
    expect(await fingerprint(client)).toEqual(before);
  });

  it("tells a later run, of any machine, who left what; and that one takes it back", async () => {
    const before = await fingerprint(client);
    const killed = await open();
    await killed.begin();
    await capture();
    await killed.close();
    opened.length = 0;

    const next = await open("22222222-2222-4222-8222-222222222222");
    expect(next.left).toMatchObject({ ...runner(), kept: false });
    expect(Date.now() - (next.left?.since.getTime() ?? 0)).toBeLessThan(60_000);
    await next.takeBack();
    expect(await fingerprint(client)).toEqual(before);
  });

  it("is held by one run: another is told by whom", async () => {
    await (await open()).begin();

    await expect(open("22222222-2222-4222-8222-222222222222")).rejects.toThrow(SourceInUseError);
    await expect(open("22222222-2222-4222-8222-222222222222")).rejects.toThrow(
      /alice@.*folder a-checkout-of-alice\/\.local, process 4711.*pg_terminate_backend\(\d+\)/s,
    );
  });

  it("ends a stand-in that goes on though its run was killed", async () => {
    const killed = await open();
    await killed.begin();
    await capture();
    const standIn = new Client({
      connectionString: url.replace(/\/\/[^@]*@/, "//cdc_capture:capture-password@"),
      application_name: "dms-stand-in",
    });
    standIn.on("error", () => undefined);
    await standIn.connect();
    const other = await server.connect({ database: client.database });

    await killed.leave(false);

    await expect(standIn.query("SELECT 1")).rejects.toThrow();
    expect((await other.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  });

  it.each([
    ["schema", "CREATE SCHEMA capture", "DROP SCHEMA capture", /Schema capture exists already, and no local run/],
    [
      "heartbeat schema",
      "CREATE SCHEMA capture_heartbeat; CREATE TABLE capture_heartbeat.beats (id integer)",
      "DROP SCHEMA capture_heartbeat CASCADE",
      /Schema capture_heartbeat exists already/,
    ],
    [
      "trigger",
      `CREATE FUNCTION app.nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
       CREATE TRIGGER capture_truncate AFTER TRUNCATE ON app.orders EXECUTE FUNCTION app.nothing()`,
      "DROP TRIGGER capture_truncate ON app.orders",
      /Trigger capture_truncate of app\.orders exists already/,
    ],
    [
      "event trigger",
      `CREATE FUNCTION app.nothing_of_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
       CREATE EVENT TRIGGER capture_ddl ON ddl_command_end EXECUTE FUNCTION app.nothing_of_ddl()`,
      "DROP EVENT TRIGGER capture_ddl",
      /Event trigger capture_ddl exists already/,
    ],
    [
      "slot",
      "SELECT pg_create_logical_replication_slot('cdc_audit_local', 'test_decoding')",
      "SELECT pg_drop_replication_slot('cdc_audit_local')",
      /Replication slot cdc_audit_local exists already, in database test_/,
    ],
  ])("names somebody else's %s of a name that a run uses, and leaves it", async (_, make, drop, message) => {
    await client.query(make);
    const before = await fingerprint(client);
    const source = await open();

    expect((await source.problems(tables)).join("\n")).toMatch(message);
    await source.leave(false);
    expect(await fingerprint(client)).toEqual(before);
    await client.query(drop);
  });

  it("names another database of the server that uses the role", async () => {
    const other = await server.createDatabase();
    await bootstrapSource(other, { tables: [], passwords: { cdc_capture: "of-another-pipeline" } });
    const source = await open();

    expect((await source.problems(tables)).join("\n")).toMatch(
      new RegExp(`Role cdc_capture is in use by database ${other.database} of this server`),
    );
    await other.query("DROP SCHEMA capture, capture_heartbeat CASCADE; DROP OWNED BY cdc_capture");
  });

  it("gives a role that was there back as it was: password, settings, attributes, privileges", async () => {
    await client.query(`
      CREATE ROLE cdc_capture NOLOGIN PASSWORD 'of-its-own';
      ALTER ROLE cdc_capture SET search_path = app, public;
      ALTER ROLE cdc_capture SET work_mem = '8MB';
      GRANT USAGE ON SCHEMA app TO cdc_capture;
      GRANT SELECT, UPDATE ON app.orders TO cdc_capture`);
    const before = await fingerprint(client);
    const source = await open();
    expect(await source.problems(tables)).toEqual([]);
    await source.begin();
    await capture();
    expect(await fingerprint(client)).not.toEqual(before);

    await source.leave(false);
    expect(await fingerprint(client)).toEqual(before);
    await client.query("DROP OWNED BY cdc_capture; DROP ROLE cdc_capture");
  });

  it("says what has to stay", async () => {
    const source = await open();
    await source.begin();
    await capture();
    await client.query("CREATE SCHEMA other AUTHORIZATION capture_app");

    expect(await source.leave(false)).toEqual([
      "Role capture_app stays: something outside the capture depends on it by now.",
    ]);
    await client.query("DROP SCHEMA other; DROP ROLE capture_app");
  });
});

describe("the tables of a source", () => {
  it("are those that --tables names, without what it leaves out", async () => {
    const choice = { include: tables, exclude: [{ schema: "app", table: "log_%" }] };
    const source = await open();
    await source.begin();
    await bootstrapSource(client, { tables: selectionsOf(choice) });
    expect(await watchedTables(client, choice)).toEqual({
      watched: 1,
      notWatched: [
        { reason: "excluded by --tables", tables: ["app.log_old"] },
        { reason: "unlogged: their changes are not in the WAL", tables: ["app.cache"] },
      ],
    });
    await source.leave(false);
  });
});
