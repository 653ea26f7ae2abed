import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { parseExact } from "../../../review/exact-json";
import { type LogRow, Timeline } from "../../../local/command/timeline";

const row = (changes: Partial<LogRow> = {}): LogRow => ({
  time: "2026-12-01T21:57:41.434211Z",
  actor: "alice@shop.example",
  operation: "update",
  schema: "shop",
  table: "orders",
  key: { id: 1 },
  before: { status: "new" },
  after: { id: 1, status: "paid" },
  unknown_columns: null,
  ...changes,
});

describe("the timeline", () => {
  it("has one line for each event where there is room, under its heading", () => {
    const timeline = new Timeline({ width: 160, colours: false });
    expect([timeline.heading(), timeline.event(row())]).toEqual([
      "time             who                   did       to                                  what",
      "21:57:41.434211  alice@shop.example    update    shop.orders id=1                    status: new → paid",
    ]);
  });

  it("shows of a changed document what changed in it, with every digit", () => {
    const timeline = new Timeline({ width: Infinity, colours: false });
    const attributes = (text: string) => ({ attributes: parseExact(text), tags: ["a", "b"] });
    const event = timeline.event(
      row({
        before: attributes(
          '{"colour": "blue", "size": {"w": 1.0, "h": 2}, "gone": null, "parts": [{"sku": "x", "n": 1}]}',
        ),
        after: {
          ...attributes(
            '{"colour": "red", "size": {"w": 1.00, "h": 2}, "parts": [{"sku": "x", "n": 2}], "more": {"a": 1}}',
          ),
          tags: ["b"],
        },
      }),
    );
    expect(event).toContain(
      "attributes.colour: blue → red, attributes.size.w: 1.0 → 1.00, attributes.gone: null → gone, " +
        'attributes.parts[sku x].n: 1 → 2, attributes.more: {"a":1}, tags[0]: a → gone',
    );
  });

  it("puts the key and what changed on a line of their own in a narrow terminal", () => {
    const timeline = new Timeline({ width: 80, colours: false });
    const event = timeline.event(row({ table: "order_lines", key: { line: 2, order_id: 1 } }));
    expect([timeline.heading(), ...event.split("\n")]).toEqual([
      "time             who                   did       to",
      "21:57:41.434211  alice@shop.example    update    shop.order_lines",
      "    line=2 order_id=1  status: new → paid",
    ]);
  });

  it("says what DDL changed, also beside the columns", () => {
    const timeline = new Timeline({ width: 160, colours: false });
    const changes = [
      { change: "renamed", from: { schema: "shop", table: "invoices" }, to: { schema: "shop", table: "orders" } },
      { change: "column added", column: "note", type: "text" },
      { change: "type", column: "price", from: "integer", to: "numeric(10,2)" },
      { change: "key", from: ["id"], to: ["id", "line"] },
      {
        change: "foreign key added",
        name: "f",
        columns: ["a"],
        schema: "shop",
        table: "users",
        referenced_columns: ["id"],
      },
      { change: "trigger disabled", trigger: "capture_actor" },
    ];
    const event = timeline.event(
      row({ operation: "schema", key: null, before: null, after: null, detail: { changes } }),
    );
    expect(event.slice(event.indexOf("was"))).toBe(
      'was shop.invoices, + note text, price: integer → numeric(10,2), key: ["id"…',
    );
    const columns = [{ name: "id", type: "integer" }];
    const same = timeline.event(row({ operation: "schema", key: null, before: { columns }, after: { columns } }));
    expect(same).toContain("same columns");
  });

  it("leaves no hole where a table has no key", () => {
    const timeline = new Timeline({ width: 80, colours: false });
    expect(timeline.event(row({ key: null })).split("\n")[1]).toBe("    status: new → paid");
  });

  it("stays aligned after a long name", () => {
    const timeline = new Timeline({ width: 160, colours: false });
    const lines = [
      timeline.event(row({ key: { order_id: 123456789012, line: 1234567890 } })),
      timeline.event(row()),
      timeline.event(row({ actor: "東京支店の担当者", key: { name: "名前" } })),
    ];
    const columns = lines.map((line) => stringWidth(line.slice(0, line.indexOf("status:"))));
    expect(new Set(columns).size).toBe(1);
  });

  it("fits every line to the terminal, by what characters take there", () => {
    for (const width of [80, 120, 160]) {
      const timeline = new Timeline({ width, colours: false });
      const wide = row({ operation: "insert", after: { note: "長".repeat(200) }, key: { id: "長".repeat(80) } });
      const lines = [timeline.heading(), timeline.more(12345, new Map([["insert app.parts".repeat(20), 1]]))];
      for (const line of [...lines, ...timeline.event(wide, true).split("\n")]) {
        expect(stringWidth(line)).toBeLessThanOrEqual(width);
      }
    }
  });

  it("lets no value steer the terminal", () => {
    const timeline = new Timeline({ width: 160, colours: false });
    expect(timeline.event(row({ after: { status: "\u001b[2J" }, key: { id: "\u0007" } }))).toMatch(
      /id=\\x07 .*→ \\x1b\[2J$/,
    );
  });

  it("says how many events it does not show, and of what", () => {
    const timeline = new Timeline({ width: 160, colours: false });
    const of = new Map([
      ["insert app.parts", 11_000],
      ["update app.parts", 300],
      ["delete app.parts", 39],
      ["insert app.orders", 1],
    ]);
    expect(timeline.more(11_340, of)).toBe(
      "    + 11,340 more: 11,000 insert app.parts, 300 update app.parts, 39 delete app.parts, 1 other kinds",
    );
  });
});
