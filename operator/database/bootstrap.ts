import { type ClientBase, escapeIdentifier, escapeLiteral } from "pg";
import { captureSchema, defaultUnboundedVarcharMaxBytes } from "../../contract/change-capture";
import { databaseRoles } from "../../contract/database-roles";
import { operatorDefaults } from "../../contract/operator";
import { type DatabaseSide, sqlFiles } from "../../database";
import { type Change, changesBetween, takeInventory } from "./inventory";
import { checkDestination } from "./check-destination";
import type { SizeLimits } from "./check-sizes";
import { checkSource, SourceNotReadyError } from "./check-source";
import { setPasswords } from "./passwords";
import { NotReadyError } from "./problems";
import {
  asTransaction,
  defaultLockTimeoutMilliseconds,
  exclusively,
  inTransaction,
  type LockOptions,
  withWarnings,
} from "./transaction";
import {
  checkTables,
  leftOutWarning,
  noteSelection,
  presentColumns,
  resolveTables,
  tablesToWatch,
  type TableToWatch,
  watchStatement,
} from "./watch-tables";

export { checkDestination } from "./check-destination";
export { checkSource, SourceNotReadyError } from "./check-source";
export { NotReadyError, type Problem } from "./problems";
export type { TableToWatch } from "./watch-tables";
export type { Change } from "./inventory";

const captureSchemas = [captureSchema.schema, captureSchema.heartbeatSchema];

/** What a bootstrap or uninstall did. */
export interface BootstrapReport {
  /** Objects that this run changed; empty when everything was in place. */
  readonly changes: readonly Change[];
  /** Roles whose password was set. Each run sets it again, since the server does not tell whether it differs. */
  readonly passwordsSet: readonly string[];
  /** What the server warned of, such as a table without a key whose text columns DMS leaves out. */
  readonly warnings: readonly string[];
}

export interface SourceBootstrap extends LockOptions, SizeLimits {
  /** The tables to put under audit. Tables that are watched already and not named stay as they are. */
  readonly tables: readonly TableToWatch[];
  /** As `capture.set_actor_sources` takes them; an empty list means none. Default: the database keeps those that it has. */
  readonly actorSources?: readonly string[];
  /** Passwords to set, printable ASCII. A role without one keeps what it has; a new one cannot log in. */
  readonly passwords?: Partial<Record<typeof databaseRoles.capture | typeof databaseRoles.application, string>>;
}

export interface DestinationBootstrap extends LockOptions {
  /** Passwords to set, printable ASCII. A role without one keeps what it has; a new one cannot log in. */
  readonly passwords?: Partial<
    Record<typeof databaseRoles.writer | typeof databaseRoles.reader | typeof databaseRoles.review, string>
  >;
  /** How far ahead partitions are made, as a PostgreSQL interval. Default `3 months`. */
  readonly partitionsAhead?: string;
  /** How much time one partition holds. Default `month`; see the comment of `audit.maintain`. */
  readonly partitionPeriod?: "month" | "day";
}

/**
 * Checks a database, then prepares it for capture; see {@link prepareSource}.
 *
 * @throws SourceNotReadyError with everything that is missing, before anything is touched.
 */
export async function bootstrapSource(client: ClientBase, options: SourceBootstrap): Promise<BootstrapReport> {
  const problems = await checkSource(client, options);
  if (problems.length > 0) throw new SourceNotReadyError(problems);
  return prepareSource(client, options);
}

/**
 * Prepares a database in which {@link checkSource} has found no problem: roles, schemas, triggers, then each table under
 * audit. One caller at a time, and safe to repeat. Each table is watched in its own transaction, so that writers never
 * wait for more than one table. If one table fails, those before it stay watched, and another run continues from there.
 */
export async function prepareSource(client: ClientBase, options: SourceBootstrap): Promise<BootstrapReport> {
  return reporting(client, options, async () => {
    const { tables, leftOut, unmatched } = await inTransaction(client, options, async () => {
      await applySql(client, options, "source");
      if (options.actorSources) await client.query("SELECT capture.set_actor_sources($1)", [options.actorSources]);
      const selected = await resolveTables(client, options.tables);
      await checkTables(client, selected.tables);
      await noteSelection(client, options.tables, options.unboundedVarcharMaxBytes ?? defaultUnboundedVarcharMaxBytes);
      return { ...selected, tables: await presentColumns(client, selected.tables) };
    });
    for (const table of await inTransaction(client, options, () => tablesToWatch(client, tables))) {
      await explainingLocks(options, table.name, () => asTransaction(client, options, watchStatement(table)));
    }
    return {
      passwordsSet: await inTransaction(client, options, () => setPasswords(client, options.passwords ?? {})),
      warnings: [
        ...leftOut.map(leftOutWarning),
        ...unmatched.map(
          ({ schema, table }) => `${schema}.${table} matches no table yet. Run the bootstrap again when it does.`,
        ),
      ],
    };
  });
}

/**
 * Checks a database, then prepares it for the audit log; see {@link prepareDestination}.
 *
 * @throws NotReadyError with everything that is missing, before anything is touched.
 */
export async function bootstrapDestination(
  client: ClientBase,
  options: DestinationBootstrap = {},
): Promise<BootstrapReport> {
  const problems = await checkDestination(client);
  if (problems.length > 0) throw new NotReadyError("The database is not ready for the audit log.", problems);
  return prepareDestination(client, options);
}

/**
 * Prepares a database in which {@link checkDestination} has found no problem: roles, schema, partitions. All or nothing,
 * and safe to repeat.
 */
export async function prepareDestination(
  client: ClientBase,
  options: DestinationBootstrap = {},
): Promise<BootstrapReport> {
  return reporting(client, options, () =>
    inTransaction(client, options, async () => {
      await applySql(client, options, "destination");
      await client.query("SELECT audit.maintain(ahead => $1::interval, period => $2)", [
        options.partitionsAhead ?? operatorDefaults.partitionsAhead,
        options.partitionPeriod ?? operatorDefaults.partitionPeriod,
      ]);
      return { passwordsSet: await setPasswords(client, options.passwords ?? {}), warnings: [] };
    }),
  );
}

export interface SourceUninstall extends LockOptions {
  /** Roles of capture that stay, because they were there before it. Default: none. */
  readonly keepRoles?: readonly string[];
}

/**
 * Removes what capture made: triggers, event triggers, the schemas capture and capture_heartbeat, and its two roles
 * unless something else depends on them. Watched tables get back the replica identity they had. Does nothing in a
 * database without capture. Replication slots stay, and the warnings name them: only their reader knows whether they
 * may go.
 */
export async function uninstallSource(client: ClientBase, options: SourceUninstall = {}): Promise<BootstrapReport> {
  return reporting(client, options, async () => {
    const watched = await inTransaction(client, options, async () => {
      // The event triggers go first, so that they do not report what follows.
      await client.query("DROP EVENT TRIGGER IF EXISTS capture_ddl");
      await client.query("DROP EVENT TRIGGER IF EXISTS capture_drop");
      await client.query("DROP EVENT TRIGGER IF EXISTS capture_rewrite");
      return watchedTables(client);
    });
    for (const { oid, name } of watched) {
      await explainingLocks(options, name, () =>
        asTransaction(client, options, `SELECT capture.unwatch(${oid}::oid::regclass)`),
      );
    }
    await inTransaction(client, options, async () => {
      // Without these schemas the roles belong to another database of this server.
      const { rowCount: schemas } = await client.query("SELECT FROM pg_namespace WHERE nspname = ANY ($1::text[])", [
        captureSchemas,
      ]);
      if (!schemas) return;
      await client.query(`DROP SCHEMA IF EXISTS ${captureSchemas.join(", ")} CASCADE`);
      const roles = [databaseRoles.capture, databaseRoles.application];
      for (const role of roles.filter((role) => !options.keepRoles?.includes(role))) await dropRole(client, role);
    });
    const { rows: slots } = await client.query<{ name: string }>(
      "SELECT slot_name AS name FROM pg_catalog.pg_replication_slots WHERE database = current_database() ORDER BY 1",
    );
    return {
      passwordsSet: [],
      warnings: slots.map(
        ({ name }) =>
          `Replication slot ${name} still keeps WAL. If the pipeline used it, run SELECT pg_drop_replication_slot(${escapeLiteral(name)}).`,
      ),
    };
  });
}

/** The tables to stop watching, partitioned tables before partitions that were watched by themselves. */
async function watchedTables(client: ClientBase): Promise<{ oid: number; name: string }[]> {
  const { rows: installed } = await client.query<{ complete: boolean }>(
    "SELECT to_regclass('capture.watched_tables') IS NOT NULL AND to_regproc('capture.unwatch') IS NOT NULL AS complete",
  );
  if (!installed[0]?.complete) return [];
  const { rows } = await client.query<{ oid: number; name: string }>(
    `SELECT relation::oid AS oid, relation::text AS name
     FROM capture.watched_tables JOIN pg_class ON pg_class.oid = relation
     ORDER BY partition_of IS NOT NULL, relation`,
  );
  return rows;
}

/** Drops a role unless something depends on it. */
async function dropRole(client: ClientBase, role: string): Promise<void> {
  const { rowCount } = await client.query("SELECT FROM pg_roles WHERE rolname = $1", [role]);
  if (!rowCount) return;
  await client.query("SAVEPOINT drop_role");
  try {
    const { rows } = await client.query<{ name: string }>("SELECT current_database() AS name");
    await client.query(`REVOKE ALL ON DATABASE ${escapeIdentifier(rows[0]!.name)} FROM ${role}`);
    await client.query(`DROP ROLE ${role}`);
  } catch (error) {
    await client.query("ROLLBACK TO drop_role");
    const dependentObjectsStillExist = "2BP01";
    if ((error as { code?: string }).code !== dependentObjectsStillExist) throw error;
  }
  await client.query("RELEASE drop_role");
}

async function applySql(client: ClientBase, options: LockOptions, side: DatabaseSide): Promise<void> {
  for (const file of sqlFiles(side)) {
    await explainingLocks(options, `database/${side}/${file.name}`, () => client.query(file.sql));
  }
}

/** Adds to an error what was being done, and the fix when a lock could not be had. */
async function explainingLocks(options: LockOptions, what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const lockNotAvailable = "55P03";
    const waited = options.lockTimeoutMilliseconds ?? defaultLockTimeoutMilliseconds;
    error.message =
      (error as { code?: string }).code === lockNotAvailable
        ? `${what}: other transactions held a lock on it for more than ${waited} ms. Run this again, or raise lockTimeoutMilliseconds.`
        : `${what}: ${error.message}`;
    throw error;
  }
}

async function reporting(
  client: ClientBase,
  options: LockOptions,
  work: () => Promise<Omit<BootstrapReport, "changes">>,
): Promise<BootstrapReport> {
  return exclusively(client, async () => {
    const takeStock = () => inTransaction(client, options, () => takeInventory(client));
    const before = await takeStock();
    const { result, warnings } = await withWarnings(client, work);
    return {
      changes: changesBetween(before, await takeStock()),
      passwordsSet: result.passwordsSet,
      warnings: [...warnings, ...result.warnings],
    };
  });
}
