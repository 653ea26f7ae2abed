import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bootstrapDestination, bootstrapSource } from "../../operator/database/bootstrap";
import { TestServer } from "../../local/servers/test-server";
import { documentNamed, shellLines } from "./documents";

const commands = shellLines({ file: "docs/runbook.md", text: documentNamed("docs/runbook.md") })
  .map(({ line }) => /^psql "\$(ADMIN|READER)_URL" --command "(.*)"$/.exec(line))
  .filter((match) => match !== null)
  .map(([, user = "", sql = ""]) => ({ user, sql: sql.replaceAll('\\"', '"') }));

const slot = "slot_of_the_task";

let server: TestServer;
let admin: Client;
let reader: Client;
let variables: Readonly<Record<string, string>>;

beforeAll(async () => {
  server = await TestServer.start({ log_statement: "none" });
  const database = await server.createDatabase();
  variables = { $SLOT: slot, $DATABASE: database.database };
  admin = database;
  await admin.query(`
    CREATE ROLE my_application;
    CREATE TABLE orders (id integer PRIMARY KEY);
    CREATE TABLE invoices (id integer PRIMARY KEY);
    CREATE TABLE flyway_schema_history (id integer PRIMARY KEY);
    CREATE TABLE parts (id integer PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10)`);
  await bootstrapSource(admin, {
    tables: [
      { schema: "public", table: "orders", identifyActor: true },
      { schema: "public", table: "parts%" },
    ],
  });
  await bootstrapDestination(admin);
  await admin.query("SELECT pg_create_logical_replication_slot($1, 'test_decoding')", [slot]);
  await admin.query("SELECT pg_create_logical_replication_slot('slot_of_somebody_else', 'test_decoding')");
  reader = await server.connect({ database: database.database });
  await reader.query("SET ROLE audit_reader");
});

afterAll(() => server.stop());

/** The SQL as the shell hands it over. */
function expanded(sql: string): string {
  return sql.replaceAll(/\$[A-Z]+/g, (name) => {
    const value = variables[name];
    if (value === undefined) throw new Error(`The test gives ${name} no value.`);
    return value;
  });
}

async function names(sql: string): Promise<string[]> {
  return (await admin.query<{ name: string }>(sql)).rows.map(({ name }) => name);
}

describe("the SQL of the runbook", () => {
  it("is found", () => {
    expect(commands.length).toBeGreaterThanOrEqual(16);
  });

  it.each(commands)("runs for the $user: $sql", async ({ user, sql }) => {
    await expect((user === "ADMIN" ? admin : reader).query(expanded(sql))).resolves.toBeDefined();
  });

  it("makes a reader of the login", async () => {
    const { rows } = await admin.query("SELECT pg_has_role('auditor', 'audit_reader', 'USAGE') AS reads");
    expect(rows).toEqual([{ reads: true }]);
  });

  it("leaves nothing of the capture behind, and the log and other slots where they are", async () => {
    expect(await names("SELECT evtname AS name FROM pg_event_trigger")).toEqual([]);
    expect(await names("SELECT tgname AS name FROM pg_trigger WHERE tgname LIKE 'capture%'")).toEqual([]);
    expect(await names("SELECT nspname AS name FROM pg_namespace WHERE nspname ~ '^(capture|audit)'")).toEqual([
      "audit",
    ]);
    expect(
      await names("SELECT rolname AS name FROM pg_roles WHERE rolname ~ '^(cdc_|capture_|audit_)' ORDER BY 1"),
    ).toEqual(["audit_reader", "audit_review", "audit_writer"]);
    expect(
      await names(
        `SELECT relname AS name FROM pg_class
         WHERE relname IN ('orders', 'invoices', 'parts_1') AND relreplident <> 'd'`,
      ),
    ).toEqual([]);
    expect(await names("SELECT slot_name AS name FROM pg_replication_slots")).toEqual(["slot_of_somebody_else"]);
  });
});
