import { describe, expect, test } from "vitest";
import { connectDeadLetterHeaders, deadLetterHeaders } from "../../contract/dead-letter";
import {
  DeadLetterList,
  deadLetterTable,
  preview,
  replayMarker,
  replayMessage,
  type DeadLetter,
  type ReplayMessage,
  type StoredRecord,
} from "../../tools/dead-letters/records";

const headersOf = (headers: Record<string, string>) =>
  new Map(Object.entries(headers).map(([name, value]) => [Buffer.from(name), Buffer.from(value)]));

function stored(offset: number, headers: Record<string, string>, value = "{"): StoredRecord {
  return {
    partition: 0,
    offset: BigInt(offset),
    timestamp: 1_795_600_000_000n,
    key: Buffer.from("k"),
    value: Buffer.from(value),
    headers: headersOf(headers),
  };
}

const fromTransformer = {
  [deadLetterHeaders.reason]: "not-json",
  [deadLetterHeaders.message]: "Unexpected end",
  [deadLetterHeaders.topic]: "cdc.raw",
  [deadLetterHeaders.partition]: "0",
  [deadLetterHeaders.offset]: "12",
};
const fromConnect = {
  [connectDeadLetterHeaders.topic]: "audit.events",
  [connectDeadLetterHeaders.partition]: "3",
  [connectDeadLetterHeaders.offset]: "7",
  [connectDeadLetterHeaders.reason]: "io.cdcaudit.connect.RefusedRowException",
  [connectDeadLetterHeaders.message]: "event_id is no uuid",
  "__connect.errors.connector.name": "audit-sink",
};

function listed(...records: StoredRecord[]): DeadLetter[] {
  const list = new DeadLetterList();
  for (const record of records) list.add(record);
  return list.all();
}

const textHeaders = (message: ReplayMessage | undefined) =>
  Object.fromEntries([...(message?.headers ?? [])].map(([name, value]) => [name.toString(), value?.toString()]));

describe("a dead letter", () => {
  test("of the transformer says where it came from and why", () => {
    expect(listed(stored(4, fromTransformer))).toEqual([
      {
        partition: 0,
        offset: "4",
        time: new Date(1_795_600_000_000).toISOString(),
        topic: "cdc.raw",
        topicPartition: 0,
        topicOffset: "12",
        reason: "not-json",
        message: "Unexpected end",
        attempts: 0,
        replayed: false,
        bytes: 1,
      },
    ]);
  });

  test("of the sink is read from Connect's headers", () => {
    const [letter] = listed(stored(5, { ...fromConnect, [deadLetterHeaders.attempts]: "2" }));
    expect(letter).toMatchObject({
      topic: "audit.events",
      topicPartition: 3,
      topicOffset: "7",
      reason: "io.cdcaudit.connect.RefusedRowException",
      message: "event_id is no uuid",
      attempts: 2,
    });
  });

  test("without any header is listed all the same", () => {
    expect(listed(stored(6, {}))).toMatchObject([{ topic: null, topicPartition: null, reason: null, attempts: 0 }]);
  });
});

describe("a replay", () => {
  const replayOf = (record: StoredRecord) => replayMessage(record, listed(record)[0] as DeadLetter);

  test("sends key, value and foreign headers to the partition of origin, and counts", () => {
    const message = replayOf(stored(4, { ...fromTransformer, trace: "abc" }, "not json"));
    expect(message).toMatchObject({ topic: "cdc.raw", partition: 0 });
    expect(message?.key?.toString()).toBe("k");
    expect(message?.value?.toString()).toBe("not json");
    expect(textHeaders(message)).toEqual({ trace: "abc", [deadLetterHeaders.attempts]: "1" });
  });

  test("keeps the place that the record had first", () => {
    const place = {
      [deadLetterHeaders.firstOrigin]: "cdc.raw:0:17",
      [deadLetterHeaders.streamOrder]: "1764547200000017",
    };
    const message = replayOf(stored(4, { ...fromTransformer, ...place }, "not json"));
    expect(textHeaders(message)).toEqual({ ...place, [deadLetterHeaders.attempts]: "1" });
  });

  test("takes Connect's headers off, so that a second refusal does not show the first one's reason", () => {
    const message = replayOf(stored(5, { ...fromConnect, [deadLetterHeaders.attempts]: "1" }));
    expect(message).toMatchObject({ topic: "audit.events", partition: 3 });
    expect(textHeaders(message)).toEqual({ [deadLetterHeaders.attempts]: "2" });
  });

  test("keeps a value that is absent or empty as it is", () => {
    expect(replayOf({ ...stored(4, fromTransformer), value: null })?.value).toBeNull();
    expect(replayOf(stored(4, fromTransformer, ""))?.value).toHaveLength(0);
  });

  test("is impossible for a record of unknown origin", () => {
    expect(replayOf(stored(6, {}))).toBeUndefined();
  });

  test("is remembered by a marker, which is no dead letter itself", () => {
    const record = stored(4, fromTransformer);
    const marker = replayMarker("audit.dead-letter", listed(record)[0] as DeadLetter);
    expect(marker).toMatchObject({ topic: "audit.dead-letter", partition: 0, key: null, value: null });
    const remembered = { ...stored(9, {}), headers: marker.headers, key: null, value: null };
    const other = stored(5, fromTransformer);
    expect(listed(record, other, remembered).map(({ offset, replayed }) => [offset, replayed])).toEqual([
      ["4", true],
      ["5", false],
    ]);
    expect(listed(record, { ...remembered, partition: 1 })[0]?.replayed).toBe(false);
  });
});

describe("the table", () => {
  test("shows a line for each dead letter, and no value unless asked", () => {
    const letters = listed(stored(4, fromTransformer, "personal data"), stored(10, fromConnect));
    const lines = deadLetterTable(letters).split("\n");
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^OFFSET {2}TIME +FROM +REASON +REPLAYS {2}STATE {2}MESSAGE$/);
    expect(lines[1]).toMatch(/^4 +\S+ \S+Z {2}cdc\.raw-0@12 +not-json +0 +open +Unexpected end$/);
    expect(lines[2]).toMatch(/audit\.events-3@7 {2}RefusedRowException/);
    expect(lines.join()).not.toContain("personal");
    const shown = deadLetterTable(letters, new Map([["0@4", "personal data"]]));
    expect(shown.split("\n")[2]).toBe("    personal data");
  });

  test("never lets a record steer the terminal", () => {
    const message = "bad\u001b[2J\u001b]0;title\u0007\r\nvalue\u009b31m";
    const [letter] = listed(stored(4, { ...fromTransformer, [deadLetterHeaders.message]: message }));
    expect(deadLetterTable([letter as DeadLetter])).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });
});

describe("a preview", () => {
  test("is one short line", () => {
    expect(preview(Buffer.from('{\n  "a": 1\n}'))).toBe('{ "a": 1 }');
    const long = preview(Buffer.from("x".repeat(5_000_000)));
    expect(long).toBe(`${"x".repeat(160)}… (5000000 bytes)`);
  });

  test("tells an empty value from an absent one", () => {
    expect(preview(Buffer.alloc(0))).toBe("(empty)");
    expect(preview(null)).toBe("(no value)");
  });
});
