import type { ClientBase } from "pg";
import { captureSchema, isPattern, selects } from "../../contract/change-capture";
import { checkRowSecurity } from "./check-row-security";
import {
  checkEncoding,
  checkInstalled,
  checkVersion,
  checkWriter,
  type ServerFacts,
  serverFactsColumns,
} from "./check-server";
import { checkSizes, type SizeLimits } from "./check-sizes";
import { NotReadyError, type Problem } from "./problems";
import { inTransaction } from "./transaction";
import {
  likePattern,
  matchesAny,
  type ResolvedSelection,
  resolveTables,
  type SelectedTable,
  type TableToWatch,
} from "./watch-tables";

/** The database cannot be captured as it is; nothing was touched. */
export class SourceNotReadyError extends NotReadyError {
  constructor(problems: readonly Problem[]) {
    super("The database is not ready to be captured.", problems);
    this.name = "SourceNotReadyError";
  }
}

interface SourceFacts extends ServerFacts {
  readonly wal_level: string;
  readonly max_slots: number;
  readonly used_slots: number;
  readonly own_slots: number;
  readonly wal_sender_timeout_milliseconds: number;
  readonly can_create_schema: boolean;
  readonly can_create_roles: boolean;
  readonly can_grant_replication: boolean;
  readonly can_create_event_triggers: boolean;
}

const factsQuery = `
  SELECT ${serverFactsColumns},
    current_setting('wal_level') AS wal_level,
    current_setting('max_replication_slots')::integer AS max_slots,
    (SELECT count(*)::integer FROM pg_replication_slots) AS used_slots,
    (SELECT count(*)::integer FROM pg_replication_slots WHERE database = current_database()) AS own_slots,
    (SELECT setting::integer FROM pg_settings WHERE name = 'wal_sender_timeout') AS wal_sender_timeout_milliseconds,
    rolsuper OR has_database_privilege(current_database(), 'CREATE') OR (
      to_regnamespace('${captureSchema.schema}') IS NOT NULL
      AND to_regnamespace('${captureSchema.heartbeatSchema}') IS NOT NULL
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
      OR (SELECT count(*) = 3 FROM pg_event_trigger WHERE evtname IN ('capture_ddl', 'capture_drop', 'capture_rewrite'))
      AS can_create_event_triggers
  FROM pg_roles WHERE rolname = current_user`;

/** What a database is to be captured with. */
export interface SourceToCheck extends SizeLimits {
  readonly tables?: readonly TableToWatch[];
  /** Major versions of PostgreSQL that DMS reads. Default: all that the pipeline is made for. */
  readonly postgresVersions?: readonly number[];
}

/**
 * Everything that keeps the database from being captured by this role, in the order in which a person would fix it;
 * empty when it is ready. Only reads.
 */
export async function checkSource(client: ClientBase, options: SourceToCheck = {}): Promise<Problem[]> {
  const { tables = [], postgresVersions } = options;
  let selected: readonly SelectedTable[] = [];
  const problems = await inTransaction(client, {}, async () => {
    const { rows } = await client.query<SourceFacts>(factsQuery);
    const facts = rows[0];
    if (!facts) throw new Error("The server does not know the role that is connected to it.");
    const resolved = await resolveTables(client, tables);
    selected = resolved.tables;
    return [
      ...checkServer(facts, postgresVersions),
      ...checkPrivileges(facts),
      ...(await checkInstalled(client, facts, "source")),
      ...(await checkTables(client, facts, tables, resolved)),
    ];
  });
  return [...problems, ...(await checkSizes(client, selected, options))];
}

function checkServer(facts: SourceFacts, postgresVersions?: readonly number[]): Problem[] {
  const problems = [
    ...checkVersion(facts, postgresVersions),
    ...checkWriter(facts, "Changes are captured where they are made"),
  ];
  if (facts.wal_level !== "logical") {
    problems.push({
      what: `wal_level is ${facts.wal_level}`,
      why: "Changes are read from the WAL, which must hold them in logical form",
      fix: facts.is_rds
        ? "Set rds.logical_replication = 1 in the cluster parameter group and reboot the writer"
        : "Run ALTER SYSTEM SET wal_level = 'logical' and restart the server",
    });
  }
  problems.push(...checkEncoding(facts));
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

function checkPrivileges(facts: SourceFacts): Problem[] {
  const problems: Problem[] = [];
  const administrator = facts.is_rds ? "a member of rds_superuser" : "a superuser";
  if (!facts.can_create_schema) {
    problems.push({
      what: `Role ${facts.role} may not create schemas in database ${facts.database}`,
      why: `Capture keeps its objects in the schemas ${captureSchema.schema} and ${captureSchema.heartbeatSchema}`,
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
  { tables, unmatched }: ResolvedSelection,
): Promise<Problem[]> {
  const problems: Problem[] = unmatched
    .filter((selection) => !isPattern(selection) && !isExcluded(selection, selections))
    .map(({ schema, table }) => ({
      what: `There is no table ${table} in schema ${schema} of database ${facts.database}`,
      why: "It is to be captured",
      fix: "Create it first, or correct the name; upper case counts",
    }));
  problems.push(...contradictions(selections));
  problems.push(...(await checkIdentities(client, tables)));
  problems.push(...(await checkRowSecurity(client, facts, tables)));
  problems.push(...(await checkPublications(client, tables)));
  problems.push(...(await checkPartitions(client, tables, selections)));
  problems.push(...checkOwners(facts, tables));
  return problems;
}

const isExcluded = (selection: TableToWatch, selections: readonly TableToWatch[]) =>
  selections.some((other) => other.exclude && selects(other, selection));

/** Entries of which nothing remains. */
function contradictions(selections: readonly TableToWatch[]): Problem[] {
  return selections
    .filter((selection) => !selection.exclude && isExcluded(selection, selections))
    .map(({ schema, table }) => ({
      what: `${schema}.${table} is to be captured and to be left out`,
      why: "DMS leaves out what one entry excludes, whatever others say",
      fix: "Remove it from the tables, or narrow the entry that excludes it",
    }));
}

/** Tables whose replica identity this role may not set. */
function checkOwners(facts: ServerFacts, tables: readonly SelectedTable[]): Problem[] {
  const foreign = tables.filter(({ mine }) => !mine);
  return [...new Set(foreign.map(({ owner }) => owner))].sort().map((owner) => {
    const owned = foreign.filter((table) => table.owner === owner);
    const grant = `GRANT "${owner}" TO "${facts.role}"`;
    return {
      what: `${owned.map(({ name }) => name).join(", ")} ${owned.length === 1 ? "belongs" : "belong"} to role ${owner}`,
      why: `Only its owner may set a table's replica identity, and ${facts.role} is not a member of ${owner}`,
      fix: owned.every(({ grantable }) => grantable)
        ? grant
        : `Have a superuser or an administrator of ${owner} run ${grant}, or take the table out of the tables to audit`,
    };
  });
}

/** Tables whose updates and deletes PostgreSQL would refuse, because a publication has a column list for them. */
async function checkPublications(client: ClientBase, tables: readonly SelectedTable[]): Promise<Problem[]> {
  const full = tables.filter(({ selection }) => (selection.replicaIdentity ?? "full") === "full");
  const { rows } = await client.query<{ name: string; publication: string }>(
    `SELECT DISTINCT name, pubname AS publication
     FROM unnest($1::oid[], $2::text[]) AS selected (oid, name)
       JOIN pg_publication_rel ON prattrs IS NOT NULL AND (
         prrelid = selected.oid
         OR prrelid IN (SELECT relid FROM pg_partition_ancestors(selected.oid))
         OR prrelid IN (SELECT relid FROM pg_partition_tree(selected.oid)))
       JOIN pg_publication ON pg_publication.oid = prpubid AND (pubupdate OR pubdelete)
     ORDER BY name, publication`,
    [full.map(({ oid }) => oid), full.map(({ name }) => name)],
  );
  return rows.map(({ name, publication }) => ({
    what: `Publication ${publication} has a column list for ${name}`,
    why: "With replica identity full PostgreSQL would refuse every update and delete of the table",
    fix: "Take the column list out of the publication, or watch the table with replicaIdentity keep",
  }));
}

/** Partitions that DMS would not read, or would read alone: it takes each for a table with its own name. */
async function checkPartitions(
  client: ClientBase,
  tables: readonly SelectedTable[],
  selections: readonly TableToWatch[],
): Promise<Problem[]> {
  const included = selections.filter(({ exclude }) => !exclude);
  const excluded = selections.filter(({ exclude }) => exclude);
  const entries = [included, excluded].flatMap((list) => [list.map(({ schema }) => schema), list.map(likePattern)]);
  const { rows } = await client.query<{ name: string; example: string; schema: string; watched: boolean }>(
    `SELECT DISTINCT ON (name) name, relname AS example, nspname AS schema, watched
     FROM (
         SELECT pg_class.oid, format('%I.%I', nspname, relname) AS name, pg_class.oid = ANY ($5::oid[]) AS watched
         FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
         WHERE relkind = 'p' AND (pg_class.oid = ANY ($5::oid[]) OR (NOT relispartition AND ${matchesAny("$3", "$4")}))
       ) AS partitioned,
       LATERAL (SELECT relid FROM pg_partition_tree(partitioned.oid) WHERE isleaf AND relid <> partitioned.oid) AS leaf
       JOIN pg_class ON pg_class.oid = relid JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE relkind = 'r' AND relpersistence = 'p'
       AND watched <> (${matchesAny("$1", "$2")} AND NOT ${matchesAny("$3", "$4")})
     ORDER BY name, relname`,
    [...entries, tables.map(({ oid }) => oid)],
  );
  return rows.map(({ name, schema, example, watched }) => {
    const pattern = `${example.replace(/[^_]*$/, "") || example}%`;
    const entry = `{ schema: "${schema}", table: "${pattern}"${watched ? "" : ", exclude: true"} }`;
    return watched
      ? {
          what: `${name} is partitioned, and no table that is named covers its partition ${schema}.${example}`,
          why: "DMS reads each partition as a table with its own name, so their changes would not be captured",
          fix: `Add a pattern that covers them all, such as ${entry}, and exclude none of them`,
        }
      : {
          what: `${name} is partitioned and excluded, and its partition ${schema}.${example} is not`,
          why: "DMS reads each partition as a table with its own name, so their changes would be captured without redaction",
          fix: `Exclude them all, such as with ${entry}`,
        };
  });
}

/** Tables whose updates and deletes would not say which row they changed, because nothing identifies a row. */
async function checkIdentities(client: ClientBase, tables: readonly SelectedTable[]): Promise<Problem[]> {
  const identityOf = (table: SelectedTable) => table.selection.replicaIdentity ?? "full";
  const { rows } = await client.query<{ name: string; wanted: string; deferrable: boolean }>(
    `SELECT name, wanted,
       EXISTS (SELECT FROM pg_index WHERE indrelid = selected.oid AND indisprimary AND NOT indimmediate) AS deferrable
     FROM unnest($1::oid[], $2::text[], $3::text[]) AS selected (oid, name, wanted)
     WHERE wanted <> 'full' AND EXISTS (
       SELECT FROM pg_class AS part
       WHERE (part.oid = selected.oid OR part.oid IN (SELECT relid FROM pg_partition_tree(selected.oid)))
         AND part.relkind IN ('r', 'p')
         AND CASE
           WHEN wanted = 'keep' AND part.relkind = 'p' THEN false
           WHEN wanted = 'keep' AND part.relreplident = 'f' THEN false
           WHEN wanted = 'keep' AND part.relreplident = 'n' THEN true
           -- An identity index may have been dropped, and a deferrable primary key is no identity.
           ELSE NOT EXISTS (
             SELECT FROM pg_index
             WHERE indrelid = part.oid AND indisvalid AND indimmediate
               AND CASE WHEN wanted = 'keep' AND part.relreplident = 'i' THEN indisreplident ELSE indisprimary END)
         END
     )
     ORDER BY name`,
    [tables.map(({ oid }) => oid), tables.map(({ name }) => name), tables.map(identityOf)],
  );
  return rows.map(({ name, wanted, deferrable }) => ({
    what:
      wanted === "keep"
        ? `${name} has a replica identity that identifies no row`
        : `${name} has ${deferrable ? "a deferrable" : "no"} primary key, and its replica identity is to be default`,
    why: "Its updates and deletes could not be captured",
    fix: "Give the table a primary key, or watch it with replicaIdentity full",
  }));
}
