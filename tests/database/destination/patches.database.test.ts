import type { Client } from "pg";
import { applyPatch, createPatch } from "rfc6902";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TestServer } from "../../../local/servers/test-server";
import { bootstrapDestination } from "../../../operator/database/bootstrap";
import { emptyLog, type EventInput, storeEvents } from "../support/audit-events";
import { Stream } from "../support/stream";

let server: TestServer;
let client: Client;
/** Reads with the rights of audit_reader alone. */
let reader: Client;

beforeAll(async () => {
  server = await TestServer.start();
  const database = await server.createDatabase();
  client = database;
  await bootstrapDestination(client);
  reader = await server.connect({ database: database.database });
  await reader.query("SET ROLE audit_reader");
});

afterAll(() => server.stop());

beforeEach(() => emptyLog(client));

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** The same numbers for the same seed (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const names = ["a", "b", "id", "0", "1", "a/b", "m~n", "~1", "", 'q"q', "back\\slash", "née", "\u0001"];

function randomValue(random: (below: number) => number, depth: number): Json {
  const kind = depth === 0 ? 3 : random(4);
  if (kind === 0) {
    return Object.fromEntries(
      Array.from({ length: random(5) }, () => [names[random(names.length)]!, randomValue(random, depth - 1)]),
    );
  }
  if (kind === 1) return Array.from({ length: random(5) }, () => randomValue(random, depth - 1));
  return [null, true, false, 0, 1, -1.5, "", "text", 'a "quote"', "~/", {}, []][random(12)]!;
}

const patched = async (document: string, patch: string): Promise<string | null> =>
  (await reader.query("SELECT audit.patched($1, $2)::text AS patched", [document, patch])).rows[0].patched;

describe("audit.patched", () => {
  it("does what a library does, for any patch between two documents", async () => {
    const random = randomOf(1);
    const cases = Array.from({ length: 1000 }, () => {
      const document = [randomValue(random, 4), randomValue(random, 4)];
      const patch = createPatch(document, [randomValue(random, 4), ...document.slice(random(3))]);
      const expected = structuredClone(document);
      expect(applyPatch(expected, patch).filter((error) => error !== null)).toEqual([]);
      return { document, patch, expected };
    });
    const { rows } = await reader.query(
      `SELECT number, audit.patched(given -> 'document', given -> 'patch') AS patched
       FROM jsonb_array_elements($1) WITH ORDINALITY AS listed (given, number)
       WHERE audit.patched(given -> 'document', given -> 'patch') IS DISTINCT FROM given -> 'expected'`,
      [JSON.stringify(cases)],
    );
    expect(rows).toEqual([]);
  });

  it.each([
    [
      "every digit",
      '{"w": 1.00, "n": 0}',
      '[{"op":"replace","path":"/w","value":12345678901234567890.10}]',
      '{"n": 0, "w": 12345678901234567890.10}',
    ],
    ["a trailing zero", '{"w": 1.00}', '[{"op":"replace","path":"/w","value":1.0}]', '{"w": 1.0}'],
    ["null as a value", '{"w": 1}', '[{"op":"replace","path":"/w","value":null}]', '{"w": null}'],
    ["a null that is there", '{"w": null}', '[{"op":"replace","path":"/w","value":1}]', '{"w": 1}'],
    [
      "the end of an array",
      '{"a": [1]}',
      '[{"op":"add","path":"/a/-","value":2},{"op":"add","path":"/a/2","value":3}]',
      '{"a": [1, 2, 3]}',
    ],
    ["the whole document", '{"a": 1}', '[{"op":"replace","path":"","value":[1]}]', "[1]"],
    [
      "names that look like something else",
      '{"": {"-1": 0, "/": [1]}}',
      '[{"op":"remove","path":"//-1"},{"op":"replace","path":"//~1/0","value":2}]',
      '{"": {"/": [2]}}',
    ],
  ])("keeps %s", async (_what, document, patch, expected) => {
    expect(await patched(document, patch)).toBe(expected);
  });

  it.each([
    ['{"a": 1}', '[{"op":"replace","path":"/b","value":2}]'],
    ['{"a": 1}', '[{"op":"remove","path":"/b"}]'],
    ['{"a": 1}', '[{"op":"add","path":"/b/c","value":2}]'],
    ['{"a": 1}', '[{"op":"add","path":"/a/c","value":2}]'],
    ['{"a": [1]}', '[{"op":"add","path":"/a/3","value":2}]'],
    ['{"a": [1]}', '[{"op":"add","path":"/a/x","value":2}]'],
    ['{"a": 1}', '[{"op":"move","from":"/a","path":"/b"}]'],
    ['{"a": 1}', '[{"op":"replace","path":"/a"}]'],
    ['{"a": 1}', '[{"op":"replace","value":1}]'],
    ['{"a": 1}', '{"op":"remove","path":"/a"}'],
  ])("gives null for a patch that does not fit: %s %s", async (document, patch) => {
    expect(await patched(document, patch)).toBeNull();
  });
});

const filler = "a text beside it, in German and in English";

/** The life of two records with documents. */
function lives(): EventInput[] {
  const columns = [
    ["id", "integer"],
    ["doc", "jsonb"],
    ["raw", "json"],
    ["note", "text"],
  ] as const;
  const row = (revision: number, note = "n") => ({
    id: 1,
    doc: {
      filler,
      revision,
      lines: [{ sku: "a", price: revision + 0.5 }, { sku: `b${revision}` }],
      "x/y": { "~": revision },
    },
    raw: { zone: revision, filler },
    note,
  });
  const stream = new Stream().at("09:00:00").shape("shop.orders", { relation: 1, key: ["id"], columns });
  stream.at("10:00:00").context("alice").insert("shop.orders", { id: 1 }, row(1));
  for (let revision = 2; revision < 6; revision++) {
    const [older, newer] = [row(revision - 1), row(revision, `n${revision}`)];
    stream.at(`11:00:0${revision}`).context("bob");
    stream.update("shop.orders", { id: 1 }, { doc: older.doc, raw: older.raw, note: older.note }, newer);
  }
  // The key changes, and a document with it; then the key is taken and given within one transaction.
  stream
    .at("12:00:00")
    .update("shop.orders", { id: 2 }, { id: 1, doc: row(5).doc }, { ...row(6), id: 2, raw: row(5).raw });
  stream.at("12:30:00").insert("shop.orders", { id: 1 }, row(9));
  stream.update("shop.orders", { id: 3 }, { id: 1, doc: row(9).doc }, { ...row(10), id: 3, raw: row(9).raw });
  stream.delete("shop.orders", { id: 3 }, { ...row(10), id: 3, raw: row(9).raw });
  return stream.events;
}

/** The same events with old documents as patches. */
function asPatches(events: readonly EventInput[]): EventInput[] {
  return events.map((event) => {
    if (event.operation !== "update") return event;
    const old = event.before as Record<string, Json>;
    const documents = Object.entries(old).filter(([, value]) => typeof value === "object");
    return {
      ...event,
      before: Object.fromEntries(Object.entries(old).filter(([, value]) => typeof value !== "object")),
      before_patches: Object.fromEntries(
        documents.map(([name, value]) => [name, createPatch((event.after as Record<string, Json>)[name], value)]),
      ),
    };
  });
}

const questions = {
  "the log": `SELECT "time", event_id, changes::text, before::text, after::text FROM audit.log ORDER BY stream_order, sequence`,
  "the history of a record": "SELECT * FROM audit.history('shop.orders', '{\"id\": 2}')",
  "the history of the record that was lent its key": "SELECT * FROM audit.history('shop.orders', '{\"id\": 1}')",
  "a record as it was": `SELECT second, audit.row_as_of('shop.orders', '{"id": 1}', '2026-11-05T11:00:00Z'::timestamptz + second * interval '1 second')
    FROM generate_series(0, 8) AS second`,
  "a table as it was": "SELECT * FROM audit.table_as_of('shop.orders', '2026-11-05T11:30:00Z') ORDER BY key",
  "a table as it is": "SELECT * FROM audit.table_as_of('shop.orders', '2026-11-06T00:00:00Z') ORDER BY key",
  "the undo of an actor's acts": "SELECT audit.undo_acts('bob', '2026-11-05T00:00:00Z', '2026-11-06T00:00:00Z')",
  "who wrote which column": "SELECT * FROM audit.blame('shop.orders', '{\"id\": 2}') ORDER BY 1",
  "a comparison":
    "SELECT * FROM audit.compare('shop.orders', '{\"id\": 1}', '2026-11-05T10:30:00Z', '2026-11-05T11:30:00Z')",
  "the pages of a record": "SELECT audit.exact_change(line) FROM audit.record_steps('shop.orders', '{\"id\": 2}')",
  "changes of a column": `SELECT *, 'orders' AS found FROM audit.acts_found('{"column": ["raw"], "from": "2026-11-05", "to": "2026-11-06"}')`,
  "changes of no such column": `SELECT *, 'orders' AS found FROM audit.acts_found('{"not": {"column": ["doc"]}, "from": "2026-11-05", "to": "2026-11-06"}')`,
  "changes with a text that an old value holds": `SELECT *, 'orders' AS found FROM audit.acts_found('{"text": "1.5", "from": "2026-11-05", "to": "2026-11-06"}')`,
};

/** So that answers that tell when an event was stored are the same. */
const setTimesOfStoring = () =>
  client.query(
    `SET session_replication_role = replica; UPDATE audit.events SET stored_at = committed_at;
     RESET session_replication_role`,
  );

describe("A log whose old documents are patches", () => {
  it.each(Object.entries(questions))("answers like one that holds them whole: %s", async (_what, question) => {
    const events = lives().map((event, index) => ({
      ...event,
      event_id: `00000000-0000-5000-8000-${String(index).padStart(12, "0")}`,
    }));
    await storeEvents(client, events);
    await setTimesOfStoring();
    const whole = (await client.query(question)).rows;
    await emptyLog(client);
    await storeEvents(client, asPatches(events));
    await setTimesOfStoring();
    const { rows } = await client.query("SELECT count(before_patches)::int AS patches FROM audit.events");
    expect(rows).toEqual([{ patches: 6 }]);
    expect((await client.query(question)).rows).toEqual(whole);
    expect(JSON.stringify(whole)).toMatch(/doc|orders|alice|bob/);
  });

  it("lets a reader read it", async () => {
    await storeEvents(client, asPatches(lives()));
    const { rows } = await reader.query(
      "SELECT changes -> 'doc' -> 'old' -> 'revision' AS revision FROM audit.log WHERE before ? 'raw' ORDER BY time LIMIT 2",
    );
    expect(rows).toEqual([{ revision: 1 }, { revision: 2 }]);
  });

  it("shows an old value as unknown whose patch does not fit", async () => {
    await storeEvents(client, [
      {
        committed_at: "2026-11-05T10:00:00Z",
        operation: "update",
        record_key: { id: 1 },
        before: {},
        before_patches: { doc: [{ op: "remove", path: "/nowhere" }] },
        after: { id: 1, doc: { a: 1 } },
      },
    ]);
    const { rows } = await reader.query("SELECT before, changes FROM audit.log");
    expect(rows).toEqual([{ before: {}, changes: { doc: { new: { a: 1 } } } }]);
    const { rows: old } = await client.query("SELECT audit.old_row(event) AS old FROM audit.events AS event");
    expect(old).toEqual([{ old: { id: 1 } }]);
  });
});
