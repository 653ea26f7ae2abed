import type { ClientBase } from "pg";
import { systemSearchPath } from "../../contract/session-settings";

/** How long a statement waits for a lock before it fails. */
export const defaultLockTimeoutMilliseconds = 10_000;

export interface LockOptions {
  /**
   * Longest wait for a lock, in milliseconds. While a statement waits, writers wait behind it, so this is also the
   * longest pause that it can cause them. Default 10000.
   */
  readonly lockTimeoutMilliseconds?: number;
}

const operatorLock = "hashtextextended('cdc-audit.operator', 0)";

/** Runs `work` while no other operator works on this database; waits for its turn. */
export async function exclusively<Result>(client: ClientBase, work: () => Promise<Result>): Promise<Result> {
  await client.query(`SELECT pg_catalog.pg_advisory_lock(pg_catalog.${operatorLock})`);
  try {
    return await work();
  } finally {
    // A closed connection has released the lock already, and the error of `work` is the one to report.
    await client.query(`SELECT pg_catalog.pg_advisory_unlock(pg_catalog.${operatorLock})`).catch(() => undefined);
  }
}

/**
 * Runs `work` in one transaction, with names resolved in `pg_catalog` alone, so that no object of a user's schema can
 * stand in for one of the system's. Rolls back on any error.
 */
export async function inTransaction<Result>(
  client: ClientBase,
  options: LockOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    await client.query(begin(options));
    const result = await work();
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

/** The same for one statement without parameters, in a single round trip: for what is done to each of many tables. */
export async function asTransaction(client: ClientBase, options: LockOptions, statement: string): Promise<void> {
  await client.query(`${begin(options)}; ${statement}; COMMIT`).catch(async (error: unknown) => {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  });
}

/** Queries over many tables run in functions that would plan them again for each table, which takes longer than running them. */
function begin({ lockTimeoutMilliseconds = defaultLockTimeoutMilliseconds }: LockOptions): string {
  return `BEGIN;
    SET LOCAL search_path = ${systemSearchPath};
    SET LOCAL client_min_messages = warning;
    SET LOCAL plan_cache_mode = force_generic_plan;
    SET LOCAL lock_timeout = ${Math.trunc(lockTimeoutMilliseconds)}`;
}

/** The messages of severity WARNING that the server sends while `work` runs, hints included. */
export async function withWarnings<Result>(
  client: ClientBase,
  work: () => Promise<Result>,
): Promise<{ result: Result; warnings: string[] }> {
  const warnings: string[] = [];
  const listen = (notice: { severity?: string; message?: string; hint?: string }) => {
    if (notice.severity === "WARNING" && notice.message) {
      warnings.push(notice.hint ? `${notice.message}. ${notice.hint}` : notice.message);
    }
  };
  client.on("notice", listen);
  try {
    return { result: await work(), warnings };
  } finally {
    client.off("notice", listen);
  }
}
