import { type Client, escapeIdentifier, escapeLiteral } from "pg";
import { databaseRoles } from "../../contract/database-roles";

const role = databaseRoles.capture;

/**
 * The role that captures, as a run found it in a source. A run gives it a password, settings and privileges, and gives it
 * back as it was.
 */
export interface FoundRole {
  readonly canLogin: boolean;
  readonly replication: boolean;
  /** On RDS and Aurora, where membership in `rds_replication` takes the attribute's place. */
  readonly inReplicationRole: boolean;
  /** Its settings in every database, each as `name=value`. */
  readonly settings: readonly string[];
  /** The verifier of its password; null without a password; absent where the run's user may not read it. */
  readonly verifier?: string | null;
  readonly privileges: readonly Privilege[];
}

interface Privilege {
  readonly kind: "DATABASE" | "SCHEMA" | "TABLE";
  readonly oid: number;
  readonly privilege: string;
}

const inReplicationRole = `coalesce((SELECT pg_has_role('${role}', oid, 'MEMBER') FROM pg_roles WHERE rolname = 'rds_replication'), false)`;

const privilegesQuery = `
  SELECT kind, oid::integer, privilege_type AS privilege
  FROM (
    SELECT 'DATABASE' AS kind, oid, datacl AS acl FROM pg_database WHERE datname = current_database()
    UNION ALL SELECT 'SCHEMA', oid, nspacl FROM pg_namespace
    UNION ALL SELECT 'TABLE', oid, relacl FROM pg_class WHERE relkind IN ('r', 'p')
  ) AS object CROSS JOIN LATERAL aclexplode(acl)
  WHERE grantee = '${role}'::regrole
  ORDER BY kind, oid, privilege_type`;

/** The role as it is now; undefined when there is none. */
export async function findRole(client: Client): Promise<FoundRole | undefined> {
  const { rows } = await client.query<Omit<FoundRole, "verifier" | "privileges"> & { readable: boolean }>(
    `SELECT rolcanlogin AS "canLogin", rolreplication AS replication, ${inReplicationRole} AS "inReplicationRole",
       coalesce((SELECT setconfig FROM pg_db_role_setting WHERE setrole = pg_roles.oid AND setdatabase = 0), '{}') AS settings,
       has_table_privilege('pg_authid', 'SELECT') AS readable
     FROM pg_roles WHERE rolname = '${role}'`,
  );
  const [found] = rows;
  if (!found) return undefined;
  const { readable, ...attributes } = found;
  const { rows: privileges } = await client.query<Privilege>(privilegesQuery);
  if (!readable) return { ...attributes, privileges };
  const { rows: secrets } = await client.query<{ verifier: string | null }>(
    `SELECT rolpassword AS verifier FROM pg_authid WHERE rolname = '${role}'`,
  );
  return { ...attributes, verifier: secrets[0]?.verifier ?? null, privileges };
}

/** Gives the role back what a run changed. Without its former password it gets none: the run's would still open it. */
export async function restoreRole(client: Client, found: FoundRole): Promise<void> {
  const now = await findRole(client);
  if (!now) return;
  const attributes = [found.canLogin ? "LOGIN" : "NOLOGIN"];
  if (found.replication !== now.replication) attributes.push(found.replication ? "REPLICATION" : "NOREPLICATION");
  attributes.push(`PASSWORD ${typeof found.verifier === "string" ? escapeLiteral(found.verifier) : "NULL"}`);
  await client.query(`ALTER ROLE ${role} ${attributes.join(" ")}`);
  if (now.inReplicationRole && !found.inReplicationRole) await client.query(`REVOKE rds_replication FROM ${role}`);
  if (found.settings.join("\0") !== now.settings.join("\0")) {
    await client.query(`ALTER ROLE ${role} RESET ALL`);
    for (const setting of found.settings) await client.query(`ALTER ROLE ${role} SET ${settingClause(setting)}`);
  }
  const had = ({ kind, oid, privilege }: Privilege) =>
    found.privileges.some((each) => each.kind === kind && each.oid === oid && each.privilege === privilege);
  // Unwatching has taken the others away already.
  for (const privilege of now.privileges) {
    if (privilege.kind === "DATABASE" && !had(privilege)) await change(client, "REVOKE", privilege);
  }
  for (const privilege of found.privileges) await change(client, "GRANT", privilege);
}

/** Settings that take a list keep its quotes; as one quoted text the list would become a single name. */
const listSettings = [
  "search_path",
  "DateStyle",
  "temp_tablespaces",
  "session_preload_libraries",
  "local_preload_libraries",
];

function settingClause(setting: string): string {
  const [, name = "", value = ""] = /^([^=]+)=(.*)$/s.exec(setting) ?? [];
  return `${name.split(".").map(escapeIdentifier).join(".")} TO ${listSettings.includes(name) ? value : escapeLiteral(value)}`;
}

async function change(client: Client, how: "GRANT" | "REVOKE", { kind, oid, privilege }: Privilege): Promise<void> {
  const names = {
    DATABASE: "SELECT quote_ident(datname) AS name FROM pg_database WHERE oid = $1",
    SCHEMA: "SELECT quote_ident(nspname) AS name FROM pg_namespace WHERE oid = $1",
    TABLE:
      "SELECT format('%I.%I', nspname, relname) AS name FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE pg_class.oid = $1",
  };
  const { rows } = await client.query<{ name: string }>(names[kind], [oid]);
  // What was dropped since needs no privilege.
  if (rows[0]) {
    const [verb, preposition] = how === "GRANT" ? ["GRANT", "TO"] : ["REVOKE", "FROM"];
    await client.query(`${verb} ${privilege} ON ${kind} ${rows[0].name} ${preposition} ${role}`);
  }
}

/** What depends on the role already, so that it is somebody else's: each as a person would name it. */
export async function usesOfRole(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ use: string }>(
    `SELECT DISTINCT CASE
         WHEN classid = 'pg_database'::regclass THEN 'database ' || (SELECT datname FROM pg_database WHERE oid = objid)
         ELSE 'database ' || datname
       END AS use
     FROM pg_shdepend LEFT JOIN pg_database ON pg_database.oid = dbid
     WHERE refclassid = 'pg_authid'::regclass AND refobjid = to_regrole('${role}')
       -- In this database an administrator may have prepared privileges and policies for it.
       AND CASE WHEN classid = 'pg_database'::regclass
         THEN objid <> (SELECT oid FROM pg_database WHERE datname = current_database())
         ELSE datname <> current_database() END
     ORDER BY 1`,
  );
  return rows.map(({ use }) => use);
}
