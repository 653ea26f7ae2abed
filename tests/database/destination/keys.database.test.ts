import { describe, expect, it } from "vitest";
import { recordLog } from "../support/record-log";
import { type ShapeInput, Stream } from "../support/stream";

const { asOf, history, refusal, store, tableAsOf } = recordLog();

describe("Keys that move over each other in one statement", () => {
  const steps: ShapeInput = {
    relation: 1,
    key: ["pos"],
    columns: [
      ["pos", "integer"],
      ["t", "text"],
    ],
  };
  const shifted = () =>
    new Stream()
      .at("09:00:00")
      .shape("app.steps", steps)
      .insert("app.steps", { pos: 1 }, { pos: 1, t: "one" })
      .insert("app.steps", { pos: 2 }, { pos: 2, t: "two" })
      .insert("app.steps", { pos: 3 }, { pos: 3, t: "three" })
      .at("10:00:00")
      .update("app.steps", { pos: 2 }, { pos: 1 }, { pos: 2, t: "one" })
      .update("app.steps", { pos: 3 }, { pos: 2 }, { pos: 3, t: "two" })
      .update("app.steps", { pos: 4 }, { pos: 3 }, { pos: 4, t: "three" });

  it("leave each record under its new key, with its own past", async () => {
    await store(shifted());
    expect(await asOf("app.steps", { pos: 1 })).toBeNull();
    expect(await asOf("app.steps", { pos: 2 })).toEqual({ pos: 2, t: "one" });
    expect(await asOf("app.steps", { pos: 3 })).toEqual({ pos: 3, t: "two" });
    expect(await asOf("app.steps", { pos: 4 })).toEqual({ pos: 4, t: "three" });
    expect(await tableAsOf("app.steps")).toEqual([
      { pos: 2, t: "one" },
      { pos: 3, t: "two" },
      { pos: 4, t: "three" },
    ]);
    expect(await history("app.steps", { pos: 3 })).toEqual(['insert {"t":"two","pos":2}', "update pos 2 → 3"]);
    expect(await history("app.steps", { pos: 1 })).toEqual(['insert {"t":"one","pos":1}', "update pos 1 → 2"]);
  });

  it("are followed where the schema was renamed while the transaction was open", async () => {
    await store(
      new Stream()
        .at("09:00:00")
        .shape("app.steps", steps)
        .insert("app.steps", { pos: 1 }, { pos: 1, t: "one" })
        .insert("app.steps", { pos: 2 }, { pos: 2, t: "two" })
        .at("10:00:00")
        .drop("app.steps", "ALTER SCHEMA")
        .shape("shop.steps", steps, {
          reason: "ddl",
          command: "ALTER SCHEMA",
          renamed_from: { schema: "app", table: "steps" },
        })
        .at("11:00:00")
        .update("app.steps", { pos: 2 }, { pos: 1 }, { pos: 2, t: "one" })
        .update("app.steps", { pos: 3 }, { pos: 2 }, { pos: 3, t: "two" }),
    );
    expect(await tableAsOf("shop.steps")).toEqual([
      { pos: 2, t: "one" },
      { pos: 3, t: "two" },
    ]);
    expect(await asOf("shop.steps", { pos: 2 })).toEqual({ pos: 2, t: "one" });
  });

  it("are followed when they swap", async () => {
    await store(
      new Stream()
        .at("09:00:00")
        .shape("app.steps", steps)
        .insert("app.steps", { pos: 1 }, { pos: 1, t: "a" })
        .insert("app.steps", { pos: 2 }, { pos: 2, t: "b" })
        .at("10:00:00")
        .update("app.steps", { pos: 2 }, { pos: 1 }, { pos: 2, t: "a" })
        .update("app.steps", { pos: 1 }, { pos: 2 }, { pos: 1, t: "b" }),
    );
    expect(await tableAsOf("app.steps")).toEqual([
      { pos: 1, t: "b" },
      { pos: 2, t: "a" },
    ]);
    expect(await asOf("app.steps", { pos: 2 })).toEqual({ pos: 2, t: "a" });
    expect(await asOf("app.steps", { pos: 1 }, "09:30:00")).toEqual({ pos: 1, t: "a" });
    expect(await history("app.steps", { pos: 1 })).toEqual(['insert {"t":"b","pos":2}', "update pos 2 → 1"]);
  });
});

describe("A record whose key is written in another way", () => {
  const before: ShapeInput = {
    relation: 1,
    key: ["id"],
    columns: [
      ["id", "integer"],
      ["tenant", "text"],
    ],
  };
  const first = () =>
    new Stream()
      .at("09:00:00")
      .shape("app.items", before)
      .insert("app.items", { id: 1 }, { id: 1, tenant: "a" })
      .insert("app.items", { id: 2 }, { id: 2, tenant: "b" })
      .at("10:00:00");
  const ddl = { reason: "ddl", command: "ALTER TABLE" };

  it("keeps its life when the key column is renamed", async () => {
    const shape: ShapeInput = {
      ...before,
      key: ["item_id"],
      columns: [["item_id", "integer"], before.columns[1] as never],
    };
    await store(
      first()
        .shape("app.items", shape, ddl)
        .at("11:00:00")
        .update("app.items", { item_id: 1 }, { tenant: "a" }, { item_id: 1, tenant: "c" }),
    );
    expect(await history("app.items", { item_id: 1 })).toHaveLength(2);
    expect(await asOf("app.items", { item_id: 2 })).toEqual({ item_id: 2, tenant: "b" });
    expect(await asOf("app.items", { id: 2 }, "09:30:00")).toEqual({ id: 2, tenant: "b" });
    expect(await tableAsOf("app.items")).toEqual([
      { item_id: 1, tenant: "c" },
      { item_id: 2, tenant: "b" },
    ]);
  });

  it("keeps its life when the key's type changes", async () => {
    const shape: ShapeInput = { ...before, columns: [["id", "text"], before.columns[1] as never] };
    await store(
      first()
        .shape("app.items", shape, { ...ddl, rewritten: false })
        .at("11:00:00")
        .update("app.items", { id: "1" }, { tenant: "a" }, { id: "1", tenant: "c" }),
    );
    expect(await history("app.items", { id: "1" })).toHaveLength(2);
    expect(await asOf("app.items", { id: "2" })).toMatchObject({ tenant: "b" });
    expect(await tableAsOf("app.items")).toHaveLength(2);
  });

  it.each([
    ["date", "2026-01-07", "timestamp without time zone", "2026-01-07T00:00:00"],
    ["date", "2026-01-07", "timestamp with time zone", "2026-01-07T00:00:00Z"],
    ["timestamp without time zone", "2026-01-07T09:30:00.5", "timestamp with time zone", "2026-01-07T09:30:00.5Z"],
    ["timestamp with time zone", "2026-01-07T00:00:00Z", "date", "2026-01-07"],
  ])("keeps its life when a %s such as %s becomes a %s", async (type, day, newType, newDay) => {
    const shapeOf = (of: string): ShapeInput => ({
      relation: 1,
      key: ["day"],
      columns: [
        ["day", of],
        ["state", "text"],
      ],
    });
    await store(
      new Stream()
        .at("09:00:00")
        .shape("app.days", shapeOf(type))
        .insert("app.days", { day }, { day, state: "open" })
        .at("10:00:00")
        .shape("app.days", shapeOf(newType), { ...ddl, rewritten: true })
        .at("11:00:00")
        .update("app.days", { day: newDay }, { state: "open" }, { day: newDay, state: "done" }),
    );
    expect(await history("app.days", { day: newDay })).toHaveLength(2);
    expect(await tableAsOf("app.days")).toEqual([{ day: newDay, state: "done" }]);
    expect(await asOf("app.days", { day: newDay }, "10:30:00")).toEqual({ day: newDay, state: "open" });
    expect(await asOf("app.days", { day }, "09:30:00")).toEqual({ day, state: "open" });
    expect(await refusal("SELECT audit.row_as_of($1, $2)", ["app.days", JSON.stringify({ day })])).toContain(
      `day is "${day}", and the key holds it as "${newDay}"`,
    );
  });

  it("keeps its life when a column leaves the key, beside records that ended before", async () => {
    const shapeOf = (key: string[], second = "text"): ShapeInput => ({
      relation: 1,
      key,
      columns: [
        ["id", "integer"],
        ["day", "text"],
        ["state", second],
      ],
    });
    await store(
      new Stream()
        .at("09:00:00")
        .shape("app.days", shapeOf(["id", "day"]))
        .insert("app.days", { id: 9, day: "mo" }, { id: 9, day: "mo", state: "open" })
        .insert("app.days", { id: 5, day: "mo" }, { id: 5, day: "mo", state: "gone" })
        .insert("app.days", { id: 7, day: "mo" }, { id: 7, day: "mo", state: "moved" })
        .at("10:00:00")
        .drop("app.days", "ALTER TABLE")
        .shape("app.dates", shapeOf(["id", "day"]), { ...ddl, renamed_from: { schema: "app", table: "days" } })
        .at("10:30:00")
        .delete("app.dates", { id: 5, day: "mo" }, { id: 5, day: "mo", state: "gone" })
        .update("app.dates", { id: 7, day: "tu" }, { day: "mo" }, { id: 7, day: "tu", state: "moved" })
        .at("11:00:00")
        .shape("app.dates", shapeOf(["id", "day"], "character varying"), ddl)
        .at("12:00:00")
        .shape("app.dates", shapeOf(["day"], "character varying"), ddl),
    );
    expect(await asOf("app.dates", { day: "mo" })).toEqual({ id: 9, day: "mo", state: "open" });
    expect(await asOf("app.dates", { day: "tu" })).toEqual({ id: 7, day: "tu", state: "moved" });
    expect(await tableAsOf("app.dates")).toHaveLength(2);
    expect(await history("app.dates", { day: "mo" })).toEqual(['insert {"id":9,"day":"mo","state":"open"}']);
    expect(await history("app.dates", { day: "tu" })).toHaveLength(2);
  });

  it("keeps its life when a column is added to the key", async () => {
    await store(
      first()
        .shape("app.items", { ...before, key: ["id", "tenant"] }, ddl)
        .at("11:00:00")
        .update("app.items", { id: 1, tenant: "c" }, { tenant: "a" }, { id: 1, tenant: "c" }),
    );
    expect(await history("app.items", { id: 1, tenant: "c" })).toHaveLength(2);
    expect(await asOf("app.items", { id: 2, tenant: "b" })).toEqual({ id: 2, tenant: "b" });
    expect(await asOf("app.items", { id: 1, tenant: "a" })).toBeNull();
    expect(await tableAsOf("app.items")).toEqual([
      { id: 1, tenant: "c" },
      { id: 2, tenant: "b" },
    ]);
  });
});
