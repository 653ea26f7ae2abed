import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import type { LogRow } from "./timeline";

interface FollowedRow extends LogRow {
  readonly event_id: string;
  readonly stored_at: Date;
}

/** How long a change may wait for its context, which another task of the sink may store a moment later. */
const contextPatience = 1000;
/** A sink transaction that began this long ago may still become visible. */
const overlap = 10_000;
const pollInterval = 100;

/** Rows of the audit log as they arrive, oldest first, until `signal` aborts. */
export async function* followLog(client: Client, since: Date, signal: AbortSignal): AsyncGenerator<LogRow> {
  const shown = new Set<string>();
  let newest = since;
  while (!signal.aborted) {
    const { rows } = await client.query<FollowedRow>(
      `SELECT event_id, stored_at, "time", actor, operation, "schema", "table", key, before, after, unknown_columns
       FROM audit.log WHERE stored_at > $1 ORDER BY "time", transaction, sequence LIMIT 5000`,
      [new Date(newest.getTime() - overlap)],
    );
    for (const row of rows) {
      if (shown.has(row.event_id) || row.stored_at <= since) continue;
      if (row.actor === null && Date.now() - row.stored_at.getTime() < contextPatience) continue;
      shown.add(row.event_id);
      if (row.stored_at > newest) newest = row.stored_at;
      yield row;
    }
    await sleep(pollInterval);
  }
}
