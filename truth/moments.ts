import type { Client } from "pg";
import { compareTable, rowsOfNobody } from "../faults/truth/tables";
import { keptSchema, sqlName, type Table, tablesOf } from "./tables";
import { identifier } from "./values";

/** What the tables held at a time. */
export interface Moment {
  /** The step after which it was noted. */
  readonly step: number;
  /** PostgreSQL's text. */
  readonly time: string;
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly kept: readonly { readonly table: Table; readonly copy: string; readonly mayBeUnknown: readonly string[] }[];
  /** Tables that somebody held locked, which could not be copied. */
  readonly locked: readonly string[];
}

/** A table that somebody holds locked is left out. */
const lockTimeout = "10ms";

/** Copies all tables, as far as they can be read, with the time; no transaction may commit meanwhile. */
export async function noteMoment(
  client: Client,
  suffix: string,
  step: number,
  forgotten: (table: Table) => readonly string[],
): Promise<Moment> {
  const { rows } = await client.query<{ time: string; at: string }>(
    "SELECT now::text AS time, extract(epoch FROM now) * 1000 AS at FROM clock_timestamp() AS now",
  );
  const [now] = rows as [{ time: string; at: string }];
  const kept: Moment["kept"][number][] = [];
  const locked: string[] = [];
  const tables = await tablesOf(client, suffix);
  await client.query(`SET lock_timeout = '${lockTimeout}'`);
  for (const table of tables) {
    const copy = `${keptSchema}.${identifier(`at_${step}_of_${table.oid}${suffix}`)}`;
    try {
      await client.query(`CREATE UNLOGGED TABLE ${copy} AS TABLE ${sqlName(table)}`);
      kept.push({ table, copy, mayBeUnknown: forgotten(table) });
    } catch (error) {
      if ((error as { code?: string }).code !== "55P03") throw error;
      locked.push(sqlName(table));
    }
  }
  // Other questions may wait: a vacuum locks a catalog for a moment.
  await client.query("SET lock_timeout = 0");
  return { step, time: now.time, at: Number(now.at), kept, locked };
}

/** A connection that copies tables: the capture need not hear of it. */
export async function prepareNoting(client: Client): Promise<void> {
  await client.query("SET event_triggers = off");
}

/** What the log tells of a moment that is not so; `names` are all that any table has had. */
export async function differencesAt(client: Client, moment: Moment, names: Iterable<string>): Promise<string[]> {
  const { time, kept, locked } = moment;
  const differences: string[] = [];
  for (const { table, copy, mayBeUnknown } of kept) {
    differences.push(
      ...(await compareTable(client, {
        name: sqlName(table),
        time,
        relation: copy,
        key: table.key.map(({ name }) => name),
        mayBeUnknown,
      })),
    );
  }
  const present = new Set([...kept.map(({ table }) => sqlName(table)), ...locked]);
  for (const name of names) if (!present.has(name)) differences.push(...(await rowsOfNobody(client, name, time)));
  return differences;
}

/** The same of the present, for which nobody gives a time. */
export async function differencesNow(
  client: Client,
  tables: readonly Table[],
  forgotten: (table: Table) => readonly string[],
  names: Iterable<string>,
): Promise<string[]> {
  const differences: string[] = [];
  for (const table of tables) {
    const asked = { name: sqlName(table), relation: sqlName(table), key: table.key.map(({ name }) => name) };
    differences.push(...(await compareTable(client, { ...asked, mayBeUnknown: forgotten(table) }, 1_000)));
  }
  const present = new Set(tables.map(sqlName));
  for (const name of names) if (!present.has(name)) differences.push(...(await rowsOfNobody(client, name)));
  return differences;
}
