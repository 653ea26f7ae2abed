import type { Client } from "pg";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bootstrapSource } from "../../../operator/database/bootstrap";
import { captureDatabase } from "../support/capture";
import { takeSignals } from "../support/signals";

const database = captureDatabase();
let client: Client;

beforeAll(() => {
  ({ client } = database);
});

describe("What DMS reads and what is watched", () => {
  const problems = async () =>
    (
      await client.query<{ line: string }>("SELECT object || ' ' || problem AS line FROM capture.problems() ORDER BY 1")
    ).rows.map(({ line }) => line);

  it("are the same thing to the checks as long as nobody said what DMS reads", async () => {
    await client.query("CREATE TABLE orders (id int PRIMARY KEY); SELECT capture.watch('orders')");
    expect(await problems()).toEqual([]);
  });

  it("differ after a rename, a new table under a pattern, or a partition that no name covers", async () => {
    await client.query("CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE log_1 (id int PRIMARY KEY)");
    await client.query("CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id)");
    await client.query("SELECT capture.watch('orders'); SELECT capture.watch('log_1'); SELECT capture.watch('parts')");
    await client.query(
      "INSERT INTO capture.selection VALUES ('public', 'orders'), ('public', 'parts'), ('public', 'log\\_%')",
    );
    expect(await problems()).toEqual([]);
    await client.query("ALTER TABLE orders RENAME TO purchases; CREATE TABLE log_2 (id int PRIMARY KEY)");
    await client.query("SELECT capture.unwatch('log_2')");
    await client.query("CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10)");
    expect(await problems()).toEqual([
      "public.log_2 is read by DMS, but not watched: its shape and truncates are unknown, and no column is redacted",
      "public.parts_1 is watched, but DMS does not read a table of this name: its changes are not captured",
      "public.purchases is watched, but DMS does not read a table of this name: its changes are not captured",
    ]);
  });
});

describe("A new table that the selection names", () => {
  beforeEach(async () => {
    await client.query("CREATE TABLE orders (id int PRIMARY KEY)");
    await bootstrapSource(client, {
      tables: [
        { schema: "public", table: "orders", replicaIdentity: "default" },
        { schema: "public", table: "log_%", redactedColumns: ["note"] },
        { schema: "public", table: "%", ignoredColumns: ["seen"], redactedColumns: ["secret"], identifyActor: true },
      ],
    });
    await client.query("DROP TABLE orders");
    await takeSignals(client);
    database.warnings = [];
  });

  const settings = async () =>
    (
      await client.query<{ line: string }>(
        `SELECT concat_ws(' ', table_name, ignored_columns, redacted_columns, identify_actor, replica_identity) AS line
         FROM capture.watched_tables ORDER BY 1`,
      )
    ).rows.map(({ line }) => line);

  it("is watched from its first row on, as the entry says that counts for it", async () => {
    await client.query(`
      BEGIN;
      CREATE TABLE customers (id int PRIMARY KEY, secret text, seen int);
      INSERT INTO customers VALUES (1, 'x', 0);
      CREATE TABLE orders (id int PRIMARY KEY);
      CREATE TABLE log_1 (id int PRIMARY KEY, note text);
      CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
      CREATE TEMP TABLE scratch (id int);
      COMMIT`);
    expect(await settings()).toEqual([
      "customers {seen} {secret} t full",
      "log_1 {} {note} f full",
      "orders {} {} f default",
      "parts {} {} t full",
      "parts_1 {} {} t full",
    ]);
    expect((await takeSignals(client)).map(({ kind, table }) => `${kind} ${table}`)).toEqual([
      "catalog public.customers",
      "session null",
      "catalog public.orders",
      "catalog public.log_1",
      "catalog public.parts",
      "catalog public.parts_1",
    ]);
    expect(database.warnings).toEqual([]);
    expect((await client.query("SELECT FROM capture.problems()")).rowCount).toBe(0);
  });

  it("is watched, too, when a query makes it or a name brings it in", async () => {
    await client.query("CREATE SCHEMA app; CREATE TABLE app.elsewhere (id int)");
    await client.query("CREATE TABLE copied AS SELECT 1 AS id; SELECT 1 AS id INTO chosen");
    await client.query("ALTER TABLE app.elsewhere SET SCHEMA public");
    expect(await database.watchedTables()).toEqual(["public.chosen", "public.copied", "public.elsewhere"]);
  });

  it("is made all the same when it can't be watched, with a warning, and the checks name it", async () => {
    await client.query("CREATE TABLE spoiled (id int, secret text PRIMARY KEY)");
    expect(database.warnings).toEqual([
      "public.spoiled is not under audit, though DMS reads it: column secret identifies the rows of public.spoiled: a key column cannot be ignored or redacted",
    ]);
    expect((await client.query("SELECT object FROM capture.problems()")).rows).toEqual([{ object: "public.spoiled" }]);
  });

  it("redacts a column of the entry that it gets later, also in its partitions", async () => {
    await client.query("CREATE TABLE customers (id int PRIMARY KEY)");
    await client.query("CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id)");
    await client.query("CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10)");
    await takeSignals(client);
    await client.query("ALTER TABLE customers ADD COLUMN secret text; ALTER TABLE parts ADD COLUMN secret text");
    const columns = (await takeSignals(client)).map(({ table, body }) => [table, body.columns[1]]);
    const secret = { name: "secret", type: "text", redacted: true, number: 2 };
    expect(columns).toEqual([
      ["public.customers", secret],
      ["public.parts", secret],
      ["public.parts_1", secret],
    ]);
  });
});
