import type { Client } from "pg";
import { valueSettings } from "../../contract/session-settings";

/** The truth is spelled as the log spells it, whatever the application's session is set to. */
const spelled = Object.entries(valueSettings)
  .map(([name, value]) => `SET ${name} = '${value}'`)
  .join(" ");

/**
 * Triggers note what really happened, in the same transactions. This is the truth that the audit log is compared with.
 * The schema `oracle` is never captured.
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
  CREATE OR REPLACE FUNCTION oracle.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER ${spelled} AS $$
  BEGIN
    INSERT INTO oracle.changes (operation, schema_name, table_name, old_row, new_row) VALUES (
      lower(TG_OP), TG_TABLE_SCHEMA, TG_TABLE_NAME,
      CASE WHEN TG_OP IN ('UPDATE', 'DELETE') THEN to_jsonb(OLD) END,
      CASE WHEN TG_OP IN ('INSERT', 'UPDATE') THEN to_jsonb(NEW) END);
    RETURN NULL;
  END $$;`;

/** Installs the oracle, which notes every change of these tables from now on. Run as superuser. */
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

/** Makes the source's oracle readable under the same name in the database of the log, where that is another one. */
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

/** Holds the source's tables as foreign tables in the database of the log; see {@link connectTables}. */
export const sourceTablesSchema = "source_tables";

/** Makes the source's tables readable in the database of the log, with the columns that they have now. */
export async function connectTables(destination: Client, schema: string): Promise<void> {
  await destination.query(`
    DROP SCHEMA IF EXISTS ${sourceTablesSchema} CASCADE;
    CREATE SCHEMA ${sourceTablesSchema};
    IMPORT FOREIGN SCHEMA ${destination.escapeIdentifier(schema)} FROM SERVER source INTO ${sourceTablesSchema};`);
}
