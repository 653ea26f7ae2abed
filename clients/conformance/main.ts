import { randomInt } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { Argument, Command, InvalidArgumentError } from "commander";
import { ConformanceDatabase, environmentOf } from "./database";
import { canRun, type ClientFile, Driver, prepare, readClientFile } from "./driver";
import { PgBouncer } from "./pooler";
import { type Outcome, type Run, runInterleaved, runScenarios } from "./run";

interface Options {
  readonly requests?: number;
  readonly seed?: number;
  readonly interleaved: number;
  readonly pgbouncer?: boolean;
}

const clientsFolder = resolve(__dirname, "..");

/** The files of this repository's clients. */
function ownClientFiles(): string[] {
  return readdirSync(clientsFolder)
    .map((folder) => join(clientsFolder, folder, "conformance"))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith(".json") && !/^(?:package|package-lock|tsconfig)\.json$/.test(name))
        .map((name) => join(folder, name)),
    )
    .sort();
}

/** This repository's clients: those that this machine can run, and those whose language it lacks. */
export function ownClients(): { readonly here: readonly ClientFile[]; readonly away: readonly ClientFile[] } {
  const clients = ownClientFiles().map((path) => readClientFile(path));
  const here = clients.filter(canRun);
  return { here, away: clients.filter((client) => !here.includes(client)) };
}

function clientFilesOf(name: string): readonly ClientFile[] {
  if (name === "all") return ownClients().here;
  return [clientFileOf(name)];
}

function clientFileOf(name: string): ClientFile {
  if (name.endsWith(".json")) return readClientFile(resolve(name));
  const path = ownClientFiles().find((file) => file.endsWith(`/${name}.json`));
  if (path) return readClientFile(path);
  const known = ownClientFiles().map((file) => file.replace(/^.*\/|\.json$/g, ""));
  throw new Error(
    `There is no client ${name}. Give one of ${known.join(", ")}, all, or the path of a client's JSON file.`,
  );
}

const wholeNumber = (text: string) => {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
};

/** Tests a client on a server of its own. Returns whether everything held. */
export async function testClient(
  client: ClientFile,
  options: Options,
  print: (line: string) => void,
): Promise<boolean> {
  if (options.pgbouncer && client.notBehindPgBouncer) {
    print(`${client.client}: not run behind PgBouncer: ${client.notBehindPgBouncer}.`);
    return true;
  }
  await prepare(client);
  const database = await ConformanceDatabase.start();
  let driver: Driver | undefined;
  let pooler: PgBouncer | undefined;
  try {
    if (options.pgbouncer) pooler = await PgBouncer.start(ownPgBouncer(), database.login);
    const started = await Driver.start(client, {
      ...environmentOf({ ...database.login, ...(pooler && { port: pooler.port }) }),
      ...(pooler && { ACTORS_POOLER: "pgbouncer" }),
    });
    driver = started.driver;
    const run = { database, ...started };
    print(`${client.client}: ${started.greeting.driver}${pooler ? ", behind PgBouncer" : ""}`);
    const scenariosDo = options.requests ? true : await scenariosHold(run, print);
    const interleavedDo = await interleavedHold(run, options, print);
    await driver.stop();
    return scenariosDo && interleavedDo;
  } finally {
    driver?.kill();
    await pooler?.stop();
    await database.stop();
  }
}

function ownPgBouncer(): string {
  const program = PgBouncer.program();
  if (program) return program;
  throw new Error("--pgbouncer needs PgBouncer, and this machine has none in PATH and no Debian packages: install it.");
}

async function scenariosHold(run: Run, print: (line: string) => void): Promise<boolean> {
  const wrong: Outcome[] = [];
  await runScenarios(run, (outcome) => {
    if (outcome.problems.length > 0) wrong.push(outcome);
    const mark = outcome.skipped ? "-" : outcome.problems.length > 0 ? "✗" : "✓";
    print(`  ${mark} ${outcome.name}${outcome.skipped ? `: ${outcome.skipped}` : ""}`);
    for (const problem of outcome.problems.slice(0, 10)) print(`      ${problem.replaceAll("\n", "\n      ")}`);
  });
  const { secondActor } = run.greeting.cannot;
  if (secondActor) print(`  A transaction bears the name of its first statement: ${secondActor}`);
  return wrong.length === 0;
}

async function interleavedHold(run: Run, options: Options, print: (line: string) => void): Promise<boolean> {
  const requests = options.requests ?? options.interleaved;
  const seed = options.seed ?? randomInt(1_000_000);
  const begun = performance.now();
  const problems = await runInterleaved(run, requests, seed);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  print(`  ${problems.length > 0 ? "✗" : "✓"} ${requests} interleaved requests, seed ${seed}, ${seconds} s`);
  for (const problem of problems.slice(0, 10)) print(`      ${problem}`);
  return problems.length === 0;
}

async function main(names: readonly string[], options: Options): Promise<void> {
  const clients = names.flatMap(clientFilesOf);
  for (const client of clients) {
    if (!(await testClient(client, options, (line) => console.log(line)))) process.exitCode = 1;
  }
}

if (require.main === module) {
  new Command("npm run actors --")
    .description("Tests whether a package that says who acts gives each change the right name, on a real PostgreSQL.")
    .addArgument(
      new Argument(
        "<clients...>",
        "names such as node-pg, all for those that this machine can run, or paths of clients' JSON files",
      ),
    )
    .option("--requests <number>", "only interleaved requests, so many", wholeNumber)
    .option("--interleaved <number>", "interleaved requests behind the scenarios", wholeNumber, 2000)
    .option("--pgbouncer", "with a PgBouncer in transaction mode before the server")
    .option("--seed <number>", "decides the interleaved requests (default: random)", wholeNumber)
    .action(main)
    .parseAsync()
    .catch((error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    });
}
