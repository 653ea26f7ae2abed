import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import type { Workload } from "./workloads";

/** Where the application is connected. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** How much to write, and how fast. */
export type Effort =
  /** As fast as it goes, or at a rate, for so many seconds. */
  | { readonly seconds: number; readonly transactionsPerSecond?: number }
  /** So many transactions in all, as fast as it goes. */
  | { readonly transactions: number };

export interface Written {
  /** Transactions that were committed. */
  readonly transactions: number;
  /** From the first transaction's begin to the last one's end. */
  readonly seconds: number;
}

const pgbenchVersion = (() => {
  const { stdout, status } = spawnSync("pgbench", ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
})();

/** Two writers of the same hundred rows may deadlock. pgbench from version 15 on can try again; older ones fail. */
const retries = Number(/ (\d+)/.exec(pgbenchVersion ?? "")?.[1]) >= 15 ? ["--max-tries=10"] : [];

/** What writes: pgbench where it is installed, else a writer in Node, which takes more of the processor. */
export const writerName = pgbenchVersion ?? "Node (pgbench is not on the PATH)";

/** pgbench draws the time of each transaction of a rate: of fewer than these it may write twice as many, or half. */
const fewTransactions = 100;

/** Whether a rate means so few transactions that only a writer with even steps keeps it. */
export const isSparse = (effort: Effort): boolean =>
  "seconds" in effort &&
  effort.transactionsPerSecond !== undefined &&
  effort.seconds * effort.transactionsPerSecond < fewTransactions;

/** Writes to the end. */
export function write(connection: Connection, workload: Workload, effort: Effort): Promise<Written> {
  const writer = pgbenchVersion && !isSparse(effort) ? pgbench : writeFromNode;
  return writer(connection, workload, effort);
}

function pgbench(connection: Connection, workload: Workload, effort: Effort): Promise<Written> {
  const folder = mkdtempSync(join(tmpdir(), "cdc-audit-pgbench-"));
  const script = join(folder, "transaction.sql");
  const variables = Object.entries(workload.variables).map(
    ([name, [low, high]]) => `\\set ${name} random(${low}, ${high})`,
  );
  writeFileSync(script, [...variables, ...workload.statements.map((statement) => `${statement};`)].join("\n") + "\n");
  const clients = clientsFor(workload, effort);
  const amount =
    "transactions" in effort
      ? ["--transactions", String(Math.ceil(effort.transactions / clients))]
      : [
          "--time",
          String(effort.seconds),
          ...(effort.transactionsPerSecond ? ["--rate", String(effort.transactionsPerSecond)] : []),
        ];
  const child = spawn(
    "pgbench",
    [
      "--no-vacuum",
      "--protocol=prepared",
      ...retries,
      "--client",
      String(clients),
      ...amount,
      "--file",
      script,
      connection.database,
    ],
    {
      env: {
        ...process.env,
        PGHOST: connection.host,
        PGPORT: String(connection.port),
        PGUSER: connection.user,
        PGPASSWORD: connection.password,
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  child.stdout.on("data", (text: Buffer) => (output += text.toString()));
  child.stderr.on("data", (text: Buffer) => (output += text.toString()));
  return new Promise<Written>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      rmSync(folder, { recursive: true, force: true });
      const transactions = Number(/transactions actually processed: (\d+)/.exec(output)?.[1] ?? Number.NaN);
      const failed = Number(/number of failed transactions: (\d+)/.exec(output)?.[1] ?? 0);
      // Connecting takes from the time that it was given, and is no writing.
      const perSecond = Number(/tps = ([\d.]+) \((?:without|excluding)/.exec(output)?.[1] ?? Number.NaN);
      if (code !== 0 || failed > 0 || Number.isNaN(transactions) || Number.isNaN(perSecond)) {
        reject(new Error(`pgbench failed (exit code ${code}, ${failed} failed transactions):\n${output}`));
      } else {
        resolve({ transactions, seconds: transactions === 0 ? 0 : transactions / perSecond });
      }
    });
  });
}

async function writeFromNode(connection: Connection, workload: Workload, effort: Effort): Promise<Written> {
  const count = clientsFor(workload, effort);
  const clients = await Promise.all(
    Array.from({ length: count }, async () => {
      const client = new Client(connection);
      await client.connect();
      return client;
    }),
  );
  const statements = workload.statements.map((text, index) => prepared(`${workload.name}-${index}`, text));
  const begin = performance.now();
  let transactions = 0;
  await Promise.all(
    clients.map(async (client, worker) => {
      for (let own = 0; ; own += 1) {
        if ("transactions" in effort) {
          if (own >= Math.ceil(effort.transactions / count)) return;
        } else {
          const spacing = effort.transactionsPerSecond ? 1000 / effort.transactionsPerSecond : 0;
          const due = spacing ? begin + (own * count + worker) * spacing : performance.now();
          if (due > begin + effort.seconds * 1000) return;
          if (due - performance.now() > 1) await sleep(due - performance.now());
        }
        const values = Object.fromEntries(
          Object.entries(workload.variables).map(([name, [low, high]]) => [
            name,
            low + Math.floor(Math.random() * (high - low + 1)),
          ]),
        );
        await untilItHolds(client, async () => {
          for (const { variables, ...statement } of statements) {
            await client.query({ ...statement, values: variables.map((name) => values[name]) });
          }
        });
        transactions += 1;
      }
    }),
  );
  const seconds = (performance.now() - begin) / 1000;
  await Promise.all(clients.map((client) => client.end()));
  return { transactions, seconds };
}

/** Runs a transaction again from its beginning while it ends in a deadlock. */
async function untilItHolds(client: Client, transaction: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await transaction();
    } catch (error) {
      if ((error as { code?: string }).code !== "40P01") throw error;
      await client.query("ROLLBACK");
    }
  }
}

/** A statement whose `:name` are numbered parameters; `::` is a cast. */
function prepared(name: string, statement: string) {
  const variables: string[] = [];
  const text = statement.replace(/(?<!:):([a-z]+)/g, (_, variable: string) => {
    if (!variables.includes(variable)) variables.push(variable);
    return `$${variables.indexOf(variable) + 1}`;
  });
  return { name, text, variables };
}

const clientsFor = (workload: Workload, effort: Effort) =>
  "transactions" in effort ? Math.min(workload.clients, effort.transactions) : workload.clients;
