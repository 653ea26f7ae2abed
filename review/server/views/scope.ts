import { type Filter, limits } from "../../api";
import { filterText } from "../reader";
import type { Asking } from "./view";

const question = `
  SELECT array_agg(DISTINCT counted ->> 'table') AS tables, coalesce(sum((counted ->> 'changes')::bigint), 0)::integer AS changes,
    coalesce(bool_and(act.note IS NULL AND NOT coalesce(line.has_more, false)), true) AND count(DISTINCT act.place) < 1000
      AS whole
  FROM audit.acts_found($1::jsonb, NULL, NULL, NULL, 1000) WITH ORDINALITY AS act ("time", source, transaction, note, place)
  LEFT JOIN LATERAL audit.act_line(act."time", act.source, act.transaction, $1::jsonb, ${limits.countedChanges}) AS line
    ON act.note IS NULL
  LEFT JOIN LATERAL jsonb_array_elements(line.counts) AS listed (counted) ON true`;

/** Which tables the acts of a filter changed, and how many changes, if that can be told whole. */
export async function feedTables(
  { database, reader, ...options }: Asking,
  filter: Filter,
): Promise<{ tables: string[]; changes: number; isWhole: boolean }> {
  const [row] = await database.read<{ tables: string[] | null; changes: number; whole: boolean }>(
    "tables of acts",
    question,
    [filterText(filter, reader)],
    options,
  );
  return { tables: row?.tables ?? [], changes: row?.changes ?? 0, isWhole: row?.whole ?? true };
}
