import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { databaseRoles } from "../../contract/database-roles";
import { bootstrapDestination, bootstrapSource } from "../../operator/database/bootstrap";
import { scramVerifier } from "../../operator/database/passwords";
import { storeEvents } from "./support/audit-events";
import { type DatabaseClient, errorOf, TestServer } from "../../local/servers/test-server";

const insufficientPrivilege = "42501";
const passwords = {
  [databaseRoles.capture]: "capture-Passw0rd",
  [databaseRoles.writer]: "writer 'Passw0rd\" $1",
};

let server: TestServer;
let owner: DatabaseClient;
/** One connection with the rights of each role alone. */
const as: Record<string, Client> = {};

beforeAll(async () => {
  server = await TestServer.start();
  owner = await server.createDatabase();
  await owner.query(`
    CREATE SCHEMA shop;
    CREATE TABLE shop.orders (id int PRIMARY KEY);
    CREATE TABLE shop.payroll (id int PRIMARY KEY);
    CREATE ROLE anybody;`);
  await bootstrapSource(owner, {
    tables: [{ schema: "shop", table: "orders" }],
    passwords: { cdc_capture: passwords.cdc_capture },
  });
  await bootstrapDestination(owner, { passwords: { audit_writer: passwords.audit_writer } });
  await storeEvents(owner, [
    { committed_at: "2026-11-05T10:00:00Z", operation: "insert", record_key: { id: 1 }, after: { id: 1 } },
  ]);
  for (const role of [...Object.values(databaseRoles), "anybody"]) {
    as[role] = await server.connect({ database: owner.database });
    await as[role].query(`SET ROLE ${role}`);
  }
});

afterAll(() => server.stop());

const allowed: [role: string, what: string, statement: string][] = [
  ["cdc_capture", "read a watched table", "SELECT * FROM shop.orders"],
  ["cdc_capture", "read the signals", "SELECT * FROM capture.signal"],
  ["cdc_capture", "keep its heartbeat", "CREATE TABLE capture_heartbeat.awsdms_heartbeat (id int)"],
  ["capture_app", "say who acts", "SELECT capture.set_context('alice', 'r-1', '{}')"],
  ["capture_app", "announce who acts", "SELECT capture.announce('alice', 'r-1', '{}')"],
  ["audit_reader", "read the log", "SELECT * FROM audit.log"],
  ["audit_reader", "read a history", `SELECT * FROM audit.history('shop.orders', '{"id": 1}')`],
  ["audit_reader", "read a row as it was", `SELECT audit.row_as_of('shop.orders', '{"id": 1}', now())`],
  ["audit_reader", "read a transaction", "SELECT * FROM audit.transaction(1)"],
  ["audit_reader", "read what an actor did", "SELECT * FROM audit.acts('alice')"],
  ["audit_reader", "ask for the SQL of an undo", "SELECT audit.undo_acts('alice', now() - interval '1 hour')"],
  ["audit_reader", "read the feed", "SELECT * FROM audit.feed()"],
  ["audit_review", "read the feed", "SELECT * FROM audit.feed()"],
  ["audit_review", "note who looked", "SELECT audit.note_read('carol', 'feed')"],
  ["audit_review", "see who looked", "SELECT * FROM audit.seen_by()"],
  ["audit_review", "ask for the SQL of an undo", "SELECT audit.undo_acts('alice', now() - interval '1 hour')"],
];

const refused: [role: string, what: string, statement: string][] = [
  ["cdc_capture", "read another table", "SELECT * FROM shop.payroll"],
  ["cdc_capture", "write a watched table", "INSERT INTO shop.orders VALUES (1)"],
  ["cdc_capture", "write a signal", "INSERT INTO capture.signal (kind, body_1) VALUES ('context', '{}')"],
  ["cdc_capture", "empty the signals", "TRUNCATE capture.signal"],
  ["cdc_capture", "read what is watched", "SELECT * FROM capture.watched_tables"],
  ["cdc_capture", "say who acts", "SELECT capture.set_context('mallory')"],
  ["cdc_capture", "announce who acts", "SELECT capture.announce('mallory')"],
  ["cdc_capture", "end the audit of a table", "SELECT capture.unwatch('shop.orders')"],
  ["cdc_capture", "end records by a load", "SELECT capture.note_load('shop', 'orders', now(), now(), 0)"],
  ["cdc_capture", "forget a load", "DELETE FROM capture.noted_loads"],
  ["cdc_capture", "create beside the capture's objects", "CREATE TABLE capture.mine (id int)"],
  ["cdc_capture", "read the log", "SELECT * FROM audit.log"],
  ["capture_app", "write a signal", "INSERT INTO capture.signal (kind, body_1) VALUES ('context', '{}')"],
  [
    "capture_app",
    "write a signal through its writer",
    "SELECT capture.write_signal('truncate', 'shop', 'orders', '{}')",
  ],
  ["capture_app", "read the signals", "SELECT * FROM capture.signal"],
  ["capture_app", "empty the signals", "SELECT capture.clear_signals()"],
  ["capture_app", "send a canary", "SELECT capture.write_canary(gen_random_uuid())"],
  ["capture_app", "end the audit of a table", "SELECT capture.unwatch('shop.orders')"],
  ["capture_app", "end records by a load", "SELECT capture.note_load('shop', 'orders', now(), now(), 0)"],
  [
    "capture_app",
    "put a trigger function to another use",
    "CREATE TEMPORARY TABLE t (id int); CREATE TRIGGER t AFTER TRUNCATE ON t EXECUTE FUNCTION capture.on_truncate()",
  ],
  ["capture_app", "create a heartbeat", "CREATE TABLE capture_heartbeat.t (id int)"],
  ["audit_writer", "delete", "DELETE FROM audit.events"],
  ["audit_writer", "truncate", "TRUNCATE audit.events"],
  ["audit_writer", "say when a row was stored", "INSERT INTO audit.events (stored_at) VALUES (now())"],
  ["audit_writer", "change a row", "UPDATE audit.events SET actor = 'mallory'"],
  ["audit_writer", "read what is stored", "SELECT after FROM audit.events"],
  ["audit_writer", "write a partition itself", "INSERT INTO audit.events_default (source_id) VALUES ('x')"],
  ["audit_writer", "drop a partition", "DROP TABLE audit.events_default"],
  ["audit_writer", "disable what guards the table", "ALTER TABLE audit.events DISABLE TRIGGER keep_row"],
  ["audit_writer", "add a column", "ALTER TABLE audit.events ADD COLUMN x int"],
  ["audit_writer", "create a table", "CREATE TABLE audit.mine (id int)"],
  ["audit_writer", "run maintenance", "SELECT audit.maintain(retention => '1 day')"],
  ["audit_writer", "read a business table", "SELECT * FROM shop.orders"],
  ["audit_writer", "say who acts", "SELECT capture.set_context('mallory')"],
  ["audit_writer", "announce who acts", "SELECT capture.announce('mallory')"],
  ["audit_reader", "read the table under the log", "SELECT * FROM audit.events"],
  ["audit_reader", "read a partition", "SELECT * FROM audit.events_default"],
  ["audit_reader", "write", "INSERT INTO audit.events (source_id) VALUES ('x')"],
  ["audit_reader", "run maintenance", "SELECT audit.maintain(retention => '1 day')"],
  ["audit_reader", "add a partition", "SELECT audit.add_partition(now(), now())"],
  ["audit_reader", "replace the log", "CREATE VIEW audit.mine AS SELECT 1"],
  ["audit_reader", "note who looked", "SELECT audit.note_read('mallory', 'feed')"],
  ["audit_reader", "read who looked past the function", "SELECT * FROM audit.reads"],
  ["audit_review", "read the table under the log", "SELECT * FROM audit.events"],
  ["audit_review", "read the log without a bound", "SELECT * FROM audit.log"],
  ["audit_review", "write what was looked at by itself", "INSERT INTO audit.reads (reader) VALUES ('mallory')"],
  ["audit_review", "take back what was noted", "DELETE FROM audit.reads"],
  ["audit_review", "empty what was noted", "TRUNCATE audit.reads"],
  ["audit_review", "write an event", "INSERT INTO audit.events (source_id) VALUES ('x')"],
  ["audit_review", "run maintenance", "SELECT audit.maintain(retention => '1 day')"],
  ["audit_review", "build a question of its own", "SELECT * FROM audit.sampled('{}', '1 hour')"],
  ["audit_review", "create a table", "CREATE TABLE audit.mine (id int)"],
  ["anybody", "note who looked", "SELECT audit.note_read('mallory', 'feed')"],
  ["anybody", "say who acts", "SELECT capture.set_context('mallory')"],
  ["anybody", "announce who acts", "SELECT capture.announce('mallory')"],
  ["anybody", "read the signals", "SELECT * FROM capture.signal"],
  ["anybody", "watch a table", "SELECT capture.watch('shop.orders')"],
  ["anybody", "read the log", "SELECT * FROM audit.log"],
  ["anybody", "read a history", `SELECT audit.history('shop.orders', '{"id": 1}')`],
];

describe("Rights", () => {
  it.each(allowed)("%s may %s", async (role, _what, statement) => {
    await as[role]!.query(statement);
  });

  it.each(refused)("%s may not %s", async (role, _what, statement) => {
    expect((await errorOf(as[role]!.query(statement))).code).toBe(insufficientPrivilege);
  });

  it("audit_writer may store events, and store them again", async () => {
    const event = {
      committed_at: "2026-11-06T10:00:00Z",
      event_id: "00000000-0000-4000-8000-000000000002",
      operation: "insert",
    };
    expect(await storeEvents(as.audit_writer!, [event])).toBe(1);
    expect(await storeEvents(as.audit_writer!, [event])).toBe(0);
    // An index computes the key that a record had before.
    const moved = { ...event, operation: "update", record_key: { id: 2 }, before: { id: 1 }, after: { id: 2 } };
    const otherId = { event_id: "00000000-0000-4000-8000-000000000003" };
    expect(await storeEvents(as.audit_writer!, [{ ...moved, ...otherId }])).toBe(1);
  });

  it("are those of no function for everybody, but for the functions meant for a role", async () => {
    const { rows } = await owner.query(
      `SELECT proname AS name, grantee::regrole::text AS role
       FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
       WHERE pronamespace IN ('capture'::regnamespace, 'audit'::regnamespace) AND grantee <> proowner
       ORDER BY 1, 2`,
    );
    const readers = [
      "act_changes",
      "act_line",
      "actors",
      "actors_between",
      "acts",
      "acts_found",
      "blame",
      "changes_of_acts",
      "compare",
      "completions",
      "exact_change",
      "exact_values",
      "feed",
      "first_changes",
      "freshness",
      "history",
      "known_tables",
      "log_problems",
      "moment",
      "old_values",
      "patched",
      "picture",
      "record_as_of",
      "record_steps",
      "row_as_of",
      "row_as_of_explained",
      "seen_by",
      "table_as_of",
      "table_steps",
      "transaction",
      "undo",
      "undo_acts",
      "undo_transaction",
      "unnamed_writers",
    ];
    const page = [
      "act_changes",
      "act_line",
      "actors_between",
      "acts_found",
      "blame",
      "change_of",
      "changes_of_acts",
      "compare",
      "completions",
      "exact_change",
      "exact_values",
      "feed",
      "filter_of",
      "first_changes",
      "freshness",
      "known_tables",
      "log_problems",
      "moment",
      "note_read",
      "picture",
      "record_as_of",
      "record_steps",
      "seen_by",
      "table_steps",
      "undo",
      "undo_acts",
      "undo_transaction",
      "unnamed_writers",
    ];
    expect(rows).toEqual(
      [
        ...readers.map((name) => ({ name, role: "audit_reader" })),
        ...page.map((name) => ({ name, role: "audit_review" })),
        { name: "previous_key", role: "audit_writer" },
        { name: "announce", role: "capture_app" },
        { name: "set_context", role: "capture_app" },
      ].sort((one, other) => (`${one.name} ${one.role}` < `${other.name} ${other.role}` ? -1 : 1)),
    );
  });
});

describe("Logins", () => {
  it("work with the passwords given at the bootstrap", async () => {
    for (const [user, password] of Object.entries(passwords)) {
      const client = await server.connect({ database: owner.database, user, password });
      expect((await client.query("SELECT session_user AS name")).rows).toEqual([{ name: user }]);
    }
  });

  it("fail with another password, and for a role without one", async () => {
    const login = (user: string, password: string) => server.connect({ database: owner.database, user, password });
    expect((await errorOf(login("cdc_capture", "wrong"))).code).toBe("28P01");
    expect((await errorOf(login("audit_reader", "anything"))).code).toMatch(/^28/);
  });

  it("let cdc_capture read the WAL", async () => {
    const capture = await server.connect({
      database: owner.database,
      user: "cdc_capture",
      password: passwords.cdc_capture,
    });
    await capture.query("SELECT pg_create_logical_replication_slot('proof', 'test_decoding')");
    await capture.query("SELECT pg_drop_replication_slot('proof')");
  });

  it("leave no password in the server's log, although it logs every statement", async () => {
    expect(server.log).toContain('ALTER ROLE "cdc_capture" LOGIN PASSWORD \'SCRAM-SHA-256$4096:');
    for (const password of Object.values(passwords)) {
      expect(server.log).not.toContain(password);
      expect(server.log).not.toContain(owner.escapeLiteral(password).slice(1, -1));
    }
  });
});

describe("A SCRAM verifier", () => {
  it("is the one that PostgreSQL makes from the same password and salt", async () => {
    await owner.query("CREATE ROLE reference PASSWORD 'pencil'");
    const { rows } = await owner.query("SELECT rolpassword AS verifier FROM pg_authid WHERE rolname = 'reference'");
    const salt = Buffer.from(/^SCRAM-SHA-256\$4096:([^$]+)\$/.exec(rows[0].verifier)?.[1] ?? "", "base64");
    expect(scramVerifier("pencil", salt)).toBe(rows[0].verifier);
  });

  it("differs each time, since its salt does", () => {
    expect(scramVerifier("pencil")).not.toBe(scramVerifier("pencil"));
  });

  it("is refused for what clients would prepare differently, without repeating the password", () => {
    for (const password of ["", "pässword", "tab\t"]) {
      expect(() => scramVerifier(password)).toThrow(
        /^The password is empty or holds characters outside printable ASCII/,
      );
    }
  });
});
