import type { Client } from "pg";

/** What an application does, again and again. */
export interface Workload {
  readonly name: string;
  readonly title: string;
  /** Rows that one transaction changes. */
  readonly changes: number;
  /** Concurrent connections of the writer. */
  readonly clients: number;
  /** As many as write more than a system carries, for its sustained rate. Default {@link clients}. */
  readonly saturatingClients?: number;
  /** Random integers of each transaction, drawn from a range that includes both ends. */
  readonly variables: Readonly<Record<string, readonly [number, number]>>;
  /** SQL of one transaction; `:name` is a variable. */
  readonly statements: readonly string[];
  /** Changes per second of the latency measurement; with `"once"`, the latency of one transaction. */
  readonly latencyRate: number | "once";
  /** Share of the backlog's size that this workload's backlog has: wide rows would fill the disk. */
  readonly backlogShare: number;
}

/** Rows of `ledger.accounts`. */
export const accounts = 10_000;
const tellers = 80;
const branches = 8;

/** The workloads. `scale` shrinks the 100,000-row statement and the tables behind it; 1 is as published. */
export function workloads(scale: number): readonly Workload[] {
  const entries = bulkRows(scale);
  return [
    {
      name: "hot",
      title: "single-row updates, hot table",
      changes: 1,
      clients: 8,
      saturatingClients: 32,
      variables: { id: [1, 1000] },
      statements: [
        "UPDATE ledger.accounts SET balance = balance + 1.25, changed_at = clock_timestamp(), active = NOT active WHERE id = :id",
      ],
      latencyRate: 1000,
      backlogShare: 1,
    },
    {
      name: "tpcb",
      title: "TPC-B-like mix",
      changes: 4,
      clients: 8,
      variables: {
        account: [1, tpcbAccounts(scale)],
        teller: [1, tellers],
        branch: [1, branches],
        delta: [-5000, 5000],
      },
      statements: [
        "BEGIN",
        "UPDATE ledger.tpcb_accounts SET balance = balance + :delta WHERE id = :account",
        "SELECT balance FROM ledger.tpcb_accounts WHERE id = :account",
        "UPDATE ledger.tpcb_tellers SET balance = balance + :delta WHERE id = :teller",
        "UPDATE ledger.tpcb_branches SET balance = balance + :delta WHERE id = :branch",
        "INSERT INTO ledger.tpcb_history (teller, branch, account, delta) VALUES (:teller, :branch, :account, :delta)",
        "COMMIT",
      ],
      latencyRate: 1000,
      backlogShare: 1,
    },
    {
      name: "hundred",
      title: "100-row transactions",
      changes: 100,
      clients: 4,
      variables: { block: [0, accounts / 100 - 1] },
      statements: [
        "UPDATE ledger.accounts SET balance = balance + 1.25, changed_at = clock_timestamp(), active = NOT active WHERE id BETWEEN :block * 100 + 1 AND :block * 100 + 100",
      ],
      latencyRate: 1000,
      backlogShare: 1,
    },
    {
      name: "bulk",
      title: `one ${entries.toLocaleString("en")}-row statement`,
      changes: entries,
      clients: 1,
      variables: { delta: [1, 100] },
      statements: ["UPDATE ledger.entries SET amount = amount + :delta"],
      latencyRate: "once",
      backlogShare: 1,
    },
    wide("wide-1k", "1 KB", "documents_1k", 1000, 1 / 4),
    wide("wide-8k", "8 KB", "documents_8k", 200, 1 / 20),
  ];
}

function wide(name: string, size: string, table: string, latencyRate: number, backlogShare: number): Workload {
  return {
    name,
    title: `wide rows, ${size} of jsonb`,
    changes: 1,
    clients: 8,
    saturatingClients: 32,
    variables: { id: [1, documents], revision: [1, 1_000_000] },
    statements: [
      `UPDATE ledger.${table} SET document = jsonb_set(document, '{revision}', to_jsonb(:revision::int)) WHERE id = :id`,
    ],
    latencyRate,
    backlogShare,
  };
}

const documents = 2000;
const bulkRows = (scale: number) => Math.max(100, Math.round(100_000 * scale));
const tpcbAccounts = (scale: number) => Math.max(1000, Math.round(800_000 * scale));

export const fillAccounts = `
  INSERT INTO ledger.accounts
  SELECT n, 'owner ' || n, n, true, now(), '{"kind": "private", "limits": [100, 200]}', repeat('x', 120)
  FROM generate_series(1, ${accounts}) n`;

/** All tables. The accounts stay empty: filling them makes the first changes that the running pipeline sees. */
export async function createTables(client: Client, scale: number): Promise<void> {
  await client.query(`
    CREATE SCHEMA ledger;
    CREATE TABLE ledger.accounts (
      id integer PRIMARY KEY, owner text NOT NULL, balance numeric(14, 2) NOT NULL, active boolean NOT NULL,
      changed_at timestamptz NOT NULL, tags jsonb NOT NULL, filler text NOT NULL);
    -- Written behind everything else, to see when it has arrived.
    CREATE TABLE ledger.marker (id integer PRIMARY KEY, at timestamptz NOT NULL);
    INSERT INTO ledger.marker VALUES (1, now());

    CREATE TABLE ledger.tpcb_branches (id integer PRIMARY KEY, balance integer NOT NULL, filler text NOT NULL);
    CREATE TABLE ledger.tpcb_tellers (id integer PRIMARY KEY, branch integer NOT NULL, balance integer NOT NULL, filler text NOT NULL);
    CREATE TABLE ledger.tpcb_accounts (id integer PRIMARY KEY, branch integer NOT NULL, balance integer NOT NULL, filler text NOT NULL);
    CREATE TABLE ledger.tpcb_history (
      teller integer NOT NULL, branch integer NOT NULL, account integer NOT NULL, delta integer NOT NULL,
      at timestamptz NOT NULL DEFAULT now());
    INSERT INTO ledger.tpcb_branches SELECT n, 0, repeat(' ', 84) FROM generate_series(1, ${branches}) n;
    INSERT INTO ledger.tpcb_tellers SELECT n, 1 + n % ${branches}, 0, repeat(' ', 84) FROM generate_series(1, ${tellers}) n;
    INSERT INTO ledger.tpcb_accounts
    SELECT n, 1 + n % ${branches}, 0, repeat(' ', 84) FROM generate_series(1, ${tpcbAccounts(scale)}) n;

    CREATE TABLE ledger.entries (
      id integer PRIMARY KEY, account integer NOT NULL, amount numeric(14, 2) NOT NULL, booked_at timestamptz NOT NULL, note text NOT NULL);
    INSERT INTO ledger.entries
    SELECT n, n % 1000, n, now(), 'entry ' || n || repeat('.', 80) FROM generate_series(1, ${bulkRows(scale)}) n;`);
  for (const [table, lines] of [
    ["documents_1k", 9],
    ["documents_8k", 73],
  ] as const) {
    await client.query(`
      CREATE TABLE ledger.${table} (id integer PRIMARY KEY, document jsonb NOT NULL);
      INSERT INTO ledger.${table}
      SELECT n, jsonb_build_object('revision', 0, 'lines', (
        SELECT jsonb_agg(jsonb_build_object('sku', md5(n || '/' || line), 'quantity', line % 7, 'price', n + line * 0.01, 'note', 'as ordered'))
        FROM generate_series(1, ${lines}) line))
      FROM generate_series(1, ${documents}) n`);
  }
  await client.query("VACUUM ANALYZE");
}
