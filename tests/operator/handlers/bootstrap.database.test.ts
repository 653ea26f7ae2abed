import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { databaseRoles } from "../../../contract/database-roles";
import type { AuditedTable, BootstrapRequest } from "../../../contract/operator";
import { type DatabaseSide, sqlFiles, sqlVersion, sqlVersionFunction } from "../../../database";
import { bootstrap, type BootstrapResult } from "../../../operator/handlers/bootstrap";
import { takeInventory } from "../../../operator/database/inventory";
import { storeEvents } from "../../database/support/audit-events";
import { administrator, connectAdministrator, createAuroraRoles } from "../../database/support/aurora";
import { accessTo, operate, type Operation, type OperationOptions } from "../support/operator";
import { type DatabaseClient, errorOf, superuser, TestServer } from "../../../local/servers/test-server";
import { takeSignals } from "../../database/support/signals";

const captureSecret = "test/cdc_capture";
const writerSecret = "test/audit_writer";
const reviewSecret = "test/audit_review";
const secrets = {
  [captureSecret]: { username: databaseRoles.capture, password: `capture It's "quoted" \\ $1 %20 {}` },
  [writerSecret]: { username: databaseRoles.writer, password: `writer It's "quoted" \\ $1; +/=.:` },
  [reviewSecret]: { username: databaseRoles.review, password: `review It's "quoted" \\ $1; +/=.:` },
};
const orders: AuditedTable = { schema: "shop", table: "orders" };

/** Every log line of the operator and every result and error, which must hold no password. */
const said: string[] = [];

let server: TestServer;
let source: DatabaseClient;
let destination: DatabaseClient;

beforeAll(async () => {
  server = await TestServer.start();
});

afterAll(() => server.stop());

beforeEach(async () => {
  source = await server.createDatabase();
  destination = await server.createDatabase();
  await source.query("CREATE SCHEMA shop; CREATE TABLE shop.orders (id int PRIMARY KEY, note text)");
});

interface Sides {
  readonly source?: DatabaseClient;
  readonly destination?: DatabaseClient;
  readonly tables?: readonly AuditedTable[];
  readonly actorSources?: readonly string[];
  readonly on?: TestServer;
}

function requestFor(sides: Sides = {}): BootstrapRequest {
  const on = sides.on ?? server;
  return {
    action: "bootstrap",
    source: {
      ...accessTo(on, (sides.source ?? source).database),
      captureSecretArn: captureSecret,
      tables: sides.tables ?? [orders],
      ...(sides.actorSources && { actorSources: sides.actorSources }),
    },
    destination: {
      ...accessTo(server, (sides.destination ?? destination).database),
      writerSecretArn: writerSecret,
    },
    lockTimeoutMilliseconds: 5_000,
  };
}

async function run(request: BootstrapRequest, options: OperationOptions = {}): Promise<Operation<BootstrapResult>> {
  const operation = await operate("bootstrap", { secrets, ...options }, (context) => bootstrap(request, context));
  said.push(...operation.log, JSON.stringify(operation.result ?? ""), String(operation.error?.stack ?? ""));
  return operation;
}

async function done(request: BootstrapRequest, options?: OperationOptions): Promise<BootstrapResult> {
  const { result, error } = await run(request, options);
  if (!result) throw error;
  return result;
}

const changedObjects = ({ source, destination }: BootstrapResult) =>
  [...source.changes, ...destination.changes].map(({ object }) => object);

describe("The bootstrap", () => {
  // First, while this server has none of the roles.
  it("runs twice at once on empty databases, and either says truly what it made", async () => {
    const results = await Promise.all([done(requestFor()), done(requestFor())]);
    const made = results.map(({ source }) => source.changes.filter(({ object }) => object === "schema capture"));
    expect(made.flat()).toEqual([{ object: "schema capture", change: "created" }]);
    expect(changedObjects(await done(requestFor()))).toEqual([]);
  });

  it("prepares two databases, and run again finds nothing to do but to set the passwords again", async () => {
    const first = await done(requestFor());
    expect(first.source.changes).toContainEqual({ object: "watch on shop.orders", change: "created" });
    expect(first.destination.changes).toContainEqual({ object: "view audit.log", change: "created" });
    expect(await done(requestFor())).toEqual({
      source: { changes: [], passwordsSet: [databaseRoles.capture], warnings: [] },
      destination: { changes: [], passwordsSet: [databaseRoles.writer], warnings: [] },
    });
  });

  it("sets the sources of actors that it is told, and leaves those that an administrator has set", async () => {
    const tables = [{ ...orders, identifyActor: true }];
    const actor = async () => {
      await takeSignals(source);
      await source.query(`
        BEGIN;
        SET LOCAL app.user_id = 'mia';
        SET LOCAL jwt.claims.user_id = '27';
        INSERT INTO shop.orders SELECT coalesce(max(id), 0) + 1 FROM shop.orders;
        COMMIT`);
      const [signal] = await takeSignals(source);
      return signal?.body.actor;
    };
    await done(requestFor({ tables }));
    expect(await actor()).toBe("27");

    const asked = requestFor({ tables, actorSources: ["app.user_id", "request.jwt.claims ->> email"] });
    const saidElsewhere = { object: "function capture.said_elsewhere()", change: "changed" };
    expect((await done(asked)).source.changes).toEqual([saidElsewhere]);
    expect(await actor()).toBe("mia");
    expect((await done(asked)).source.changes).toEqual([]);
    await done(requestFor({ tables }));
    expect(await actor()).toBe("mia");

    await done(requestFor({ tables, actorSources: [] }));
    expect(await actor()).toBe(superuser.user);
    await source.query("SELECT capture.set_actor_sources('{jwt.claims.user_id}')");
    await done(requestFor({ tables }));
    expect(await actor()).toBe("27");
  });

  it("prepares the one side that is asked for, and checks both all the same", async () => {
    const destinationAlone = await done({ ...requestFor(), only: "destination" });
    expect(destinationAlone.destination.changes).toContainEqual({ object: "view audit.log", change: "created" });
    expect(destinationAlone.source).toEqual({ changes: [], passwordsSet: [], warnings: [] });
    expect((await errorOf(source.query("SELECT FROM capture.signal"))).code).toBe("42P01");

    const unknown = requestFor({ tables: [{ schema: "shop", table: "nowhere" }] });
    expect((await run({ ...unknown, only: "destination" })).error?.message).toContain(
      "There is no table nowhere in schema shop",
    );

    const sourceAlone = await done({ ...requestFor(), only: "source" });
    expect(sourceAlone.source.changes).toContainEqual({ object: "watch on shop.orders", change: "created" });
    expect(sourceAlone.destination).toEqual({ changes: [], passwordsSet: [], warnings: [] });
  });

  it("checks each database once", async () => {
    const asked: string[] = [];
    const { error } = await run(requestFor(), {
      connect: async ({ database }) => {
        const client = await server.connect({ database });
        const query = client.query.bind(client) as (...args: unknown[]) => unknown;
        return Object.assign(client, {
          query: (text: unknown, ...rest: unknown[]) => {
            if (String(text).includes("current_setting('server_version')")) asked.push(database);
            return query(text, ...rest);
          },
        });
      },
    });
    expect(error).toBeUndefined();
    expect(asked.sort()).toEqual([source.database, destination.database].sort());
  });

  it("prepares one database for both sides", async () => {
    await done(requestFor({ destination: source }));
    await source.query("INSERT INTO shop.orders VALUES (1)");
    await source.query("SELECT FROM audit.log");
  });

  it("creates the log's own database on the source's server, and finds it there the next time", async () => {
    const request = requestFor();
    const name = `Log "${source.database}"`;
    const ownLog = { ...request, destination: { ...request.destination, database: name } };
    const first = await done(ownLog);
    expect(first.destination.changes).toContainEqual({ object: "view audit.log", change: "created" });
    expect((await done(ownLog)).destination.changes).toEqual([]);
    const log = await server.connect({ database: name });
    await log.query("SELECT FROM audit.log");
    await log.end();
    expect((await errorOf(source.query("SELECT FROM audit.log"))).code).toBe("42P01");
  });

  it("creates no database on a server that is not the source's", async () => {
    const elsewhere = await TestServer.start();
    try {
      const request = requestFor();
      const { port, ...destination } = { ...request.destination, ...accessTo(elsewhere, "absent") };
      const { error } = await run({ ...request, destination: { ...destination, port } });
      expect(error?.message).toContain('database "absent" does not exist');
      expect(error).toMatchObject({ step: "connect to the destination" });
    } finally {
      await elsewhere.stop();
    }
  });

  it("says what to do when it may not create the log's database", async () => {
    await server.connect({ database: source.database }).then(async (superuser) => {
      await superuser.query("CREATE ROLE no_creator LOGIN PASSWORD 'no_creator'");
      await superuser.end();
    });
    const request = requestFor();
    const { error } = await run(
      {
        ...request,
        source: { ...request.source, adminSecretArn: "test/no_creator" },
        destination: { ...request.destination, database: "never_made" },
      },
      { secrets: { ...secrets, "test/no_creator": { username: "no_creator", password: "no_creator" } } },
    );
    expect(error).toMatchObject({ step: "find or create the destination" });
    expect(error?.message).toContain("The database never_made for the audit log does not exist and can't be created");
    expect(error?.fix).toContain("CREATEDB");
  });

  it("lets the roles log in with the passwords of their secrets, and with those of changed secrets", async () => {
    await done(requestFor());
    const login = (database: string, secret: { username: string; password: string }) =>
      server.connect({ database, user: secret.username, password: secret.password });
    await login(source.database, secrets[captureSecret]);
    await login(destination.database, secrets[writerSecret]);
    const rotated = { username: databaseRoles.writer, password: "another-password" };
    await done(requestFor(), { secrets: { ...secrets, [writerSecret]: rotated } });
    await login(destination.database, rotated);
    expect((await errorOf(login(destination.database, secrets[writerSecret]))).code).toBe("28P01");
  });

  it("lets the reviewer's page log in when it is told of its secret, and not otherwise", async () => {
    const { password } = secrets[reviewSecret];
    const login = (password: string) =>
      server.connect({ database: destination.database, user: databaseRoles.review, password });
    const { destination: without } = await done(requestFor());
    expect(without.passwordsSet).toEqual([databaseRoles.writer]);
    expect((await errorOf(login(password))).code).toBe("28P01");

    const request = requestFor();
    const withPage = { ...request, destination: { ...request.destination, reviewSecretArn: reviewSecret } };
    expect((await done(withPage)).destination).toEqual({
      changes: [],
      passwordsSet: [databaseRoles.writer, databaseRoles.review],
      warnings: [],
    });
    const page = await login(password);
    await page.query("SELECT * FROM audit.feed()");
    await page.end();

    const rotated = { username: databaseRoles.review, password: "another-password" };
    await done(withPage, { secrets: { ...secrets, [reviewSecret]: rotated } });
    await (await login(rotated.password)).end();
    expect((await errorOf(login(password))).code).toBe("28P01");
  });

  it("refuses a secret of the page that is another role's, before anything is touched", async () => {
    const request = requestFor();
    const { error } = await run({ ...request, destination: { ...request.destination, reviewSecretArn: writerSecret } });
    expect(error?.message).toContain(databaseRoles.review);
    expect((await errorOf(destination.query("SELECT FROM audit.log"))).code).toBe("42P01");
  });

  it("completes databases in which only a part of the SQL was applied", async () => {
    for (const [side, client] of [
      ["source", source],
      ["destination", destination],
    ] as const) {
      for (const { sql } of sqlFiles(side).slice(0, 4)) await client.query(sql);
    }
    await done(requestFor());
    const fresh = { source: await server.createDatabase(), destination: await server.createDatabase() };
    await fresh.source.query("CREATE SCHEMA shop; CREATE TABLE shop.orders (id int PRIMARY KEY, note text)");
    await done(requestFor(fresh));
    expect(await takeInventory(source)).toEqual(await takeInventory(fresh.source));
    expect(await takeInventory(destination)).toEqual(await takeInventory(fresh.destination));
  });

  it.each([
    { version: 1, versionFunction: "created" },
    { version: 3, versionFunction: "changed" },
  ])(
    "makes databases of version $version of the SQL like new ones while a sink writes, and keeps what they hold",
    async (older) => {
      await applyOlderSql(source, "source", older.version);
      await source.query("SELECT capture.watch('shop.orders'::regclass, identify_actor => true)");
      await applyOlderSql(destination, "destination", older.version);
      await destination.query("SELECT audit.maintain()");
      await storeEvents(destination, [{ committed_at: "2026-11-05T10:00:00Z", operation: "insert" }]);
      const before = await takeInventory(destination);

      const tables = [{ ...orders, identifyActor: true }];
      const sink = await startWriting(destination.database);
      const { source: changed } = await done(requestFor({ tables }));
      const written = await sink.stop();
      // Before the first waited for the bootstrap, and after the last was let go on.
      expect(written.batches).toBeGreaterThan(1);
      expect(written.refused).toEqual([]);
      expect(changed.changes).toContainEqual({
        object: "function capture.sql_version()",
        change: older.versionFunction,
      });
      await takeSignals(source);
      await source.query("ALTER TABLE shop.orders RENAME COLUMN note TO remark; TRUNCATE shop.orders");
      expect((await takeSignals(source)).map(({ kind }) => kind)).toEqual(["catalog", "session", "truncate"]);
      await source.query("ALTER TABLE shop.orders RENAME COLUMN remark TO note");

      const fresh = { source: await server.createDatabase(), destination: await server.createDatabase() };
      await fresh.source.query("CREATE SCHEMA shop; CREATE TABLE shop.orders (id int PRIMARY KEY, note text)");
      await done(requestFor({ ...fresh, tables }));
      expect(await takeInventory(source)).toEqual(await takeInventory(fresh.source));
      expect(await takeInventory(destination)).toEqual(await takeInventory(fresh.destination));
      expect(await takeInventory(destination)).not.toEqual(before);
      const context = { started_at: "2026-11-05T09:59:00Z", ended_at: "2026-11-05T09:59:01Z", rows: 0 };
      await storeEvents(destination, [{ committed_at: "2026-11-05T10:01:00Z", operation: "load", context }]);
      expect((await destination.query("SELECT FROM audit.log")).rowCount).toBe(2 + written.events);
      const unknown = storeEvents(destination, [{ committed_at: "2026-11-05T10:02:00Z", operation: "gossip" }]);
      expect((await errorOf(unknown)).message).toContain("operation_is_known");
      const writer = await server.connect({ database: destination.database });
      await writer.query("SET ROLE audit_writer");
      expect((await errorOf(writer.query("UPDATE audit.events SET actor = 'x'"))).code).toBe("42501");
      expect(await storeEvents(writer, [{ committed_at: "2026-11-05T10:00:01Z", operation: "insert" }])).toBe(1);
    },
  );

  it("records the version of its SQL on both sides", async () => {
    await done(requestFor());
    for (const [side, client] of [
      ["source", source],
      ["destination", destination],
    ] as const) {
      const { rows } = await client.query(`SELECT ${sqlVersionFunction[side]} AS version`);
      expect(rows).toEqual([{ version: sqlVersion(side) }]);
    }
  });

  it("logs one line at the beginning and one at the end of each step", async () => {
    const { log } = await run(requestFor());
    const lines = log.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ step, event }) => `${String(step)}: ${String(event)}`)).toEqual(
      [
        "read the secrets of the roles",
        "connect to the source",
        "find or create the destination",
        "connect to the destination",
        "check both databases",
        "prepare the destination",
        "prepare the source",
      ].flatMap((step) => [`${step}: begin`, `${step}: end`]),
    );
    for (const line of lines.filter(({ event }) => event === "end")) {
      expect(line).toEqual({
        action: "bootstrap",
        step: expect.any(String),
        event: "end",
        outcome: "done",
        milliseconds: expect.any(Number),
      });
    }
  });

  it("works as an administrator who is no superuser, as on Aurora", async () => {
    // A server of its own, whose roles no superuser has made.
    const aurora = await TestServer.start();
    try {
      const audited = await aurora.createDatabase();
      await audited.query("CREATE SCHEMA shop; CREATE TABLE shop.orders (id int PRIMARY KEY)");
      await createAuroraRoles(audited);
      const log = await aurora.createDatabase({ owner: administrator.user });
      const connect = async ({ database }: { database: string }) =>
        database === audited.database
          ? connectAdministrator(aurora, audited)
          : aurora.connect({ database, ...administrator });
      const request = requestFor({ source: audited, destination: log });
      await done(request, { connect });
      expect(changedObjects(await done(request, { connect }))).toEqual([]);
    } finally {
      await aurora.stop();
    }
  });
});

/** Names that break what is not quoted. PostgreSQL takes 63 bytes. */
const hostileNames = [
  `it's "quoted"; DROP SCHEMA capture CASCADE; --`,
  "UPPER and lower",
  " leading and trailing ",
  "a".repeat(63),
  "ä".repeat(31),
  "日本語の表",
  "select",
  "$1 %s %I \\ {}",
  "a.b",
];

describe("Tables and columns of any name", () => {
  it("are watched, described and audited", async () => {
    const quoted = (name: string) => source.escapeIdentifier(name);
    for (const name of hostileNames) {
      await source.query(`CREATE SCHEMA ${quoted(name)}`);
      await source.query(
        `CREATE TABLE ${quoted(name)}.${quoted(name)} (${quoted(name)} int PRIMARY KEY, "${"r".repeat(63)}" text, "I'g" text)`,
      );
    }
    const tables = hostileNames.map((name) => ({
      schema: name,
      table: name,
      redactedColumns: ["r".repeat(63)],
      ignoredColumns: ["I'g"],
      identifyActor: true,
    }));
    await done(requestFor({ tables }));
    expect(changedObjects(await done(requestFor({ tables })))).toEqual([]);

    const named = hostileNames.map((name) => `${name}.${name}`).sort();
    const described = (await takeSignals(source)).filter(({ kind }) => kind === "catalog");
    expect(described.map(({ table }) => table).sort()).toEqual(named);
    for (const { table, body } of described) {
      const name = hostileNames.find((hostile) => table === `${hostile}.${hostile}`);
      expect(body).toMatchObject({
        key: [name],
        columns: [
          { name, type: "integer" },
          { name: "r".repeat(63), type: "text", redacted: true },
          { name: "I'g", type: "text", ignored: true },
        ],
      });
    }
    for (const name of hostileNames) {
      await source.query(`INSERT INTO ${quoted(name)}.${quoted(name)} VALUES (1, 'r', 'i')`);
      await source.query(`TRUNCATE ${quoted(name)}.${quoted(name)}`);
    }
    const truncated = (await takeSignals(source)).filter(({ kind }) => kind === "truncate");
    expect(truncated.map(({ table }) => table).sort()).toEqual(named);
  });
});

describe("The bootstrap refuses, before it touches anything,", () => {
  /** Runs it, and proves that neither database differs from before. */
  async function refused(request: BootstrapRequest, sourceClient: Client = source): Promise<string> {
    const before = [await takeInventory(sourceClient), await takeInventory(destination)];
    const { error } = await run(request);
    expect(error).toMatchObject({ name: "StepError" });
    expect([await takeInventory(sourceClient), await takeInventory(destination)]).toEqual(before);
    return error?.message ?? "";
  }

  it("a source that is not logical, and leaves the destination alone too", async () => {
    const physical = await TestServer.start({ wal_level: "replica" });
    try {
      const database = await physical.createDatabase();
      await database.query("CREATE SCHEMA shop; CREATE TABLE shop.orders (id int PRIMARY KEY)");
      expect(await refused(requestFor({ source: database, on: physical }), database)).toBe(
        'bootstrap failed at "check both databases": Nothing was touched, since the databases are not ready.\n' +
          "- Source: wal_level is replica. Changes are read from the WAL, which must hold them in logical form. " +
          "Run ALTER SYSTEM SET wal_level = 'logical' and restart the server.",
      );
    } finally {
      await physical.stop();
    }
  });

  it("a table that does not exist", async () => {
    expect(await refused(requestFor({ tables: [{ schema: "shop", table: "Orders" }] }))).toContain(
      "There is no table Orders in schema shop",
    );
  });

  it("tables of whose rows nothing tells which is which", async () => {
    await source.query(`
      CREATE TABLE shop.keyless (id int);
      CREATE TABLE shop.nothing (id int PRIMARY KEY);
      ALTER TABLE shop.nothing REPLICA IDENTITY NOTHING;
      CREATE TABLE shop.parts (id int) PARTITION BY RANGE (id);
      CREATE TABLE shop.parts_1 PARTITION OF shop.parts FOR VALUES FROM (0) TO (10)`);
    const message = await refused(
      requestFor({
        tables: [
          { schema: "shop", table: "keyless", replicaIdentity: "default" },
          { schema: "shop", table: "nothing", replicaIdentity: "keep" },
          { schema: "shop", table: "parts", replicaIdentity: "keep" },
          { ...orders, replicaIdentity: "keep" },
        ],
      }),
    );
    expect(message.match(/Source: .*?\. Its/g)).toEqual([
      "Source: shop.keyless has no primary key, and its replica identity is to be default. Its",
      "Source: shop.nothing has a replica identity that identifies no row. Its",
      "Source: shop.parts has a replica identity that identifies no row. Its",
    ]);
  });

  it("a publication under which full identity would stop the application, and partitions that DMS would not read", async () => {
    await source.query(`
      CREATE TABLE shop.published (id int PRIMARY KEY, status text);
      CREATE PUBLICATION theirs FOR TABLE shop.published (id);
      CREATE TABLE shop.parts (id int) PARTITION BY RANGE (id);
      CREATE TABLE shop.parts_1 PARTITION OF shop.parts FOR VALUES FROM (0) TO (10)`);
    const message = await refused(
      requestFor({
        tables: [
          { schema: "shop", table: "published" },
          { schema: "shop", table: "parts" },
        ],
      }),
    );
    expect(message).toContain("Source: Publication theirs has a column list for shop.published. ");
    expect(message).toContain(
      "Source: shop.parts is partitioned, and no table that is named covers its partition shop.parts_1. ",
    );
    expect(message).toContain('such as { schema: "shop", table: "parts_%" }');
  });

  it("schemas of its names that somebody else made", async () => {
    await source.query("CREATE SCHEMA capture; CREATE TABLE capture.theirs (id int)");
    await destination.query("CREATE SCHEMA audit; CREATE FUNCTION audit.theirs() RETURNS int LANGUAGE sql RETURN 1");
    const message = await refused(requestFor());
    expect(message).toContain("has a schema capture that the pipeline did not make");
    expect(message).toContain("has a schema audit that the pipeline did not make");
    expect(message).toContain("auditDatabaseName");
  });

  it.each(["source", "destination"] as const)("a %s that a later release has prepared", async (side) => {
    await done(requestFor());
    const name = sqlVersionFunction[side];
    await (side === "source" ? source : destination).query(
      `CREATE OR REPLACE FUNCTION ${name} RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1000'`,
    );
    expect(await refused(requestFor())).toContain(
      `The ${side} database has version 1000 of the pipeline's SQL, and this operator has version ${sqlVersion(side)}`,
    );
  });

  it("an administrator who lacks the rights, with everything that is missing on both sides", async () => {
    await done(requestFor());
    await destination.query("CREATE ROLE tenant LOGIN PASSWORD 'tenant'");
    const { error } = await run(requestFor(), {
      connect: ({ database }) => server.connect({ database, user: "tenant", password: "tenant" }),
    });
    expect(error?.message.split("\n").slice(1)).toEqual([
      expect.stringMatching(/^- Source: Objects in the schema capture belong to role postgres\. .* GRANT "postgres"/),
      expect.stringMatching(/^- Source: shop\.orders belongs to role postgres\./),
      expect.stringMatching(/^- Destination: Objects in the schema audit belong to role postgres\./),
    ]);
  });

  it("a secret of another user, and a password that DMS does not take, without telling it", async () => {
    const other = { ...secrets, [captureSecret]: { username: "postgres", password: "secret-of-postgres" } };
    const wrongUser = await run(requestFor(), { secrets: other });
    expect(wrongUser.error?.message).toContain(
      `Secret ${captureSecret} is for user postgres, and the role is cdc_capture.`,
    );
    const semicolon = { ...secrets, [captureSecret]: { username: "cdc_capture", password: "left;right" } };
    const { error, log } = await run(requestFor(), { secrets: semicolon });
    expect(error?.message).toContain("has a character that AWS DMS does not take: one of ; . : +");
    expect(log.join("\n") + String(error?.stack)).not.toContain("left;right");
  });

  it("databases that it cannot log in to, and names the step", async () => {
    const wrong = { username: superuser.user, password: "not-the-password" };
    const { error } = await run(requestFor(), { secrets: { ...secrets, "test/superuser": wrong } });
    expect(error).toMatchObject({ name: "StepError", step: "connect to the source" });
  });
});

describe("Passwords", () => {
  // Last, over all that the tests above have done.
  it("appear in no log line, result or error of the operator", () => {
    expect(said.length).toBeGreaterThan(100);
    for (const text of said) {
      for (const { password } of Object.values(secrets)) {
        expect(text).not.toContain(password);
        expect(text).not.toContain(JSON.stringify(password).slice(1, -1));
      }
      expect(text).not.toContain(superuser.password);
    }
  });

  it("appear in no statement that the server logged, although it logs all", () => {
    expect(server.log).toContain('ALTER ROLE "audit_writer" LOGIN PASSWORD \'SCRAM-SHA-256$4096:');
    for (const { password } of Object.values(secrets)) {
      expect(server.log).not.toContain(password);
      expect(server.log).not.toContain(source.escapeLiteral(password));
    }
  });
});

/** What a sink of the version before does: it knows no columns that came since, and writes a batch at a time. */
async function startWriting(database: string) {
  const writer = await server.connect({ database });
  await writer.query("SET ROLE audit_writer");
  const written = { batches: 0, events: 0, refused: [] as string[] };
  const writing = { goesOn: true };
  const write = async () => {
    while (writing.goesOn) {
      const events = [1, 2, 3].map(() => ({ committed_at: "2026-11-05T10:00:30Z", operation: "insert" }));
      try {
        written.events += (await storeEvents(writer, events)) ?? 0;
        written.batches += 1;
      } catch (error) {
        written.refused.push((error as Error).message);
        writing.goesOn = false;
      }
    }
  };
  const end = write();
  return {
    stop: async () => {
      writing.goesOn = false;
      await end;
      return written;
    },
  };
}

async function applyOlderSql(client: Client, side: DatabaseSide, version: number): Promise<void> {
  const folder = join(__dirname, "../../database/older-sql", String(version), side);
  for (const name of readdirSync(folder).sort()) await client.query(readFileSync(join(folder, name), "utf8"));
}
