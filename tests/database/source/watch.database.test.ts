import type { Client } from "pg";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bootstrapSource } from "../../../operator/database/bootstrap";
import { maintainSource } from "../../../operator/database/maintain";
import { captureDatabase } from "../support/capture";
import { errorOf, type TestServer } from "../../../local/servers/test-server";
import { takeSignals } from "../support/signals";

const database = captureDatabase();
const { watchedTables } = database;
let server: TestServer;
let client: Client;

beforeAll(() => {
  ({ server, client } = database);
});

const captureTriggers = async (table: string) =>
  (
    await client.query<{ name: string }>(
      "SELECT tgname AS name FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal ORDER BY 1",
      [table],
    )
  ).rows.map(({ name }) => name);

const replicaIdentity = async (table: string) =>
  (await client.query("SELECT relreplident AS identity FROM pg_class WHERE oid = $1::regclass", [table])).rows[0]
    .identity;

describe("A publication of somebody else's", () => {
  beforeEach(async () => {
    await client.query("DROP PUBLICATION IF EXISTS theirs");
    await client.query("CREATE TABLE orders (id int PRIMARY KEY, status text); INSERT INTO orders VALUES (1, 'new')");
  });

  it("with a column list keeps the table from full identity, under which its updates would fail", async () => {
    await client.query("CREATE PUBLICATION theirs FOR TABLE orders (id, status)");
    expect(await errorOf(client.query("SELECT capture.watch('orders')"))).toMatchObject({
      message:
        "publication theirs restricts public.orders: with replica identity full PostgreSQL would refuse its updates and deletes",
      hint: "Take the table's column list out of the publication, or use replica identity keep.",
    });
    await client.query("SELECT capture.watch('orders', replica_identity => 'keep')");
    await client.query("UPDATE orders SET status = 'paid'");
  });

  it("with a row filter that came later keeps the identity when the table is let go", async () => {
    await client.query("SELECT capture.watch('orders')");
    await client.query("CREATE PUBLICATION theirs FOR TABLE orders WHERE (status = 'paid')");
    await client.query("SELECT capture.unwatch('orders')");
    expect(await replicaIdentity("orders")).toBe("f");
    expect(database.warnings).toEqual([
      "public.orders keeps replica identity full, because publication theirs now restricts it",
    ]);
    await client.query("UPDATE orders SET status = 'paid'");
  });

  it("on a new partition keeps neither the others nor a change of shape from being signalled", async () => {
    await client.query("CREATE TABLE parts (id int PRIMARY KEY, note text) PARTITION BY RANGE (id)");
    await client.query("SELECT capture.watch('parts'); SELECT capture.watch('orders')");
    await client.query("SET session_replication_role = replica; ALTER EVENT TRIGGER capture_ddl DISABLE");
    await client.query("CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10)");
    await client.query("CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20)");
    await client.query("CREATE PUBLICATION theirs FOR TABLE parts_1 (id)");
    await client.query("ALTER EVENT TRIGGER capture_ddl ENABLE ALWAYS; RESET session_replication_role");
    await takeSignals(client);
    await client.query("ALTER TABLE parts ADD COLUMN extra int");
    expect((await takeSignals(client)).map(({ table }) => table)).toEqual(["public.parts", "public.parts_2"]);
    expect(database.warnings[0]).toMatch(
      /^public.parts_1 is not under audit, though its parent public.parts is: publication theirs/,
    );
  });
});

describe("Watching", () => {
  it("twice makes no second trigger and sends no second signal", async () => {
    await client.query("CREATE TABLE orders (id int PRIMARY KEY)");
    await client.query("SELECT capture.watch('orders', identify_actor => true)");
    expect(await takeSignals(client)).toHaveLength(1);
    await client.query("SELECT capture.watch('orders', identify_actor => true)");
    expect(await takeSignals(client)).toEqual([]);
    expect(await captureTriggers("orders")).toEqual(["capture_actor", "capture_truncate"]);
    expect(await replicaIdentity("orders")).toBe("f");
  });

  it("again with other settings changes what differs, and says so when readers must know", async () => {
    await client.query("CREATE TABLE orders (id int PRIMARY KEY, a int, b int)");
    await client.query("SELECT capture.watch('orders', '{a}', '{b}', true)");
    await takeSignals(client);
    await client.query("SELECT capture.watch('orders', '{b}', '{}', false, 'default')");
    expect(await captureTriggers("orders")).toEqual(["capture_truncate"]);
    expect(await replicaIdentity("orders")).toBe("d");
    expect((await takeSignals(client)).map(({ body }) => body)).toEqual([
      {
        number: expect.any(Number),
        reason: "watch",
        command: null,
        relation: expect.any(Number),
        replica_identity: "default",
        key: ["id"],
        columns: [
          { name: "id", type: "integer", number: 1 },
          { name: "a", type: "integer", number: 2 },
          { name: "b", type: "integer", ignored: true, number: 3 },
        ],
      },
    ]);
  });

  it("again without settings changes none, even when a redacted column is gone", async () => {
    await client.query("CREATE TABLE orders (id int PRIMARY KEY, a int, b int, c int)");
    await client.query("SELECT capture.watch('orders', '{a}', '{b,c}', true, 'default')");
    await client.query("ALTER TABLE orders DROP COLUMN c, REPLICA IDENTITY NOTHING");
    await takeSignals(client);
    await client.query("SELECT capture.watch('orders')");
    expect(await captureTriggers("orders")).toEqual(["capture_actor", "capture_truncate"]);
    expect(await replicaIdentity("orders")).toBe("d");
    expect((await takeSignals(client)).map(({ body }) => body.columns)).toEqual([
      [
        { name: "id", type: "integer", number: 1 },
        { name: "a", type: "integer", ignored: true, number: 2 },
        { name: "b", type: "integer", redacted: true, number: 3 },
      ],
    ]);
  });

  it("leaves an actor trigger that somebody made fire always, and renews one of an earlier version", async () => {
    await client.query(`
      CREATE TABLE orders (id int PRIMARY KEY);
      SELECT capture.watch('orders', identify_actor => true);
      ALTER TABLE orders ENABLE ALWAYS TRIGGER capture_actor`);
    const trigger = async () =>
      (
        await client.query(
          "SELECT tgenabled AS enabled, tgqual IS NOT NULL AS condition FROM pg_trigger WHERE tgname = 'capture_actor'",
        )
      ).rows;
    await client.query("SELECT capture.watch('orders')");
    expect(await trigger()).toEqual([{ enabled: "A", condition: false }]);
    await client.query(`
      CREATE OR REPLACE TRIGGER capture_actor BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON orders
        FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION capture.identify_actor();
      SELECT capture.watch('orders')`);
    expect((await trigger())[0]).toMatchObject({ condition: false });
  });

  it("with an actor trigger under a parent without one is a problem, for who writes through the parent stays unknown", async () => {
    await client.query(`
      CREATE TABLE parent (id int PRIMARY KEY);
      CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
      SELECT capture.watch('child', identify_actor => true)`);
    const { rows } = await client.query("SELECT object, problem, fix FROM capture.problems()");
    expect(rows).toEqual([
      {
        object: "public.child",
        problem: "has an actor trigger, but its parent public.parent has none: who writes through that is unknown",
        fix: "SELECT capture.watch('public.parent', identify_actor => true)",
      },
    ]);
    await client.query(rows[0].fix);
    expect((await client.query("SELECT FROM capture.problems()")).rowCount).toBe(0);
  });

  it("keeps the replica identity on request", async () => {
    await client.query("CREATE TABLE orders (id int PRIMARY KEY); ALTER TABLE orders REPLICA IDENTITY NOTHING");
    await client.query("SELECT capture.watch('orders', replica_identity => 'keep')");
    expect(await replicaIdentity("orders")).toBe("n");
  });

  it("repairs a trigger that somebody disabled or dropped, and an identity that somebody changed", async () => {
    await client.query(`
      CREATE TABLE orders (id int PRIMARY KEY);
      SELECT capture.watch('orders', identify_actor => true);
      ALTER TABLE orders DISABLE TRIGGER capture_actor, REPLICA IDENTITY NOTHING;
      DROP TRIGGER capture_truncate ON orders;`);
    const { rows: problems } = await client.query(
      "SELECT problem, fix FROM capture.problems() WHERE object = 'public.orders'",
    );
    expect(problems.map(({ problem }) => problem)).toEqual([
      expect.stringContaining("lacks its replica identity"),
      expect.stringContaining("lacks its truncate trigger"),
      expect.stringContaining("lacks its actor trigger"),
    ]);
    await client.query(problems[0].fix);
    expect((await client.query("SELECT FROM capture.problems()")).rowCount).toBe(0);
  });

  it("locks nothing when nothing is missing", async () => {
    await client.query("CREATE TABLE orders (id int PRIMARY KEY); SELECT capture.watch('orders')");
    const writer = await server.connect({ database: client.database });
    await writer.query("BEGIN; INSERT INTO orders VALUES (1)");
    await client.query("SET lock_timeout = '100ms'; SELECT capture.watch('orders')");
    await writer.query("COMMIT");
  });
});

describe("Watching is refused", () => {
  it.each([
    ["a temporary table", "CREATE TEMPORARY TABLE t (id int)", "t", "temporary table"],
    ["an unlogged table", "CREATE UNLOGGED TABLE t (id int)", "t", "unlogged table"],
    ["a view", "CREATE VIEW t AS SELECT 1 AS id", "t", "is not a table"],
    ["a system table", "SELECT 1", "pg_catalog.pg_class", "belongs to the system"],
    ["the pipeline's own table", "SELECT 1", "capture.signal", "feed the log into itself"],
    ["the audit log", "CREATE SCHEMA audit; CREATE TABLE audit.t (id int)", "audit.t", "feed the log into itself"],
    ["a table of DMS", "CREATE TABLE awsdms_ddl_audit (id int)", "awsdms_ddl_audit", "feed the log into itself"],
  ])("for %s", async (_kind, setUp, table, message) => {
    await client.query(setUp);
    expect((await errorOf(client.query("SELECT capture.watch($1::regclass)", [table]))).message).toContain(message);
    expect(await watchedTables()).toEqual([]);
  });

  it.each([
    ["a column that does not exist", "capture.watch('t', '{nope}')", 'public.t has no column nope; it has id, "A"'],
    ["an ignored key column", "capture.watch('t', '{id}')", "column id identifies the rows of public.t"],
    ["a redacted key column", "capture.watch('t', redacted_columns => '{id}')", "cannot be ignored or redacted"],
    [
      "an unknown replica identity",
      "capture.watch('t', replica_identity => 'index')",
      "allowed are full, default and keep",
    ],
  ])("for %s", async (_kind, call, message) => {
    await client.query('CREATE TABLE t (id int PRIMARY KEY, "A" int)');
    expect((await errorOf(client.query(`SELECT ${call}`))).message).toContain(message);
  });

  it("for default identity without a primary key, under which updates would fail", async () => {
    await client.query("CREATE TABLE t (id int)");
    const error = await errorOf(client.query("SELECT capture.watch('t', replica_identity => 'default')"));
    expect(error.message).toContain("its updates and deletes would fail");
  });

  it("for a table whose shape does not fit a signal", async () => {
    await client.query(
      `DO $$ BEGIN EXECUTE (
         SELECT 'CREATE TABLE wide (' || string_agg(format('%I int', 'c' || i || repeat('x', 50)), ', ') || ')'
         FROM generate_series(1, 400) i); END $$`,
    );
    const error = await errorOf(client.query("SELECT capture.watch('wide')"));
    expect(error.message).toMatch(
      /^the shape of public\.wide does not fit a signal: its 400 columns are \d+ characters/,
    );
    expect(await replicaIdentity("wide")).toBe("d");
  });

  it("to a role that does not own the table", async () => {
    await client.query("CREATE TABLE t (id int PRIMARY KEY)");
    await client.query("CREATE ROLE stranger; GRANT USAGE ON SCHEMA capture TO stranger");
    await client.query("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA capture TO stranger; SET ROLE stranger");
    expect((await errorOf(client.query("SELECT capture.watch('t')"))).code).toBe("42501");
    await client.query("RESET ROLE; DROP OWNED BY stranger; DROP ROLE stranger");
  });
});

describe("Watching warns", () => {
  it("of the columns that DMS leaves out of a table without a key", async () => {
    await client.query("CREATE TABLE t (id int, note text, tags int[], name varchar(10)); SELECT capture.watch('t')");
    expect(database.warnings).toEqual([
      expect.stringMatching(
        /^public\.t has no primary key and no unique index: its records can't be found by key, and DMS leaves out its columns note, tags$/,
      ),
    ]);
  });

  it("of a replica identity, kept on request, that identifies no row", async () => {
    await client.query("CREATE TABLE t (id int); SELECT capture.watch('t', replica_identity => 'keep')");
    expect(database.warnings).toEqual([
      expect.stringContaining("its updates and deletes cannot be captured"),
      expect.stringContaining("its records can't be found by key"),
    ]);
  });

  it("of nothing when there is a unique index over NOT NULL columns", async () => {
    await client.query("CREATE TABLE t (id int NOT NULL UNIQUE, note text); SELECT capture.watch('t')");
    expect(database.warnings).toEqual([]);
  });
});

describe("A partitioned table", () => {
  beforeEach(async () => {
    await client.query(`
      CREATE TABLE sales (id int, region text, note text, secret text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
      CREATE TABLE sales_north PARTITION OF sales FOR VALUES IN ('north');
      CREATE TABLE sales_south PARTITION OF sales FOR VALUES IN ('south') PARTITION BY RANGE (id);
      CREATE TABLE sales_south_1 PARTITION OF sales_south FOR VALUES FROM (0) TO (100);
      SELECT capture.watch('sales', redacted_columns => '{secret}', identify_actor => true);`);
  });

  it("is watched leaf by leaf, since the WAL names leaves", async () => {
    const partitioned = true;
    const root = { schema: "public", table: "sales", relation: expect.any(Number) as number };
    const told = (await takeSignals(client)).map(({ table, body }) => [
      table,
      body.reason,
      body.partitioned,
      body.root,
    ]);
    expect(told).toEqual([
      ["public.sales", "watch", partitioned, undefined],
      ["public.sales_north", "watch", undefined, root],
      ["public.sales_south", "watch", partitioned, root],
      ["public.sales_south_1", "watch", undefined, root],
    ]);
    expect(await replicaIdentity("sales_south_1")).toBe("f");
  });

  it("says who acts, whether the statement names the table or a partition", async () => {
    await takeSignals(client);
    await client.query("INSERT INTO sales VALUES (1, 'north')");
    await client.query("UPDATE sales_south SET note = 'x'");
    await client.query("DELETE FROM sales_north");
    expect((await takeSignals(client)).map(({ kind }) => kind)).toEqual(["session", "session", "session"]);
  });

  it("says which partitions a TRUNCATE emptied", async () => {
    await takeSignals(client);
    await client.query("TRUNCATE sales");
    const truncated = (await takeSignals(client)).filter(({ kind }) => kind === "truncate");
    expect(truncated.map(({ table }) => table)).toEqual(["public.sales_north", "public.sales_south_1"]);
  });

  it("takes in partitions that are created or attached later, with its settings, and sends each shape once", async () => {
    await takeSignals(client);
    await client.query(`
      CREATE TABLE sales_east PARTITION OF sales FOR VALUES IN ('east');
      CREATE TABLE sales_south_2 (LIKE sales INCLUDING INDEXES);
      ALTER TABLE sales_south ATTACH PARTITION sales_south_2 FOR VALUES FROM (100) TO (200);`);
    const signals = await takeSignals(client);
    expect(signals.map(({ table, body }) => [table, body.reason, body.columns[3].redacted])).toEqual([
      ["public.sales_east", "watch", true],
      ["public.sales_south_2", "watch", true],
    ]);
    expect(await captureTriggers("sales_south_2")).toEqual(["capture_actor", "capture_truncate"]);
    expect(database.warnings).toEqual([]);
  });

  it("passes a change of its columns on to its partitions", async () => {
    await takeSignals(client);
    await client.query("ALTER TABLE sales RENAME COLUMN secret TO hidden");
    const hidden = { name: "hidden", type: "text", redacted: true, number: 4 };
    expect((await takeSignals(client)).map(({ table, body }) => [table, body.columns[3]])).toEqual([
      ["public.sales", hidden],
      ["public.sales_north", hidden],
      ["public.sales_south", hidden],
      ["public.sales_south_1", hidden],
    ]);
  });

  it("lets go of all its partitions at once", async () => {
    await client.query("SELECT capture.unwatch('sales')");
    expect(await watchedTables()).toEqual([]);
    for (const table of ["sales", "sales_north", "sales_south", "sales_south_1"]) {
      expect(await captureTriggers(table)).toEqual([]);
      expect(await replicaIdentity(table)).toBe("d");
    }
  });

  it("leaves a partition that is watched by itself its own settings, however often it is watched", async () => {
    await client.query("SELECT capture.watch('sales_north', '{note}', '{}')");
    await takeSignals(client);
    await client.query("SELECT capture.watch('sales', redacted_columns => '{secret}', identify_actor => true)");
    expect(await takeSignals(client)).toEqual([]);
    const { rows } = await client.query(
      "SELECT ignored_columns, redacted_columns FROM capture.watched_tables WHERE table_name = 'sales_north'",
    );
    expect(rows).toEqual([{ ignored_columns: ["note"], redacted_columns: [] }]);
  });

  it("warns of partitions whose changes are not in the WAL, and watches the others", async () => {
    await client.query(`
      CREATE FOREIGN DATA WRAPPER elsewhere;
      CREATE SERVER elsewhere FOREIGN DATA WRAPPER elsewhere;
      CREATE TABLE mixed (id int NOT NULL) PARTITION BY RANGE (id);
      CREATE TABLE mixed_here PARTITION OF mixed (PRIMARY KEY (id)) FOR VALUES FROM (0) TO (10);
      CREATE FOREIGN TABLE mixed_there PARTITION OF mixed FOR VALUES FROM (10) TO (20) SERVER elsewhere;
      CREATE UNLOGGED TABLE mixed_fast PARTITION OF mixed FOR VALUES FROM (20) TO (30);
      SELECT capture.watch('mixed');`);
    expect(database.warnings).toEqual([
      "public.mixed_there is a foreign table: its changes are not in the WAL",
      "public.mixed_fast is unlogged: its changes are not in the WAL",
    ]);
    expect((await client.query("SELECT FROM capture.problems()")).rowCount).toBe(0);
    expect(await watchedTables()).toContain("public.mixed_here");
  });

  it("finds a partition that was missed when maintenance republishes", async () => {
    await client.query(`
      ALTER EVENT TRIGGER capture_ddl DISABLE;
      CREATE TABLE sales_west PARTITION OF sales FOR VALUES IN ('west');
      ALTER EVENT TRIGGER capture_ddl ENABLE ALWAYS;`);
    const { rows } = await client.query("SELECT object, problem FROM capture.problems()");
    expect(rows).toEqual([
      { object: "public.sales_west", problem: "is a partition of public.sales but is not watched" },
    ]);
    const report = await maintainSource(client);
    expect(report).toMatchObject({ signalsCleared: true, shapesPublished: 5, problems: [] });
    expect(await watchedTables()).toContain("public.sales_west");
  });
});

describe("Any name that PostgreSQL takes", () => {
  const names = [
    `Order "Items"`,
    "it's; DROP TABLE x --",
    "größe 🦄",
    "$1 %s %I",
    "é".repeat(31),
    "select",
    "back\\slash",
  ];

  it("can be watched, changed, renamed and let go, and arrives in the signals as it is", async () => {
    for (const name of names) {
      const quoted = client.escapeIdentifier(name);
      await client.query(
        `CREATE SCHEMA ${quoted}; CREATE TABLE ${quoted}.${quoted} (${quoted} int PRIMARY KEY, b text, c text)`,
      );
      const table = `${quoted}.${quoted}`;
      await client.query("SELECT capture.watch($1::regclass, ARRAY['b'], ARRAY['c'], true)", [table]);
      await client.query(`ALTER TABLE ${table} RENAME COLUMN c TO "c ""2"""`);
      await client.query(`TRUNCATE ${table}`);
      await client.query("SELECT capture.unwatch($1::regclass)", [table]);
      const signals = await takeSignals(client);
      expect(signals.map(({ kind, body }) => body.reason ?? kind)).toEqual([
        "watch",
        "ddl",
        "session",
        "truncate",
        "unwatch",
      ]);
      expect(signals[0]?.table).toBe(`${name}.${name}`);
      expect(signals[1]?.body).toMatchObject({
        key: [name],
        columns: [
          { name, type: "integer", number: 1 },
          { name: "b", type: "text", ignored: true, number: 2 },
          { name: 'c "2"', type: "text", redacted: true, number: 3 },
        ],
      });
      expect(signals[3]?.table).toBe(`${name}.${name}`);
    }
  });
});

describe("DDL", () => {
  it("of a role without any right on the capture is told like any other", async () => {
    await client.query(`
      CREATE ROLE developer LOGIN PASSWORD 'developer';
      CREATE SCHEMA app AUTHORIZATION developer;
      CREATE TABLE app.t (id int PRIMARY KEY);
      ALTER TABLE app.t OWNER TO developer;
      SELECT capture.watch('app.t');`);
    await takeSignals(client);
    const developer = await server.connect({ database: client.database, user: "developer", password: "developer" });
    await developer.query("ALTER TABLE app.t ADD COLUMN a int");
    await developer.query("CREATE TEMPORARY TABLE scratch (id int); DROP TABLE scratch");
    await developer.query("DROP TABLE app.t");
    expect((await takeSignals(client)).map(({ body }) => body.reason)).toEqual(["ddl", "drop"]);
    await client.query("DROP OWNED BY developer; DROP ROLE developer");
  });

  it("that moves a table to another schema leaves it readable for a full load, or the checks say that it is not", async () => {
    await client.query("CREATE SCHEMA app; CREATE TABLE t (id int PRIMARY KEY); SELECT capture.watch('t')");
    await client.query("ALTER TABLE t SET SCHEMA app");
    await client.query("SET ROLE cdc_capture");
    expect((await client.query("SELECT FROM app.t")).rowCount).toBe(0);
    await client.query("RESET ROLE; REVOKE USAGE ON SCHEMA app FROM cdc_capture");
    expect((await client.query("SELECT object, problem FROM capture.problems()")).rows).toEqual([
      { object: "app.t", problem: "cannot be read by cdc_capture" },
    ]);
  });

  it("never fails because of the capture: what goes wrong is a warning, and the next republish makes up for it", async () => {
    await client.query("CREATE TABLE t (id int PRIMARY KEY); SELECT capture.watch('t')");
    await client.query("ALTER TABLE capture.signal ADD CONSTRAINT broken CHECK (false) NOT VALID");
    await client.query("ALTER TABLE t ADD COLUMN a int");
    expect(database.warnings).toEqual([expect.stringContaining("the audit pipeline was not told of this ALTER TABLE")]);
    await client.query("CREATE TABLE other (id int); DROP TABLE other; DROP TABLE t");
    expect(database.warnings).toHaveLength(2);
    await client.query("ALTER TABLE capture.signal DROP CONSTRAINT broken");
    expect(await maintainSource(client)).toMatchObject({ shapesPublished: 0, problems: [] });
  });

  it("that removes the capture altogether goes through, and so does bootstrapping it again", async () => {
    await client.query("CREATE TABLE t (id int PRIMARY KEY); SELECT capture.watch('t')");
    await client.query("DROP SCHEMA capture CASCADE");
    await client.query("ALTER TABLE t ADD COLUMN a int; TRUNCATE t; DROP TABLE t");
    await bootstrapSource(client, { tables: [] });
  });
});

describe("Letting go", () => {
  it.each([
    ["DEFAULT", "d"],
    ["NOTHING", "n"],
    ["FULL", "f"],
    ["USING INDEX t_other_key", "i"],
  ])("gives back replica identity %s", async (identity, code) => {
    await client.query(`
      CREATE TABLE t (id int PRIMARY KEY, other int NOT NULL UNIQUE);
      ALTER TABLE t REPLICA IDENTITY ${identity};
      SELECT capture.watch('t');
      SELECT capture.watch('t', '{}');
      SELECT capture.unwatch('t');`);
    expect(await replicaIdentity("t")).toBe(code);
    expect(await captureTriggers("t")).toEqual([]);
    const { rows } = await client.query("SELECT has_table_privilege('cdc_capture', 't', 'SELECT') AS readable");
    expect(rows).toEqual([{ readable: false }]);
  });

  it("leaves an identity that somebody else has set since", async () => {
    await client.query(`
      CREATE TABLE t (id int PRIMARY KEY);
      SELECT capture.watch('t');
      ALTER TABLE t REPLICA IDENTITY NOTHING;
      SELECT capture.unwatch('t');`);
    expect(await replicaIdentity("t")).toBe("n");
  });
});

describe("Source maintenance", () => {
  it("reports how much WAL each slot keeps and whether anybody reads it", async () => {
    const slot = `slot_of_${client.database}`;
    await client.query("SELECT pg_create_logical_replication_slot($1, 'test_decoding')", [slot]);
    const { slots } = await maintainSource(client);
    expect(slots).toEqual([
      { name: slot, plugin: "test_decoding", active: false, retainedBytes: expect.any(Number), walStatus: "reserved" },
    ]);
    expect(slots[0]?.retainedBytes).toBeGreaterThan(0);
    await client.query("SELECT pg_drop_replication_slot($1)", [slot]);
  });

  it("leaves the signals for the next run when writers hold them, and publishes all the same", async () => {
    const writer = await server.connect({ database: client.database });
    await writer.query("BEGIN; SELECT capture.write_canary(gen_random_uuid())");
    expect(await maintainSource(client, { clearAttempts: 2 })).toMatchObject({ signalsCleared: false });
    await writer.query("COMMIT");
  });
});
