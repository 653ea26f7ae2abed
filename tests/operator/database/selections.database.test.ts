import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bootstrapSource, checkSource, uninstallSource } from "../../../operator/database/bootstrap";
import { type DatabaseClient, TestServer } from "../../../local/servers/test-server";
import { watchedTables } from "../../database/support/watched-tables";

let server: TestServer;
let client: DatabaseClient;

beforeAll(async () => {
  server = await TestServer.start();
});

afterAll(() => server.stop());

beforeEach(async () => {
  client = await server.createDatabase();
  await client.query(`
    CREATE SCHEMA shop;
    CREATE TABLE shop.orders (id int PRIMARY KEY, note text, secret text);
    CREATE TABLE shop.order_lines (id int PRIMARY KEY, note text);`);
});

const orders = { schema: "shop", table: "orders" };
const excluded = (table: string) => ({ schema: "shop", table, exclude: true });

describe("Table selections", () => {
  it("take every table of a schema that is there now, partitioned ones with their partitions, and nothing else", async () => {
    await client.query(`
      CREATE TABLE shop.events (id int) PARTITION BY RANGE (id);
      CREATE TABLE shop.events_1 PARTITION OF shop.events FOR VALUES FROM (0) TO (10);
      CREATE UNLOGGED TABLE shop.scratch (id int);
      CREATE VIEW shop.overview AS SELECT 1 AS id;
      CREATE TABLE shop.awsdms_ddl_audit (id int);`);
    await bootstrapSource(client, { tables: [{ schema: "shop", table: "%" }] });
    expect(await watchedTables(client)).toEqual(["shop.events", "shop.events_1", "shop.order_lines", "shop.orders"]);
  });

  it("take % for any characters and every other character for itself", async () => {
    await client.query("CREATE TABLE shop.orderxlines (id int)");
    await bootstrapSource(client, { tables: [{ schema: "shop", table: "order_l%" }] });
    expect(await watchedTables(client)).toEqual(["shop.order_lines"]);
  });

  it("let the exact name win over patterns and the longest pattern over others, and a pattern skip columns that a table lacks", async () => {
    await bootstrapSource(client, {
      tables: [
        { ...orders, ignoredColumns: ["note"], identifyActor: true },
        { schema: "shop", table: "order_l%", redactedColumns: ["secret", "note"] },
        { schema: "shop", table: "order%", ignoredColumns: ["note"] },
        { schema: "shop", table: "%" },
      ],
    });
    const { rows } = await client.query(
      "SELECT table_name, ignored_columns, redacted_columns, identify_actor FROM capture.watched_tables ORDER BY 1",
    );
    expect(rows).toEqual([
      { table_name: "order_lines", ignored_columns: [], redacted_columns: ["note"], identify_actor: false },
      { table_name: "orders", ignored_columns: ["note"], redacted_columns: [], identify_actor: true },
    ]);
  });

  it("leave out what an entry excludes, whatever else names it, and tell when it was audited before", async () => {
    await bootstrapSource(client, { tables: [{ schema: "shop", table: "%" }] });
    await bootstrapSource(client, { tables: [excluded("order_%"), { schema: "shop", table: "%" }, excluded("later")] });
    await client.query("CREATE TABLE shop.later (id int PRIMARY KEY); CREATE TABLE shop.latest (id int PRIMARY KEY)");
    expect(await watchedTables(client)).toEqual(["shop.latest", "shop.order_lines", "shop.orders"]);
    const { rows } = await client.query<{ object: string; fix: string }>("SELECT object, fix FROM capture.problems()");
    expect(rows).toEqual([{ object: "shop.order_lines", fix: "SELECT capture.unwatch('shop.order_lines')" }]);
    await client.query(rows[0]!.fix);
    expect((await client.query("SELECT FROM capture.problems()")).rows).toEqual([]);
  });

  it("leave members of extensions out of a pattern, name them everywhere, and take one that is named", async () => {
    await client.query(`
      CREATE TABLE shop.reference (id int PRIMARY KEY);
      ALTER EXTENSION plpgsql ADD TABLE shop.reference`);
    const tables = [{ schema: "shop", table: "%" }];
    const { warnings } = await bootstrapSource(client, { tables });
    expect(warnings).toEqual([
      "shop.reference matches a pattern and is not watched, because it belongs to the extension plpgsql. DMS reads it all " +
        'the same, without its types and without redaction: add {"schema":"shop","table":"reference","exclude":true} to ' +
        "the tables.",
    ]);
    // As when the extension itself touches its table.
    await client.query("ALTER TABLE shop.reference ADD COLUMN more int");
    expect(await watchedTables(client)).toEqual(["shop.order_lines", "shop.orders"]);
    expect((await client.query("SELECT * FROM capture.problems()")).rows).toEqual([
      {
        object: "shop.reference",
        problem:
          "is read by DMS, but not watched: its shape and truncates are unknown, and no column is redacted; a pattern does " +
          "not take it, because it belongs to the extension plpgsql",
        fix: 'Add {"schema" : "shop", "table" : "reference", "exclude" : true} to the tables of the pipeline and deploy.',
      },
    ]);
    expect((await bootstrapSource(client, { tables: [...tables, excluded("reference")] })).warnings).toEqual([]);
    expect((await client.query("SELECT FROM capture.problems()")).rows).toEqual([]);
    const named = await bootstrapSource(client, { tables: [...tables, { schema: "shop", table: "reference" }] });
    expect(named.warnings).toEqual([]);
    expect(await watchedTables(client)).toEqual(["shop.order_lines", "shop.orders", "shop.reference"]);
    await client.query("ALTER EXTENSION plpgsql DROP TABLE shop.reference");
  });

  it("of a partitioned table are whole: an exclusion of the parent or of a partition alone is refused", async () => {
    await client.query(`
      CREATE TABLE shop.logs (id int) PARTITION BY RANGE (id);
      CREATE TABLE shop.logs_1 PARTITION OF shop.logs FOR VALUES FROM (0) TO (10)`);
    const check = async (...tables: string[]) =>
      (await checkSource(client, { tables: [{ schema: "shop", table: "%" }, ...tables.map(excluded)] })).map(
        ({ what, fix }) => `${what}: ${fix}`,
      );
    expect(await check("logs")).toEqual([
      'shop.logs is partitioned and excluded, and its partition shop.logs_1 is not: Exclude them all, such as with { schema: "shop", table: "logs_%", exclude: true }',
    ]);
    expect(await check("logs_1")).toEqual([
      'shop.logs is partitioned, and no table that is named covers its partition shop.logs_1: Add a pattern that covers them all, such as { schema: "shop", table: "logs_%" }, and exclude none of them',
    ]);
    expect(await check("logs%")).toEqual([]);
  });

  it("warn of columns in which a value may be longer than DMS takes, until it takes more", async () => {
    await client.query("CREATE TABLE shop.mails (id int PRIMARY KEY, body varchar, subject varchar(200))");
    const tables = [{ schema: "shop", table: "mails" }];
    const warnings = async (unboundedVarcharMaxBytes?: number) =>
      (await bootstrapSource(client, { tables, unboundedVarcharMaxBytes })).warnings;
    expect(await warnings()).toEqual([
      expect.stringMatching(
        /^shop\.mails has columns of type varchar without a length: body; DMS takes 8000 bytes of one/,
      ),
    ]);
    expect(await warnings(65_536)).toEqual([]);
    expect((await client.query("SELECT FROM capture.problems()")).rows).toEqual([]);
  });

  it("warn of a pattern that matches nothing yet", async () => {
    const { warnings } = await bootstrapSource(client, { tables: [{ schema: "shop", table: "later_%" }] });
    expect(warnings).toEqual(["shop.later_% matches no table yet. Run the bootstrap again when it does."]);
  });

  it("take hostile names as they are", async () => {
    const name = `It's a "Table"; -- ü`;
    await client.query(`CREATE SCHEMA ${client.escapeIdentifier(name)}`);
    await client.query(
      `CREATE TABLE ${client.escapeIdentifier(name)}.${client.escapeIdentifier(name)} (id int PRIMARY KEY)`,
    );
    await bootstrapSource(client, { tables: [{ schema: name, table: name }] });
    expect(await watchedTables(client)).toEqual([`${name}.${name}`]);
    await uninstallSource(client);
  });
});
