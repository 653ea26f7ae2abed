import { type ClientBase, escapeLiteral } from "pg";
import { isPattern, neverAudited, type TableSelection } from "../../contract/change-capture";

/** A table to put under audit, and how, or to leave out. */
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
  /** Whether the role that is connected has the owner's rights. */
  readonly mine: boolean;
  /** Whether it could give itself these rights. */
  readonly grantable: boolean;
  readonly selection: TableToWatch;
}

/** A table that matches a pattern and is not watched. */
export interface LeftOutTable {
  readonly name: string;
  /** A phrase such as `belongs to the extension postgis`. */
  readonly reason: string;
  /** The entry that excludes it from what DMS reads as well. */
  readonly exclusion: TableSelection;
}

/** What the selections mean in this database now. */
export interface ResolvedSelection {
  readonly tables: readonly SelectedTable[];
  /** What patterns match and don't take. */
  readonly leftOut: readonly LeftOutTable[];
  /** Selections that name or match nothing. */
  readonly unmatched: readonly TableToWatch[];
}

/** The table of a selection as a pattern for LIKE, in which `_` and `\\` must be escaped to stand for themselves. */
export const likePattern = (selection: TableSelection) => selection.table.replace(/[\\_]/g, "\\$&");

/** A condition on nspname and relname: an array of schemas and one of patterns, both parameters, match. */
export const matchesAny = (schemas: string, patterns: string) =>
  `EXISTS (SELECT FROM unnest(${schemas}::text[], ${patterns}::text[]) AS entry (schema_name, table_pattern)
    WHERE nspname = schema_name AND relname LIKE table_pattern)`;

interface MatchingTable extends Omit<SelectedTable, "selection"> {
  readonly schema: string;
  readonly table: string;
  readonly extension: string | null;
}

const matchingTablesQuery = `
  SELECT pg_class.oid, nspname AS schema, relname AS table, format('%I.%I', nspname, relname) AS name,
    owner.rolname AS owner, pg_has_role(owner.oid, 'USAGE') AS mine,
    pg_has_role(owner.oid, 'MEMBER WITH ADMIN OPTION')
      -- Before version 16 a role that creates roles may grant any role except a superuser.
      OR (me.rolcreaterole AND NOT owner.rolsuper AND current_setting('server_version_num') < '16') AS grantable,
    (SELECT extname FROM pg_depend JOIN pg_extension ON pg_extension.oid = refobjid
     WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e' LIMIT 1) AS extension
  FROM pg_class
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_roles AS owner ON owner.oid = relowner
    JOIN pg_roles AS me ON me.rolname = current_user
  WHERE nspname = $1
    AND CASE WHEN $3
      THEN relname LIKE $2 AND relkind IN ('r', 'p') AND NOT relispartition AND relpersistence = 'p'
        AND NOT starts_with(relname, $4)
      ELSE relname = $2 AND relkind NOT IN ('i', 'I', 't', 'c')
    END
    AND NOT ${matchesAny("$5", "$6")}
  ORDER BY relname`;

/**
 * Finds the tables that selections mean: `%` stands for any characters, every other character for itself. What an entry
 * excludes is left out, whatever else names it. A pattern means tables that can be watched, without partitions: their
 * parent stands for them. It leaves out tables of extensions and of roles that can't be granted. If several selections
 * match a table, an exact name wins, then the longest pattern.
 */
export async function resolveTables(
  client: ClientBase,
  selections: readonly TableToWatch[],
): Promise<ResolvedSelection> {
  const tables = new Map<number, SelectedTable>();
  const leftOut = new Map<number, LeftOutTable>();
  const unmatched: TableToWatch[] = [];
  const included = selections.filter(({ exclude }) => !exclude);
  const excluded = selections.filter(({ exclude }) => exclude);
  const length = (selection: TableSelection) => [...selection.table].length;
  const closestLast = included.sort(
    (left, right) => Number(isPattern(right)) - Number(isPattern(left)) || length(left) - length(right),
  );
  for (const selection of closestLast) {
    const { rows } = await client.query<MatchingTable>(matchingTablesQuery, [
      selection.schema,
      isPattern(selection) ? likePattern(selection) : selection.table,
      isPattern(selection),
      neverAudited.tablePrefix,
      excluded.map(({ schema }) => schema),
      excluded.map(likePattern),
    ]);
    if (rows.length === 0) unmatched.push(selection);
    for (const { schema, table, extension, ...row } of rows) {
      const reason = isPattern(selection) ? reasonToLeaveOut(extension, row) : undefined;
      if (reason) leftOut.set(row.oid, { name: row.name, reason, exclusion: { schema, table, exclude: true } });
      else tables.set(row.oid, { ...row, selection });
    }
  }
  return {
    tables: [...tables.values()],
    leftOut: [...leftOut].filter(([oid]) => !tables.has(oid)).map(([, table]) => table),
    unmatched,
  };
}

function reasonToLeaveOut(extension: string | null, { owner, mine, grantable }: Omit<SelectedTable, "selection">) {
  if (extension !== null) return `belongs to the extension ${extension}`;
  if (!mine && !grantable) return `belongs to role ${owner}, which this role can't be granted`;
  return undefined;
}

/** What to tell of a table that a pattern leaves out: DMS knows the pattern alone, so it reads the table. */
export function leftOutWarning({ name, reason, exclusion }: LeftOutTable): string {
  return (
    `${name} matches a pattern and is not watched, because it ${reason}. DMS reads it all the same, without its types ` +
    `and without redaction: add ${JSON.stringify(exclusion)} to the tables.`
  );
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
 * Notes in the database which tables DMS reads, how they are watched, and how long a value it takes. With it the database
 * watches new tables by itself, and tells when its tables differ from the selection or from what DMS takes.
 */
export async function noteSelection(
  client: ClientBase,
  selections: readonly TableToWatch[],
  unboundedVarcharMaxBytes: number,
): Promise<void> {
  await client.query("DELETE FROM capture.selection");
  for (const [place, selection] of selections.entries()) {
    await client.query(
      `INSERT INTO capture.selection (
         schema_name, table_pattern, place, ignored_columns, redacted_columns, identify_actor, replica_identity, exclude
       ) VALUES ($1, $2, $3, $4::text[], $5::text[], $6, $7, $8)
       ON CONFLICT (schema_name, table_pattern) DO UPDATE SET
         (place, ignored_columns, redacted_columns, identify_actor, replica_identity, exclude) =
         (excluded.place, excluded.ignored_columns, excluded.redacted_columns, excluded.identify_actor,
          excluded.replica_identity, excluded.exclude)`,
      [selection.schema, likePattern(selection), place, ...watchSettings(selection), selection.exclude ?? false],
    );
  }
  await client.query(
    `INSERT INTO capture.limits VALUES ('unbounded varchar bytes', $1)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE limits.value <> excluded.value`,
    [unboundedVarcharMaxBytes],
  );
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
    `SELECT capture.warn_of_losses(ARRAY(
       SELECT relation::oid FROM capture.watched_tables
       WHERE relation = ANY ($1::oid[]) OR partition_of = ANY ($1::oid[])))`,
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
