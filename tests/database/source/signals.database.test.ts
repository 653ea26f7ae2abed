import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { captureSchema } from "../../../contract/change-capture";
import { errorOf, type TestServer } from "../../../local/servers/test-server";
import { renewOrders, startShopSource } from "../support/shop-source";
import { takeSignals } from "../support/signals";

let server: TestServer;
let client: Client;

beforeAll(async () => {
  ({ server, client } = await startShopSource());
});

afterAll(() => server.stop());

beforeEach(() => renewOrders(client));

describe("The signal table", () => {
  it("has the columns of the contract, none of which DMS would take for a LOB, and neither key nor index", async () => {
    const { rows: columns } = await client.query(
      `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
       WHERE attrelid = 'capture.signal'::regclass AND attnum > 0 ORDER BY attnum`,
    );
    expect(columns.map(({ name }) => name)).toEqual([
      "kind",
      "schema_name",
      "table_name",
      ...captureSchema.signalBodyColumns,
    ]);
    expect(columns.slice(3).map(({ type }) => type)).toEqual(
      captureSchema.signalBodyColumns.map(() => `character varying(${captureSchema.signalBodyColumnLength})`),
    );
    expect(columns.every(({ type }) => type.startsWith("character varying"))).toBe(true);
    const { rowCount: indexes } = await client.query(
      "SELECT FROM pg_index WHERE indrelid = 'capture.signal'::regclass",
    );
    expect(indexes).toBe(0);
  });

  it("is emptied at once when nobody writes, and left alone for the next try when somebody does", async () => {
    await client.query("SELECT capture.write_canary(gen_random_uuid())");
    const writer = await server.connect({ database: client.database });
    await writer.query("BEGIN");
    await writer.query("SELECT capture.write_canary(gen_random_uuid())");
    const { rows: refused } = await client.query("SELECT capture.clear_signals() AS cleared");
    expect(refused).toEqual([{ cleared: false }]);
    await writer.query("COMMIT");
    const { rows: done } = await client.query("SELECT capture.clear_signals() AS cleared");
    expect(done).toEqual([{ cleared: true }]);
    expect(await takeSignals(client)).toEqual([]);
  });
});

describe("set_context", () => {
  it("writes actor, request and context", async () => {
    await client.query(`SELECT capture.set_context('alice', 'r-1', '{"reason": "refund", "none": null}')`);
    expect(await takeSignals(client)).toEqual([
      {
        kind: "context",
        table: null,
        body: { actor: "alice", request_id: "r-1", origin: "application", context: { reason: "refund", none: null } },
      },
    ]);
  });

  it("needs only an actor", async () => {
    await client.query("SELECT capture.set_context('alice')");
    expect(await takeSignals(client)).toEqual([
      { kind: "context", table: null, body: { actor: "alice", origin: "application", context: {} } },
    ]);
  });

  it("spreads a long context over the pieces and loses no character", async () => {
    // Four-byte characters: pieces are counted in characters, so none is torn.
    const note = '🦄é"\\ '.repeat(4000);
    await client.query("SELECT capture.set_context('alice', NULL, $1)", [{ note }]);
    const [signal] = await takeSignals(client);
    expect(signal?.body.context).toEqual({ note });
  });

  it("takes up to 32,000 characters and says so when there are more", async () => {
    const lengthAround = JSON.stringify({ actor: "a", origin: "application", context: { n: "" } }).length;
    // PostgreSQL writes a blank after each of the 3 commas and 4 colons but those at the end.
    const fits = "x".repeat(32_000 - lengthAround - 6);
    await client.query("SELECT capture.set_context('a', NULL, $1)", [{ n: fits }]);
    expect((await takeSignals(client))[0]?.body.context.n).toBe(fits);
    const error = await errorOf(client.query("SELECT capture.set_context('a', NULL, $1)", [{ n: `${fits}x` }]));
    expect(error.message).toBe("a context signal holds at most 32000 characters of JSON; this one has 32001");
    expect(error.hint).toContain("identifier");
  });

  it("refuses an actor that the log's index of actors could not hold", async () => {
    await client.query("SELECT capture.set_context(repeat('🦄', 600))");
    await takeSignals(client);
    expect((await errorOf(client.query("SELECT capture.set_context(repeat('x', 601))"))).message).toBe(
      "capture.set_context: actor has 601 characters, at most 600 fit; pass a name rather than a token",
    );
  });

  it("refuses an empty actor and a context that is not an object", async () => {
    for (const actor of [null, "", "  "]) {
      expect((await errorOf(client.query("SELECT capture.set_context($1)", [actor]))).message).toContain(
        "actor is empty",
      );
    }
    expect((await errorOf(client.query("SELECT capture.set_context('a', NULL, '[1]')"))).message).toContain(
      "context is a JSON array",
    );
  });

  it("does nothing in a read-only transaction, where nothing can change", async () => {
    await client.query("BEGIN READ ONLY; SELECT capture.set_context('alice'); COMMIT");
    expect(await takeSignals(client)).toEqual([]);
  });

  it("goes away with a transaction that is rolled back", async () => {
    await client.query("BEGIN; SELECT capture.set_context('alice'); ROLLBACK");
    expect(await takeSignals(client)).toEqual([]);
  });
});

describe("A canary", () => {
  it("carries its id and the time at which it was sent", async () => {
    const id = "0f0e0d0c-0b0a-4908-8706-050403020100";
    const { rows } = await client.query("SELECT capture.write_canary($1) AS sent_at", [id]);
    const [signal] = await takeSignals(client);
    expect(signal).toMatchObject({ kind: "canary", table: null, body: { id } });
    expect(signal?.body.sent_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(new Date(signal?.body.sent_at)).toEqual(rows[0].sent_at);
  });
});

describe("The note of a full load", () => {
  const note = async (table: string, started: string, ended: string | null, rows: number) => {
    const parameters = ["shop", table, started, ended, rows];
    return (await client.query("SELECT capture.note_load($1, $2, $3, $4, $5) AS noted", parameters)).rows[0].noted;
  };
  const [started, ended] = ["2026-11-05T10:00:00.25Z", "2026-11-05T12:00:10+01:00"];

  it("is written once for each load, with its times in UTC and its count", async () => {
    expect(await note("orders", started, ended, 200)).toBe(true);
    expect(await note("orders", started, ended, 200)).toBe(false);
    expect(await note("lines", started, ended, 0)).toBe(true);
    expect(await note("orders", "2026-11-06T10:00:00Z", "2026-11-06T10:00:00Z", 3)).toBe(true);
    const signal = (table: string, started_at: string, ended_at: string, rows: number) => ({
      kind: "load",
      table: `shop.${table}`,
      body: { started_at, ended_at, rows },
    });
    expect(await takeSignals(client)).toEqual([
      signal("orders", "2026-11-05T10:00:00.250000Z", "2026-11-05T11:00:10.000000Z", 200),
      signal("lines", "2026-11-05T10:00:00.250000Z", "2026-11-05T11:00:10.000000Z", 0),
      signal("orders", "2026-11-06T10:00:00.000000Z", "2026-11-06T10:00:00.000000Z", 3),
    ]);
  });

  it("is not taken for written when its transaction is rolled back", async () => {
    await client.query("BEGIN");
    expect(await note("rolled_back", started, ended, 1)).toBe(true);
    await client.query("ROLLBACK");
    expect(await takeSignals(client)).toEqual([]);
    expect(await note("rolled_back", started, ended, 1)).toBe(true);
    expect(await takeSignals(client)).toHaveLength(1);
  });

  it("is refused for what is no load", async () => {
    expect((await errorOf(note("orders", ended, started, 1))).message).toContain(
      "capture.note_load: a load of shop.orders from",
    );
    expect((await errorOf(note("orders", started, ended, -1))).message).toContain("with -1 rows is none");
    expect((await errorOf(note("orders", started, null, 1))).message).toContain("to null with 1 rows is none");
    expect(await takeSignals(client)).toEqual([]);
  });
});

describe("The WAL", () => {
  it("carries signals in the transaction that they explain, in order, and stored generated columns", async () => {
    await client.query("SELECT pg_create_logical_replication_slot('signals', 'test_decoding')");
    await client.query(`
      BEGIN;
      SELECT capture.set_context('alice');
      INSERT INTO shop.orders (id, secret) VALUES (1, 'x');
      TRUNCATE shop.orders;
      ALTER TABLE shop.orders ADD COLUMN later int;
      COMMIT;`);
    const { rows } = await client.query<{ data: string }>(
      "SELECT data FROM pg_logical_slot_get_changes('signals', NULL, NULL, 'skip-empty-xacts', '1', 'include-xids', '0')",
    );
    await client.query("SELECT pg_drop_replication_slot('signals')");
    // `skip-empty-xacts` leaves the transactions that only changed system catalogs out.
    expect(
      rows.map(({ data }) => data.replace(/^table (capture\.signal: INSERT: kind\[[^\]]*\]:'\w+').*/, "$1")),
    ).toEqual([
      "BEGIN",
      "capture.signal: INSERT: kind[character varying]:'context'",
      expect.stringMatching(/^table shop\.orders: INSERT: id\[bigint\]:1 .* shout\[text\]:'X'$/),
      "table shop.orders: TRUNCATE: (no-flags)",
      "capture.signal: INSERT: kind[character varying]:'truncate'",
      expect.stringMatching(/^table capture\.watched_tables: UPDATE/),
      "capture.signal: INSERT: kind[character varying]:'catalog'",
      "COMMIT",
    ]);
  });
});
