import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { slotName } from "../../local/parts/capture";
import type { Pipeline } from "../../local/pipeline";
import { withClient } from "../../local/servers/database-client";
import { startTestPipeline, type TestPipeline } from "./support/pipeline";

let running: TestPipeline;

beforeAll(async () => {
  running = await startTestPipeline(
    [{ schema: "sales", table: "%" }],
    async (client) => {
      await client.query(`
        CREATE SCHEMA sales;
        CREATE TABLE sales.first (id integer PRIMARY KEY, note text);
        INSERT INTO sales.first SELECT i, repeat('x', 300) FROM generate_series(1, 30000) AS i;
        CREATE TABLE sales.second (id integer PRIMARY KEY, n integer NOT NULL);
        INSERT INTO sales.second SELECT i, 0 FROM generate_series(1, 10) AS i;
      `);
    },
    { fullLoad: true, beside: changeBesideLoad },
  );
});

afterAll(() => running?.stop());

/**
 * Changes rows of the second table between the snapshot that its load reads and the records that it sends: so the rows of
 * before are sent after the changes were committed.
 */
async function changeBesideLoad(pipeline: Pipeline): Promise<void> {
  await untilTrue(
    pipeline,
    `SELECT FROM pg_replication_slots WHERE slot_name = '${slotName}_load' AND confirmed_flush_lsn IS NOT NULL`,
  );
  await withClient(pipeline.sample, async (client) => {
    await client.query("BEGIN; LOCK TABLE sales.second IN ACCESS EXCLUSIVE MODE");
    await untilTrue(
      pipeline,
      "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%load_rows%'",
    );
    await client.query(`
      UPDATE sales.second SET n = 1 WHERE id = 1;
      DELETE FROM sales.second WHERE id = 2;
      INSERT INTO sales.second VALUES (11, 0);
      UPDATE sales.second SET id = 12 WHERE id = 3;
      COMMIT`);
    // The baselines are dated clearly later.
    await sleep(50);
  });
}

/** Waits until a query has a row; the server may not be there yet. */
async function untilTrue(pipeline: Pipeline, sql: string): Promise<void> {
  const deadline = Date.now() + 90_000;
  for (;;) {
    const hasRow = (client: Client) => client.query(sql).then(({ rowCount }) => rowCount !== 0);
    const found = pipeline.postgres?.running && (await withClient(pipeline.sample, hasRow).catch(() => false));
    if (found) return;
    if (Date.now() > deadline) throw new Error(`Nothing came of ${sql}`);
    await sleep(20);
  }
}

/** What differs between a table and what the log says of it now. */
async function differences(table: string): Promise<object[]> {
  return running.query(
    `SELECT coalesce(known.key, jsonb_build_object('id', held.id)) AS key, known."row" AS log, to_jsonb(held) AS source
     FROM audit.table_as_of($1) AS known
     FULL JOIN ${table} AS held ON known.key = jsonb_build_object('id', held.id)
     WHERE known."row" IS DISTINCT FROM to_jsonb(held)
     ORDER BY 1
     LIMIT 20`,
    [table],
  );
}

/** Sends a canary, which tells the log of loads, and waits until it knows of as many as there are. */
async function noteLoads(count: number): Promise<readonly string[]> {
  const { loadsNoted } = await running.pipeline.canary({ timeoutSeconds: 120 });
  await untilTrue(running.pipeline, `SELECT FROM audit.events WHERE operation = 'load' HAVING count(*) = ${count}`);
  return loadsNoted;
}

test("a full load is in the log with its rows", async () => {
  expect(await noteLoads(2)).toEqual(["sales.first", "sales.second"]);
  const loads = await running.query(
    `SELECT "table", (detail ->> 'rows')::int AS rows, (
       SELECT count(*)::int FROM audit.events
       WHERE operation = 'baseline' AND table_name = log."table"
         AND captured_at BETWEEN (log.detail ->> 'started_at')::timestamptz AND (log.detail ->> 'ended_at')::timestamptz
     ) AS found
     FROM audit.log WHERE operation = 'load' ORDER BY 1`,
  );
  expect(loads).toEqual([
    { table: "first", rows: 30_000, found: 30_000 },
    { table: "second", rows: 10, found: 10 },
  ]);
});

test("what changed beside a full load is what the table holds", async () => {
  expect(await differences("sales.second")).toEqual([]);
});

test("after a lost slot, rows that a new full load did not find have an end, and the others are as the table has them", async () => {
  const { pipeline } = running;
  await pipeline.standIn.stop();
  await running.query("SELECT pg_drop_replication_slot($1)", [slotName]);
  await running.query(`
    DELETE FROM sales.first WHERE id % 3 = 0;
    UPDATE sales.first SET note = 'changed unseen' WHERE id % 3 = 1;
    INSERT INTO sales.first VALUES (40000, 'new');
    DELETE FROM sales.second WHERE id = 5;
  `);
  await pipeline.standIn.start();
  await running.query("DELETE FROM sales.first WHERE id = 1; UPDATE sales.second SET n = 7 WHERE id = 6");
  expect(await noteLoads(4)).toEqual(["sales.first", "sales.second"]);
  await untilTrue(pipeline, `SELECT FROM audit.events WHERE table_name = 'second' AND after = '{"id": 6, "n": 7}'`);
  await untilTrue(
    pipeline,
    `SELECT FROM audit.events WHERE table_name = 'first' AND operation = 'delete' AND record_key = '{"id": 1}'`,
  );
  await untilTrue(
    pipeline,
    "SELECT FROM audit.events WHERE operation = 'baseline' HAVING count(*) = 30010 + 20001 + 9",
  );

  expect(await differences("sales.first")).toEqual([]);
  expect(await differences("sales.second")).toEqual([]);
  const [gone] = await running.query<{ operations: string[]; row: unknown; reason: string }>(
    `SELECT array(SELECT operation FROM audit.history('sales.second', '{"id": 5}')) AS operations,
       audit.row_as_of('sales.second', '{"id": 5}') AS "row",
       (SELECT doubt ->> 'reason' FROM audit.row_as_of_explained('sales.second', '{"id": 5}')) AS reason`,
  );
  expect(gone).toMatchObject({ operations: ["baseline", "load"], row: null });
  expect(gone?.reason).toContain("the record was not there any more");
});
