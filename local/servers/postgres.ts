import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { ManagedProcess } from "../machine/managed-process";
import { postgresBinaries } from "./postgres-version";

const run = promisify(execFile);

/** A real PostgreSQL server on 127.0.0.1 whose data live in one folder. */
export interface PostgresOptions {
  readonly dataFolder: string;
  readonly logFile: string;
  readonly port: number;
  /** Password of the superuser `postgres`; only used when the data folder is new. */
  readonly superuserPassword: string;
  /** Extra server settings, e.g. `{ log_statement: "all" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Extra environment of the server. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** The settings of Aurora's parameter group, and some that make a small server start quickly. */
const serverSettings: Record<string, string> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  wal_level: "logical",
  max_wal_senders: "10",
  max_replication_slots: "10",
  wal_sender_timeout: "30s",
  password_encryption: "scram-sha-256",
  max_connections: "60",
  shared_buffers: "128MB",
  max_wal_size: "1GB",
  timezone: "UTC",
  log_timezone: "UTC",
};

/** Prepares the data folder if it is new; the caller starts the process that this returns. */
export async function postgresServer(options: PostgresOptions): Promise<ManagedProcess> {
  const binaries = await postgresBinaries();
  const user = unprivilegedUser();
  if (!existsSync(join(options.dataFolder, "PG_VERSION"))) {
    await initialise(binaries.initdb, options, user);
  }
  const settings = { ...serverSettings, ...options.settings, port: String(options.port) };
  return new ManagedProcess({
    name: "PostgreSQL",
    command: binaries.postgres,
    arguments: [
      "-D",
      options.dataFolder,
      ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ],
    environment: { LC_MESSAGES: "C", ...options.environment },
    logFile: options.logFile,
    // A fast shutdown: sessions are ended, the data are checkpointed.
    stopSignal: "SIGINT",
    ...(user ? { user } : {}),
    ready: async () => {
      const client = new Client(superuserConnection(options));
      await client.connect();
      await client.end();
    },
  });
}

/** Connection settings of the superuser. */
export function superuserConnection(
  options: Pick<PostgresOptions, "port" | "superuserPassword">,
  database = "postgres",
) {
  return { host: "127.0.0.1", port: options.port, user: "postgres", password: options.superuserPassword, database };
}

async function initialise(
  initdb: string,
  options: PostgresOptions,
  user?: { uid: number; gid: number },
): Promise<void> {
  mkdirSync(options.dataFolder, { recursive: true });
  const passwordFile = `${options.dataFolder}.password-${randomBytes(4).toString("hex")}`;
  writeFileSync(passwordFile, options.superuserPassword, { mode: 0o600 });
  if (user) {
    chownSync(options.dataFolder, user.uid, user.gid);
    chownSync(passwordFile, user.uid, user.gid);
  }
  try {
    await run(
      initdb,
      [
        `--pgdata=${options.dataFolder}`,
        "--username=postgres",
        `--pwfile=${passwordFile}`,
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
      ],
      { ...user, cwd: "/" },
    );
  } catch (error) {
    const detail = (error as { stderr?: string }).stderr?.trim() ?? String(error);
    const hint = user
      ? " PostgreSQL refuses to run as root, so it runs as the user postgres, who must be able to enter every folder above this one."
      : "";
    throw new Error(`initdb could not prepare ${options.dataFolder}: ${detail}.${hint}`);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** PostgreSQL refuses to run as root, as PgBouncer does, so root runs it as the user `postgres`, created when missing. */
export function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { stdio: ["ignore", "pipe", "ignore"] }));
  try {
    return { uid: id("-u"), gid: id("-g") };
  } catch {
    execFileSync("useradd", ["--system", "--user-group", "--no-create-home", "postgres"]);
    return { uid: id("-u"), gid: id("-g") };
  }
}
