import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { pinSession } from "../../contract/session-settings";
import { type Arrival, arrivedSince, comparePlaces, nothingArrived, type Place, snapshotNow } from "../parts/arrivals";
import type { LogRow } from "./timeline";

/** Something to show: an event, or how many came between those before and after it that are not shown. */
export type Shown =
  | {
      readonly kind: "event";
      readonly row: LogRow;
      /** Whether one that is later in the source's order has been shown before. */
      readonly late: boolean;
    }
  | {
      readonly kind: "more";
      readonly count: number;
      /** By operation and table, such as `insert app.parts`. */
      readonly of: ReadonlyMap<string, number>;
    };

export interface FollowOptions {
  /** Begin with what arrives from now on; otherwise with all that is there. */
  readonly fromNow: boolean;
  /** Events that one look shows whole at its beginning and at its end; those between are counted. */
  readonly most: number;
}

/** Milliseconds that a change waits for the rest of its transaction, and for its context: other tasks store those. */
const settleTime = 300;
const contextPatience = 1000;
/** Milliseconds that a change waits for others that go before it and still wait: then it is shown, and they come late. */
const orderPatience = 1400;
const pollInterval = 100;
/** Milliseconds between two looks while more arrives than is shown: a person could not read more often. */
const busyInterval = 500;

/** An event that has arrived, or those that are only counted after it. */
interface Waiting {
  readonly place: Place;
  readonly since: number;
  readonly arrival?: Arrival;
  readonly between?: ReadonlyMap<string, number>;
  row?: LogRow;
  /** Whether it was read once more, after its context has had its time. */
  complete?: boolean;
}

/**
 * The log as it fills, until `signal` aborts: each event once, or in a count. What is shown keeps the order of the source as
 * far as it has arrived. A look costs as much as what has arrived since the one before, however long the log is.
 */
export async function* followLog(client: Client, options: FollowOptions, signal: AbortSignal): AsyncGenerator<Shown> {
  // Each look finds a few rows by an index. Statistics of a table that has just begun to fill suggest otherwise.
  await client.query(
    `${pinSession()}; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off`,
  );
  let snapshot = options.fromNow ? await snapshotNow(client) : nothingArrived;
  let waiting: Waiting[] = [];
  let lastShown: Place | undefined;
  while (!signal.aborted) {
    const since = Date.now();
    const arrived = await arrivedSince(client, snapshot, options.most);
    snapshot = arrived.snapshot;
    waiting = merge(waiting, [
      ...arrived.first.map((arrival) => ({ place: arrival.place, since, arrival })),
      ...counted(arrived.between, arrived.first.at(-1)?.place, since),
      ...arrived.last.map((arrival) => ({ place: arrival.place, since, arrival })),
    ]);
    const { ready, rest } = await settled(client, waiting);
    waiting = rest;
    for (const shown of thin(ready, options.most)) {
      if (shown.row) {
        const late = lastShown !== undefined && comparePlaces(shown.place, lastShown) < 0;
        if (!late) lastShown = shown.place;
        yield { kind: "event", row: shown.row, late };
      } else if (shown.between) {
        yield { kind: "more", count: sum(shown.between), of: shown.between };
      }
    }
    const busy = arrived.between.size > 0;
    await sleep(busy ? busyInterval : pollInterval, undefined, { signal }).catch(() => undefined);
  }
}

/** Those of a look that are only counted stand where the first of them stood. */
function counted(between: ReadonlyMap<string, number>, place: Place | undefined, since: number): Waiting[] {
  return between.size > 0 && place ? [{ place, since, between }] : [];
}

/** Both in order; what is equal keeps the order in which it came. */
function merge(waiting: readonly Waiting[], arrived: readonly Waiting[]): Waiting[] {
  return arrived.length === 0
    ? [...waiting]
    : [...waiting, ...arrived].sort((left, right) => comparePlaces(left.place, right.place));
}

/**
 * What may be shown now: all up to the last that has waited long enough, unless one of them still waits for its context; and
 * what has waited for such a one for so long that it must not wait longer. Reads each event once, and once more when it came
 * without its context.
 */
async function settled(client: Client, waiting: Waiting[]): Promise<{ ready: Waiting[]; rest: Waiting[] }> {
  const now = Date.now();
  const end = waiting.findLastIndex(({ since }) => now - since >= settleTime) + 1;
  const hadItsTime = ({ since }: Waiting) => now - since >= contextPatience;
  const unread = waiting
    .slice(0, end)
    .filter((each) => each.arrival && (!each.row || (needsContext(each) && !each.complete && hadItsTime(each))));
  await readRows(client, unread);
  for (const each of unread) each.complete = hadItsTime(each);
  const blocked = waiting.findIndex((each, index) => index >= end || (needsContext(each) && !each.complete));
  const mayGo = (each: Waiting, index: number) => blocked < 0 || index < blocked || now - each.since >= orderPatience;
  return { ready: waiting.filter(mayGo), rest: waiting.filter((each, index) => !mayGo(each, index)) };
}

/** The rows of a full load have no context to wait for. */
function needsContext({ row }: Waiting): boolean {
  return row?.actor === null && row.operation !== "baseline";
}

async function readRows(client: Client, waiting: readonly Waiting[]): Promise<void> {
  if (waiting.length === 0) return;
  const arrivals = waiting.flatMap(({ arrival }) => arrival ?? []);
  const { rows } = await client.query<LogRow & { event_id: string }>(
    `SELECT log.event_id, log."time", log.actor, log.operation, log."schema", log."table", log.key, log.before, log.after,
       log.unknown_columns, CASE log.operation WHEN 'schema' THEN log.detail END AS detail
     FROM unnest($1::timestamptz[], $2::uuid[]) AS wanted (committed_at, event_id)
       JOIN audit.log ON log."time" = wanted.committed_at AND log.event_id = wanted.event_id`,
    [arrivals.map(({ committedAt }) => committedAt), arrivals.map(({ eventId }) => eventId)],
  );
  const found = new Map(rows.map(({ event_id, detail, ...row }) => [event_id, detail ? { ...row, detail } : row]));
  for (const each of waiting) {
    const row = found.get(each.arrival?.eventId ?? "");
    if (row) each.row = row;
  }
}

/** The first and the last of what is to be shown at once; those between are counted. */
function thin(ready: readonly Waiting[], most: number): Waiting[] {
  const events = ready.filter(({ row }) => row).length;
  if (events <= 2 * most) return joinCounts(ready);
  let seen = 0;
  return joinCounts(
    ready.map((each) => {
      if (!each.row) return each;
      seen += 1;
      if (seen <= most || seen > events - most) return each;
      const { operation, schema, table } = each.row;
      return { place: each.place, since: each.since, between: new Map([[`${operation} ${schema}.${table}`, 1]]) };
    }),
  );
}

/** Counts that follow each other become one. */
function joinCounts(ready: readonly Waiting[]): Waiting[] {
  const joined: Waiting[] = [];
  for (const each of ready) {
    const last = joined.at(-1);
    if (!each.between || !last?.between) {
      joined.push(each);
      continue;
    }
    const between = new Map(last.between);
    for (const [what, count] of each.between) between.set(what, (between.get(what) ?? 0) + count);
    joined[joined.length - 1] = { ...last, between };
  }
  return joined;
}

const sum = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((total, count) => total + count, 0);
