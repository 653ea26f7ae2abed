import type { Client } from "pg";

/** A difference between what happened and what the audit log says, as one line for a person. */
export type Difference = string;

/**
 * What really happened, noted by triggers in the same transactions: the truth that the audit log is compared with. The
 * schema `oracle` is never captured.
 */
const oracleSchema = `
  CREATE SCHEMA IF NOT EXISTS oracle;
  CREATE TABLE IF NOT EXISTS oracle.changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id bigint NOT NULL DEFAULT (pg_current_xact_id()::text::numeric % 4294967296)::bigint,
    operation text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    old_row jsonb,
    new_row jsonb,
    actor text DEFAULT nullif(current_setting('oracle.actor', true), '')
  );
  GRANT USAGE ON SCHEMA oracle TO PUBLIC;
  CREATE OR REPLACE FUNCTION oracle.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
  BEGIN
    INSERT INTO oracle.changes (operation, schema_name, table_name, old_row, new_row) VALUES (
      lower(TG_OP), TG_TABLE_SCHEMA, TG_TABLE_NAME,
      CASE WHEN TG_OP IN ('UPDATE', 'DELETE') THEN to_jsonb(OLD) END,
      CASE WHEN TG_OP IN ('INSERT', 'UPDATE') THEN to_jsonb(NEW) END);
    RETURN NULL;
  END $$;`;

/** Installs the oracle and makes it note every change of these tables from now on. Run as superuser. */
export async function installOracle(
  client: Client,
  tables: readonly { schema: string; table: string }[],
): Promise<void> {
  await client.query(oracleSchema);
  for (const { schema, table } of tables) {
    const name = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(table)}`;
    await client.query(`
      CREATE OR REPLACE TRIGGER oracle_rows AFTER INSERT OR UPDATE OR DELETE ON ${name} FOR EACH ROW EXECUTE FUNCTION oracle.note();
      CREATE OR REPLACE TRIGGER oracle_truncate AFTER TRUNCATE ON ${name} FOR EACH STATEMENT EXECUTE FUNCTION oracle.note();`);
  }
}

/**
 * Compares the audit log with the oracle, change by change: operation, table, actor, old and new row, and the order
 * within each transaction. Values are compared after PostgreSQL has read the log's JSON back into the table's own row
 * type. `client` sees both the oracle and the audit table. At most `limit` differences are described.
 */
export async function compareWithOracle(client: Client, limit = 20): Promise<Difference[]> {
  const differences: Difference[] = [];
  const add = (rows: { difference: string }[]) => differences.push(...rows.map((row) => row.difference));

  // Pair the n-th change of a transaction with its n-th event. Both sides count changes of the same tables only.
  await client.query("DROP TABLE IF EXISTS pg_temp.pairs");
  await client.query(`
    CREATE TEMPORARY TABLE pairs AS
    WITH truth AS (
      SELECT *, row_number() OVER (PARTITION BY transaction_id ORDER BY id) AS place FROM oracle.changes
    ), log AS (
      SELECT e.*, row_number() OVER (PARTITION BY transaction_id ORDER BY sequence) AS place
      FROM audit.events e
      WHERE operation IN ('insert', 'update', 'delete', 'truncate')
        AND (schema_name, table_name) IN (SELECT DISTINCT schema_name, table_name FROM oracle.changes)
    )
    SELECT coalesce(t.transaction_id, l.transaction_id) AS transaction_id, place,
           t.id AS truth_id, t.operation AS true_operation, t.schema_name AS true_schema, t.table_name AS true_table,
           t.old_row, t.new_row, t.actor AS true_actor,
           l.event_id, l.operation, l.schema_name, l.table_name, l.before, l.after, l.unknown_columns, l.untyped_columns,
           l.committed_at, l.sequence
    FROM truth t FULL JOIN log l USING (transaction_id, place)`);

  add(
    (
      await client.query(
        `SELECT CASE
             WHEN event_id IS NULL THEN format('lost: %s on %s.%s in transaction %s, place %s', true_operation, true_schema, true_table, transaction_id, place)
             WHEN truth_id IS NULL THEN format('doubled or invented: %s on %s.%s in transaction %s, place %s', operation, schema_name, table_name, transaction_id, place)
             ELSE format('wrong: transaction %s, place %s is %s on %s.%s, but the log says %s on %s.%s', transaction_id, place, true_operation, true_schema, true_table, operation, schema_name, table_name)
           END AS difference
         FROM pairs
         WHERE event_id IS NULL OR truth_id IS NULL
            OR (true_operation, true_schema, true_table) IS DISTINCT FROM (operation, schema_name, table_name)
         ORDER BY transaction_id, place LIMIT $1`,
        [limit],
      )
    ).rows,
  );

  // The actor comes from the context event of the same transaction.
  add(
    (
      await client.query(
        `SELECT format('wrong actor: transaction %s, place %s was %L, but the log says %L', transaction_id, place, true_actor, l.actor) AS difference
         FROM pairs p JOIN audit.log l ON l.event_id = p.event_id AND l."time" = p.committed_at
         WHERE true_actor IS DISTINCT FROM l.actor
         ORDER BY transaction_id, place LIMIT $1`,
        [limit],
      )
    ).rows,
  );

  const { rows: tables } = await client.query<{ schema: string; table: string; type: string }>(
    `SELECT DISTINCT true_schema AS schema, true_table AS "table", format('%I.%I', true_schema, true_table) AS type
     FROM pairs WHERE to_regclass(format('%I.%I', true_schema, true_table)) IS NOT NULL`,
  );
  for (const { schema, table, type } of tables) {
    for (const [image, truth, logged] of [
      ["old", "old_row", "CASE operation WHEN 'update' THEN after || before ELSE before END"],
      ["new", "new_row", "after"],
    ] as const) {
      // Unknown columns must be absent from the image they are unknown in; all others must be there and equal.
      add(
        (
          await client.query(
            `WITH images AS (
               SELECT transaction_id, place, operation, ${truth} AS truth, ${logged} AS logged, coalesce(unknown_columns, '{}') AS unknown
               FROM pairs
               WHERE true_schema = $1 AND true_table = $2 AND event_id IS NOT NULL AND operation IN ('insert', 'update', 'delete')
             ), compared AS (
               SELECT *, truth - unknown AS known_truth,
                      CASE WHEN logged IS NULL THEN NULL ELSE to_jsonb(jsonb_populate_record(NULL::${type}, logged)) END AS read_back
               FROM images
             )
             SELECT format('wrong ${image} row: %s on ${type.replaceAll("'", "''")} in transaction %s, place %s was %s, but the log says %s',
                           operation, transaction_id, place, left(truth::text, 500), left(logged::text, 500)) AS difference
             FROM compared
             WHERE jsonb_strip_nulls(known_truth) IS DISTINCT FROM jsonb_strip_nulls(read_back - unknown)
                OR EXISTS (SELECT FROM jsonb_object_keys(known_truth) AS key WHERE NOT logged ? key)
             ORDER BY transaction_id, place LIMIT $3`,
            [schema, table, limit],
          )
        ).rows,
      );
    }
  }
  return differences.slice(0, limit);
}
