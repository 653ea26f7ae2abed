import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../../faults/random";
import { TestServer } from "../../../local/servers/test-server";
import { bootstrapDestination } from "../../../operator/database/bootstrap";
import { emptyLog, storeEvents } from "../support/audit-events";
import { type ShapeInput, Stream } from "../support/stream";

let server: TestServer;
let client: Client;

beforeAll(async () => {
  server = await TestServer.start({ log_statement: "none" });
  client = await server.createDatabase();
  await bootstrapDestination(client);
});

afterAll(() => server.stop());

type Row = Record<string, string | number>;
type Column = [name: string, type: string, number: number];

/** One table and what was done to it, beside the events that its capture would have written. */
class ModelTable {
  rows: Row[] = [];
  name = "app.things";
  readonly moments: { time: string; name: string; rows: Row[] }[] = [];
  private readonly captured = new Stream();
  /** Takes what is done while nothing is captured. */
  private unseen: Stream | undefined;
  private columns: Column[] = [
    ["id", "integer", 1],
    ["a", "text", 2],
    ["b", "integer", 3],
  ];
  private second = 0;
  private names = 0;
  /** A clock that was set back makes a time mean two moments, so none before it is asked for. */
  private setBack = 0;
  private loads = 0;

  constructor(private readonly random: Random) {
    this.begin();
    this.stream.shape(this.name, this.shape());
  }

  step(): void {
    this.begin();
    const count = this.random.integer(1, 3);
    const done = this.random.integer(0, 99);
    if (done < 6) this.rename();
    else if (done < 10) this.renameColumn();
    else if (done < 13) this.truncate();
    else if (done < 22) this.shift();
    else if (done < 25) this.lendKey();
    // Times of loads are compared with times of changes, so one clock must do.
    else if (done < 31 && this.setBack === 0) this.loadAgain();
    else for (let each = 0; each < count; each++) this.change();
    if (this.random.integer(0, 9) < 2) this.note();
    if (this.random.integer(0, 39) === 0 && this.loads === 0) {
      this.setBack += 3;
      this.moments.length = 0;
    }
  }

  get stream(): Stream {
    return this.unseen ?? this.captured;
  }

  private get key(): string {
    return this.columns[0]?.[0] as string;
  }

  private shape(): ShapeInput {
    return { relation: 7, key: [this.key], columns: this.columns };
  }

  private begin(): void {
    this.second++;
    this.stream.at(this.clock());
  }

  private clock(): string {
    const seconds = 36_000 + this.second * 2 - this.setBack;
    return new Date(seconds * 1000).toISOString().slice(11, 19);
  }

  /** A lost slot and a new full load, with changes that nobody saw, and changes beside the load that come after it. */
  private loadAgain(): void {
    this.loads++;
    this.unseen = new Stream();
    for (let each = this.random.integer(0, 6); each > 0; each--) this.change();
    this.unseen = undefined;
    this.begin();
    const started = this.clock();
    const read = this.rows.map((row) => ({ ...row }));
    this.second += 2;
    const ended = this.clock();
    this.stream.at(ended);
    for (const row of read) this.stream.baseline(this.name, this.keyOf(row), row);
    this.second--;
    this.stream.at(this.clock());
    for (let each = this.random.integer(0, 3); each > 0; each--) this.change();
    this.second++;
    this.begin();
    this.stream.load(this.name, started, ended, read.length);
  }

  private note(): void {
    const seconds = 36_001 + this.second * 2 - this.setBack;
    const time = `2026-11-05T${new Date(seconds * 1000).toISOString().slice(11, 19)}Z`;
    this.moments.push({ time, name: this.name, rows: this.rows.map((row) => ({ ...row })) });
  }

  private keyOf(row: Row): Row {
    return { [this.key]: row[this.key] as number };
  }

  private change(): void {
    const row = this.rows[this.random.integer(0, Math.max(0, this.rows.length - 1))];
    const kind = this.random.integer(0, 9);
    const free = this.random.integer(1, 12);
    const isFree = !this.rows.some((each) => each[this.key] === free);
    if (!row || (kind < 4 && isFree)) {
      if (!isFree) return;
      const fresh = Object.fromEntries(this.columns.map(([name, type]) => [name, this.value(type)]));
      fresh[this.key] = free;
      this.rows.push(fresh);
      this.stream.insert(this.name, this.keyOf(fresh), { ...fresh });
    } else if (kind < 6) {
      this.rows = this.rows.filter((each) => each !== row);
      this.stream.delete(this.name, this.keyOf(row), { ...row });
    } else if (kind < 7 && isFree) {
      this.update(row, { [this.key]: free });
    } else {
      const [name, type] = this.columns[this.random.integer(1, this.columns.length - 1)] as Column;
      this.update(row, { [name]: this.value(type) });
    }
  }

  private value(type: string): string | number {
    const number = this.random.integer(1, 4);
    return type === "text" ? `t${number}` : number;
  }

  private update(row: Row, values: Row): void {
    const before = Object.fromEntries(
      Object.keys(values)
        .filter((name) => row[name] !== values[name])
        .map((name) => [name, row[name] as string | number]),
    );
    Object.assign(row, values);
    this.stream.update(this.name, this.keyOf(row), before, { ...row });
  }

  /** `UPDATE … SET id = id + 1` under a deferrable key, in any order. */
  private shift(): void {
    const by = this.random.integer(0, 1) === 0 ? 1 : -1;
    for (const row of this.shuffled()) this.update(row, { [this.key]: (row[this.key] as number) + by });
  }

  private shuffled(): Row[] {
    return this.rows
      .map((row) => ({ row, place: this.random.next() }))
      .sort((one, other) => one.place - other.place)
      .map(({ row }) => row);
  }

  /** A key that a second row bears for a moment within one transaction. */
  private lendKey(): void {
    const row = this.rows[0];
    if (!row) return;
    const twin = { ...row, a: "twin" };
    this.stream.insert(this.name, this.keyOf(twin), twin).delete(this.name, this.keyOf(twin), twin);
  }

  private truncate(): void {
    this.rows = [];
    this.stream.truncate(this.name);
  }

  private rename(): void {
    const [schema, table] = this.name.split(".");
    const next = `app.things_${++this.names}`;
    const context = { reason: "ddl", command: "ALTER TABLE", renamed_from: { schema, table } };
    this.stream.drop(this.name, "ALTER TABLE").shape(next, this.shape(), context);
    this.name = next;
  }

  private renameColumn(): void {
    const place = this.random.integer(0, this.columns.length - 1);
    const [old, type, number] = this.columns[place] as Column;
    const next = `c${++this.names}`;
    this.columns[place] = [next, type, number];
    for (const row of this.rows) {
      row[next] = row[old] as string | number;
      delete row[old];
    }
    this.stream.shape(this.name, this.shape(), { reason: "ddl", command: "ALTER TABLE" });
  }

  get end() {
    return { time: "2026-11-05T23:59:59Z", name: this.name, rows: this.rows };
  }

  keyOfRow(row: Row): Row {
    return this.keyOf(row);
  }
}

const sorted = (rows: readonly object[]) => rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort();

describe("A table's rows, as the log tells them", () => {
  it.each(Array.from({ length: 12 }, (_, index) => index + 1))(
    "are those that it held, at its end and at noted moments: seed %i",
    async (seed) => {
      await emptyLog(client);
      const table = new ModelTable(new Random(seed));
      for (let step = 0; step < 40; step++) table.step();
      await storeEvents(client, table.stream.events);
      for (const { time, name, rows } of [...table.moments, table.end]) {
        const { rows: told } = await client.query('SELECT "row" FROM audit.table_as_of($1, $2)', [name, time]);
        expect(sorted(told.map((each) => each.row)), `${name} at ${time}`).toEqual(sorted(rows));
      }
      for (const row of table.rows) {
        const key = table.keyOfRow(row);
        const { rows: told } = await client.query("SELECT audit.row_as_of($1, $2, $3) AS row", [
          table.name,
          key,
          table.end.time,
        ]);
        expect(told[0].row, JSON.stringify(key)).toEqual(row);
      }
    },
  );
});
