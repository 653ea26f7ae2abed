import { Stream } from "../../database/support/stream";

/** Orders that an accident changed. */
export const accident = { first: 100, last: 129 };

const idOf = (id: number) => ({ id });

interface OrderRow {
  readonly id: number;
  readonly status: string;
  readonly total: number;
  readonly [column: string]: unknown;
}

const columns = (noteName: string) =>
  [
    ["id", "bigint"],
    ["status", "text"],
    ["total", "numeric"],
    [noteName, "text"],
  ] as const;

/** A morning of a small shop as its log tells it: an order's life, a migration, and an accident. */
export function orderStory(): Stream {
  const note = "Leave it at the front door";
  const order = (changes: object = {}): OrderRow => ({ id: 42, status: "new", total: 51.9, note, ...changes });
  const stream = new Stream("shop")
    .at("08:00:00")
    .shape("shop.orders", { relation: 1, key: ["id"], columns: columns("note") })
    .at("08:30:00")
    .by("alice@shop.example", "request-1", { reason: "order by phone" })
    .insert("shop.orders", idOf(42), order());
  for (let id = accident.first; id <= accident.last; id += 1)
    stream.insert("shop.orders", idOf(id), order({ id, total: id + 0.5 }));
  stream
    .at("09:10:00")
    .by("bob@shop.example", "request-2", { reason: "payment received" })
    .update("shop.orders", idOf(42), { status: "new" }, order({ status: "paid" }))
    .at("09:30:00")
    .by("migration", "deploy-7", { reason: "names of columns" })
    .shape(
      "shop.orders",
      { relation: 1, key: ["id"], columns: columns("delivery_note") },
      {
        reason: "ddl",
        command: "ALTER TABLE shop.orders RENAME COLUMN note TO delivery_note",
        changes: [{ change: "column renamed", from: "note", to: "delivery_note" }],
      },
    );
  const later = (changes: object = {}): OrderRow => ({
    id: 42,
    status: "new",
    total: 51.9,
    delivery_note: note,
    ...changes,
  });
  stream.update("shop.orders", idOf(42), { status: "paid" }, later({ status: "PAID" }));
  stream.at("10:00:00").by("dan@shop.example", "request-3", { reason: "clean up" });
  for (let id = accident.first; id <= accident.last; id += 1)
    stream.update("shop.orders", idOf(id), { total: id + 0.5 }, later({ id, total: 0 }));
  return stream
    .at("10:20:00")
    .by("dan@shop.example", "request-4")
    .update(
      "shop.orders",
      idOf(42),
      { delivery_note: note },
      later({ status: "PAID", delivery_note: "Leave it at the back door" }),
    )
    .at("10:30:00")
    .by("carol@shop.example", "request-5", { reason: "on its way" })
    .update(
      "shop.orders",
      idOf(42),
      { status: "PAID" },
      later({ status: "shipped", delivery_note: "Leave it at the back door" }),
    );
}

/** The table as the accident left it, in the application's own database. */
export const ordersAfterAccident = `
  CREATE SCHEMA shop;
  CREATE TABLE shop.orders (id bigint PRIMARY KEY, status text, total numeric, delivery_note text);
  INSERT INTO shop.orders VALUES (42, 'shipped', 51.9, 'Leave it at the back door');
  INSERT INTO shop.orders
    SELECT id, 'new', 0, 'Leave it at the front door' FROM generate_series(${accident.first}, ${accident.last}) AS id;`;
