import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countChanges, type Difference, differenceOf, onlyChange } from "../../review/differences/difference";
import { wordDifference } from "../../review/differences/words";
import { canonicalJson, type Json, parseExact, stringifyExact } from "../../review/exact-json";

const json = (text: string) => parseExact(text) as Json;

/** The old and the new value that a difference was made of. */
function sides(difference: Difference): { from?: Json; to?: Json } {
  switch (difference.kind) {
    case "same":
      return { from: difference.value, to: difference.value };
    case "object": {
      const from: Record<string, Json> = {};
      const to: Record<string, Json> = {};
      for (const { label, difference: member } of difference.members) {
        const values = sides(member);
        for (const [side, value] of [[from, values.from] as const, [to, values.to] as const])
          if (value !== undefined) Object.defineProperty(side, label, { value, enumerable: true, configurable: true });
      }
      return { from, to };
    }
    case "array": {
      const values = difference.members.map(({ difference: member }) => sides(member));
      const each = (side: "from" | "to") => values.flatMap((value) => (value[side] === undefined ? [] : [value[side]]));
      return { from: each("from"), to: each("to") };
    }
    case "text":
      return { from: difference.from, to: difference.to };
    default:
      return {
        ...("from" in difference && { from: difference.from }),
        ...("to" in difference && { to: difference.to }),
      };
  }
}

const values = fc.jsonValue({ maxDepth: 3 }).map((value) => json(JSON.stringify(value)));
const sorted = (value: Json | undefined) =>
  Array.isArray(value) ? value.map((each) => canonicalJson(each)).sort() : canonicalJson(value as Json);

describe("the difference of two values", () => {
  it("holds both of them whole, whatever they are", () => {
    fc.assert(
      fc.property(values, values, (from, to) => {
        const found = sides(differenceOf(from, to));
        // Elements that have an identity may stand in another order in the old value.
        if (Array.isArray(from) && Array.isArray(to)) expect(sorted(found.from)).toEqual(sorted(from));
        expect(canonicalJson(found.to as Json)).toBe(canonicalJson(to));
      }),
    );
  });

  it("is nothing exactly when they are equal", () => {
    fc.assert(
      fc.property(values, values, (from, to) => {
        expect(countChanges(differenceOf(from, from))).toBe(0);
        expect(countChanges(differenceOf(from, to)) === 0).toBe(canonicalJson(from) === canonicalJson(to));
      }),
    );
  });

  it("sees the last digit of a number of any length, and the zeros behind its point", () => {
    expect(differenceOf(json("12345678901234567890.10"), json("12345678901234567890.11")).kind).toBe("replaced");
    expect(differenceOf(json("10.0"), json("10.00")).kind).toBe("replaced");
    expect(differenceOf(json("12345678901234567890"), json("12345678901234567890")).kind).toBe("same");
    expect(stringifyExact(json('{"total": 12345678901234567890.10, "count": 3}'))).toBe(
      '{"total":12345678901234567890.10,"count":3}',
    );
  });

  it("tells a value that is null from one that is not there", () => {
    expect(differenceOf(null, 1)).toEqual({ kind: "replaced", from: null, to: 1 });
    expect(differenceOf(undefined, 1)).toEqual({ kind: "added", to: 1 });
    expect(differenceOf(json('{"a": null}'), json("{}"))).toMatchObject({
      members: [{ label: "a", difference: { kind: "removed", from: null } }],
    });
  });

  it("matches elements by their identity, so that one put in front does not change the rest", () => {
    const from = json('[{"id": 1, "n": 1}, {"id": 2, "n": 5}]');
    const to = json('[{"id": 9, "n": 0}, {"id": 1, "n": 1}, {"id": 2, "n": 6}]');
    const difference = differenceOf(from, to);
    expect(difference).toMatchObject({ kind: "array", changed: 2, same: 1 });
    expect(
      difference.kind === "array" && difference.members.map(({ label, difference: { kind } }) => [label, kind]),
    ).toEqual([
      ["id 9", "added"],
      ["id 1", "same"],
      ["id 2", "object"],
    ]);
  });

  it("says which elements stand elsewhere when their order changed", () => {
    const difference = differenceOf(json('[{"id": 1}, {"id": 2}]'), json('[{"id": 2}, {"id": 1}]'));
    expect(difference).toMatchObject({
      kind: "array",
      members: [
        { label: "id 2", moved: { from: 2, to: 1 } },
        { label: "id 1", moved: { from: 1, to: 2 } },
      ],
    });
    expect(countChanges(difference)).toBe(2);
  });

  it("aligns plain elements, and takes one in the place of another for a changed one", () => {
    const difference = differenceOf(json('["a", "b", "c"]'), json('["a", "x", "c", "d"]'));
    expect(difference.kind === "array" && difference.members.map(({ difference: { kind } }) => kind)).toEqual([
      "same",
      "replaced",
      "same",
      "added",
    ]);
  });

  it("keeps a member that is called __proto__", () => {
    expect(differenceOf(json('{"__proto__": 1}'), json('{"__proto__": 2}'))).toMatchObject({
      members: [{ label: "__proto__", difference: { kind: "replaced", from: 1, to: 2 } }],
    });
  });
});

describe("the difference of two texts", () => {
  const words = fc.array(fc.constantFrom("the", "order", "was", "paid", "sent", " ", "\n", "<b>", "ä", "𝒳", "."), {
    maxLength: 40,
  });
  const texts = fc.oneof(
    fc.string({ unit: "binary" }),
    words.map((each) => each.join(" ")),
  );

  it("holds both of them whole", () => {
    fc.assert(
      fc.property(texts, texts, (from, to) => {
        const segments = wordDifference(from, to);
        const without = (kind: string) =>
          segments
            .filter((each) => each.kind !== kind)
            .map(({ text }) => text)
            .join("");
        expect(without("added")).toBe(from);
        expect(without("removed")).toBe(to);
      }),
    );
  });

  it("marks the words that changed and no parts of words", () => {
    expect(
      wordDifference("Leave it at the front door", "Leave it at the back door").filter(({ kind }) => kind !== "same"),
    ).toEqual([
      { kind: "removed", text: "front" },
      { kind: "added", text: "back" },
    ]);
  });

  it("bears texts of 100,000 characters that have little in common", () => {
    const long = (word: string) => Array.from({ length: 20_000 }, (_, place) => `${word}${place}`).join(" ");
    const segments = wordDifference(long("a"), long("b"));
    expect(
      segments
        .filter(({ kind }) => kind !== "added")
        .map(({ text }) => text)
        .join(""),
    ).toBe(long("a"));
  });
});

describe("The only change of a document", () => {
  it.each([
    [
      '{"attributes": {"colour": "blue", "size": 1}}',
      '{"attributes": {"colour": "red", "size": 1}}',
      "attributes.colour",
    ],
    [
      '{"lines": [{"id": 7, "n": 1}, {"id": 8, "n": 1.50}]}',
      '{"lines": [{"id": 7, "n": 1}, {"id": 8, "n": 1.5}]}',
      "lines.id 8.n",
    ],
    ['{"a": 1}', '{"a": 1, "b": null}', "b"],
    ['{"a": 1, "b": 2}', '{"a": 2, "b": 3}', undefined],
    ['{"a": 1}', '{"a": 1}', undefined],
    ["[3, 1, 2]", "[1, 2, 3]", undefined],
  ])("from %s to %s is at %s", (from, to, path) => {
    expect(onlyChange(differenceOf(json(from), json(to)))?.path.join(".")).toBe(path);
  });
});
