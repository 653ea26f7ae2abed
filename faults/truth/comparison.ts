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

/** Lets the destination read the oracle's table of the source. */
export async function connectOracle(
  destination: Client,
  source: { readonly port: number; readonly database: string; readonly user: string; readonly password: string },
): Promise<void> {
  const literal = (value: string | number) => destination.escapeLiteral(String(value));
  await destination.query(`
    CREATE EXTENSION postgres_fdw;
    CREATE SERVER source FOREIGN DATA WRAPPER postgres_fdw
      OPTIONS (host '127.0.0.1', port ${literal(source.port)}, dbname ${literal(source.database)}, fetch_size '5000');
    CREATE USER MAPPING FOR CURRENT_USER SERVER source
      OPTIONS (user ${literal(source.user)}, password ${literal(source.password)});
    CREATE SCHEMA oracle;
    IMPORT FOREIGN SCHEMA oracle LIMIT TO (changes) FROM SERVER source INTO oracle;`);
}

const changeOperations = "('insert', 'update', 'delete', 'truncate')";

/** Row events in the log from a time on. */
export async function eventsSince(destination: Client, since: string): Promise<number> {
  const { rows } = await destination.query<{ count: string }>(
    `SELECT count(*) FROM audit.events WHERE committed_at > $1 AND operation IN ${changeOperations}`,
    [since],
  );
  return Number(rows[0]?.count);
}

/**
 * Compares one stretch of the log with the truth. The n-th change of a transaction is its n-th event; the log is read as
 * people read it, from `audit.log`.
 */
export async function compareStretch(destination: Client, stretch: Stretch, limit = 10): Promise<Comparison> {
  await destination.query("DROP TABLE IF EXISTS pg_temp.truth, pg_temp.logged, pg_temp.pairs");
  await destination.query(
    `CREATE TEMPORARY TABLE truth AS
     SELECT *, row_number() OVER (PARTITION BY transaction_id ORDER BY id) AS place
     FROM oracle.changes WHERE id > ${stretch.after} AND id <= ${stretch.upTo}`,
  );
  await destination.query(
    `CREATE TEMPORARY TABLE logged AS
     SELECT transaction AS transaction_id, row_number() OVER (PARTITION BY transaction ORDER BY sequence) AS place,
            "time", sequence, operation, schema AS schema_name, "table" AS table_name, key, before, after, actor,
            unknown_columns, untyped_columns
     FROM audit.log
     WHERE "time" > '${stretch.since}' AND "time" <= '${stretch.until}' AND operation IN ${changeOperations}`,
  );
  await destination.query("ANALYZE pg_temp.truth, pg_temp.logged");
  await destination.query(
    `CREATE TEMPORARY TABLE pairs AS
     WITH paired AS (
       SELECT transaction_id, place, t.id AS truth_id, t.operation AS true_operation, t.table_name AS true_table,
              t.old_row, t.new_row, t.actor AS true_actor, t.schema_name AS true_schema,
              l.present, l."time", l.sequence, l.operation, l.schema_name, l.table_name, l.key, l.before, l.after, l.actor,
              l.unknown_columns, l.untyped_columns
       FROM truth t FULL JOIN (SELECT *, true AS present FROM logged) l USING (transaction_id, place)
     )
     SELECT *,
            key IS NOT NULL AND truth_id < max(truth_id) OVER (
              PARTITION BY schema_name, table_name, key ORDER BY "time", sequence
              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS out_of_order
     FROM paired`,
  );
  // What PostgreSQL writes of a deleted row leaves nulls out: of a column that no change has shown yet DMS cannot know, and
  // the log says so.
  const oldRow = `
    CASE operation
      WHEN 'update' THEN after || before
      WHEN 'delete' THEN before || coalesce((SELECT jsonb_object_agg(name, NULL) FROM unnest(unknown_columns) AS name), '{}')
      ELSE before
    END`;
  // In the log a key stands for the new row, or for the old one of a delete.
  const verdict = `
    CASE
      WHEN present IS NULL THEN 'lost'
      WHEN truth_id IS NULL THEN 'doubled'
      WHEN (operation, schema_name, table_name) IS DISTINCT FROM (true_operation, true_schema, true_table) THEN 'wrong: operation or table'
      WHEN actor IS DISTINCT FROM true_actor THEN 'wrong: actor'
      WHEN untyped_columns IS NOT NULL THEN 'wrong: columns not known'
      WHEN unknown_columns IS NOT NULL AND (operation <> 'delete' OR ${oldRow} IS DISTINCT FROM old_row)
        THEN 'wrong: columns not known'
      WHEN operation <> 'truncate' AND after IS DISTINCT FROM new_row THEN 'wrong: new row'
      WHEN ${oldRow} IS DISTINCT FROM old_row AND operation <> 'truncate'
        THEN 'wrong: old row'
      WHEN NOT coalesce(coalesce(new_row, old_row) @> key, true) THEN 'wrong: key'
      WHEN out_of_order THEN 'wrong: order within its record'
    END`;
  const { rows: counts } = await destination.query<{ verdict: string | null; count: string }>(
    `SELECT split_part(verdict, ':', 1) AS verdict, count(*) FROM (SELECT ${verdict} AS verdict FROM pairs) v GROUP BY 1`,
  );
  const count = (name: string) => Number(counts.find(({ verdict }) => verdict === name)?.count ?? 0);
  const { rows: examples } = await destination.query<{ line: string }>(
    `SELECT format('%s: transaction %s, place %s: %s on %s (%s -> %s, by %s); the log says %s on %s (%s, %s, by %s)',
                   verdict, transaction_id, place, true_operation, true_table, left(old_row::text, 300), left(new_row::text, 300),
                   true_actor, operation, table_name, left(before::text, 300), left(after::text, 300), actor) AS line
     FROM (SELECT *, ${verdict} AS verdict FROM pairs) v
     WHERE verdict IS NOT NULL ORDER BY transaction_id, place LIMIT ${limit}`,
  );
  const { rows: truth } = await destination.query<{ count: string }>("SELECT count(*) FROM pg_temp.truth");
  return {
    changes: Number(truth[0]?.count),
    lost: count("lost"),
    doubled: count("doubled"),
    wrong: count("wrong"),
    differences: examples.map(({ line }) => line),
  };
}

/** Nothing differs. */
export function isExact({ lost, doubled, wrong }: Comparison): boolean {
  return lost + doubled + wrong === 0;
}
