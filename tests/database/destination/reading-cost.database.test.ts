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
