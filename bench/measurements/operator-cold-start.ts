import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { databaseRoles } from "../../contract/database-roles";
import { freePorts } from "../../local/machine/managed-process";
import { withLocalContext } from "../../local/parts/operator-context";
import { withClient } from "../../local/servers/database-client";
import { postgresServer, superuserConnection } from "../../local/servers/postgres";
import { buildOperator } from "../../operator/lambda/build";
import { bootstrap, type BootstrapResult } from "../../operator/handlers/bootstrap";

const run = promisify(execFile);
const coldStarts = 9;
const superuserPassword = "measured";
const tables = 20;

/** What one cold start costs, in milliseconds: by the clock, and of processor time. */
interface ColdStart {
  readonly clock: number;
  readonly processor: number;
}

/**
 * `npm run bench:operator`: how long the operator's bundle takes to load in a new process, as Lambda does at a cold
 * start, and how long a bootstrap takes on a PostgreSQL of this machine: of an empty database with 20 tables, and again.
 */
async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "cdc-audit-operator-bench-"));
  // The server may run as another user, who must be able to enter.
  chmodSync(folder, 0o755);
  try {
    const bytes = await buildOperator(join(folder, "bundle"));
    console.log(`bundle            ${(bytes / 1e6).toFixed(2)} MB`);
    const starts: ColdStart[] = [];
    for (let count = 0; count < coldStarts; count += 1) starts.push(await coldStart(join(folder, "bundle")));
    const median = (values: number[]) => values.sort((left, right) => left - right)[Math.floor(values.length / 2)];
    console.log(
      `cold start        ${median(starts.map(({ clock }) => clock))} ms, ` +
        `${median(starts.map(({ processor }) => processor))} ms of them processor time (median of ${coldStarts}, Node.js ${process.version})`,
    );
    await measureBootstrap(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Loads the bundle in a new process and lets it refuse a request. */
async function coldStart(bundle: string): Promise<ColdStart> {
  const code = `
    const begun = performance.now(), before = process.cpuUsage();
    const { handler } = require("./index.js");
    handler({}, { getRemainingTimeInMillis: () => 1000 }).catch(() => {
      const { user, system } = process.cpuUsage(before);
      console.log(JSON.stringify({ clock: Math.round(performance.now() - begun), processor: Math.round((user + system) / 1000) }));
    });`;
  const { stdout } = await run(process.execPath, ["--eval", code], { cwd: bundle });
  return JSON.parse(stdout) as ColdStart;
}

async function measureBootstrap(folder: string): Promise<void> {
  const port = (await freePorts(1))[0] as number;
  const server = await postgresServer({
    dataFolder: join(folder, "postgres"),
    logFile: join(folder, "postgres.log"),
    port,
    superuserPassword,
  });
  await server.start();
  try {
    await withClient(superuserConnection({ port, superuserPassword }), async (client) => {
      for (let table = 1; table <= tables; table += 1) {
        await client.query(`CREATE TABLE public.table_${table} (id bigint PRIMARY KEY, name text, at timestamptz)`);
      }
    });
    for (const state of ["empty", "again"]) {
      const begun = performance.now();
      const { source, destination } = await bootstrapOnce(port);
      const changes = source.changes.length + destination.changes.length;
      console.log(
        `bootstrap, ${state}  ${Math.round(performance.now() - begun)} ms, ${changes} changes, ${tables} tables`,
      );
    }
  } finally {
    await server.stop();
  }
}

function bootstrapOnce(port: number): Promise<BootstrapResult> {
  const access = { host: "127.0.0.1", port, database: "postgres", adminSecretArn: "superuser" };
  const secrets = {
    superuser: { username: "postgres", password: superuserPassword },
    capture: { username: databaseRoles.capture, password: "measured-capture" },
    writer: { username: databaseRoles.writer, password: "measured-writer" },
  };
  return withLocalContext("bootstrap", { secrets, writeLine: () => undefined }, (context) =>
    bootstrap(
      {
        action: "bootstrap",
        source: { ...access, captureSecretArn: "capture", tables: [{ schema: "public", table: "%" }] },
        destination: { ...access, writerSecretArn: "writer" },
      },
      context,
    ),
  );
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
