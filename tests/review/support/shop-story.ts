import { momentOf } from "../../../review/query";
import { type MemoryLog, Raw, type Row, type Told } from "./memory-log";

const order = (changes: Row = {}): Row => ({
  id: 1042,
  customer_id: 7,
  status: "new",
  total: new Raw("51.90"),
  placed_at: "2026-11-30T18:20:11.402Z",
  note: "Please leave the parcel at the front door if nobody answers, and ring twice.",
  shipping: {
    method: "parcel",
    address: { street: "Lindenweg 4", city: "Graz", zip: "8010", country: "AT" },
    parcels: [
      { id: 1, weight: 0.4, carrier: "post" },
      { id: 2, weight: 1.2, carrier: "post" },
    ],
  },
  ...changes,
});

const key = { id: 1042 };

/** A day of the sample shop, told back from a moment. */
export function tellShop(log: MemoryLog, now: Date = new Date()): void {
  const at = (minutesAgo: number) => momentOf(new Date(now.getTime() - minutesAgo * 60_000)).replace(/000Z$/, "417Z");
  const update = (table: string, of: Row, before: Row, after: Row): Told => ({
    operation: "update",
    table,
    key: of,
    before,
    after,
  });
  log.add({
    time: at(1380),
    actor: "carol@shop.example",
    request: "request-1",
    context: { reason: "new assortment" },
    changes: [
      {
        operation: "insert",
        table: "shop.products",
        key: { sku: "tea-100" },
        after: {
          sku: "tea-100",
          name: "Assam, 100 g",
          price: new Raw("6.50"),
          stock: 40,
          attributes: { origin: "India", organic: true },
        },
      },
      {
        operation: "insert",
        table: "shop.products",
        key: { sku: "tea-250" },
        after: {
          sku: "tea-250",
          name: "Assam, 250 g",
          price: new Raw("14.00"),
          stock: 15,
          attributes: { origin: "India", organic: true },
        },
      },
      {
        operation: "insert",
        table: "shop.products",
        key: { sku: "pot-1" },
        after: {
          sku: "pot-1",
          name: "Tea pot",
          price: new Raw("38.90"),
          stock: 4,
          attributes: { colour: "blue", litres: 1.2 },
        },
      },
    ],
  });
  // A working day's ordinary traffic.
  for (let number = 0; number < 70; number += 1) {
    const minutes = 1300 - number * 17 - (number % 5) * 3;
    const id = 900 + number;
    const who = ["alice@shop.example", "bob@shop.example", "web-shop", "web-shop", "warehouse-job"][
      number % 5
    ] as string;
    const status = ["paid", "packed", "shipped"][number % 3] as string;
    const next = order({ id, status });
    log.add({
      time: at(minutes),
      actor: who,
      request: `request-${100 + number}`,
      changes:
        number % 4 === 0
          ? [
              { operation: "insert", table: "shop.orders", key: { id }, after: order({ id }) },
              ...[1, 2].map((line): Told => ({
                operation: "insert",
                table: "shop.order_lines",
                key: { order_id: id, line },
                after: { order_id: id, line, sku: "tea-100", quantity: line },
              })),
            ]
          : [update("shop.orders", { id }, { status: "new" }, next)],
    });
  }
  log.add({
    time: at(320),
    actor: "alice@shop.example",
    request: "request-2",
    context: { reason: "order by phone" },
    changes: [
      { operation: "insert", table: "shop.orders", key, after: order() },
      {
        operation: "insert",
        table: "shop.order_lines",
        key: { order_id: 1042, line: 1 },
        after: { order_id: 1042, line: 1, sku: "tea-100", quantity: 2 },
      },
      {
        operation: "insert",
        table: "shop.order_lines",
        key: { order_id: 1042, line: 2 },
        after: { order_id: 1042, line: 2, sku: "pot-1", quantity: 1 },
      },
      update(
        "shop.products",
        { sku: "pot-1" },
        { stock: 4 },
        { sku: "pot-1", name: "Tea pot", price: new Raw("38.90"), stock: 3 },
      ),
      update(
        "shop.products",
        { sku: "tea-100" },
        { stock: 40 },
        { sku: "tea-100", name: "Assam, 100 g", price: new Raw("6.50"), stock: 38 },
      ),
    ],
  });
  log.add({
    time: at(250),
    actor: "bob@shop.example",
    request: "request-3",
    context: { reason: "payment received" },
    changes: [update("shop.orders", key, { status: "new" }, order({ status: "paid" }))],
  });
  log.add({
    time: at(190),
    actor: null,
    changes: [
      {
        operation: "schema",
        table: "shop.orders",
        key: null,
        detail: {
          reason: "ddl",
          command: "ALTER TABLE shop.orders ADD COLUMN channel text DEFAULT 'phone'",
          changes: [{ change: "column added", column: "channel", type: "text" }],
        },
      },
    ],
  });
  const moved = order({
    status: "paid",
    channel: "phone",
    note: "Please leave the parcel at the back door if nobody answers, and ring once.",
    shipping: {
      method: "parcel",
      address: { street: "Lindenweg 4", city: "Graz", zip: "8020", country: "AT" },
      parcels: [
        { id: 3, weight: 0.1, carrier: "post" },
        { id: 1, weight: 0.4, carrier: "post" },
        { id: 2, weight: 1.2, carrier: "courier" },
      ],
    },
  });
  log.add({
    time: at(120),
    actor: "alice@shop.example",
    request: "request-4",
    context: { reason: "customer called" },
    changes: [update("shop.orders", key, { note: order().note, shipping: order().shipping }, moved)],
  });
  log.add({
    time: at(64),
    actor: "price-job",
    request: "nightly-prices",
    context: { reason: "autumn prices", job: "prices 2.4" },
    changes: [
      update(
        "shop.products",
        { sku: "tea-100" },
        { price: new Raw("6.50") },
        { sku: "tea-100", name: "Assam, 100 g", price: new Raw("6.83"), stock: 38 },
      ),
      update(
        "shop.products",
        { sku: "tea-250" },
        { price: new Raw("14.00") },
        { sku: "tea-250", name: "Assam, 250 g", price: new Raw("14.70"), stock: 15 },
      ),
    ],
  });
  log.add({
    time: at(63),
    actor: "price-job",
    request: "nightly-prices",
    context: { reason: "autumn prices", job: "prices 2.4" },
    changes: [
      update(
        "shop.products",
        { sku: "pot-1" },
        { price: new Raw("38.90") },
        { sku: "pot-1", name: "Tea pot", price: new Raw("40.85"), stock: 3 },
      ),
    ],
  });
  log.add({
    time: at(31),
    actor: "bob@shop.example",
    request: "request-6",
    context: { reason: "pot broken, customer keeps the tea" },
    changes: [
      {
        operation: "delete",
        table: "shop.order_lines",
        key: { order_id: 1042, line: 2 },
        before: { order_id: 1042, line: 2, sku: "pot-1", quantity: 1 },
      },
      update(
        "shop.orders",
        key,
        { status: "paid", total: new Raw("51.90") },
        { ...moved, status: "shipped", total: new Raw("13.00") },
      ),
    ],
  });
  log.add({
    time: at(12),
    actor: "dan@shop.example",
    request: "request-7",
    context: { reason: "clean up" },
    changes: Array.from({ length: 120 }, (_, line): Told => ({
      operation: "delete",
      table: "shop.order_lines",
      key: { order_id: 900 + line, line: 1 },
      before: { order_id: 900 + line, line: 1, sku: "tea-100", quantity: 1 },
    })),
  });
  log.add({
    time: at(2),
    actor: "alice@shop.example",
    request: "request-8",
    context: { reason: "address changed" },
    changes: [
      update(
        "shop.customers",
        { id: 7 },
        { email: "noor@mail.example" },
        { id: 7, name: "Noor Haddad", email: "noor.haddad@mail.example", active: true },
      ),
    ],
  });
}

/** The page of the order that the story is about. */
export const storyOrder = `/record/shop.orders?key=${encodeURIComponent(JSON.stringify(key))}`;
