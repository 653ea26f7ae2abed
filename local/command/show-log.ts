import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { sampleUser } from "../parts/sample-database";
import type { Pipeline } from "../pipeline";
import { withClient } from "../servers/database-client";
import { exactValues } from "./exact-values";
import { followLog } from "./follow-log";
import type { Options } from "./options";
import type { Output } from "./output";
import { runShop, type ExpectedChange } from "./shop";
import type { LogRow } from "./timeline";

/** Milliseconds that `--once` waits for the last change to reach the log. */
const arrivalTimeout = 60_000;

/** Runs the sample (unless there is a source) and shows the log, until stopped or, with --once, until it is complete. */
export async function showLog(
  pipeline: Pipeline,
  options: Options,
  output: Output,
  stop: AbortSignal,
  started: number,
): Promise<boolean> {
  const done = new AbortController();
  const signal = AbortSignal.any([stop, done.signal]);
  const seen: LogRow[] = [];
  const reader = new Client({ ...pipeline.destination, types: exactValues });
  reader.on("error", () => undefined);
  await reader.connect();

  const follow = (async () => {
    let first = true;
    for await (const shown of followLog(reader, { fromNow: !!options.keep, most: output.most }, signal)) {
      if (first) output.firstRow(Date.now() - started);
      first = false;
      // The sample's changes are compared with what was shown.
      if (options.once && shown.kind === "event") seen.push(shown.row);
      output.shown(shown);
    }
  })();
  const story = (async () => {
    if (options.source) return true;
    const expected = await withClient({ ...pipeline.sample, ...sampleUser }, (client) =>
      runShop(client, () => sleep(options.once ? 50 : 400, undefined, { signal: stop })),
    );
    if (!options.once) {
      output.tryNext();
      return true;
    }
    const deadline = Date.now() + arrivalTimeout;
    while (!stop.aborted && Date.now() < deadline && missing(expected, seen).length > 0) await sleep(100);
    output.checked(expected.length, missing(expected, seen), surplus(expected, seen));
    done.abort();
    return missing(expected, seen).length === 0 && surplus(expected, seen).length === 0;
  })();

  try {
    const [complete] = await Promise.all([story, follow]);
    return complete;
  } catch (error) {
    done.abort();
    // A database that goes away while stopping is no failure.
    if (stop.aborted) return true;
    throw error;
  } finally {
    await reader.end().catch(() => undefined);
  }
}

/** Changes of the sample that the log lacks, e.g. `update products by price-job`; each as often as it is missing. */
function missing(expected: readonly ExpectedChange[], seen: readonly LogRow[]): string[] {
  return without(expected.map(describe), seen.map(describeRow));
}

/** Changes in the log that the sample did not make. */
function surplus(expected: readonly ExpectedChange[], seen: readonly LogRow[]): string[] {
  const changes = seen.filter((row) => row.operation !== "schema" && row.operation !== "baseline");
  return without(changes.map(describeRow), expected.map(describe));
}

const describe = (change: ExpectedChange) => `${change.operation} ${change.table} by ${change.actor}`;
const describeRow = (row: LogRow) => `${row.operation} ${row.table} by ${row.actor}`;

function without(all: readonly string[], some: readonly string[]): string[] {
  const rest = [...all];
  for (const item of some) {
    const index = rest.indexOf(item);
    if (index >= 0) rest.splice(index, 1);
  }
  return rest;
}
