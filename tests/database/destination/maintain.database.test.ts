import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bootstrapDestination } from "../../../operator/database/bootstrap";
import { maintainDestination } from "../../../operator/database/maintain";
import { emptyLog, type EventInput, storeEvents } from "../support/audit-events";
import { errorOf, TestServer } from "../../../local/servers/test-server";

let server: TestServer;
/** An audit log with its default partitions, of which each test gets a copy. */
let template: string;
let client: Client;

beforeAll(async () => {
  server = await TestServer.start();
  const prepared = await server.createDatabase();
  template = prepared.database;
  await bootstrapDestination(prepared);
  await prepared.end();
});

afterAll(() => server.stop());

const dayMilliseconds = 86_400_000;
const now = new Date();
/** Midnight UTC, `days` from today. */
const daysFromNow = (days: number) =>
  new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + days)).toISOString();
/** Midnight UTC of the first day of the month, `months` from this one. */
const monthsFromNow = (months: number) =>
  new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 1)).toISOString();
const monthName = (months: number) => `audit.events_${monthsFromNow(months).slice(0, 7).replace("-", "_")}`;
const dayName = (days: number) => `audit.events_${daysFromNow(days).slice(0, 10).replaceAll("-", "_")}`;

const event = (committed_at: string): EventInput => ({ committed_at, operation: "insert", after: {} });

const partitionOf = async (committed_at: string) =>
  (await client.query("SELECT tableoid::regclass AS name FROM audit.events WHERE committed_at = $1", [committed_at]))
    .rows[0]?.name;

const partitions = async () =>
  (
    await client.query<{ name: string; from: Date; to: Date }>(
      `SELECT partition AS name, lower_bound AS from, upper_bound AS to FROM audit.partitions() WHERE lower_bound IS NOT NULL`,
    )
  ).rows;

describe("audit.maintain", () => {
  beforeEach(async () => {
    client = await server.createDatabase({ template });
  });

  it("has made a month for last month, this one and those ahead, without a gap", async () => {
    expect((await partitions()).map(({ name }) => name)).toEqual([-1, 0, 1, 2, 3].map(monthName));
    const bounds = await partitions();
    bounds.slice(1).forEach(({ from }, index) => expect(from).toEqual(bounds[index]?.to));
    expect(bounds.map(({ from }) => from.toISOString())).toEqual([-1, 0, 1, 2, 3].map(monthsFromNow));
  });

  it("does nothing where nothing is to be done, and says how far ahead the partitions reach", async () => {
    const report = await maintainDestination(client);
    expect(report.actions).toEqual([]);
    expect(report.defaultPartitionRows).toBe(0);
    const daysLeft = (Date.parse(monthsFromNow(4)) - Date.now()) / dayMilliseconds;
    expect(report.partitionDaysAhead).toBeCloseTo(daysLeft, 1);
  });

  it("makes partitions further ahead on request, and says which", async () => {
    const { actions } = await maintainDestination(client, { ahead: "5 months" });
    expect(actions).toEqual([
      { action: "created", partition: monthName(4), detail: "ahead of time" },
      { action: "created", partition: monthName(5), detail: "ahead of time" },
    ]);
  });

  it("is not led astray by the time zone of its session", async () => {
    await client.query("SET timezone = 'Pacific/Auckland'");
    await maintainDestination(client, { ahead: "6 months" });
    await client.query("RESET timezone");
    expect((await partitions()).at(-1)?.from.toISOString()).toBe(monthsFromNow(6));
  });

  it("makes days beside existing months where days are asked for, without a gap or an overlap", async () => {
    await maintainDestination(client, { period: "day", ahead: "5 months" });
    const bounds = await partitions();
    bounds.slice(1).forEach(({ from }, index) => expect(from).toEqual(bounds[index]?.to));
    expect(bounds[5]?.name).toBe(`audit.events_${monthsFromNow(4).slice(0, 10).replaceAll("-", "_")}`);
    await maintainDestination(client, { period: "month", ahead: "7 months" });
    const after = await partitions();
    after.slice(1).forEach(({ from }, index) => expect(from).toEqual(after[index]?.to));
    // The rest of the month in which the days end, then whole months again.
    expect(after.at(-2)?.name).toBe(monthName(6));
  });

  it("moves events out of the default partition into months of their own, and changes none of them", async () => {
    const old = "2024-02-29T12:00:00.000Z";
    const older = "2023-12-31T23:59:59.999Z";
    const future = monthsFromNow(30);
    await storeEvents(client, [event(old), event(older), event(future), event(monthsFromNow(0))]);
    const before = await client.query("SELECT * FROM audit.events ORDER BY committed_at");
    expect(await partitionOf(old)).toBe("audit.events_default");
    const { actions, defaultPartitionRows } = await maintainDestination(client);
    expect(actions.map(({ action, partition }) => [action, partition])).toEqual([
      ["created", "audit.events_2023_12"],
      ["created", "audit.events_2024_02"],
      ["moved", "audit.events_default"],
      ["left", "audit.events_default"],
    ]);
    expect(actions[2]?.detail).toBe("2 events to their partitions");
    expect(defaultPartitionRows).toBe(1);
    expect(await partitionOf(old)).toBe("audit.events_2024_02");
    expect(await partitionOf(older)).toBe("audit.events_2023_12");
    expect(await partitionOf(future)).toBe("audit.events_default");
    expect((await client.query("SELECT * FROM audit.events ORDER BY committed_at")).rows).toEqual(before.rows);
    // The new default partition is guarded like the old one.
    expect((await errorOf(client.query("TRUNCATE audit.events_default"))).message).toContain("append-only");
    expect((await maintainDestination(client)).actions.map(({ action }) => action)).toEqual(["left"]);
  });

  it("drops whole partitions older than the retention, and nothing younger", async () => {
    const dates = ["2024-01-15T00:00:00Z", "2024-02-15T00:00:00Z", monthsFromNow(-1), monthsFromNow(0)];
    await storeEvents(client, dates.map(event));
    await maintainDestination(client);
    const { actions } = await maintainDestination(client, { retention: "90 days" });
    expect(actions.map(({ action, partition }) => [action, partition])).toEqual([
      ["dropped", "audit.events_2024_01"],
      ["dropped", "audit.events_2024_02"],
    ]);
    const { rows } = await client.query("SELECT committed_at FROM audit.events ORDER BY 1");
    expect(rows.map(({ committed_at }) => committed_at.toISOString())).toEqual([monthsFromNow(-1), monthsFromNow(0)]);
  });

  it("does not keep events beyond their retention because they lay in the default partition", async () => {
    await storeEvents(client, [event("2024-01-15T00:00:00Z"), event(monthsFromNow(-2))]);
    const { actions } = await maintainDestination(client, { retention: "1 year" });
    expect(actions.map(({ action, detail }) => [action, detail])).toEqual([
      ["created", "for events that had none"],
      ["moved", "1 events to their partitions"],
      ["dropped", "1 events older than 1 year"],
    ]);
    expect(await partitionOf(monthsFromNow(-2))).toBe(monthName(-2));
  });

  it("keeps an expired partition that a reader holds, says so, and drops it the next time", async () => {
    await storeEvents(client, [event("2024-01-15T00:00:00Z")]);
    await maintainDestination(client);
    const reader = await server.connect({ database: client.database });
    await reader.query("BEGIN; SELECT count(*) FROM audit.events");
    await client.query("ALTER FUNCTION audit.maintain(interval, interval, text) SET lock_timeout = '100ms'");
    const kept = await maintainDestination(client, { retention: "90 days" });
    expect(kept.actions.map(({ action }) => action)).toEqual(["kept"]);
    await reader.query("COMMIT");
    const dropped = await maintainDestination(client, { retention: "90 days" });
    expect(dropped.actions.map(({ action }) => action)).toEqual(["dropped"]);
  });

  it("makes partitions ahead while the sink is in the middle of a transaction", async () => {
    const sink = await server.connect({ database: client.database });
    await sink.query("BEGIN");
    await storeEvents(sink, [event(monthsFromNow(0))]);
    await client.query("SET statement_timeout = '5s'");
    const { actions } = await maintainDestination(client, { ahead: "4 months" });
    expect(actions.map(({ partition }) => partition)).toEqual([monthName(4)]);
    await sink.query("COMMIT");
  });

  it("does its work once when it runs several times at once", async () => {
    const others = await Promise.all([1, 2, 3].map(() => server.connect({ database: client.database })));
    await storeEvents(client, [event("2024-01-15T00:00:00Z")]);
    const reports = await Promise.all(
      [client, ...others].map((connection) => maintainDestination(connection, { ahead: "6 months" })),
    );
    expect(reports.map(({ actions }) => actions.length).sort()).toEqual([0, 0, 0, 5]);
    expect((await client.query("SELECT FROM audit.events")).rowCount).toBe(1);
  });

  it("keeps its hands off everything when told something senseless", async () => {
    const refused = async (call: string) => (await errorOf(client.query(`SELECT audit.maintain(${call})`))).message;
    expect(await refused("retention => '1 hour'")).toContain("allowed are 1 day and more");
    expect(await refused("retention => '-1 year'")).toContain("allowed are 1 day and more");
    expect(await refused("ahead => '1 hour'")).toContain("allowed are 1 day to 5 years");
    expect(await refused("period => 'week'")).toContain("allowed are month and day");
  });

  it("indexes every partition like its parent", async () => {
    await maintainDestination(client, { period: "day", ahead: "4 months" });
    const { rows } = await client.query(
      `SELECT DISTINCT count(*)::int AS indexes FROM audit.partitions() JOIN pg_index ON indrelid = partition GROUP BY partition`,
    );
    expect(rows).toEqual([{ indexes: 11 }]);
  });

  it("names the days it makes by date", async () => {
    const fresh = await server.createDatabase();
    await bootstrapDestination(fresh, { partitionPeriod: "day", partitionsAhead: "2 days" });
    const { rows } = await fresh.query(
      "SELECT partition AS name FROM audit.partitions() WHERE lower_bound IS NOT NULL",
    );
    expect(rows.map(({ name }) => name)).toEqual([-1, 0, 1, 2].map(dayName));
  });
});

describe("The audit table", () => {
  const id = "00000000-0000-4000-8000-000000000001";
  const stored: EventInput = { ...event("2026-11-05T10:00:00Z"), event_id: id, after: { n: 1 } };
  /** Writes as the sink does. */
  let writer: Client;

  beforeAll(async () => {
    client = await server.createDatabase({ template });
    writer = await server.connect({ database: client.database });
    await writer.query("SET ROLE audit_writer");
  });

  beforeEach(async () => {
    await emptyLog(client);
    await storeEvents(writer, [stored]);
  });

  const versions = async () =>
    (await client.query("SELECT ctid, xmin, after FROM audit.events ORDER BY event_id")).rows;

  it("does not change when an event is stored again, alone or in a batch with new ones", async () => {
    const before = await versions();
    expect(await storeEvents(writer, [{ ...stored, after: { n: 2 } }])).toBe(0);
    expect(await versions()).toEqual(before);
    expect(await storeEvents(writer, [{ ...stored, after: { n: 3 } }, event("2026-11-05T10:00:00Z")])).toBe(1);
    const after = await versions();
    expect(after).toHaveLength(2);
    expect(after).toContainEqual(before[0]);
  });

  it.each([
    ["UPDATE audit.events SET actor = 'mallory'"],
    [`UPDATE ${monthName(0)} SET actor = 'mallory'`],
    ["DELETE FROM audit.events"],
    [`DELETE FROM ${monthName(0)}`],
    ["TRUNCATE audit.events"],
    [`TRUNCATE ${monthName(0)}`],
    ["TRUNCATE audit.events_default"],
  ])("refuses its own owner: %s", async (statement) => {
    await storeEvents(client, [event(monthsFromNow(0))]);
    const before = await versions();
    expect((await errorOf(client.query(statement))).message).toContain("audit.events is append-only");
    expect(await versions()).toEqual(before);
  });

  it("refuses an operation that it does not know, with a code that the sink takes for bad data", async () => {
    const error = await errorOf(storeEvents(writer, [{ ...event("2026-11-05T10:00:00Z"), operation: "merge" }]));
    expect(error.code).toBe("23514");
  });

  it("catches an event of any time", async () => {
    await storeEvents(writer, [event("0001-01-01T00:00:00Z"), event("2999-12-31T00:00:00Z")]);
    expect(await partitionOf("2999-12-31T00:00:00Z")).toBe("audit.events_default");
  });
});
