import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ManagedProcess } from "../../local/machine/managed-process";
import type { Pipeline } from "../../local/pipeline";
import { sampleUser } from "../../local/parts/sample-database";
import { startTestPipeline, transaction, type TestPipeline } from "./support/pipeline";

const tables = [{ schema: "ledger", table: "accounts" }];
const accounts = 50;

let running: TestPipeline;

beforeAll(async () => {
  running = await startTestPipeline(tables, async (client) => {
    await client.query(`
      CREATE SCHEMA ledger;
      CREATE TABLE ledger.accounts (id integer PRIMARY KEY, balance integer NOT NULL, note text);`);
  });
  await running.act("opener", `INSERT INTO ledger.accounts SELECT n, 0, 'new' FROM generate_series(1, ${accounts}) n`);
});

afterAll(async () => {
  await running?.stop();
});

/** Writes small transactions until told to stop, and carries on after the database was away. Returns how many committed. */
function writeUntil(stopped: AbortSignal): Promise<number> {
  return (async () => {
    let committed = 0;
    while (!stopped.aborted) {
      const client = new Client({ ...running.pipeline.sample, ...sampleUser });
      client.on("error", () => undefined);
      try {
        await client.connect();
        while (!stopped.aborted) {
          const id = 1 + (committed % accounts);
          await transaction(client, `writer-${committed % 7}`, [
            `UPDATE ledger.accounts SET balance = balance + 1, note = 'change ${committed}' WHERE id = ${id}`,
          ]);
          committed += 1;
          await sleep(2);
        }
      } catch {
        await sleep(100);
      } finally {
        await client.end().catch(() => undefined);
      }
    }
    return committed;
  })();
}

const victims: [name: string, part: (pipeline: Pipeline) => ManagedProcess, signal: NodeJS.Signals][] = [
  ["the DMS stand-in is killed", (pipeline) => pipeline.standIn, "SIGKILL"],
  ["the broker is killed", (pipeline) => pipeline.broker, "SIGKILL"],
  ["the transformer is killed", (pipeline) => pipeline.transformer, "SIGKILL"],
  ["the Connect worker is killed", (pipeline) => pipeline.worker, "SIGKILL"],
  // SIGQUIT is PostgreSQL's immediate shutdown: no checkpoint, crash recovery at the next start.
  ["PostgreSQL is restarted immediately", (pipeline) => pipeline.postgres, "SIGQUIT"],
];

test.each(victims)("nothing is lost or doubled when %s during writes", async (_, part, signal) => {
  const stopWriting = new AbortController();
  const writer = writeUntil(stopWriting.signal);
  await sleep(1500);
  await part(running.pipeline).stop(signal);
  await sleep(1500);
  await part(running.pipeline).start();
  await sleep(1500);
  stopWriting.abort();

  expect(await writer).toBeGreaterThan(100);
  expect(await running.differences(120_000)).toEqual([]);
});
