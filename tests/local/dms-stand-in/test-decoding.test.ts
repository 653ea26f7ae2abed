import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeMessage,
  printedColumns,
  readTuples,
  relationNames,
  unchangedToast,
  type DecodedChange,
  type DecodedValue,
} from "../../../local/dms-stand-in/test-decoding";

function change(line: string): DecodedChange {
  const message = decodeMessage(line);
  if (message.kind !== "change") throw new Error(`${message.kind} is no change`);
  return message;
}

/** Reads a line with the columns that it prints itself, as `[name, old, new]`. */
function read(line: string): { old?: unknown[] | undefined; new?: unknown[] | undefined; names: string[] } {
  const { operation, body } = change(line);
  const columns = printedColumns(line, operation, body);
  const tuples = readTuples(line, operation, body, columns);
  return { names: columns.map(({ name }) => name), old: tuples?.old, new: tuples?.new };
}

describe("a message of test_decoding", () => {
  test("that begins or ends a transaction tells its id, and at the end its time", () => {
    expect(decodeMessage("BEGIN 733")).toEqual({ kind: "begin", transactionId: 733 });
    expect(decodeMessage("COMMIT 733 (at 2026-11-22 10:00:00.123456+00)")).toEqual({
      kind: "commit",
      transactionId: 733,
      committedAt: "2026-11-22 10:00:00.123456+00",
    });
  });

  test("that was read without times is refused, because every record needs one", () => {
    expect(() => decodeMessage("COMMIT 733")).toThrow("include-timestamp");
  });

  test("about a TRUNCATE or a logical message is nothing that DMS carries", () => {
    expect(decodeMessage("table shop.orders: TRUNCATE: (no-flags)").kind).toBe("other");
    expect(decodeMessage('table "a:b".c, d."e, f": TRUNCATE: restart_seqs cascade').kind).toBe("other");
    expect(decodeMessage("message: transactional: 1 prefix: p, sz: 5 content:hello").kind).toBe("other");
  });

  test("with an operation that does not exist is refused without its values", () => {
    expect(() => decodeMessage("table a.b: MERGE: secret[text]:'x'")).toThrow(/^Unknown operation at character 11/);
  });

  test("names its relation even when the name is full of the format's own signs", () => {
    const line = `table "odd.schema: x"."say ""hi"": UPDATE: ": INSERT: id[integer]:1`;
    expect(relationNames(change(line).relation)).toEqual({
      schema: "odd.schema: x",
      table: 'say "hi": UPDATE: ',
    });
  });
});

describe("the tuples of a change", () => {
  test("of an update with an old key stand apart", () => {
    expect(read("table a.b: UPDATE: old-key: id[integer]:1 new-tuple: id[integer]:2 note[text]:null")).toEqual({
      names: ["id", "note"],
      old: ["1", undefined],
      new: ["2", null],
    });
  });

  test("are absent where the row has no identity", () => {
    const line = "table a.b: DELETE: (no-tuple-data)";
    expect(readTuples(line, "delete", change(line).body, [])).toEqual({ old: undefined, new: undefined });
  });

  test("say which values were not in the WAL", () => {
    const { new: values } = read("table a.b: UPDATE: id[integer]:1 body[text]:unchanged-toast-datum");
    expect(values).toEqual(["1", unchangedToast]);
  });

  test("keep texts that look like the format's own words", () => {
    const { new: values } = read(
      "table a.b: INSERT: a[text]:'null' b[text]:'unchanged-toast-datum' c[text]:' new-tuple: x[text]:''y''' d[bit]:B'101'",
    );
    expect(values).toEqual(["null", "unchanged-toast-datum", " new-tuple: x[text]:'y'", "101"]);
  });

  test("do not fit columns that the table did not have when they were written", () => {
    const line = "table a.b: INSERT: id[integer]:1 note[text]:'x'";
    const { operation, body } = change(line);
    const columns = printedColumns(line, operation, body);
    const [id] = columns;
    const wider = [...columns, { name: "more", type: "text", prefix: " more[text]:" }];
    expect(readTuples(line, operation, body, wider)).toBeUndefined();
    expect(readTuples(line, operation, body, id ? [id] : [])).toBeUndefined();
  });

  test("with a quote that never closes are refused", () => {
    expect(() => read("table a.b: INSERT: note[text]:'open")).toThrow("never closed");
  });
});

/** `quote_identifier` of PostgreSQL, with fewer names left bare. */
const quoteIdentifier = (name: string) => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`);
const quoteLiteral = (text: string) => `'${text.replaceAll("'", "''")}'`;

const anyText = fc.string({ unit: fc.constantFrom(..."aZ0'\"[]:.,() \n\r\t\\é😀", "null", "old-key:", " new-tuple:") });
const name = anyText.filter((text) => text !== "");
const type = fc.oneof(
  fc.constantFrom("integer", "character varying", "timestamp with time zone", "integer[]", "text"),
  name.map((text) => `${quoteIdentifier(text)}[]`),
  fc.tuple(name, name).map(([schema, text]) => `${quoteIdentifier(schema)}.${quoteIdentifier(text)}`),
);
const column = fc.record({ name, type, quoted: fc.boolean() });
type Column = { name: string; type: string; quoted: boolean };

function print({ name: text, type: typeName, quoted }: Column, value: DecodedValue): string {
  const literal =
    value === null
      ? "null"
      : value === unchangedToast
        ? "unchanged-toast-datum"
        : quoted
          ? quoteLiteral(value)
          : value.replaceAll(/[^0-9]/g, "") + "1";
  return ` ${quoteIdentifier(text)}[${typeName}]:${literal}`;
}

test("whatever names, types and values a row has, its line is read back as it was printed", () => {
  const row = fc.uniqueArray(column, { minLength: 1, maxLength: 6, selector: (one) => one.name }).chain((columns) => {
    const value = fc.oneof(
      { weight: 5, arbitrary: anyText },
      { weight: 1, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.constant(unchangedToast) },
    );
    const values = fc.array(value, { minLength: columns.length, maxLength: columns.length });
    return fc.record({ columns: fc.constant(columns), before: values, after: values });
  });
  fc.assert(
    fc.property(name, name, row, fc.constantFrom("INSERT", "UPDATE", "DELETE"), (schema, table, images, operation) => {
      const { columns, before, after } = images;
      const printed = (values: readonly DecodedValue[], skipNulls: boolean) =>
        columns
          .map((one, at) => (skipNulls && values[at] === null ? "" : print(one, values[at] as DecodedValue)))
          .join("");
      const expected = (values: readonly DecodedValue[], old: boolean) =>
        columns.map(({ quoted }, at) => {
          const value = values[at] as DecodedValue;
          if (value === null) return old ? undefined : null;
          return quoted || value === unchangedToast ? value : value.replaceAll(/[^0-9]/g, "") + "1";
        });
      const tuples =
        operation === "INSERT"
          ? printed(after, false)
          : operation === "DELETE"
            ? printed(before, true)
            : ` old-key:${printed(before, true)} new-tuple:${printed(after, false)}`;
      const line = `table ${quoteIdentifier(schema)}.${quoteIdentifier(table)}: ${operation}:${tuples}`;

      const decoded = change(line);
      expect(relationNames(decoded.relation)).toEqual({ schema, table });
      const shape = columns.map((one) => ({ ...one, prefix: ` ${quoteIdentifier(one.name)}[${one.type}]:` }));
      const read = readTuples(line, decoded.operation, decoded.body, shape);
      expect(read?.old).toEqual(operation === "INSERT" ? undefined : expected(before, true));
      expect(read?.new).toEqual(operation === "DELETE" ? undefined : expected(after, false));
      if (operation !== "DELETE") {
        const found = printedColumns(line, decoded.operation, decoded.body);
        expect(found).toEqual(shape.map(({ name, type, prefix }) => ({ name, type, prefix })));
      }
    }),
    { numRuns: 2_000 },
  );
});
