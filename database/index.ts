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
