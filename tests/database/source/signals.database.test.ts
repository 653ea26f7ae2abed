import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { captureSchema } from "../../../contract/change-capture";
import { bootstrapSource } from "../../../operator/database/bootstrap";
import { errorOf, TestServer } from "../../../local/servers/test-server";
import { takeSignals } from "../support/signals";

let server: TestServer;
let client: Client;

beforeAll(async () => {
  server = await TestServer.start();
  client = await server.createDatabase();
  await client.query(`
    CREATE DOMAIN email AS text CHECK (value LIKE '%@%');
    CREATE DOMAIN work_email AS email;
    CREATE TYPE mood AS ENUM ('calm');
    CREATE SCHEMA shop;
  `);
  await bootstrapSource(client, { tables: [] });
});

afterAll(() => server.stop());

beforeEach(async () => {
  await client.query(`
    SET client_min_messages = warning;
    DROP TABLE IF EXISTS shop.orders, shop.renamed, shop.notes CASCADE;
    CREATE TABLE shop.orders (
      id bigint PRIMARY KEY,
      total numeric(10, 2) NOT NULL DEFAULT 0,
      contact work_email,
      contacts work_email[],
      mood mood,
      code char(3),
      secret text,
      touched timestamptz,
      shout text GENERATED ALWAYS AS (upper(secret)) STORED
    );
    SELECT capture.watch('shop.orders', ignored_columns => '{touched}', redacted_columns => '{secret,shout}');
  `);
  await takeSignals(client);
});

const orderColumns = [
  { name: "id", type: "bigint", number: 1 },
  { name: "total", type: "numeric", declared: "numeric(10,2)", number: 2 },
  { name: "contact", type: "text", number: 3 },
  { name: "contacts", type: "text[]", number: 4 },
  { name: "mood", type: "public.mood", number: 5 },
  { name: "code", type: "character", declared: "character(3)", number: 6 },
  { name: "secret", type: "text", redacted: true, number: 7 },
  { name: "touched", type: "timestamp with time zone", ignored: true, number: 8 },
  { name: "shout", type: "text", redacted: true, generated: "stored", number: 9 },
];
const relation: number = expect.any(Number);
/** What is still said of a name under which no table stands: another may take it at once. */
const redactedColumns = orderColumns.filter(({ redacted }) => redacted);
const orderShape = { relation, replica_identity: "full", key: ["id"], columns: orderColumns };

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

describe("The catalog", () => {
  const catalog = (table: string, reason: string, command: string | null, shape: object = orderShape) => ({
    kind: "catalog",
    table,
    body: { number: expect.any(Number) as number, reason, command, ...shape },
  });

  it("names key, columns, base types and flags when a table is watched", async () => {
    await client.query("SELECT capture.unwatch('shop.orders')");
    await takeSignals(client);
    await client.query("SELECT capture.watch('shop.orders', '{touched}', '{secret,shout}')");
    expect(await takeSignals(client)).toEqual([catalog("shop.orders", "watch", null)]);
  });

  it("is sent again, as it is, by republish_shapes", async () => {
    expect((await client.query("SELECT capture.republish_shapes() AS count")).rows).toEqual([{ count: 1 }]);
    expect(await takeSignals(client)).toEqual([catalog("shop.orders", "republish", null)]);
  });

  it("is numbered as it was written, whoever runs the DDL, across bootstraps and above a number that was restored", async () => {
    const written: [number, string, string][] = [];
    const take = async () => {
      const signals = await takeSignals(client);
      written.push(
        ...signals.map(({ table, body }): [number, string, string] => [body.number, table ?? "", body.reason]),
      );
    };
    await client.query(
      "CREATE ROLE numbering; ALTER TABLE shop.orders OWNER TO numbering; GRANT ALL ON SCHEMA shop TO numbering",
    );
    await client.query("SET ROLE numbering");
    await client.query("ALTER TABLE shop.orders RENAME TO renamed");
    await client.query("RESET ROLE; SELECT capture.republish_shapes()");
    await take();
    await client.query("SELECT setval('capture.catalog_number', 1)");
    await bootstrapSource(client, { tables: [] });
    await client.query("SELECT capture.unwatch('shop.renamed')");
    await take();

    expect(written.map(([, table, reason]) => [table, reason])).toEqual([
      ["shop.orders", "drop"],
      ["shop.renamed", "ddl"],
      ["shop.renamed", "republish"],
      ["shop.renamed", "unwatch"],
    ]);
    const numbers = written.map(([number]) => number);
    expect(numbers).toEqual([...new Set(numbers)].sort((one, other) => one - other));
    expect(Math.min(...numbers)).toBeGreaterThan(1e15);
    expect(Math.max(...numbers)).toBeLessThan(Number.MAX_SAFE_INTEGER);
    await client.query("ALTER TABLE shop.renamed OWNER TO CURRENT_USER; DROP OWNED BY numbering; DROP ROLE numbering");
  });

  it("follows columns that come, go and change their type", async () => {
    await client.query("ALTER TABLE shop.orders ADD COLUMN note jsonb, DROP COLUMN mood");
    await client.query("ALTER TABLE shop.orders ALTER COLUMN code TYPE integer USING 0");
    const note = { name: "note", type: "jsonb", number: 10 };
    const columns = [...orderColumns.filter(({ name }) => name !== "mood"), note];
    expect(await takeSignals(client)).toEqual([
      catalog("shop.orders", "ddl", "ALTER TABLE", {
        ...orderShape,
        columns,
        rewritten: false,
        added: { note: null },
        changes: [
          { change: "column dropped", column: "mood" },
          { change: "column added", column: "note", type: "jsonb" },
        ],
      }),
      catalog("shop.orders", "ddl", "ALTER TABLE", {
        ...orderShape,
        columns: columns.map((column) =>
          column.name === "code" ? { name: "code", type: "integer", number: 6 } : column,
        ),
        rewritten: true,
        changes: [{ change: "type", column: "code", from: "character(3)", to: "integer" }],
      }),
    ]);
  });

  it("keeps a renamed column redacted, and redacts a new one that takes the old name", async () => {
    await client.query("ALTER TABLE shop.orders RENAME COLUMN secret TO hidden");
    await client.query("ALTER TABLE shop.orders ADD COLUMN secret text");
    const redacted = (await takeSignals(client)).map(({ body }) =>
      body.columns.filter((column: { redacted?: true }) => column.redacted).map(({ name }: { name: string }) => name),
    );
    expect(redacted).toEqual([
      ["hidden", "shout"],
      ["hidden", "shout", "secret"],
    ]);
  });

  it("moves with a renamed table or schema, and says that the old name is gone", async () => {
    await client.query("ALTER TABLE shop.orders RENAME TO renamed");
    await client.query("ALTER SCHEMA shop RENAME TO store");
    await client.query("ALTER SCHEMA store RENAME TO shop");
    const gone = { relation, replica_identity: "default", key: [], columns: redactedColumns };
    const renamed = (from: string, to: string) => {
      const [before, after] = [from, to].map((name) => ({ schema: name.split(".")[0], table: name.split(".")[1] }));
      const changes = [{ change: "renamed", from: before, to: after }];
      return { ...orderShape, rewritten: false, renamed_from: before, changes };
    };
    expect(await takeSignals(client)).toEqual([
      catalog("shop.orders", "drop", "ALTER TABLE", gone),
      catalog("shop.renamed", "ddl", "ALTER TABLE", renamed("shop.orders", "shop.renamed")),
      catalog("shop.renamed", "drop", "ALTER SCHEMA", gone),
      catalog("store.renamed", "ddl", "ALTER SCHEMA", renamed("shop.renamed", "store.renamed")),
      catalog("store.renamed", "drop", "ALTER SCHEMA", gone),
      catalog("shop.renamed", "ddl", "ALTER SCHEMA", renamed("store.renamed", "shop.renamed")),
    ]);
  });

  it("describes both tables when two swap their names", async () => {
    await client.query("CREATE TABLE shop.notes (id int PRIMARY KEY); SELECT capture.watch('shop.notes')");
    await takeSignals(client);
    await client.query(`
      BEGIN;
      ALTER TABLE shop.orders RENAME TO renamed;
      ALTER TABLE shop.notes RENAME TO orders;
      ALTER TABLE shop.renamed RENAME TO notes;
      COMMIT`);
    const last = new Map((await takeSignals(client)).map(({ table, body }) => [table, body]));
    expect(last.get("shop.orders").columns).toEqual([{ name: "id", type: "integer", number: 1 }]);
    expect(last.get("shop.notes").columns).toEqual(orderColumns);
    expect(last.get("shop.renamed").reason).toBe("drop");
  });

  it("loses the key with the primary key, and finds a new one", async () => {
    await client.query("ALTER TABLE shop.orders DROP CONSTRAINT orders_pkey");
    await client.query("ALTER TABLE shop.orders ADD PRIMARY KEY (total, id)");
    expect((await takeSignals(client)).map(({ body }) => body.key)).toEqual([[], ["total", "id"]]);
  });

  it("takes the key of a table without a primary key from the identity index that watching replaced", async () => {
    await client.query(`
      CREATE TABLE shop.notes (a int NOT NULL, b int NOT NULL, note text);
      CREATE UNIQUE INDEX notes_identity ON shop.notes (b, a) INCLUDE (note);
      ALTER TABLE shop.notes REPLICA IDENTITY USING INDEX notes_identity;
      SELECT capture.watch('shop.notes');`);
    await client.query("DROP INDEX shop.notes_identity");
    expect(
      (await takeSignals(client)).map(({ body }) => [body.reason, body.command, body.replica_identity, body.key]),
    ).toEqual([
      ["watch", null, "full", ["b", "a"]],
      ["ddl", "DROP INDEX", "full", []],
    ]);
  });

  it("publishes no key rather than a redacted value in it", async () => {
    const warnings: string[] = [];
    client.on("notice", ({ message }) => warnings.push(message ?? ""));
    await client.query(`
      ALTER TABLE shop.orders DROP COLUMN shout, DROP CONSTRAINT orders_pkey;
      ALTER TABLE shop.orders ADD PRIMARY KEY (secret)`);
    expect((await takeSignals(client)).at(-1)?.body.key).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining("shop.orders has a redacted column in its key")]);
  });

  it("says what replica identity the table was left with", async () => {
    await client.query("ALTER TABLE shop.orders REPLICA IDENTITY DEFAULT");
    expect((await takeSignals(client)).map(({ body }) => body.replica_identity)).toEqual(["default"]);
  });

  it("follows a type that is renamed, and is quiet about one that only gains a value", async () => {
    await client.query("ALTER TYPE mood ADD VALUE 'wild'");
    expect(await takeSignals(client)).toEqual([]);
    await client.query("ALTER TYPE mood RENAME TO temper");
    const [signal, ...others] = await takeSignals(client);
    expect(signal?.body).toMatchObject({ reason: "ddl", command: "ALTER TYPE" });
    expect(signal?.body.columns[4]).toEqual({ name: "mood", type: "public.temper", number: 5 });
    expect(others).toEqual([]);
    await client.query("ALTER TYPE temper RENAME TO mood");
  });

  it("follows a column that a cascade from its type removes", async () => {
    await client.query("CREATE TYPE passing AS ENUM ('x'); ALTER TABLE shop.orders ADD COLUMN extra passing");
    await takeSignals(client);
    await client.query("DROP TYPE passing CASCADE");
    expect(await takeSignals(client)).toEqual([
      catalog("shop.orders", "ddl", "DROP TYPE", {
        ...orderShape,
        rewritten: false,
        changes: [{ change: "column dropped", column: "extra" }],
      }),
    ]);
  });

  it("ends with the table", async () => {
    await client.query("DROP TABLE shop.orders");
    expect(await takeSignals(client)).toEqual([
      catalog("shop.orders", "drop", "DROP TABLE", {
        relation,
        replica_identity: "default",
        key: [],
        columns: redactedColumns,
      }),
    ]);
    expect((await client.query("SELECT FROM capture.watched_tables")).rowCount).toBe(0);
  });

  it("ends with unwatch, but goes on describing the table", async () => {
    await client.query("SELECT capture.unwatch('shop.orders')");
    expect(await takeSignals(client)).toEqual([catalog("shop.orders", "unwatch", null)]);
  });

  it("hears of DDL inside functions and DO blocks, and of that of a rolled back transaction nothing", async () => {
    await client.query("DO $$ BEGIN EXECUTE 'ALTER TABLE shop.orders ADD COLUMN a int'; END $$");
    await client.query("BEGIN; ALTER TABLE shop.orders ADD COLUMN b int; ROLLBACK");
    expect((await takeSignals(client)).map(({ body }) => body.columns.at(-1).name)).toEqual(["a"]);
  });

  it("is quiet about DDL elsewhere", async () => {
    await client.query(`
      CREATE TABLE shop.notes (id serial PRIMARY KEY, note text);
      CREATE INDEX ON shop.notes (note);
      ALTER TABLE shop.notes ADD COLUMN more text;
      CREATE TEMPORARY TABLE scratch AS SELECT 1;
      DROP TABLE scratch, shop.notes;
      CREATE VIEW shop.open_orders AS SELECT id FROM shop.orders;
      DROP VIEW shop.open_orders;`);
    expect(await takeSignals(client)).toEqual([]);
  });

  it("leaves plain columns of a table too wide for a signal untyped, never the key or a redacted column", async () => {
    await client.query(
      `DO $$ BEGIN EXECUTE (
         SELECT 'ALTER TABLE shop.orders ' || string_agg(format('ADD COLUMN %I int', 'c' || i || repeat('x', 50)), ', ')
         FROM generate_series(1, 400) i); END $$`,
    );
    const [signal] = await takeSignals(client);
    expect(signal?.body.columns).toEqual([
      { name: "id", type: "bigint" },
      { name: "secret", type: "text", redacted: true },
      { name: "touched", type: "timestamp with time zone", ignored: true },
      { name: "shout", type: "text", redacted: true, generated: "stored" },
    ]);
  });
});

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
