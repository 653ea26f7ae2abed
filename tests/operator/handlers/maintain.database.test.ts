import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { MaintainRequest } from "../../../contract/operator";
import { operatorMetrics } from "../../../contract/operator-metrics";
import { bootstrapDestination, bootstrapSource } from "../../../operator/database/bootstrap";
import { maintain } from "../../../operator/handlers/maintain";
import { storeEvents } from "../../database/support/audit-events";
import { accessTo, operate } from "../support/operator";
import { type DatabaseClient, TestServer } from "../../../local/servers/test-server";
import { takeSignals } from "../../database/support/signals";

let server: TestServer;
let source: DatabaseClient;
let destination: DatabaseClient;

beforeAll(async () => {
  server = await TestServer.start();
});

afterAll(() => server.stop());

beforeEach(async () => {
  source = await server.createDatabase();
  destination = await server.createDatabase();
  await source.query("CREATE TABLE public.orders (id int PRIMARY KEY)");
  await bootstrapSource(source, { tables: [{ schema: "public", table: "orders" }] });
  await bootstrapDestination(destination);
});

const run = (
  changes: {
    readonly source?: string;
    readonly destination?: Partial<MaintainRequest["destination"]>;
    readonly versionsEnd?: string;
  } = {},
) =>
  operate("maintain", {}, (context) =>
    maintain(
      {
        action: "maintain",
        sourceId: "shop",
        source: accessTo(server, changes.source ?? source.database),
        destination: { ...accessTo(server, destination.database), ...changes.destination },
        versionsEnd: changes.versionsEnd,
      },
      context,
    ),
  );

describe("Maintenance", () => {
  it("publishes every metric that alarms read of the databases", async () => {
    await source.query("SELECT pg_create_logical_replication_slot('healthy', 'test_decoding')");
    await source.query("DROP TRIGGER capture_truncate ON orders");
    await storeEvents(destination, [{ committed_at: "2041-01-01T00:00:00Z", operation: "insert" }]);
    const { metrics, result } = await run();
    await source.query("SELECT pg_drop_replication_slot('healthy')");
    expect(metrics).toEqual([
      {
        partitionDaysAhead: expect.any(Number),
        defaultPartitionRows: 1,
        signalsCleared: 1,
        captureProblems: 1,
        slotRetainedBytes: expect.any(Number),
        slotsLost: 0,
      },
    ]);
    expect(metrics[0]!["partitionDaysAhead"]).toBeGreaterThan(80);
    expect(metrics[0]!["slotRetainedBytes"]).toBeGreaterThan(0);
    expect(Object.keys(operatorMetrics)).toEqual(expect.arrayContaining(Object.keys(metrics[0]!)));
    expect(result?.source.problems).toEqual([expect.objectContaining({ object: "public.orders" })]);
  });

  it("counts the days until the first version ends, whatever else fails", async () => {
    const inTenDays = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10);
    const { metrics } = await run({ versionsEnd: inTenDays, source: "postgres", destination: { retention: "1 hour" } });
    expect(metrics).toEqual([{ versionDaysLeft: 10 }]);
    expect((await run({ versionsEnd: "2020-01-01" })).metrics[0]?.["versionDaysLeft"]).toBeLessThan(-2000);
  });

  it("empties the signals, and signals each table's shape for a capture that has just begun", async () => {
    await source.query("SELECT capture.write_canary(gen_random_uuid())");
    await run();
    expect((await takeSignals(source)).map(({ kind, table, body }) => [kind, table, body.reason])).toEqual([
      ["catalog", "public.orders", "republish"],
    ]);
  });

  it("makes partitions and drops old ones as the request says", async () => {
    await destination.query("SELECT audit.add_partition('2020-01-01Z', '2020-02-01Z')");
    const { result } = await run({
      destination: { partitionsAhead: "10 months", partitionPeriod: "month", retention: "1 year" },
    });
    expect(result?.destination.partitionDaysAhead).toBeGreaterThan(290);
    expect(result?.destination.actions).toContainEqual(
      expect.objectContaining({ action: "dropped", partition: "audit.events_2020_01" }),
    );
  });

  it("still maintains and reports the destination when the source fails, and then fails", async () => {
    const { error, metrics } = await run({ source: "postgres" });
    expect(error).toMatchObject({ name: "StepError", step: "maintain the capture" });
    expect(metrics).toEqual([{ partitionDaysAhead: expect.any(Number), defaultPartitionRows: 0 }]);
  });

  it("still maintains and reports the source when the destination fails, and then fails with the database's words", async () => {
    const { error, metrics } = await run({ destination: { retention: "1 hour" } });
    expect(error).toMatchObject({
      step: "maintain the partitions",
      reason: "audit.maintain: retention is '01:00:00'; allowed are 1 day and more, or null to keep everything",
    });
    expect(Object.keys(metrics[0] ?? {})).toContain("signalsCleared");
  });
});
