import type { Client } from "pg";

/** What was compared, and how the log differs from the truth. */
export interface Comparison {
  readonly changes: number;
  readonly lost: number;
  /** Events that no change made, or a second event of one change. */
  readonly doubled: number;
  /** Events with another operation, table, key, image, actor or place among the events of their record. */
  readonly wrong: number;
  /** The first differences, each a line for a person. */
  readonly differences: readonly string[];
}

/** A stretch of the truth: every transaction in it ended before the next stretch began. */
export interface Stretch {
  /** The oracle's id before the first change, and that of the last one. */
  readonly after: bigint;
  readonly upTo: bigint;
  /** A time of the source between the stretch before and this one, and one after it; PostgreSQL's text. */
  readonly since: string;
  readonly until: string;
}

/** All that the oracle has noted. */
export const wholeTruth: Stretch = { after: 0n, upTo: 2n ** 63n - 1n, since: "-infinity", until: "infinity" };

export interface ComparisonOptions {
  /**
   * What `unknown_columns` means. `refused`: a name is a difference, unless it is a null of a deleted row.
   * `left out`: the columns that an event names are not compared. Default: `refused`.
   */
  readonly unknownColumns?: "refused" | "left out";
  /** Most differences to describe. Default 10. */
  readonly limit?: number;
}

const changeOperations = "('insert', 'update', 'delete', 'truncate')";

/** Row events in the log from a time on. */
export async function eventsSince(log: Client, since: string): Promise<number> {
  const { rows } = await log.query<{ count: string }>(
    `SELECT count(*) FROM audit.events WHERE committed_at > $1 AND operation IN ${changeOperations}`,
    [since],
  );
  return Number(rows[0]?.count);
}

/**
 * Compares one stretch of the log with the truth: operation, table, actor, key, old and new row of each change, and the
 * order within each transaction and within each record. The n-th change of a transaction is its n-th event. The log is
 * read as people read it, from `audit.log`.
 *
 * @param log connected to the database of the log, in which `oracle.changes` can be read too.
 */
export async function compareStretch(
  log: Client,
  stretch: Stretch,
  { unknownColumns = "refused", limit = 10 }: ComparisonOptions = {},
): Promise<Comparison> {
  await pairChanges(log, stretch);
  await readImagesBack(log);
  const judged = `(SELECT *, ${verdict(unknownColumns)} AS verdict FROM pg_temp.pairs) AS judged`;
  const { rows: counts } = await log.query<{ verdict: string | null; count: string }>(
    `SELECT split_part(verdict, ':', 1) AS verdict, count(*) FROM ${judged} GROUP BY 1`,
  );
  const count = (name: string) => Number(counts.find(({ verdict }) => verdict === name)?.count ?? 0);
  const { rows: examples } = await log.query<{ line: string }>(
    `SELECT format('%s: transaction %s, place %s: %s on %s (%s -> %s, by %s); the log says %s on %s (%s -> %s, by %s)',
                   verdict, transaction_id, place, true_operation, true_table, left(old_row::text, 300), left(new_row::text, 300),
                   true_actor, operation, table_name, left(old_image::text, 300), left(new_image::text, 300), actor) AS line
     FROM ${judged} WHERE verdict IS NOT NULL ORDER BY transaction_id, place LIMIT $1`,
    [limit],
  );
  const { rows: truth } = await log.query<{ count: string }>("SELECT count(*) FROM pg_temp.truth");
  return {
    changes: Number(truth[0]?.count),
    lost: count("lost"),
    doubled: count("doubled"),
    wrong: count("wrong"),
    differences: examples.map(({ line }) => line),
  };
}

/** Compares as {@link compareStretch} does; undefined while events are missing, because counting is cheaper. */
export async function compareOnceComplete(
  log: Client,
  stretch: Stretch,
  options?: ComparisonOptions,
): Promise<Comparison | undefined> {
  const { rows } = await log.query<{ count: string }>(
    "SELECT count(*) FROM oracle.changes WHERE id > $1 AND id <= $2",
    [stretch.after, stretch.upTo],
  );
  if ((await eventsSince(log, stretch.since)) < Number(rows[0]?.count)) return undefined;
  return compareStretch(log, stretch, options);
}

/** Nothing differs. */
export function isExact({ lost, doubled, wrong }: Comparison): boolean {
  return lost + doubled + wrong === 0;
}

/** Makes the temporary table `pairs`: each change beside its event, with the rows that the event tells. */
async function pairChanges(log: Client, stretch: Stretch): Promise<void> {
  await log.query("DROP TABLE IF EXISTS pg_temp.truth, pg_temp.logged, pg_temp.pairs");
  await log.query(
    `CREATE TEMPORARY TABLE truth AS
     SELECT *, row_number() OVER (PARTITION BY transaction_id ORDER BY id) AS place
     FROM oracle.changes WHERE id > ${stretch.after} AND id <= ${stretch.upTo}`,
  );
  // What PostgreSQL writes of a deleted row leaves nulls out: DMS cannot know a column that no change has shown yet,
  // and the log says so.
  await log.query(
    `CREATE TEMPORARY TABLE logged AS
     SELECT transaction AS transaction_id, row_number() OVER (PARTITION BY transaction ORDER BY sequence) AS place,
            true AS present, "time", sequence, operation, schema AS schema_name, "table" AS table_name, key, actor,
            unknown_columns, untyped_columns,
            CASE operation
              WHEN 'update' THEN after || before
              WHEN 'delete' THEN before || coalesce((SELECT jsonb_object_agg(name, NULL) FROM unnest(unknown_columns) AS name), '{}')
              WHEN 'insert' THEN before
            END AS old_image,
            CASE WHEN operation <> 'truncate' THEN after END AS new_image
     FROM audit.log
     WHERE "time" > '${stretch.since}' AND "time" <= '${stretch.until}' AND operation IN ${changeOperations}`,
  );
  await log.query("ANALYZE pg_temp.truth, pg_temp.logged");
  await log.query(
    `CREATE TEMPORARY TABLE pairs AS
     WITH paired AS (
       SELECT transaction_id, place, t.id AS truth_id, t.operation AS true_operation, t.table_name AS true_table,
              t.old_row, t.new_row, t.actor AS true_actor, t.schema_name AS true_schema,
              l.present, l."time", l.sequence, l.operation, l.schema_name, l.table_name, l.key, l.actor,
              l.unknown_columns, l.untyped_columns, l.old_image, l.new_image
       FROM truth t FULL JOIN logged l USING (transaction_id, place)
     )
     SELECT *,
            key IS NOT NULL AND truth_id < max(truth_id) OVER (
              PARTITION BY schema_name, table_name, key ORDER BY "time", sequence
              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS out_of_order
     FROM paired`,
  );
}

/**
 * Reads the log's values back into the row type of their table, where this database has that table: one value may be
 * written in several ways, such as a time in two zones. Elsewhere the JSON of log and truth must be the same.
 */
async function readImagesBack(log: Client): Promise<void> {
  const { rows: tables } = await log.query<{ schema: string; table: string; type: string }>(
    `SELECT DISTINCT schema_name AS schema, table_name AS "table", format('%I.%I', schema_name, table_name) AS type
     FROM pg_temp.logged WHERE to_regclass(format('%I.%I', schema_name, table_name)) IS NOT NULL`,
  );
  for (const { schema, table, type } of tables) {
    // Columns that the log does not have stay absent.
    const readBack = (image: string) =>
      `${image} || (SELECT coalesce(jsonb_object_agg(name, value), '{}')
                    FROM jsonb_each(to_jsonb(jsonb_populate_record(NULL::${type}, ${image}))) AS member (name, value)
                    WHERE ${image} ? name)`;
    await log.query(
      `UPDATE pg_temp.pairs SET old_image = ${readBack("old_image")}, new_image = ${readBack("new_image")}
       WHERE schema_name = $1 AND table_name = $2`,
      [schema, table],
    );
  }
}

/** SQL that says of a pair how it differs; null when it does not. In the log a key is the new row's, or a deleted row's. */
function verdict(unknownColumns: "refused" | "left out"): string {
  const known = (row: string) => `${row} - coalesce(unknown_columns, '{}')`;
  const refused =
    unknownColumns === "refused"
      ? `WHEN unknown_columns IS NOT NULL AND (operation <> 'delete' OR old_image IS DISTINCT FROM old_row)
           THEN 'wrong: columns not known'`
      : "";
  return `
    CASE
      WHEN present IS NULL THEN 'lost'
      WHEN truth_id IS NULL THEN 'doubled'
      WHEN (operation, schema_name, table_name) IS DISTINCT FROM (true_operation, true_schema, true_table)
        THEN 'wrong: operation or table'
      WHEN actor IS DISTINCT FROM true_actor THEN 'wrong: actor'
      WHEN untyped_columns IS NOT NULL THEN 'wrong: columns not known'
      ${refused}
      WHEN ${known("new_image")} IS DISTINCT FROM ${known("new_row")} THEN 'wrong: new row'
      WHEN ${known("old_image")} IS DISTINCT FROM ${known("old_row")} THEN 'wrong: old row'
      WHEN NOT coalesce(coalesce(new_row, old_row) @> key, true) THEN 'wrong: key'
      WHEN out_of_order THEN 'wrong: order within its record'
    END`;
}
