import { partitionsOf, sqlName, type Table } from "../tables";
import { type Column, identifier, keyValue } from "../values";
import type { Step, World } from "../world";
import { oneRow, revision } from "./rows";

const isPartitioned = (table: Table) => table.isPartitioned;
/** The column that the partitions go by. */
const day = ({ key }: Table) => key.find(({ type }) => type === "date") as Column;
const dayOf = (number: number) => `'2026-01-${String(number).padStart(2, "0")}'`;

async function partitionOf(world: World): Promise<{ table: Table; partition: string } | undefined> {
  const table = world.table(isPartitioned);
  if (!table) return undefined;
  const partitions = await partitionsOf(world.catalog, table);
  return partitions.length === 0 ? undefined : { table, partition: sqlName(world.random.pick(partitions)) };
}

const onPartition =
  (statements: (partition: string, parent: string) => string[]): Step["take"] =>
  async (world) => {
    const chosen = await partitionOf(world);
    if (!chosen) return "no partition is left";
    return world.define([chosen.table], ...statements(chosen.partition, sqlName(chosen.table)));
  };

export const partitionSteps: readonly Step[] = [
  {
    title: "move a row to another partition",
    part: "partitions",
    weight: 6,
    take: async (world) => {
      const table = world.table(isPartitioned);
      if (!table) return "no partitioned table is left";
      const { random } = world;
      const column = day(table);
      const move = `UPDATE ${sqlName(table)} SET ${identifier(column.name)} = ${keyValue(random, column)} WHERE ${oneRow(random, table)}`;
      return world.write(
        table,
        random.chance(0.7) ? move : `${move}; ${revision(random, table, oneRow(random, table))}`,
      );
    },
  },
  {
    title: "move all rows by some days",
    part: "partitions",
    weight: 1,
    take: async (world) => {
      const table = world.table(isPartitioned);
      if (!table) return "no partitioned table is left";
      const name = identifier(day(table).name);
      return world.write(table, `UPDATE ${sqlName(table)} SET ${name} = ${name} + ${world.random.integer(-9, 9)}`);
    },
  },
  {
    title: "make a partition",
    part: "partition-ddl",
    weight: 1,
    isDdl: true,
    take: async (world) => {
      const table = world.table(isPartitioned);
      if (!table) return "no partitioned table is left";
      const from = world.random.integer(20, 27);
      const name = sqlName({ schema: table.schema, name: `${world.fresh("jobs")}${world.suffix}` });
      // Refused while the default partition holds such a row.
      return world.define(
        [table],
        `CREATE TABLE ${name} PARTITION OF ${sqlName(table)} FOR VALUES FROM (${dayOf(from)}) TO (${dayOf(from + 1)})`,
      );
    },
  },
  {
    title: "drop a partition with its rows",
    part: "partition-ddl",
    weight: 0.7,
    isDdl: true,
    take: onPartition((partition) => [`DROP TABLE ${partition}`]),
  },
  {
    title: "detach a partition",
    part: "partition-ddl",
    weight: 0.7,
    isDdl: true,
    take: onPartition((partition, parent) => [`ALTER TABLE ${parent} DETACH PARTITION ${partition}`]),
  },
  {
    title: "detach a partition and attach it again as the default one",
    part: "partition-ddl",
    weight: 0.7,
    isDdl: true,
    take: onPartition((partition, parent) => [
      `ALTER TABLE ${parent} DETACH PARTITION ${partition}`,
      `ALTER TABLE ${parent} ATTACH PARTITION ${partition} DEFAULT`,
    ]),
  },
];

export const truncateSteps: readonly Step[] = [
  {
    title: "empty a table",
    part: "truncates",
    weight: 1.5,
    take: async (world) => {
      const table = world.table();
      return table ? world.write(table, `TRUNCATE ${sqlName(table)} CASCADE`) : "no table is left";
    },
  },
  {
    title: "empty a partition",
    part: "truncates",
    weight: 1,
    take: async (world) => {
      const chosen = await partitionOf(world);
      return chosen ? world.write(chosen.table, `TRUNCATE ${chosen.partition}`) : "no partition is left";
    },
  },
];
