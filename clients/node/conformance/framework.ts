import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What the driver can ask of a connection or of a transaction, done the way that users of the framework do it. */
export interface Session {
  insert(id: string): Promise<unknown>;
  update(id: string): Promise<unknown>;
  delete(id: string): Promise<unknown>;
  /** Runs a statement of its own text. */
  run(sql: string): Promise<unknown>;
  count(): Promise<unknown>;
}

/** A transaction, or a savepoint within one. */
export interface TransactionSession extends Session {
  savepoint(work: (session: TransactionSession) => Promise<void>): Promise<unknown>;
}

export interface TransactionModes {
  readonly readOnly: boolean;
  readonly isolation?: "read committed" | "repeatable read" | "serializable";
}

/** A framework with a pool of its own. */
export interface Connected extends Session {
  /** Rolls back and rejects when `work` does. */
  transaction(modes: TransactionModes, work: (session: TransactionSession) => Promise<void>): Promise<unknown>;
  close(): Promise<unknown>;
}

/** What a framework file exports. */
export interface Framework {
  /** Name and version. */
  readonly driver: string;
  readonly cannot?: Readonly<Record<string, string>>;
  /** Connects lazily, with at most so many connections. */
  connect(url: string, connections: number): Connected | Promise<Connected>;
}

/** The version of an installed package. */
export function versionOf(packageName: string): string {
  // Some packages don't export their package.json.
  const file = (require.resolve.paths(packageName) ?? [])
    .map((folder) => join(folder, packageName, "package.json"))
    .find((path) => existsSync(path));
  if (!file) throw new Error(`${packageName} is not installed: run npm ci.`);
  return `${packageName} ${(JSON.parse(readFileSync(file, "utf8")) as { version: string }).version}`;
}
