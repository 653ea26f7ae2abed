import { beforeEach, describe, expect, it } from "vitest";
import { storeEvents } from "../support/audit-events";
import { recordLog } from "../support/record-log";
import { type ShapeInput, Stream } from "../support/stream";

const { asOf, client, history, reader, refusal, store, tableAsOf, unknownAsOf } = recordLog();

const seats: ShapeInput = {
  relation: 1,
  key: ["id"],
  columns: [
    ["id", "integer"],
    ["state", "text"],
  ],
};

describe("The order of the stream", () => {
  it("decides what came last, though the source's clock was set back between two changes", async () => {
    await store(
      new Stream()
        .at("09:00:00")
        .shape("public.seats", seats)
        .at("10:00:10")
        .insert("public.seats", { id: 8 }, { id: 8, state: "free" })
        .at("10:00:05")
        .delete("public.seats", { id: 8 }, { id: 8, state: "free" }),
    );
    expect(await asOf("public.seats", { id: 8 })).toBeNull();
    expect(await tableAsOf("public.seats")).toEqual([]);
    expect(await history("public.seats", { id: 8 })).toEqual([
      'insert {"id":8,"state":"free"}',
      'delete {"id":8,"state":"free"}',
    ]);
  });

  it("puts a baseline before the changes that were sent after it, though it is dated later", async () => {
    await store(
      new Stream()
        .at("09:00:00")
        .shape("public.seats", seats)
        .at("10:00:20")
        .baseline("public.seats", { id: 1 }, { id: 1, state: "free" })
        .at("10:00:10")
        .update("public.seats", { id: 1 }, { state: "free" }, { id: 1, state: "taken" }),
    );
    expect(await asOf("public.seats", { id: 1 })).toEqual({ id: 1, state: "taken" });
    expect(await asOf("public.seats", { id: 1 }, "10:00:15")).toEqual({ id: 1, state: "taken" });
  });

  it("has events of versions that noted no order before all others, by their times", async () => {
    const old = new Stream().at("09:00:00").shape("public.seats", seats).at("10:00:00");
    old.insert("public.seats", { id: 1 }, { id: 1, state: "free" });
    old.at("10:00:01").update("public.seats", { id: 1 }, { state: "free" }, { id: 1, state: "held" });
    await storeEvents(
      client(),
      old.events.map(({ stream_order: _, ...event }) => event),
    );
    expect(await asOf("public.seats", { id: 1 })).toEqual({ id: 1, state: "held" });
    const later = new Stream("test", Date.parse("2026-11-05T11:00:00Z") * 1000);
    await store(later.at("09:30:00").update("public.seats", { id: 1 }, { state: "held" }, { id: 1, state: "taken" }));
    expect(await asOf("public.seats", { id: 1 })).toEqual({ id: 1, state: "taken" });
    expect((await history("public.seats", { id: 1 })).at(-1)).toBe("update state held → taken");
  });
});

describe("A time that a clock which was set back showed twice", () => {
  /** Between 10:00:20 and the next line the clock is set back by more than ten seconds. */
  const setBack = () =>
    new Stream()
      .at("09:00:00")
      .shape("public.seats", seats)
      .insert("public.seats", { id: 1 }, { id: 1, state: "free" })
      .at("10:00:18")
      .insert("public.seats", { id: 2 }, { id: 2, state: "free" });

  it("means the last time, and all rows of a table as they were then", async () => {
    await store(
      setBack()
        .at("10:00:20")
        .delete("public.seats", { id: 1 }, { id: 1, state: "free" })
        .at("10:00:10")
        .insert("public.seats", { id: 3 }, { id: 3, state: "free" })
        .at("10:00:19")
        .update("public.seats", { id: 2 }, { state: "free" }, { id: 2, state: "taken" }),
    );
    const free = (id: number) => ({ id, state: "free" });
    expect(await tableAsOf("public.seats", "10:00:05")).toEqual([free(1)]);
    expect(await tableAsOf("public.seats", "10:00:15")).toEqual([free(2), free(3)]);
    expect(await tableAsOf("public.seats", "10:00:19")).toEqual([{ id: 2, state: "taken" }, free(3)]);
    expect(await tableAsOf("public.seats")).toEqual([{ id: 2, state: "taken" }, free(3)]);
  });

  it("knows of a TRUNCATE and of DDL that came before in the stream", async () => {
    await store(
      setBack()
        .truncate("public.seats")
        .at("10:00:20")
        .shape(
          "public.seats",
          {
            ...seats,
            columns: [
              ["id", "integer"],
              ["held", "text", 2],
            ],
          },
          { reason: "ddl", command: "ALTER TABLE" },
        )
        .at("10:00:10")
        .insert("public.seats", { id: 3 }, { id: 3, held: "by Ruth" })
        .at("10:00:30")
        .shape("public.seats", { ...seats, columns: [["id", "integer"]] }, { reason: "ddl", command: "ALTER TABLE" }),
    );
    expect(await tableAsOf("public.seats", "10:00:15")).toEqual([{ id: 3, held: "by Ruth" }]);
    expect(await asOf("public.seats", { id: 3 }, "10:00:15")).toEqual({ id: 3, held: "by Ruth" });
    expect(await unknownAsOf("public.seats", { id: 3 }, "10:00:15")).toEqual({});
    expect(await tableAsOf("public.seats")).toEqual([{ id: 3 }]);
  });

  it("is no reason to tell rows that a full load read later", async () => {
    await store(
      setBack()
        .at("10:00:40")
        .baseline("public.seats", { id: 4 }, { id: 4, state: "free" })
        .at("10:00:30")
        .insert("public.seats", { id: 4 }, { id: 4, state: "free" }),
    );
    expect(await tableAsOf("public.seats", "10:00:29")).toHaveLength(2);
    expect(await tableAsOf("public.seats", "10:00:35")).toHaveLength(3);
  });
});

describe("A record whose table got another name", () => {
  const renamed = () =>
    new Stream()
      .at("09:00:00")
      .shape("app.invoices", seats)
      .insert("app.invoices", { id: 1 }, { id: 1, state: "new" })
      .insert("app.invoices", { id: 2 }, { id: 2, state: "new" })
      .at("10:00:00")
      .update("app.invoices", { id: 1 }, { state: "new" }, { id: 1, state: "sent" })
      .at("11:00:00")
      .drop("app.invoices", "ALTER TABLE")
      .shape("app.bills", seats, {
        reason: "ddl",
        command: "ALTER TABLE",
        renamed_from: { schema: "app", table: "invoices" },
      })
      .at("12:00:00")
      .update("app.bills", { id: 1 }, { state: "sent" }, { id: 1, state: "paid" });
  const whole = ['insert {"id":1,"state":"new"}', "update state new → sent", "update state sent → paid"];

  it("tells its whole life by either name, and answers by the one that it had at the time", async () => {
    await store(renamed());
    expect(await history("app.bills", { id: 1 })).toEqual(whole);
    expect(await history("app.invoices", { id: 1 })).toEqual(whole);
    expect(await asOf("app.bills", { id: 2 })).toEqual({ id: 2, state: "new" });
    expect(await asOf("app.invoices", { id: 2 })).toBeNull();
    expect(await asOf("app.invoices", { id: 1 }, "10:30:00")).toEqual({ id: 1, state: "sent" });
    expect(await tableAsOf("app.bills")).toHaveLength(2);
    expect(await tableAsOf("app.invoices")).toEqual([]);
  });

  it("is told from the records of a table that took the name later", async () => {
    await store(
      renamed()
        .at("13:00:00")
        .shape("app.invoices", { ...seats, relation: 2 }, { reason: "ddl", command: "CREATE TABLE" })
        .insert("app.invoices", { id: 1 }, { id: 1, state: "other" }),
    );
    expect(await history("app.invoices", { id: 1 })).toEqual(['insert {"id":1,"state":"other"}']);
    expect(await history("app.bills", { id: 1 })).toEqual(whole);
    expect(await asOf("app.invoices", { id: 2 })).toBeNull();
    expect(await asOf("app.bills", { id: 1 })).toEqual({ id: 1, state: "paid" });
  });

  it("is followed into a shadow table that took the name in one transaction", async () => {
    const rename = (table: string) => ({
      reason: "ddl",
      command: "ALTER TABLE",
      renamed_from: { schema: "app", table },
    });
    await store(
      new Stream()
        .at("09:00:00")
        .shape("app.orders", seats)
        .insert("app.orders", { id: 1 }, { id: 1, state: "new" })
        .at("10:00:00")
        .shape("app.orders_new", { ...seats, relation: 2 }, { reason: "ddl", command: "CREATE TABLE" })
        .insert("app.orders_new", { id: 1 }, { id: 1, state: "new" })
        .at("11:00:00")
        .drop("app.orders", "ALTER TABLE")
        .shape("app.orders_old", seats, rename("orders"))
        .drop("app.orders_new", "ALTER TABLE")
        .shape("app.orders", { ...seats, relation: 2 }, rename("orders_new"))
        .at("12:00:00")
        .update("app.orders", { id: 1 }, { state: "new" }, { id: 1, state: "paid" }),
    );
    expect(await history("app.orders", { id: 1 })).toEqual([
      'insert {"id":1,"state":"new"}',
      'insert {"id":1,"state":"new"}',
      "update state new → paid",
    ]);
    expect(await asOf("app.orders", { id: 1 })).toEqual({ id: 1, state: "paid" });
    expect(await asOf("app.orders", { id: 1 }, "10:30:00")).toEqual({ id: 1, state: "new" });
    expect(await asOf("app.orders_old", { id: 1 })).toEqual({ id: 1, state: "new" });
  });

  it("is found where an earlier version wrote no more than the end of one name and the beginning of another", async () => {
    const columns = [{ name: "id", type: "integer" }];
    const stream = renamed();
    await storeEvents(
      client(),
      stream.events.map((event) => {
        if (event.operation !== "schema") return event;
        const reason = (event.context as { reason: string }).reason;
        const shape = { key: ["id"], columns };
        if (reason === "drop") return { ...event, before: shape, after: { key: [], columns: [] } };
        return { ...event, after: shape, context: { reason, command: "ALTER TABLE" } };
      }),
    );
    expect(await history("app.bills", { id: 1 })).toEqual(whole);
    expect(await asOf("app.bills", { id: 2 })).toEqual({ id: 2, state: "new" });
  });
});

describe("Several sources in one log", () => {
  const account = (source: string, balance: number) =>
    new Stream(source)
      .at("09:00:00")
      .shape("public.accounts", seats)
      .insert("public.accounts", { id: 1 }, { id: 1, state: `${balance}` });

  it("are kept apart, and a question that could mean either is refused with both", async () => {
    const us = account("us", 2).at("10:00:00").delete("public.accounts", { id: 1 }, { id: 1, state: "2" });
    us.truncate("public.accounts");
    await store(account("eu", 1), us);
    expect(await asOf("public.accounts", { id: 1 }, undefined, "eu")).toEqual({ id: 1, state: "1" });
    expect(await asOf("public.accounts", { id: 1 }, undefined, "us")).toBeNull();
    expect(await history("public.accounts", { id: 1 }, "eu")).toEqual(['insert {"id":1,"state":"1"}']);
    expect(await tableAsOf("public.accounts", undefined, "eu")).toHaveLength(1);
    const refused = await refusal("SELECT audit.row_as_of($1, $2)", ["public.accounts", { id: 1 }]);
    expect(refused).toContain("the sources eu, us all have a table public.accounts");
    expect(refused).toContain("source => 'eu'");
    expect(await refusal("SELECT audit.row_as_of($1, $2, now(), 'asia')", ["public.accounts", { id: 1 }])).toContain(
      "Sources that have it: eu, us.",
    );
  });
});

describe("A name that another table bore before", () => {
  it("brings no TRUNCATE of that table with it", async () => {
    const other: ShapeInput = { ...seats, relation: 2 };
    await store(
      new Stream()
        .at("09:00:00")
        .shape("app.seats", seats)
        .shape("app.places", other)
        .insert("app.seats", { id: 8 }, { id: 8, state: "free" })
        .at("09:30:00")
        .truncate("app.places")
        .drop("app.places")
        .at("10:00:00")
        .drop("app.seats", "ALTER TABLE")
        .shape("app.places", seats, {
          reason: "ddl",
          command: "ALTER TABLE",
          renamed_from: { schema: "app", table: "seats" },
        }),
    );
    expect(await asOf("app.places", { id: 8 })).toEqual({ id: 8, state: "free" });
    expect(await tableAsOf("app.places")).toEqual([{ id: 8, state: "free" }]);
  });
});

describe("DDL between a record's last change and the time asked for", () => {
  const start: ShapeInput = {
    relation: 1,
    key: ["id"],
    columns: [
      ["id", "integer", 1],
      ["a", "integer", 2],
      ["b", "text", 3],
    ],
  };
  const first = () =>
    new Stream()
      .at("09:00:00")
      .shape("app.dc", start)
      .insert("app.dc", { id: 1 }, { id: 1, a: 1, b: "gone" })
      .at("10:00:00");
  const ddl = { reason: "ddl", command: "ALTER TABLE" };

  it("takes a dropped column away, and names an added one as unknown since then", async () => {
    const shape: ShapeInput = {
      ...start,
      columns: [
        ["id", "integer", 1],
        ["a", "integer", 2],
        ["c", "integer", 4],
      ],
    };
    await store(first().shape("app.dc", shape, ddl));
    expect(await asOf("app.dc", { id: 1 })).toEqual({ id: 1, a: 1 });
    expect(await unknownAsOf("app.dc", { id: 1 })).toEqual({
      c: { since: "2026-11-05T10:00:00+00:00", reason: "added by ALTER TABLE" },
    });
    expect(await asOf("app.dc", { id: 1 }, "09:30:00")).toEqual({ id: 1, a: 1, b: "gone" });
  });

  it("shows the value that an added column got when the source said it", async () => {
    const shape: ShapeInput = { ...start, columns: [...start.columns, ["c", "integer", 4]] };
    await store(first().shape("app.dc", shape, { ...ddl, added: { c: 7 } }));
    expect(await asOf("app.dc", { id: 1 })).toEqual({ id: 1, a: 1, b: "gone", c: 7 });
    expect(await unknownAsOf("app.dc", { id: 1 })).toEqual({});
  });

  it("reads a renamed column under its new name, and names a rewritten one as unknown", async () => {
    const shape: ShapeInput = {
      ...start,
      columns: [
        ["id", "integer", 1],
        ["amount", "bigint", 2],
        ["note", "text", 3],
      ],
    };
    await store(first().shape("app.dc", shape, { ...ddl, rewritten: true }));
    expect(await asOf("app.dc", { id: 1 })).toEqual({ id: 1, note: "gone" });
    expect((await unknownAsOf("app.dc", { id: 1 })).amount?.reason).toBe("rewritten by ALTER TABLE");
    expect(await tableAsOf("app.dc")).toEqual([{ id: 1, note: "gone" }]);
  });

  it("takes a key's values for the same when the key gets another type", async () => {
    const shape: ShapeInput = { ...start, columns: [["id", "text", 1], ...start.columns.slice(1)] };
    await store(first().shape("app.dc", shape, { ...ddl, rewritten: true }));
    expect(await asOf("app.dc", { id: "1" })).toEqual({ id: "1", a: 1, b: "gone" });
    expect(await tableAsOf("app.dc")).toEqual([{ id: "1", a: 1, b: "gone" }]);
  });

  it("knows the first shape of a table that was watched before the stream began from the DDL that ended it", async () => {
    const [id, a, b] = start.columns as [ShapeInput["columns"][number], ...ShapeInput["columns"][number][]];
    const stream = new Stream()
      .at("09:00:00")
      .insert("app.dc", { id: 1 }, { id: 1, a: 1, b: "gone" })
      .at("10:00:00")
      .shape(
        "app.dc",
        { ...start, columns: [id, ["amount", "integer", 2], b as typeof id, ["c", "integer", 4]] },
        { ...ddl, added: { c: 7 }, changes: [{ change: "column renamed", from: "a", to: "amount" }] },
      );
    // As the transformer tells it: without numbers.
    const before = { key: start.key, columns: [id, a, b].map((column) => ({ name: column?.[0], type: column?.[1] })) };
    await storeEvents(
      client(),
      stream.events.map((event) => (event.operation === "schema" ? { ...event, before } : event)),
    );
    const row = { id: 1, amount: 1, b: "gone", c: 7 };
    expect(await asOf("app.dc", { id: 1 })).toEqual(row);
    expect(await tableAsOf("app.dc")).toEqual([row]);
    expect(await asOf("app.dc", { id: 1 }, "09:30:00")).toEqual({ id: 1, a: 1, b: "gone" });
  });

  it("names every column as unknown when DDL gave rows other values without a change of the shape", async () => {
    await store(
      first()
        .shape("app.dc", start, { ...ddl, rewritten: true })
        .at("11:00:00")
        .shape("app.dc", start, ddl),
    );
    expect(await asOf("app.dc", { id: 1 })).toEqual({ id: 1 });
    expect(Object.keys(await unknownAsOf("app.dc", { id: 1 }))).toEqual(["a", "b"]);
    expect(await tableAsOf("app.dc")).toEqual([{ id: 1 }]);
    expect(await asOf("app.dc", { id: 1 }, "09:30:00")).toEqual({ id: 1, a: 1, b: "gone" });
  });
});

describe("A question that can have no answer says what there is instead", () => {
  beforeEach(() =>
    store(
      new Stream()
        .at("09:00:00")
        .shape("shop.lines", {
          relation: 1,
          key: ["order_id", "line"],
          columns: [
            ["order_id", "integer"],
            ["line", "integer"],
            ["code", "text"],
          ],
        })
        .shape("shop.notes", { relation: 2, key: [], columns: [["text", "text"]] }),
    ),
  );

  it.each([
    ["shop.linse", { order_id: 1, line: 1 }, "no table shop.linse", "shop.lines, shop.notes"],
    ["shop.lines", { order_id: 1 }, "it lacks line", '{"order_id": integer, "line": integer}'],
    ["shop.lines", { order_id: 1, line: 2, code: "x" }, "code is no key column", "The key is"],
    ["shop.lines", { order_id: "1", line: 2 }, 'order_id is the text "1", and the key holds numbers', "The key is"],
    ["shop.notes", { text: "x" }, "shop.notes has no key", "Ask audit.log"],
  ])("%s %j", async (table, key, problem, hint) => {
    for (const statement of ["SELECT audit.row_as_of($1, $2)", "SELECT audit.history($1, $2)"]) {
      const refused = await refusal(statement, [table, key]);
      expect(refused).toContain(problem);
      expect(refused).toContain(hint);
    }
  });

  it.each([
    ["shop.linse", "no table shop.linse", "shop.lines, shop.notes"],
    ["shop.notes", "shop.notes has no key", "Ask audit.log"],
    ["main.shop.lines", "names a table in more than two parts", ""],
  ])("all rows of %s", async (table, problem, hint) => {
    const refused = await refusal("SELECT audit.table_as_of($1)", [table]);
    expect(refused).toContain(problem);
    expect(refused).toContain(hint);
  });
});

describe("Related records", () => {
  it("are told with the record that their foreign keys name, each under its own name", async () => {
    const orders: ShapeInput = { relation: 1, key: ["id"], columns: [["id", "integer"]] };
    const lines: ShapeInput = {
      relation: 2,
      key: ["order_id", "line"],
      columns: [
        ["order_id", "integer"],
        ["line", "integer"],
      ],
      foreign_keys: [
        { name: "fk", columns: ["order_id"], schema: "shop", table: "orders", referenced_columns: ["id"] },
      ],
    };
    await store(
      new Stream()
        .at("09:00:00")
        .shape("shop.orders", orders)
        .shape("shop.lines", lines)
        .insert("shop.orders", { id: 1 }, { id: 1 })
        .insert("shop.lines", { order_id: 1, line: 1 }, { order_id: 1, line: 1 })
        .insert("shop.lines", { order_id: 2, line: 1 }, { order_id: 2, line: 1 }),
    );
    const { rows } = await reader().query(
      `SELECT "table", key FROM audit.history('shop.orders', '{"id": 1}', related => true)`,
    );
    expect(rows).toEqual([
      { table: "orders", key: { id: 1 } },
      { table: "lines", key: { order_id: 1, line: 1 } },
    ]);
    expect(await history("shop.orders", { id: 1 })).toHaveLength(1);
  });
});
