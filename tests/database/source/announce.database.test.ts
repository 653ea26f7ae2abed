import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { maintainSource } from "../../../operator/database/maintain";
import { type DatabaseClient, errorOf, type TestServer } from "../../../local/servers/test-server";
import { renewOrders, startShopSource } from "../support/shop-source";
import { takeSignals } from "../support/signals";

let server: TestServer;
let client: DatabaseClient;
let application: Client;

beforeAll(async () => {
  ({ server, client } = await startShopSource());
  await client.query("CREATE ROLE clerk LOGIN PASSWORD 'clerk'; GRANT capture_app TO clerk");
  application = await server.connect({ database: client.database, user: "clerk", password: "clerk" });
});

afterAll(() => server.stop());

beforeEach(async () => {
  await application.query("ROLLBACK");
  await renewOrders(client);
  await client.query(`
    SELECT capture.watch('shop.orders', identify_actor => true);
    GRANT USAGE ON SCHEMA shop TO clerk;
    GRANT SELECT, INSERT, UPDATE, DELETE ON shop.orders TO clerk`);
  await takeSignals(client);
});

const insert = (id: number) => `INSERT INTO shop.orders (id) VALUES (${id})`;
const signals = async () => (await takeSignals(client)).map(({ body }) => body);
const actors = async () => (await signals()).map(({ actor }) => actor);

/** Where the WAL ends and the next transaction id, of a server on which nobody else works. */
async function trace(): Promise<{ wal: string; xid: string }> {
  const { rows } = await client.query<{ wal: string; xid: string }>(
    "SELECT pg_current_wal_insert_lsn() AS wal, pg_snapshot_xmax(pg_current_snapshot()) AS xid",
  );
  return rows[0] as { wal: string; xid: string };
}

describe("announce", () => {
  it("gives the first change of its transaction actor, request and context", async () => {
    await application.query(`
      BEGIN;
      SELECT capture.announce('alice', 'r-1', '{"reason": "refund"}');
      ${insert(1)};
      UPDATE shop.orders SET total = 2;
      COMMIT`);
    expect(await signals()).toEqual([
      {
        actor: "alice",
        request_id: "r-1",
        origin: "session",
        context: { reason: "refund", session_user: "clerk", client_address: "127.0.0.1" },
      },
    ]);
  });

  it("needs only an actor, and takes NULL for the rest", async () => {
    for (const call of ["capture.announce('alice')", "capture.announce('alice', NULL, NULL)"]) {
      await application.query(`BEGIN; SELECT ${call}; UPDATE shop.orders SET total = 2; COMMIT`);
      expect(await signals()).toEqual([{ actor: "alice", session_user: "clerk", client_address: "127.0.0.1" }]);
    }
  });

  it("takes no transaction id, writes no WAL and no signal in a transaction that changes nothing", async () => {
    // Once before, so that nothing is left that a first look at catalogs would write.
    const session = () =>
      application.query("BEGIN; SELECT capture.announce('alice', 'r-1'); SELECT count(*) FROM shop.orders; COMMIT");
    await session();
    const before = await trace();
    await session();
    await application.query(`BEGIN; SELECT capture.announce('alice', 'r-1', '{"reason": "x"}')`);
    const { rows } = await application.query("SELECT pg_current_xact_id_if_assigned() AS xid");
    await application.query("COMMIT");
    expect(rows).toEqual([{ xid: null }]);
    expect(await trace()).toEqual(before);
    expect(await signals()).toEqual([]);
  });

  it("works in a read-only transaction, where it has no effect", async () => {
    await application.query("BEGIN READ ONLY; SELECT capture.announce('alice'); SELECT FROM shop.orders; COMMIT");
    expect(await signals()).toEqual([]);
  });

  it("ends with its transaction, however that ends: what is left is empty, and nobody's name", async () => {
    const name = "SELECT current_setting('capture.actor', true) AS actor";
    const fresh = await server.connect({ database: "postgres" });
    expect((await fresh.query(name)).rows).toEqual([{ actor: null }]);
    for (const end of ["COMMIT", "ROLLBACK"]) {
      await application.query(
        `BEGIN; SELECT capture.announce('alice', 'r-1', '{"reason": "x"}'); UPDATE shop.orders SET total = 2; ${end}`,
      );
      await takeSignals(client);
      expect((await application.query(name)).rows).toEqual([{ actor: "" }]);
      await application.query("UPDATE shop.orders SET total = 3");
      expect(await signals()).toEqual([{ actor: "clerk", session_user: "clerk", client_address: "127.0.0.1" }]);
    }
  });

  it("counts for nothing when it stands outside a transaction, so no later one bears its name", async () => {
    await application.query("SELECT capture.announce('alice')");
    await application.query(insert(1));
    expect(await actors()).toEqual(["clerk"]);
  });

  it("holds when a savepoint behind it is rolled back, and goes with one before it", async () => {
    await application.query(`
      BEGIN; SELECT capture.announce('alice'); SAVEPOINT s; ${insert(1)}; ROLLBACK TO s; ${insert(2)}; COMMIT`);
    expect(await actors()).toEqual(["alice"]);
    await application.query(`
      BEGIN; SAVEPOINT s; SELECT capture.announce('alice'); ${insert(3)}; ROLLBACK TO s; ${insert(4)}; COMMIT`);
    expect(await actors()).toEqual(["clerk"]);
  });

  it("writes nothing more when it says the same again", async () => {
    const announce = `SELECT capture.announce('alice', 'r-1', '{"reason": "x"}')`;
    await application.query(`BEGIN; ${announce}; ${insert(1)}; ${announce}; ${insert(2)}; COMMIT`);
    await application.query(
      `BEGIN; SELECT capture.announce('alice'); ${insert(3)}; SELECT capture.announce('alice', NULL, NULL); ${insert(4)}; COMMIT`,
    );
    expect(await actors()).toEqual(["alice", "alice"]);
  });

  it("counts for the changes after it when it says something else", async () => {
    const second = ["'bob'", "'bob', 'r-1'", "'alice', 'r-2'", `'alice', 'r-1', '{"step": 2}'`];
    for (const [place, said] of second.entries()) {
      await application.query(
        `BEGIN; SELECT capture.announce('alice', 'r-1'); ${insert(2 * place)}; SELECT capture.announce(${said}); ${insert(2 * place + 1)}; COMMIT`,
      );
    }
    expect(await actors()).toEqual(["alice", "bob", "alice", "bob", "alice", "alice", "alice", "alice"]);
  });

  it("before any change replaces what was said before it", async () => {
    await application.query(
      `BEGIN; SELECT capture.announce('alice', 'r-1', '{"a": 1}'); SELECT capture.announce('bob'); ${insert(1)}; COMMIT`,
    );
    expect(await signals()).toEqual([{ actor: "bob", session_user: "clerk", client_address: "127.0.0.1" }]);
  });

  it("names a user who is known only after the first change", async () => {
    await application.query(`BEGIN; ${insert(1)}; SELECT capture.announce('alice'); ${insert(2)}; COMMIT`);
    expect(await actors()).toEqual(["clerk", "alice"]);
  });

  it("gives way to set_context behind it, and counts behind set_context", async () => {
    await application.query(
      `BEGIN; SELECT capture.announce('alice'); SELECT capture.set_context('bob'); ${insert(1)}; SELECT capture.announce('alice'); ${insert(2)}; COMMIT`,
    );
    expect(await actors()).toEqual(["bob"]);
    await application.query(
      `BEGIN; SELECT capture.set_context('bob'); ${insert(3)}; SELECT capture.announce('alice'); ${insert(4)}; COMMIT`,
    );
    expect(await actors()).toEqual(["bob", "alice"]);
  });

  it("refuses what set_context refuses, and a context that would not fit beside the facts", async () => {
    const messageOf = async (...parameters: unknown[]) =>
      (await errorOf(application.query("SELECT capture.announce($1, $2, $3)", parameters))).message;
    for (const actor of ["", "  "]) expect(await messageOf(actor, "r", null)).toContain("actor is empty");
    expect(await messageOf("x".repeat(601), "r", null)).toBe(
      "capture.announce: actor has 601 characters, at most 600 fit; pass a name rather than a token",
    );
    expect(await messageOf("a", null, "[1]")).toBe(
      'capture.announce: context is a JSON array; pass an object such as {"reason": "refund"}',
    );
    expect(await messageOf("a", null, { n: "x".repeat(16_000) })).toBe(
      "capture.announce: context has 16009 characters of JSON, at most 16000 fit",
    );
  });

  it("takes the longest of all that it takes", async () => {
    const said = ["🦄".repeat(600), "r".repeat(1000), { n: "x".repeat(15_991) }] as const;
    await application.query("BEGIN");
    await application.query("SELECT capture.announce($1, $2, $3)", [...said]);
    await application.query(insert(1));
    await application.query("COMMIT");
    const [{ actor, request_id, context }] = (await signals()) as [
      { actor: string; request_id: string; context: { n: string } },
    ];
    expect([actor, request_id, { n: context.n }]).toEqual(said);
  });

  it("names nobody from NULL on", async () => {
    await application.query(
      `BEGIN; SELECT capture.announce('alice', 'r-1', '{"a": 1}'); ${insert(1)}; SELECT capture.announce(NULL); ${insert(2)};
       SELECT capture.set_context('bob'); ${insert(3)}; SELECT capture.announce(NULL); ${insert(4)}; COMMIT`,
    );
    const [first, second, third, fourth] = await takeSignals(client);
    expect([first, second, third, fourth].map((signal) => signal?.body.actor)).toEqual([
      "alice",
      "clerk",
      "bob",
      "clerk",
    ]);
    expect(second?.body.request_id ?? null).toBeNull();
  });

  it("asks for membership in capture_app", async () => {
    await client.query("DROP ROLE IF EXISTS stranger; CREATE ROLE stranger LOGIN PASSWORD 'stranger'");
    const stranger = await server.connect({ database: client.database, user: "stranger", password: "stranger" });
    expect((await errorOf(stranger.query("SELECT capture.announce('alice')"))).message).toContain("permission denied");
  });
});

describe("unnamed_writers", () => {
  it("names applications that write without saying who acts, most first, until the signals are emptied", async () => {
    const application_name = async (name: string) => {
      await application.query("SELECT set_config('application_name', $1, false)", [name]);
    };
    await application_name("till 7");
    await application.query(insert(1));
    await application.query(insert(2));
    await application.query(`BEGIN; SELECT capture.announce('alice'); ${insert(3)}; COMMIT`);
    await application.query(`BEGIN; SELECT capture.set_context('bob'); ${insert(4)}; COMMIT`);
    await application.query(`BEGIN; SET LOCAL jwt.claims.user_id = '27'; ${insert(5)}; COMMIT`);
    await application_name("");
    await application.query(insert(6));
    const named = await client.query(
      "SELECT object, problem FROM capture.problems() WHERE problem LIKE '%who acts%' ORDER BY object DESC",
    );
    expect(named.rows).toEqual([
      {
        object: "application till 7 as clerk",
        problem: "does not say who acts; transactions since the last maintenance: 2",
      },
      {
        object: "application (without application_name) as clerk",
        problem: "does not say who acts; transactions since the last maintenance: 1",
      },
    ]);
    const { unnamedWriters, problems } = await maintainSource(client);
    // No alarm is about people.
    expect(problems).toEqual([]);
    expect(unnamedWriters).toEqual([
      { application: "till 7", user: "clerk", transactions: 2 },
      { application: "", user: "clerk", transactions: 1 },
    ]);
    expect((await maintainSource(client)).unnamedWriters).toEqual([]);
  });
});
