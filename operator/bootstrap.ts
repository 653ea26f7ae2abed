import { type ClientBase, escapeIdentifier, escapeLiteral } from "pg";
import { databaseRoles } from "../contract/database-roles";
import { type DatabaseSide, sqlFiles } from "../database";
import { type Change, changesBetween, takeInventory } from "./inventory";
import { setPasswords } from "./passwords";
import { checkSource, SourceNotReadyError } from "./check-source";
import { type TableToWatch, watchTables } from "./watch-tables";
import { type TransactionOptions, exclusively, withWarnings } from "./transaction";

export { checkSource, type Problem, SourceNotReadyError } from "./check-source";
export type { TableToWatch } from "./watch-tables";
export type { Change } from "./inventory";

/** What a bootstrap or uninstall did. */
export interface BootstrapReport {
  /** Objects that differ from before; empty when everything was in place. */
  readonly changes: readonly Change[];
  /** Roles whose password was set. It is set again at each run, since the server does not tell whether it differs. */
  readonly passwordsSet: readonly string[];
  /** What the server warned of, such as a table without a key whose text columns DMS leaves out. */
  readonly warnings: readonly string[];
}

export interface SourceBootstrap extends TransactionOptions {
  /** The tables to put under audit. Tables that are watched already and not named stay as they are. */
  readonly tables: readonly TableToWatch[];
  /** Passwords to set, printable ASCII. A role without one keeps what it has; a new one cannot log in. */
  readonly passwords?: Partial<Record<typeof databaseRoles.capture | typeof databaseRoles.application, string>>;
}

export interface DestinationBootstrap extends TransactionOptions {
  /** Passwords to set, printable ASCII. A role without one keeps what it has; a new one cannot log in. */
  readonly passwords?: Partial<Record<typeof databaseRoles.writer | typeof databaseRoles.reader, string>>;
  /** How far ahead partitions are made, as a PostgreSQL interval. Default `3 months`. */
  readonly partitionsAhead?: string;
  /** How much time one partition holds. Default `month`; see the comment of `audit.maintain`. */
  readonly partitionPeriod?: "month" | "day";
}

/**
 * Prepares a database for capture: roles, schemas, triggers, and the tables under audit. All or nothing, one caller at a
 * time, and safe to repeat.
 *
 * @throws SourceNotReadyError with everything that is missing, before anything is touched.
 */
export async function bootstrapSource(client: ClientBase, options: SourceBootstrap): Promise<BootstrapReport> {
  const problems = await checkSource(client, { tables: options.tables });
  if (problems.length > 0) throw new SourceNotReadyError(problems);
  return reportChanges(client, options, async () => {
    await applySql(client, "source");
    await watchTables(client, options.tables);
    return setPasswords(client, options.passwords ?? {});
  });
}

/** Prepares a database for the audit log: roles, schema, partitions. All or nothing, and safe to repeat. */
export async function bootstrapDestination(
  client: ClientBase,
  options: DestinationBootstrap = {},
): Promise<BootstrapReport> {
  return reportChanges(client, options, async () => {
    await applySql(client, "destination");
    await client.query("SELECT audit.maintain(ahead => $1::interval, period => $2)", [
      options.partitionsAhead ?? "3 months",
      options.partitionPeriod ?? "month",
    ]);
    return setPasswords(client, options.passwords ?? {});
  });
}

/**
 * Removes what capture made: triggers, event triggers, the schemas capture and capture_heartbeat, and its two roles
 * unless something else depends on them. Watched tables get back the replica identity they had. Does nothing where
 * nothing was made. Replication slots are left, and named in the warnings: only their reader knows whether they may go.
 */
export async function uninstallSource(client: ClientBase, options: TransactionOptions = {}): Promise<BootstrapReport> {
  const report = await reportChanges(client, options, async () => {
    // First, so that they do not report the rest.
    await client.query("DROP EVENT TRIGGER IF EXISTS capture_ddl");
    await client.query("DROP EVENT TRIGGER IF EXISTS capture_drop");
    const { rows } = await client.query<{ installed: boolean }>(
      "SELECT to_regclass('capture.watched_tables') IS NOT NULL AND to_regproc('capture.unwatch') IS NOT NULL AS installed",
    );
    if (rows[0]?.installed) {
      // A dropped table whose drop went unnoticed has nothing to give back.
      await client.query("DELETE FROM capture.watched_tables WHERE relation NOT IN (SELECT oid FROM pg_class)");
      await client.query("SELECT capture.unwatch(relation) FROM capture.watched_tables WHERE partition_of IS NULL");
      await client.query("SELECT capture.unwatch(relation) FROM capture.watched_tables");
    }
    await client.query("DROP SCHEMA IF EXISTS capture, capture_heartbeat CASCADE");
    for (const role of [databaseRoles.capture, databaseRoles.application]) await dropRole(client, role);
    return [];
  });
  const { rows: slots } = await client.query<{ slot_name: string }>(
    "SELECT slot_name FROM pg_replication_slots WHERE database = current_database() ORDER BY 1",
  );
  const slotWarnings = slots.map(
    ({ slot_name }) =>
      `Replication slot ${slot_name} still keeps WAL. If the pipeline used it, run SELECT pg_drop_replication_slot(${escapeLiteral(slot_name)}).`,
  );
  return { ...report, warnings: [...report.warnings, ...slotWarnings] };
}

/** Drops a role that nothing depends on; one that is still needed stays. */
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

async function applySql(client: ClientBase, side: DatabaseSide): Promise<void> {
  for (const file of sqlFiles(side)) {
    try {
      await client.query(file.sql);
    } catch (error) {
      throw new Error(`database/${side}/${file.name}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  }
}

async function reportChanges(
  client: ClientBase,
  options: TransactionOptions,
  work: () => Promise<string[]>,
): Promise<BootstrapReport> {
  const { result, warnings } = await withWarnings(client, () =>
    exclusively(client, options, async () => {
      const before = await takeInventory(client);
      const passwordsSet = await work();
      return { changes: changesBetween(before, await takeInventory(client)), passwordsSet };
    }),
  );
  return { ...result, warnings };
}
