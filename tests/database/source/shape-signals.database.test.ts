import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bootstrapSource } from "../../../operator/database/bootstrap";
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

  it("has a higher number than the one before it: for any role, after a bootstrap, and after a restore of the source", async () => {
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
