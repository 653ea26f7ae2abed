import type { Client } from "pg";
import type { Random } from "../faults/random";
import type { Part } from "./kinds";
import type { Session } from "./session";
import { sqlName, type Table, tablesOf } from "./tables";
import type { Column } from "./values";

/** Something that is done to the tables. */
export interface Step {
  readonly title: string;
  /** The part of a run that it belongs to. Default: it is always done. */
  readonly part?: Part;
  readonly weight: number;
  /** Whether it changes names or shapes. Default false. */
  readonly isDdl?: boolean;
  /** Returns why it was refused, if it was. */
  readonly take: (world: World) => Promise<string | undefined>;
}

/** The tables of a seed and those who write to them. */
export class World {
  /** Those that statements name. Partitions are written to and changed by their tables' names. */
  tables: readonly Table[] = [];
  private partitions: readonly Table[] = [];
  /** Every name that a table has had, as the log is asked for it. */
  readonly names = new Set<string>();
  /** Numbers of columns whose values DDL has changed, by the oid of their table. */
  readonly rewritten = new Map<number, Set<number>>();
  private counter = 0;

  /** @param catalog a connection that may read everything. */
  constructor(
    readonly random: Random,
    readonly suffix: string,
    readonly sessions: readonly Session[],
    readonly catalog: Client,
    readonly withSavepoints: boolean,
  ) {}

  /** Learns the names and shapes that tables have now. */
  async refresh(): Promise<void> {
    const all = await tablesOf(this.catalog, this.suffix);
    this.tables = all.filter(({ root }) => root === null);
    this.partitions = all.filter(({ root }) => root !== null);
    for (const table of all) this.names.add(sqlName(table));
  }

  /** A name that no table has had. */
  fresh(stem: string): string {
    return `${stem}_${(this.counter += 1)}`;
  }

  /** A table, or one of those that a step can be taken on; undefined when there is none. */
  table(fits: (table: Table) => boolean = () => true): Table | undefined {
    const fitting = this.tables.filter(fits);
    return fitting.length === 0 ? undefined : this.random.pick(fitting);
  }

  /** One statement in somebody's transaction, which may go on or end. */
  async write(table: Table, sql: string): Promise<string | undefined> {
    const { random } = this;
    const session = random.pick(this.sessions);
    if (!session.isOpen) await session.begin(random.chance(0.3) ? `clerk ${random.integer(1, 9)}` : undefined);
    if (this.withSavepoints && random.chance(0.12)) {
      await session.run(`SAVEPOINT doubtful; ${sql}; ROLLBACK TO doubtful`, [table]);
    }
    const refused = await session.run(sql, [table]);
    if (random.chance(0.35)) await session.end(random.chance(0.85));
    return refused;
  }

  /** A whole transaction that changes tables' shapes or names, once nobody has them in an open transaction. */
  async define(tables: readonly Table[], ...statements: string[]): Promise<string | undefined> {
    const { random } = this;
    for (const session of this.sessions) {
      if (tables.some(({ oid }) => session.touched.has(oid))) await session.end(random.chance(0.85));
    }
    const session = this.sessions.find(({ isOpen }) => !isOpen) ?? (this.sessions[0] as Session);
    await session.end(true);
    const refused = await session.transaction(statements, random.chance(0.1));
    await this.refresh();
    return refused;
  }

  /** From now on the log may not know columns of a table: what they hold now, no change has told. */
  forget(table: Table, columns: readonly Column[]): void {
    const names = columns.map(({ name }) => name);
    for (const each of [table, ...this.partitions.filter(({ root }) => root === table.oid)]) {
      const numbers = each.columns.filter(({ name }) => names.includes(name)).map(({ number }) => number);
      this.rewritten.set(each.oid, new Set([...(this.rewritten.get(each.oid) ?? []), ...numbers]));
    }
  }

  /** All tables and partitions. */
  get relations(): readonly Table[] {
    return [...this.tables, ...this.partitions];
  }

  /** The names that columns of a table have now, as far as they were rewritten. */
  forgotten(table: Table): string[] {
    const numbers = this.rewritten.get(table.oid);
    return table.columns.filter(({ number }) => numbers?.has(number)).map(({ name }) => name);
  }
}
