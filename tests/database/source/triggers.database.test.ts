import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { TestServer } from "../../../local/servers/test-server";
import { renewOrders, startShopSource } from "../support/shop-source";
import { takeSignals } from "../support/signals";

let server: TestServer;
let client: Client;

beforeAll(async () => {
  ({ server, client } = await startShopSource());
});

afterAll(() => server.stop());

beforeEach(() => renewOrders(client));

describe("TRUNCATE", () => {
  it("is said by a signal that names the table", async () => {
    await client.query("TRUNCATE shop.orders");
    expect(await takeSignals(client)).toEqual([{ kind: "truncate", table: "shop.orders", body: {} }]);
  });

  it("is said also in sessions that skip ordinary triggers", async () => {
    await client.query("SET session_replication_role = replica; TRUNCATE shop.orders; RESET session_replication_role");
    expect((await takeSignals(client)).map(({ kind }) => kind)).toEqual(["truncate"]);
  });
});

describe("The actor trigger", () => {
  let application: Client;

  beforeAll(async () => {
    await client.query("CREATE ROLE clerk LOGIN PASSWORD 'clerk'");
    application = await server.connect({ database: client.database, user: "clerk", password: "clerk" });
    await application.query("SET application_name = 'till 7'");
  });

  beforeEach(async () => {
    await client.query(`
      SELECT capture.watch('shop.orders', '{touched}', '{secret,shout}', identify_actor => true);
      GRANT USAGE ON SCHEMA shop TO clerk;
      GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON shop.orders TO clerk;
      GRANT capture_app TO clerk`);
    await takeSignals(client);
  });

  const facts = { session_user: "clerk", application_name: "till 7", client_address: "127.0.0.1" };

  it("says who acts from the session, once per transaction and before its first change", async () => {
    await application.query(`
      BEGIN;
      INSERT INTO shop.orders (id) VALUES (1), (2);
      UPDATE shop.orders SET total = 1;
      DELETE FROM shop.orders WHERE id = 2;
      COMMIT`);
    await application.query("TRUNCATE shop.orders");
    expect(await takeSignals(client)).toEqual([
      { kind: "session", table: null, body: { actor: "clerk", ...facts } },
      { kind: "session", table: null, body: { actor: "clerk", ...facts } },
      { kind: "truncate", table: "shop.orders", body: {} },
    ]);
  });

  it("names the role of SET ROLE beside the session's user when it is another", async () => {
    await client.query(`
      CREATE ROLE cashier; GRANT cashier TO clerk;
      GRANT USAGE ON SCHEMA shop TO cashier; GRANT INSERT ON shop.orders TO cashier`);
    await application.query("SET ROLE cashier; INSERT INTO shop.orders (id) VALUES (1)");
    await application.query("SET ROLE clerk; INSERT INTO shop.orders (id) VALUES (2)");
    await application.query("RESET ROLE; INSERT INTO shop.orders (id) VALUES (3)");
    await application.query(`
      BEGIN;
      SET LOCAL ROLE cashier;
      SELECT set_config('capture.context', '{"reason": "stocktaking", "current_user": "boss"}', true);
      INSERT INTO shop.orders (id) VALUES (4);
      COMMIT`);
    expect((await takeSignals(client)).map(({ body }) => body.context ?? body)).toEqual([
      { actor: "clerk", ...facts, current_user: "cashier" },
      { actor: "clerk", ...facts },
      { actor: "clerk", ...facts },
      { reason: "stocktaking", ...facts, current_user: "cashier" },
    ]);
  });

  it("takes actor, request and context from the settings", async () => {
    await application.query(`
      BEGIN;
      SELECT set_config('capture.actor', 'alice', true), set_config('capture.request_id', 'r-7', true),
        set_config('capture.context', '{"reason": "stocktaking", "none": null}', true);
      INSERT INTO shop.orders (id) VALUES (1);
      COMMIT;
      INSERT INTO shop.orders (id) VALUES (2)`);
    expect((await takeSignals(client)).map(({ body }) => body)).toEqual([
      {
        actor: "alice",
        request_id: "r-7",
        origin: "session",
        context: { reason: "stocktaking", none: null, ...facts },
      },
      { actor: "clerk", ...facts },
    ]);
  });

  it("takes the actor and the request from the settings without a context", async () => {
    await application.query(`
      BEGIN;
      SELECT set_config('capture.actor', 'alice', true), set_config('capture.request_id', 'r-7', true),
        set_config('application_name', '', true);
      INSERT INTO shop.orders (id) VALUES (1);
      COMMIT`);
    const { application_name: unset, ...others } = facts;
    expect(unset).toBe("till 7");
    expect((await takeSignals(client)).map(({ body }) => body)).toEqual([
      { actor: "alice", request_id: "r-7", ...others },
    ]);
  });

  it("lets no setting claim another session user, and lets no bad one fail a write", async () => {
    const settings = [
      ['{"session_user": "postgres", "client_address": "10.0.0.9"}', facts],
      ["{broken", { "capture.context": "{broken", ...facts }],
      ['"text"', { "capture.context": "text", ...facts }],
      ['"\\u0000"', { "capture.context": '"\\u0000"', ...facts }],
      ["[".repeat(200_000), { "capture.context": "[".repeat(1000), ...facts }],
      [
        JSON.stringify({ large: "x".repeat(20_000) }),
        { "capture.context": "left out: 20012 characters, at most 16000 fit", ...facts },
      ],
    ] as const;
    for (const [id, [setting, context]] of settings.entries()) {
      await application.query("BEGIN");
      await application.query("SELECT set_config('capture.context', $1, true)", [setting]);
      await application.query("INSERT INTO shop.orders (id) VALUES ($1)", [id]);
      await application.query("COMMIT");
      expect((await takeSignals(client)).map(({ body }) => body.context)).toEqual([context]);
    }
  });

  it("fits a signal whatever characters its settings are made of", async () => {
    await application.query("BEGIN");
    await application.query(
      "SELECT set_config('capture.actor', $1, true), set_config('capture.request_id', $1, true)",
      ["\u0001".repeat(5000)],
    );
    await application.query("SELECT set_config('capture.context', $1, true)", [
      JSON.stringify({ large: "\u0001".repeat(2600) }),
    ]);
    await application.query("INSERT INTO shop.orders (id) VALUES (1)");
    await application.query("COMMIT");
    const [signal] = await takeSignals(client);
    expect(signal?.body.actor).toBe("\u0001".repeat(600));
    expect(signal?.body.request_id).toBe("\u0001".repeat(1000));
    expect(signal?.body.context.large).toBe("\u0001".repeat(2600));

    await application.query("BEGIN");
    await application.query(
      "SELECT set_config('capture.actor', $1, true), set_config('capture.request_id', $1, true)",
      ['🦄"\\'.repeat(2000)],
    );
    await application.query("INSERT INTO shop.orders (id) VALUES (2)");
    await application.query("COMMIT");
    const [plain] = await takeSignals(client);
    expect([...plain?.body.actor].length).toBe(600);
    expect([...plain?.body.request_id].length).toBe(1000);
  });

  it("lets a setting claim no fact even where PostgreSQL has none to say", async () => {
    await application.query("BEGIN");
    await application.query(
      `SELECT set_config('capture.context', '{"application_name": "till 8", "reason": "x"}', true)`,
    );
    await application.query("SELECT set_config('application_name', '', true)");
    await application.query("INSERT INTO shop.orders (id) VALUES (1)");
    await application.query("COMMIT");
    const { application_name: unset, ...others } = facts;
    expect(unset).toBe("till 7");
    expect((await takeSignals(client)).map(({ body }) => body.context)).toEqual([{ reason: "x", ...others }]);
  });

  it("is silent when the application has said who acts", async () => {
    await application.query(`
      BEGIN;
      SELECT capture.set_context('alice');
      INSERT INTO shop.orders (id) VALUES (1);
      UPDATE shop.orders SET total = 2;
      COMMIT`);
    expect((await takeSignals(client)).map(({ body }) => body.actor)).toEqual(["alice"]);
  });

  it("speaks again in the next transaction of the session", async () => {
    await application.query("BEGIN; SELECT capture.set_context('alice'); COMMIT");
    await application.query("INSERT INTO shop.orders (id) VALUES (1)");
    expect((await takeSignals(client)).map(({ body }) => body.actor)).toEqual(["alice", "clerk"]);
  });

  it("speaks again when a savepoint took its word back", async () => {
    await application.query(`
      BEGIN;
      SAVEPOINT attempt;
      INSERT INTO shop.orders (id) VALUES (1);
      ROLLBACK TO attempt;
      INSERT INTO shop.orders (id) VALUES (2);
      COMMIT`);
    expect((await takeSignals(client)).map(({ body }) => body.actor)).toEqual(["clerk"]);
  });

  it("is taken away by watching without it", async () => {
    await client.query("SELECT capture.watch('shop.orders', identify_actor => false)");
    await application.query("INSERT INTO shop.orders (id) VALUES (1)");
    expect(await takeSignals(client)).toEqual([]);
  });
});
