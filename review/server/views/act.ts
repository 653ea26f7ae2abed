import { z } from "zod";
import { type ActId, type ActPage, type Change, type Filter, limits } from "../../api";
import { FailureError } from "../failures";
import { cursorText } from "../questions";
import { filterText, hiddenColumns } from "../reader";
import { actOf, type ActRow, lineColumns } from "./feed";
import { type Asking, note, shownRecords } from "./view";

export const changePlace = z.object({ sequence: z.number().int().nullable(), event: z.uuid() });
export type ChangePlace = z.infer<typeof changePlace>;

const lineQuestion = `
  SELECT ${lineColumns}, line.hides_tables, NULL AS first
  FROM (SELECT $2::timestamptz AS "time", $3::text AS source, $4::bigint AS transaction) AS act
  CROSS JOIN LATERAL audit.act_line(act."time", act.source, act.transaction, $1::jsonb, ${limits.countedChanges}) AS line`;

const changesQuestion = `
  SELECT CASE WHEN told.change IS DISTINCT FROM NULL
      THEN audit.exact_change(told.change, $2::jsonb, $9::integer) END AS change,
    told.looked_to_sequence AS sequence, told.looked_to_event AS event
  FROM audit.act_changes($3::timestamptz, $4, $5::bigint, $1::jsonb, $6::integer, $7::uuid, $8::integer) AS told`;

interface ChangeRow {
  readonly change: Change | null;
  readonly sequence: number | null;
  readonly event: string;
}

/** The changes of an act that fit, after a place, and the place where the next ones are. */
export async function changesOf(
  { database, reader, ...options }: Asking,
  act: ActId,
  filter: Filter,
  after: ChangePlace | undefined,
  most: number,
  longest: number = limits.valueCharacters,
): Promise<{ changes: Change[]; next: ChangePlace | null }> {
  const rows = await database.read<ChangeRow>(
    "changes of an act",
    changesQuestion,
    [
      filterText(filter, reader),
      hiddenColumns(reader.masked),
      act.time,
      act.source,
      act.transaction,
      after?.sequence ?? null,
      after?.event ?? null,
      most,
      longest,
    ],
    options,
  );
  const changes = rows.flatMap(({ change }) => (change === null ? [] : [change]));
  const last = rows.at(-1);
  // A last row without a change says how far was looked.
  const goesOn = last !== undefined && (last.change === null || changes.length === most);
  return { changes, next: goesOn ? { sequence: last.sequence, event: last.event } : null };
}

export async function act(asking: Asking, id: ActId, filter: Filter, after?: ChangePlace): Promise<ActPage> {
  const { database, reader } = asking;
  const [line] = await database.read<ActRow & { hides_tables: boolean }>(
    "line of an act",
    lineQuestion,
    [filterText(filter, reader), id.time, id.source, id.transaction],
    asking,
  );
  if (!line || (line.counts.length === 0 && !line.hides_tables)) {
    throw new FailureError("not found", "The log has no such act.", [
      "Its time must be exact to the microsecond, as the page's own links have it.",
    ]);
  }
  if (line.counts.length === 0) {
    throw new FailureError("not allowed", "All that this act changed is in tables that you may not see.");
  }
  const { changes, next } = await changesOf(asking, id, filter, after, limits.changes);
  await note(asking, "act", { ...id, ...(after ? { after: after.sequence } : {}) }, shownRecords(changes));
  return {
    act: { ...actOf(line), first: [] },
    changes,
    next: next && cursorText(next),
    hidesTables: line.hides_tables,
  };
}
