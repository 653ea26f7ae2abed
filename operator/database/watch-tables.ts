import { type ClientBase, escapeLiteral } from "pg";
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
  const checked = await presentColumns(client, tables);
  await client.query("SELECT capture.check_watchable(oid::regclass) FROM unnest($1::oid[]) AS oid", [
    tables.map(({ oid }) => oid),
  ]);
  await client.query(
    `SELECT capture.check_columns(oid::regclass, ignored, redacted,
       capture.key_columns(oid::regclass, NULL, ignored || redacted))
     FROM jsonb_to_recordset($1) AS selected (oid oid, ignored text[], redacted text[])
     WHERE ignored || redacted <> '{}'`,
    [
      JSON.stringify(
        checked.map(({ oid, selection: { ignoredColumns = [], redactedColumns = [] } }) => ({
          oid,
          ignored: ignoredColumns,
          redacted: redactedColumns,
        })),
      ),
    ],
  );
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

/**
 * Those of {@link presentColumns} that are not under audit as they should be. The server warns of what capture loses of the
 * others, as it does when it watches a table.
 */
export async function tablesToWatch(
  client: ClientBase,
  tables: readonly SelectedTable[],
): Promise<readonly SelectedTable[]> {
  const wanted = tables.map(({ oid, selection }) => {
    const [ignored, redacted, actor, identity] = watchSettings(selection);
    return { oid, ignored, redacted, actor, identity };
  });
  const { rows } = await client.query<{ oid: number }>(
    `SELECT oid
     FROM jsonb_to_recordset($1) AS wanted (oid oid, ignored text[], redacted text[], actor boolean, identity text)
     WHERE capture.needs_watch(oid::regclass, ignored, redacted, actor, identity)`,
    [JSON.stringify(wanted)],
  );
  const lacking = new Set(rows.map(({ oid }) => oid));
  await client.query(
    `SELECT capture.warn_of_losses(relation, original_identity_index, ignored_columns, redacted_columns)
     FROM capture.watched_tables
     WHERE relation = ANY ($1::oid[]) OR partition_of = ANY ($1::oid[])
     ORDER BY relation`,
    [tables.filter(({ oid }) => !lacking.has(oid)).map(({ oid }) => oid)],
  );
  return tables.filter(({ oid }) => lacking.has(oid));
}

/** The statement that puts one of {@link presentColumns} under audit. */
export function watchStatement({ oid, selection }: SelectedTable): string {
  const [ignoredColumns, redactedColumns, identifyActor, replicaIdentity] = watchSettings(selection);
  const list = (columns: readonly string[]) =>
    `ARRAY[${columns.map((column) => escapeLiteral(column)).join(", ")}]::text[]`;
  return `SELECT capture.watch(${oid}::oid::regclass, ${list(ignoredColumns)}, ${list(redactedColumns)}, ${identifyActor}, ${escapeLiteral(replicaIdentity)})`;
}

/** The same tables; what a pattern ignores or redacts becomes the columns that each table has. */
export async function presentColumns(
  client: ClientBase,
  tables: readonly SelectedTable[],
): Promise<readonly SelectedTable[]> {
  const { rows } = await client.query<{ oid: number; names: string[] }>(
    `SELECT attrelid AS oid, array_agg(attname::text) AS names FROM pg_attribute
     WHERE attrelid = ANY ($1::oid[]) AND attnum > 0 AND NOT attisdropped GROUP BY attrelid`,
    [tables.filter(({ selection }) => isPattern(selection)).map(({ oid }) => oid)],
  );
  const columnsOf = new Map(rows.map(({ oid, names }) => [oid, new Set(names)]));
  return tables.map((table) => {
    const { selection } = table;
    if (!isPattern(selection)) return table;
    const present = (columns: readonly string[] = []) =>
      columns.filter((column) => columnsOf.get(table.oid)?.has(column));
    return {
      ...table,
      selection: {
        ...selection,
        ignoredColumns: present(selection.ignoredColumns),
        redactedColumns: present(selection.redactedColumns),
      },
    };
  });
}
