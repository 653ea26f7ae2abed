import { setTimeout as sleep } from "node:timers/promises";
import { types, type Client, type CustomTypesConfig } from "pg";
import type { LogRow } from "./timeline";

interface FollowedRow extends LogRow {
  readonly event_id: string;
  readonly stored_at: Date;
}

/** Milliseconds that a change waits for the rest of its transaction, and for its context: other tasks store those. */
const settleTime = 300;
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
      const patience = row.actor === null ? contextPatience : settleTime;
      if (Date.now() - row.stored_at.getTime() < patience) continue;
      shown.add(row.event_id);
      if (row.stored_at > newest) newest = row.stored_at;
      yield row;
    }
    await sleep(pollInterval);
  }
}

/** Numbers of JSON columns keep every digit, as the log does: `51.90` is shown and printed as such. */
export const exactJson: CustomTypesConfig = {
  getTypeParser: (type: number, format?: "text" | "binary") =>
    type === types.builtins.JSONB && format !== "binary"
      ? (text: string) => JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown)
      : types.getTypeParser(type, format as "text"),
};

function keepDigits(_: string, value: unknown, context: { source?: string }): unknown {
  const digits = context.source;
  if (typeof value !== "number" || digits === undefined || digits === String(value)) return value;
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(digits);
}
