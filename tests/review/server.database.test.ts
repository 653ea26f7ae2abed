import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { databaseRoles } from "../../contract/database-roles";
import { freePorts } from "../../local/machine/managed-process";
import { type DatabaseClient, TestServer } from "../../local/servers/test-server";
import { bootstrapDestination } from "../../operator/database/bootstrap";
import type { Act, ActPage, Change, Failure, FeedPage, ReadsPage, RecordPage, Undo } from "../../review/api";
import { reviewApp } from "../../review/server/app";
import { LogDatabase } from "../../review/server/database";
import { readerOf } from "../../review/server/reader";
import type { ReviewSettings } from "../../review/server/settings";
import { type ReviewServer, startReviewServer } from "../../review/server/start";
import { storeEvents } from "../database/support/audit-events";
import { Stream } from "../database/support/stream";

const password = "review-Passw0rd";
const token = "the-token";
const exact = "12345678901234567890.10";
const long = "x".repeat(100_000);
const markup = '<img src=x onerror="alert(1)">=1+1';
const span = { from: "2026-11-05T00:00:00Z", to: "2026-11-06T00:00:00Z" };
const shape = {
  relation: 7,
  key: ["id"],
  columns: [["id", "integer"] as const, ["email", "text"] as const, ["total", "numeric"] as const],
};

let postgres: TestServer;
let owner: DatabaseClient;
let settings: ReviewSettings;
let server: ReviewServer;
let cookie = "";
let folder: string;
const logged: string[] = [];

beforeAll(async () => {
  postgres = await TestServer.start({ log_statement: "none" });
  owner = await postgres.createDatabase();
  await bootstrapDestination(owner, { passwords: { [databaseRoles.review]: password } });
  const stream = new Stream()
    .at("09:00:00")
    .shape("shop.customers", shape)
    .shape("shop.secrets", { ...shape, relation: 8 });
  stream
    .at("10:00:00")
    .context("alice", "r-1")
    .insert("shop.customers", { id: 1 }, { id: 1, email: "old@example.com", total: "TOTAL" })
    .insert("shop.secrets", { id: 1 }, { id: 1, email: "hush" });
  stream
    .at("10:01:00")
    .context("bob")
    .update("shop.customers", { id: 1 }, { email: "old@example.com" }, { id: 1, email: markup, total: "TOTAL" });
  stream.at("10:02:00").insert("shop.customers", { id: 2 }, { id: 2, email: long });
  // Numbers go in as text, since JavaScript would round them.
  await storeEvents(
    owner,
    stream.events.map((event) => ({
      ...event,
      ...(event.after ? { after: JSON.stringify(event.after).replaceAll('"TOTAL"', exact) as unknown as object } : {}),
    })),
  );
  folder = mkdtempSync(join(tmpdir(), "cdc-audit-review-"));
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>page</title>");
  writeFileSync(join(folder, "assets", "page-1.js"), "1;");
  settings = {
    database: {
      host: "127.0.0.1",
      port: postgres.port,
      database: owner.database,
      user: databaseRoles.review,
      password,
      tls: "off",
    },
    host: "127.0.0.1",
    port: (await freePorts(1))[0] as number,
    signIn: { kind: "link", token, reader: "carol" },
    maskedColumns: ["shop.customers.email"],
    statementTimeout: 20_000,
    exportTimeout: 60_000,
    defaultWindow: 86_400,
    pageFolder: folder,
  };
  server = await startReviewServer(settings, (line) => logged.push(line));
  const answer = await fetch(server.link, { redirect: "manual" });
  cookie = (answer.headers.get("set-cookie") ?? "").split(";")[0] as string;
});

afterAll(async () => {
  await server?.stop();
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const url = (path: string, parameters: Record<string, string> = {}) => {
  const address = new URL(path, `http://127.0.0.1:${settings.port}`);
  for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
  return address;
};
const request = (path: string, parameters: Record<string, string> = {}, options: RequestInit = {}) =>
  fetch(url(path, parameters), { ...options, headers: { cookie, ...options.headers } });
const ask = async <Answer>(path: string, parameters: Record<string, string> = {}) => {
  const answer = await request(path, parameters);
  expect(answer.status, await answer.clone().text()).toBe(200);
  return (await answer.json()) as Answer;
};
const filter = (more: object = {}) => ({ filter: JSON.stringify({ ...span, ...more }) });
const feed = (more: object = {}) => ask<FeedPage>("/api/feed", filter(more));
const key = (id: number) => ({ table: "shop.customers", key: JSON.stringify({ id }) });
const actId = ({ source, time, transaction }: Act) => ({ source, time, transaction: transaction as string });
const lastReads = async (count = 1) =>
  (
    await owner.query(
      `SELECT reader, login, action, records, reason FROM audit.reads ORDER BY read_id DESC LIMIT ${count}`,
    )
  ).rows;

describe("The way in", () => {
  it("is the link with the token, which leaves the address and stays in a cookie that no script reads", async () => {
    const answer = await fetch(`${server.link}&q=1`, { redirect: "manual" });
    expect(answer.status).toBe(303);
    expect(answer.headers.get("location")).toBe("/?q=1");
    expect(answer.headers.get("set-cookie")).toMatch(/; HttpOnly; SameSite=Lax$/);
    const wrong = await fetch(url("/", { token: "wrong" }), { redirect: "manual" });
    expect(wrong.headers.get("set-cookie")).toBeNull();
  });

  it("is closed without it, to other names of this machine, and to other sites", async () => {
    expect((await fetch(url("/api/feed"))).status).toBe(401);
    const app = reviewApp({ settings, database: new LogDatabase(settings.database, 1_000), log: () => undefined });
    const foreign = await app.request("http://evil.example/api/feed", { headers: { host: "evil.example", cookie } });
    expect(foreign.status).toBe(403);
    const body = JSON.stringify({});
    expect((await request("/api/reveal", {}, { method: "POST", body })).status).toBe(403);
    const origin = { "x-review": "1", origin: "http://evil.example" };
    expect((await request("/api/reveal", {}, { method: "POST", body, headers: origin })).status).toBe(403);
  });

  it("serves the page and its assets with headers that let nothing else run", async () => {
    for (const path of ["/", "/record/shop.customers?key=%7B%7D", "/act/s/t/1", "/reads"]) {
      const answer = await request(path);
      expect(await answer.text()).toContain("<title>page</title>");
      expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'; script-src 'self'");
    }
    expect((await request("/assets/page-1.js")).headers.get("cache-control")).toContain("immutable");
    expect((await request("/assets/..%2findex.html")).status).toBe(404);
    expect((await request("/alive")).status).toBe(200);
  });
});

describe("An answer", () => {
  it("shows acts, newest first, in the window that it says", async () => {
    const { acts, window, older } = await feed();
    expect(acts.map(({ actor, time }) => [actor, time.slice(11, 16)])).toEqual([
      [null, "10:02"],
      ["bob", "10:01"],
      ["alice", "10:00"],
      [null, "09:00"],
    ]);
    expect(window).toEqual({ ...span, isDefault: false });
    expect(older).toBeNull();
    expect((await ask<FeedPage>("/api/feed")).window.isDefault).toBe(true);
  });

  it("keeps every digit and all of a value, hides what is masked, and cuts what is long", async () => {
    const { acts } = await feed({ actor: ["alice"] });
    const { changes } = await ask<ActPage>("/api/act", actId(acts[0] as Act));
    const [customer] = changes as [Change];
    expect(customer.after).toEqual({ id: "1", total: exact });
    expect(customer).toMatchObject({ masked: ["email"], changed: ["email", "id", "total"], request: "r-1" });
    const secrets = changes[1] as Change;
    expect(secrets.after).toEqual({ id: "1", email: '"hush"' });
  });

  it("says what it did not understand", async () => {
    for (const [path, parameters] of [
      ["/api/feed", { filter: "{" }],
      ["/api/feed", { filter: '{"operation":["steal"]}' }],
      ["/api/record", { table: "shop.customers", key: "1" }],
      ["/api/record", { table: "shop.nothing", key: '{"id":1}' }],
      ["/api/record/as-of", { ...key(1), time: "yesterday" }],
      ["/api/undo", {}],
    ] as const) {
      const answer = await request(path, parameters);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ error: "not understood", message: expect.stringMatching(/\S/) });
    }
  });

  it("tells a record's life, its writers, its past, and what undoing takes", async () => {
    const { steps, older } = await ask<RecordPage>("/api/record", key(1));
    expect(steps.map((step) => step.kind === "change" && step.change.operation)).toEqual(["update", "insert"]);
    expect(older).toBeNull();
    expect(await ask("/api/record/blame", key(1))).toMatchObject({
      columns: [
        { column: "email", state: "masked", value: null, writer: { actor: "bob" } },
        { column: "id", value: "1", writer: { actor: "alice" } },
        { column: "total", value: exact, writer: { actor: "alice" } },
      ],
    });
    const moments = { from: "2026-11-05T09:30:00Z", to: "2026-11-05T10:00:30Z" };
    expect(await ask("/api/record/compare", { ...key(1), ...moments })).toMatchObject({
      from: { row: null, absence: expect.any(String) },
      to: { row: { id: "1", total: exact }, masked: ["email"] },
      changed: ["id", "total"],
    });
    const { acts } = await feed({ actor: ["bob"] });
    const refused = await request("/api/undo", actId(acts[0] as Act));
    expect(await refused.json()).toMatchObject({ error: "not allowed", help: [expect.stringContaining("reason")] });
    const undo = await ask<Undo>("/api/undo", { ...actId(acts[0] as Act), reason: "put it back" });
    expect(undo).toMatchObject({ changes: 1, sql: expect.stringContaining("UPDATE shop.customers") });
    expect(await lastReads()).toMatchObject([{ action: "undo", reason: "put it back" }]);
  });

  it("pictures a span, completes names, and says how the log fares", async () => {
    expect(await ask("/api/picture", filter())).toMatchObject({
      isEstimate: false,
      actors: [
        { name: "alice", count: 1 },
        { name: "bob", count: 1 },
      ],
      actorsAreCountedBy: "acts",
    });
    expect(await ask("/api/completions", { of: "actor", start: "a" })).toEqual({ values: ["alice"] });
    expect(await ask("/api/health")).toMatchObject({ newest: "2026-11-05T10:02:00.000000Z", deadLetters: null });
    expect(await ask("/api/session")).toMatchObject({ reader: "carol", sources: ["test"], mayReveal: true });
  });
});

describe("A reader", () => {
  it("is noted before anything is shown, and found by the record that was seen", async () => {
    await ask<RecordPage>("/api/record", key(2));
    expect(await lastReads()).toEqual([
      {
        reader: "carol",
        login: "audit_review",
        action: "record",
        records: [{ table: "shop.customers", key: { id: 2 } }],
        reason: null,
      },
    ]);
    const { reads } = await ask<ReadsPage>("/api/reads", key(2));
    expect(reads[0]).toMatchObject({ reader: "carol", action: "record" });
  });

  it("sees nothing when it can't be noted", async () => {
    await owner.query("ALTER TABLE audit.reads RENAME COLUMN reader TO reader_moved");
    try {
      const answer = await request("/api/feed", filter());
      expect(answer.status).toBe(500);
      expect(await answer.text()).not.toContain("alice");
    } finally {
      await owner.query("ALTER TABLE audit.reads RENAME COLUMN reader_moved TO reader");
    }
  });

  it("sees a masked value by giving a reason, which is noted first", async () => {
    const { steps } = await ask<RecordPage>("/api/record", key(1));
    const { change } = steps[0] as Extract<RecordPage["steps"][number], { kind: "change" }>;
    expect(change.after).toEqual({ id: "1", total: exact });
    const reveal = (reason: string) =>
      request(
        "/api/reveal",
        {},
        {
          method: "POST",
          headers: { "x-review": "1", "content-type": "application/json" },
          body: JSON.stringify({ time: change.time, event: change.event, columns: ["email"], reason }),
        },
      );
    expect((await reveal(" ")).status).toBe(400);
    expect(await (await reveal("ticket 7")).json()).toEqual({
      before: { email: '"old@example.com"' },
      after: { email: JSON.stringify(markup) },
    });
    expect(await lastReads()).toMatchObject([{ action: "reveal", reason: "ticket 7" }]);
    const value = await request("/api/value", {
      time: change.time,
      event: change.event,
      side: "after",
      column: "email",
    });
    expect(value.status).toBe(403);
  });

  it("of some tables sees no other, by whatever way", async () => {
    const reader = readerOf("dave", ["support"], { support: { tables: ["shop.customers"] } }, settings.maskedColumns);
    const database = new LogDatabase(settings.database, 20_000);
    const gate = { reader: async () => reader, enter: () => undefined };
    const app = reviewApp({ settings, database, log: () => undefined, gate });
    const get = async (path: string, parameters: Record<string, string> = {}) => {
      const address = url(path, parameters);
      return app.request(`${address.pathname}${address.search}`, { headers: { host: address.host } });
    };
    try {
      const { acts } = (await (await get("/api/feed", filter())).json()) as FeedPage;
      expect(acts.flatMap(({ counts }) => counts.map(({ table }) => table))).not.toContain("shop.secrets");
      const alice = acts.find(({ actor }) => actor === "alice") as Act;
      expect(await (await get("/api/act", actId(alice))).json()).toMatchObject({
        hidesTables: true,
        changes: [{ table: "shop.customers" }],
      });
      expect((await get("/api/record", { table: "shop.secrets", key: '{"id":1}' })).status).toBe(403);
      expect((await get("/api/reads", { table: "shop.secrets", key: '{"id":1}' })).status).toBe(403);
      expect((await get("/api/undo", { ...actId(alice), reason: "curious" })).status).toBe(403);
      expect(await (await get("/api/export", { ...filter({ text: "hush" }), format: "ndjson" })).text()).not.toContain(
        'hush\\"',
      );
      expect(await (await get("/api/completions", { of: "table", start: "shop.s" })).json()).toEqual({ values: [] });
    } finally {
      await database.close();
    }
  });
});

describe("An export", () => {
  it("holds exactly what is filtered, whole, with an envelope, and is noted before and after", async () => {
    const answer = await request("/api/export", {
      ...filter({ table: ["shop.customers"], operation: ["insert", "update"] }),
      format: "ndjson",
    });
    expect(answer.headers.get("content-disposition")).toMatch(/^attachment; filename="audit-.*\.ndjson"$/);
    const text = await answer.text();
    const lines = text.trim().split("\n");
    expect(lines).toHaveLength(5);
    expect(JSON.parse(lines[0] as string)).toMatchObject({ export: "changes", reader: "carol", filter: span });
    expect(lines[3]).toContain(`"total":${exact}`);
    expect(JSON.parse(lines[4] as string)).toEqual({ export: "end", changes: 3, complete: true });
    expect(text).not.toContain("old@example.com");
    expect(await lastReads(2)).toMatchObject([{ action: "export" }, { action: "export" }]);
  });

  it("tells each change once and in order, however acts fall into the database's answers", async () => {
    // More acts than are found at once, acts that end where an answer does or go on in the next, a full load's moment, and
    // values of which a few fill an answer.
    await owner.query(`
      INSERT INTO audit.events (committed_at, event_id, source_id, transaction_id, sequence, operation, schema_name, table_name,
        record_key, after, stream_order)
      SELECT '2026-11-03T10:00:00Z'::timestamptz + minute * interval '1 minute', md5(minute || '-' || n)::uuid, 'test',
        CASE WHEN minute <> 450 THEN 5000 + minute END, CASE WHEN minute <> 450 THEN n END,
        CASE WHEN minute <> 450 THEN 'insert' ELSE 'baseline' END, 'shop',
        CASE WHEN n % 10 = 7 THEN 'secrets' ELSE 'customers' END, jsonb_build_object('id', n),
        jsonb_build_object('id', n, 'email', repeat('x', CASE WHEN minute = 451 THEN 300000 ELSE 10 END)), 0
      FROM (
        SELECT minute, generate_series(1, CASE minute WHEN 200 THEN 500 WHEN 300 THEN 1203 WHEN 450 THEN 700 WHEN 451 THEN 12
          ELSE 1 END) AS n
        FROM generate_series(1, 451) AS minute
      ) AS drawn`);
    const wanted = async (condition: string) =>
      (
        await owner.query<{ event: string }>(
          `SELECT event_id AS event FROM audit.events WHERE committed_at BETWEEN '2026-11-03' AND '2026-11-04' AND ${condition}
           ORDER BY committed_at DESC, sequence, event_id`,
        )
      ).rows.map(({ event }) => event);
    const wholeDay = { from: "2026-11-03T00:00:00Z", to: "2026-11-04T00:00:00Z", operation: ["insert", "baseline"] };
    const told = async (more: object) => {
      const answer = await request("/api/export", {
        filter: JSON.stringify({ ...wholeDay, ...more }),
        format: "ndjson",
      });
      const lines = (await answer.text()).trim().split("\n");
      expect(JSON.parse(lines.at(-1) as string)).toEqual({
        export: "end",
        changes: lines.length - 2,
        complete: true,
      });
      return lines.slice(1, -1).map((line) => JSON.parse(line) as Change);
    };
    const all = await told({});
    expect(all.map(({ event }) => event)).toEqual(await wanted("true"));
    expect(all).toHaveLength(448 + 500 + 1_203 + 700 + 12 - 1);
    // The same masks as everywhere, in any place of an answer.
    const customers = all.filter(({ table }) => table === "shop.customers");
    expect(customers.every(({ masked, after }) => masked[0] === "email" && after?.email === undefined)).toBe(true);
    const secrets = await told({ table: ["shop.secrets"] });
    expect(secrets.map(({ event }) => event)).toEqual(await wanted("table_name = 'secrets'"));
    expect(secrets[0]?.after?.email).toHaveLength(300_000);
  });

  it("is a table that no spreadsheet takes for formulas", async () => {
    const answer = await request("/api/export", { ...filter({ table: ["shop.customers"] }), format: "csv" });
    const lines = (await answer.text()).trim().split("\r\n");
    expect(lines[0]).toMatch(/^line,time,actor/);
    expect(lines.at(-1)).toBe('end,,"4 changes, complete"');
  });
});

describe("The tail", () => {
  it("tells an act within a second of its arrival, and ends with the page", async () => {
    const gone = new AbortController();
    const answer = await request("/api/tail", { filter: "{}" }, { signal: gone.signal });
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    let text = "";
    const until = async (wanted: string) => {
      while (!text.includes(wanted)) text += Buffer.from((await reader.read()).value ?? []).toString();
    };
    await until("event: health");
    await storeEvents(
      owner,
      new Stream("test", 2e15)
        .at("10:03:00")
        .insert("shop.customers", { id: 3 }, { id: 3 })
        .events.map((event) => ({ ...event, transaction_id: 500 })),
    );
    await until('"transaction":"500"');
    // The stream begins with what is a little older, for the page to tell apart; each act is told once.
    const told = [...text.matchAll(/^data: (\{.*"transaction":.*\})$/gm)].map(([, act = ""]) => JSON.parse(act) as Act);
    expect(told.map(({ transaction }) => transaction).at(-1)).toBe("500");
    expect(new Set(told.map(({ source, time, transaction }) => `${source} ${time} ${transaction}`)).size).toBe(
      told.length,
    );
    gone.abort();
  });
});

describe("A database", () => {
  it("that takes too long is not waited for: the question is cancelled, with what would make it faster", async () => {
    const slow = new LogDatabase(settings.database, 200);
    const app = reviewApp({
      settings,
      database: slow,
      log: () => undefined,
      gate: { reader: async () => readerOf("dave", ["all"], { all: { tables: ["*"] } }, []), enter: () => undefined },
    });
    await owner.query("BEGIN; LOCK TABLE audit.events IN ACCESS EXCLUSIVE MODE");
    try {
      const answer = await app.request("/api/feed", { headers: { host: url("/").host } });
      expect(answer.status).toBe(504);
      expect(await answer.json()).toMatchObject({
        error: "took too long",
        help: expect.arrayContaining([expect.stringContaining("table")]),
      });
    } finally {
      await owner.query("ROLLBACK");
      await slow.close();
    }
  });

  it("stops working on what nobody waits for", async () => {
    await owner.query("BEGIN; LOCK TABLE audit.events IN ACCESS EXCLUSIVE MODE");
    const waiting = async () =>
      (
        await owner.query(
          `SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = 'cdc-audit-review' AND wait_event_type = 'Lock'`,
        )
      ).rows[0].count as number;
    try {
      const gone = new AbortController();
      const asked = request("/api/feed", filter(), { signal: gone.signal }).catch(() => "gone");
      await expect.poll(waiting, { timeout: 20_000 }).toBe(1);
      gone.abort();
      expect(await asked).toBe("gone");
      await expect.poll(waiting, { timeout: 20_000 }).toBe(0);
    } finally {
      await owner.query("ROLLBACK");
    }
  });

  // Last: it does not come back.
  it("that is away is said to be, and no value of the log is in the server's own", async () => {
    await owner.query(`ALTER ROLE ${databaseRoles.review} NOLOGIN`);
    await owner.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${databaseRoles.review}'`,
    );
    await expect
      .poll(async () => ((await (await request("/api/feed", filter())).json()) as Failure).error, { timeout: 20_000 })
      .toBe("database away");
    expect(logged.join("\n")).not.toMatch(/example\.com|hush|Passw0rd/);
  });
});
