import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "pg";
import { freePorts } from "../../local/machine/managed-process";
import { withClient } from "../../local/servers/database-client";
import { postgresServer, superuserConnection } from "../../local/servers/postgres";
import { bootstrapSource } from "../../operator/database/bootstrap";

const superuserPassword = "measured";
const rounds = 40;
/** Tables of the schema that DDL is measured in, and of the one that a bootstrap is. */
const tablesOfDdl = 500;
const tablesOfBootstrap = 350;

/** DDL that touches one table at most, each with what goes before it. */
const ddl: Readonly<Record<string, readonly [prepare: string, statement: string]>> = {
  "DROP INDEX": ["CREATE INDEX measured ON app.t1 (n)", "DROP INDEX app.measured"],
  "DROP INDEX, unique": ["CREATE UNIQUE INDEX measured ON app.t1 (id, n)", "DROP INDEX app.measured"],
  "ALTER TYPE, a new value": ["SELECT", "ALTER TYPE app.mood ADD VALUE IF NOT EXISTS 'later'"],
  "ALTER TYPE, another name": ["ALTER TYPE app.spare RENAME TO spared", "ALTER TYPE app.spared RENAME TO spare"],
  "ALTER TABLE, a new column": [
    "ALTER TABLE app.t2 DROP COLUMN IF EXISTS measured",
    "ALTER TABLE app.t2 ADD COLUMN measured int",
  ],
};

/**
 * `npm run bench:capture`: what capture costs in a large schema. DDL is run in pairs, with capture and without it, in two
 * databases of one server. Fails when a goal is missed.
 */
async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "cdc-audit-capture-bench-"));
  // The server may run as another user, who must be able to enter.
  chmodSync(folder, 0o755);
  const port = (await freePorts(1))[0] as number;
  const server = await postgresServer({
    dataFolder: join(folder, "postgres"),
    logFile: join(folder, "postgres.log"),
    port,
    superuserPassword,
  });
  await server.start();
  const database = (name: string) => superuserConnection({ port, superuserPassword }, name);
  try {
    await withClient(database("postgres"), async (client) => {
      for (const name of ["plain", "captured", "large"]) await client.query(`CREATE DATABASE ${name}`);
    });
    await withClient(database("large"), measureBootstrap);
    await withClient(database("plain"), (plain) =>
      withClient(database("captured"), (captured) => measureDdl(plain, captured)),
    );
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function createSchema(client: Client, tables: number): Promise<void> {
  await client.query(`
    CREATE SCHEMA app;
    CREATE TYPE app.mood AS ENUM ('calm');
    CREATE TYPE app.spare AS ENUM ('calm');
    CREATE DOMAIN app.price AS numeric(10, 2);
    DO $$ BEGIN
      FOR i IN 1..${tables} LOOP
        EXECUTE format('CREATE TABLE app.t%s (id bigint PRIMARY KEY, n int, name text NOT NULL, mood app.mood,
          price app.price, at timestamptz, parent bigint %s)', i, CASE WHEN i > 1 THEN 'REFERENCES app.t1' END);
      END LOOP;
    END $$`);
}

const selection = { tables: [{ schema: "app", table: "%" }] };

async function measureBootstrap(client: Client): Promise<void> {
  await createSchema(client, tablesOfBootstrap);
  const bootstrap = () => bootstrapSource(client, selection);
  const watch = await milliseconds(bootstrap);
  report(`bootstrap of ${tablesOfBootstrap} tables`, watch, 2_000);
  report("bootstrap, nothing to do", await best(5, bootstrap), 500);
  report("capture.problems()", await best(5, () => client.query("SELECT * FROM capture.problems()")), 100);
  report("capture.republish_shapes()", await best(5, () => client.query("SELECT capture.republish_shapes()")), 500);
}

async function measureDdl(plain: Client, captured: Client): Promise<void> {
  for (const client of [plain, captured]) await createSchema(client, tablesOfDdl);
  await bootstrapSource(captured, selection);
  for (const [name, [prepare, statement]] of Object.entries(ddl)) {
    const differences: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const times = new Map<Client, number>();
      for (const client of round % 2 === 0 ? [plain, captured] : [captured, plain]) {
        await client.query(prepare);
        times.set(client, await milliseconds(() => client.query(statement)));
      }
      differences.push(times.get(captured)! - times.get(plain)!);
    }
    differences.sort((left, right) => left - right);
    report(`${name}, more than without capture`, differences[rounds / 2]!, 5);
  }
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

async function best(times: number, work: () => Promise<unknown>): Promise<number> {
  let least = Infinity;
  for (let count = 0; count < times; count += 1) least = Math.min(least, await milliseconds(work));
  return least;
}

function report(what: string, value: number, goal: number): void {
  const missed = value > goal;
  console.log(`${what.padEnd(56)} ${value.toFixed(1).padStart(8)} ms, goal ${goal}${missed ? ": MISSED" : ""}`);
  if (missed) process.exitCode = 1;
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
