import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { withClient } from "../../local/servers/database-client";
import type { Pipeline } from "../../local/pipeline";
import type { Setting } from "./setting";

const batchRows = 1000;
/** Different records that the changes belong to; each is changed about ten times. */
const records = 1_000_000;

/**
 * Rows a second that the log takes as it grows, with the shipped indexes, triggers and partitions: batches as large as
 * the sink's, each a transaction, over three months of commit times, records in random order. PostgreSQL makes the rows
 * itself, at the same cost for the first as for the last.
 */
export async function measureGrowth(setting: Setting, pipeline: Pipeline, rows: number): Promise<void> {
  await withClient(pipeline.destination, async (client) => {
    await client.query("SET session_replication_role = replica");
    await client.query("TRUNCATE audit.events");
    await client.query("RESET session_replication_role");
    const step = Math.max(batchRows, Math.round(rows / 10));
    const rates: number[] = [];
    for (let done = 0; done < rows; done += step) {
      const { rate, walPerRow } = await insert(client, done, Math.min(step, rows - done), rows);
      rates.push(rate);
      const metric = `rows ${done.toLocaleString("en")} to ${Math.min(done + step, rows).toLocaleString("en")}`;
      setting.recorder.recordAll({ system: "cdc-audit", phase: "growth" }, [
        { metric, value: rate, unit: "rows/s" },
        { metric: `${metric}, WAL`, value: walPerRow, unit: "B a row" },
      ]);
      await sleep(1000);
    }
    // From one tenth on: the first rows go into an empty table.
    const after = rates.slice(1);
    const loss = 100 * (1 - (after.at(-1) as number) / (after[0] as number));
    setting.recorder.record({
      system: "cdc-audit",
      phase: "growth",
      metric: "loss of rate from the second tenth to the last",
      value: loss,
      unit: "%",
      goal: { atMost: 15 },
    });
  });
}

async function insert(
  client: Client,
  from: number,
  count: number,
  all: number,
): Promise<{ rate: number; walPerRow: number }> {
  const position = async () => {
    const { rows } = await client.query<{ p: string }>("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS p");
    return Number(rows[0]?.p);
  };
  const wal = await position();
  const begin = performance.now();
  for (let first = from; first < from + count; first += batchRows) {
    await client.query({
      name: "grow",
      text: `
        INSERT INTO audit.events (committed_at, event_id, source_id, transaction_id, sequence, position, operation,
          schema_name, table_name, record_key, before, after, captured_at, transformed_at)
        SELECT at, gen_random_uuid(), 'bench', n, 1, '00000000/' || lpad(to_hex(n), 8, '0'), 'update', 'ledger', 'accounts',
          jsonb_build_object('id', record), jsonb_build_object('balance', n, 'active', true),
          jsonb_build_object('id', record, 'owner', 'owner ' || record, 'balance', n + 1, 'active', false,
            'changed_at', at, 'tags', '{"kind": "private", "limits": [100, 200]}'::jsonb, 'filler', repeat('x', 120)),
          at, at
        FROM (
          SELECT n, 1 + floor(random() * ${records})::int AS record,
            date_trunc('month', now()) + interval '90 days' * n / $3::int AS at
          FROM generate_series($1::int, $2::int) n
        ) AS change
        ON CONFLICT (committed_at, event_id) DO NOTHING`,
      values: [first, Math.min(first + batchRows, from + count) - 1, all],
    });
  }
  const seconds = (performance.now() - begin) / 1000;
  return { rate: count / seconds, walPerRow: ((await position()) - wal) / count };
}
