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

/** An act's line. */
export const lineColumns = `
  audit.moment(act."time") AS "time", act.source, act.transaction::text AS transaction, line.actor, line.other_actors,
  line.request, line.context::text AS context, line.counts, line.has_more`;

/**
 * The question for the lines of acts in their places: `acts` selects "time", source, transaction, note and place. An act's
 * only change comes with it. `$1` is the filter, `$2` hides columns.
 */
export const linesOf = (acts: string, countedChanges: number) => `
  WITH lined AS MATERIALIZED (
    SELECT ${lineColumns}, act.note, audit.moment(act."time" + interval '1 microsecond') AS above, act.place,
      act."time" AS at, act.transaction AS id, line.counts #>> '{0,changes}' = '1' AND jsonb_array_length(line.counts) = 1
        AND NOT line.has_more AND NOT line.hides_tables AS is_single
    FROM (${acts}) AS act
    LEFT JOIN LATERAL audit.act_line(act."time", act.source, act.transaction, $1::jsonb, ${countedChanges}) AS line
      ON act.note IS NULL
  ), single AS MATERIALIZED (
    SELECT listed.places[told.place] AS place, audit.exact_change(told.change, $2::jsonb, ${limits.valueCharacters}) AS first
    FROM (
      SELECT array_agg(place ORDER BY place) AS places, array_agg(at ORDER BY place) AS times,
        array_agg(source ORDER BY place) AS sources, array_agg(id ORDER BY place) AS ids
      FROM lined WHERE is_single
    ) AS listed
    CROSS JOIN LATERAL audit.first_changes(listed.times, listed.sources, listed.ids) AS told
  )
  SELECT "time", source, transaction, actor, other_actors, request, context, counts, has_more, note, above, single.first
  FROM lined LEFT JOIN single ON single.place = lined.place
  ORDER BY lined.place`;

const question = linesOf(
  `SELECT * FROM audit.acts_found($1::jsonb, $3::timestamptz, $4, $5::bigint, $6::integer)
    WITH ORDINALITY AS found ("time", source, transaction, note, place)`,
  countedInFeed,
);

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
