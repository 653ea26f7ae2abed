import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CanaryRequest } from "../../../../contract/operator";
import { bootstrapDestination, bootstrapSource } from "../../../../operator/database/bootstrap";
import {
  canary,
  type CanaryReport,
  type CanaryTiming,
  type CanaryInquiries,
  type Diagnose,
} from "../../../../operator/handlers/canary/canary";
import { storeEvents } from "../../../database/support/audit-events";
import { accessTo, operate, type Operation } from "../../support/operator";
import { type DatabaseClient, TestServer } from "../../../../local/servers/test-server";
import { takeSignals } from "../../../database/support/signals";

const sourceId = "shop";
let server: TestServer;
let source: DatabaseClient;
let destination: DatabaseClient;

beforeAll(async () => {
  server = await TestServer.start();
  source = await server.createDatabase();
  destination = await server.createDatabase();
  await bootstrapSource(source, { tables: [] });
  await bootstrapDestination(destination);
});

afterAll(() => server.stop());

beforeEach(async () => {
  await takeSignals(source);
});

const unasked: Diagnose = () => Promise.reject(new Error("The canary arrived: nobody was to look where it stopped."));
const timing: CanaryTiming = { pollInterval: 20, writeAgainAfter: 60_000 };

function send(
  options: {
    readonly timeoutSeconds?: number;
    readonly diagnose?: Diagnose;
    readonly timing?: CanaryTiming;
    readonly database?: string;
    readonly timeout?: number;
    readonly publishShapes?: boolean;
    readonly tableLoads?: CanaryInquiries["tableLoads"];
  } = {},
): Promise<Operation<CanaryReport>> {
  const request: CanaryRequest = {
    action: "canary",
    sourceId,
    source: accessTo(server, options.database ?? source.database),
    destination: accessTo(server, destination.database),
    captureTaskArn: "task",
    kafka: {
      bootstrapBrokersIam: "broker:9098",
      rawTopic: "cdc.raw",
      eventsTopic: "audit.events",
      transformerGroup: "transformer",
      sinkGroup: "connect-audit-sink",
    },
    connectorArn: "connector",
    timeoutSeconds: options.timeoutSeconds ?? 30,
    ...(options.publishShapes === undefined ? {} : { publishShapes: options.publishShapes }),
  };
  return operate("canary", { timeout: options.timeout ?? 90_000 }, (context) =>
    canary(
      request,
      context,
      { diagnose: options.diagnose ?? unasked, tableLoads: options.tableLoads ?? (() => Promise.resolve([])) },
      options.timing ?? timing,
    ),
  );
}

/** Waits until this many canaries were written in this test, and returns their ids. */
async function written(count = 1): Promise<string[]> {
  for (;;) {
    const { rows } = await source.query<{ id: string }>(
      "SELECT body_1::jsonb ->> 'id' AS id FROM capture.signal WHERE kind = 'canary' ORDER BY ctid",
    );
    if (rows.length >= count) return rows.map(({ id }) => id);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Does what capture, transformer and sink do, and says when each had it. */
async function carry(id: string, from = sourceId): Promise<void> {
  const committed = new Date();
  await storeEvents(destination, [
    {
      committed_at: committed.toISOString(),
      operation: "canary",
      table: "capture.signal",
      source_id: from,
      context: { id },
      captured_at: new Date(committed.getTime() + 40).toISOString(),
      transformed_at: new Date(committed.getTime() + 100).toISOString(),
    },
  ]);
}

describe("A canary", () => {
  it("reports how long each part of the pipeline took, and publishes that it arrived", async () => {
    const sent = send();
    await carry((await written())[0]!);
    const { result, metrics, error } = await sent;
    expect(error).toBeUndefined();
    expect(result).toMatchObject({ captureMilliseconds: 40, transformerMilliseconds: 60 });
    const { totalMilliseconds, sinkMilliseconds } = result!;
    expect(totalMilliseconds).toBe(100 + sinkMilliseconds);
    expect(metrics).toEqual([{ canaryArrived: 1, canaryLatency: totalMilliseconds }]);
  });

  it("carries the tables' shapes in its own transaction when it is asked to", async () => {
    await source.query("CREATE TABLE shaped (id int PRIMARY KEY); SELECT capture.watch('shaped')");
    await takeSignals(source);
    const sent = send({ publishShapes: true });
    await carry((await written())[0]!);
    expect((await sent).error).toBeUndefined();
    const { rows } = await source.query<{ kinds: string[] }>(
      "SELECT array_agg(kind ORDER BY kind) AS kinds FROM capture.signal GROUP BY xmin::text",
    );
    expect(rows).toEqual([{ kinds: ["canary", "catalog"] }]);
  });

  it("tells the log of full loads that have ended, once, and of none of the pipeline's own tables", async () => {
    const load = (schema: string, table: string) => ({
      schema,
      table,
      startedAt: "2026-11-05T10:00:00.123456Z",
      endedAt: "2026-11-05T10:00:01Z",
      rows: 7,
    });
    const loads = [
      load("shop", "orders"),
      load("capture", "signal"),
      load("capture_heartbeat", "awsdms_heartbeat"),
      load("shop", "awsdms_status"),
      load("shop", "lines"),
    ];
    const noted: (readonly string[] | undefined)[] = [];
    for (const asked of [loads, loads, [...loads, load("shop", "new")]]) {
      await source.query("DELETE FROM capture.signal WHERE kind = 'canary'");
      const sent = send({
        tableLoads: async ({ captureTaskArn }) => {
          expect(captureTaskArn).toBe("task");
          return asked;
        },
      });
      await carry((await written())[0]!);
      const { result, error } = await sent;
      expect(error).toBeUndefined();
      noted.push(result?.loadsNoted);
    }
    expect(noted).toEqual([["shop.orders", "shop.lines"], [], ["shop.new"]]);
    const signals = (await takeSignals(source)).filter(({ kind }) => kind === "load");
    expect(signals.map(({ table }) => table)).toEqual(["shop.orders", "shop.lines", "shop.new"]);
    expect(signals[0]?.body).toEqual({
      started_at: "2026-11-05T10:00:00.123456Z",
      ended_at: "2026-11-05T10:00:01.000000Z",
      rows: 7,
    });
  });

  it("has arrived even when the full loads can't be asked for, which is reported", async () => {
    const refused = Object.assign(new Error("no"), { name: "AccessDeniedException" });
    const sent = send({ tableLoads: () => Promise.reject(refused) });
    await carry((await written())[0]!);
    const { error, metrics } = await sent;
    expect(metrics).toEqual([expect.objectContaining({ canaryArrived: 1 })]);
    expect(error).toMatchObject({
      step: "ask for full loads",
      fix: expect.stringContaining("operator-permissions.ts"),
    });
  });

  it("takes neither another pipeline's row nor another canary's for its own", async () => {
    const sent = send({
      timeoutSeconds: 1,
      diagnose: () => Promise.resolve({ hop: "sink", finding: "Nothing was stored.", fix: "Look." }),
    });
    const [id] = await written();
    await carry(id!, "another");
    await carry("00000000-0000-4000-8000-000000000000");
    expect((await sent).error?.message).toContain("No row arrived within 1 s.");
  });

  it("that does not arrive fails with the hop where it stopped and the fix, and publishes that", async () => {
    const { error, metrics, log } = await send({
      timeoutSeconds: 0.3,
      diagnose: async ({ captureTaskArn }, _, writtenAt) => {
        expect(Date.now() - writtenAt.getTime()).toBeLessThan(60_000);
        return { hop: "capture", finding: `The ${captureTaskArn} is stopped.`, fix: "Start it." };
      },
    });
    expect(error?.message).toBe(
      'canary failed at "wait for its row": No row arrived within 0 s. It stopped at capture: The task is stopped. Start it.',
    );
    expect(error).toMatchObject({ step: "wait for its row", fix: "Start it." });
    expect(metrics).toEqual([{ canaryArrived: 0 }]);
    expect(log.map((line) => JSON.parse(line) as object)).toContainEqual(
      expect.objectContaining({ step: "find where it stopped", outcome: "done" }),
    );
  });

  it("says that it did not arrive even when nobody can tell where it stopped", async () => {
    const { error } = await send({
      timeoutSeconds: 0.1,
      diagnose: () => Promise.reject(new Error("Access denied.")),
    });
    expect(error?.message).toContain("No row arrived within 0 s. Where it stopped could not be found: Access denied.");
  });

  it("is written again when a capture that has just begun missed it", async () => {
    const sent = send({ timing: { pollInterval: 20, writeAgainAfter: 200 } });
    const [missed, again] = await written(2);
    expect(again).toBe(missed);
    await carry(again!);
    expect((await sent).result?.id).toBe(missed);
  });

  it("keeps the time back that finding the hop needs, however long it might wait", async () => {
    const begun = Date.now();
    const { error } = await send({
      timeoutSeconds: 300,
      timeout: 31_000,
      diagnose: () => Promise.resolve({ hop: "transformer", finding: "It stands.", fix: "Start it." }),
    });
    expect(error?.message).toContain("It stopped at transformer");
    expect(Date.now() - begun).toBeLessThan(20_000);
  });

  it("that cannot even be written publishes that nothing arrived, and tells why", async () => {
    const { error, metrics } = await send({ database: "postgres" });
    expect(error).toMatchObject({ step: "write the canary", reason: expect.stringContaining("capture") });
    expect(metrics).toEqual([{ canaryArrived: 0 }]);
  });

  it("finds its row by an index, however many rows there are", async () => {
    await destination.query("SET enable_seqscan = off");
    const { rows } = await destination.query<{ "QUERY PLAN": string }>(
      `EXPLAIN SELECT FROM audit.events
       WHERE operation = 'canary' AND schema_name = 'capture' AND table_name = 'signal' AND record_key IS NULL
         AND committed_at >= now()`,
    );
    const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
    expect(plan).toMatch(/Index Cond: .*table_name = 'signal'.*record_key IS NULL/);
  });
});
