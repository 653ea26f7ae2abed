import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type DatabaseClient, TestServer } from "../../../local/servers/test-server";
import { bootstrapSource, checkSource, SourceNotReadyError } from "../../../operator/database/bootstrap";
import type { SizeLimits } from "../../../operator/database/check-sizes";

let server: TestServer;
let client: DatabaseClient;

beforeAll(async () => {
  server = await TestServer.start();
});

afterAll(() => server.stop());

beforeEach(async () => {
  client = await server.createDatabase();
  await client.query("CREATE SCHEMA app");
});

const tables = [{ schema: "app", table: "%" }];
/** Small limits, so that small values are above them. */
const small = { lobMaxSizeKilobytes: 16, unboundedVarcharMaxBytes: 8000, messageMaxBytes: 100_000 };

const problems = async (limits: SizeLimits = small) => checkSource(client, { tables, ...limits });
const found = async (limits?: SizeLimits) => (await problems(limits)).map(({ what }) => what);

describe("Values that are there already", () => {
  it("stop a bootstrap where a varchar without a length holds more than DMS takes, until its fix has run", async () => {
    await client.query(`
      CREATE TABLE app.mails (id int PRIMARY KEY, body varchar, subject varchar(9000));
      INSERT INTO app.mails VALUES (1, repeat('ü', 4000), repeat('x', 9000))`);
    expect(await problems({})).toEqual([]);
    await client.query("INSERT INTO app.mails VALUES (2, repeat('ü', 4001))");
    const [problem, ...others] = await problems({});
    expect(others).toEqual([]);
    expect(problem).toEqual({
      what: 'app.mails."body", a varchar without a length, holds a value of 8002 bytes',
      why: "unboundedVarcharMaxBytes is 8000, and a longer value stops the capture of every table",
      fix: 'Run ALTER TABLE app.mails ALTER COLUMN "body" TYPE text, set unboundedVarcharMaxBytes to 8192 or take app.mails out of the tables',
    });
    await expect(bootstrapSource(client, { tables })).rejects.toThrow(SourceNotReadyError);
    expect(await problems({ unboundedVarcharMaxBytes: 8192 })).toEqual([]);
    await client.query(/ALTER TABLE .* TYPE text/.exec(problem!.fix)![0]);
    expect(await problems({})).toEqual([]);
    await bootstrapSource(client, { tables });
  });

  it("are compared with the limit that their type has, domains, arrays and partitions included", async () => {
    await client.query(`
      CREATE DOMAIN app.title AS varchar;
      CREATE DOMAIN app.page AS text;
      CREATE TABLE app.mails (name app.title PRIMARY KEY);
      CREATE TABLE app.docs (id int PRIMARY KEY, plain text, page app.page, doc jsonb, tags text[], scan bytea)
        PARTITION BY RANGE (id);
      CREATE TABLE app.docs_1 PARTITION OF app.docs FOR VALUES FROM (0) TO (10);
      CREATE TABLE app.docs_2 PARTITION OF app.docs FOR VALUES FROM (10) TO (20);
      INSERT INTO app.mails VALUES (repeat('x', 8001));
      INSERT INTO app.docs VALUES (1, repeat('x', 8192), repeat('ü', 8192), NULL, NULL, NULL);
      INSERT INTO app.docs VALUES (2, NULL, NULL, NULL, NULL, decode(repeat('00', 16384), 'hex'))`);
    expect(await found()).toEqual(['app.mails."name", a varchar without a length, holds a value of 8001 bytes']);
    // DMS carries no text in a key.
    expect((await problems())[0]?.fix).toBe("Set unboundedVarcharMaxBytes to 8192 or take app.mails out of the tables");
    await client.query(`
      TRUNCATE app.mails;
      INSERT INTO app.docs VALUES
        (11, repeat('x', 8193), repeat('ü', 8193), to_jsonb(repeat('x', 8191)), ARRAY[repeat('x', 8191)],
          decode(repeat('00', 16385), 'hex'))`);
    expect(await found()).toEqual([
      'app.docs_2."plain" holds a value of 16386 bytes as DMS counts them, two for each character',
      'app.docs_2."page" holds a value of 16386 bytes as DMS counts them, two for each character',
      'app.docs_2."doc" holds a value of 16386 bytes as DMS counts them, two for each character',
      'app.docs_2."tags" holds a value of 16386 bytes as DMS counts them, two for each character',
      'app.docs_2."scan" holds a value of 16385 bytes as DMS counts them',
    ]);
    expect((await problems())[0]).toMatchObject({
      why: "lobMaxSizeKilobytes is 16, and a longer value stops the capture of every table",
      fix: "Set lobMaxSizeKilobytes to 1024 and topics.messageMaxBytes to 4194304 or take app.docs_2 out of the tables",
    });
    expect(await found({ ...small, lobMaxSizeKilobytes: 1024, messageMaxBytes: 4_194_304 })).toEqual([]);
    // Of a table without a key DMS carries no LOB.
    await client.query("ALTER TABLE app.docs DROP CONSTRAINT docs_pkey");
    expect(await found()).toEqual([]);
  });

  it("are compared as whole rows with what a message holds, twice where the old row goes along", async () => {
    await client.query(`
      CREATE TABLE app.pages (id int PRIMARY KEY, head text, body text);
      ALTER TABLE app.pages ALTER head SET STORAGE EXTERNAL, ALTER body SET STORAGE EXTERNAL;
      INSERT INTO app.pages VALUES (1, repeat('x', 30000), repeat('y', 30000))`);
    const limits = { ...small, lobMaxSizeKilobytes: 1024 };
    expect(await problems(limits)).toEqual([
      {
        what: "A row of app.pages has about 60000 bytes",
        why: "A change of it takes a message of 120000 bytes, as it carries the old row and the new one; topics.messageMaxBytes is 100000, and a larger message stops the capture of every table",
        fix: "Set topics.messageMaxBytes to 131072, or take app.pages out of the tables",
      },
    ]);
    expect(await found({ ...limits, messageMaxBytes: 131_072 })).toEqual([]);
    expect(
      await checkSource(client, { ...limits, tables: [{ schema: "app", table: "pages", replicaIdentity: "default" }] }),
    ).toEqual([]);
    expect(await problems({})).toEqual([]);
  });

  it("are not waited for: a table that somebody has locked is passed over", async () => {
    await client.query(
      "CREATE TABLE app.mails (id int PRIMARY KEY, body varchar); INSERT INTO app.mails VALUES (1, repeat('x', 9000))",
    );
    const other = await server.connect({ database: client.database });
    await other.query("BEGIN; LOCK TABLE app.mails");
    expect(await problems()).toEqual([]);
    await other.query("ROLLBACK");
    expect(await problems()).toHaveLength(1);
  });
});
