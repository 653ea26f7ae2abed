import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv";
import { describe, expect, test } from "vitest";
import auditEventSchema from "../../contract/audit-event.schema.json";
import { auditEventsTable, type AuditEventsColumnType } from "../../contract/audit-table";
import catalogEntrySchema from "../../contract/catalog-entry.schema.json";
import changeRecordSchema from "../../contract/change-record.schema.json";
import timeSchema from "../../contract/time.schema.json";
import { deadLetterReasons, ignoredKinds } from "../../contract/dead-letter";

interface ChangeRecord {
  readonly metadata: Record<string, unknown>;
  readonly data?: Record<string, unknown>;
}
interface AuditEvent extends Record<string, unknown> {
  readonly event_id: string;
  readonly operation: string;
  readonly captured_at: string;
  readonly table_name: string;
}
interface Sample {
  readonly title: string;
  readonly settings?: { lob_max_size_kilobytes?: number; message_max_bytes?: number };
  readonly records: readonly (ChangeRecord | string)[];
  readonly events: readonly AuditEvent[];
  readonly dead_letters: readonly { record: number; reason: string }[];
  readonly ignored: readonly { record: number; kind: string }[];
  readonly catalog?: readonly unknown[];
}

const folder = join(__dirname, "../../contract/samples");
const files = readdirSync(folder).sort();
const samples = files.map((file): [string, Sample] => [
  file,
  expandRepetitions(JSON.parse(readFileSync(join(folder, file), "utf8"))) as Sample,
]);
const everySample = samples.map(([, sample]) => sample);

const ajv = new Ajv({ allowUnionTypes: true, strictRequired: false, strictTypes: false });
ajv.addSchema([timeSchema, catalogEntrySchema]);
const validators = {
  changeRecord: ajv.compile(changeRecordSchema),
  auditEvent: ajv.compile(auditEventSchema),
  catalogEntry: ajv.getSchema("catalog-entry.schema.json")!,
};

describe.each(samples)("%s", (_file, sample) => {
  test("says of each record what becomes of it", () => {
    const told = [...sample.dead_letters, ...sample.ignored].map(({ record }) => record);
    expect(new Set(told).size).toBe(told.length);
    expect(told.every((record) => record < sample.records.length)).toBe(true);
    expect(told.length + sample.events.length).toBe(sample.records.length);
  });

  test("has records that match the schema, unless they are refused", () => {
    const refused = new Set(sample.dead_letters.map(({ record }) => record));
    for (const [index, record] of sample.records.entries()) {
      if (!refused.has(index)) expect(problems("changeRecord", parsed(record)), `record ${index}`).toEqual([]);
    }
  });

  test("has events that match the schema", () => {
    for (const event of sample.events) expect(problems("auditEvent", event)).toEqual([]);
  });

  test("has events whose identity follows from what they say", () => {
    for (const event of sample.events) expect(event.event_id).toBe(identity(event, sample));
  });

  test("has catalog entries that match the schema", () => {
    for (const entry of sample.catalog ?? []) expect(problems("catalogEntry", entry)).toEqual([]);
  });

  test("knows the reasons of dead letters and the kinds of what is ignored", () => {
    expect(deadLetterReasons).toEqual(expect.arrayContaining(sample.dead_letters.map(({ reason }) => reason)));
    expect(ignoredKinds).toEqual(expect.arrayContaining(sample.ignored.map(({ kind }) => kind)));
  });
});

describe("the samples together", () => {
  test("are numbered without a gap", () => {
    expect(files.map((file) => Number(file.slice(0, 2)))).toEqual(files.map((_, index) => index + 1));
  });

  test("show every operation of the audit log", () => {
    const shown = new Set(everySample.flatMap((sample) => sample.events.map((event) => event.operation)));
    expect([...shown].sort()).toEqual([...auditEventsTable.operations].sort());
  });

  test("show every reason of a dead letter but the transformer's own errors", () => {
    const shown = new Set(everySample.flatMap((sample) => sample.dead_letters.map(({ reason }) => reason)));
    expect([...shown].sort()).toEqual(deadLetterReasons.filter((reason) => reason !== "internal-error").sort());
  });
});

describe("the schema of change records", () => {
  test.each(["missing-metadata", "missing-transaction-details", "unknown-operation", "not-a-change-record"])(
    "refuses what is a dead letter as %s",
    (reason) => {
      const refused = everySample.flatMap((sample) =>
        sample.dead_letters.filter((letter) => letter.reason === reason).map(({ record }) => sample.records[record]!),
      );
      expect(refused).not.toHaveLength(0);
      for (const record of refused) expect(problems("changeRecord", parsed(record))).not.toEqual([]);
    },
  );
});

describe("the schema of audit events", () => {
  const properties = auditEventSchema.properties as Record<string, object>;

  test("has the columns of the audit table, in their order", () => {
    expect(Object.keys(properties)).toEqual(auditEventsTable.eventColumns.map((column) => column.name));
  });

  test("requires what the audit table requires", () => {
    const required = auditEventsTable.eventColumns.filter((column) => column.required).map((column) => column.name);
    expect(auditEventSchema.required).toEqual(expect.arrayContaining(required));
  });

  test("lists the operations of the audit table", () => {
    expect(auditEventSchema.properties.operation.enum).toEqual(auditEventsTable.operations);
  });

  test.each(auditEventsTable.eventColumns)("gives $name the JSON of $type", ({ name, type }) => {
    const values: Record<AuditEventsColumnType, unknown> = {
      timestamptz: "2026-11-22T10:00:00.123456Z",
      uuid: "6f3a2c52-7b0e-5b8e-9c57-0d7f3a1e4b68",
      text: name === "operation" ? "insert" : "text",
      bigint: 1,
      integer: 1,
      jsonb: name === "before_patches" ? { id: [{ op: "remove", path: "/a" }] } : { id: 1 },
      "text[]": ["column"],
    };
    const accepts = ajv.compile({ ...properties[name], definitions: auditEventSchema.definitions });
    for (const [other, value] of Object.entries(values)) {
      const alike = typeof value === typeof values[type] && Array.isArray(value) === Array.isArray(values[type]);
      if (other === type) expect(accepts(value), other).toBe(true);
      else if (!alike) expect(accepts(value), other).toBe(false);
    }
  });
});

function problems(schema: keyof typeof validators, value: unknown) {
  const validate = validators[schema];
  validate(value);
  return validate.errors ?? [];
}

function parsed(record: ChangeRecord | string): unknown {
  return typeof record === "string" ? JSON.parse(record) : record;
}

/** The identity that `contract/README.md` gives an event. */
function identity(event: AuditEvent, sample: Sample): string {
  const { source_id, transaction_id, sequence, position, captured_at } = event;
  const [schema_name, table_name] =
    typeof event.partition_name === "string" ? nameParts(event.partition_name) : [event.schema_name, event.table_name];
  if (event.operation !== "baseline") {
    return uuidV5([source_id, transaction_id, sequence, position, schema_name, table_name].join("\n"));
  }
  const candidates = [...sample.records.entries()].filter(
    ([, record]) =>
      typeof record === "object" &&
      record.metadata.operation === "load" &&
      record.metadata["table-name"] === table_name &&
      record.metadata.timestamp === captured_at,
  ) as [number, ChangeRecord][];
  const identities = candidates.map(([index, record]) => {
    const row = "partition-key-value" in record.metadata ? JSON.stringify(record.data) : `cdc.raw:0:${index}`;
    return uuidV5([source_id, "baseline", captured_at, schema_name, table_name, row].join("\n"));
  });
  return identities.find((candidate) => candidate === event.event_id) ?? `one of ${identities.join(", ")}`;
}

/** The parts of `schema.table`, where a part may be quoted. */
function nameParts(name: string): (string | undefined)[] {
  return [...name.matchAll(/"((?:[^"]|"")*)"|[^."]+/g)].map(([part, quoted]) => quoted?.replaceAll('""', '"') ?? part);
}

function uuidV5(name: string): string {
  const namespace = Buffer.from("6f3a2c527b0e5b8e9c570d7f3a1e4b68", "hex");
  const bytes = createHash("sha1").update(namespace).update(name).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Replaces each `{"$repeat": "x", "times": 3}` by the string that it stands for. */
function expandRepetitions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(expandRepetitions);
  if (typeof value !== "object" || value === null) return value;
  if ("$repeat" in value) {
    const repetition = value as { $repeat: string; times: number; prefix?: string; suffix?: string };
    return (repetition.prefix ?? "") + repetition.$repeat.repeat(repetition.times) + (repetition.suffix ?? "");
  }
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, expandRepetitions(member)]));
}
