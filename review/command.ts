import { userInfo } from "node:os";
import { Command, InvalidArgumentError } from "commander";
import { Client } from "pg";
import { buildPage } from "./build";
import { loginOf } from "./server/database";
import { defaults, type DatabaseSettings, ownServer } from "./server/settings";
import { startReviewServer } from "./server/start";

interface Options {
  readonly database: DatabaseSettings;
  readonly port: number;
  readonly as: string;
  readonly mask: readonly string[];
}

/** The reviewer's page on this machine, over any log that a connection URL leads to. */
async function main(): Promise<void> {
  const options = parse();
  const log = (line: string) => console.error(line);
  await checkLogin(options.database);
  const { folder } = await buildPage();
  const { database, port, as: reader, mask: maskedColumns } = options;
  const settings = ownServer({ database, port, reader, maskedColumns, pageFolder: folder });
  const server = await startReviewServer(settings, log);
  console.log(`The reviewer's page, for this machine alone: ${server.link}\nCtrl-C ends it.`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void server.stop().finally(() => process.exit(0)));
  }
}

/** Says what is wrong with a login before the page says it less well. */
async function checkLogin(database: DatabaseSettings): Promise<void> {
  const client = new Client({ ...loginOf(database), connectionTimeoutMillis: 10_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ usable: boolean | null }>(
      `SELECT bool_and(has_function_privilege(oid, 'EXECUTE')) AS usable FROM pg_proc
       WHERE pronamespace = to_regnamespace('audit') AND proname IN ('note_read', 'feed')`,
    );
    if (rows[0]?.usable === true) return;
    throw new Error(
      rows[0]?.usable === false
        ? `--database logs in as ${database.user}, which may not use the page's functions. Log in as audit_review, or ` +
            `grant it: GRANT audit_review TO ${database.user}.`
        : `--database names ${database.database}, which holds no audit log of this version. Run the bootstrap there, or name ` +
            "the log's own database.",
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

const loopback = new Set(["127.0.0.1", "::1", "[::1]", "localhost"]);

/** The parts of a connection URL. TLS is off on loopback, where a port forward ends, and verified elsewhere. */
export function databaseOf(text: string): DatabaseSettings {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new InvalidArgumentError("it is no URL. Write postgres://USER:PASSWORD@HOST:PORT/DATABASE.");
  }
  if (!/^postgres(ql)?:$/.test(url.protocol) || url.pathname.length < 2) {
    throw new InvalidArgumentError("it names no database. Write postgres://USER:PASSWORD@HOST:PORT/DATABASE.");
  }
  const mode = url.searchParams.get("sslmode");
  if (mode !== null && !["disable", "verify-full"].includes(mode)) {
    throw new InvalidArgumentError(`its sslmode is ${mode}; allowed are disable and verify-full.`);
  }
  const isLocal = loopback.has(url.hostname);
  if (mode === "disable" && !isLocal) {
    throw new InvalidArgumentError(
      `its sslmode is disable and its host is ${url.hostname}; only loopback needs no TLS.`,
    );
  }
  const password = decodeURIComponent(url.password) || process.env.PGPASSWORD;
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(url.port || 5432),
    database: decodeURIComponent(url.pathname.slice(1)),
    user: decodeURIComponent(url.username) || defaults.databaseUser,
    password,
    tls: mode === "verify-full" || (mode === null && !isLocal) ? "verify" : "off",
  };
}

function parse(): Options {
  const port = (text: string) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1 || value > 65_535) {
      throw new InvalidArgumentError("allowed are 1 to 65535.");
    }
    return value;
  };
  const columns = (text: string) => {
    const listed = text.split(",");
    const wrong = listed.find((column) => !/^[^.]+\.[^.]+\.[^.]+/.test(column));
    if (wrong !== undefined) throw new InvalidArgumentError(`${wrong} is no schema.table.column.`);
    return listed;
  };
  return new Command("npm run review --")
    .description("Serves the reviewer's page on this machine, over the audit log of a database.")
    .requiredOption(
      "--database <url>",
      "the log's database: postgres://audit_review@HOST:PORT/DATABASE; the password may stand in PGPASSWORD",
      databaseOf,
    )
    .option("--port <number>", "the port on 127.0.0.1", port, 8_480)
    .option("--as <name>", "the name under which your looks are noted", userInfo().username)
    .option("--mask <columns>", "columns that show only with a reason: schema.table.column,…", columns, [])
    .parse()
    .opts<Options>();
}

if (require.main === module) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
