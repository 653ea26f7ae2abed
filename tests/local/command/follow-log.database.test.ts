import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { exactValues } from "../../../local/command/exact-values";
import { followLog, type Shown } from "../../../local/command/follow-log";
import { noteArrivals } from "../../../local/parts/arrivals";
import { superuser, TestServer } from "../../../local/servers/test-server";
import { bootstrapDestination } from "../../../operator/database/bootstrap";
import { stringifyExact } from "../../../review/exact-json";

let server: TestServer;
let client: Client;

beforeAll(async () => {
  server = await TestServer.start({ log_statement: "none" });
});
afterAll(() => server.stop());

beforeEach(async () => {
  client = await server.createDatabase();
  await bootstrapDestination(client);
  await noteArrivals(client);
});

/** Follows the log of the test's database; `shown` fills as it goes on. */
async function follow(options: { fromNow?: boolean; most?: number } = {}) {
  const shown: (Shown & { at: number })[] = [];
  const stop = new AbortController();
  const reader = new Client({
    host: "127.0.0.1",
    port: server.port,
    ...superuser,
    database: client.database ?? "",
    types: exactValues,
  });
  await reader.connect();
  const work = (async () => {
    for await (const each of followLog(reader, { fromNow: false, most: 10, ...options }, stop.signal))
      shown.push({ ...each, at: Date.now() });
  })();
  return {
    shown,
    end: async () => {
      stop.abort();
      await work;
      await reader.end();
    },
  };
}

/** Stores `count` inserts of one transaction into app.parts, from a sequence number on. */
async function insert(writer: Client, count: number, options: { transaction: number; time?: string; from?: number }) {
  const { transaction, time = "2026-12-01 10:00:00.123456+00", from = 1 } = options;
  await writer.query(
    `INSERT INTO audit.events (committed_at, event_id, source_id, transaction_id, sequence, operation, schema_name, table_name, record_key, after)
     SELECT $1, gen_random_uuid(), 'test', $2, g, 'insert', 'app', 'parts', jsonb_build_object('id', g),
       jsonb_build_object('id', g, 'price', 51.90)
     FROM generate_series($3::integer, $4::integer) g`,
    [time, transaction, from, from + count - 1],
  );
}

async function context(writer: Client, transaction: number, actor: string, time = "2026-12-01 10:00:00.123456+00") {
  await writer.query(
    `INSERT INTO audit.events (committed_at, event_id, source_id, transaction_id, sequence, operation, schema_name, table_name, actor)
     VALUES ($1, $2, 'test', $3, 0, 'context', 'capture', 'signal', $4)`,
    [time, randomUUID(), transaction, actor],
  );
}

const total = (shown: readonly Shown[]) =>
  shown.reduce((sum, each) => sum + (each.kind === "event" ? 1 : each.count), 0);

async function until(condition: () => boolean, timeout = 10_000): Promise<void> {
  for (const deadline = Date.now() + timeout; !condition(); await sleep(20)) {
    if (Date.now() > deadline) throw new Error("It did not come true in time.");
  }
}

describe("following the log", () => {
  it("shows or counts each event of a bulk, and what comes after it", async () => {
    const { shown, end } = await follow();
    await insert(client, 12_000, { transaction: 1 });
    await context(client, 2, "alice", "2026-12-01 10:00:01+00");
    await insert(client, 1, { transaction: 2, time: "2026-12-01 10:00:01+00" });
    const stored = Date.now();
    await until(() => total(shown) === 12_001);
    await end();

    const last = shown.at(-1);
    expect(last).toMatchObject({ kind: "event", row: { actor: "alice", time: "2026-12-01T10:00:01.000000Z" } });
    expect((last?.at ?? Infinity) - stored).toBeLessThan(2_000);
    expect(shown.filter(({ kind }) => kind === "more")).toMatchObject([
      { count: 12_001 - (shown.length - 1), of: new Map([["insert app.parts", 12_001 - (shown.length - 1)]]) },
    ]);
  });

  it("keeps the order of the source within a transaction, though its events arrive in another", async () => {
    const { shown, end } = await follow({ most: 100 });
    await context(client, 1, "bob");
    await insert(client, 5, { transaction: 1, from: 6 });
    await sleep(120);
    await insert(client, 5, { transaction: 1, from: 1 });
    await until(() => total(shown) === 10);
    await end();

    expect(shown.map((each) => each.kind === "event" && each.row.key?.["id"])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it("says of an event that it came late", async () => {
    const { shown, end } = await follow();
    await context(client, 2, "bob", "2026-12-01 11:00:00+00");
    await insert(client, 1, { transaction: 2, time: "2026-12-01 11:00:00+00" });
    await until(() => total(shown) === 1);
    await insert(client, 1, { transaction: 1, time: "2026-12-01 10:00:00+00" });
    await until(() => total(shown) === 2);
    await end();

    expect(shown).toMatchObject([{ late: false }, { late: true }]);
  });

  it("shows an event that became visible after events that were stored later", async () => {
    const slow = await server.connect({ database: client.database ?? "" });
    await slow.query("BEGIN");
    await insert(slow, 1, { transaction: 1 });
    const { shown, end } = await follow();
    await insert(client, 3, { transaction: 2 });
    await until(() => total(shown) === 3);
    await sleep(1_000);
    await slow.query("COMMIT");
    await until(() => total(shown) === 4);
    await end();
  });

  it("waits for the context of a transaction, and goes on without one", async () => {
    const { shown, end } = await follow();
    await insert(client, 1, { transaction: 1 });
    await sleep(500);
    await context(client, 1, "carol");
    await insert(client, 1, { transaction: 3, time: "2026-12-01 10:00:02+00" });
    await until(() => total(shown) === 2);
    await end();

    expect(shown).toMatchObject([{ row: { actor: "carol" } }, { row: { actor: null } }]);
  });

  it("shows an event in time, though others that go before it keep coming", async () => {
    const { shown, end } = await follow();
    const at = (second: number) => `2026-12-01 10:00:${String(second).padStart(2, "0")}+00`;
    await insert(client, 1, { transaction: 100, time: at(59) });
    const stored = Date.now();
    for (let second = 40; Date.now() - stored < 3_000; second -= 1) {
      await insert(client, 1, { transaction: second, time: at(second) });
      await sleep(100);
    }
    await until(() => shown.some((each) => each.kind === "event" && each.row.time.startsWith("2026-12-01T10:00:59")));
    await end();

    const first = shown.find((each) => each.kind === "event" && each.row.time.startsWith("2026-12-01T10:00:59"));
    expect((first?.at ?? Infinity) - stored).toBeLessThan(3_000);
    expect(shown.some((each) => each.kind === "event" && each.late)).toBe(true);
  });

  it("begins with what arrives from now on, when asked to", async () => {
    await insert(client, 5, { transaction: 1 });
    const { shown, end } = await follow({ fromNow: true });
    await sleep(500);
    await insert(client, 1, { transaction: 2 });
    await until(() => total(shown) === 1);
    await sleep(500);
    await end();

    expect(total(shown)).toBe(1);
  });

  it("keeps every digit and every microsecond", async () => {
    const { shown, end } = await follow();
    await insert(client, 1, { transaction: 1 });
    await until(() => total(shown) === 1);
    await end();

    const [first] = shown;
    expect(stringifyExact(first?.kind === "event" && first.row)).toContain('"price":51.90');
    expect(first).toMatchObject({ row: { time: "2026-12-01T10:00:00.123456Z" } });
  });

  it("reads only what has arrived since, however long the log is", async () => {
    await insert(client, 50_000, { transaction: 1 });
    const { shown, end } = await follow();
    await until(() => total(shown) === 50_000);
    await client.query("SELECT pg_stat_reset()");
    await sleep(1_500);
    await end();
    await sleep(1_000);
    const { rows } = await client.query<{ read: number }>(
      `SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::integer AS read
       FROM pg_stat_user_tables WHERE schemaname = 'audit' AND relname LIKE 'events%'`,
    );
    expect(rows[0]?.read).toBeLessThan(1_000);
  });
});
