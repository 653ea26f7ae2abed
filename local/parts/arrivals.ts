import type { Client } from "pg";

/**
 * Makes the log of this machine note which transaction stored each event, so that a reader finds what has arrived since it
 * looked last by an index, whatever the order of the commits at the source. Events of an earlier version of the log have no
 * note: they were there before.
 */
export async function noteArrivals(client: Client): Promise<void> {
  await client.query(`
    ALTER TABLE audit.events ADD COLUMN IF NOT EXISTS stored_by xid8;
    ALTER TABLE audit.events ALTER COLUMN stored_by SET DEFAULT pg_current_xact_id();
    CREATE INDEX IF NOT EXISTS events_stored_by ON audit.events (stored_by);
    COMMENT ON COLUMN audit.events.stored_by IS
      'On this machine alone: the transaction that stored the event. npm run local follows the log by it.'`);
}

/** An event that has arrived, by its identity and its place in the order of the source. */
export interface Arrival {
  readonly committedAt: string;
  readonly eventId: string;
  readonly place: Place;
}

/** Sorts as the source's stream: its own order where it is noted, else time, transaction and sequence. */
export type Place = readonly [streamOrder: bigint, committedAt: string, transaction: bigint, sequence: number];

export interface Arrived {
  /** The first and the last of what has arrived, in the order of the source. */
  readonly first: readonly Arrival[];
  readonly last: readonly Arrival[];
  /** How many came between them, by operation and table. */
  readonly between: ReadonlyMap<string, number>;
  /** What the next look compares with. */
  readonly snapshot: string;
}

/** A snapshot in which nothing had arrived. */
export const nothingArrived = "1:1:";

/** The snapshot of this moment. */
export async function snapshotNow(client: Client): Promise<string> {
  const { rows } = await client.query<{ snapshot: string }>("SELECT pg_current_snapshot()::text AS snapshot");
  return rows[0]?.snapshot ?? nothingArrived;
}

/**
 * What has arrived since a snapshot: exactly the events that were not visible in it. Where the first and the last `most` are
 * not all, those between are counted.
 */
export async function arrivedSince(client: Client, snapshot: string, most: number): Promise<Arrived> {
  const { rows } = await client.query<{
    snapshot: string;
    between: Record<string, number> | null;
    is_first: boolean | null;
    committed_at: string;
    event_id: string;
    stream_order: string | null;
    transaction_id: string | null;
    sequence: number | null;
  }>(
    `WITH arrived AS MATERIALIZED (
       SELECT committed_at, event_id, stream_order, transaction_id, sequence, operation, schema_name, table_name,
         row_number() OVER (ORDER BY stream_order NULLS FIRST, committed_at, transaction_id NULLS FIRST,
           sequence NULLS FIRST, event_id) AS place,
         count(*) OVER () AS total
       FROM audit.events
       WHERE stored_by >= pg_snapshot_xmin($1::pg_snapshot) AND NOT pg_visible_in_snapshot(stored_by, $1::pg_snapshot)
         AND operation NOT IN ('context', 'canary')
     ), between_them AS (
       SELECT format('%s %s.%s', operation, schema_name, table_name) AS what, count(*) AS count
       FROM arrived WHERE place > $2 AND place <= total - $2
       GROUP BY 1
     )
     SELECT pg_current_snapshot()::text AS snapshot, (SELECT jsonb_object_agg(what, count) FROM between_them) AS between,
       arrived.place <= $2 AS is_first, to_char(committed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS committed_at,
       event_id, stream_order, transaction_id, sequence
     FROM (SELECT) AS always LEFT JOIN arrived ON arrived.place <= $2 OR arrived.place > arrived.total - $2
     ORDER BY arrived.place`,
    [snapshot, most],
  );
  const arrivals = rows.filter(({ event_id }) => event_id !== null);
  const arrival = (row: (typeof rows)[number]): Arrival => ({
    committedAt: row.committed_at,
    eventId: row.event_id,
    place: [BigInt(row.stream_order ?? -1), row.committed_at, BigInt(row.transaction_id ?? -1), row.sequence ?? -1],
  });
  return {
    first: arrivals.filter(({ is_first }) => is_first).map(arrival),
    last: arrivals.filter(({ is_first }) => !is_first).map(arrival),
    between: new Map(Object.entries(rows[0]?.between ?? {}).map(([what, count]) => [what, Number(count)])),
    snapshot: rows[0]?.snapshot ?? snapshot,
  };
}

/** Negative when the left comes first. */
export function comparePlaces(left: Place, right: Place): number {
  for (let index = 0; index < left.length; index += 1) {
    const one = left[index] as Place[number];
    const other = right[index] as Place[number];
    if (one !== other) return one < other ? -1 : 1;
  }
  return 0;
}
