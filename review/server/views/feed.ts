import { z } from "zod";
import {
  type Act,
  type Change,
  type Cursor,
  type FeedPage,
  type Filter,
  limits,
  type Moment,
  type Window,
} from "../../api";
import { cursorText, moment, source } from "../questions";
import { filterText, hiddenColumns } from "../reader";
import { type Asking, note, shownRecords } from "./view";

/** Changes of an act that the feed counts; the act's own page counts more. */
const countedInFeed = 400;

export const actPlace = z.object({
  time: moment,
  source: source.or(z.literal("")),
  transaction: z.string().nullable(),
});
export type ActPlace = z.infer<typeof actPlace>;

/** A row of the feed's question. */
export interface ActRow {
  readonly time: Moment;
  readonly source: string;
  readonly transaction: string | null;
  readonly actor: string | null;
  readonly other_actors: readonly string[];
  readonly request: string | null;
  readonly context: string | null;
  readonly counts: Act["counts"];
  readonly has_more: boolean;
  readonly first: Change | null;
}

/** An act's line; `$1` is the filter, `$2` hides columns. `first` when it is the only change. */
export const actColumns = `
  audit.moment(act."time") AS "time", act.source, act.transaction::text AS transaction, line.actor, line.other_actors,
  line.request, line.context::text AS context, line.counts, line.has_more,
  CASE WHEN line.counts #>> '{0,changes}' = '1' AND jsonb_array_length(line.counts) = 1
    AND NOT line.has_more AND NOT line.hides_tables THEN (
    SELECT audit.exact_change(told, $2::jsonb, ${limits.valueCharacters})
    FROM audit.first_change(act."time", act.source, act.transaction) AS told
  ) END AS first`;

const question = `
  SELECT ${actColumns}, act.note, audit.moment(act."time" + interval '1 microsecond') AS above
  FROM audit.acts_found($1::jsonb, $3::timestamptz, $4, $5::bigint, $6::integer)
    WITH ORDINALITY AS act ("time", source, transaction, note, place)
  LEFT JOIN LATERAL audit.act_line(act."time", act.source, act.transaction, $1::jsonb, ${countedInFeed}) AS line
    ON act.note IS NULL
  ORDER BY act.place`;

export function actOf(row: ActRow): Act {
  return {
    time: row.time,
    source: row.source,
    transaction: row.transaction,
    actor: row.actor,
    otherActors: row.other_actors,
    request: row.request,
    context: row.context === "{}" ? null : row.context,
    counts: row.counts,
    hasMore: row.has_more,
    first: row.first === null ? [] : [row.first],
  };
}

/** The span that a filter is about: its own, or the default one before its end. */
export function windowOf(filter: Filter, defaultWindow: number, now = new Date()): Window {
  const to = filter.to ?? now.toISOString().replace("Z", "000Z");
  if (filter.from !== undefined) return { from: filter.from, to, isDefault: false };
  const from = new Date(new Date(to).getTime() - defaultWindow * 1_000).toISOString().replace("Z", "000Z");
  return { from, to, isDefault: true };
}

/**
 * The filter with its span. Without an end of its own it has none: what was committed a moment ago, by a clock that is ahead
 * of this one, belongs to it.
 */
export function bounded(filter: Filter, window: Window): Filter {
  return { ...filter, from: window.from };
}

export async function feed(asking: Asking, filter: Filter, before?: ActPlace): Promise<FeedPage> {
  const { database, reader, defaultWindow } = asking;
  const window = windowOf(filter, defaultWindow);
  const rows = await database.read<ActRow & { note: string | null; above: Moment }>(
    "feed",
    question,
    [
      filterText(bounded(filter, window), reader),
      hiddenColumns(reader.masked),
      before?.time ?? null,
      before?.source ?? null,
      before?.transaction ?? null,
      limits.acts,
    ],
    asking,
  );
  const stopped = rows.find((row) => row.note !== null);
  const acts = rows.filter((row) => row.note === null).map(actOf);
  await note(
    asking,
    "feed",
    { filter, ...(before ? { before: before.time } : {}), acts: acts.length },
    shownRecords(acts.flatMap(({ first }) => first)),
  );
  return {
    window,
    acts,
    older: stopped ? cursorText({ time: stopped.above, source: "", transaction: null }) : olderThan(acts),
    searchedBackTo: stopped?.time ?? null,
    narrow: stopped?.note ?? null,
  };
}

function olderThan(acts: readonly Act[]): Cursor | null {
  const last = acts.length < limits.acts ? undefined : acts.at(-1);
  return last ? cursorText({ time: last.time, source: last.source, transaction: last.transaction }) : null;
}
