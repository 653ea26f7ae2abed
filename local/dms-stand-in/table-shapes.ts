import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import { relationNames, type PrintedColumn } from "./test-decoding";
import { valueFormat, type ColumnType, type SizeLimits, type ValueFormat } from "./values";
import type { TableRoute, TableRouter } from "./table-selection";

/** One column of a captured table. */
export interface ShapeColumn extends PrintedColumn, ValueFormat {
  /** `"name":`, ready for a JSON object. */
  readonly member: string;
}

/** What is known of a captured table while its rows are read. */
export interface TableShape {
  readonly schema: string;
  readonly table: string;
  readonly route: TableRoute;
  /** In table order, as the lines of the table print them. */
  readonly columns: readonly ShapeColumn[];
  /** Indexes into {@link columns} of the primary key, in key order; empty without one. */
  readonly primaryKey: readonly number[];
  /** Whether a primary or unique key exists: without one DMS carries no LOBs. */
  readonly hasKey: boolean;
  /** Indexes of the columns that an old tuple holds when the identity is not full. */
  readonly identityKey: ReadonlySet<number>;
  /** REPLICA IDENTITY FULL, by the catalog and then by what the lines show. */
  fullIdentity: boolean;
}

interface CatalogColumn {
  readonly name: string;
  readonly prefix: string;
  readonly printed_type: string;
  readonly base_type: string;
  readonly modifier: number;
  readonly category: string;
  readonly primary_key_position: number | null;
  readonly has_key: boolean;
  readonly in_identity_key: boolean;
  readonly full_identity: boolean;
  readonly is_table: boolean;
  readonly relation: number;
}

const catalogQuery = `
  with recursive target as (
    select coalesce(
      -- What has the name now without rows of its own, such as a partitioned table, has got it since.
      (select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'm')),
      $3::oid) as oid
  ), base as (
    select a.attnum, a.atttypid as type, a.atttypmod as modifier
      from pg_attribute a join target on target.oid = a.attrelid
     where a.attnum > 0 and not a.attisdropped
    union all
    select b.attnum, t.typbasetype, case when b.modifier = -1 then t.typtypmod else b.modifier end
      from base b join pg_type t on t.oid = b.type where t.typtype = 'd'
  )
  select a.attname as name,
         ' ' || quote_ident(a.attname) || '[' || format_type(a.atttypid, null) || ']:' as prefix,
         format_type(a.atttypid, null) as printed_type,
         format_type(t.oid, null) as base_type,
         b.modifier,
         t.typcategory as category,
         array_position((i.indkey::int2[])[0:i.indnkeyatts - 1], a.attnum) as primary_key_position,
         exists (select from pg_index u where u.indrelid = c.oid and u.indisunique) as has_key,
         exists (select from pg_index u
                  where u.indrelid = c.oid and a.attnum = any(u.indkey)
                    and case c.relreplident when 'i' then u.indisreplident else u.indisprimary end) as in_identity_key,
         c.relreplident = 'f' as full_identity,
         c.relkind = 'r' as is_table,
         c.oid::int8::float8 as relation
    from pg_class c
    join target on target.oid = c.oid
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    join base b on b.attnum = a.attnum
    join pg_type t on t.oid = b.type and t.typtype <> 'd'
    left join pg_index i on i.indrelid = c.oid and i.indisprimary
   order by a.attnum`;

/**
 * Whether queries see a committed transaction. Its number lacks the epoch, which is that of the next number or, where that
 * puts it more than half a circle ahead, the one before.
 */
const visibilityQuery = `
  with now as (select pg_current_snapshot() as snapshot),
       next as (select snapshot, pg_snapshot_xmax(snapshot)::text::bigint as number from now),
       distance as (select snapshot, number, (number - $1::bigint) & 4294967295 as back from next)
  select pg_visible_in_snapshot(
           (number - case when back > 2147483647 then back - 4294967296 else back end)::text::xid8, snapshot) as visible
    from distance`;
/** Tables that bear a name one after the other before their rows are read are few. */
const mostSeen = 5;
const visibilityPollMilliseconds = 5;
/** A commit that waits for a standby stays invisible until it comes; the catalog as it is then has to do. */
const longestInvisibleMilliseconds = 10_000;

/** Looks up how tables are shaped. A log is older than the catalog it is read with, so a shape may have to be guessed. */
export class TableShapes {
  /** The tables that bore a name when it was last looked up. One that was renamed since is still known by it. */
  private readonly relations = new Map<string, number>();
  /** What the tables that bore a name looked like, the newest first. */
  private readonly seen = new Map<string, readonly TableShape[]>();

  constructor(
    private readonly database: Pool,
    private readonly route: TableRouter,
    private readonly limits: SizeLimits,
  ) {}

  /**
   * The shape of a printed relation after a transaction that changed it; undefined when it is not captured. Of a table that
   * is gone by now it is what was seen last. Of one that came and went unseen it has no columns, which its lines tell, and a
   * key, as nearly every table has: to take it for one without would leave out LOBs that the lines carry.
   */
  async load(relation: string, transactionId: number): Promise<TableShape | undefined> {
    const { schema, table } = relationNames(relation);
    if (!this.route(schema, table)) return undefined;
    await this.visible(transactionId);
    const shape = await this.find(schema, table);
    if (!shape) return undefined;
    const name = JSON.stringify([schema, table]);
    const seen = this.seen.get(name) ?? [];
    if (shape.columns.length === 0) return seen[0] ?? { ...shape, hasKey: true };
    this.seen.set(name, [shape, ...seen].slice(0, mostSeen));
    return shape;
  }

  /** What a table looked like that bore the name before, such as one that has changed names with another. */
  earlier({ schema, table }: TableShape, isIt: (shape: TableShape) => boolean): TableShape | undefined {
    return this.seen.get(JSON.stringify([schema, table]))?.find(isIt);
  }

  /** The shape of a table as the catalog has it now; undefined when it is not captured. */
  async find(schema: string, table: string): Promise<TableShape | undefined> {
    const route = this.route(schema, table);
    if (!route) return undefined;
    const name = JSON.stringify([schema, table]);
    const { rows } = await this.database.query<CatalogColumn>(catalogQuery, [schema, table, this.relations.get(name)]);
    if (rows[0]) this.relations.set(name, rows[0].relation);
    // The plug-in also prints what REFRESH MATERIALIZED VIEW CONCURRENTLY does. DMS captures changes of tables.
    if (rows[0]?.is_table === false) return undefined;
    const columns = rows.map((row) =>
      this.column(
        { name: row.name, type: row.printed_type, prefix: row.prefix },
        { name: row.base_type, modifier: row.modifier, category: row.category },
      ),
    );
    const primaryKey = rows
      .flatMap((row, index) => (row.primary_key_position === null ? [] : [{ index, at: row.primary_key_position }]))
      .sort((left, right) => left.at - right.at)
      .map(({ index }) => index);
    return {
      schema,
      table,
      route,
      columns,
      primaryKey,
      identityKey: new Set(rows.flatMap((row, index) => (row.in_identity_key ? [index] : []))),
      hasKey: rows[0]?.has_key ?? false,
      fullIdentity: rows[0]?.full_identity ?? false,
    };
  }

  /**
   * The shape of a table when a line was written that the catalog no longer describes: the line's own columns, with
   * types and keys from the catalog where it still has them.
   */
  reconstruct(current: TableShape, printed: readonly PrintedColumn[]): TableShape {
    const columns = printed.map((column) => {
      const known = current.columns.find(({ prefix }) => prefix === column.prefix);
      if (known) return known;
      const category = column.type.endsWith("[]") ? "A" : "";
      return this.column(column, { name: column.type, modifier: -1, category });
    });
    const now = (before: number) => columns.findIndex(({ name }) => name === current.columns[before]?.name);
    const primaryKey = current.primaryKey.map(now);
    return {
      ...current,
      columns,
      primaryKey: primaryKey.includes(-1) ? [] : primaryKey,
      identityKey: new Set([...current.identityKey].map(now)),
    };
  }

  /** A commit is read from the WAL a moment before queries see what it did, such as a table that it made. */
  private async visible(transactionId: number): Promise<void> {
    const deadline = Date.now() + longestInvisibleMilliseconds;
    for (;;) {
      const { rows } = await this.database.query<{ visible: boolean }>(visibilityQuery, [transactionId]);
      if (rows[0]?.visible || Date.now() > deadline) return;
      await sleep(visibilityPollMilliseconds);
    }
  }

  private column(printed: PrintedColumn, type: ColumnType): ShapeColumn {
    return { ...printed, member: `${JSON.stringify(printed.name)}:`, ...valueFormat(type, this.limits) };
  }
}
