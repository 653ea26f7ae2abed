import type { ClientBase } from "pg";
import { inTransaction } from "./transaction";
import { isPattern, resolveTables, type TableToWatch } from "./watch-tables";

/** One thing that keeps a database from being captured, as phrases without a final stop. */
export interface Problem {
  /** What is wrong, with the value found. */
  readonly what: string;
  /** Why the pipeline needs it otherwise. */
  readonly why: string;
  /** What to do. */
  readonly fix: string;
}

/** The database cannot be captured as it is; nothing was touched. */
export class SourceNotReadyError extends Error {
  constructor(readonly problems: readonly Problem[]) {
    super(
      [
        "The database is not ready to be captured.",
        ...problems.map(({ what, why, fix }) => `- ${what}. ${why}. ${fix}.`),
      ].join("\n"),
    );
    this.name = "SourceNotReadyError";
  }
}

interface ServerFacts {
  version: string;
  version_number: number;
  wal_level: string;
  is_replica: boolean;
  encoding: string;
  max_slots: number;
  used_slots: number;
  own_slots: number;
  wal_sender_timeout_milliseconds: number;
  is_rds: boolean;
  role: string;
  database: string;
  is_superuser: boolean;
  can_create_schema: boolean;
  can_create_roles: boolean;
  can_grant_replication: boolean;
  can_create_event_triggers: boolean;
}

const factsQuery = `
  SELECT
    current_setting('server_version') AS version,
    current_setting('server_version_num')::integer AS version_number,
    current_setting('wal_level') AS wal_level,
    pg_is_in_recovery() AS is_replica,
    current_setting('server_encoding') AS encoding,
    current_setting('max_replication_slots')::integer AS max_slots,
    (SELECT count(*)::integer FROM pg_replication_slots) AS used_slots,
    (SELECT count(*)::integer FROM pg_replication_slots WHERE database = current_database()) AS own_slots,
    (SELECT setting::integer FROM pg_settings WHERE name = 'wal_sender_timeout') AS wal_sender_timeout_milliseconds,
    to_regrole('rds_superuser') IS NOT NULL AS is_rds,
    current_user AS role,
    current_database() AS database,
    rolsuper AS is_superuser,
    rolsuper OR has_database_privilege(current_database(), 'CREATE') OR (
      to_regnamespace('capture') IS NOT NULL AND to_regnamespace('capture_heartbeat') IS NOT NULL
    ) AS can_create_schema,
    rolsuper OR rolcreaterole OR (to_regrole('cdc_capture') IS NOT NULL AND to_regrole('capture_app') IS NOT NULL)
      AS can_create_roles,
    -- Versions before 16 let only superusers give the attribute.
    rolsuper OR to_regrole('rds_replication') IS NOT NULL
      OR (rolreplication AND rolcreaterole AND current_setting('server_version_num')::integer >= 160000)
      OR EXISTS (SELECT FROM pg_roles AS existing WHERE existing.rolname = 'cdc_capture' AND existing.rolreplication)
      AS can_grant_replication,
    rolsuper
      OR coalesce((SELECT pg_has_role(rds.oid, 'USAGE') FROM pg_roles AS rds WHERE rds.rolname = 'rds_superuser'), false)
      OR (SELECT count(*) = 2 FROM pg_event_trigger WHERE evtname IN ('capture_ddl', 'capture_drop'))
      AS can_create_event_triggers
  FROM pg_roles WHERE rolname = current_user`;

/**
 * Everything that keeps the database from being captured by this role, in the order in which a person would fix it;
 * empty when it is ready. Only reads.
 */
export async function checkSource(
  client: ClientBase,
  options: { readonly tables?: readonly TableToWatch[] } = {},
): Promise<Problem[]> {
  return inTransaction(client, {}, async () => {
    const { rows } = await client.query<ServerFacts>(factsQuery);
    const facts = rows[0];
    if (!facts) throw new Error("The server does not know the role that is connected to it.");
    return [
      ...checkServer(facts),
      ...checkPrivileges(facts),
      ...(await checkTables(client, facts, options.tables ?? [])),
    ];
  });
}

function checkServer(facts: ServerFacts): Problem[] {
  const problems: Problem[] = [];
  const major = Math.floor(facts.version_number / 10_000);
  if (major < 15 || major > 17) {
    problems.push({
      what: `The server is PostgreSQL ${facts.version}`,
      why: "AWS DMS and this pipeline support 15, 16 and 17",
      fix: major < 15 ? "Upgrade to 17" : "Use a server of version 17 until DMS supports newer ones",
    });
  }
  if (facts.is_replica) {
    problems.push({
      what: "The connection leads to a read replica",
      why: "Changes are captured where they are made",
      fix: "Connect to the writer endpoint of the cluster",
    });
  }
  if (facts.wal_level !== "logical") {
    problems.push({
      what: `wal_level is ${facts.wal_level}`,
      why: "Changes are read from the WAL, which must hold them in logical form",
      fix: facts.is_rds
        ? "Set rds.logical_replication = 1 in the cluster parameter group and reboot the writer"
        : "Run ALTER SYSTEM SET wal_level = 'logical' and restart the server",
    });
  }
  if (facts.encoding !== "UTF8") {
    problems.push({
      what: `The encoding of database ${facts.database} is ${facts.encoding}`,
      why: "Change records are JSON, which is UTF-8",
      fix: "Move the data to a database with encoding UTF8",
    });
  }
  if (facts.used_slots >= facts.max_slots && facts.own_slots === 0) {
    problems.push({
      what: `All ${facts.max_slots} replication slots are in use`,
      why: "Capture needs one",
      fix: `Drop a slot that nobody reads (pg_replication_slots), or set max_replication_slots to ${facts.max_slots + 2} and restart`,
    });
  }
  const timeout = facts.wal_sender_timeout_milliseconds;
  if (timeout > 0 && timeout < 10_000) {
    problems.push({
      what: `wal_sender_timeout is ${timeout} ms`,
      why: "AWS DMS fails with less than 10000 ms",
      fix: "Set it to 30000, or to 0 for none",
    });
  }
  return problems;
}

function checkPrivileges(facts: ServerFacts): Problem[] {
  const problems: Problem[] = [];
  const administrator = facts.is_rds ? "a member of rds_superuser" : "a superuser";
  if (!facts.can_create_schema) {
    problems.push({
      what: `Role ${facts.role} may not create schemas in database ${facts.database}`,
      why: "Capture keeps its objects in the schemas capture and capture_heartbeat",
      fix: `GRANT CREATE ON DATABASE "${facts.database}" TO "${facts.role}"`,
    });
  }
  if (!facts.can_create_roles) {
    problems.push({
      what: `Role ${facts.role} may not create roles`,
      why: "DMS reads as cdc_capture, and applications give their context through capture_app",
      fix: `ALTER ROLE "${facts.role}" CREATEROLE`,
    });
  }
  if (!facts.can_grant_replication) {
    problems.push({
      what: `Role ${facts.role} may not give another role the right to replicate`,
      why: "cdc_capture reads the WAL",
      fix: `Connect as ${administrator}, or have one run CREATE ROLE cdc_capture LOGIN REPLICATION first`,
    });
  }
  if (!facts.can_create_event_triggers) {
    problems.push({
      what: `Role ${facts.role} may not create event triggers`,
      why: "They tell the pipeline of every change of a table's shape",
      fix: `Connect as ${administrator}`,
    });
  }
  return problems;
}

async function checkTables(
  client: ClientBase,
  facts: ServerFacts,
  selections: readonly TableToWatch[],
): Promise<Problem[]> {
  const { tables, unmatched } = await resolveTables(client, selections);
  const problems: Problem[] = unmatched
    .filter((selection) => !isPattern(selection))
    .map(({ schema, table }) => ({
      what: `There is no table ${table} in schema ${schema} of database ${facts.database}`,
      why: "It is to be captured",
      fix: "Create it first, or correct the name; upper case counts",
    }));
  if (facts.is_superuser) return problems;
  const { rows: foreign } = await client.query<{ owner: string }>(
    `SELECT DISTINCT rolname AS owner FROM pg_roles
     WHERE rolname = ANY ($1::text[]) AND NOT pg_has_role(oid, 'USAGE') ORDER BY 1`,
    [tables.map(({ owner }) => owner)],
  );
  for (const { owner } of foreign) {
    const names = tables.filter((table) => table.owner === owner).map(({ name }) => name);
    problems.push({
      what: `${names.join(", ")} ${names.length === 1 ? "belongs" : "belong"} to role ${owner}`,
      why: `Only its owner may set a table's replica identity, and ${facts.role} is not a member of ${owner}`,
      fix: `GRANT "${owner}" TO "${facts.role}"`,
    });
  }
  return problems;
}
