import { randomInt } from "node:crypto";
import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { auditEventsTable } from "../../../contract/audit-table";
import { bootstrapDestination } from "../../../operator/database/bootstrap";
import { emptyLog, type EventInput, storeEvents } from "../support/audit-events";
import { errorOf, TestServer } from "../../../local/servers/test-server";

let server: TestServer;
let client: Client;
/** Reads with the rights of audit_reader alone. */
let reader: Client;

beforeAll(async () => {
  server = await TestServer.start();
  const database = await server.createDatabase();
  client = database;
  await bootstrapDestination(client);
  reader = await server.connect({ database: database.database });
  await reader.query("SET ROLE audit_reader");
});

afterAll(() => server.stop());

beforeEach(() => emptyLog(client));

const context = (transaction: number, sequence: number, committed_at: string, actor: string): EventInput => ({
  committed_at,
  operation: "context",
  table: "capture.signal",
  transaction_id: transaction,
  sequence,
  actor,
  request_id: `r-${actor}`,
  context: { origin: "application" },
});

describe("The table audit.events", () => {
  it("is the table of the contract: columns, types, comments, operations, key and partitioning", async () => {
    const { rows } = await client.query(
      `SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS required,
         col_description(attrelid, attnum) AS meaning
       FROM pg_attribute WHERE attrelid = 'audit.events'::regclass AND attnum > 0 ORDER BY attnum`,
    );
    const longNames: Record<string, string> = { timestamptz: "timestamp with time zone" };
    // A table of an earlier version has the newer columns at its end.
    expect(rows).toHaveLength(auditEventsTable.columns.length);
    expect(rows).toEqual(
      expect.arrayContaining(
        auditEventsTable.columns.map(({ name, type, required, meaning }) => ({
          name,
          type: longNames[type] ?? type,
          required: required ?? false,
          meaning,
        })),
      ),
    );
    const { rows: table } = await client.query(
      `SELECT pg_get_partkeydef(oid) AS partitioned,
         (SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = pg_class.oid AND contype = 'p') AS key,
         (SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = pg_class.oid AND contype = 'c') AS operations
       FROM pg_class WHERE oid = 'audit.events'::regclass`,
    );
    expect(table[0].partitioned).toBe("RANGE (committed_at)");
    expect(table[0].key).toBe(`PRIMARY KEY (${auditEventsTable.primaryKey.join(", ")})`);
    expect([...table[0].operations.matchAll(/'(\w+)'/g)].map(([, name]) => name)).toEqual(auditEventsTable.operations);
  });
});

describe("audit.log", () => {
  it("shows who changed what from what to what", async () => {
    await storeEvents(client, [
      context(7, 1, "2026-11-05T10:00:00Z", "alice"),
      {
        committed_at: "2026-11-05T10:00:00Z",
        operation: "update",
        transaction_id: 7,
        sequence: 2,
        record_key: { id: 42 },
        before: { status: "new", paid: null },
        after: { id: 42, status: "paid", paid: 12.5 },
      },
    ]);
    const { rows } = await reader.query("SELECT * FROM audit.log");
    expect(rows).toMatchObject([
      {
        time: new Date("2026-11-05T10:00:00Z"),
        actor: "alice",
        request: "r-alice",
        operation: "update",
        schema: "shop",
        table: "orders",
        key: { id: 42 },
        changes: { status: { old: "new", new: "paid" }, paid: { old: null, new: 12.5 } },
        transaction: "7",
        sequence: 2,
        context: { origin: "application" },
      },
    ]);
  });

  it("shows inserts, deletes and baselines as one-sided changes, and hides contexts and canaries", async () => {
    const at = "2026-11-05T10:00:00Z";
    await storeEvents(client, [
      context(1, 1, at, "alice"),
      { committed_at: at, operation: "insert", sequence: 2, after: { id: 1, note: null } },
      { committed_at: at, operation: "delete", sequence: 3, before: { id: 1, note: null } },
      { committed_at: at, operation: "truncate", sequence: 4 },
      {
        committed_at: at,
        operation: "schema",
        sequence: 5,
        after: { key: [], columns: [] },
        context: { reason: "ddl" },
      },
      { committed_at: at, operation: "canary", sequence: 6 },
      { committed_at: at, operation: "baseline", transaction_id: null, sequence: null, after: { id: 1 } },
    ]);
    const { rows } = await reader.query("SELECT operation, changes, detail, actor FROM audit.log ORDER BY sequence");
    expect(rows).toEqual([
      { operation: "insert", changes: { id: { new: 1 }, note: { new: null } }, detail: null, actor: "alice" },
      { operation: "delete", changes: { id: { old: 1 }, note: { old: null } }, detail: null, actor: "alice" },
      { operation: "truncate", changes: null, detail: null, actor: "alice" },
      { operation: "schema", changes: null, detail: { reason: "ddl" }, actor: "alice" },
      { operation: "baseline", changes: { id: { new: 1 } }, detail: null, actor: null },
    ]);
  });

  it("leaves out the side of a change that is not known, and does not take unknown for unchanged", async () => {
    await storeEvents(client, [
      {
        committed_at: "2026-11-05T10:00:00Z",
        operation: "update",
        before: { cut: "old" },
        after: { id: 1, kept: "new" },
        unknown_columns: ["cut", "kept", "toast"],
      },
      { committed_at: "2026-11-05T11:00:00Z", operation: "update", before: {}, after: { id: 1 } },
    ]);
    const { rows } = await reader.query("SELECT changes, unknown_columns FROM audit.log ORDER BY time");
    expect(rows).toEqual([
      { changes: { cut: { old: "old" }, kept: { new: "new" } }, unknown_columns: ["cut", "kept", "toast"] },
      { changes: null, unknown_columns: null },
    ]);
  });

  it("takes the nearest context before a change, else the first after it, of the same transaction alone", async () => {
    const at = "2026-11-05T10:00:00Z";
    const change = (sequence: number): EventInput => ({ committed_at: at, operation: "insert", sequence, after: {} });
    await storeEvents(client, [
      change(1),
      context(1, 2, at, "alice"),
      change(3),
      context(1, 4, at, "bob"),
      change(5),
      // Neighbours that are not of this transaction: another id, another time (ids wrap), another source.
      context(2, 1, at, "carol"),
      context(1, 1, "2026-11-05T09:00:00Z", "dave"),
      { ...context(1, 1, at, "erin"), source_id: "other" },
    ]);
    const { rows } = await reader.query("SELECT sequence, actor FROM audit.log ORDER BY sequence");
    expect(rows).toEqual([
      { sequence: 1, actor: "alice" },
      { sequence: 3, actor: "alice" },
      { sequence: 5, actor: "bob" },
    ]);
  });

  it("finds a record by table and key through an index, without naming the schema", async () => {
    await client.query("SET enable_seqscan = off");
    const { rows } = await client.query(
      `EXPLAIN (FORMAT json) SELECT before FROM audit.log WHERE "table" = 'orders' AND key = '{"id": 42}'`,
    );
    expect(JSON.stringify(rows[0])).toMatch(/Index Cond":"\(\(table_name = 'orders'::text\) AND \(record_key = /);
  });
});

const day = (number: number) => `2026-11-${String(number).padStart(2, "0")}T10:00:00Z`;

describe("audit.history", () => {
  it("tells everything that happened to a record, oldest first, with who did it", async () => {
    await storeEvents(client, [
      { committed_at: day(3), operation: "delete", transaction_id: 3, sequence: 2, record_key: { id: 1 }, before: {} },
      context(3, 1, day(3), "bob"),
      { committed_at: day(1), operation: "insert", record_key: { id: 1 }, after: { id: 1 } },
      { committed_at: day(2), operation: "update", record_key: { id: 1 }, before: {}, after: { id: 1 } },
      { committed_at: day(2), operation: "insert", record_key: { id: 2 }, after: { id: 2 } },
      { committed_at: day(2), operation: "insert", record_key: { id: 1 }, after: {}, table: "shop.other" },
      { committed_at: day(2), operation: "insert", record_key: { id: 1 }, after: {}, table: "other.orders" },
    ]);
    const { rows } = await reader.query(
      `SELECT operation, actor, "schema", "table" FROM audit.history('shop.orders', '{"id": 1}')`,
    );
    expect(rows).toEqual([
      { operation: "insert", actor: null, schema: "shop", table: "orders" },
      { operation: "update", actor: null, schema: "shop", table: "orders" },
      { operation: "delete", actor: "bob", schema: "shop", table: "orders" },
    ]);
  });

  it("follows a record through changes of its key, and not the record that had the key before", async () => {
    await storeEvents(client, [
      { committed_at: day(1), operation: "insert", record_key: { a: 1, b: 1 }, after: { a: 1, b: 1, n: "first" } },
      // Two changes of the key in one transaction.
      {
        committed_at: day(2),
        operation: "update",
        sequence: 1,
        record_key: { a: 1, b: 2 },
        before: { b: 1 },
        after: { a: 1, b: 2, n: "first" },
      },
      {
        committed_at: day(2),
        operation: "update",
        sequence: 2,
        record_key: { a: 3, b: 2 },
        before: { a: 1 },
        after: { a: 3, b: 2, n: "first" },
      },
      // The old key is taken by another record, which is no part of this history.
      { committed_at: day(3), operation: "insert", record_key: { a: 1, b: 1 }, after: { a: 1, b: 1, n: "second" } },
      {
        committed_at: day(4),
        operation: "update",
        record_key: { a: 3, b: 2 },
        before: { n: "first" },
        after: { a: 3, b: 2, n: "changed" },
      },
    ]);
    const historyOf = async (key: object) =>
      (await reader.query("SELECT operation, key, time FROM audit.history('shop.orders', $1)", [key])).rows.map(
        ({ operation, key, time }) => `${time.getUTCDate()} ${operation} ${key.a},${key.b}`,
      );
    expect(await historyOf({ a: 3, b: 2 })).toEqual(["1 insert 1,1", "2 update 1,2", "2 update 3,2", "4 update 3,2"]);
    // The old key is another record's by now; the first one is found under its new key.
    expect(await historyOf({ a: 1, b: 1 })).toEqual(["3 insert 1,1"]);
    expect(await historyOf({ a: 1, b: 2 })).toEqual(["1 insert 1,1", "2 update 1,2", "2 update 3,2"]);
  });

  it("ends although records have swapped their keys", async () => {
    const moved = (at: number, from: number, to: number): EventInput => ({
      committed_at: day(at),
      operation: "update",
      record_key: { id: to },
      before: { id: from },
      after: { id: to },
    });
    await storeEvents(client, [
      { committed_at: day(1), operation: "insert", record_key: { id: 1 }, after: { id: 1 } },
      { committed_at: day(1), operation: "insert", record_key: { id: 2 }, after: { id: 2 }, sequence: 2 },
      moved(2, 1, 0),
      moved(3, 2, 1),
      moved(4, 0, 2),
    ]);
    const { rows } = await reader.query(`SELECT key, time FROM audit.history('shop.orders', '{"id": 2}')`);
    expect(rows.map(({ key, time }) => `${time.getUTCDate()}: ${key.id}`)).toEqual(["1: 1", "2: 0", "4: 2"]);
  });

  it("reads table names as SQL does", async () => {
    await storeEvents(client, [
      { committed_at: day(1), operation: "insert", record_key: { id: 1 }, after: {}, table: "public.plain" },
      { committed_at: day(1), operation: "insert", record_key: { id: 1 }, after: {}, table: 'Odd.It\'s "odd" ü' },
    ]);
    const count = async (name: string) =>
      (await reader.query(`SELECT FROM audit.history($1, '{"id": 1}')`, [name])).rowCount;
    expect(await count("plain")).toBe(1);
    expect(await count("Public.PLAIN")).toBe(1);
    expect(await count('"Odd"."It\'s ""odd"" ü"')).toBe(1);
    expect((await errorOf(count("odd.plain"))).message).toContain("the log knows no table odd.plain");
    expect((await errorOf(count("a.b.c"))).message).toContain("write schema.table");
  });
});

describe("audit.row_as_of", () => {
  const asOf = async (key: object, at: string) =>
    (await reader.query("SELECT audit.row_as_of('shop.orders', $1, $2) AS row", [key, at])).rows[0].row;

  it("gives a record as it was at any time of its life, and nothing before and after", async () => {
    await storeEvents(client, [
      { committed_at: day(2), operation: "insert", record_key: { id: 1 }, after: { id: 1, n: 1 } },
      {
        committed_at: day(4),
        operation: "update",
        sequence: 1,
        record_key: { id: 1 },
        before: { n: 1 },
        after: { id: 1, n: 2 },
      },
      {
        committed_at: day(4),
        operation: "update",
        sequence: 2,
        record_key: { id: 1 },
        before: { n: 2 },
        after: { id: 1, n: 3 },
      },
      { committed_at: day(6), operation: "delete", record_key: { id: 1 }, before: { id: 1, n: 3 } },
      { committed_at: day(8), operation: "insert", record_key: { id: 1 }, after: { id: 1, n: 4 } },
    ]);
    expect(await asOf({ id: 1 }, day(1))).toBeNull();
    expect(await asOf({ id: 1 }, day(2))).toEqual({ id: 1, n: 1 });
    expect(await asOf({ id: 1 }, day(5))).toEqual({ id: 1, n: 3 });
    expect(await asOf({ id: 1 }, day(7))).toBeNull();
    expect(await asOf({ id: 1 }, day(9))).toEqual({ id: 1, n: 4 });
    expect(await asOf({ id: 2 }, day(9))).toBeNull();
  });

  it("starts from a baseline", async () => {
    await storeEvents(client, [
      {
        committed_at: day(1),
        operation: "baseline",
        transaction_id: null,
        sequence: null,
        record_key: { id: 1 },
        after: { id: 1 },
      },
    ]);
    expect(await asOf({ id: 1 }, day(2))).toEqual({ id: 1 });
  });

  it.each([
    ["is emptied", { operation: "truncate" }],
    ["is dropped", { operation: "schema", context: { reason: "drop" } }],
  ])("knows no record after its table %s, until it is written again", async (_what, event) => {
    await storeEvents(client, [
      { committed_at: day(1), operation: "insert", record_key: { id: 1 }, after: { id: 1 } },
      { committed_at: day(2), ...event },
      { committed_at: day(2), operation: "truncate", table: "shop.other" },
      { committed_at: day(3), operation: "insert", record_key: { id: 1 }, after: { id: 1, again: true } },
    ]);
    expect(await asOf({ id: 1 }, day(1))).toEqual({ id: 1 });
    expect(await asOf({ id: 1 }, day(2))).toBeNull();
    expect(await asOf({ id: 1 }, day(3))).toEqual({ id: 1, again: true });
  });

  it("does not find a record under a key that it has given up", async () => {
    await storeEvents(client, [
      { committed_at: day(1), operation: "insert", record_key: { id: 1 }, after: { id: 1 } },
      { committed_at: day(2), operation: "update", record_key: { id: 2 }, before: { id: 1 }, after: { id: 2 } },
    ]);
    expect(await asOf({ id: 1 }, day(1))).toEqual({ id: 1 });
    expect(await asOf({ id: 1 }, day(3))).toBeNull();
    expect(await asOf({ id: 2 }, day(1))).toBeNull();
    expect(await asOf({ id: 2 }, day(3))).toEqual({ id: 2 });
  });
});

describe("audit.transaction", () => {
  it("shows the changes of a transaction in order, and of several with its id the one nearest to the time", async () => {
    await storeEvents(client, [
      { committed_at: day(1), operation: "insert", transaction_id: 5, sequence: 2, after: { n: "b" } },
      { committed_at: day(1), operation: "insert", transaction_id: 5, sequence: 1, after: { n: "a" } },
      { committed_at: day(1), operation: "insert", transaction_id: 6, after: { n: "other" } },
      { committed_at: day(20), operation: "insert", transaction_id: 5, after: { n: "c" } },
    ]);
    const changes = async (...values: unknown[]) =>
      (
        await reader.query(
          `SELECT after ->> 'n' AS n FROM audit.transaction(${values.map((_, i) => `$${i + 1}`).join(", ")})`,
          values,
        )
      ).rows.map(({ n }) => n);
    expect(await changes(5, day(1))).toEqual(["a", "b"]);
    expect(await changes(5, day(8))).toEqual(["a", "b"]);
    expect(await changes(5, day(13))).toEqual(["c"]);
    expect(await changes(5)).toEqual(["c"]);
    expect(await changes(7)).toEqual([]);
  });
});

describe("audit.acts", () => {
  it("shows what one actor did in a span of time, and not what others did in the same transaction", async () => {
    await storeEvents(client, [
      context(1, 1, day(2), "alice"),
      { committed_at: day(2), operation: "insert", transaction_id: 1, sequence: 2, after: { n: 1 } },
      context(1, 3, day(2), "bob"),
      { committed_at: day(2), operation: "insert", transaction_id: 1, sequence: 4, after: { n: 2 } },
      context(1, 5, day(2), "alice"),
      { committed_at: day(2), operation: "insert", transaction_id: 1, sequence: 6, after: { n: 3 } },
      context(2, 1, day(9), "alice"),
      { committed_at: day(9), operation: "insert", transaction_id: 2, sequence: 2, after: { n: 4 } },
    ]);
    const { rows } = await reader.query("SELECT after FROM audit.acts('alice', $1, $2)", [day(1), day(3)]);
    expect(rows.map(({ after }) => after.n)).toEqual([1, 3]);
  });

  it("finds the longest name that the source lets through, whatever it is made of", async () => {
    // As incompressible as four-byte characters can be: what the index takes is bytes.
    const longest = Array.from({ length: 600 }, () => String.fromCodePoint(0x20000 + randomInt(0xa000))).join("");
    expect(await storeEvents(client, [context(1, 1, day(2), longest)])).toBe(1);
    await storeEvents(client, [{ committed_at: day(2), operation: "insert", transaction_id: 1, sequence: 2 }]);
    expect((await reader.query("SELECT FROM audit.acts($1, $2, $3)", [longest, day(1), day(3)])).rowCount).toBe(1);
  });
});

describe("audit.actors", () => {
  it("counts the transactions of each actor in a span of time, the busiest first", async () => {
    await storeEvents(client, [
      context(1, 1, day(2), "alice"),
      context(2, 1, day(2), "bob"),
      context(2, 3, day(2), "bob"),
      context(2, 5, day(2), "carol"),
      context(3, 1, day(3), "bob"),
      // Its number came round again.
      context(3, 1, day(2), "bob"),
      context(4, 1, day(9), "alice"),
    ]);
    const { rows } = await reader.query("SELECT * FROM audit.actors($1, $2)", [day(1), day(3)]);
    expect(rows).toEqual([
      { actor: "bob", transactions: "3" },
      { actor: "alice", transactions: "1" },
      { actor: "carol", transactions: "1" },
    ]);
  });
});
