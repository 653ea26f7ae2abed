import { afterAll, beforeAll, expect, test } from "vitest";
import { withClient } from "../../local/servers/database-client";
import { sampleUser } from "../../local/parts/sample-database";
import { unusualSettings } from "../../local/servers/test-server";
import { startTestPipeline, type TestPipeline } from "./support/pipeline";

const schema = "kinds";
const tables = ["people", "composite", "keyless", "every_type", "documents", "renamed_key", "later_%"].map((table) => ({
  schema,
  table,
}));

let running: TestPipeline;

beforeAll(async () => {
  running = await startTestPipeline(
    tables,
    async (client) => {
      await client.query(`
      SET search_path = public;
      CREATE EXTENSION citext;
      CREATE EXTENSION hstore;
      CREATE SCHEMA kinds;
      CREATE TYPE kinds.mood AS ENUM ('calm', 'it''s fine');
      CREATE TYPE kinds.point3 AS (x integer, y integer, label text);
      CREATE DOMAIN kinds.percent AS numeric(5, 2) CHECK (value BETWEEN 0 AND 100);
      CREATE TABLE kinds.people (id bigint PRIMARY KEY, name text NOT NULL, active boolean, score numeric(10, 2));
      CREATE TABLE kinds.composite (region text, "Order No" integer, note text, PRIMARY KEY (region, "Order No"));
      CREATE TABLE kinds.keyless (a integer, b varchar(40));
      CREATE TABLE kinds.every_type (
        id integer PRIMARY KEY,
        small smallint, whole integer, large bigint, exact numeric(20, 4), free numeric, ratio real, ratio2 double precision,
        yes boolean, words text, short varchar(20), fixed char(6), anycase citext,
        day date, clock time, local_time timestamp, moment timestamptz, span interval,
        identifier uuid, feeling kinds.mood, share kinds.percent, address inet, network cidr,
        document json, binary_document jsonb, bytes bytea, numbers integer[], matrix integer[][], texts text[], moments timestamptz[],
        pairs hstore, place kinds.point3, range int4range
      );
      CREATE TABLE kinds.documents (id integer PRIMARY KEY, version integer NOT NULL, body jsonb, long text);
      CREATE TABLE kinds.renamed_key (id integer PRIMARY KEY, name text);
    `);
    },
    { postgresSettings: unusualSettings },
  );
});

afterAll(async () => {
  await running?.stop();
});

/** Rows of the readable log for one table, oldest first. */
function log(table: string) {
  return running.query<{
    operation: string;
    actor: string;
    before: unknown;
    after: unknown;
    unknown_columns: string[] | null;
  }>(
    `SELECT operation, actor, before, after, unknown_columns FROM audit.log WHERE schema = $1 AND "table" = $2 AND operation <> 'schema' ORDER BY time, sequence`,
    [schema, table],
  );
}

test("insert, one-column update, empty update, multi-row update and delete each appear once with their actor", async () => {
  await running.act("ann", "INSERT INTO kinds.people VALUES (1, 'Ann', true, 1.50), (2, 'Ben', false, NULL)");
  await running.act("ben", "UPDATE kinds.people SET name = 'Anna' WHERE id = 1");
  await running.act("ben", "UPDATE kinds.people SET name = name WHERE id = 1");
  await running.act("job", "UPDATE kinds.people SET active = NOT active");
  await running.act("O'Brien; DROP", "DELETE FROM kinds.people WHERE id = 2");

  expect(await running.differences()).toEqual([]);
  const rows = await log("people");
  expect(rows.map(({ operation, actor }) => `${operation} ${actor}`)).toEqual([
    "insert ann",
    "insert ann",
    "update ben",
    "update ben",
    "update job",
    "update job",
    "delete O'Brien; DROP",
  ]);
  expect(rows[2]?.before).toEqual({ name: "Ann" });
  expect(rows[3]?.before).toEqual({});
  expect(rows[6]?.before).toEqual({ id: 2, name: "Ben", active: true, score: null });
});

test("composite keys, quoted names, keyless tables and a changed key are told apart", async () => {
  await running.act(
    "ann",
    `INSERT INTO kinds.composite VALUES ('north', 1, 'a'), ('north', 2, NULL), ('söuth', 1, E'line\\nbreak')`,
    `UPDATE kinds.composite SET note = 'b' WHERE "Order No" = 1`,
    `DELETE FROM kinds.composite WHERE region = 'north'`,
  );
  await running.act(
    "ann",
    "INSERT INTO kinds.keyless VALUES (1, 'x'), (1, 'x')",
    "UPDATE kinds.keyless SET b = 'y' WHERE ctid = (SELECT min(ctid) FROM kinds.keyless)",
    "DELETE FROM kinds.keyless",
  );
  await running.act(
    "ann",
    "INSERT INTO kinds.renamed_key VALUES (1, 'one')",
    "UPDATE kinds.renamed_key SET id = 100 WHERE id = 1",
  );

  expect(await running.differences()).toEqual([]);
  expect((await log("renamed_key"))[1]?.before).toEqual({ id: 1 });
});

test("every PostgreSQL type comes back as it was", async () => {
  await running.act(
    "types",
    `INSERT INTO kinds.every_type VALUES (
      1, -32768, 2147483647, 999999999999999, 1234567890123456.7800, 0.1000, 1.5, -2.25e-7,
      true, E'tab\\t "quotes" ''single'' \\\\ € 😀', 'short', 'ab', 'MiXed',
      '2024-02-29', '13:14:15.123456', '2024-01-01 00:00:00', '2024-06-30 23:59:59.999999+02', '1 year 2 mons 3 days 04:05:06.7',
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'it''s fine', 12.50, '192.0.2.1/24', '2001:db8::/32',
      '{"b": 1, "a": [1, 2.50, null]}', '{"n": 12345678901234567890, "t": "x\\ny"}', '\\x00ff10', '{1,NULL,3}', '{{1,2},{3,4}}',
      ARRAY['plain', 'with "quotes"', 'comma, {brace}', '', NULL], ARRAY['2024-01-01 00:00:00+00'::timestamptz],
      'k => "v, w", empty => NULL', ROW(1, 2, 'a "b"'), '[1,10)')`,
    "INSERT INTO kinds.every_type (id) VALUES (2)",
    "UPDATE kinds.every_type SET yes = false, binary_document = '[]', numbers = '{}', moment = 'epoch' WHERE id = 1",
    "DELETE FROM kinds.every_type",
  );

  expect(await running.differences()).toEqual([]);
  const [insert] = await log("every_type");
  expect(insert?.after).toMatchObject({
    large: 999999999999999,
    yes: true,
    binary_document: { t: "x\ny" },
    numbers: [1, null, 3],
    matrix: [
      [1, 2],
      [3, 4],
    ],
    texts: ["plain", 'with "quotes"', "comma, {brace}", "", null],
    bytes: "\\x00ff10",
  });
});

test("a large integer that DMS rounds is named as unknown, never shown wrong", async () => {
  await running.act("types", "INSERT INTO kinds.every_type (id, large) VALUES (3, 9223372036854775807)");

  expect(await running.differences()).toEqual([]);
  const row = (await log("every_type")).at(-1);
  expect(row?.unknown_columns).toEqual(["large"]);
  expect(row?.after).not.toHaveProperty("large");
});

test("a 1 MB document is kept whole, and an unchanged one is known although the WAL does not repeat it", async () => {
  await running.act(
    "ann",
    `INSERT INTO kinds.documents
     SELECT 1, 1, jsonb_build_object('text', string_agg(md5(n::text), '')), repeat('long ', 1000) FROM generate_series(1, 32768) n`,
  );
  await running.act("ben", "UPDATE kinds.documents SET version = 2");
  await running.act("ben", "UPDATE kinds.documents SET body = jsonb_set(body, '{more}', 'true')");

  expect(await running.differences()).toEqual([]);
  const rows = await log("documents");
  expect(rows[1]).toMatchObject({ before: { version: 1 }, unknown_columns: null });
  expect(JSON.stringify(rows[1]?.after).length).toBeGreaterThan(1_048_576);
});

test("TRUNCATE and ALTER TABLE are in the log, and rows written after it have the new column", async () => {
  await running.act("ann", "INSERT INTO kinds.people VALUES (10, 'Cem', true, 3)");
  await running.act(
    "dba",
    "ALTER TABLE kinds.people ADD COLUMN nickname text DEFAULT 'none', ADD COLUMN visits bigint",
  );
  await running.act(
    "ann",
    "UPDATE kinds.people SET visits = 7 WHERE id = 10",
    "INSERT INTO kinds.people (id, name) VALUES (11, 'Dee')",
  );
  await running.act("dba", "TRUNCATE kinds.people");

  expect(await running.differences()).toEqual([]);
  const rows = await running.query<{ operation: string; actor: string; after: { columns?: { name: string }[] } }>(
    `SELECT operation, actor, after FROM audit.log WHERE "table" = 'people' AND operation IN ('schema', 'truncate') ORDER BY time, sequence`,
  );
  expect(rows.map(({ operation, actor }) => `${operation} ${actor}`)).toEqual(["schema dba", "truncate dba"]);
  expect(rows[0]?.after.columns?.map(({ name }) => name)).toContain("visits");
});

test("a table that is made later, by a name that the selection covers, is in the log from its first row on", async () => {
  await running.act(
    "dba",
    "CREATE TABLE kinds.later_notes (id bigint PRIMARY KEY, amount numeric(6, 2), body jsonb)",
    "CREATE TRIGGER oracle_rows AFTER INSERT OR UPDATE OR DELETE ON kinds.later_notes FOR EACH ROW EXECUTE FUNCTION oracle.note()",
    `INSERT INTO kinds.later_notes VALUES (1, 1.50, '{"a": 1}')`,
  );
  await running.act("ann", "UPDATE kinds.later_notes SET amount = 2 WHERE id = 1");

  expect(await running.differences()).toEqual([]);
  const rows = await running.query(
    `SELECT operation, actor, key, before, after, unknown_columns, untyped_columns FROM audit.log WHERE "table" = 'later_notes' AND operation <> 'schema' ORDER BY time, sequence`,
  );
  const whole = { key: { id: 1 }, unknown_columns: null, untyped_columns: null };
  expect(rows).toEqual([
    { operation: "insert", actor: "dba", before: null, after: { id: 1, amount: 1.5, body: { a: 1 } }, ...whole },
    {
      operation: "update",
      actor: "ann",
      before: { amount: 1.5 },
      after: { id: 1, amount: 2, body: { a: 1 } },
      ...whole,
    },
  ]);
});

test("an application that says nothing is known by its session, one that uses the settings by those", async () => {
  await running.query("SELECT capture.watch('kinds.renamed_key', identify_actor => true)");
  await withClient({ ...running.pipeline.sample, ...sampleUser, application_name: 'till "7"' }, async (client) => {
    await client.query("SET oracle.actor = 'shop'");
    await client.query("INSERT INTO kinds.renamed_key VALUES (71, 'silent')");
    await client.query("SET oracle.actor = 'alice'; SET capture.actor = 'alice'; SET capture.request_id = 'r-7'");
    await client.query("INSERT INTO kinds.renamed_key VALUES (72, 'settings')");
    await client.query(`SET capture.context = '{"reason": "stocktaking"}'`);
    await client.query("INSERT INTO kinds.renamed_key VALUES (73, 'context')");
  });

  expect(await running.differences()).toEqual([]);
  const rows = await running.query(
    `SELECT actor, request, context FROM audit.log WHERE "table" = 'renamed_key' AND (key ->> 'id')::int BETWEEN 71 AND 73 ORDER BY time`,
  );
  const facts = { session_user: "shop", application_name: 'till "7"', client_address: "127.0.0.1" };
  expect(rows).toEqual([
    { actor: "shop", request: null, context: facts },
    { actor: "alice", request: "r-7", context: facts },
    { actor: "alice", request: "r-7", context: { reason: "stocktaking", ...facts } },
  ]);
});

test("a bulk insert of 100,000 rows in one transaction is complete", async () => {
  await running.act(
    "loader",
    "INSERT INTO kinds.people SELECT n, 'person ' || n, n % 2 = 0, n / 100.0 FROM generate_series(100000, 199999) n",
  );

  expect(await running.differences(120_000)).toEqual([]);
  const [row] = await running.query<{ count: string }>(
    `SELECT count(*) FROM audit.log WHERE "table" = 'people' AND actor = 'loader'`,
  );
  expect(Number(row?.count)).toBe(100_000);
});

test("the audit log, its topics and its signals never feed back into the capture", async () => {
  const captured = await running.query<{ name: string }>(
    "SELECT DISTINCT schema_name || '.' || table_name AS name FROM audit.events WHERE operation NOT IN ('context', 'canary') ORDER BY 1",
  );
  expect(captured.map(({ name }) => name)).toEqual(
    tables.map(({ table }) => `${schema}.${table.replace("%", "notes")}`).sort(),
  );
});
