import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TestServer } from "../../../local/servers/test-server";
import { bootstrapDestination } from "../../../operator/database/bootstrap";
import { emptyLog, type EventInput, storeEvents } from "../support/audit-events";
import { type ShapeInput, Stream } from "../support/stream";

let server: TestServer;
let client: Client;
/** Reads with the rights of audit_reader alone. */
let reader: Client;
/** Warnings that the reader got. */
let warnings: string[];

beforeAll(async () => {
  server = await TestServer.start();
  const database = await server.createDatabase();
  client = database;
  await bootstrapDestination(client);
  reader = await server.connect({ database: database.database });
  await reader.query("SET ROLE audit_reader");
  reader.on("notice", ({ message }) => warnings.push(message ?? ""));
});

afterAll(() => server.stop());

beforeEach(async () => {
  await emptyLog(client);
  warnings = [];
});

const store = (...streams: readonly Stream[]): Promise<unknown> =>
  storeEvents(
    client,
    streams.flatMap(({ events }) => events),
  );

interface Explained {
  readonly row: object | null;
  readonly doubt: { readonly since: string; readonly until: string; readonly reason: string } | null;
}

/** A record at a time of 5 November 2026; undefined when there is nothing to say. */
async function explained(
  table: string,
  key: object,
  time = "23:59:59",
  source?: string,
): Promise<Explained | undefined> {
  const { rows } = await reader.query<Explained>('SELECT "row", doubt FROM audit.row_as_of_explained($1, $2, $3, $4)', [
    table,
    key,
    `2026-11-05T${time}Z`,
    source,
  ]);
  return rows[0];
}

const asOf = async (table: string, key: object, time?: string, source?: string) =>
  (await explained(table, key, time, source))?.row ?? null;

async function tableAsOf(table: string, time = "23:59:59", source?: string): Promise<object[]> {
  const { rows } = await reader.query('SELECT "row" FROM audit.table_as_of($1, $2, $3) ORDER BY key', [
    table,
    `2026-11-05T${time}Z`,
    source,
  ]);
  return rows.map(({ row }) => row as object);
}

async function history(table: string, key: object): Promise<{ operation: string; key: object; detail: object }[]> {
  return (await reader.query("SELECT operation, key, detail FROM audit.history($1, $2)", [table, key])).rows;
}

const operations = async (table: string, key: object) => (await history(table, key)).map(({ operation }) => operation);

const seats: ShapeInput = {
  relation: 1,
  key: ["id"],
  columns: [
    ["id", "integer"],
    ["state", "text"],
  ],
};
const free = (id: number) => ({ id, state: "free" });
const table = "public.seats";

/** Seats 1 and 2, of which a load at eleven finds seat 1 alone. */
const emptied = (source?: string) =>
  new Stream(source)
    .at("09:00:00")
    .shape(table, seats)
    .at("10:00:00")
    .insert(table, { id: 1 }, free(1))
    .insert(table, { id: 2 }, free(2))
    .at("11:00:30")
    .baseline(table, { id: 1 }, free(1))
    .at("11:05:00")
    .load(table, "11:00:00", "11:01:00", 1);

describe("A record that a full load did not find any more", () => {
  it("is gone from the beginning of the load on, and the table is without it", async () => {
    await store(emptied());
    expect(await asOf(table, { id: 2 }, "10:59:59")).toEqual(free(2));
    expect(await asOf(table, { id: 2 }, "11:00:00")).toBeNull();
    expect(await asOf(table, { id: 1 }, "11:00:00")).toEqual(free(1));
    expect(await asOf(table, { id: 1 })).toEqual(free(1));
    expect(await tableAsOf(table, "10:59:59")).toEqual([free(1), free(2)]);
    expect(await tableAsOf(table, "11:00:00")).toEqual([free(1)]);
    expect(warnings).toEqual([]);
  });

  it("has an end in its history, right after its last event, that says what it is", async () => {
    await store(emptied());
    expect(await operations(table, { id: 1 })).toEqual(["insert", "baseline"]);
    const [, end, ...rest] = await history(table, { id: 2 });
    expect(rest).toEqual([]);
    expect(end).toEqual({
      operation: "load",
      key: { id: 2 },
      detail: {
        started_at: "2026-11-05T11:00:00Z",
        ended_at: "2026-11-05T11:01:00Z",
        rows: 1,
        reason: "not there any more when the table was loaded again",
        last_seen: expect.stringContaining("2026-11-05T10:00:00"),
      },
    });
  });

  it("is explained: why it is gone, and that changes before may be missing", async () => {
    await store(emptied());
    const reason =
      "public.seats was loaded at 2026-11-05T11:00:00.000000Z, and the record was not there any more: when it ended is " +
      "not known, and changes of it may be missing";
    const doubt = { since: expect.stringContaining("T10:00:00"), until: expect.stringContaining("T11:00:00"), reason };
    expect(await explained(table, { id: 2 })).toEqual({ row: null, doubt });
    expect(await explained(table, { id: 2 }, "10:30:00")).toEqual({ row: free(2), doubt });
    expect(await explained(table, { id: 1 }, "10:30:00")).toEqual({ row: free(1), doubt: null });
  });

  it("stands in the way of an undo, and a baseline with the same values does not", async () => {
    const stream = emptied();
    await store(stream);
    const undo = async ({ committed_at, event_id }: EventInput) =>
      (await reader.query("SELECT audit.undo($1, $2) AS sql", [committed_at, event_id])).rows[0].sql as string;
    expect(await undo(stream.events[2]!)).toContain(
      "-- In the way: it was not there any more when its table was loaded at 2026-11-05T11:00:00Z.",
    );
    expect(await undo(stream.events[1]!)).not.toContain("In the way");
    expect(await undo(stream.events[4]!)).toBe("-- Nothing to undo.\n");
  });

  it("may come again under its key, as another life", async () => {
    await store(emptied().at("12:00:00").insert(table, { id: 2 }, { id: 2, state: "new" }));
    expect(await asOf(table, { id: 2 }, "11:30:00")).toBeNull();
    expect(await asOf(table, { id: 2 })).toEqual({ id: 2, state: "new" });
    expect(await operations(table, { id: 2 })).toEqual(["insert", "load", "insert"]);
    expect(await tableAsOf(table, "11:30:00")).toEqual([free(1)]);
    expect(await tableAsOf(table)).toEqual([free(1), { id: 2, state: "new" }]);
  });

  it("may be read again by a later load, and be gone in between", async () => {
    await store(
      emptied()
        .at("13:00:10")
        .baseline(table, { id: 1 }, free(1))
        .baseline(table, { id: 2 }, free(2))
        .at("13:05:00")
        .load(table, "13:00:00", "13:01:00", 2),
    );
    expect(await asOf(table, { id: 2 }, "12:00:00")).toBeNull();
    expect(await asOf(table, { id: 2 })).toEqual(free(2));
    expect(await tableAsOf(table, "12:00:00")).toEqual([free(1)]);
    expect(await operations(table, { id: 2 })).toEqual(["insert", "load", "baseline"]);
  });

  it("is gone though the load was noted under another name than the record was last changed under", async () => {
    await store(
      new Stream()
        .at("09:00:00")
        .shape(table, seats)
        .insert(table, { id: 1 }, free(1))
        .insert(table, { id: 2 }, free(2))
        .at("10:30:00")
        .drop(table, "ALTER TABLE")
        .shape("public.places", seats, { reason: "ddl", renamed_from: { schema: "public", table: "seats" } })
        .at("11:00:30")
        .baseline("public.places", { id: 1 }, free(1))
        .at("11:05:00")
        .load("public.places", "11:00:00", "11:01:00", 1),
    );
    expect(await asOf("public.places", { id: 2 }, "10:59:59")).toEqual(free(2));
    expect(await asOf("public.places", { id: 2 })).toBeNull();
    expect(await asOf("public.places", { id: 1 })).toEqual(free(1));
    expect(await tableAsOf("public.places")).toEqual([free(1)]);
    expect(await operations("public.places", { id: 2 })).toEqual(["insert", "load"]);
  });

  it("is not that of another table, to which its table has left its name", async () => {
    const other = { ...seats, relation: 9 };
    await store(
      new Stream()
        .at("09:00:00")
        .shape(table, seats)
        .insert(table, { id: 1 }, free(1))
        .at("10:00:00")
        .drop(table, "ALTER TABLE")
        .shape("public.former", seats, { reason: "ddl", renamed_from: { schema: "public", table: "seats" } })
        .at("10:00:10")
        .shape(table, other)
        .at("11:00:30")
        .baseline(table, { id: 2 }, free(2))
        .at("11:05:00")
        .load(table, "11:00:00", "11:01:00", 1),
    );
    expect(await tableAsOf("public.former")).toEqual([free(1)]);
    expect(await explained("public.former", { id: 1 })).toEqual({ row: free(1), doubt: null });
    expect(await tableAsOf(table)).toEqual([free(2)]);
  });

  it("is not taken for one of the table that took its table's name", async () => {
    const renamedFrom = (name: string) => ({ reason: "ddl", renamed_from: { schema: "public", table: name } });
    await store(
      new Stream()
        .at("09:00:00")
        .shape(table, seats)
        .insert(table, { id: 1 }, free(1))
        .insert(table, { id: 2 }, free(2))
        .insert(table, { id: 3 }, free(3))
        .at("10:00:00")
        .shape("public.shadow", { ...seats, relation: 9 })
        .insert("public.shadow", { id: 2 }, free(2))
        .insert("public.shadow", { id: 3 }, free(3))
        .at("11:00:30")
        .baseline(table, { id: 1 }, free(1))
        .at("11:05:00")
        .load(table, "11:00:00", "11:01:00", 1)
        .at("12:00:00")
        .drop(table, "ALTER TABLE")
        .shape("public.former", seats, renamedFrom("seats"))
        .drop("public.shadow", "ALTER TABLE")
        .shape(table, { ...seats, relation: 9 }, renamedFrom("shadow"))
        .at("12:30:00")
        .delete(table, { id: 2 }, free(2))
        .baseline(table, { id: 3 }, free(3)),
    );
    for (const id of [2, 3]) {
      expect(await asOf(table, { id }, "11:30:00")).toBeNull();
      expect(await asOf("public.former", { id })).toBeNull();
      expect(await operations("public.former", { id })).toEqual(["insert", "load"]);
    }
    expect(await tableAsOf(table, "11:30:00")).toEqual([free(1)]);
    expect(await tableAsOf("public.former")).toEqual([free(1)]);
    expect(await tableAsOf(table)).toEqual([free(3)]);
  });

  it("is gone though its key was taken and left under another name before the table came back", async () => {
    const renamedFrom = (name: string) => ({ reason: "ddl", renamed_from: { schema: "public", table: name } });
    await store(
      emptied()
        .at("12:00:00")
        .drop(table, "ALTER TABLE")
        .shape("public.places", seats, renamedFrom("seats"))
        .at("12:10:00")
        .update("public.places", { id: 2 }, { id: 1 }, free(2))
        .at("12:20:00")
        .drop("public.places", "ALTER TABLE")
        .shape(table, seats, renamedFrom("places"))
        .at("12:30:00")
        .update(table, { id: 3 }, { id: 2 }, free(3)),
    );
    expect(await asOf(table, { id: 2 }, "11:30:00")).toBeNull();
    expect(await tableAsOf(table, "11:30:00")).toEqual([free(1)]);
    expect(await tableAsOf(table)).toEqual([free(3)]);
    expect(await operations(table, { id: 3 })).toEqual(["insert", "baseline", "update", "update"]);
  });

  it("is not that of another source, whose table has the same name", async () => {
    await store(emptied("eu"), new Stream("us").at("09:00:00").shape(table, seats).insert(table, { id: 2 }, free(2)));
    expect(await asOf(table, { id: 2 }, undefined, "eu")).toBeNull();
    expect(await asOf(table, { id: 2 }, undefined, "us")).toEqual(free(2));
    expect(await tableAsOf(table, undefined, "us")).toEqual([free(2)]);
  });
});

describe("A record that changed beside the load", () => {
  const before = () =>
    new Stream()
      .at("09:00:00")
      .shape(table, seats)
      .at("10:00:00")
      .insert(table, { id: 1 }, free(1))
      .insert(table, { id: 2 }, free(2));

  it("was there until it was deleted, though the load did not come to it any more", async () => {
    await store(
      before()
        .at("11:00:30")
        .baseline(table, { id: 1 }, free(1))
        .at("11:00:20")
        .delete(table, { id: 2 }, free(2))
        .at("11:05:00")
        .load(table, "11:00:00", "11:01:00", 1),
    );
    expect(await asOf(table, { id: 2 }, "11:00:10")).toEqual(free(2));
    expect(await asOf(table, { id: 2 }, "11:00:20")).toBeNull();
    expect(await tableAsOf(table, "11:00:10")).toEqual([free(1), free(2)]);
    expect(await tableAsOf(table)).toEqual([free(1)]);
    expect(await operations(table, { id: 2 })).toEqual(["insert", "delete"]);
  });

  it("is gone after a delete of the same moment whose row the load had still read", async () => {
    await store(
      before()
        .at("11:00:30")
        .baseline(table, { id: 1 }, free(1))
        .baseline(table, { id: 2 }, free(2))
        .at("11:00:20")
        .delete(table, { id: 2 }, free(2))
        .at("11:05:00")
        .load(table, "11:00:00", "11:01:00", 2),
    );
    expect(await asOf(table, { id: 2 })).toBeNull();
    expect(await tableAsOf(table)).toEqual([free(1)]);
    expect(await operations(table, { id: 2 })).toEqual(["insert", "baseline", "delete"]);
  });

  it("had ended before, when what came beside the load was an insert", async () => {
    await store(
      before()
        .at("11:00:30")
        .baseline(table, { id: 1 }, free(1))
        .at("11:00:20")
        .insert(table, { id: 2 }, { id: 2, state: "new" })
        .at("11:05:00")
        .load(table, "11:00:00", "11:01:00", 1),
    );
    expect(await asOf(table, { id: 2 }, "11:00:10")).toBeNull();
    expect(await asOf(table, { id: 2 })).toEqual({ id: 2, state: "new" });
    expect(await operations(table, { id: 2 })).toEqual(["insert", "load", "insert"]);
  });

  it("was there until it got another key, under which the load read it", async () => {
    await store(
      before()
        .at("11:00:30")
        .baseline(table, { id: 1 }, free(1))
        .baseline(table, { id: 7 }, free(7))
        .at("11:00:20")
        .update(table, { id: 7 }, { id: 2 }, free(7))
        .at("11:05:00")
        .load(table, "11:00:00", "11:01:00", 2),
    );
    expect(await asOf(table, { id: 2 }, "11:00:10")).toEqual(free(2));
    expect(await asOf(table, { id: 2 })).toBeNull();
    expect(await asOf(table, { id: 7 })).toEqual(free(7));
    expect(await tableAsOf(table)).toEqual([free(1), free(7)]);
  });

  it("is in doubt before the load when the load read it with other values", async () => {
    await store(
      before()
        .at("11:00:30")
        .baseline(table, { id: 1 }, { id: 1, state: "taken" })
        .baseline(table, { id: 2 }, free(2))
        .at("11:05:00")
        .load(table, "11:00:00", "11:01:00", 2),
    );
    expect((await explained(table, { id: 1 }, "10:30:00"))?.doubt?.reason).toContain(
      "the record was read with other values: changes of it may be missing",
    );
    expect((await explained(table, { id: 1 }))?.doubt).toBeNull();
    expect((await explained(table, { id: 2 }, "10:30:00"))?.doubt).toBeNull();
  });
});

describe("A load that is not whole in the log", () => {
  it.each([
    ["a baseline has not arrived", (stream: Stream) => stream],
    ["a baseline has no known key", (stream: Stream) => stream.baseline(table, null, free(3))],
    ["a baseline is another load's", (stream: Stream) => stream.at("10:59:00").baseline(table, { id: 3 }, free(3))],
  ])("says of no record that it is gone: %s", async (_, more) => {
    await store(
      more(
        new Stream()
          .at("09:00:00")
          .shape(table, seats)
          .at("10:00:00")
          .insert(table, { id: 2 }, free(2))
          .at("11:00:30")
          .baseline(table, { id: 1 }, free(1)),
      )
        .at("11:05:00")
        .load(table, "11:00:00", "11:01:00", 2),
    );
    const { row, doubt } = (await explained(table, { id: 2 }))!;
    expect(row).toEqual(free(2));
    expect(doubt?.reason).toContain("only 1 of the 2 rows that were read are in the log, without this record");
    expect(await operations(table, { id: 2 })).toEqual(["insert"]);
    expect(await tableAsOf(table)).toContainEqual(free(2));
    expect(warnings).toEqual([
      expect.stringMatching(
        /rows that had ended before the load of public\.seats at .* may still be listed: only 1 of the 2/,
      ),
    ]);
  });

  it("warns of nothing when it was the first of its table", async () => {
    await store(
      new Stream()
        .at("09:00:00")
        .shape(table, seats)
        .at("11:00:30")
        .baseline(table, { id: 1 }, free(1))
        .at("11:05:00")
        .load(table, "11:00:00", "11:01:00", 2),
    );
    expect(await tableAsOf(table)).toEqual([free(1)]);
    expect(await explained(table, { id: 1 })).toEqual({ row: free(1), doubt: null });
    expect(warnings).toEqual([]);
  });
});

describe("Partitions, each of which is loaded by itself", () => {
  const jobs: ShapeInput = {
    relation: 1,
    key: ["id", "half"],
    columns: [
      ["id", "integer"],
      ["half", "integer"],
    ],
  };
  const job = (id: number, half: number) => ({ id, half });
  const root = { schema: "part", table: "jobs" };
  const described = () =>
    new Stream()
      .at("09:00:00")
      .shape("part.jobs", jobs)
      .shape("part.first", { ...jobs, relation: 2, root })
      .shape("part.second", { ...jobs, relation: 3, root });

  it("end the rows that they held, and not those that another one holds", async () => {
    await store(
      described()
        .at("10:00:00")
        .insert("part.jobs", job(1, 1), job(1, 1), "part.first")
        .insert("part.jobs", job(2, 1), job(2, 1), "part.first")
        .insert("part.jobs", job(4, 2), job(4, 2), "part.second")
        .at("11:00:30")
        .baseline("part.jobs", job(1, 1), job(1, 1), "part.first")
        .at("11:02:30")
        .baseline("part.jobs", job(3, 2), job(3, 2), "part.second")
        .at("11:05:00")
        .load("part.first", "11:00:00", "11:01:00", 1)
        .load("part.second", "11:02:00", "11:03:00", 1),
    );
    expect(await asOf("part.jobs", job(2, 1), "11:00:10")).toBeNull();
    expect(await asOf("part.jobs", job(4, 2), "11:01:00")).toEqual(job(4, 2));
    expect(await asOf("part.jobs", job(4, 2))).toBeNull();
    expect(await tableAsOf("part.jobs", "11:01:00")).toEqual([job(1, 1), job(4, 2)]);
    expect(await tableAsOf("part.jobs")).toEqual([job(1, 1), job(3, 2)]);
    expect(await operations("part.jobs", job(4, 2))).toEqual(["insert", "load"]);
  });

  it("are loaded under the names that they have by then", async () => {
    await store(
      described()
        .at("10:00:00")
        .insert("part.jobs", job(1, 1), job(1, 1), "part.first")
        .insert("part.jobs", job(2, 1), job(2, 1), "part.first")
        .at("10:30:00")
        .drop("part.first", "ALTER TABLE")
        .shape(
          "part.oldest",
          { ...jobs, relation: 2, root },
          { reason: "ddl", renamed_from: { schema: "part", table: "first" } },
        )
        .at("11:00:30")
        .baseline("part.jobs", job(1, 1), job(1, 1), "part.oldest")
        .at("11:05:00")
        .load("part.oldest", "11:00:00", "11:01:00", 1),
    );
    expect(await tableAsOf("part.jobs")).toEqual([job(1, 1)]);
    expect(await asOf("part.jobs", job(2, 1), "10:59:00")).toEqual(job(2, 1));
    expect(await asOf("part.jobs", job(2, 1))).toBeNull();
  });
});

describe("The loads of a table", () => {
  it("stand in the log for readers", async () => {
    await store(emptied());
    const { rows } = await reader.query(
      `SELECT operation, "schema" || '.' || "table" AS "table", key, detail FROM audit.log WHERE operation = 'load'`,
    );
    const detail = { started_at: "2026-11-05T11:00:00Z", ended_at: "2026-11-05T11:01:00Z", rows: 1 };
    expect(rows).toEqual([{ operation: "load", table, key: null, detail }]);
  });

  it("are found by an index that holds nothing else", async () => {
    await client.query("SET enable_seqscan = off");
    const { rows } = await client.query<{ "QUERY PLAN": string }>(
      `EXPLAIN SELECT FROM audit.events
       WHERE operation = 'load' AND table_name = 'seats' AND schema_name = 'public' AND committed_at > now()`,
    );
    await client.query("RESET enable_seqscan");
    const scans = rows.map((row) => row["QUERY PLAN"]).filter((line) => line.includes("Scan"));
    expect(scans).not.toHaveLength(0);
    for (const scan of scans) expect(scan).toMatch(/Scan using events_\w+_table_name_schema_name_idx\d* /);
  });
});
