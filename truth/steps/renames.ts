import { schemas, sqlName } from "../tables";
import { identifier } from "../values";
import type { Step, World } from "../world";
import { revision } from "./rows";

/** Statements that may stand before or after DDL in its transaction. */
function around(world: World, ddl: readonly string[]): string[] {
  const { random } = world;
  const table = world.table();
  if (!table || random.chance(0.6)) return [...ddl];
  return [revision(random, table, "true"), ...ddl];
}

/** The stem of a table's name, without its number and the seed's suffix. */
const stem = (name: string) => name.split("_")[0] as string;

export const renameSteps: readonly Step[] = [
  {
    title: "rename a table",
    part: "renames",
    weight: 2,
    isDdl: true,
    take: async (world) => {
      const table = world.table();
      if (!table) return "no table is left";
      // Sometimes a name that a table has had before.
      const former = [...world.names].filter((name) => name.startsWith(`"${table.schema}".`));
      const name = world.random.chance(0.3)
        ? (world.random.pick(former).split(".")[1] as string)
        : identifier(`${world.fresh(stem(table.name))}${world.suffix}`);
      return world.define([table], ...around(world, [`ALTER TABLE ${sqlName(table)} RENAME TO ${name}`]));
    },
  },
  {
    title: "let two tables change names",
    part: "renames",
    weight: 0.7,
    isDdl: true,
    take: async (world) => {
      const one = world.table();
      const other = world.table((table) => table !== one && table.schema === one?.schema);
      if (!one || !other) return "there are not two tables in one schema";
      const between = identifier(`${world.fresh("between")}${world.suffix}`);
      const schema = identifier(one.schema);
      return world.define(
        [one, other],
        `ALTER TABLE ${sqlName(one)} RENAME TO ${between}`,
        `ALTER TABLE ${sqlName(other)} RENAME TO ${identifier(one.name)}`,
        `ALTER TABLE ${schema}.${between} RENAME TO ${identifier(other.name)}`,
      );
    },
  },
  {
    title: "rename a column",
    part: "renames",
    weight: 2.5,
    isDdl: true,
    take: async (world) => {
      const table = world.table();
      if (!table) return "no table is left";
      const column = world.random.pick(world.random.chance(0.3) ? table.key : table.columns);
      const name = identifier(world.fresh("c"));
      const ddl = `ALTER TABLE ${sqlName(table)} RENAME COLUMN ${identifier(column.name)} TO ${name}`;
      return world.define([table], ddl);
    },
  },
  {
    title: "move a table to another schema",
    part: "renames",
    weight: 1.2,
    isDdl: true,
    take: async (world) => {
      const table = world.table();
      if (!table) return "no table is left";
      const present = await presentSchemas(world);
      const target = world.random.pick(present.filter((schema) => schema !== table.schema));
      return world.define([table], ...around(world, [`ALTER TABLE ${sqlName(table)} SET SCHEMA ${target}`]));
    },
  },
  {
    title: "rename a schema while others write",
    part: "schema-renames",
    weight: 1,
    isDdl: true,
    take: async (world) => {
      const present = await presentSchemas(world);
      const [from, to] = present.includes(schemas[0]) ? [schemas[0], schemas[2]] : [schemas[2], schemas[0]];
      // It waits for no writer.
      return world.define([], `ALTER SCHEMA ${from} RENAME TO ${to}`);
    },
  },
];

async function presentSchemas(world: World): Promise<string[]> {
  const { rows } = await world.catalog.query<{ name: string }>(
    "SELECT nspname AS name FROM pg_namespace WHERE nspname = ANY ($1) ORDER BY nspname",
    [schemas],
  );
  return rows.map(({ name }) => name);
}
