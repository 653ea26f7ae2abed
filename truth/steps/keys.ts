import type { Random } from "../../faults/random";
import { sqlName, type Table } from "../tables";
import { type Column, identifier, keyValue } from "../values";
import type { Step, World } from "../world";
import { insertion, oneRow } from "./rows";

const holdsNumbers = ({ type }: Column) => /^(smallint|integer|bigint)$/.test(type);

/** Tables whose only key column is a number, and whose rows may bear one key for a moment. */
const isShiftable = (table: Table) =>
  table.isDeferrable && table.key.length === 1 && holdsNumbers(table.key[0] as Column);

const onShiftable =
  (sql: (random: Random, from: string, key: string, table: Table) => string): Step["take"] =>
  async (world: World) => {
    const table = world.table(isShiftable);
    if (!table) return "no table takes it";
    return world.write(table, sql(world.random, sqlName(table), identifier((table.key[0] as Column).name), table));
  };

const position = (random: Random) => random.integer(1, 24);

/** Two rows of one key, of which one goes before the transaction is over. */
function twins(random: Random, from: string, key: string, table: Table): string {
  const at = position(random);
  const columns = table.columns
    .map(({ name }) => (identifier(name) === key ? String(at) : identifier(name)))
    .join(", ");
  const which = `${key} = ${at} AND ctid = (SELECT ${random.pick(["min", "max"])}(ctid) FROM ${from} WHERE ${key} = ${at})`;
  const twin = random.chance(0.5)
    ? `INSERT INTO ${from} SELECT ${columns} FROM ${from} ORDER BY ${key} LIMIT 1`
    : `${insertion(random, table, 1)}; UPDATE ${from} SET ${key} = ${at} WHERE ${oneRow(random, table)}`;
  const parting = random.chance(0.5)
    ? `DELETE FROM ${from} WHERE ${which}`
    : `UPDATE ${from} SET ${key} = ${random.integer(100, 999)} WHERE ${which}`;
  return `SET CONSTRAINTS ALL DEFERRED; ${twin}; ${parting}; SET CONSTRAINTS ALL IMMEDIATE`;
}

export const keySteps: readonly Step[] = [
  {
    title: "give a row another key",
    part: "keys",
    weight: 6,
    take: async (world) => {
      const { random } = world;
      const table = world.table();
      if (!table) return "no table is left";
      const column = random.pick(table.key);
      return world.write(
        table,
        `UPDATE ${sqlName(table)} SET ${identifier(column.name)} = ${keyValue(random, column)} WHERE ${oneRow(random, table)}`,
      );
    },
  },
  {
    title: "shift all keys by one",
    part: "keys",
    weight: 3,
    take: onShiftable((random, from, key) => `UPDATE ${from} SET ${key} = ${key} ${random.pick(["+", "-"])} 1`),
  },
  {
    title: "turn the order of keys round",
    part: "keys",
    weight: 2,
    take: onShiftable((random, from, key) => `UPDATE ${from} SET ${key} = ${random.integer(2, 24)} - ${key}`),
  },
  {
    title: "let three keys change places",
    part: "keys",
    weight: 3,
    take: onShiftable((random, from, key) => {
      const [a, b, c] = [position(random), position(random), position(random)];
      return `UPDATE ${from} SET ${key} = CASE ${key} WHEN ${a} THEN ${b} WHEN ${b} THEN ${c} ELSE ${a} END
        WHERE ${key} IN (${a}, ${b}, ${c})`;
    }),
  },
  { title: "let two rows bear one key for a moment", part: "keys", weight: 3, take: onShiftable(twins) },
];
