import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Act, Change, RecordStep } from "../../review/api";
import { barsOf } from "../../review/page/reading/bars";
import { columnRows, sideAsOf } from "../../review/page/reading/change-rows";
import { byDay, groupActs, isOfPages, mergeActs } from "../../review/page/reading/groups";
import { routeOf } from "../../review/page/reading/route";
import { stopAt, stopsOf } from "../../review/page/reading/steps";
import { agoText, bothZones, dayText, durationText, momentText } from "../../review/page/reading/time-text";
import { runsOf } from "../../review/page/reading/visible-text";
import { keyText, membersOf, sentenceOf } from "../../review/page/reading/words";
import { actAddress, completed, knownCompletions, recordAddress, typedAt } from "../../review/query";

const change = (parts: Partial<Change>): Change => ({
  time: "2026-11-05T10:00:00.000000Z",
  event: "e",
  source: "shop",
  transaction: "7",
  sequence: 1,
  actor: "alice",
  request: null,
  operation: "update",
  table: "shop.orders",
  key: '{"id":1}',
  before: null,
  after: null,
  changed: [],
  unknown: [],
  untyped: [],
  redacted: [],
  masked: [],
  detail: null,
  partition: null,
  storedAt: "2026-11-05T10:00:01.000000Z",
  ...parts,
});

const act = (parts: Partial<Act>): Act => ({
  source: "shop",
  time: "2026-11-05T10:00:00.000000Z",
  transaction: "7",
  actor: "alice",
  otherActors: [],
  request: null,
  context: null,
  counts: [],
  hasMore: false,
  first: [],
  ...parts,
});

describe("the columns of a change", () => {
  it("tell null from unknown, redacted, hidden and untyped", () => {
    const rows = columnRows(
      change({
        before: { a: "null", card: '"[redacted]"', born: '"0044"' },
        after: { a: "1", card: '"[redacted]"', born: '"0045"', same: "true" },
        changed: ["a", "card", "born", "email"],
        unknown: ["photo"],
        redacted: ["card"],
        untyped: ["born"],
        masked: ["email"],
      }),
    );
    const states = Object.fromEntries(rows.map(({ column, from, to }) => [column, [from?.state, to?.state]]));
    expect(states).toEqual({
      a: ["value", "value"],
      card: ["redacted", "redacted"],
      born: ["value", "value"],
      same: [undefined, "value"],
      email: ["masked", "masked"],
      photo: ["unknown", "unknown"],
    });
    expect(rows.find(({ column }) => column === "a")?.from).toEqual({
      state: "value",
      value: "null",
      isUntyped: false,
    });
    expect(rows.find(({ column }) => column === "born")?.to).toMatchObject({ isUntyped: true });
    expect(rows.find(({ column }) => column === "same")).toMatchObject({ isChanged: false });
  });

  it("know the value that was revealed, and that the other side is not known", () => {
    const rows = columnRows(change({ masked: ["email"], changed: ["email"] }), {
      before: {},
      after: { email: '"n@x"' },
    });
    expect(rows).toEqual([
      {
        column: "email",
        isChanged: true,
        from: { state: "unknown" },
        to: { state: "value", value: '"n@x"', isUntyped: false },
      },
    ]);
  });

  it("have one side when the row is new or gone", () => {
    expect(columnRows(change({ operation: "insert", after: { id: "1" } }))).toEqual([
      { column: "id", isChanged: true, to: { state: "value", value: "1", isUntyped: false } },
    ]);
    expect(columnRows(change({ operation: "delete", before: { id: "1" } }))[0]).toHaveProperty("from");
  });

  it("as of a moment are unknown where the row does not have them", () => {
    const asOf = { time: "", row: { a: '"[redacted]"' }, unknown: ["b"], masked: ["c"], absence: null };
    expect(["a", "b", "c"].map((column) => sideAsOf(asOf, column).state)).toEqual(["redacted", "unknown", "masked"]);
  });
});

describe("acts", () => {
  it("of one request that follow each other stand together, those without a request never", () => {
    const groups = groupActs([
      act({ transaction: "9", request: "r" }),
      act({ transaction: "8", request: "r" }),
      act({ transaction: "7" }),
      act({ transaction: "6" }),
      act({ transaction: "5", request: "r" }),
      act({ transaction: "4", request: "r", source: "other" }),
    ]);
    expect(groups.map(({ acts }) => acts.length)).toEqual([2, 1, 1, 1, 1]);
    expect(byDay(groups, (time) => time.slice(0, 10))).toHaveLength(1);
  });

  it("that arrive twice stand once, newest first", () => {
    const [old, young] = [act({ time: "1" }), act({ time: "2", actor: null })];
    expect(mergeActs([old], [young, old])).toEqual([young, old]);
  });

  it("are told in a sentence", () => {
    const counts = [
      { table: "shop.order_lines", operation: "delete", changes: 12 },
      { table: "shop.orders", operation: "truncate", changes: 1 },
    ] as const;
    expect(sentenceOf(act({ counts }))).toBe("alice deleted 12 rows of shop.order_lines, emptied shop.orders");
    expect(sentenceOf(act({ counts: counts.slice(0, 1), hasMore: true, actor: null }))).toBe(
      "Somebody unknown deleted at least 12 rows of shop.order_lines",
    );
  });
});

describe("an act that the stream tells", () => {
  const at = (time: string) => act({ time: `2026-11-05T${time}.000000Z` });
  const page = (older: string | null, ...times: string[]) => ({
    window: { from: "2026-11-05T09:00:00.000000Z", to: "2026-11-05T12:00:00.000000Z", isDefault: true },
    acts: times.map(at),
    older,
  });

  it.each([
    ["stands in the list", at("11:00:00"), [page(null, "11:00:00")], true],
    ["came while the page was asking", at("11:30:00"), [page(null, "11:00:00")], false],
    ["came late, among others", at("10:30:00"), [page(null, "11:00:00", "10:00:00")], false],
    ["is the first of all", at("11:30:00"), [page(null)], false],
    ["stands on a page that has not been asked for", at("10:30:00"), [page("next", "11:00:00")], true],
    ["stands on the second page", at("10:30:00"), [page("next", "11:00:00"), page(null, "10:30:00")], true],
    ["is older than the span", at("08:30:00"), [page(null)], true],
    ["comes before there is any page", at("11:30:00"), [], true],
  ])("and %s", (_, told, pages, isListed) => {
    expect(isOfPages(told, pages)).toBe(isListed);
  });
});

describe("texts", () => {
  it("show what can't be seen, and nothing else changes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(
          runsOf(text)
            .map((run) => ("text" in run ? run.text : run.sign))
            .join(""),
        ).toBe(text);
      }),
    );
    expect(runsOf("a\u202eb\u0000\nc 👩‍🚀")).toEqual([
      { text: "a" },
      { sign: "\u202e", name: "U+202E" },
      { text: "b" },
      { sign: "\u0000", name: "U+0000" },
      { text: "\nc 👩‍🚀" },
    ]);
    expect(runsOf("a\u200db")[1]).toEqual({ sign: "\u200d", name: "U+200D" });
    expect(runsOf("\ud800x")[0]).toEqual({ sign: "\ud800", name: "U+D800" });
  });

  it("of keys are short, and keep every digit", () => {
    expect(keyText('{"id":12345678901234567890}')).toBe("12345678901234567890");
    expect(keyText('{"order_id":7,"line":"a b"}')).toBe("order_id 7, line a b");
    expect(keyText(null)).toBe("");
    expect(membersOf("no json")).toEqual([]);
    expect(membersOf('{"reason":"x","n":{"a":1.50}}')).toEqual([
      ["reason", "x"],
      ["n", '{"a":1.50}'],
    ]);
  });
});

describe("times", () => {
  it("are written in UTC, to the microsecond when asked", () => {
    expect(momentText("2026-11-05T09:04:03.120456Z", "UTC")).toBe("2026-11-05 09:04:03");
    expect(momentText("2026-11-05T09:04:03.120456Z", "UTC", true)).toBe("2026-11-05 09:04:03.120456");
    expect(dayText("2026-11-05T09:04:03.120456Z", "UTC")).toBe("Thursday 5 November 2026");
    expect(bothZones("2026-11-05T09:04:03.120456Z")).toMatch(/^2026-11-05 09:04:03\.120456 UTC\n.*\.120456 /);
  });

  it("are told from now where that is short", () => {
    const now = Date.parse("2026-11-05T12:00:00Z");
    const ago = (time: string) => agoText(`${time}.000000Z`, now);
    expect(ago("2026-11-05T11:59:59")).toBe("just now");
    expect(ago("2026-11-05T11:57:00")).toBe("3 minutes ago");
    expect(ago("2026-11-04T12:00:00")).toBe("24 hours ago");
    expect(ago("2026-11-01T12:00:00")).toBeUndefined();
    expect(durationText(7 * 86_400)).toBe("7 days");
  });
});

describe("the picture", () => {
  it("has a column for each stretch of its span, and every change in one of them", () => {
    const bars = barsOf({
      window: { from: "2026-11-05T10:00:00.000000Z", to: "2026-11-05T10:05:00.000000Z", isDefault: false },
      bucketSeconds: 60,
      buckets: [
        { start: "2026-11-05T10:01:00.000000Z", counts: { insert: 2, delete: 1 } },
        { start: "2026-11-05T10:04:00.000000Z", counts: { update: 5 } },
      ],
    });
    expect(bars.columns.map(({ total }) => total)).toEqual([0, 3, 0, 0, 5]);
    expect(bars).toMatchObject({ most: 5, total: 8 });
    expect(bars.columns[1]?.parts).toEqual([
      { operation: "insert", from: 0, to: 2 },
      { operation: "delete", from: 2, to: 3 },
    ]);
  });
});

describe("the steps of a life", () => {
  it("give the slider its stops: the record's own and its table's, each moment once", () => {
    const step = (time: string, parts: object = {}): RecordStep =>
      ({ kind: "change", related: false, change: change({ time, operation: "insert" }), ...parts }) as RecordStep;
    const stops = stopsOf([step("3"), step("2", { related: true }), step("1"), step("1")]);
    expect(stops).toEqual([
      { time: "1", label: "added by alice" },
      { time: "3", label: "added by alice" },
    ]);
    expect([stopAt(stops, "0"), stopAt(stops, "2"), stopAt(stops, "3")]).toEqual([-1, 0, 1]);
  });
});

describe("addresses of the page", () => {
  it("lead where they were made for", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }).filter((each) => each.isWellFormed()),
        fc.nat(),
        (name, number) => {
          const id = {
            source: name,
            time: "2026-11-05T10:00:00.000001Z",
            transaction: number === 0 ? null : String(number),
          };
          const place = (address: string) => {
            const url = new URL(address, "http://page.example");
            return { path: url.pathname, query: url.search };
          };
          // A browser takes a part that is a dot or two for a step in the path.
          fc.pre(!/^(\.|%2e){1,2}$/i.test(encodeURIComponent(name)));
          expect(routeOf(place(actAddress(id)))).toEqual({ view: "act", id });
          const key = JSON.stringify({ [name]: number });
          expect(routeOf(place(recordAddress(name, key)))).toEqual({ view: "record", table: name, key });
        },
      ),
    );
  });

  it("that lead nowhere are known", () => {
    expect(
      ["/nowhere", "/act/a/b", "/record/shop.orders", "/record/%zz"].map((path) => routeOf({ path, query: "" }).view),
    ).toEqual(["nowhere", "nowhere", "nowhere", "nowhere"]);
  });
});

describe("completion", () => {
  it("knows what is being typed", () => {
    expect(typedAt("act", 3)).toMatchObject({ of: "qualifier", start: "act" });
    expect(typedAt("-actor:al x", 9)).toMatchObject({ of: "actor", start: "al", head: "-actor:" });
    expect(typedAt("op:de", 5)).toMatchObject({ of: "operation" });
    expect(typedAt("after:", 6)).toMatchObject({ of: "time" });
    expect(typedAt("x ", 2)).toMatchObject({ of: "qualifier", start: "" });
    expect(typedAt("key:{", 5)).toBeUndefined();
    expect(typedAt("3 doors", 1)).toBeUndefined();
  });

  it("puts what was taken in the place of what was typed, in quotes where it must", () => {
    const text = "by:al op:insert";
    const typed = typedAt(text, 5);
    if (!typed) throw new Error("nothing typed");
    expect(completed(text, typed, "alice b")).toEqual({
      text: 'by:"alice b" op:insert',
      caret: 'by:"alice b" '.length,
    });
    expect(completed(text, typed, "bob").text).toBe("by:bob op:insert");
    const name = typedAt("ta", 2);
    expect(name && knownCompletions(name)).toEqual(["table:"]);
    expect(name && completed("ta", name, "table:")).toEqual({ text: "table:", caret: 6 });
  });
});
