import type { ClientBase } from "pg";
import { pipelinePostgresVersions } from "../../contract/postgres-versions";
import { type DatabaseSide, sqlVersion, sqlVersionFunction } from "../../database";
import type { Problem } from "./problems";

/** What both sides need to know of a server and of the connected role. */
export interface ServerFacts {
  readonly version: string;
  readonly version_number: number;
  readonly is_replica: boolean;
  readonly encoding: string;
  readonly is_rds: boolean;
  readonly role: string;
  readonly database: string;
  readonly is_superuser: boolean;
}

/** Columns of {@link ServerFacts}, over `pg_roles`. */
export const serverFactsColumns = `
    current_setting('server_version') AS version,
    current_setting('server_version_num')::integer AS version_number,
    pg_is_in_recovery() AS is_replica,
    current_setting('server_encoding') AS encoding,
    to_regrole('rds_superuser') IS NOT NULL AS is_rds,
    current_user AS role,
    current_database() AS database,
    rolsuper AS is_superuser`;

/**
 * The server's version against those that the pipeline is made for.
 *
 * @param capturable those that AWS DMS reads, of a server that it is to read.
 */
export function checkVersion(facts: ServerFacts, capturable?: readonly number[]): Problem[] {
  const major = Math.floor(facts.version_number / 10_000);
  const allowed = pipelinePostgresVersions.filter((version) => capturable?.includes(version) ?? true);
  if (allowed.includes(major)) return [];
  const newest = Math.max(...allowed);
  return [
    {
      what: `The server is PostgreSQL ${facts.version}`,
      why: `${capturable ? "AWS DMS reads" : "This pipeline is made for"} ${listed(allowed)}`,
      fix:
        major < newest
          ? `Upgrade to ${newest}`
          : `Use a server of version ${newest} until ${capturable ? "AWS DMS reads" : "the pipeline knows"} newer ones${capturable ? ", which postgresVersions of the capture then names" : ""}`,
    },
  ];
}

function listed(versions: readonly number[]): string {
  return new Intl.ListFormat("en-GB").format(versions.map(String));
}

export function checkWriter(facts: ServerFacts, why: string): Problem[] {
  if (!facts.is_replica) return [];
  return [
    { what: "The connection leads to a read replica", why, fix: "Connect to the writer endpoint of the cluster" },
  ];
}

export function checkEncoding(facts: ServerFacts): Problem[] {
  if (facts.encoding === "UTF8") return [];
  return [
    {
      what: `The encoding of database ${facts.database} is ${facts.encoding}`,
      why: "Change records are JSON, which is UTF-8",
      fix: "Move the data to a database with encoding UTF8",
    },
  ];
}

const schemaOf = { source: "capture", destination: "audit" } as const satisfies Record<DatabaseSide, string>;

/** What an earlier bootstrap left: objects of another owner, or of a later version of the SQL. */
export async function checkInstalled(client: ClientBase, facts: ServerFacts, side: DatabaseSide): Promise<Problem[]> {
  const strange = await checkOrigin(client, facts, side);
  if (strange.length > 0) return strange;
  const foreign = await checkOwners(client, facts, schemaOf[side]);
  // A role that owns nothing there may not ask for the version either.
  return foreign.length > 0 ? foreign : checkSqlVersion(client, side);
}

/** How the comments of our schemas begin. The SQL that makes a schema writes its comment at once. */
const commentOf = { source: "Change capture, ", destination: "The audit log" } as const satisfies Record<
  DatabaseSide,
  string
>;

/** Finds a schema of our name that somebody else made: we must not change its objects and rights. */
async function checkOrigin(client: ClientBase, facts: ServerFacts, side: DatabaseSide): Promise<Problem[]> {
  const schema = schemaOf[side];
  const { rows } = await client.query<{ owner: string; own: boolean; objects: number }>(
    `SELECT pg_get_userbyid(nspowner) AS owner, nspowner = current_user::regrole AS own,
       (SELECT count(*)::integer FROM pg_class WHERE relnamespace = pg_namespace.oid)
         + (SELECT count(*)::integer FROM pg_proc WHERE pronamespace = pg_namespace.oid) AS objects
     FROM pg_namespace
     WHERE nspname = $1 AND coalesce(obj_description(oid, 'pg_namespace'), '') NOT LIKE $2 || '%'`,
    [schema, commentOf[side]],
  );
  const found = rows[0];
  if (!found || (found.own && found.objects === 0)) return [];
  return [
    {
      what: `Database ${facts.database} has a schema ${schema} that the pipeline did not make (owner ${found.owner})`,
      why: "The pipeline keeps its own objects there, and takes the rights of all others away",
      fix:
        side === "destination"
          ? "Give the log its own database (auditDatabaseName), or rename that schema"
          : `Rename that schema; an empty one may stay when it belongs to ${facts.role}`,
    },
  ];
}

async function checkOwners(client: ClientBase, facts: ServerFacts, schema: string): Promise<Problem[]> {
  const { rows } = await client.query<{ owner: string }>(
    `SELECT DISTINCT pg_get_userbyid(owner) AS owner
     FROM pg_namespace, LATERAL (
       SELECT nspowner UNION ALL
       SELECT relowner FROM pg_class WHERE relnamespace = pg_namespace.oid UNION ALL
       SELECT proowner FROM pg_proc WHERE pronamespace = pg_namespace.oid
     ) AS object (owner)
     WHERE nspname = $1 AND NOT pg_has_role(owner, 'USAGE')
     ORDER BY 1`,
    [schema],
  );
  return rows.map(({ owner }) => ({
    what: `Objects in the schema ${schema} belong to role ${owner}`,
    why: `Only their owner may replace them, and ${facts.role} is not a member of ${owner}`,
    fix: `GRANT "${owner}" TO "${facts.role}"`,
  }));
}

async function checkSqlVersion(client: ClientBase, side: DatabaseSide): Promise<Problem[]> {
  const name = sqlVersionFunction[side];
  const { rows: known } = await client.query<{ exists: boolean }>("SELECT to_regprocedure($1) IS NOT NULL AS exists", [
    name,
  ]);
  if (!known[0]?.exists) return [];
  const { rows } = await client.query<{ version: number }>(`SELECT ${name} AS version`);
  const found = rows[0]?.version ?? 0;
  const own = sqlVersion(side);
  if (found <= own) return [];
  return [
    {
      what: `The ${side} database has version ${found} of the pipeline's SQL, and this operator has version ${own}`,
      why: "Older definitions would replace newer ones",
      fix: `Use an operator of the release that made it, or a later one; SELECT ${name} tells the version`,
    },
  ];
}
