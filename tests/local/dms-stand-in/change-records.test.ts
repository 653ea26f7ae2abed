import { describe, expect, test } from "vitest";
import {
  extraConnectionAttributes,
  kafkaEndpointFormat,
  tableMappings,
  taskSettings,
} from "../../../contract/change-capture";
import { ChangeRecordBuilder, shapeChanged, type OutgoingRecord } from "../../../local/dms-stand-in/change-records";
import { parseConfiguration } from "../../../local/dms-stand-in/configuration";
import { isOutage } from "../../../local/dms-stand-in/source-database";
import type { TableShape } from "../../../local/dms-stand-in/table-shapes";
import { decodeMessage } from "../../../local/dms-stand-in/test-decoding";
import { TransactionBuffer } from "../../../local/dms-stand-in/transaction-buffer";
import { commitTimestampToIso, TruncationError, valueFormat } from "../../../local/dms-stand-in/values";

const settings = {
  sourceUrl: "postgres://u:p@127.0.0.1:5432/shop",
  slotName: "cdc",
  bootstrapServers: "127.0.0.1:9092",
  topic: "cdc.raw",
  tableMappings: tableMappings([{ schema: "shop", table: "%" }], "cdc.raw"),
  taskSettings: taskSettings(),
  endpointFormat: kafkaEndpointFormat,
};

describe("the configuration", () => {
  test("takes the task settings, mappings and format that the stack gives DMS", () => {
    expect(parseConfiguration(settings)).toMatchObject({ fullLoad: false, heartbeatSeconds: 60 });
  });

  test("names every wrong setting at once", () => {
    const wrong = { ...settings, slotName: "CDC slot", bootstrapServers: "somewhere", colour: "red" };
    const problems = () => parseConfiguration(wrong);
    expect(problems).toThrow(/slotName: must be 1 to 57 lower-case/);
    expect(problems).toThrow(/bootstrapServers: must be host:port/);
    expect(problems).toThrow(/colour/);
  });

  test("takes the attributes of the source endpoint as DMS does, and no others", () => {
    const limit = (attributes?: string) =>
      parseConfiguration({ ...settings, extraConnectionAttributes: attributes }).extraConnectionAttributes
        .unboundedVarcharMaxSize;
    expect(limit()).toBe(8000);
    expect(limit(extraConnectionAttributes({ unboundedVarcharMaxBytes: 20_000 }))).toBe(20_000);
    expect(() => limit("unboundedVarcharMaxSize=10485761")).toThrow(
      /extraConnectionAttributes.unboundedVarcharMaxSize/,
    );
    expect(() => limit("unboundedVarcharMaxBytes=9000")).toThrow(/unboundedVarcharMaxBytes/);
  });

  test("refuses names that DMS's guide does not let one write, and numbers that DMS does not take", () => {
    const [rule, ...rules] = tableMappings([{ schema: "shop", table: "%" }], "cdc.raw").rules;
    const withRule = (changes: object) => () =>
      parseConfiguration({ ...settings, tableMappings: { rules: [{ ...rule, ...changes }, ...rules] } });
    expect(withRule({ "object-locator": { "schema-name": "a[b", "table-name": "%" } })).toThrow(
      /a set that DMS's guide/,
    );
    expect(withRule({ "load-order": "0" })).toThrow(/load-order: must be 1 to 2147483647/);
    expect(withRule({ "load-order": "2147483647" })).not.toThrow();
  });

  test("refuses a record format that would not be imitated", () => {
    const format = { ...kafkaEndpointFormat, includeNullAndEmpty: false };
    expect(() => parseConfiguration({ ...settings, endpointFormat: format })).toThrow(/includeNullAndEmpty/);
  });
});

describe("a value", () => {
  const limits = { lobMaxKilobytes: 1, unboundedVarcharMaxBytes: 8000 };
  const json = (name: string, text: string, { modifier = -1, category = "" } = {}) =>
    valueFormat({ name, modifier, category }, limits).toJson(text);

  test.each([
    ["boolean", "true", '"t"'],
    ["boolean", "false", '"f"'],
    ["integer", "-42", "-42"],
    ["bigint", "9007199254740993", "9007199254740993"],
    ["bigint", "12345678901234567", "1.234567890123457e+16"],
    ["bigint", "-9223372036854775808", "-9.223372036854776e+18"],
    ["bigint", "100000000000000000", "1e+17"],
    ["real", "1e+20", "1e+20"],
    ["double precision", "NaN", '"NaN"'],
    ["double precision", "-Infinity", '"-Infinity"'],
    ["numeric", "1.50", "1.50"],
    ["numeric", "0.12345678", "0.123456"],
    ["numeric", "NaN", '"NaN"'],
    ["text", 'a "b"\n\\ é', '"a \\"b\\"\\n\\\\ é"'],
    ["jsonb", '{"a": [1]}', '"{\\"a\\": [1]}"'],
    ["bytea", "\\x80057d", '"0x80057D"'],
    ["timestamp with time zone", "2022-12-18 19:28:42.442556+00", '"2022-12-18T19:28:42.442556Z"'],
    ["timestamp with time zone", "2022-12-18 19:28:00+00", '"2022-12-18T19:28:00Z"'],
    ["timestamp without time zone", "2022-12-18 19:28:42.5", '"2022-12-18T19:28:42.5Z"'],
    ["timestamp with time zone", "infinity", '"infinity"'],
    ["timestamp without time zone", "0044-03-15 12:00:00 BC", '"0044-03-15 12:00:00 BC"'],
    ["date", "2022-12-18", '"2022-12-18"'],
    ["time without time zone", "10:00:00.25", '"10:00:00.25"'],
    ["time with time zone", "10:00:00+05:30", '"10:00:00"'],
    ["character", "ab  ", '"ab"'],
    ["interval", "1 day 02:00:00", '"1 day 02:00:00"'],
    ["uuid", "00000000-0000-4000-8000-000000000000", '"00000000-0000-4000-8000-000000000000"'],
    ["shop.mood", "happy", '"happy"'],
  ])("of type %s is written as DMS writes it: %s to %s", (type, text, expected) => {
    expect(json(type, text)).toBe(expected);
  });

  test("of an array or a composite is its text", () => {
    expect(json("integer[]", "{1,NULL}", { category: "A" })).toBe('"{1,NULL}"');
    expect(json("shop.address", "(a,1)", { category: "C" })).toBe('"(a,1)"');
  });

  test("of a numeric keeps its declared scale, and is a string above 38 digits", () => {
    const modifier = (precision: number, scale: number) => ((precision << 16) | scale) + 4;
    expect(json("numeric", "0.12345678", { modifier: modifier(12, 8) })).toBe("0.12345678");
    expect(json("numeric", "1.5", { modifier: modifier(39, 1) })).toBe('"1.5"');
  });

  test("above LobMaxSize stops the task, counting two bytes for each UTF-16 unit", () => {
    expect(json("text", "x".repeat(512))).toHaveLength(514);
    expect(() => json("text", "x".repeat(513))).toThrow(/1026 bytes is above LobMaxSize \(1 KB\)/);
    expect(() => json("text", "😀".repeat(257))).toThrow(TruncationError);
    expect(json("bytea", `\\x${"00".repeat(1024)}`)).toHaveLength(2052);
    expect(() => json("bytea", `\\x${"00".repeat(1025)}`)).toThrow(TruncationError);
  });

  test("of a varchar without a length stops the task above what the source endpoint takes", () => {
    expect(json("character varying", "x".repeat(8000))).toHaveLength(8002);
    expect(() => json("character varying", "é".repeat(4001))).toThrow(
      /holds 8002 bytes, above unboundedVarcharMaxSize \(8000\); raise it, or declare the column as text/,
    );
    expect(json("character varying", "x".repeat(9000), { modifier: 9004 })).toHaveLength(9002);
    const wider = { lobMaxKilobytes: 1, unboundedVarcharMaxBytes: 8002 };
    const { toJson } = valueFormat({ name: "character varying", modifier: -1, category: "" }, wider);
    expect(toJson("é".repeat(4001))).toHaveLength(4003);
    expect(() => toJson("é".repeat(4002))).toThrow(TruncationError);
  });

  test("of a commit time always has microseconds", () => {
    expect(commitTimestampToIso("2026-11-22 10:00:00.12+00")).toBe("2026-11-22T10:00:00.120000Z");
    expect(commitTimestampToIso("2026-11-22 10:00:00+00")).toBe("2026-11-22T10:00:00.000000Z");
  });
});

describe("a change record", () => {
  const column = (name: string, type: string) => ({
    name,
    type,
    prefix: ` ${name}[${type}]:`,
    member: `"${name}":`,
    ...valueFormat({ name: type, modifier: -1, category: "" }, { lobMaxKilobytes: 64, unboundedVarcharMaxBytes: 8000 }),
  });
  const shape = (overrides: Partial<TableShape> = {}): TableShape => ({
    schema: "shop",
    table: "orders",
    route: { topic: "cdc.raw", partitionKeyType: "primary-key" },
    columns: [column("id", "integer"), column("ok", "boolean"), column("note", "text")],
    primaryKey: [0],
    identityKey: new Set([0]),
    hasKey: true,
    fullIdentity: true,
    ...overrides,
  });
  const transaction = {
    transactionId: 1139,
    committedAt: "2024-07-29 00:58:17.97434+00",
    position: 0x2_7c00_7178n,
  };
  const place = { position: 0x2_7c00_71f8n, messageNumber: 3 };
  const builder = () => new ChangeRecordBuilder("before-image", () => "2024-07-29T00:58:17.983670Z");

  function build(line: string, table = shape(), records = builder()): OutgoingRecord | undefined {
    const message = decodeMessage(line);
    if (message.kind !== "change") throw new Error("not a change");
    records.beginTransaction(transaction);
    const record = records.change(line, message, table, place);
    if (record === shapeChanged) throw new Error("the shape does not fit");
    return record;
  }
  const parsed = (line: string, table?: TableShape) => JSON.parse(build(line, table)?.value ?? "null");

  test("of an insert has DMS's members in DMS's order, on one line", () => {
    const record = build("table shop.orders: INSERT: id[integer]:46 ok[boolean]:true note[text]:'a''b'");
    expect(record).toEqual({
      topic: "cdc.raw",
      key: "shop.orders.46",
      value:
        '{"data":{"id":46,"ok":"t","note":"a\'b"},"metadata":{"timestamp":"2024-07-29T00:58:17.983670Z",' +
        '"record-type":"data","operation":"insert","partition-key-type":"primary-key",' +
        '"partition-key-value":"shop.orders.46","schema-name":"shop","table-name":"orders",' +
        '"transaction-id":1139,"transaction-record-id":1,"commit-timestamp":"2024-07-29T00:58:17.974340Z",' +
        '"stream-position":"00000002/7C007178.3.00000002/7C0071F8"}}',
    });
  });

  test("refers to the record before it in the stream", () => {
    const records = builder();
    const line = "table shop.orders: INSERT: id[integer]:1 ok[boolean]:null note[text]:null";
    expect(build(line, shape(), records)?.value).not.toContain("prev-transaction-id");
    const second = JSON.parse(build(line, shape(), records)?.value ?? "");
    expect(second.metadata).toMatchObject({
      "transaction-record-id": 1,
      "prev-transaction-id": 1139,
      "prev-transaction-record-id": 1,
    });
  });

  test("of an update under full identity has the whole old row, nulls included", () => {
    const line =
      "table shop.orders: UPDATE: old-key: id[integer]:1 new-tuple: id[integer]:1 ok[boolean]:false note[text]:'x'";
    expect(parsed(line)).toMatchObject({
      data: { id: 1, ok: "f", note: "x" },
      "before-image": { id: 1, ok: null, note: null },
    });
  });

  test("of an update under default identity has an empty before image, or the old key where that changed", () => {
    const table = () => shape({ fullIdentity: false });
    const tuple = "id[integer]:2 ok[boolean]:false note[text]:'x'";
    expect(parsed(`table shop.orders: UPDATE: ${tuple}`, table())["before-image"]).toEqual({});
    const changed = parsed(`table shop.orders: UPDATE: old-key: id[integer]:1 new-tuple: ${tuple}`, table());
    expect(changed["before-image"]).toEqual({ id: 1 });
    expect(changed.metadata["partition-key-value"]).toBe("shop.orders.2");
  });

  test("of a delete has the old row in data, or the key and nulls under default identity", () => {
    expect(parsed("table shop.orders: DELETE: id[integer]:1 note[text]:'x'").data).toEqual({
      id: 1,
      ok: null,
      note: "x",
    });
    const table = shape({ fullIdentity: false });
    const record = parsed("table shop.orders: DELETE: id[integer]:1", table);
    expect(record.data).toEqual({ id: 1, ok: null, note: null });
    expect(record).not.toHaveProperty("before-image");
  });

  test("leaves out a value that was not in the WAL", () => {
    const line = "table shop.orders: UPDATE: id[integer]:1 ok[boolean]:true note[text]:unchanged-toast-datum";
    expect(parsed(line, shape({ fullIdentity: false })).data).toEqual({ id: 1, ok: "t" });
  });

  test("of a table without a key carries no LOBs and is partitioned by schema and table", () => {
    const table = shape({ primaryKey: [], identityKey: new Set(), hasKey: false });
    const record = build("table shop.orders: INSERT: id[integer]:1 ok[boolean]:true note[text]:'x'", table);
    expect(record?.key).toBe("shop.orders");
    const { data, metadata } = JSON.parse(record?.value ?? "");
    expect(data).toEqual({ id: 1, ok: "t" });
    expect(metadata["partition-key-type"]).toBe("schema-table");
    expect(metadata).not.toHaveProperty("partition-key-value");
  });

  test("does not exist for an update or delete of a row without identity", () => {
    const table = () => shape({ primaryKey: [], identityKey: new Set(), hasKey: false, fullIdentity: false });
    const update = "table shop.orders: UPDATE: id[integer]:1 ok[boolean]:true note[text]:'x'";
    expect(build(update, table())).toBeUndefined();
    expect(build("table shop.orders: DELETE: (no-tuple-data)", table())).toBeUndefined();
  });

  test("shows by its old row that the replica identity was changed meanwhile", () => {
    const table = shape({ fullIdentity: false });
    const line =
      "table shop.orders: UPDATE: old-key: id[integer]:1 ok[boolean]:true new-tuple: id[integer]:1 ok[boolean]:false note[text]:null";
    expect(parsed(line, table)["before-image"]).toEqual({ id: 1, ok: "t", note: null });
    const plain = "table shop.orders: UPDATE: id[integer]:1 ok[boolean]:false note[text]:null";
    expect(parsed(plain, table)["before-image"]).toEqual({});
  });

  test("of a full load has no transaction", () => {
    const { key, value } = builder().load(["7", "t", null], shape());
    expect(key).toBe("shop.orders.7");
    expect(JSON.parse(value)).toEqual({
      data: { id: 7, ok: "t", note: null },
      metadata: {
        timestamp: "2024-07-29T00:58:17.983670Z",
        "record-type": "data",
        operation: "load",
        "partition-key-type": "primary-key",
        "partition-key-value": "shop.orders.7",
        "schema-name": "shop",
        "table-name": "orders",
      },
    });
  });

  test("about a row that is too large names table and column, and not the value", () => {
    const note = "secret".repeat(10_000);
    const line = `table shop.orders: INSERT: id[integer]:1 ok[boolean]:true note[text]:'${note}'`;
    expect(() => build(line)).toThrow(/^shop\.orders\.note: a value of 120000 bytes is above LobMaxSize \(64 KB\)/);
  });
});

describe("the messages of an open transaction", () => {
  const messages = Array.from({ length: 2_000 }, (_, index) => ({
    position: BigInt(index) << 20n,
    line: `table a.b: INSERT: note[text]:'${"ü€😀\n".repeat(index % 300)}'`,
  }));

  test.each([
    ["memory", 1 << 30],
    ["a file", 10_000],
  ])("come back from %s as they were, in order", (_, maxCharacters) => {
    const buffer = new TransactionBuffer(maxCharacters);
    for (const { position, line } of messages) buffer.add(position, line);
    expect([...buffer.groups()].flat()).toEqual(messages);
    buffer.clear();
    expect([...buffer.groups()].flat()).toEqual([]);
    buffer.add(1n, "next");
    expect([...buffer.groups()].flat()).toEqual([{ position: 1n, line: "next" }]);
    buffer.clear();
  });
});

describe("an error of the source", () => {
  test.each(["57P01", "57P03", "08006", "ECONNREFUSED", "53300", "53100"])("%s is an outage that ends", (code) => {
    expect(isOutage(Object.assign(new Error("x"), { code }))).toBe(true);
  });

  test.each(["28P01", "42501", "55000", "ENOTFOUND"])("%s is one that somebody has to mend", (code) => {
    expect(isOutage(Object.assign(new Error("x"), { code }))).toBe(false);
  });

  test("that Node gathers from several addresses is an outage when each of them is", () => {
    const refused = Object.assign(new Error(), { code: "ECONNREFUSED" });
    expect(isOutage(new AggregateError([refused, refused]))).toBe(true);
    expect(isOutage(new AggregateError([refused, new Error("other")]))).toBe(false);
  });
});
