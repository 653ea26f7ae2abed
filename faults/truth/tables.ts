import type { Client } from "pg";

/** A table that the log is asked about, and where its true rows stand. */
export interface AskedTable {
  /** As the log is asked: `schema.table`, as it was called at the time. */
  readonly name: string;
  /** PostgreSQL's text of the time to ask for. Default: now. */
  readonly time?: string;
  /** What holds the true rows, quoted where needed: the table itself or a copy, in the database of the log. */
  readonly relation: string;
  /** The columns that make the key. */
  readonly key: readonly string[];
  /** Columns that the log may name as unknown, because DDL gave them values that no change told. Default: none. */
  readonly mayBeUnknown?: readonly string[];
}

/** Rows of a table whose differences are told. */
const shownRows = 20;

/**
 * Compares `audit.table_as_of` with what a table holds, row by row and column by column, and `audit.row_as_of` with both.
 * Returns the differences, one line each,
 * for the first 20 rows that differ.
 *
 * @param log connected to the database of the log, in which the relation can be read too.
 * @param rowsAsked how many rows to ask `audit.row_as_of` for.
 */
export async function compareTable(log: Client, asked: AskedTable, rowsAsked = 3): Promise<string[]> {
  const { name, relation } = asked;
  const at = asked.time === undefined ? "" : `, ${log.escapeLiteral(asked.time)}`;
  const literal = (names: readonly string[]) => `${log.escapeLiteral(JSON.stringify(names))}::jsonb`;
  const keyOf = (image: string) =>
    `(SELECT jsonb_object_agg(name, ${image} -> name) FROM jsonb_array_elements_text(${literal(asked.key)}) AS part (name))`;
  const table = log.escapeLiteral(name);
  try {
    const { rows } = await log.query<{ line: string; count: string }>(`
      WITH told AS MATERIALIZED (
        SELECT key, "row", unknown_columns AS unknown, to_jsonb(jsonb_populate_record(NULL::${relation}, "row")) AS image,
               count(*) OVER (PARTITION BY key) AS times,
               row_number() OVER () <= ${rowsAsked} AS is_asked
        FROM audit.table_as_of(${table}${at})
      ), held AS (
        SELECT to_jsonb(present) AS image FROM ${relation} AS present
      ), paired AS (
        SELECT told.*, held.image AS true_image
        FROM (SELECT *, ${keyOf("image")} AS read_key FROM told) AS told
        FULL JOIN (SELECT *, ${keyOf("image")} AS read_key FROM held) AS held USING (read_key)
      ), judged AS (
        SELECT *, CASE
          WHEN image IS NULL THEN 'a row is missing'
          WHEN true_image IS NULL THEN 'a row should not be there'
          WHEN times > 1 THEN 'a row is there more than once'
          WHEN NOT "row" @> key THEN 'the key is not that of the row'
          WHEN EXISTS (SELECT jsonb_object_keys(true_image) EXCEPT (SELECT jsonb_object_keys("row") UNION SELECT unnest(unknown)))
            THEN 'a column is neither told nor named as unknown'
          WHEN EXISTS (SELECT jsonb_object_keys("row") EXCEPT SELECT jsonb_object_keys(true_image))
            THEN 'a column is told that the table does not have'
          WHEN image - unknown <> true_image - unknown THEN 'a value is wrong'
          WHEN EXISTS (SELECT FROM jsonb_each("row") AS one JOIN jsonb_each(true_image) AS other USING (key)
                       WHERE jsonb_typeof(one.value) <> jsonb_typeof(other.value)) THEN 'a value is of another JSON type'
          WHEN NOT ${literal(asked.mayBeUnknown ?? [])} @> to_jsonb(unknown) THEN 'a column is unknown without a reason'
          WHEN is_asked AND audit.row_as_of(${table}, key${at}) IS DISTINCT FROM "row" THEN 'row_as_of tells something else'
        END AS verdict
        FROM paired
      )
      SELECT format('%s; the log tells %s%s, the table held %s', verdict, coalesce("row"::text, 'nothing'),
                    CASE WHEN unknown = '{}' THEN '' ELSE ' (unknown: ' || array_to_string(unknown, ', ') || ')' END,
                    coalesce(true_image::text, 'nothing')) AS line, count(*) OVER () AS count
      FROM judged WHERE verdict IS NOT NULL ORDER BY coalesce(true_image, image)::text LIMIT ${shownRows}`);
    const more = Number(rows[0]?.count ?? 0) - rows.length;
    return [...rows.map(({ line }) => `${name}: ${line}`), ...(more > 0 ? [`${name}: and ${more} more rows`] : [])];
  } catch (error) {
    return [`${name}: the log could not be asked, or its values not be read back: ${(error as Error).message}`];
  }
}

/** What the log tells of rows under a name that no table has at a time: there must be none. */
export async function rowsOfNobody(log: Client, name: string, time?: string): Promise<string[]> {
  try {
    const { rows } = await log.query<{ row: string }>(
      `SELECT "row"::text AS row FROM audit.table_as_of($1${time === undefined ? "" : ", $2"})`,
      time === undefined ? [name] : [name, time],
    );
    return rows.map(({ row }) => `${name}: no table had this name; the log tells ${row}`);
  } catch (error) {
    // It has never heard of the name.
    if ((error as { code?: string }).code === "42P01") return [];
    return [`${name}: ${(error as Error).message}`];
  }
}
