import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bootstrapDestination, bootstrapSource } from "../../operator/bootstrap";
import { TestServer } from "../database/support/postgres";
import { documentNamed, shellLines } from "./documents";

const commands = shellLines({ file: "docs/runbook.md", text: documentNamed("docs/runbook.md") })
  .map(({ line }) => /^psql "\$(ADMIN|READER)_URL" --command "(.*)"$/.exec(line))
  .filter((match) => match !== null)
  .map(([, user = "", sql = ""]) => ({ user, sql: sql.replaceAll('\\"', '"') }));

let server: TestServer;
let admin: Client;
let reader: Client;

beforeAll(async () => {
  server = await TestServer.start({ log_statement: "none" });
  const database = await server.createDatabase();
  admin = database;
  await admin.query("CREATE TABLE orders (id integer PRIMARY KEY); CREATE TABLE invoices (id integer PRIMARY KEY)");
  await bootstrapSource(admin, { tables: [{ schema: "public", table: "orders" }] });
  await bootstrapDestination(admin);
  reader = await server.connect({ database: database.database });
  await reader.query("SET ROLE audit_reader");
});

afterAll(() => server.stop());

describe("the SQL of the runbook", () => {
  it("is found", () => {
    expect(commands.length).toBeGreaterThanOrEqual(6);
  });

  it.each(commands)("runs for the $user: $sql", async ({ user, sql }) => {
    await expect((user === "ADMIN" ? admin : reader).query(sql)).resolves.toBeDefined();
  });

  it("leaves no table watched that it gave back", async () => {
    const { rows } = await admin.query("SELECT FROM capture.watched_tables");
    expect(rows).toHaveLength(0);
  });
});
