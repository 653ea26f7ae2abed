import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { databaseRoles } from "../../../contract/database-roles";
import { type DatabaseClient, errorOf, TestServer } from "../../../local/servers/test-server";
import { bootstrapDestination } from "../../../operator/database/bootstrap";
import { storeEvents } from "../../database/support/audit-events";

let server: TestServer;
let client: DatabaseClient;

beforeAll(async () => {
  server = await TestServer.start();
});

afterAll(() => server.stop());

beforeEach(async () => {
  client = await server.createDatabase();
  await client.query("CREATE SCHEMA shop; CREATE TABLE shop.orders (id int PRIMARY KEY)");
});

describe("The login of the reviewer's page", () => {
  const password = "review-Passw0rd";
  let page: Client;

  beforeEach(async () => {
    await client.query("INSERT INTO shop.orders VALUES (1)");
    await bootstrapDestination(client, { passwords: { [databaseRoles.review]: password } });
    await storeEvents(client, [
      { committed_at: "2026-11-05T10:00:00Z", operation: "insert", record_key: { id: 1 }, after: { id: 1 } },
    ]);
    page = await server.connect({ database: client.database, user: databaseRoles.review, password });
  });
  afterEach(() => page.end());

  it("may call every function that the page's server calls, of which one alone may write", async () => {
    const { rows } = await page.query<{ name: string; writes: boolean }>(
      `SELECT DISTINCT proname AS name, provolatile = 'v' AS writes FROM pg_proc
       WHERE pronamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('audit', 'capture'))
         AND has_schema_privilege(pronamespace, 'USAGE') AND has_function_privilege(oid, 'EXECUTE')`,
    );
    const folder = join(__dirname, "../../../review/server");
    const called = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .flatMap((file) => [...readFileSync(join(folder, file), "utf8").matchAll(/\baudit\.(\w+)\(/g)])
      .map(([, name]) => name);
    const allowed = rows.map(({ name }) => name);
    expect(called.length).toBeGreaterThan(20);
    expect(called.filter((name) => !allowed.includes(name ?? ""))).toEqual([]);
    // A picture is volatile as well, since it draws samples by chance.
    const writing = rows.filter(({ name, writes }) => writes && name !== "picture");
    expect(writing.map(({ name }) => name)).toEqual(["note_read"]);
  });

  it("has its rights from nobody else: no membership, no attribute, no object, no column of a table", async () => {
    const { rows: attributes } = await page.query(
      `SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, rolcanlogin
       FROM pg_roles WHERE rolname = current_user`,
    );
    expect(attributes).toEqual([
      {
        rolsuper: false,
        rolcreatedb: false,
        rolcreaterole: false,
        rolreplication: false,
        rolbypassrls: false,
        rolcanlogin: true,
      },
    ]);
    const { rows: memberships } = await page.query(
      "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = current_user::regrole",
    );
    expect(memberships).toEqual([]);
    const { rows: held } = await page.query(
      `SELECT pg_describe_object(classid, objid, objsubid) AS what, deptype FROM pg_shdepend
       WHERE refclassid = 'pg_authid'::regclass AND refobjid = current_user::regrole AND deptype <> 'a'`,
    );
    expect(held).toEqual([]);
    const { rows: relations } = await page.query(
      `SELECT pg_class.oid::regclass::text AS relation FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
       WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_toast' AND relkind IN ('r', 'p', 'v', 'm')
         AND (has_table_privilege(pg_class.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
           OR has_any_column_privilege(pg_class.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))`,
    );
    expect(relations).toEqual([]);
    const { rows: schemas } = await page.query(
      `SELECT nspname AS name, has_schema_privilege(oid, 'CREATE') AS creates FROM pg_namespace
       WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND has_schema_privilege(oid, 'USAGE') ORDER BY 1`,
    );
    expect(schemas).toEqual([
      { name: "audit", creates: false },
      { name: "public", creates: false },
    ]);
  });

  it("writes one thing: who looked, which it can't take back", async () => {
    await page.query("SELECT audit.note_read('carol', 'feed')");
    const { rows } = await client.query("SELECT reader, action FROM audit.reads");
    expect(rows).toEqual([{ reader: "carol", action: "feed" }]);
    for (const statement of [
      "DELETE FROM audit.reads",
      "UPDATE audit.reads SET reader = 'mallory'",
      "TRUNCATE audit.reads",
      "SELECT * FROM audit.events",
      "SELECT * FROM shop.orders",
      "SELECT * FROM audit.log",
      "CREATE TABLE audit.mine (id int)",
      "CREATE TABLE public.mine (id int)",
      "CREATE SCHEMA mine",
      "SELECT audit.maintain(retention => '1 day')",
      "SET ROLE audit_reader",
      "SET ROLE audit_writer",
    ]) {
      expect({ statement, code: (await errorOf(page.query(statement))).code }).toEqual({ statement, code: "42501" });
    }
  });
});
