import type { Client } from "pg";
import { captureSchema, neverAudited, type TableSelection } from "../../contract/change-capture";
import type { CaptureProblem } from "../../operator/database/maintain";
import { likePattern, type TableToWatch } from "../../operator/database/watch-tables";
import { recordSchema } from "./source-record";

export type { TableToWatch };

/** Which tables `--tables` means. */
export interface TableChoice {
  readonly include: readonly TableSelection[];
  readonly exclude: readonly TableSelection[];
  /** Whether each table gets the trigger that says who acts. Default false. */
  readonly identifyActor?: boolean;
}

/** Which tables of a source are captured, and what the log will lack. */
export interface WatchedTables {
  readonly watched: number;
  /** The others, by the reason. */
  readonly notWatched: readonly { readonly reason: string; readonly tables: readonly string[] }[];
  /** What the log of a table lacks or will lack, each with what mends it. */
  readonly losses: readonly CaptureProblem[];
}

const matches = (schemas: number, patterns: number) =>
  `EXISTS (SELECT FROM unnest($${schemas}::text[], $${patterns}::text[]) AS named (schema_name, pattern)
     WHERE nspname = schema_name AND relname LIKE pattern)`;

const arraysOf = (selections: readonly TableSelection[]) => [
  selections.map(({ schema }) => schema),
  selections.map(likePattern),
];

/** The entries of the pipeline that a choice is: what it leaves out is left out of tables that are made later, too. */
export function selectionsOf({ include, exclude, identifyActor = false }: TableChoice): readonly TableToWatch[] {
  const watched = include.map((selection) => (identifyActor ? { ...selection, identifyActor } : selection));
  return [...watched, ...exclude.map((selection) => ({ ...selection, exclude: true }))];
}

/** How many tables the capture watches, and which not and why. */
export async function watchedTables(
  client: Client,
  { include, exclude }: TableChoice,
): Promise<Omit<WatchedTables, "losses">> {
  const { rows: counts } = await client.query<{ watched: number }>(
    "SELECT count(*)::integer AS watched FROM capture.watched_tables JOIN pg_class ON pg_class.oid = relation",
  );
  const { rows } = await client.query<{ reason: string; tables: string[] }>(
    `SELECT reason, array_agg(name ORDER BY name) AS tables
     FROM (
       SELECT format('%I.%I', nspname, relname) AS name, CASE
           WHEN ${matches(3, 4)} THEN 'excluded by --tables'
           WHEN NOT ${matches(1, 2)} THEN 'not named by --tables'
           WHEN relpersistence = 'u' THEN 'unlogged: their changes are not in the WAL'
           WHEN relkind = 'f' THEN 'foreign: their changes are made elsewhere'
           WHEN starts_with(relname, $6) THEN 'of DMS itself'
           ELSE 'refused: see capture.problems()' END AS reason
       FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
       WHERE relkind IN ('r', 'p', 'f') AND relpersistence <> 't'
         AND nspname !~ '^(pg_|information_schema$)' AND nspname <> ALL ($5)
         AND NOT EXISTS (SELECT FROM capture.watched_tables WHERE relation = pg_class.oid)
     ) AS other
     GROUP BY reason ORDER BY count(*) DESC, reason`,
    [
      ...arraysOf(include),
      ...arraysOf(exclude),
      [...neverAudited.schemas, captureSchema.schema, recordSchema],
      neverAudited.tablePrefix,
    ],
  );
  return { watched: counts[0]?.watched ?? 0, notWatched: rows };
}
