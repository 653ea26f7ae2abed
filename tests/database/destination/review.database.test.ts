import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DatabaseClient, errorOf, TestServer } from "../../../local/servers/test-server";
import { bootstrapDestination } from "../../../operator/database/bootstrap";
import { storeEvents } from "../support/audit-events";
import { Stream } from "../support/stream";

const orders = { relation: 7, key: ["id"], columns: [["id", "integer"] as const, ["status", "text"] as const] };
const bulkChanges = 7_000;
const span = { from: "2026-11-05T00:00:00Z", to: "2026-11-06T00:00:00Z" };

let server: TestServer;
let client: DatabaseClient;

const rows = async (text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
  (await client.query(text, values)).rows;

/** What a filter finds, each act as the minute of its time. */
async function found(filter: object, most = 50): Promise<string[]> {
  const acts = await rows(
    `SELECT to_char("time" AT TIME ZONE 'UTC', 'HH24:MI') || coalesce(' ' || left(note, 10), '') AS act
     FROM audit.acts_found($1::text::jsonb, NULL, NULL, NULL, $2, 1000000) WITH ORDINALITY AS found ("time", source, transaction, note, place)
     ORDER BY place`,
    [JSON.stringify({ ...span, ...filter }), most],
  );
  return acts.map(({ act }) => act as string);
}

beforeAll(async () => {
  server = await TestServer.start({ log_statement: "none" });
  client = await server.createDatabase();
  await bootstrapDestination(client);
  await client.query("SELECT audit.add_partitions('2026-10-01', '2026-12-01', 'month')");
  const stream = new Stream();
  stream
    .at("09:00:00")
    .shape("shop.orders", orders)
    .shape("shop.notes", { ...orders, relation: 8 });
  stream
    .at("10:00:00")
    .context("alice", "r-1")
    .insert("shop.orders", { id: 1 }, { id: 1, status: "new" })
    .insert("shop.orders", { id: 2 }, { id: 2, status: "new" })
    .insert("shop.notes", { id: 1 }, { id: 1, status: "secret Word" });
  stream
    .at("10:01:00")
    .context("bob", "r-1")
    .update("shop.orders", { id: 1 }, { status: "new" }, { id: 1, status: "paid" });
  stream.at("10:02:00").context("bob").update("shop.orders", { id: 10 }, { id: 1 }, { id: 10, status: "paid" });
  stream.at("10:03:00").delete("shop.orders", { id: 2 }, { id: 2, status: "new" });
  stream.at("10:04:00").baseline("shop.orders", { id: 3 }, { id: 3, status: "old" });
  await storeEvents(client, stream.events);
  // One large transaction, and a small one that was committed in the same microsecond.
  await client.query(
    `INSERT INTO audit.events (committed_at, event_id, source_id, transaction_id, sequence, operation, schema_name, table_name,
       record_key, before, after, stream_order)
     SELECT '2026-11-05T10:05:00Z', gen_random_uuid(), 'test', transaction, n, 'update', 'shop', 'orders',
       jsonb_build_object('id', 100 + n), '{"status": "new"}', jsonb_build_object('id', 100 + n, 'status', 'mass'), 9e15
     FROM (SELECT 900 AS transaction, n FROM generate_series(1, $1::int) AS n UNION ALL SELECT 901, 1) AS drawn`,
    [bulkChanges],
  );
  await client.query("ANALYZE audit.events");
});

afterAll(() => server.stop());

describe("The feed", () => {
  it.each([
    ["everything but baselines", {}, ["10:05", "10:05", "10:03", "10:02", "10:01", "10:00", "09:00"]],
    ["an actor", { actor: ["bob"] }, ["10:02", "10:01"]],
    ["one of two actors, newest first", { actor: ["alice", "bob"] }, ["10:02", "10:01", "10:00"]],
    ["a request", { request: "r-1" }, ["10:01", "10:00"]],
    ["a request and one of its actors", { request: "r-1", actor: ["alice"] }, ["10:00"]],
    ["a transaction", { transaction: "901" }, ["10:05"]],
    ["a rare operation", { operation: ["delete"] }, ["10:03"]],
    ["baselines, when asked for", { operation: ["baseline"] }, ["10:04"]],
    ["a rare table", { table: ["shop.notes"] }, ["10:00", "09:00"]],
    ["a record", { table: ["shop.orders"], key: { id: 1 } }, ["10:01", "10:00"]],
    ["a column", { column: ["id"], operation: ["update"] }, ["10:02"]],
    ["a text, whatever its case", { text: "SECRET word" }, ["10:00"]],
    ["no text of a hidden column", { text: "SECRET word", hidden: ["shop.notes.status"] }, []],
    ["nobody of an actor", { not: { actor: ["bob"] }, to: "2026-11-05T10:03:00Z" }, ["10:00", "09:00"]],
    ["no operation", { not: { operation: ["update", "schema"] } }, ["10:03", "10:00"]],
    ["no table", { not: { table: ["shop.orders"] } }, ["10:00", "09:00"]],
    ["what a reader may see alone", { visible: ["shop.notes"] }, ["10:00", "09:00"]],
    ["nothing of what a reader may not see", { visible: ["other.*"] }, []],
    ["a span without its end", { from: "2026-11-05T10:01:00Z", to: "2026-11-05T10:03:00Z" }, ["10:02", "10:01"]],
    ["another source", { source: "elsewhere" }, []],
  ])("finds %s", async (_, filter, acts) => {
    expect(await found(filter)).toEqual(acts);
  });

  it("goes on where a page ended, also between acts of one moment", async () => {
    const told: unknown[] = [];
    let place: Record<string, unknown> = { time: null, source: null, transaction: null };
    for (let page = 0; page < 20; page += 1) {
      const [act] = await rows(
        `SELECT audit.moment("time") AS time, source, transaction::text AS transaction
         FROM audit.acts_found($1::text::jsonb, $2::timestamptz, $3, $4::bigint, 1, 1000000)`,
        [JSON.stringify(span), place.time, place.source, place.transaction],
      );
      if (!act) break;
      told.push(act.transaction);
      place = act;
    }
    expect(told).toEqual(["901", "900", "105", "104", "103", "102", "101"]);
  });

  it("says how far it searched, and goes on from there", async () => {
    const filter = JSON.stringify({ ...span, text: "secret word" });
    const [stopped] = await rows(
      `SELECT audit.moment("time") AS time, note FROM audit.acts_found($1::text::jsonb, NULL, NULL, NULL, 1, 10)`,
      [filter],
    );
    expect(stopped).toMatchObject({ time: expect.stringMatching(/^2026-11-05T10:0[45]/), note: expect.any(String) });
    expect(stopped?.note).toMatch(/narrow by a table, a record's key, an actor, a request/);
    const [next] = await rows(
      `SELECT audit.moment("time") AS time FROM audit.acts_found($1::text::jsonb, $2::timestamptz, '', NULL, 1, 1000000)`,
      [filter, stopped?.time],
    );
    expect(next?.time).toBe("2026-11-05T10:00:00.000000Z");
  });

  it("tells what an act did, of a large one at least so much, and of other tables nothing", async () => {
    const line = async (time: string, transaction: number, filter = "{}") =>
      (await rows(`SELECT * FROM audit.act_line($1, 'test', $2, $3, 1000)`, [time, transaction, filter]))[0];
    expect(await line("2026-11-05T10:00:00Z", 102)).toMatchObject({
      actor: "alice",
      request: "r-1",
      has_more: false,
      hides_tables: false,
      counts: [
        { table: "shop.orders", operation: "insert", changes: 2 },
        { table: "shop.notes", operation: "insert", changes: 1 },
      ],
    });
    expect(await line("2026-11-05T10:00:00Z", 102, '{"visible": ["shop.notes"]}')).toMatchObject({
      hides_tables: true,
      counts: [{ table: "shop.notes", operation: "insert", changes: 1 }],
    });
    expect(await line("2026-11-05T10:05:00Z", 900)).toMatchObject({ has_more: true, actor: null });
  });

  it("pages through the changes of a large act in their order", async () => {
    const page = async (after: number | null) =>
      (
        await rows(
          `SELECT (change).sequence AS sequence FROM audit.act_changes('2026-11-05T10:05:00Z', 'test', 900, '{}', $1, NULL, 3)`,
          [after],
        )
      ).map(({ sequence }) => sequence);
    expect(await page(null)).toEqual([1, 2, 3]);
    expect(await page(6_998)).toEqual([6_999, 7_000]);
    const [looked] = await rows(
      `SELECT (change).sequence AS sequence, looked_to_sequence AS looked
       FROM audit.act_changes('2026-11-05T10:05:00Z', 'test', 900, '{"text": "nowhere"}', NULL, NULL, 3)`,
    );
    expect(looked).toEqual({ sequence: null, looked: 5_000 });
  });

  it("tells the changes of several acts in one answer, and goes on within an act or in the next one", async () => {
    const moments = {
      900: "2026-11-05T10:05:00Z",
      901: "2026-11-05T10:05:00Z",
      102: "2026-11-05T10:00:00Z",
      106: "2026-11-05T10:04:00Z",
    };
    const told = async (
      acts: readonly (keyof typeof moments)[],
      { filter = {}, after = null as number | null, most = 4, characters = 1_000_000 } = {},
    ) =>
      (
        await rows(
          `SELECT concat_ws(' ', told.act, (told.change)."table", (told.change).sequence) AS line
           FROM audit.changes_of_acts($1::timestamptz[], array_fill('test'::text, ARRAY[cardinality($1::text[])]), $2::bigint[],
             $3::text::jsonb, $4, NULL, $5, $6) WITH ORDINALITY AS told (act, change, place) ORDER BY told.place`,
          [acts.map((act) => moments[act]), acts, JSON.stringify(filter), after, most, characters],
        )
      ).map(({ line }) => line);
    expect(await told([901, 102], { most: 10 })).toEqual(["1 orders 1", "2 orders 2", "2 orders 3", "2 notes 4"]);
    expect(await told([901, 102], { most: 3 })).toEqual(["1 orders 1", "2 orders 2", "2 orders 3"]);
    expect(await told([102], { after: 3 })).toEqual(["1 notes 4"]);
    expect(await told([102], { after: 4 })).toEqual([]);
    expect(await told([900, 901], { after: 6_998 })).toEqual(["1 orders 6999", "1 orders 7000", "2 orders 1"]);
    expect(await told([900], { characters: 100 })).toEqual(["1 orders 1", "1 orders 2", "1 orders 3"]);
    expect(await told([901, 102], { filter: { visible: ["shop.notes"] } })).toEqual(["2 notes 4"]);
    expect(await told([901, 102], { filter: { text: "secret" } })).toEqual(["2 notes 4"]);
    expect(await told([106, 102], { filter: { operation: ["baseline"] } })).toEqual([]);
  });

  it("refuses a filter that it does not know", async () => {
    const error = await errorOf(client.query(`SELECT * FROM audit.feed('{"who": 1}')`));
    expect(error).toMatchObject({ code: "22023", message: "the filter holds who, which is not known" });
    const keyed = await errorOf(client.query(`SELECT * FROM audit.feed('{"key": {"id": 1}}')`));
    expect(keyed.message).toContain("a key needs exactly one");
  });

  it("takes what is asked for as values, not as SQL", async () => {
    const evil = "'; DROP TABLE audit.reads; --";
    for (const filter of [{ actor: [evil] }, { text: evil }, { column: [evil] }, { request: evil }, { source: evil }]) {
      expect(await found(filter)).toEqual([]);
    }
  });
});

describe("A picture", () => {
  it("counts a short span, and estimates one of many blocks close to the truth", async () => {
    const picture = async (filter: object) =>
      rows(`SELECT kind, name, changes::int, is_estimate FROM audit.picture($1::text::jsonb) ORDER BY kind, name`, [
        JSON.stringify({ ...span, ...filter }),
      ]);
    expect(await picture({ to: "2026-11-05T10:05:00Z" })).toEqual(
      expect.arrayContaining([
        { kind: "acts of actor", name: "bob", changes: 2, is_estimate: false },
        { kind: "table", name: "shop.orders", changes: 6, is_estimate: false },
        { kind: "time", name: "delete", changes: 1, is_estimate: false },
      ]),
    );
    expect(await picture({ actor: ["bob"] })).toEqual(
      expect.arrayContaining([{ kind: "actor", name: "bob", changes: 2, is_estimate: false }]),
    );
    const [estimate] = await rows(
      `SELECT sum(changes)::int AS changes, max(weight) > 1 AS is_estimate
       FROM audit.sampled_blocks($1::text::jsonb, '1 hour', false, 60)`,
      [JSON.stringify(span)],
    );
    expect(estimate?.is_estimate).toBe(true);
    expect(Number(estimate?.changes)).toBeGreaterThan(bulkChanges * 0.6);
    expect(Number(estimate?.changes)).toBeLessThan(bulkChanges * 1.4);
  });

  it("takes an act once that names its actor again, or several of the actors that are asked for", async () => {
    await client.query("BEGIN");
    // 300 acts of two changes: erin is named in all of them, twice in the first 200, and frank beside her in the last 100.
    await client.query(
      `INSERT INTO audit.events (committed_at, event_id, source_id, transaction_id, sequence, operation, schema_name, table_name,
         record_key, after, actor, stream_order)
       SELECT timestamptz '2026-11-05T12:00:00Z' + interval '1 minute' * act, gen_random_uuid(), 'test', 7000 + act, number,
         CASE WHEN number <= 2 THEN 'context' ELSE 'insert' END, 'shop', 'orders',
         CASE WHEN number > 2 THEN '{"id": 1}'::jsonb END, CASE WHEN number > 2 THEN '{"id": 1}'::jsonb END,
         CASE WHEN number = 2 AND act > 200 THEN 'frank' WHEN number <= 2 THEN 'erin' END, 9e15
       FROM generate_series(1, 300) AS act CROSS JOIN generate_series(1, 4) AS number`,
    );
    const changes = async (actor: readonly string[]) =>
      (
        await rows(`SELECT sum(changes)::int AS changes FROM audit.sampled($1::text::jsonb, '1 hour')`, [
          JSON.stringify({ ...span, actor }),
        ])
      )[0]?.changes;
    expect(await changes(["erin"])).toBe(600);
    expect(await changes(["erin", "erin"])).toBe(600);
    expect(await changes(["frank", "erin"])).toBe(600);
    expect(await changes(["frank"])).toBe(200);
    await client.query("ROLLBACK");
  });

  it("counts few acts of an actor whole, and takes some of many for all, as many as there are in each time", async () => {
    await client.query("BEGIN");
    // 600 acts of four changes, 420 of them in the last of ten hours; and one act of 2,000.
    await client.query(
      `INSERT INTO audit.events (committed_at, event_id, source_id, transaction_id, sequence, operation, schema_name, table_name,
         record_key, after, actor, stream_order)
       SELECT at, gen_random_uuid(), 'test', 5000 + act, number, CASE number WHEN 1 THEN 'context' ELSE 'insert' END, 'shop',
         'orders', CASE WHEN number > 1 THEN '{"id": 1}'::jsonb END, CASE WHEN number > 1 THEN '{"id": 1}'::jsonb END,
         CASE number WHEN 1 THEN CASE WHEN act <= 600 THEN 'carol' ELSE 'dave' END END, 9e15
       FROM (
         SELECT act, timestamptz '2026-11-05T12:00:00Z' + interval '1 minute' * CASE
           WHEN act > 600 THEN 0 WHEN act <= 200 THEN act * 3 - 1 ELSE 540 + (act % 60) END
           + interval '1 millisecond' * act AS at
         FROM generate_series(1, 601) AS act
       ) AS drawn CROSS JOIN LATERAL generate_series(1, CASE WHEN act <= 600 THEN 5 ELSE 2001 END) AS number`,
    );
    const changes = async (filter: object) =>
      (
        await rows(
          `SELECT sum(changes)::int AS changes, sum(changes) FILTER (WHERE start >= '2026-11-05T21:00:00Z')::int AS late,
             max(weight) > 1 AS is_estimate FROM audit.sampled($1::text::jsonb, '1 hour')`,
          [JSON.stringify({ ...span, ...filter })],
        )
      )[0];
    expect(await changes({ actor: ["carol"], from: "2026-11-05T12:00:00Z", to: "2026-11-05T14:00:00Z" })).toEqual({
      changes: 40 * 4,
      late: null,
      is_estimate: false,
    });
    expect(await changes({ actor: ["carol"] })).toEqual({ changes: 600 * 4, late: 420 * 4, is_estimate: true });
    // An act of more changes than are read.
    expect(await changes({ actor: ["dave"] })).toMatchObject({ is_estimate: true });
    const [large] = await rows(
      `SELECT changes::int FROM audit.picture($1::text::jsonb) WHERE kind = 'actor' AND name = 'dave'`,
      [JSON.stringify({ ...span, actor: ["dave"] })],
    );
    expect(Number(large?.changes)).toBeGreaterThan(1_990);
    expect(Number(large?.changes)).toBeLessThan(2_010);
    await client.query("ROLLBACK");
  });
});

describe("A record's page", () => {
  const step = `SELECT (line).operation, (line).key, next_step::text AS next
    FROM audit.record_steps('shop.orders', '{"id": 10}', NULL, false, $1::text::jsonb, 1)`;

  it("goes back through a change of the key, page by page, as audit.history does", async () => {
    const told: unknown[] = [];
    let next: unknown = null;
    do {
      const [row] = await rows(step, [next]);
      if (!row) break;
      told.push([row.operation, row.key]);
      next = row.next;
    } while (next !== null && told.length < 10);
    const history = await rows(`SELECT operation, key FROM audit.history('shop.orders', '{"id": 10}')`);
    expect(told).toEqual(history.map(({ operation, key }) => [operation, key]).reverse());
    expect(told).toHaveLength(3);
  });

  it("says who gave each column its value", async () => {
    expect(
      await rows(`SELECT "column", value, actor, operation FROM audit.blame('shop.orders', '{"id": 10}')`),
    ).toEqual([
      { column: "id", value: 10, actor: "bob", operation: "update" },
      { column: "status", value: "paid", actor: "bob", operation: "update" },
    ]);
  });

  it("is what it was at a time, under the key of then, and compares two moments", async () => {
    const [then] = await rows(`SELECT * FROM audit.record_as_of('shop.orders', '{"id": 10}', '2026-11-05T10:00:30Z')`);
    expect(then).toMatchObject({ row: { id: 1, status: "new" }, named: "shop.orders", named_key: { id: 1 } });
    expect(
      await rows(
        `SELECT "column", old, new FROM audit.compare('shop.orders', '{"id": 10}', '2026-11-05T10:00:30Z', '2026-11-05T12:00:00Z')`,
      ),
    ).toEqual([
      { column: "id", old: 1, new: 10 },
      { column: "status", old: "new", new: "paid" },
    ]);
  });

  it("gives values as their exact text, and cuts long ones", async () => {
    const [values] = await rows(
      `SELECT audit.exact_values('{"n": 12345678901234567890.10, "t": "a\\u0001<b>", "s": 1}', '{s}', 12) AS values`,
    );
    expect(values?.values).toEqual({
      n: { cut: "123456789012", characters: 23 },
      t: '"a\\u0001<b>"',
    });
  });
});

describe("What readers looked at", () => {
  it("is noted by one function, is found by record, and never changes", async () => {
    await client.query(
      `SELECT audit.note_read('carol', 'record', '[{"table": "shop.orders", "key": {"id": 1}}]', '{"a": 1}', 'a reason')`,
    );
    await client.query(`SELECT audit.note_read('dave', 'feed')`);
    expect(await rows(`SELECT reader, action, reason FROM audit.seen_by('shop.orders', '{"id": 1}')`)).toEqual([
      { reader: "carol", action: "record", reason: "a reason" },
    ]);
    expect((await rows(`SELECT reader FROM audit.seen_by()`)).map(({ reader }) => reader)).toEqual(["dave", "carol"]);
    for (const statement of [
      "UPDATE audit.reads SET reader = 'x'",
      "DELETE FROM audit.reads",
      "TRUNCATE audit.reads",
    ]) {
      expect((await errorOf(client.query(statement))).message).toContain("audit.reads is append-only");
    }
    expect((await errorOf(client.query(`SELECT audit.note_read('', 'feed')`))).message).toContain("reader is empty");
    expect((await errorOf(client.query(`SELECT audit.note_read('x', 'steal')`))).code).toBe("23514");
  });
});

describe("What can be completed", () => {
  it.each([
    ["actor", "", ["alice", "bob"]],
    ["actor", "AL", ["alice"]],
    ["request", "r", ["r-1"]],
    ["table", "shop.", ["shop.notes", "shop.orders"]],
    ["column", "st", ["status"]],
    ["source", "", ["test"]],
  ])("are names of kind %s that begin with %j", async (of, start, names) => {
    expect((await rows("SELECT audit.completions($1, $2) AS name", [of, start])).map(({ name }) => name)).toEqual(
      names,
    );
  });
});

describe("How the log fares", () => {
  it("is told per source, with what the log says of its capture", async () => {
    expect(await rows("SELECT source, audit.moment(newest) AS newest FROM audit.freshness()")).toEqual([
      { source: "test", newest: "2026-11-05T10:05:00.000000Z" },
    ]);
    expect(await rows("SELECT * FROM audit.log_problems()")).toEqual([]);
  });

  it("names who does not say who acts, most first", async () => {
    const stream = new Stream().at("11:00:00");
    const facts = { session_user: "till", application_name: "till 7" };
    stream.by("alice", "r-9", facts);
    for (let transaction = 0; transaction < 2; transaction++) stream.by("till", undefined, facts);
    stream.by("batch", undefined, { session_user: "batch" });
    await client.query("BEGIN");
    await storeEvents(client, stream.events);
    const problems = await rows("SELECT problem FROM audit.log_problems()");
    await client.query("ROLLBACK");
    expect(problems.map(({ problem }) => problem)).toEqual([
      "The application till 7, signed in as till, does not say who acts. Such transactions among the last 10,000 events: 2.",
      "An application without application_name, signed in as batch, does not say who acts. Such transactions among the last 10,000 events: 1.",
    ]);
  });
});
