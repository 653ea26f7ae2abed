import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Change, sessionFactNames } from "../../clients/conformance/changes";
import { applicationLogin, applicationStatements, environmentOf, itemsTable } from "../../clients/conformance/database";
import { Driver, prepare } from "../../clients/conformance/driver";
import { expectationOf } from "../../clients/conformance/expectation";
import { interleavedBatches } from "../../clients/conformance/interleaving";
import { problemsOf } from "../../clients/conformance/judge";
import { ownClients } from "../../clients/conformance/main";
import type { Batch, Feature } from "../../clients/conformance/protocol";
import { startTestPipeline, type TestPipeline } from "../local/support/pipeline";

/** Requests that each client does, interleaved. */
const requests = 60;
const seed = 22;

let running: TestPipeline;

beforeAll(async () => {
  running = await startTestPipeline([{ schema: "public", table: "items", identifyActor: true }], async (client) => {
    await client.query(itemsTable);
  });
  await running.query(applicationStatements);
});

afterAll(() => running?.stop());

describe("The name that a client gives stands in the log", () => {
  // A language that is not on this machine is skipped, and named as such.
  const { here, away } = ownClients();

  it.each(here.map((client, place) => ({ ...client, place })))("of $client", async ({ place, ...client }) => {
    await prepare(client);
    const { port, database } = running.pipeline.sample;
    const { driver, greeting } = await Driver.start(client, environmentOf({ port, database, ...applicationLogin }));
    try {
      const cannot = new Set(Object.keys(greeting.cannot) as Feature[]);
      const start = place * requests;
      const [batch] = [...interleavedBatches(requests, seed, cannot, start)] as [Batch];
      const { errors } = await driver.ask(batch);
      expect(errors).toEqual([]);
      await driver.stop();
      const expectation = expectationOf(batch, greeting.cannot.secondActor === undefined);
      const changes = await logged(start, expectation.changes.length);
      expect(problemsOf(expectation, changes)).toEqual([]);
      // The batch has people and nobody in it, or it shows nothing.
      expect(new Set(changes.map(({ by }) => by?.actor)).size).toBeGreaterThan(requests / 2);
    } finally {
      driver.kill();
    }
  });

  it.skip.each(away)("of $client, for which this machine lacks the language", () => {});
});

/** The changes of a client's requests in the log, once as many are there. */
async function logged(start: number, count: number): Promise<Change[]> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const rows = await running.query<Row>(
      `SELECT operation, key ->> 'id' AS id, actor, request AS request_id, coalesce(context, '{}') - $3::text[] AS context
       FROM audit.log
       WHERE schema = 'public' AND "table" = 'items' AND operation <> 'schema'
         AND substring(key ->> 'id' FROM '^i([0-9]+)-')::integer BETWEEN $1 AND $2`,
      [start, start + requests - 1, sessionFactNames],
    );
    if (rows.length >= count || Date.now() > deadline) {
      return rows.map(({ operation, id, actor, request_id, context }) => ({
        operation,
        id,
        isolation: null,
        seen: null,
        by: actor === null ? null : { actor, request_id, context },
      }));
    }
    await sleep(250);
  }
}

interface Row {
  readonly operation: Change["operation"];
  readonly id: string;
  readonly actor: string | null;
  readonly request_id: string | null;
  readonly context: Readonly<Record<string, unknown>>;
}
