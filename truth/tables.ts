import type { Client } from "pg";
import { type Column, identifier } from "./values";

/** A table as the catalog has it. */
export interface Table {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly isPartitioned: boolean;
  /** The oid of the table that it is a partition of; null otherwise. */
  readonly root: number | null;
  readonly columns: readonly Column[];
  readonly key: readonly Column[];
  readonly keyConstraint: string;
  /** Whether two rows may bear one key until the statement or transaction ends. */
  readonly isDeferrable: boolean;
}

/** Schemas that are captured. The first one holds a seed's tables at its beginning. */
export const schemas = ["truth", "truth_away", "truth_renamed"] as const;
/** Holds what tables held at noted moments; never captured. */
export const keptSchema = "kept";

/** A table's name in SQL. */
export const sqlName = ({ schema, name }: Pick<Table, "schema" | "name">) =>
  `${identifier(schema)}.${identifier(name)}`;

export const others = ({ columns, key }: Table) =>
  columns.filter(({ name }) => !key.some((column) => column.name === name));

/** The tables of a seed and their partitions, whose names all end alike, by name. */
export async function tablesOf(client: Client, suffix: string): Promise<Table[]> {
  const { rows } = await client.query<Table>(
    `SELECT pg_class.oid::int AS oid, nspname AS schema, relname AS name, relkind = 'p' AS "isPartitioned",
            (SELECT inhparent::int FROM pg_inherits WHERE inhrelid = pg_class.oid) AS root,
            described.columns, keyed.columns AS key, conname AS "keyConstraint", condeferrable AS "isDeferrable"
     FROM pg_class
       JOIN pg_namespace ON pg_namespace.oid = relnamespace
       JOIN pg_constraint ON conrelid = pg_class.oid AND contype = 'p'
       CROSS JOIN LATERAL (
         SELECT jsonb_agg(jsonb_build_object('number', attnum, 'name', attname, 'notNull', attnotnull,
           'type', format_type(atttypid, atttypmod)) ORDER BY attnum) AS columns
         FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
       ) AS described
       CROSS JOIN LATERAL (
         SELECT jsonb_agg(entry ORDER BY place) AS columns
         FROM unnest(conkey) WITH ORDINALITY AS part (number, place)
           JOIN jsonb_array_elements(described.columns) AS entry ON (entry ->> 'number')::int = part.number
       ) AS keyed
     WHERE nspname = ANY ($1) AND relname LIKE $2 AND relkind IN ('r', 'p')
     ORDER BY relname, nspname`,
    [schemas, `%\\${suffix}`],
  );
  return rows;
}

/** The partitions of a table, by name. */
export async function partitionsOf(client: Client, { oid }: Table): Promise<Pick<Table, "schema" | "name">[]> {
  const { rows } = await client.query<Pick<Table, "schema" | "name">>(
    `SELECT nspname AS schema, relname AS name
     FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE inhparent = $1 ORDER BY relname`,
    [oid],
  );
  return rows;
}

/** Creates a seed's tables. */
export function createTables(suffix: string, withPartitions: boolean): string[] {
  const [schema] = schemas;
  const name = (table: string) => `${schema}.${table}${suffix}`;
  return [
    `CREATE TABLE ${name("items")} (id integer PRIMARY KEY, name text, qty integer NOT NULL, price numeric(10,2),
       active boolean, doc jsonb, seen timestamptz, tags text[], note varchar(40))`,
    `CREATE TABLE ${name("lines")} (item integer REFERENCES ${name("items")} ON UPDATE CASCADE ON DELETE CASCADE,
       line smallint, what text, amount numeric(8,3), PRIMARY KEY (item, line))`,
    `CREATE TABLE ${name("steps")} (pos integer PRIMARY KEY DEFERRABLE, label text, since date)`,
    `CREATE TABLE ${name("papers")} (code text PRIMARY KEY, version bigint, body text, data bytea, ratio double precision)`,
    ...(withPartitions
      ? [
          `CREATE TABLE ${name("jobs")} (id integer, day date, state text, payload jsonb, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)`,
          `CREATE TABLE ${name("jobs_a")} PARTITION OF ${name("jobs")} FOR VALUES FROM ('2026-01-01') TO ('2026-01-10')`,
          `CREATE TABLE ${name("jobs_b")} PARTITION OF ${name("jobs")} FOR VALUES FROM ('2026-01-10') TO ('2026-01-20')`,
          `CREATE TABLE ${name("jobs_rest")} PARTITION OF ${name("jobs")} DEFAULT`,
        ]
      : []),
  ];
}
