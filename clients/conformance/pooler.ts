import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { localFolder } from "../../local/machine/folders";
import { freePorts, ManagedProcess } from "../../local/machine/managed-process";
import { unprivilegedUser } from "../../local/servers/postgres";
import type { Login } from "./database";

const folder = join(localFolder, "pgbouncer");

/** Fewer than a driver's largest pool, so that connections change hands. */
const serverConnections = 3;

/** A PgBouncer in transaction mode before a server. */
export class PgBouncer {
  private constructor(
    private readonly process: ManagedProcess,
    private readonly data: string,
    readonly port: number,
  ) {}

  /** The program, installed from Debian's package if need be; undefined where it can't be had. */
  static program(): string | undefined {
    const script = join(__dirname, "prepare-pgbouncer.sh");
    try {
      return execFileSync("sh", [script, folder], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    } catch {
      return undefined;
    }
  }

  /** Starts it before the database of a login. */
  static async start(program: string, login: Login): Promise<PgBouncer> {
    const port = (await freePorts(1))[0] as number;
    const data = mkdtempSync(join(tmpdir(), "cdc-audit-pgbouncer-"));
    // It runs as another user when root starts it.
    chmodSync(data, 0o755);
    const configuration = join(data, "pgbouncer.ini");
    writeFileSync(configuration, settings(port, login), { mode: 0o644 });
    const process = new ManagedProcess({
      name: "PgBouncer",
      command: program,
      arguments: [configuration],
      environment: { LD_LIBRARY_PATH: join(folder, "lib") },
      logFile: join(data, "pgbouncer.log"),
      user: unprivilegedUser(),
      stopSignal: "SIGINT",
      readyTimeout: 20_000,
      ready: () => answers({ ...login, port }),
    });
    const started = new PgBouncer(process, data, port);
    try {
      await process.start();
      return started;
    } catch (error) {
      await started.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.process.stop();
    rmSync(this.data, { recursive: true, force: true });
  }
}

/** The login stands in the file, so it takes any password. It listens on loopback, for a test's database. */
const settings = (port: number, { port: server, database, user, password }: Login) => `[databases]
${database} = host=127.0.0.1 port=${server} user=${user} password=${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${serverConnections}
max_client_conn = 200
ignore_startup_parameters = extra_float_digits,options
`;

async function answers({ port, database, user, password }: Login): Promise<void> {
  const client = new Client({ host: "127.0.0.1", port, database, user, password });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("SELECT 1");
  } finally {
    await client.end();
  }
}
