import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Filter, operations } from "../../review/api";
import {
  actAddress,
  addressOf,
  conditionsOf,
  filterInAddress,
  filterOf,
  readSearch,
  readTime,
  recordAddress,
  searchOf,
} from "../../review/query";

const clock = { now: new Date("2026-11-05T10:20:30.456Z"), zone: "UTC" as const };
const search = (text: string) => readSearch(text, clock);

/** Names with everything in them that searches and addresses give a meaning to. */
const names = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 12 }).filter((name) => name.isWellFormed()),
  fc.constantFrom(
    "alice@shop.example",
    "shop.orders",
    '"Shop"."Order; x"',
    "a b",
    "-x",
    "op:insert",
    'say "hi" \\',
    "{",
    "&=#%+",
    "\t",
  ),
);
const listOf = <T>(each: fc.Arbitrary<T>) => fc.uniqueArray(each, { minLength: 1, maxLength: 3 });
const wanted = {
  actor: listOf(names),
  table: listOf(names),
  operation: listOf(fc.constantFrom(...operations)),
  column: listOf(names),
};
const moments = fc
  .date({ min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-30T00:00:00Z"), noInvalidDate: true })
  .chain((date) =>
    fc
      .integer({ min: 0, max: 999 })
      .map((micro) => date.toISOString().replace("Z", `${String(micro).padStart(3, "0")}Z`)),
  );
const filters: fc.Arbitrary<Filter> = fc
  .record(
    {
      ...wanted,
      not: fc.record(wanted, { requiredKeys: [] }),
      request: names,
      transaction: fc.nat().map(String),
      source: names,
      text: names,
      from: moments,
      to: moments,
      key: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }).map((key) => JSON.stringify(key)),
    },
    { requiredKeys: [] },
  )
  .map((filter) => filterOf(filter as never));

describe("the filter of an address", () => {
  it("is the one that the address was made of", () => {
    fc.assert(
      fc.property(filters, (filter) => {
        expect(filterInAddress(addressOf(filter))).toEqual({ filter, problems: [] });
      }),
    );
  });

  it("is made of what an application writes by hand, too", () => {
    expect(
      filterInAddress(
        '?actor=alice&op=update,delete&not-table=shop.carts&key={"id":42}&table=shop.orders&q=back%20door',
      ),
    ).toEqual({
      filter: {
        actor: ["alice"],
        operation: ["update", "delete"],
        table: ["shop.orders"],
        not: { table: ["shop.carts"] },
        key: '{"id":42}',
        text: "back door",
      },
      problems: [],
    });
  });

  it("leaves out what it does not understand, and says so", () => {
    expect(filterInAddress("op=upsert,delete&from=soon&actor=a")).toEqual({
      filter: { actor: ["a"], operation: ["delete"] },
      problems: [
        "op is upsert, which is no operation.",
        "from is soon, which is no time such as 2026-11-05T14:30:00Z.",
      ],
    });
  });

  it("can be read", () => {
    expect(addressOf({ actor: ["alice@shop.example"], from: "2026-11-05T10:00:00.000000Z" })).toBe(
      "actor=alice@shop.example&from=2026-11-05T10:00:00.000000Z",
    );
    expect(recordAddress("shop.orders", '{"id":42}')).toBe("/record/shop.orders?key={%22id%22:42}");
    expect(actAddress({ source: "shop/eu", time: "2026-11-05T10:00:00.123456Z", transaction: "7" })).toBe(
      "/act/shop%2Feu/2026-11-05T10:00:00.123456Z/7",
    );
  });
});

describe("the search box", () => {
  it("shows a filter in words that mean it", () => {
    fc.assert(
      fc.property(filters, (filter) => {
        const { from, to, ...rest } = filter;
        const ordered = from && to && from > to ? { ...rest, from: to, to: from } : filter;
        const one =
          ordered.key && ordered.table?.length !== 1 ? filterOf({ ...ordered, key: undefined } as never) : ordered;
        expect(search(searchOf(one))).toEqual({ filter: one, problems: [] });
      }),
    );
  });

  it("reads qualifiers, exclusions, quotes, keys, times and text in any order", () => {
    expect(
      search(
        'door actor:alice -op:insert,Truncate table:shop.orders after:2h key:{"id": 42} by:"Bob B" column:status "back  "',
      ),
    ).toEqual({
      filter: {
        actor: ["alice", "Bob B"],
        table: ["shop.orders"],
        column: ["status"],
        not: { operation: ["insert", "truncate"] },
        key: '{"id": 42}',
        from: "2026-11-05T08:20:30.456000Z",
        text: "door back  ",
      },
      problems: [],
    });
  });

  it.each([
    ["tabel:shop.orders", 'tabel: is no qualifier. Did you mean table:? To find the text, write "tabel:shop.orders".'],
    ["colour:red", "There are actor, table, op, column, key, request, tx, source, after, before, on."],
    ["op:upsert", "upsert is no operation. There are insert, update, delete, truncate, schema, load, baseline."],
    ["after:soon", "soon is no time. Write 2h, 30m,"],
    ["actor:", "Nothing follows actor:."],
    ["tx:abc", "A transaction is a number."],
    ['key:{"id":1}', "A key belongs to one table: add table:schema.name."],
    ["table:a.b key:5", 'A key is written like key:{"id":42}.'],
    ['"back door', "begins with a quote that is not closed"],
    ["-door", 'Text can\'t be excluded. For a text that begins with a dash write "-door".'],
    ["-after:2h", "Only actor, table, op, column can be excluded."],
    ["tx:1 tx:2", "tx: stands twice with different values; the first counts."],
    ["after:1h before:2h", "The span ends before it begins"],
    ["on:2h", "2h is a moment; on: wants a day or a minute."],
  ])("says what it did not understand of %s", (text, message) => {
    const { problems } = search(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain(message);
  });

  it("keeps what it understood beside what it did not", () => {
    expect(search("actor:alice tabel:x after:2h")).toMatchObject({
      filter: { actor: ["alice"], from: "2026-11-05T08:20:30.456000Z" },
      problems: [{ part: "tabel:x" }],
    });
  });

  it("never fails, whatever is typed", () => {
    const typed = fc.array(
      fc.oneof(
        fc.constantFrom('"', "\\", "{", "}", ":", "-", " ", "actor:", "key:", "on:", ","),
        fc.string({ unit: "binary" }),
      ),
    );
    fc.assert(fc.property(typed, (parts) => void search(parts.join(""))));
  });
});

describe("a time that a person writes", () => {
  it.each([
    ["2h", "2026-11-05T08:20:30.456000Z", "2026-11-05T08:20:30.456000Z"],
    ["90 minutes ago", "2026-11-05T08:50:30.456000Z", "2026-11-05T08:50:30.456000Z"],
    ["1.5d", "2026-11-03T22:20:30.456000Z", "2026-11-03T22:20:30.456000Z"],
    ["yesterday", "2026-11-04T00:00:00.000000Z", "2026-11-05T00:00:00.000000Z"],
    ["thursday", "2026-10-29T00:00:00.000000Z", "2026-10-30T00:00:00.000000Z"],
    ["mon", "2026-11-02T00:00:00.000000Z", "2026-11-03T00:00:00.000000Z"],
    ["9:05", "2026-11-05T09:05:00.000000Z", "2026-11-05T09:06:00.000000Z"],
    ["23:00", "2026-11-04T23:00:00.000000Z", "2026-11-04T23:01:00.000000Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000000Z", "2024-03-01T00:00:00.000000Z"],
    ["2026-11-05T10:00+05:30", "2026-11-05T04:30:00.000000Z", "2026-11-05T04:31:00.000000Z"],
    ["2026-11-05 10:00:00.1234567890123", undefined, undefined],
    ["2026-11-05T10:00:00.123456z", "2026-11-05T10:00:00.123456Z", "2026-11-05T10:00:00.123456Z"],
    ["2026-02-30", undefined, undefined],
    ["25:00", undefined, undefined],
    ["9999999w", undefined, undefined],
    ["5 parsecs", undefined, undefined],
  ])("%s", (text, from, to) => {
    expect(readTime(text, clock)).toEqual(from === undefined ? undefined : { from, to });
  });
});

describe("the conditions of a filter", () => {
  it("can each be taken away, until none is left", () => {
    fc.assert(
      fc.property(filters, (filter) => {
        let left = filter;
        for (let count = conditionsOf(filter).length; count > 0; count -= 1) {
          expect(conditionsOf(left)).toHaveLength(count);
          left = conditionsOf(left)[0]?.without ?? left;
        }
        expect(left).toEqual({});
      }),
    );
  });
});
