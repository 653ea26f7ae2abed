import type { ClientBase } from "pg";
import { databaseRoles } from "../../contract/database-roles";
import type { ServerFacts } from "./check-server";
import type { Problem } from "./problems";
import type { SelectedTable } from "./watch-tables";

/**
 * The tables of which row security may hide rows from the role that DMS reads as: a full load would lack them without an
 * error. `capture.row_security_hides` asks the same once that role is there.
 */
export async function checkRowSecurity(
  client: ClientBase,
  facts: ServerFacts,
  tables: readonly SelectedTable[],
): Promise<Problem[]> {
  const { rows } = await client.query<{ relation: string }>(
    `SELECT part.oid::regclass::text AS relation
     FROM unnest($1::oid[]) AS selected (oid)
       JOIN pg_class AS part ON part.oid = selected.oid OR part.oid IN (SELECT relid FROM pg_partition_tree(selected.oid))
       LEFT JOIN pg_roles AS reader ON rolname = '${databaseRoles.capture}'
     WHERE part.relkind = 'r' AND part.relrowsecurity
       AND NOT coalesce(rolsuper OR rolbypassrls, false)
       AND (part.relforcerowsecurity OR NOT coalesce(pg_has_role(reader.oid, part.relowner, 'USAGE'), false))
       AND NOT coalesce((
         SELECT bool_or(polpermissive AND pg_get_expr(polqual, polrelid) = 'true') AND bool_and(polpermissive)
         FROM pg_policy
         WHERE polrelid = part.oid AND polcmd IN ('r', '*') AND EXISTS (
           SELECT FROM unnest(polroles) AS role
           WHERE CASE role WHEN 0 THEN true ELSE coalesce(pg_has_role(reader.oid, role, 'USAGE'), false) END)
       ), false)
     GROUP BY part.oid ORDER BY 1`,
    [tables.map(({ oid }) => oid)],
  );
  if (rows.length === 0) return [];
  const { rows: existing } = await client.query("SELECT FROM pg_roles WHERE rolname = $1", [databaseRoles.capture]);
  const create = existing.length === 0 ? [`CREATE ROLE ${databaseRoles.capture} LOGIN`] : [];
  const policies = rows.map(
    ({ relation }) =>
      `CREATE POLICY capture_reads_all ON ${relation} FOR SELECT TO ${databaseRoles.capture} USING (true)`,
  );
  return [
    {
      what: `Row security may hide rows of ${rows.map(({ relation }) => relation).join(", ")} from ${databaseRoles.capture}`,
      why: "A full load would lack them, and nothing would say so",
      fix: [...create, ...(facts.is_rds ? policies : [`ALTER ROLE ${databaseRoles.capture} BYPASSRLS`])].join("; "),
    },
  ];
}
