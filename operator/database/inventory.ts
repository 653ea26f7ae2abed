import type { ClientBase } from "pg";
import { neverAudited } from "../../contract/change-capture";
import { databaseRoles } from "../../contract/database-roles";

/** What a bootstrap did to one object of the database. */
export interface Change {
  /** Such as `function capture.watch(regclass, …)` or `table public.orders`. */
  readonly object: string;
  readonly change: "created" | "changed" | "removed";
}

/** Every object that the pipeline owns or touches in a database, with a fingerprint of its definition. */
export type Inventory = ReadonlyMap<string, string>;

const inventoryQuery = `
  WITH own_schema AS (
    SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY ($2::text[])
  )
  SELECT 'role ' || quote_ident(rolname) AS object, concat_ws(' ', rolcanlogin, rolreplication, rolconfig) AS fingerprint
  FROM pg_roles WHERE rolname = ANY ($1::text[])
  UNION ALL
  SELECT 'schema ' || quote_ident(nspname), '' FROM own_schema
  UNION ALL
  SELECT
    CASE relkind WHEN 'v' THEN 'view ' WHEN 'i' THEN 'index ' WHEN 'I' THEN 'index ' WHEN 'S' THEN 'sequence '
      ELSE 'table ' END
      || format('%I.%I', nspname, relname),
    md5(concat_ws(' ', relkind, pg_get_viewdef(pg_class.oid),
      coalesce(relacl, acldefault('r', relowner))::text, (
      SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull, attacl::text), ',' ORDER BY attnum)
      FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
    )))
  FROM pg_class JOIN own_schema ON own_schema.oid = relnamespace
  WHERE relkind IN ('r', 'p', 'v', 'i', 'I', 'S') AND NOT (relkind = 'i' AND relispartition)
  UNION ALL
  SELECT
    format('function %I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(pg_proc.oid)),
    md5(concat_ws(' ', pg_get_functiondef(pg_proc.oid), proacl::text))
  FROM pg_proc JOIN own_schema ON own_schema.oid = pronamespace
  UNION ALL
  SELECT 'event trigger ' || quote_ident(evtname), concat_ws(' ', evtenabled, evtevent, evttags::text)
  FROM pg_event_trigger WHERE evtname IN ('capture_ddl', 'capture_drop', 'capture_rewrite')
  UNION ALL
  SELECT
    format('trigger %I on %I.%I', tgname, table_schema.nspname, relname),
    concat_ws(' ', tgenabled, pg_get_triggerdef(pg_trigger.oid))
  FROM pg_trigger
  JOIN pg_class ON pg_class.oid = tgrelid
  JOIN pg_namespace AS table_schema ON table_schema.oid = relnamespace
  WHERE tgname IN ('capture_truncate', 'capture_actor', 'keep_row', 'refuse_delete', 'refuse_truncate')
    AND tgparentid = 0 AND tgfoid IN (SELECT pg_proc.oid FROM pg_proc JOIN own_schema ON own_schema.oid = pronamespace)
  UNION ALL
  SELECT format('replica identity of %I.%I', table_schema.nspname, relname), relreplident::text
  FROM pg_class JOIN pg_namespace AS table_schema ON table_schema.oid = relnamespace
  WHERE relkind IN ('r', 'p') AND relpersistence = 'p' AND table_schema.nspname !~ '^(pg_|information_schema$)'
    AND table_schema.oid NOT IN (SELECT oid FROM own_schema)
`;

/** Takes the inventory. {@link changesBetween} two of them is what a transaction really did. */
export async function takeInventory(client: ClientBase): Promise<Inventory> {
  const { rows } = await client.query<{ object: string; fingerprint: string }>(inventoryQuery, [
    Object.values(databaseRoles),
    neverAudited.schemas,
  ]);
  const inventory = new Map(rows.map(({ object, fingerprint }) => [object, fingerprint]));
  const { rows: watched } = await client.query<{ exists: boolean }>(
    "SELECT to_regclass('capture.watched_tables') IS NOT NULL AS exists",
  );
  if (watched[0]?.exists) {
    const tables = await client.query<{ name: string; settings: string }>(`
      SELECT format('%I.%I', schema_name, table_name) AS name,
        concat_ws(' ', partition_of, ignored_columns, redacted_columns, identify_actor, replica_identity,
          shape - 'relation' #- '{root,relation}') AS settings
      FROM capture.watched_tables`);
    for (const { name, settings } of tables.rows) inventory.set(`watch on ${name}`, settings);
  }
  return inventory;
}

/** What differs between two inventories, in alphabetical order. */
export function changesBetween(before: Inventory, after: Inventory): Change[] {
  const objects = [...new Set([...before.keys(), ...after.keys()])].sort();
  return objects.flatMap((object): Change[] => {
    if (!before.has(object)) return [{ object, change: "created" }];
    if (!after.has(object)) return [{ object, change: "removed" }];
    return before.get(object) === after.get(object) ? [] : [{ object, change: "changed" }];
  });
}
