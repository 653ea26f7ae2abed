import { type Client, DatabaseError, escapeIdentifier } from "pg";
import type { DatabaseAccess } from "../../contract/operator";
import { postgresPort } from "../../contract/ports";
import { OperatorError } from "../errors";

const duplicateDatabase = "42P04";

/**
 * Whether the audit log has its own database on the source's server. The operator creates that database, since a cluster
 * is made with one.
 */
export function isBesideSource(source: DatabaseAccess, destination: DatabaseAccess): boolean {
  const address = ({ host, port = postgresPort }: DatabaseAccess) => `${host}:${port}`;
  return address(source) === address(destination) && source.database !== destination.database;
}

/**
 * Creates the database unless it is there.
 *
 * @param client A connection to another database of the same server.
 * @throws OperatorError when the server refuses.
 */
export async function createDatabase(client: Client, name: string): Promise<void> {
  const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [name]);
  if (rowCount) return;
  try {
    await client.query(`CREATE DATABASE ${escapeIdentifier(name)}`);
  } catch (error) {
    if (error instanceof DatabaseError && error.code === duplicateDatabase) return;
    throw new OperatorError(
      `The database ${name} for the audit log does not exist and can't be created: ${(error as Error).message}.`,
      "Create it by hand, or let the administrator whose secret was named create databases (CREATEDB).",
      { cause: error },
    );
  }
}
