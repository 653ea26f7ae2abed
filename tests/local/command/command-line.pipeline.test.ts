import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repositoryFolder } from "../../../local/machine/folders";
import { freePorts, type ManagedProcess } from "../../../local/machine/managed-process";
import { withClient } from "../../../local/servers/database-client";
import { postgresServer, superuserConnection } from "../../../local/servers/postgres";
import { runsTheOnlyCommand } from "../support/only-command";

runsTheOnlyCommand();

interface Run {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs the command as a user does. Each pattern of `script`, once the output matches it, calls its action; Ctrl-C follows the last. */
function local(options: string[], script: [pattern: RegExp, action?: () => Promise<unknown>][] = []): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", "local/command/main.ts", ...options], {
      cwd: repositoryFolder,
    });
    let output = "";
    let errors = "";
    const steps = [...script];
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      while (steps[0]?.[0].test(output)) {
        const [, action] = steps.shift() as (typeof steps)[number];
        const last = steps.length === 0;
        (action?.() ?? Promise.resolve()).then(() => last && child.kill("SIGINT"), reject);
      }
    });
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    child.once("error", reject);
    child.once("exit", (code) => resolve({ code, output, errors }));
  });
}

/** Command lines of processes that belong to the local pipeline of this repository. */
function leftovers(): string[] {
  const all = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).split("\n");
  return all.filter((line) => line.includes(join(repositoryFolder, ".local")));
}

const events = (run: Run) =>
  run.output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown> & { event: string });

describe("the sample", () => {
  test("--once shows each change, checks the log and ends with 0", async () => {
    const run = await local(["--once", "--json"]);

    expect(run).toMatchObject({ code: 0, errors: "" });
    expect(events(run).find(({ event }) => event === "checked")).toMatchObject({
      changes: 15,
      missing: [],
      surplus: [],
    });
    expect(
      events(run)
        .filter(({ event }) => event === "change")
        .map((change) => change["actor"]),
    ).toContain("price-job");
    expect(leftovers()).toEqual([]);
  });

  test("Ctrl-C stops every process and says so", async () => {
    const run = await local([], [[/carol@shop/]]);

    expect(run.code).toBe(0);
    expect(run.output).toContain("Everything is stopped");
    expect(leftovers()).toEqual([]);
  });
});

describe("--source", () => {
  const password = "source-password";
  let server: ManagedProcess;
  let folder: string;
  let port: number;
  const url = (user: string, secret: string, database = "postgres") =>
    `postgres://${user}:${secret}@127.0.0.1:${port}/${database}`;

  const startServer = async (walLevel: string) => {
    server = await postgresServer({
      dataFolder: join(folder, "postgres"),
      logFile: join(folder, "postgres.log"),
      port,
      superuserPassword: password,
      settings: { wal_level: walLevel, ...(walLevel === "logical" ? {} : { max_wal_senders: "0" }) },
    });
    await server.start();
  };
  const query = (sql: string) =>
    withClient(superuserConnection({ port, superuserPassword: password }), (client) => client.query(sql));

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "cdc-audit-source-"));
    chmodSync(folder, 0o755);
    port = (await freePorts(1))[0] as number;
    await startServer("logical");
    await query("CREATE TABLE public.notes (id integer PRIMARY KEY, text text)");
    await query("CREATE ROLE reader LOGIN PASSWORD 'reader-password'");
  });

  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each([
    ["an unreachable server", () => "postgres://u:p@127.0.0.1:1/postgres", /can't be reached \(ECONNREFUSED\)/],
    ["a wrong password", () => url("postgres", "wrong"), /refused the user or the password/],
    ["a missing database", () => url("postgres", password, "nowhere"), /database "nowhere" does not exist/],
    ["a user without privileges", () => url("reader", "reader-password"), /can't be audited yet/],
    ["something that is no URL", () => "localhost", /is not a connection URL/],
  ])("says clearly what is wrong with %s, and leaves nothing behind", async (_, source, message) => {
    const run = await local(["--source", source()]);

    expect(run.code).toBe(1);
    expect(run.errors).toMatch(message);
    expect(run.errors).not.toMatch(/\bat .*\.ts:\d+/);
    expect(run.errors + run.output).not.toContain(password);
    expect(leftovers()).toEqual([]);
    const { rows } = await query("SELECT FROM pg_namespace WHERE nspname = 'capture'");
    expect(rows).toEqual([]);
  });

  test("audits a database of the user's own and takes everything back when it stops", async () => {
    await query("CREATE TABLE public.edge (a text, b text); CREATE TABLE public.tmp_notes (id integer PRIMARY KEY)");
    const run = await local(
      ["--source", url("postgres", password), "--tables", "public.%,!public.tmp_%", "--json"],
      [
        [/"ready"/, () => query("INSERT INTO public.notes VALUES (1, 'my note')")],
        [
          /my note/,
          // Each alone in its request: DDL and rows of one transaction would come together.
          async () => {
            await query("CREATE TABLE public.tmp_later (id integer PRIMARY KEY, text text)");
            await query("INSERT INTO public.tmp_later VALUES (1, 'left out')");
            await query("CREATE TABLE public.later (id integer PRIMARY KEY, text text)");
            await query("INSERT INTO public.later VALUES (1, 'made later')");
          },
        ],
        [/made later/],
      ],
    );

    expect(run.code).toBe(0);
    expect(events(run).find(({ event }) => event === "change")).toMatchObject({
      table: "notes",
      after: { id: 1, text: "my note" },
    });
    expect(events(run).filter(({ event, operation }) => event === "change" && operation === "insert")).toMatchObject([
      { table: "notes" },
      { table: "later", after: { id: 1, text: "made later" } },
    ]);

    expect(events(run).find(({ event }) => event === "tables")).toEqual({
      event: "tables",
      watched: 2,
      notWatched: [{ reason: "excluded by --tables", tables: ["public.tmp_notes"] }],
    });
    expect(events(run).filter(({ event }) => event === "warning")).toEqual([
      {
        event: "warning",
        object: "public.edge",
        problem: expect.stringContaining("DMS leaves out its columns a, b") as string,
        fix: expect.stringContaining("ALTER TABLE") as string,
      },
    ]);

    const { rows: slots } = await query("SELECT slot_name FROM pg_replication_slots");
    expect(slots).toEqual([]);
    const { rows: identity } = await query("SELECT relreplident FROM pg_class WHERE relname = 'notes'");
    expect(identity).toEqual([{ relreplident: "d" }]);
    const { rows: schemas } = await query("SELECT nspname FROM pg_namespace WHERE nspname ~ '^(capture|cdc_audit)'");
    expect(schemas).toEqual([]);
    const { rows: roles } = await query("SELECT FROM pg_roles WHERE rolname IN ('cdc_capture', 'capture_app')");
    expect(roles).toEqual([]);
  });

  test("refuses --tables that it can't use, and says what they may be", async () => {
    const source = ["--source", url("postgres", password)];
    expect((await local([...source, "--tables", "notes"])).errors).toMatch(/--tables has "notes"; each entry must be/);
    expect((await local([...source, "--tables", "!public.notes"])).errors).toMatch(/name what to audit as well/);
    expect((await local([...source, "--tables", "public.n%,!public.%"])).errors).toMatch(/leaves no table/);
    expect((await local(["--tables", "public.%"])).errors).toMatch(/there is none/);
  });

  test("refuses --actor-sources that it can't use, and says what they may be", async () => {
    expect((await local(["--actor-sources", "app.user_id,user"])).errors).toMatch(
      /has "user"; each entry must be a setting/,
    );
    const source = ["--source", url("postgres", password)];
    expect((await local([...source, "--actor-sources", "app.user_id"])).errors).toMatch(
      /of --identify-actor: give both/,
    );
  });

  test("names wal_level when it is not logical", async () => {
    await server.stop();
    await startServer("replica");
    const run = await local(["--source", url("postgres", password)]);

    expect(run.code).toBe(1);
    expect(run.errors).toMatch(/wal_level/);
    expect(leftovers()).toEqual([]);
  });
});
