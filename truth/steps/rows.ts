import type { Random } from "../../faults/random";
import { others, sqlName, type Table } from "../tables";
import { type Column, identifier, keyValue, valueOf } from "../values";
import type { Step, World } from "../world";

const list = (columns: readonly Column[]) => columns.map(({ name }) => identifier(name)).join(", ");
const keyOf = ({ key }: Table) => `(${list(key)})`;

/** The condition that a row is one that is drawn. */
export function oneRow(random: Random, table: Table): string {
  const from = sqlName(table);
  return `${keyOf(table)} = (SELECT ${list(table.key)} FROM ${from} ORDER BY ${list(table.key)}
    OFFSET (SELECT ${random.integer(0, 997)} % greatest(count(*), 1) FROM ${from}) LIMIT 1)`;
}

/** The condition that a row is among a third of them, which is drawn. */
const someRows = (random: Random, table: Table) =>
  `abs(hashtext(${table.key.map(({ name }) => `${identifier(name)}::text`).join(" || '/' || ")})) % 3 = ${random.integer(0, 2)}`;

function rowOf(random: Random, table: Table, key?: readonly string[]): string {
  const values = table.columns.map((column) => {
    const place = table.key.findIndex(({ name }) => name === column.name);
    return place < 0 ? valueOf(random, column) : (key?.[place] ?? keyValue(random, column));
  });
  return `(${values.join(", ")})`;
}

/** SQL that inserts rows with drawn keys, which may be taken. */
export function insertion(random: Random, table: Table, count: number): string {
  const rows = Array.from({ length: count }, () => rowOf(random, table));
  return `INSERT INTO ${sqlName(table)} (${list(table.columns)}) VALUES ${rows.join(", ")}`;
}

const values = (random: Random, columns: readonly Column[]) =>
  columns.map((column) => `${identifier(column.name)} = ${valueOf(random, column)}`).join(", ");

function someColumns(random: Random, table: Table): Column[] {
  const free = others(table);
  const count = random.chance(0.7) ? 1 : random.integer(1, free.length);
  return free.length === 0
    ? []
    : Array.from({ length: count }, () => random.pick(free)).filter(
        (column, place, all) => all.indexOf(column) === place,
      );
}

/** SQL that updates the rows that a condition names. */
export function revision(random: Random, table: Table, where: string): string {
  const columns = someColumns(random, table);
  const changes =
    columns.length === 0 ? `${list(table.key.slice(0, 1))} = ${list(table.key.slice(0, 1))}` : values(random, columns);
  return `UPDATE ${sqlName(table)} SET ${changes} WHERE ${where}`;
}

const onAny =
  (sql: (world: World, table: Table) => string): Step["take"] =>
  async (world) => {
    const table = world.table();
    return table ? world.write(table, sql(world, table)) : "no table is left";
  };

export const rowSteps: readonly Step[] = [
  { title: "insert a row", weight: 10, take: onAny(({ random }, table) => insertion(random, table, 1)) },
  {
    title: "insert several rows, or leave those that are there",
    weight: 4,
    take: onAny(({ random }, table) => {
      const sql = insertion(random, table, random.integer(2, 5));
      return table.isDeferrable ? sql : `${sql} ON CONFLICT DO NOTHING`;
    }),
  },
  {
    title: "insert a row or update the one that is there",
    weight: 4,
    take: async (world) => {
      const table = world.table((candidate) => !candidate.isDeferrable && others(candidate).length > 0);
      if (!table) return "no table takes it";
      const { random } = world;
      const [column] = someColumns(random, table) as [Column];
      const name = identifier(column.name);
      return world.write(
        table,
        `${insertion(random, table, 1)} ON CONFLICT ${keyOf(table)} DO UPDATE SET ${name} = excluded.${name}`,
      );
    },
  },
  {
    title: "update a row",
    weight: 14,
    take: onAny(({ random }, table) => revision(random, table, oneRow(random, table))),
  },
  {
    title: "update a third of the rows",
    weight: 3,
    take: onAny(({ random }, table) => revision(random, table, someRows(random, table))),
  },
  {
    title: "update a row to what it is",
    weight: 1,
    take: onAny(({ random }, table) => {
      const name = identifier(random.pick(table.columns).name);
      return `UPDATE ${sqlName(table)} SET ${name} = ${name} WHERE ${oneRow(random, table)}`;
    }),
  },
  {
    title: "delete a row",
    weight: 6,
    take: onAny(({ random }, table) => `DELETE FROM ${sqlName(table)} WHERE ${oneRow(random, table)}`),
  },
  {
    title: "delete a third of the rows",
    weight: 1,
    take: onAny(({ random }, table) => `DELETE FROM ${sqlName(table)} WHERE ${someRows(random, table)}`),
  },
  {
    title: "delete a row and insert one of its key",
    weight: 2,
    take: onAny(({ random }, table) => {
      const key = table.key.map((column) => keyValue(random, column));
      return `DELETE FROM ${sqlName(table)} WHERE ${keyOf(table)} = (${key.join(", ")});
        INSERT INTO ${sqlName(table)} (${list(table.columns)}) VALUES ${rowOf(random, table, key)}`;
    }),
  },
];
