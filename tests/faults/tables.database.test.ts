import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compareTable, rowsOfNobody } from "../../faults/truth/tables";
import { type DatabaseClient, TestServer } from "../../local/servers/test-server";
import { bootstrapDestination } from "../../operator/database/bootstrap";
import { storeEvents } from "../database/support/audit-events";
import { Stream } from "../database/support/stream";

let server: TestServer;
let client: DatabaseClient;

const time = "2026-11-05T11:00:00Z";
const asked = { name: "app.things", time, relation: "app.things", key: ["id"] };

beforeAll(async () => {
  server = await TestServer.start({ log_statement: "none" });
  client = await server.createDatabase();
  await bootstrapDestination(client);
  await client.query(`
    CREATE SCHEMA app;
    CREATE TABLE app.things (id integer PRIMARY KEY, name text, price numeric(10, 2), seen timestamptz);
    INSERT INTO app.things VALUES (1, 'one', 1.50, '2026-01-01 02:00+02'), (2, NULL, NULL, NULL), (3, 'three', 3, NULL)`);
  const row = (id: number, name: string | null, price: number | null, seen: string | null) => ({
    id,
    name,
    price,
    seen,
  });
  const stream = new Stream()
    .at("10:00:00")
    .shape("app.things", {
      relation: 7,
      key: ["id"],
      columns: [
        ["id", "integer"],
        ["name", "text"],
        ["price", "numeric"],
        ["seen", "timestamp with time zone"],
      ],
    })
    .insert("app.things", { id: 1 }, row(1, "one", 1.5, "2026-01-01T00:00:00Z"))
    .insert("app.things", { id: 2 }, row(2, null, null, null))
    .insert("app.things", { id: 3 }, row(3, "three", 3, null));
  await storeEvents(client, stream.events);
});

afterAll(() => server.stop());

/** The differences after a statement that is taken back. */
async function after(statement: string, options: Partial<typeof asked> & { mayBeUnknown?: string[] } = {}) {
  await client.query("BEGIN");
  await client.query(`SET LOCAL session_replication_role = replica; ${statement}`);
  const differences = await compareTable(client, { ...asked, ...options });
  await client.query("ROLLBACK");
  return differences;
}

describe("the comparison of a table with what the log tells of it", () => {
  test("finds nothing when the log tells the same, however it writes a value", async () => {
    expect(await compareTable(client, asked)).toEqual([]);
  });

  test.each([
    ["a row is missing", "INSERT INTO app.things VALUES (4)"],
    ["a row should not be there", "DELETE FROM app.things WHERE id = 2"],
    ["a value is wrong", "UPDATE app.things SET price = 1.51 WHERE id = 1"],
    ["a value is wrong", "UPDATE app.things SET name = '' WHERE id = 2"],
    ["a column is neither told nor named as unknown", "ALTER TABLE app.things ADD COLUMN size integer"],
    ["a column is told that the table does not have", "ALTER TABLE app.things DROP COLUMN seen"],
    [
      "a value is of another JSON type",
      `UPDATE audit.events SET after = after || '{"price": "1.50"}' WHERE record_key = '{"id": 1}'`,
    ],
    [
      "a column is unknown without a reason",
      `UPDATE audit.events SET after = after - 'name', unknown_columns = '{name}' WHERE record_key = '{"id": 1}'`,
    ],
    [
      "could not be asked, or its values not be read back",
      `UPDATE audit.events SET after = after || '{"price": "dear"}' WHERE record_key = '{"id": 1}'`,
    ],
    [
      "row_as_of tells something else",
      `CREATE OR REPLACE FUNCTION audit.row_as_of(
         "table" text, key jsonb, "time" timestamptz DEFAULT now(), source text DEFAULT NULL)
       RETURNS jsonb LANGUAGE sql AS $$ SELECT '{}'::jsonb $$`,
    ],
  ])("finds that %s", async (what, statement) => {
    expect((await after(statement)).join("\n")).toContain(what);
  });

  test("leaves out what may be unknown and is named so", async () => {
    const unknown = `UPDATE audit.events SET after = after - 'name', unknown_columns = '{name}' WHERE record_key = '{"id": 1}'`;
    expect(await after(unknown, { mayBeUnknown: ["name"] })).toEqual([]);
  });

  test("finds rows under a name that no table has, and none under a name that the log does not know", async () => {
    expect(await rowsOfNobody(client, "app.things", time)).toHaveLength(3);
    expect(await rowsOfNobody(client, "app.nothing", time)).toEqual([]);
  });
});
