import type { ClientBase } from "pg";

/** How long a statement waits for a lock before the whole transaction is given up. */
export const defaultLockTimeoutMilliseconds = 10_000;

export interface TransactionOptions {
  /**
   * Longest wait for a lock, in milliseconds. While a statement waits, writers wait behind it, so this is also the
   * longest pause that it can cause them. Default 10000.
   */
  readonly lockTimeoutMilliseconds?: number;
}

/**
 * Runs `work` in one transaction, one caller at a time in this database, with names resolved in `pg_catalog` alone so
 * that no object of a user's schema can stand in for one of the system's. Rolls back on any error.
 */
export async function exclusively<Result>(
  client: ClientBase,
  options: TransactionOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  await client.query("BEGIN");
  try {
    await client.query("SET LOCAL search_path = pg_catalog, pg_temp");
    await client.query("SET LOCAL client_min_messages = warning");
    // Waiting for another bootstrap is no reason to fail, so the lock timeout starts after it.
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended('cdc-audit.operator', 0))");
    const lockTimeout = options.lockTimeoutMilliseconds ?? defaultLockTimeoutMilliseconds;
    await client.query("SELECT set_config('lock_timeout', $1, true)", [`${lockTimeout}ms`]);
    const result = await work();
    await client.query("COMMIT");
    return result;
  } catch (error) {
    // If the connection is gone, so is the transaction, and the first error is the one to tell.
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

/** Runs `work`, which only reads, with names resolved in `pg_catalog` alone. */
export async function readOnly<Result>(client: ClientBase, work: () => Promise<Result>): Promise<Result> {
  await client.query("BEGIN READ ONLY");
  try {
    await client.query("SET LOCAL search_path = pg_catalog, pg_temp");
    return await work();
  } finally {
    // Nothing was written; and if the connection is gone, the error of `work` is the one to tell.
    await client.query("ROLLBACK").catch(() => undefined);
  }
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
