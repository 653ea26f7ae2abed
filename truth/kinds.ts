/** What a run may leave out, and what each part of it brings. */
export const parts = {
  keys: "keys that change, move over each other in one statement, or are borne by two rows for a moment",
  partitions: "a partitioned table, whose rows move between partitions",
  "partition-ddl": "partitions that are made, detached, attached and dropped with their rows",
  renames: "renames of tables and columns, moves between schemas, names that change hands",
  "schema-renames": "renames of schemas, which wait for nobody who writes to their tables",
  ddl: "columns that are added, dropped and given other types, keys of other columns, tables made again",
  swaps: "shadow tables that take a table's place",
  truncates: "TRUNCATE of tables and of single partitions",
  overlaps: "transactions that are open at the same time",
  savepoints: "savepoints that are rolled back",
  "clock-steps": "the source's clock set back, and right again",
  loads: "a lost slot in the middle: changes that nobody captures, then a full load beside running changes",
} as const;
export type Part = keyof typeof parts;
export const partNames = Object.keys(parts) as Part[];
