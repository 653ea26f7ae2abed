import { afterAll, beforeAll, expect, test } from "vitest";
import { readFileSync } from "node:fs";
import { startTestPipeline, type TestPipeline } from "./support/pipeline";

let running: TestPipeline;

beforeAll(async () => {
  running = await startTestPipeline([{ schema: "app", table: "people" }], async (client) => {
    await client.query("CREATE SCHEMA app; CREATE TABLE app.people (id integer PRIMARY KEY)");
  });
});

afterAll(() => running?.stop());

test("a canary goes through every part, and says how long each took", async () => {
  const report = await running.pipeline.canary();

  expect(report.totalMilliseconds).toBe(
    report.captureMilliseconds + report.transformerMilliseconds + report.sinkMilliseconds,
  );
  const [row] = await running.query<{ count: number }>(
    "SELECT count(*)::int AS count FROM audit.events WHERE operation = 'canary' AND context ->> 'id' = $1",
    [report.id],
  );
  expect(row?.count).toBe(1);
  const [shown] = await running.query<{ count: number }>(
    "SELECT count(*)::int AS count FROM audit.log WHERE event_id IN (SELECT event_id FROM audit.events WHERE operation = 'canary')",
  );
  expect(shown?.count).toBe(0);
});

// In the order of the flow: what stops later shows only while what is before it runs.
test.each([
  ["sink", () => running.pipeline.worker, "The process of the Kafka Connect worker is not running."],
  ["transformer", () => running.pipeline.transformer, "The process of the transformer is not running."],
  ["capture", () => running.pipeline.standIn, "The process of the DMS stand-in is not running."],
] as const)("a canary that stops at the %s names it, and what to read", async (hop, part, finding) => {
  await part().stop();
  try {
    await expect(running.pipeline.canary({ timeoutSeconds: 2 })).rejects.toThrow(
      `It stopped at ${hop}: ${finding} Read ${part().logFile}.`,
    );
  } finally {
    await part().start();
  }
  await running.pipeline.waitForSink();
  await running.pipeline.canary({ timeoutSeconds: 120 });
});

test("the operator's log tells each step, and no password", async () => {
  const log = readFileSync(running.pipeline.logFile("operator"), "utf8");
  const steps = log
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { action: string; outcome?: string });
  expect(new Set(steps.map(({ action }) => action))).toEqual(new Set(["bootstrap", "maintain", "canary"]));
  expect(log).not.toContain(running.pipeline.destination.password);
});
