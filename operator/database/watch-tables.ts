import type { ClientBase } from "pg";
import { neverAudited, type TableSelection } from "../../contract/change-capture";

/** A table to put under audit, and how. */
export interface TableToWatch extends TableSelection {
  /** Columns whose change alone writes no event. With a pattern, a table that lacks one ignores the rest. */
  readonly ignoredColumns?: readonly string[];
  /** Columns whose values never reach the log. With a pattern, a table that lacks one redacts the rest, and that one later. */
  readonly redactedColumns?: readonly string[];
  /** Whether transactions without a context get one from the session. Default false. */
  readonly identifyActor?: boolean;
  /** Default `full`: old values are known. `default` knows old keys only; `keep` leaves the table as it is. */
  readonly replicaIdentity?: "full" | "default" | "keep";
}

/** A table of the database that a selection names or matches. */
export interface SelectedTable {
  readonly oid: number;
  /** Qualified and quoted where needed. */
  readonly name: string;
  readonly owner: string;
  readonly selection: TableToWatch;
}

/** What the selections mean in this database now. */
export interface ResolvedSelection {
  readonly tables: readonly SelectedTable[];
  /** Selections that name or match nothing. */
  readonly unmatched: readonly TableToWatch[];
}

export const isPattern = (selection: TableSelection) => selection.table.includes("%");

/** The same pattern for LIKE, in which `_` and `\\` must be escaped to stand for themselves. */
export const likePattern = (selection: TableSelection) => selection.table.replace(/[\\_]/g, "\\$&");

/**
 * Finds the tables that selections mean: `%` stands for any characters, every other character for itself. A pattern
 * means tables that can be watched, without partitions: their parent stands for them. If several selections match a
 * table, an exact name wins, then the longest pattern.
 */
export async function resolveTables(
  client: ClientBase,
  selections: readonly TableToWatch[],
): Promise<ResolvedSelection> {
  const tables = new Map<number, SelectedTable>();
  const unmatched: TableToWatch[] = [];
  const closestLast = [...selections].sort(
    (left, right) => Number(isPattern(right)) - Number(isPattern(left)) || left.table.length - right.table.length,
  );
  for (const selection of closestLast) {
    const { rows } = await client.query<{ oid: number; name: string; owner: string }>(
      `SELECT pg_class.oid, format('%I.%I', nspname, relname) AS name, pg_get_userbyid(relowner) AS owner
       FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
       WHERE nspname = $1
         AND CASE WHEN $3
           THEN relname LIKE $2 AND relkind IN ('r', 'p') AND NOT relispartition AND relpersistence = 'p'
             AND NOT starts_with(relname, $4)
           ELSE relname = $2 AND relkind NOT IN ('i', 'I', 't', 'c')
         END
       ORDER BY relname`,
      [
        selection.schema,
        isPattern(selection) ? likePattern(selection) : selection.table,
        isPattern(selection),
        neverAudited.tablePrefix,
      ],
    );
    if (rows.length === 0) unmatched.push(selection);
    for (const row of rows) tables.set(row.oid, { ...row, selection });
  }
  return { tables: [...tables.values()], unmatched };
}

/** Raises the error that watching one of the tables would raise, before any is touched. */
export async function checkTables(client: ClientBase, tables: readonly SelectedTable[]): Promise<void> {
  for (const table of tables) {
    await client.query("SELECT capture.check_watchable($1::oid::regclass)", [table.oid]);
    await client.query(
      `SELECT capture.check_columns($1::oid::regclass, $2::text[], $3::text[],
         capture.key_columns($1::oid::regclass, NULL, $2::text[] || $3::text[]))`,
      [
        table.oid,
        await presentColumns(client, table, table.selection.ignoredColumns ?? []),
        await presentColumns(client, table, table.selection.redactedColumns ?? []),
      ],
    );
  }
}

/**
 * Notes in the database which tables DMS reads and how they are watched. With it the database watches new tables by
 * itself, and tells when its tables differ from the selection.
 */
export async function noteSelection(client: ClientBase, selections: readonly TableToWatch[]): Promise<void> {
  await client.query("DELETE FROM capture.selection");
  for (const [place, selection] of selections.entries()) {
    await client.query(
      `INSERT INTO capture.selection VALUES ($1, $2, $3, $4::text[], $5::text[], $6, $7)
       ON CONFLICT (schema_name, table_pattern) DO UPDATE SET
         (place, ignored_columns, redacted_columns, identify_actor, replica_identity) =
         (excluded.place, excluded.ignored_columns, excluded.redacted_columns, excluded.identify_actor,
          excluded.replica_identity)`,
      [selection.schema, likePattern(selection), place, ...watchSettings(selection)],
    );
  }
}

/** What `capture.watch` takes after the table. */
function watchSettings(selection: TableToWatch): [readonly string[], readonly string[], boolean, string] {
  return [
    selection.ignoredColumns ?? [],
    selection.redactedColumns ?? [],
    selection.identifyActor ?? false,
    selection.replicaIdentity ?? "full",
  ];
}

/** Puts one table under audit. */
export async function watchTable(client: ClientBase, table: SelectedTable): Promise<void> {
  const [ignoredColumns, redactedColumns, identifyActor, replicaIdentity] = watchSettings(table.selection);
  await client.query("SELECT capture.watch($1::oid::regclass, $2::text[], $3::text[], $4, $5)", [
    table.oid,
    await presentColumns(client, table, ignoredColumns),
    await presentColumns(client, table, redactedColumns),
    identifyActor,
    replicaIdentity,
  ]);
}

async function presentColumns(
  client: ClientBase,
  { oid, selection }: SelectedTable,
  columns: readonly string[],
): Promise<readonly string[]> {
  if (!isPattern(selection) || columns.length === 0) return columns;
  const { rows } = await client.query<{ name: string }>(
    "SELECT unnest(capture.column_names($1::oid::regclass)) AS name",
    [oid],
  );
  return columns.filter((column) => rows.some(({ name }) => name === column));
}
