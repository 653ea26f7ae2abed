import { afterAll, beforeAll, expect, it } from "vitest";
import { type DatabaseClient, TestServer } from "../../../local/servers/test-server";
import { bootstrapDestination } from "../../../operator/database/bootstrap";
import { storeEvents } from "../support/audit-events";
import { Stream } from "../support/stream";

const records = 3_000;
const eventsOfRecord = 10;

let server: TestServer;
let database: string;

beforeAll(async () => {
  server = await TestServer.start({ log_statement: "none" });
  const client = await server.createDatabase();
  database = client.database;
  await bootstrapDestination(client);
  const shape = { relation: 7, key: ["id"], columns: [["id", "integer"] as const, ["n", "integer"] as const] };
  await storeEvents(client, new Stream().at("09:00:00").shape("app.things", shape).events);
  await client.query(
    `INSERT INTO audit.events (committed_at, event_id, source_id, transaction_id, sequence, operation, schema_name, table_name,
       record_key, before, after, stream_order)
     SELECT at, gen_random_uuid(), 'test', 1000 + place, 1, CASE WHEN n = 1 THEN 'insert' ELSE 'update' END, 'app', 'things',
       jsonb_build_object('id', record), CASE WHEN n > 1 THEN jsonb_build_object('n', n - 1) END,
       jsonb_build_object('id', record, 'n', n), (extract(epoch FROM at) * 1000000)::bigint
     FROM (
       SELECT *, '2026-11-05T10:00:00Z'::timestamptz + place * interval '1 second' AS at
       FROM (
         SELECT record, n, row_number() OVER (ORDER BY n, record) AS place
         FROM generate_series(1, $1::int) AS record, generate_series(1, $2::int) AS n
       ) AS numbered
     ) AS dated`,
    [records, eventsOfRecord],
  );
  await client.query("VACUUM (ANALYZE) audit.events");
});

afterAll(() => server.stop());

it.each([
  ["history", `SELECT count(*) FROM audit.history('app.things', '{"id": 77}')`, eventsOfRecord],
  ["row_as_of", `SELECT audit.row_as_of('app.things', '{"id": 77}') -> 'n' AS count`, eventsOfRecord],
])("%s looks events up, also where memory would do to read them all", async (_, question, answer) => {
  const client: DatabaseClient = (await server.connect({ database })) as DatabaseClient;
  await client.query("BEGIN; SET LOCAL work_mem = '256MB'");
  const { rows } = await client.query(question);
  expect(Number(rows[0].count)).toBe(answer);
  const { rows: read } = await client.query<{ count: string }>(
    "SELECT coalesce(sum(seq_tup_read), 0) AS count FROM pg_stat_xact_user_tables WHERE schemaname = 'audit'",
  );
  expect(Number(read[0]?.count)).toBeLessThan(100);
  await client.query("COMMIT");
});

it("table_as_of costs no more than in proportion to its rows, also where keys are made of other columns than before", async () => {
  const client: DatabaseClient = (await server.connect({ database })) as DatabaseClient;
  await client.query("SET track_functions = 'all'");
  const key = ["id", "part"];
  const columns = [["id", "integer"] as const, ["part", "integer"] as const, ["n", "integer"] as const];
  /** Rows of which every second one was changed once the key had another column. */
  const cost = async (rows: number) => {
    const table = `app.of_${rows}`;
    const stream = new Stream("test", 1_762_000_000_000_000).at("09:00:00");
    await storeEvents(client, stream.shape(table, { relation: rows, key: ["id"], columns }).events);
    const later = new Stream("test", 1_762_100_000_000_000).at("11:00:00");
    const widened = { relation: rows, key, columns };
    await storeEvents(client, later.shape(table, widened, { reason: "ddl", command: "ALTER TABLE" }).events);
    await client.query(
      `INSERT INTO audit.events (committed_at, event_id, source_id, transaction_id, sequence, operation, schema_name,
         table_name, record_key, before, after, stream_order)
       SELECT timestamptz '2026-11-05T10:00:00Z', gen_random_uuid(), 'test', 500, id, 'insert', 'app', $2, jsonb_build_object('id', id),
         NULL::jsonb, jsonb_build_object('id', id, 'part', id % 7, 'n', 1), 1762000000001000 + id
       FROM generate_series(1, $1::int) AS id
       UNION ALL
       SELECT '2026-11-05T12:00:00Z', gen_random_uuid(), 'test', 600, id, 'update', 'app', $2,
         jsonb_build_object('id', id, 'part', id % 7), '{"n": 1}', jsonb_build_object('id', id, 'part', id % 7, 'n', 2),
         1762100000001000 + id
       FROM generate_series(1, $1::int, 2) AS id`,
      [rows, `of_${rows}`],
    );
    await client.query("ANALYZE audit.events");
    await client.query("BEGIN");
    const begun = performance.now();
    const { rows: told } = await client.query(
      `SELECT count(*)::int AS rows, sum(("row" ->> 'n')::int)::int AS sum FROM audit.table_as_of($1, 'infinity')`,
      [table],
    );
    const seconds = (performance.now() - begun) / 1000;
    expect(told).toEqual([{ rows, sum: rows * 1.5 }]);
    const { rows: calls } = await client.query<{ calls: string }>(
      "SELECT sum(calls) AS calls FROM pg_stat_xact_user_functions WHERE schemaname = 'audit'",
    );
    await client.query("COMMIT");
    return { calls: Number(calls[0]?.calls), seconds };
  };
  const few = await cost(1_000);
  const many = await cost(4_000);
  expect(many.calls / few.calls).toBeLessThan(5);
  // A quadratic answer took over a minute.
  expect(many.seconds).toBeLessThan(40);
}, 120_000);
