import { others, sqlName, type Table } from "../tables";
import { type Column, identifier, keyValue, valueOf } from "../values";
import type { Step, World } from "../world";
import { insertion, revision } from "./rows";

const newTypes = [
  "integer",
  "text",
  "numeric(10,2)",
  "boolean",
  "jsonb",
  "date",
  "timestamp with time zone",
  "uuid",
  "text[]",
];

/** What a type may become, and how. `keeps` says that PostgreSQL need not write the rows anew. */
const conversions: readonly {
  readonly from: RegExp;
  readonly to: string;
  readonly using?: (name: string) => string;
  readonly keeps?: true;
}[] = [
  { from: /^smallint$/, to: "integer" },
  { from: /^integer$/, to: "bigint" },
  { from: /^integer$/, to: "text", using: (name) => `${name}::text` },
  { from: /^integer$/, to: "integer", using: (name) => `${name} + 1` },
  { from: /^bigint$/, to: "text", using: (name) => `${name}::text` },
  { from: /^text$/, to: "text", using: (name) => `upper(${name})` },
  { from: /^text$/, to: "character varying(5000)" },
  { from: /^character varying/, to: "text", keeps: true },
  { from: /^numeric\(10,2\)$/, to: "numeric(14,2)", keeps: true },
  { from: /^numeric/, to: "numeric(14,4)" },
  { from: /^boolean$/, to: "integer", using: (name) => `${name}::integer` },
  { from: /^date$/, to: "timestamp without time zone" },
  { from: /^double precision$/, to: "numeric(14,4)" },
];

async function addColumn(world: World): Promise<string | undefined> {
  const table = world.table();
  if (!table) return "no table is left";
  const { random } = world;
  const column: Column = { name: world.fresh("c"), type: random.pick(newTypes), notNull: false, number: 0 };
  const constant = valueOf(random, { ...column, notNull: true });
  const kind = random.pick(["plain", "default", "default", "computed", "not null"]);
  // A default that has to be computed for each row.
  const computed: Record<string, string> = {
    integer: "(random() * 100)::integer",
    text: "clock_timestamp()::text",
    uuid: "gen_random_uuid()",
  };
  const type = kind === "computed" ? random.pick(Object.keys(computed)) : column.type;
  const rest = {
    plain: "",
    default: `DEFAULT ${constantOf(constant)}`,
    computed: `DEFAULT ${computed[type]}`,
    "not null": `NOT NULL DEFAULT ${constantOf(constant)}`,
  }[kind];
  const refused = await world.define(
    [table],
    `ALTER TABLE ${sqlName(table)} ADD COLUMN ${identifier(column.name)} ${type} ${rest}`,
  );
  const made = world.tables.find(({ oid }) => oid === table.oid);
  const added = made?.columns.filter(({ name }) => name === column.name) ?? [];
  if (made && kind === "computed") world.forget(made, added);
  return refused;
}

/** A default may hold no subquery. */
const constantOf = (value: string) => (value.startsWith("(SELECT") ? "'long'" : value);

async function dropColumn(world: World): Promise<string | undefined> {
  const table = world.table((candidate) => others(candidate).length > 2);
  if (!table) return "no table can spare a column";
  const { name } = world.random.pick(others(table));
  return world.define([table], `ALTER TABLE ${sqlName(table)} DROP COLUMN ${identifier(name)}`);
}

async function changeType(world: World, columnsOf: (table: Table) => readonly Column[]): Promise<string | undefined> {
  const fitting = (table: Table) =>
    columnsOf(table).flatMap((column) =>
      conversions
        // DDL that gives records other keys leaves nothing to know them by.
        .filter(({ from, to }) => from.test(column.type) && !(to === column.type && table.key.includes(column)))
        .map((conversion) => ({ column, ...conversion })),
    );
  const table = world.table((candidate) => fitting(candidate).length > 0);
  if (!table) return "no column can take another type";
  const { column, to, using, keeps } = world.random.pick(fitting(table));
  const name = identifier(column.name);
  const refused = await world.define(
    [table],
    `ALTER TABLE ${sqlName(table)} ALTER COLUMN ${name} DROP DEFAULT, ALTER COLUMN ${name} TYPE ${to}${using ? ` USING ${using(name)}` : ""}`,
  );
  // From its type alone nobody sees which column was given other values.
  if (!keeps) world.forget(table, to === column.type ? others(table) : [column]);
  return refused;
}

async function widenKey(world: World): Promise<string | undefined> {
  // A value that no change has told can't be told as a part of the key either.
  const fitting = (table: Table) =>
    others(table).filter((column) => canBeKey(column) && !world.forgotten(table).includes(column.name));
  const table = world.table((candidate) => !candidate.isPartitioned && fitting(candidate).length > 0);
  if (!table) return "no column can join a key";
  const { random } = world;
  const column = random.pick(fitting(table));
  const name = identifier(column.name);
  const key = [...table.key.map((part) => identifier(part.name)), name].join(", ");
  return world.define(
    [table],
    `UPDATE ${sqlName(table)} SET ${name} = ${keyValue(random, column)} WHERE ${name} IS NULL`,
    // A column's own default may not be left for the values of later rows.
    `ALTER TABLE ${sqlName(table)} DROP CONSTRAINT ${identifier(table.keyConstraint)}, ADD PRIMARY KEY (${key})`,
  );
}

const canBeKey = ({ type }: Column) => /^(smallint|integer|text|character varying|uuid)/.test(type);

async function narrowKey(world: World): Promise<string | undefined> {
  const table = world.table((candidate) => !candidate.isPartitioned && candidate.key.length > 1);
  if (!table) return "no key has two columns";
  const gone = world.random.pick(table.key);
  const key = table.key
    .filter((column) => column !== gone)
    .map(({ name }) => identifier(name))
    .join(", ");
  return world.define(
    [table],
    `ALTER TABLE ${sqlName(table)} DROP CONSTRAINT ${identifier(table.keyConstraint)}, ADD PRIMARY KEY (${key})`,
  );
}

async function makeAgain(world: World): Promise<string | undefined> {
  const table = world.table((candidate) => !candidate.isPartitioned);
  if (!table) return "no table is left";
  const name = sqlName(table);
  const { random } = world;
  const columns = table.columns.map(
    (column) => `${identifier(column.name)} ${column.type}${column.notNull ? " NOT NULL" : ""}`,
  );
  const key = table.key.map((column) => identifier(column.name)).join(", ");
  const create = `CREATE TABLE ${name} (${columns.join(", ")}, PRIMARY KEY (${key})${table.isDeferrable ? " DEFERRABLE" : ""})`;
  const first = random.chance(0.5) ? [insertion(random, table, 2)] : [];
  if (random.chance(0.5)) return world.define([table], `DROP TABLE ${name} CASCADE`, create, ...first);
  return (await world.define([table], `DROP TABLE ${name} CASCADE`)) ?? (await world.define([], create, ...first));
}

export const shapeSteps: readonly Step[] = [
  { title: "add a column", weight: 2.5, take: addColumn },
  { title: "drop a column", weight: 1.5, take: dropColumn },
  { title: "give a column another type", weight: 1.5, take: (world: World) => changeType(world, others) },
  { title: "give a key column another type", weight: 0.8, take: (world: World) => changeType(world, ({ key }) => key) },
  { title: "add a column to a key", weight: 0.8, take: widenKey },
  { title: "take a column out of a key", weight: 0.6, take: narrowKey },
  { title: "drop a table and make one of its name", weight: 0.6, take: makeAgain },
].map((step) => ({ ...step, part: "ddl", isDdl: true }));

export const swapSteps: readonly Step[] = [
  {
    title: "swap a shadow table in",
    part: "swaps",
    weight: 1,
    isDdl: true,
    take: async (world) => {
      const table = world.table((candidate) => !candidate.isPartitioned);
      if (!table) return "no table is left";
      const { random } = world;
      const name = sqlName(table);
      const schema = identifier(table.schema);
      const shadow = identifier(`${world.fresh("shadow")}${world.suffix}`);
      const former = identifier(`${world.fresh("former")}${world.suffix}`);
      const refused = await world.define(
        [table],
        `CREATE TABLE ${schema}.${shadow} (LIKE ${name} INCLUDING ALL)`,
        `INSERT INTO ${schema}.${shadow} SELECT * FROM ${name}`,
      );
      if (refused) return refused;
      return world.define(
        [table],
        ...(random.chance(0.5) ? [revision(random, table, "true")] : []),
        ...(random.chance(0.5)
          ? [`TRUNCATE ${schema}.${shadow}`, `INSERT INTO ${schema}.${shadow} SELECT * FROM ${name}`]
          : []),
        `ALTER TABLE ${name} RENAME TO ${former}`,
        `ALTER TABLE ${schema}.${shadow} RENAME TO ${identifier(table.name)}`,
        ...(random.chance(0.7) ? [`DROP TABLE ${schema}.${former} CASCADE`] : []),
      );
    },
  },
];
