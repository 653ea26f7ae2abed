import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { errorOf, TestServer } from "../../../local/servers/test-server";
import { bootstrapDestination } from "../../../operator/database/bootstrap";
import { emptyLog, type EventInput, storeEvents } from "../support/audit-events";
import { Stream } from "../support/stream";

let server: TestServer;
/** The source's tables and the log stand in one database, so that the text can be run where it was asked for. */
let client: Client;

beforeAll(async () => {
  server = await TestServer.start();
  client = await server.createDatabase();
  await bootstrapDestination(client);
  await client.query(`
    CREATE SCHEMA shop;
    CREATE TABLE shop.users (id int PRIMARY KEY, email text, pin_hash int NOT NULL, tags text[], doc jsonb, data bytea);
    CREATE TABLE shop.lines (
      id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, qty int, price numeric(8,2),
      total numeric(10,2) GENERATED ALWAYS AS (qty * price) STORED
    );
    CREATE TABLE shop.orders (id int PRIMARY KEY);
    CREATE TABLE shop.order_lines (order_id int REFERENCES shop.orders, line int, PRIMARY KEY (order_id, line));
  `);
});

afterAll(() => server.stop());

beforeEach(async () => {
  await emptyLog(client);
  await client.query("TRUNCATE shop.users, shop.lines, shop.orders, shop.order_lines");
});

const rowsOf = async (table: string) => (await client.query(`SELECT * FROM ${table} ORDER BY 1`)).rows;

async function stored(stream: Stream): Promise<EventInput[]> {
  await storeEvents(client, stream.events);
  return stream.events;
}

async function undoOf(event: EventInput | undefined): Promise<string> {
  const { rows } = await client.query("SELECT audit.undo($1, $2) AS sql", [event?.committed_at, event?.event_id]);
  return rows[0].sql;
}

/** A script of several statements. One that failed leaves no transaction open. */
async function run(sql: string): Promise<void> {
  try {
    await client.query(sql);
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  }
}

const users = () =>
  new Stream().at("09:00:00").shape("shop.users", {
    relation: 1,
    key: ["id"],
    columns: [
      ["id", "integer"],
      ["email", "text"],
      ["pin_hash", "integer"],
      ["tags", "text[]"],
      ["doc", "jsonb"],
      ["data", "bytea"],
    ],
  });

const row = { id: 1, email: "b@x", pin_hash: "[redacted]", tags: ["b", 'c,"d'], doc: { n: 1 }, data: "\\x01" };

describe("Undoing a change", () => {
  it("puts back what it knows of any type, and leaves a redacted column alone and says so", async () => {
    const before = {
      email: "a@x",
      pin_hash: "[redacted]",
      tags: ["a", "it's"],
      doc: { n: 1.1, $undo$: "$undo$" },
      data: null,
    };
    const events = await stored(users().at("10:00:00").update("shop.users", { id: 1 }, before, row));
    await client.query(`INSERT INTO shop.users VALUES (1, 'b@x', 42, '{b,"c,\\"d"}', '{"n": 1}', '\\x01')`);
    const sql = await undoOf(events.at(-1));
    expect(sql).toContain("-- pin_hash of shop.users stays as it is: its value was redacted");
    await run(sql);
    expect(await rowsOf("shop.users")).toEqual([
      { id: 1, email: "a@x", pin_hash: 42, tags: ["a", "it's"], doc: { n: 1.1, $undo$: "$undo$" }, data: null },
    ]);
  });

  it("fails where somebody changed the value since, and names that change", async () => {
    const stream = users()
      .at("10:00:00")
      .update("shop.users", { id: 1 }, { email: "a@x" }, { ...row, pin_hash: 1 });
    stream.at("11:00:00").update("shop.users", { id: 1 }, { email: "b@x" }, { ...row, email: "c@x", pin_hash: 1 });
    const events = await stored(stream);
    await client.query("INSERT INTO shop.users (id, email, pin_hash) VALUES (1, 'c@x', 1)");
    const sql = await undoOf(events[1]);
    expect(sql).toContain("-- In the way: it was changed by somebody who is not named at 2026-11-05T11:00:00.000000Z.");
    expect((await errorOf(run(sql))).message).toBe(
      'shop.users {"id": 1} is not as this change left it: it was changed by somebody who is not named at ' +
        "2026-11-05T11:00:00.000000Z; nothing was undone",
    );
    expect((await rowsOf("shop.users"))[0].email).toBe("c@x");
  });

  it("fails where the source holds what the log does not know of", async () => {
    const events = await stored(
      users()
        .at("10:00:00")
        .update("shop.users", { id: 1 }, { email: "a@x" }, { ...row, pin_hash: 1 }),
    );
    await client.query("INSERT INTO shop.users (id, email, pin_hash) VALUES (1, 'z@x', 1)");
    expect((await errorOf(run(await undoOf(events.at(-1))))).message).toContain("is not as this change left it");
  });

  it("restores a deleted row with its identity, and lets the database compute what it computes", async () => {
    const shape = {
      operation: "schema",
      table: "shop.lines",
      committed_at: "2026-11-05T09:00:00Z",
      transaction_id: 1,
      sequence: 1,
      stream_order: 1,
      after: {
        relation: 2,
        key: ["id"],
        columns: [
          { name: "id", type: "integer", number: 1, identity: "always" },
          { name: "qty", type: "integer", number: 2 },
          { name: "price", type: "numeric", number: 3 },
          { name: "total", type: "numeric", number: 4, generated: "stored" },
        ],
      },
      context: { reason: "watch" },
    };
    const line = { id: 7, qty: 2, price: 1.5, total: 3.0 };
    const stream = new Stream();
    stream.at("10:00:00").update("shop.lines", { id: 7 }, { qty: 1, total: 1.5 }, line);
    stream.at("11:00:00").delete("shop.lines", { id: 7 }, line);
    await storeEvents(client, [shape, ...stream.events]);
    const undoDelete = await undoOf(stream.events[1]);
    expect(undoDelete).toContain("-- total of shop.lines stays as it is: the database computes it.");
    await run(undoDelete);
    expect(await rowsOf("shop.lines")).toEqual([{ id: 7, qty: 2, price: "1.50", total: "3.00" }]);
    expect((await errorOf(run(undoDelete))).message).toContain('shop.lines {"id": 7} is there again');
    await run(await undoOf(stream.events[0]));
    expect(await rowsOf("shop.lines")).toEqual([{ id: 7, qty: 1, price: "1.50", total: "1.50" }]);
  });

  it("gives a record its old key back", async () => {
    const events = await stored(
      users()
        .at("10:00:00")
        .update("shop.users", { id: 2 }, { id: 1 }, { ...row, id: 2, pin_hash: 1 }),
    );
    await client.query("INSERT INTO shop.users (id, email, pin_hash) VALUES (2, 'b@x', 1)");
    await run(await undoOf(events.at(-1)));
    expect((await rowsOf("shop.users"))[0].id).toBe(1);
  });

  it("says that there is nothing to undo when nothing is known to have changed", async () => {
    const events = await stored(users().at("10:00:00").update("shop.users", { id: 1 }, {}, row));
    expect(await undoOf(events.at(-1))).toContain("-- Nothing to undo: shop.users");
  });

  it("is refused for a TRUNCATE, with where its rows are", async () => {
    const events = await stored(users().at("10:00:00").truncate("shop.users"));
    const refused = (await errorOf(undoOf(events.at(-1)))) as Error & { hint: string };
    expect(refused.message).toContain("TRUNCATE of shop.users can't be undone");
    expect(refused.hint).toContain("audit.table_as_of('shop.users'");
  });
});

describe("Undoing a transaction", () => {
  const placed = () =>
    new Stream()
      .at("09:00:00")
      .shape("shop.orders", { relation: 3, key: ["id"], columns: [["id", "integer"]] })
      .shape("shop.order_lines", {
        relation: 4,
        key: ["order_id", "line"],
        columns: [
          ["order_id", "integer"],
          ["line", "integer"],
        ],
      })
      .at("10:00:00");

  it("takes its changes back in reverse order, rows that refer to each other included", async () => {
    const stream = placed()
      .insert("shop.orders", { id: 1 }, { id: 1 })
      .insert("shop.order_lines", { order_id: 1, line: 1 }, { order_id: 1, line: 1 })
      .delete("shop.order_lines", { order_id: 2, line: 1 }, { order_id: 2, line: 1 })
      .delete("shop.orders", { id: 2 }, { id: 2 });
    const events = await stored(stream);
    await client.query("INSERT INTO shop.orders VALUES (1); INSERT INTO shop.order_lines VALUES (1, 1)");
    const { rows } = await client.query("SELECT audit.undo_transaction($1, $2) AS sql", [
      events.at(-1)?.transaction_id,
      "2026-11-05T10:00:00Z",
    ]);
    await run(rows[0].sql);
    expect(await rowsOf("shop.orders")).toEqual([{ id: 2 }]);
    expect(await rowsOf("shop.order_lines")).toEqual([{ order_id: 2, line: 1 }]);
  });

  it("takes back several changes of one record, and what an actor did in a span of time", async () => {
    const stream = users().at("10:00:00");
    stream.update("shop.users", { id: 1 }, { email: "a@x" }, { ...row, pin_hash: 1, email: "b@x" });
    stream.update("shop.users", { id: 1 }, { email: "b@x" }, { ...row, pin_hash: 1, email: "c@x" });
    const events = await stored(stream);
    await storeEvents(client, [
      {
        ...events[1],
        event_id: "00000000-0000-4000-8000-000000000001",
        operation: "context",
        table: "capture.signal",
        record_key: null,
        sequence: 9,
        stream_order: 9,
        actor: "intern",
      } as EventInput,
    ]);
    await client.query("INSERT INTO shop.users (id, email, pin_hash) VALUES (1, 'c@x', 1)");
    const { rows } = await client.query(
      "SELECT audit.undo_acts('intern', '2026-11-05T09:30:00Z', '2026-11-05T10:30:00Z') AS sql",
    );
    await run(rows[0].sql);
    expect((await rowsOf("shop.users"))[0].email).toBe("a@x");
  });
});
