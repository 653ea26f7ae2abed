import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Where SQL is applied: the database whose changes are captured, or the one that holds the audit log. */
export type DatabaseSide = "source" | "destination";

/** One numbered SQL file. Each may be run again in any state of the database that the earlier files have passed. */
export interface SqlFile {
  /** Such as `002-tables.sql`. */
  readonly name: string;
  readonly sql: string;
}

/** The function of each side that returns the version of the SQL that was applied; databases before it have none. */
export const sqlVersionFunction = {
  source: "capture.sql_version()",
  destination: "audit.sql_version()",
} as const satisfies Record<DatabaseSide, string>;

/**
 * The SQL of one side, in the order in which it is applied. The files are read from the folder of that name beside this
 * module; a bundle carries the folders beside itself.
 */
export function sqlFiles(side: DatabaseSide): readonly SqlFile[] {
  const folder = join(__dirname, side);
  return readdirSync(folder)
    .filter((name) => /^\d{3}-.+\.sql$/.test(name))
    .sort()
    .map((name) => ({ name, sql: readFileSync(join(folder, name), "utf8") }));
}

/** The version of these files, as {@link sqlVersionFunction} will return it. */
export function sqlVersion(side: DatabaseSide): number {
  for (const { name, sql } of sqlFiles(side)) {
    const version = /-version\.sql$/.test(name) ? /^\s*SELECT (\d+)$/m.exec(sql)?.[1] : undefined;
    if (version !== undefined) return Number(version);
  }
  throw new Error(`No file of database/${side} says its version.`);
}
