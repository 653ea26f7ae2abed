import type { Client } from "pg";
import { beforeAll, describe, expect, it } from "vitest";
import { captureDatabase } from "../support/capture";
import { errorOf } from "../../../local/servers/test-server";
import { takeSignals } from "../support/signals";

const database = captureDatabase();
let client: Client;

beforeAll(() => {
  ({ client } = database);
});

const run = (sql: string) => client.query(sql);

const problems = async () =>
  (await client.query<{ object: string; problem: string; fix: string }>("SELECT * FROM capture.problems()")).rows;

const lastKey = async () => (await takeSignals(client)).at(-1)?.body.key;

/** Watching warns of what the checks then name, and its fix mends it. */
async function expectLoss(table: string, problem: RegExp) {
  const [found, ...others] = await problems();
  expect(others).toEqual([]);
  expect(found).toMatchObject({ object: table, problem: expect.stringMatching(problem) as string });
  expect(database.warnings).toEqual([`${table} ${found?.problem}`]);
  await run(found!.fix);
  expect(await problems()).toEqual([]);
}

describe("A record's key", () => {
  it("is a plain unique index over NOT NULL columns where there is no primary key, the same one however it was made", async () => {
    await run(`
      CREATE TABLE seen (room text NOT NULL, usr text NOT NULL, mail text NOT NULL, at bigint NOT NULL, n int);
      CREATE UNIQUE INDEX a ON seen (room, usr) INCLUDE (at);
      CREATE UNIQUE INDEX b ON seen (usr, at);
      CREATE UNIQUE INDEX partial ON seen (at) WHERE n > 0;
      CREATE UNIQUE INDEX expression ON seen (lower(room));
      CREATE UNIQUE INDEX nullable ON seen (n);
      ALTER TABLE seen ADD CONSTRAINT later UNIQUE (mail) DEFERRABLE;
      SELECT capture.watch('seen')`);
    expect(await lastKey()).toEqual(["room", "usr"]);
    expect(database.warnings).toEqual([]);
    await run("DROP INDEX a");
    expect(await lastKey()).toEqual(["usr", "at"]);
    await run("CREATE UNIQUE INDEX a ON seen (room, usr)");
    expect(await lastKey()).toEqual(["room", "usr"]);
    await run("CREATE UNIQUE INDEX shortest ON seen (at)");
    expect(await lastKey()).toEqual(["at"]);
    await run("ALTER TABLE seen ALTER COLUMN at DROP NOT NULL");
    expect(await lastKey()).toEqual(["room", "usr"]);
    await run("ALTER TABLE seen ADD PRIMARY KEY (n, usr)");
    expect(await lastKey()).toEqual(["n", "usr"]);
  });

  it("avoids an index over redacted or ignored columns, which may be watched as before", async () => {
    await run(`
      CREATE TABLE users (mail text NOT NULL UNIQUE, number bigint NOT NULL UNIQUE, seen int NOT NULL UNIQUE);
      SELECT capture.watch('users', '{seen}', '{mail}')`);
    expect(await lastKey()).toEqual(["number"]);
    await run("ALTER TABLE users DROP CONSTRAINT users_number_key");
    expect(await lastKey()).toEqual([]);
    const keyless = ": its audit events carry no key";
    expect((await problems()).map(({ problem }) => problem)).toEqual([`has a redacted column in its key${keyless}`]);
    await run("ALTER TABLE users DROP CONSTRAINT users_mail_key");
    expect((await problems()).map(({ problem }) => problem)).toEqual([`has an ignored column in its key${keyless}`]);
  });

  it("is that of the identity index where old rows hold no other column", async () => {
    await run(`
      CREATE TABLE x (id int PRIMARY KEY, a int NOT NULL, b text);
      CREATE UNIQUE INDEX xu ON x (a) INCLUDE (b);
      ALTER TABLE x REPLICA IDENTITY USING INDEX xu;
      SELECT capture.watch('x', replica_identity => 'keep')`);
    expect((await takeSignals(client)).at(-1)?.body).toMatchObject({ replica_identity: "index", key: ["a"] });
  });

  it("survives an index that was built again beside the old one", async () => {
    await run("CREATE TABLE t (a int NOT NULL); CREATE UNIQUE INDEX one ON t (a); SELECT capture.watch('t')");
    await run("REINDEX INDEX CONCURRENTLY one");
    await takeSignals(client);
    await run("DROP INDEX one");
    expect(await lastKey()).toEqual([]);
  });
});

describe("A deferrable primary key", () => {
  it("is refused as the replica identity, for its updates and deletes would say nothing", async () => {
    await run("CREATE TABLE d (id int PRIMARY KEY DEFERRABLE, a int NOT NULL)");
    expect(await errorOf(run("SELECT capture.watch('d', replica_identity => 'default')"))).toMatchObject({
      message: expect.stringMatching(/^the primary key of public\.d is deferrable: with replica identity default/),
      hint: expect.stringMatching(/^Use replica identity full\. Or make a plain unique index/),
    });
    await run(`
      CREATE UNIQUE INDEX plain ON d (a); ALTER TABLE d REPLICA IDENTITY USING INDEX plain;
      SELECT capture.watch('d', replica_identity => 'keep')`);
    expect(database.warnings).toEqual([]);
    expect(await problems()).toEqual([]);
  });

  it("is named when it was kept, and is no matter under full identity", async () => {
    await run("CREATE TABLE d (id int PRIMARY KEY DEFERRABLE)");
    await run("SELECT capture.watch('d', replica_identity => 'keep')");
    expect((await takeSignals(client)).at(-1)?.body).toMatchObject({ replica_identity: "nothing", key: ["id"] });
    await expectLoss("public.d", /^has a deferrable primary key, .*: its updates and deletes cannot be captured$/);
    expect((await takeSignals(client)).at(-1)?.body).toMatchObject({ replica_identity: "full", key: ["id"] });
  });
});

describe("What capture loses is warned of, and named as long as it is so:", () => {
  it("an identity whose index was dropped", async () => {
    await run(`
      CREATE TABLE x (id int PRIMARY KEY, a int NOT NULL);
      CREATE UNIQUE INDEX xu ON x (a);
      ALTER TABLE x REPLICA IDENTITY USING INDEX xu;
      DROP INDEX xu;
      SELECT capture.watch('x', replica_identity => 'keep')`);
    await expectLoss("public.x", /^has lost the index of its replica identity: its updates and deletes/);
  });

  it("an identity whose index was dropped while it was watched, in a signal too", async () => {
    await run(`
      CREATE TABLE x (id int PRIMARY KEY, a int NOT NULL);
      CREATE UNIQUE INDEX xu ON x (a);
      ALTER TABLE x REPLICA IDENTITY USING INDEX xu;
      SELECT capture.watch('x', replica_identity => 'keep')`);
    await takeSignals(client);
    await run("DROP INDEX xu");
    expect((await takeSignals(client)).map(({ body }) => body.changes)).toEqual([
      [
        { change: "key", from: ["a"], to: ["id"] },
        { change: "replica identity", from: "index", to: "nothing" },
      ],
    ]);
    expect((await problems()).map(({ problem }) => problem)).toEqual([
      "has lost the index of its replica identity: its updates and deletes cannot be captured",
    ]);
  });

  it("columns in which a value may be longer than DMS takes", async () => {
    await run(`
      CREATE DOMAIN title AS varchar;
      CREATE TABLE mails (id int PRIMARY KEY, body varchar, subject varchar(200), name title, tags varchar[], note text);
      SELECT capture.watch('mails')`);
    expect((await problems())[0]?.fix).toBe(
      "ALTER TABLE public.mails ALTER COLUMN body TYPE text, ALTER COLUMN name TYPE text",
    );
    await expectLoss("public.mails", /^has columns of type varchar without a length: body, name; DMS takes 8000 bytes/);
  });

  it("such columns where DMS would carry no text: in a key, and without one", async () => {
    await run("CREATE TABLE users (mail varchar PRIMARY KEY); SELECT capture.watch('users')");
    await expectLoss("public.users", /^has columns of type varchar without a length: mail;/);
    await run("CREATE TABLE notes (body varchar)");
    const { rows } = await client.query("SELECT fix FROM capture.column_losses(ARRAY['public.notes'::regclass::oid])");
    expect(rows).toEqual([{ fix: "ALTER TABLE public.notes ALTER COLUMN body TYPE varchar(2000)" }]);
  });

  it("such columns no longer once the pipeline has a limit of its own", async () => {
    await run(
      "CREATE TABLE mails (id int PRIMARY KEY, body varchar); INSERT INTO capture.limits VALUES ('unbounded varchar bytes', 65536)",
    );
    await run("SELECT capture.watch('mails')");
    expect(database.warnings).toEqual([]);
    expect(await problems()).toEqual([]);
    await run("UPDATE capture.limits SET value = 100");
    expect((await problems())[0]?.problem).toContain("DMS takes 100 bytes of one");
  });

  it("records without any key", async () => {
    await run("CREATE TABLE edge (a text, b varchar(10)); SELECT capture.watch('edge')");
    await expectLoss(
      "public.edge",
      /^has no primary key and no unique index: its records can't be found by key, and DMS leaves out its columns a$/,
    );
    expect(await lastKey()).toEqual(["record_id"]);
  });

  it("records whose unique index may hold nulls", async () => {
    await run("CREATE TABLE t (id int UNIQUE, note text); SELECT capture.watch('t')");
    await expectLoss("public.t", /^has no primary key and no plain unique index over NOT NULL columns/);
    expect(await lastKey()).toEqual(["id"]);
  });

  it("a key that is redacted", async () => {
    await run("CREATE TABLE t (id int PRIMARY KEY, mail text NOT NULL)");
    await run("SELECT capture.watch('t', '{}', '{mail}')");
    await run("ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (mail)");
    await expectLoss("public.t", /^has a redacted column in its key: its audit events carry no key$/);
    expect(await lastKey()).toEqual(["record_id"]);
  });

  it("a key that is redacted, where old rows hold no other column", async () => {
    await run("CREATE TABLE t (id int PRIMARY KEY, mail text NOT NULL)");
    await run("SELECT capture.watch('t', '{}', '{mail}', replica_identity => 'default')");
    await run("ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (mail)");
    await expectLoss("public.t", /^has a redacted column in its key: its audit events carry no key$/);
    expect((await takeSignals(client)).at(-1)?.body).toMatchObject({ replica_identity: "full", key: ["record_id"] });
  });

  it("digits that DMS cuts off", async () => {
    await run("CREATE DOMAIN sum AS numeric; CREATE DOMAIN price AS numeric(8, 2)");
    await run("CREATE TABLE t (id int PRIMARY KEY, a numeric, b sum, c price, d numeric[], e timetz)");
    await run("SELECT capture.watch('t')");
    await expectLoss(
      "public.t",
      /^has columns that DMS shortens: a \(numeric without a precision\), b \(numeric without a precision\), e \(timetz\); /,
    );
  });

  it("children by inheritance, whose rows statements on the parent change", async () => {
    await run(`
      CREATE TABLE sensors (id int PRIMARY KEY, v int);
      CREATE TABLE sensors_2025 (PRIMARY KEY (id)) INHERITS (sensors);
      SELECT capture.watch('sensors')`);
    await expectLoss("public.sensors", /^is inherited by public\.sensors_2025, which is not watched: /);
  });

  it("rows that row security hides from a full load", async () => {
    await run(`
      CREATE TABLE cases (id int PRIMARY KEY, tenant text);
      ALTER TABLE cases ENABLE ROW LEVEL SECURITY;
      CREATE POLICY own ON cases USING (tenant = current_setting('app.tenant', true));
      SELECT capture.watch('cases')`);
    // On Aurora no role may bypass row security.
    await run("CREATE ROLE rds_superuser");
    await expectLoss("public.cases", /^has row security that may hide rows from cdc_capture/);
    await run("DROP ROLE rds_superuser; CREATE POLICY not_all ON cases AS RESTRICTIVE USING (tenant <> 'x')");
    const [found] = await problems();
    expect(found?.fix).toBe("ALTER ROLE cdc_capture BYPASSRLS");
    await run(found!.fix);
    expect(await problems()).toEqual([]);
    await run("ALTER ROLE cdc_capture NOBYPASSRLS");
  });

  it("settings of the role that DMS reads as, which outrank those of the database", async () => {
    await run("ALTER ROLE cdc_capture RESET timezone; ALTER ROLE cdc_capture SET datestyle = 'German'");
    const found = await problems();
    expect(found.map(({ object, problem }) => `${object} ${problem.split(":")[0]}`)).toEqual([
      "role cdc_capture lacks its setting DateStyle = ISO, YMD",
      "role cdc_capture lacks its setting TimeZone = UTC",
    ]);
    for (const { fix } of found) await run(fix);
    expect(await problems()).toEqual([]);
  });
});

describe("What somebody has changed is named with SQL that mends it:", () => {
  const watched = "CREATE TABLE t (id int PRIMARY KEY); SELECT capture.watch('t', identify_actor => true)";
  const ofTable = "public.t";

  it.each([
    ["a missing event trigger", watched, "DROP EVENT TRIGGER capture_ddl", "event trigger capture_ddl"],
    ["a disabled event trigger", watched, "ALTER EVENT TRIGGER capture_drop DISABLE", "event trigger capture_drop"],
    [
      "an event trigger that replicas skip",
      watched,
      "ALTER EVENT TRIGGER capture_rewrite ENABLE",
      "event trigger capture_rewrite",
    ],
    ["an unlogged table", watched, "ALTER TABLE t SET UNLOGGED", ofTable],
    ["another replica identity", watched, "ALTER TABLE t REPLICA IDENTITY DEFAULT", ofTable],
    ["a replica identity that identifies nothing", watched, "ALTER TABLE t REPLICA IDENTITY NOTHING", ofTable],
    ["no truncate trigger", watched, "DROP TRIGGER capture_truncate ON t", ofTable],
    ["no actor trigger", watched, "DROP TRIGGER capture_actor ON t", ofTable],
    ["a right that was taken", watched, "REVOKE SELECT ON t FROM cdc_capture", ofTable],
    [
      "a parent without an actor trigger",
      `CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE t PARTITION OF p DEFAULT;
       SELECT capture.watch('p', identify_actor => true)`,
      "DROP TRIGGER capture_actor ON p",
      "public.p public.t",
    ],
    [
      "a partition that nobody saw come",
      "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); SELECT capture.watch('p')",
      "SET client_min_messages = error; ALTER EVENT TRIGGER capture_ddl DISABLE; CREATE TABLE t PARTITION OF p DEFAULT; ALTER EVENT TRIGGER capture_ddl ENABLE ALWAYS",
      ofTable,
    ],
    ["a table that DMS no longer reads", watched, "INSERT INTO capture.selection VALUES ('public', 'other')", ofTable],
    [
      "a table that DMS reads and nobody watches",
      "SELECT",
      "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO capture.selection VALUES ('public', '%')",
      ofTable,
    ],
  ])("%s", async (_, prepare, change, objects) => {
    await run(prepare);
    expect(await problems()).toEqual([]);
    await run(change);
    const found = await problems();
    expect(found.map(({ object }) => object).join(" ")).toBe(objects);
    await run(found[0]!.fix);
    expect(await problems()).toEqual([]);
  });
});

describe("The role that DMS reads as", () => {
  it("reads values in the forms that the log expects, and is not ended, whatever the database sets", async () => {
    const name = client.escapeIdentifier(client.database!);
    await run(`
      ALTER DATABASE ${name} SET datestyle = 'SQL, DMY';
      ALTER DATABASE ${name} SET timezone = 'Asia/Kolkata';
      ALTER DATABASE ${name} SET intervalstyle = 'sql_standard';
      ALTER DATABASE ${name} SET bytea_output = 'escape';
      ALTER DATABASE ${name} SET extra_float_digits = -10;
      ALTER DATABASE ${name} SET statement_timeout = '5s'`);
    const timeout = await client.query("SELECT FROM pg_settings WHERE name = 'transaction_timeout'");
    if (timeout.rowCount) await run(`ALTER DATABASE ${name} SET transaction_timeout = '60s'`);
    await run("ALTER ROLE cdc_capture PASSWORD 'capture'");
    const reader = await database.server.connect({
      database: client.database!,
      user: "cdc_capture",
      password: "capture",
    });
    const { rows } = await reader.query(`
      SELECT current_setting('datestyle') AS datestyle, current_setting('statement_timeout') AS statement_timeout,
        coalesce(current_setting('transaction_timeout', true), '0') AS transaction_timeout,
        '2026-02-01 12:00+00'::timestamptz::text AS at, '1 day 2 hours'::interval::text AS duration,
        '\\x01ff'::bytea::text AS bytes, (0.1::float8 + 0.2)::text AS number`);
    await run(`ALTER DATABASE ${name} RESET ALL`);
    expect(rows).toEqual([
      {
        datestyle: "ISO, YMD",
        statement_timeout: "0",
        transaction_timeout: "0",
        at: "2026-02-01 12:00:00+00",
        duration: "1 day 02:00:00",
        bytes: "\\x01ff",
        number: "0.30000000000000004",
      },
    ]);
  });
});
