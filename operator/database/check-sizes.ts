import { type ClientBase, escapeIdentifier } from "pg";
import {
  defaultLobMaxSizeKilobytes,
  defaultUnboundedVarcharMaxBytes,
  lobTypes,
  mostLobMaxSizeKilobytes,
  mostUnboundedVarcharMaxBytes,
} from "../../contract/change-capture";
import { defaultMessageMaxBytes } from "../../contract/topics";
import type { Problem } from "./problems";
import { inTransaction } from "./transaction";
import type { SelectedTable } from "./watch-tables";

/** How large values, rows and messages the capture takes. */
export interface SizeLimits {
  /** Default `defaultLobMaxSizeKilobytes`. */
  readonly lobMaxSizeKilobytes?: number;
  /** Default `defaultUnboundedVarcharMaxBytes`. */
  readonly unboundedVarcharMaxBytes?: number;
  /** Default `defaultMessageMaxBytes`. */
  readonly messageMaxBytes?: number;
}

/** Pages of 8 KB that are read of one table: of a larger one a sample. */
const mostPages = 4096;
/** Milliseconds for a lock, for one table, and for all together. What they don't suffice for is not looked at. */
const patience = { lock: 200, table: 2_000, all: 20_000 } as const;
/** A page holds no more of a row, and compression makes no more of a byte. */
const inlineBytes = 8160;
const mostCompression = 255;
/** The text of a document or array has at most so many times the bytes of its binary form. */
const mostText = 4;

/** How a column's values count against the limits. */
type Kind = "text" | "document" | "bytes" | "varchar";

interface Column {
  readonly name: string;
  readonly kind: Kind;
  /** Whether a unique index holds it. */
  readonly in_key: boolean;
}

interface MeasuredTable {
  readonly oid: number;
  readonly name: string;
  readonly full_identity: boolean;
  /** DMS carries LOBs only of a table with a unique index. */
  readonly has_key: boolean;
  readonly pages: number;
  readonly toast_bytes: number;
  readonly columns: readonly Column[];
}

const tablesQuery = `
  WITH RECURSIVE part AS (
    SELECT DISTINCT ON (pg_class.oid) pg_class.oid, relnamespace, relname, reltoastrelid,
      CASE wanted WHEN 'full' THEN true WHEN 'keep' THEN relreplident = 'f' ELSE false END AS full_identity
    FROM unnest($1::oid[], $2::text[]) AS selected (oid, wanted)
      JOIN pg_class ON pg_class.oid = selected.oid OR pg_class.oid IN (SELECT relid FROM pg_partition_tree(selected.oid))
    WHERE relkind = 'r' AND has_table_privilege(pg_class.oid, 'SELECT')
    ORDER BY pg_class.oid, pg_class.oid <> selected.oid
  ), column_type AS (
    SELECT attrelid, attnum, attname, atttypid AS type, atttypmod AS modifier
    FROM part JOIN pg_attribute ON attrelid = part.oid
    WHERE attnum > 0 AND NOT attisdropped AND attgenerated <> 'v' AND attlen = -1
    UNION ALL
    SELECT attrelid, attnum, attname, typbasetype, CASE modifier WHEN -1 THEN typtypmod ELSE modifier END
    FROM column_type JOIN pg_type ON pg_type.oid = type
    WHERE typtype = 'd'
  ), measured AS (
    SELECT attrelid, attnum, attname,
      CASE
        WHEN typname = 'varchar' THEN 'varchar'
        WHEN typname = 'bytea' THEN 'bytes'
        WHEN typname IN ('text', 'citext') THEN 'text'
        ELSE 'document'
      END AS kind
    FROM column_type JOIN pg_type ON pg_type.oid = type
    WHERE typtype <> 'd' AND (typname = ANY ($3) OR typcategory = 'A' OR typtype = 'c' OR typname = 'bytea'
      OR (typname = 'varchar' AND modifier = -1))
  )
  SELECT part.oid, format('%I.%I', nspname, relname) AS name, full_identity,
    EXISTS (SELECT FROM pg_index WHERE indrelid = part.oid AND indisunique AND indisvalid) AS has_key,
    (pg_relation_size(part.oid) / current_setting('block_size')::integer)::integer AS pages,
    least(coalesce(pg_relation_size(nullif(reltoastrelid, 0)), 0), 2147483647)::integer AS toast_bytes,
    json_agg(json_build_object('name', attname, 'kind', kind, 'in_key', EXISTS (
      SELECT FROM pg_index WHERE indrelid = part.oid AND indisunique AND indisvalid AND attnum = ANY (indkey::int2[])
    )) ORDER BY attnum) AS columns
  FROM part JOIN measured ON attrelid = part.oid JOIN pg_namespace ON pg_namespace.oid = relnamespace
  GROUP BY part.oid, full_identity, nspname, relname, reltoastrelid
  HAVING pg_relation_size(part.oid) > 0
  ORDER BY part.oid`;

/**
 * Values that are there already and that the capture would stop at once it reads or changes their row. It is a bounded look: a
 * part of a large table, and a few seconds in all, so none found is no proof.
 */
export async function checkSizes(
  client: ClientBase,
  tables: readonly SelectedTable[],
  given: SizeLimits = {},
): Promise<Problem[]> {
  const limits = {
    lobBytes: (given.lobMaxSizeKilobytes ?? defaultLobMaxSizeKilobytes) * 1024,
    varcharBytes: given.unboundedVarcharMaxBytes ?? defaultUnboundedVarcharMaxBytes,
    messageBytes: given.messageMaxBytes ?? defaultMessageMaxBytes,
  };
  const problems: Problem[] = [];
  const deadline = Date.now() + patience.all;
  for (const table of await measuredTables(client, tables)) {
    const columns = table.columns.filter(({ kind }) => kind === "varchar" || table.has_key);
    const left = Math.min(patience.table, deadline - Date.now());
    if (left <= 0) break;
    if (columns.length === 0 || !mayExceed(table, columns, limits)) continue;
    const sizes = await look(client, { ...table, columns }, limits, left);
    if (sizes) problems.push(...sizeProblems({ ...table, columns }, sizes, limits));
  }
  return problems;
}

/** The tables that hold rows. One that somebody has locked is left out, and half of the others with it is asked again. */
async function measuredTables(client: ClientBase, tables: readonly SelectedTable[]): Promise<readonly MeasuredTable[]> {
  if (tables.length === 0) return [];
  const found = await unlessTooSlow(() =>
    inTransaction(client, { lockTimeoutMilliseconds: patience.lock }, async () => {
      const { rows } = await client.query<MeasuredTable>(tablesQuery, [
        tables.map(({ oid }) => oid),
        tables.map(({ selection }) => selection.replicaIdentity ?? "full"),
        lobTypes,
      ]);
      return rows;
    }),
  );
  if (found) return found;
  if (tables.length === 1) return [];
  const half = Math.ceil(tables.length / 2);
  return [
    ...(await measuredTables(client, tables.slice(0, half))),
    ...(await measuredTables(client, tables.slice(half))),
  ];
}

/** Undefined when the server gave up because of a timeout. */
async function unlessTooSlow<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    const timeouts = ["57014", "55P03"];
    if (timeouts.includes((error as { code?: string }).code ?? "")) return undefined;
    throw error;
  }
}

interface Limits {
  readonly lobBytes: number;
  readonly varcharBytes: number;
  readonly messageBytes: number;
}

/** Whether any row of the table has the room that a value above a limit takes at the least. */
function mayExceed({ toast_bytes }: MeasuredTable, columns: readonly Column[], limits: Limits): boolean {
  const mostOfRow = (toast_bytes + inlineBytes) * mostCompression;
  const textOfRow = columns.some(({ kind }) => kind === "document") ? mostOfRow * mostText : mostOfRow;
  return (
    columns.some(({ kind }) => mostOfRow > (kind === "varchar" ? limits.varcharBytes : Infinity)) ||
    2 * textOfRow > Math.min(limits.lobBytes, limits.messageBytes)
  );
}

/** The largest of each column as its limit counts it, and the largest row. */
interface Sizes {
  readonly columns: readonly number[];
  readonly row: number;
}

/** Undefined when the look took too long, or the table is locked. */
async function look(
  client: ClientBase,
  table: MeasuredTable,
  limits: Limits,
  milliseconds: number,
): Promise<Sizes | undefined> {
  const { columns, pages, name } = table;
  const sample = pages > mostPages ? ` TABLESAMPLE SYSTEM (${((100 * mostPages) / pages).toFixed(6)})` : "";
  const values = columns.map((column) => `coalesce(max(${measure(column, limits)}), 0)`);
  const row = columns.map((column) => `coalesce(${roughly(column)}, 0)`).join(" + ");
  return unlessTooSlow(() =>
    inTransaction(client, { lockTimeoutMilliseconds: patience.lock }, async () => {
      await client.query(`SET LOCAL statement_timeout = ${Math.ceil(milliseconds)}`);
      const { rows } = await client.query<{ sizes: Sizes }>(
        `SELECT json_build_object('columns', json_build_array(${values.join(", ")}), 'row', coalesce(max(${row}), 0)) AS sizes
         FROM ONLY ${name}${sample}`,
      );
      return rows[0]?.sizes;
    }),
  );
}

/** What the limit of a column counts. A value is only unpacked when its stored size says that it may be too large. */
function measure({ name, kind }: Column, { lobBytes }: Limits): string {
  const column = escapeIdentifier(name);
  // DMS counts two bytes a character, and four of one beyond the basic plane; here each counts two.
  if (kind === "text")
    return `CASE WHEN octet_length(${column}) * 2 > ${lobBytes} THEN length(${column})::bigint * 2 END`;
  if (kind === "document") {
    const most = lobBytes / (2 * mostCompression * mostText);
    return `CASE WHEN pg_column_size(${column}) > ${most} THEN length(${column}::text)::bigint * 2 END`;
  }
  return `octet_length(${column})`;
}

/** About how many bytes a value adds to a message, without unpacking it. */
function roughly({ name, kind }: Column): string {
  const column = escapeIdentifier(name);
  if (kind === "document") return `pg_column_size(${column})`;
  return kind === "bytes" ? `octet_length(${column})::bigint * 2` : `octet_length(${column})::bigint`;
}

function sizeProblems(table: MeasuredTable, sizes: Sizes, limits: Limits): Problem[] {
  const { name, columns } = table;
  const problems = columns.flatMap((column, index): Problem[] => {
    const bytes = sizes.columns[index] ?? 0;
    if (column.kind === "varchar")
      return bytes > limits.varcharBytes ? [varcharProblem(table, column, bytes, limits)] : [];
    return bytes > limits.lobBytes ? [lobProblem(table, column, bytes, limits)] : [];
  });
  // An update carries the old row and the new one.
  const copies = table.full_identity ? 2 : 1;
  if (problems.length > 0 || copies * sizes.row <= limits.messageBytes) return problems;
  const needed = powerOfTwoAbove(copies * sizes.row);
  return [
    {
      what: `A row of ${name} has about ${sizes.row} bytes`,
      why: `A change of it takes a message of ${copies * sizes.row} bytes${copies > 1 ? ", as it carries the old row and the new one" : ""}; topics.messageMaxBytes is ${limits.messageBytes}, and a larger message stops the capture of every table`,
      fix: `Set topics.messageMaxBytes to ${needed}, or take ${name} out of the tables`,
    },
  ];
}

const stops = "and a longer value stops the capture of every table";

function varcharProblem({ name, has_key }: MeasuredTable, column: Column, bytes: number, limits: Limits): Problem {
  const { varcharBytes } = limits;
  const identifier = escapeIdentifier(column.name);
  // DMS carries no text in a key, and none of a table without one.
  const declare = has_key && !column.in_key ? [`Run ALTER TABLE ${name} ALTER COLUMN ${identifier} TYPE text`] : [];
  const needed = powerOfTwoAbove(bytes);
  const raise = needed <= mostUnboundedVarcharMaxBytes ? [`set unboundedVarcharMaxBytes to ${needed}`] : [];
  return {
    what: `${name}.${identifier}, a varchar without a length, holds a value of ${bytes} bytes`,
    why: `unboundedVarcharMaxBytes is ${varcharBytes}, ${stops}`,
    fix: alternatives([...declare, ...raise, `take ${name} out of the tables`]),
  };
}

function lobProblem({ name }: MeasuredTable, column: Column, bytes: number, limits: Limits): Problem {
  const kilobytes = Math.ceil(bytes / 1024 / 1024) * 1024;
  const message = 2 * kilobytes * 1024 >= limits.messageBytes ? powerOfTwoAbove(2 * kilobytes * 1024) : undefined;
  const raise =
    kilobytes <= mostLobMaxSizeKilobytes
      ? [
          `Set lobMaxSizeKilobytes to ${kilobytes}${message === undefined ? "" : ` and topics.messageMaxBytes to ${message}`}`,
        ]
      : [];
  return {
    what: `${name}.${escapeIdentifier(column.name)} holds a value of ${bytes} bytes as DMS counts them${column.kind === "bytes" ? "" : ", two for each character"}`,
    why: `lobMaxSizeKilobytes is ${limits.lobBytes / 1024}, ${stops}`,
    fix: alternatives([...raise, `take ${name} out of the tables`]),
  };
}

function alternatives(ways: readonly string[]): string {
  const text = new Intl.ListFormat("en-GB", { type: "disjunction" }).format(ways);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The next power of two above a size, which leaves some room. */
function powerOfTwoAbove(bytes: number): number {
  return 2 ** (Math.floor(Math.log2(bytes)) + 1);
}
