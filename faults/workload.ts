import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import type { TableSelection } from "../contract/change-capture";
import { Random } from "./random";

const schema = "ledger";
const ownAccounts = 4_000;
const hotAccounts = 20;
/** Above the accounts that all writers share; each writer's own follow in blocks. */
const firstOwnAccount = 1_000;

/** The tables that the workload writes: with single, composite and no key, with jsonb and values that are TOASTed. */
export const workloadTables: readonly TableSelection[] = ["accounts", "documents", "postings", "prices", "scratch"].map(
  (table) => ({ schema, table }),
);

/** The table that schema changes go to. */
export const alteredTable = `${schema}.accounts`;

/** Creates the tables; the caller owns them. */
export const workloadSchema = `
  CREATE SCHEMA ${schema};
  CREATE TABLE ${schema}.accounts (
    id bigint PRIMARY KEY, owner text NOT NULL, balance numeric(14, 2) NOT NULL, active boolean NOT NULL,
    opened date NOT NULL, tags text[], profile jsonb);
  CREATE TABLE ${schema}.documents (id uuid PRIMARY KEY, version integer NOT NULL, body jsonb NOT NULL, attachment text);
  CREATE TABLE ${schema}.postings (account bigint NOT NULL, amount numeric(12, 2) NOT NULL, memo varchar(60));
  CREATE TABLE ${schema}.prices (
    region text, product text, price numeric(10, 4) NOT NULL, note text, PRIMARY KEY (region, product));
  CREATE TABLE ${schema}.scratch (id integer PRIMARY KEY, note text);`;

type Statement = readonly [sql: string, ...values: unknown[]];

interface Transaction {
  readonly statements: readonly Statement[];
  /** Rolled back at the end. Default false. */
  readonly abandoned?: boolean;
}

interface Kind {
  readonly weight: number;
  readonly draw: (writer: Writer) => Transaction;
}

const one = (...statements: Statement[]): Transaction => ({ statements });

/** What writers do, by weight: many rows at once for volume, single rows for order. */
const kinds: readonly Kind[] = [
  { weight: 4, draw: (writer) => one(writer.updateRange(50, 400)) },
  { weight: 6, draw: (writer) => one(writer.updateHot()) },
  { weight: 4, draw: (writer) => one(writer.updateHot(), writer.post(1, 5), writer.updateRange(1, 3)) },
  { weight: 2, draw: (writer) => one(writer.post(100, 300)) },
  { weight: 1, draw: (writer) => one(writer.correctPostings(), writer.unpost()) },
  { weight: 1, draw: (writer) => one(writer.file()) },
  { weight: 2, draw: (writer) => one(writer.revise(), writer.updateRange(1, 2)) },
  { weight: 1, draw: (writer) => one(writer.shred()) },
  { weight: 2, draw: (writer) => one(...writer.rename()) },
  { weight: 1, draw: (writer) => one(...writer.replaceRange(10, 50)) },
  { weight: 0.3, draw: (writer) => one(writer.scribble(), ["TRUNCATE ledger.scratch"], writer.scribble()) },
  { weight: 0.5, draw: (writer) => ({ statements: [writer.updateRange(5, 50), writer.post(1, 10)], abandoned: true }) },
  {
    weight: 0.5,
    draw: (writer) =>
      one(
        writer.updateRange(1, 5),
        ["SAVEPOINT doubtful"],
        writer.updateRange(1, 20),
        ["ROLLBACK TO doubtful"],
        writer.post(1, 5),
      ),
  },
];

/** Statements of one writer, with values that it draws. Except the hot accounts, no other writer touches its rows. */
class Writer {
  private readonly first: number;
  private counter = 0;

  constructor(
    readonly index: number,
    readonly random: Random,
  ) {
    this.first = firstOwnAccount + index * ownAccounts;
  }

  prepare(): Statement[] {
    return [
      ["DELETE FROM ledger.prices WHERE region = $1", `region-${this.index}`],
      [
        `INSERT INTO ledger.accounts (id, owner, balance, active, opened, tags, profile)
         SELECT n, 'owner ' || n, n * 1.25, n % 3 > 0, '2020-02-29', ARRAY['new', NULL, 'say "hi", {ok}'], '{"level": 1, "limits": [10, 2.50]}'
         FROM generate_series($1::bigint, $2::bigint) n`,
        this.first,
        this.first + ownAccounts - 1,
      ],
      [
        `INSERT INTO ledger.prices SELECT $1, 'product-' || n, n * 1.5, NULL FROM generate_series(1, 50) n`,
        `region-${this.index}`,
      ],
    ];
  }

  updateRange(fewest: number, most: number): Statement {
    const [from, to] = this.range(fewest, most);
    const amount = this.random.integer(-5000, 5000) / 100;
    return this.random.chance(0.3)
      ? [
          `UPDATE ledger.accounts SET profile = jsonb_set(profile, '{level}', to_jsonb($3::int)), tags = $4 WHERE id BETWEEN $1 AND $2`,
          from,
          to,
          this.random.integer(1, 1e6),
          this.random.chance(0.2) ? null : ["a", `tag ${this.random.integer(1, 99)}`, "c\\d"],
        ]
      : [
          `UPDATE ledger.accounts SET balance = balance + $3, active = NOT active WHERE id BETWEEN $1 AND $2`,
          from,
          to,
          amount,
        ];
  }

  updateHot(): Statement {
    return [
      `UPDATE ledger.accounts SET balance = balance + 1, owner = $2 WHERE id = $1`,
      this.random.integer(1, hotAccounts),
      `writer ${this.index}, ${this.next()} – “ünïcödé” 😀`,
    ];
  }

  replaceRange(fewest: number, most: number): Statement[] {
    const [from, to] = this.range(fewest, most);
    return [
      [`DELETE FROM ledger.accounts WHERE id BETWEEN $1 AND $2`, from, to],
      [
        `INSERT INTO ledger.accounts (id, owner, balance, active, opened) SELECT n, 'again ' || n, 0.10, true, '1999-12-31' FROM generate_series($1::bigint, $2::bigint) n`,
        from,
        to,
      ],
    ];
  }

  post(fewest: number, most: number): Statement {
    return [
      `INSERT INTO ledger.postings SELECT $1::bigint, n * 0.01, $2 FROM generate_series(1, $3::int) n`,
      this.index,
      this.random.chance(0.1) ? null : `writer ${this.index}'s memo ${this.next()}`,
      this.random.integer(fewest, most),
    ];
  }

  correctPostings(): Statement {
    return [
      `UPDATE ledger.postings SET amount = -amount, memo = 'corrected' WHERE account = $1 AND amount < $2`,
      this.index,
      this.random.integer(1, 30) / 100,
    ];
  }

  unpost(): Statement {
    return [`DELETE FROM ledger.postings WHERE account = $1 AND memo LIKE 'writer%'`, this.index];
  }

  file(): Statement {
    return [
      `INSERT INTO ledger.documents
       SELECT gen_random_uuid(), 1, jsonb_build_object('writer', $1::int, 'text', repeat('line' || chr(10), 50)),
              (SELECT string_agg(md5($2 || n), '') FROM generate_series(1, 300) n)
       FROM generate_series(1, 2)`,
      this.index,
      String(this.next()),
    ];
  }

  revise(): Statement {
    const statement = this.random.chance(0.7)
      ? "version = version + 1"
      : "version = version + 1, body = body || jsonb_build_object('revised', version)";
    return [
      `UPDATE ledger.documents SET ${statement} WHERE id IN (SELECT id FROM ledger.documents WHERE (body->>'writer')::int = $1 ORDER BY id LIMIT $2)`,
      this.index,
      this.random.integer(1, 5),
    ];
  }

  shred(): Statement {
    return [
      `DELETE FROM ledger.documents WHERE id IN (SELECT id FROM ledger.documents WHERE (body->>'writer')::int = $1 ORDER BY id LIMIT 2)`,
      this.index,
    ];
  }

  rename(): Statement[] {
    const product = `product-${this.random.integer(1, 50)}`;
    return [
      [
        `UPDATE ledger.prices SET product = product || ' (old)', note = $3 WHERE region = $1 AND product = $2`,
        `region-${this.index}`,
        product,
        `renamed ${this.next()}`,
      ],
      [
        `UPDATE ledger.prices SET product = $2, price = price * 1.01 WHERE region = $1 AND product = $2 || ' (old)'`,
        `region-${this.index}`,
        product,
      ],
    ];
  }

  scribble(): Statement {
    return [
      `INSERT INTO ledger.scratch SELECT n, 'scratch' FROM generate_series($1::int, $1::int + 9) n ON CONFLICT (id) DO UPDATE SET note = 'again'`,
      this.index * 1000,
    ];
  }

  private range(fewest: number, most: number): [from: number, to: number] {
    const rows = this.random.integer(fewest, most);
    const from = this.first + this.random.integer(0, ownAccounts - rows);
    return [from, from + rows - 1];
  }

  private next(): number {
    this.counter += 1;
    return this.counter;
  }
}

export interface WorkloadOptions {
  /** As the owner of the tables, who may also call `capture.set_context`. */
  readonly connection: ConstructorParameters<typeof Client>[0];
  readonly seed: number;
  /** Changed rows a second, over all writers, while no fault slows them. */
  readonly rate: number;
  /** Default 4. */
  readonly writers?: number;
}

/** Writers that keep going while the database fails and comes back, and that pause on demand. */
export class Workload {
  /** Rows changed by transactions whose commit was confirmed. */
  changes = 0;
  transactions = 0;
  private readonly writers: Writer[];
  private paused: Promise<void> = Promise.resolve();
  private resume: () => void = () => undefined;
  private readonly busy = new Set<Writer>();
  private stopped = false;
  private running: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: WorkloadOptions) {
    this.writers = Array.from(
      { length: options.writers ?? 4 },
      (_, index) => new Writer(index, Random.of(options.seed, index)),
    );
  }

  /** Fills the tables and lets the writers begin. */
  async start(): Promise<void> {
    const client = new Client(this.options.connection);
    await client.connect();
    await client.query(
      `INSERT INTO ledger.accounts (id, owner, balance, active, opened)
       SELECT n, 'everybody', 0, true, '2024-01-01' FROM generate_series(1, ${hotAccounts}) n`,
    );
    for (const writer of this.writers) {
      for (const [sql, ...values] of writer.prepare()) {
        this.changes += (await client.query(sql, values)).rowCount ?? 0;
      }
    }
    await client.end();
    this.running = Promise.all(this.writers.map((writer) => this.write(writer)));
  }

  /** Resolves when no transaction is open any more; none begins until {@link proceed}. */
  async pause(): Promise<void> {
    this.paused = new Promise((resolve) => (this.resume = resolve));
    while (this.busy.size > 0) await sleep(10);
  }

  proceed(): void {
    this.paused = Promise.resolve();
    this.resume();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.proceed();
    await this.running;
  }

  private async write(writer: Writer): Promise<void> {
    while (!this.stopped) {
      const client = new Client({ ...(this.options.connection as object), connectionTimeoutMillis: 5_000 });
      client.on("error", () => undefined);
      try {
        this.busy.add(writer);
        await client.connect();
        await this.writeOver(client, writer);
      } catch {
        // After any error, either the transaction and its truth are both committed, or neither is.
      } finally {
        await client.end().catch(() => undefined);
        this.busy.delete(writer);
      }
      await this.paused;
      await sleep(50 + writer.random.integer(0, 100));
    }
  }

  private async writeOver(client: Client, writer: Writer): Promise<void> {
    const millisecondsPerChange = (1000 * this.writers.length) / this.options.rate;
    while (!this.stopped) {
      this.busy.delete(writer);
      await this.paused;
      this.busy.add(writer);
      const begun = performance.now();
      const changes = await commit(client, writer);
      this.changes += changes;
      this.transactions += 1;
      this.busy.delete(writer);
      const wait = changes * millisecondsPerChange - (performance.now() - begun);
      if (wait > 1) await sleep(wait);
    }
  }
}

/** One transaction; two of three say who acts. Returns how many rows it changed. */
async function commit(client: Client, writer: Writer): Promise<number> {
  const { statements, abandoned } = writer.random.weighted(kinds).draw(writer);
  const actor = writer.random.chance(0.67) ? `clerk ${writer.random.integer(1, 9)}` : undefined;
  let changes = 0;
  await client.query("BEGIN");
  if (actor) {
    await client.query("SELECT set_config('oracle.actor', $1, true), capture.set_context($1)", [actor]);
  }
  for (const [sql, ...values] of statements) {
    const { rowCount, command } = await client.query(sql, values);
    if (command === "INSERT" || command === "UPDATE" || command === "DELETE") changes += rowCount ?? 0;
  }
  await client.query(abandoned ? "ROLLBACK" : "COMMIT");
  return abandoned ? 0 : changes;
}
