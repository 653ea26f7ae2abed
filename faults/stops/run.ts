import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { localFolder, repositoryFolder } from "../../local/machine/folders";
import type { Random } from "../random";
import { fingerprint, StopsSource } from "./source";

/** How a run is ended. Only after the last one it need not have cleaned up by itself. */
export const ways = ["SIGINT", "SIGTERM", "SIGHUP", "SIGINT twice", "closed pipe", "npm killed", "SIGKILL"] as const;
export type Way = (typeof ways)[number];

/** One stop and what came of it. */
export interface Stop {
  readonly number: number;
  readonly way: Way;
  /** Milliseconds from the start of the run to the stop. */
  readonly after: number;
  readonly busy: boolean;
  /** Whether the run had shown that everything runs. */
  readonly ready: boolean;
  /** Milliseconds from the stop to the end of the process. */
  readonly took: number;
  /** What took back what a killed run left. */
  readonly cleaned?: "next run" | "local:clean";
  /** What differs from before, or is left running; empty when all is well. */
  readonly problems: readonly string[];
}

export interface StopsOptions {
  readonly times: number;
  /** The ways, each in its turn. Default: all. */
  readonly ways?: readonly Way[];
  readonly tables: number;
  readonly random: Random;
  readonly report: (stop: Stop) => void;
  /** Ends after the stop that is under way. */
  readonly signal: AbortSignal;
}

/** Milliseconds within which a run that was asked must have ended. */
const patience = 90_000;
/** Milliseconds after which a command knows its npm. */
const fewest = 5_000;
/** The stops fall into so many times what a run took to be ready. */
const longestAfter = 1.5;

/** Starts and stops `npm run local -- --source` again and again, and compares the source with what it was before. */
export async function stopAgainAndAgain(options: StopsOptions): Promise<readonly Stop[]> {
  const source = await StopsSource.start(options.tables);
  const stops: Stop[] = [];
  const writers = new Writers(source);
  try {
    const before = await source.use(fingerprint);
    const readyAfter = await timeToReady(source);
    for (let number = 1; number <= options.times && !options.signal.aborted; number += 1) {
      const { random, ways: chosen = ways } = options;
      // Each way comes as often; when and under which load is drawn.
      const way = chosen[(number - 1) % chosen.length] as Way;
      const plan = {
        way,
        after: Math.max(way === "npm killed" ? fewest : 0, Math.floor(random.next() * readyAfter * longestAfter)),
        busy: random.next() < 0.5,
      };
      writers.busy = plan.busy;
      const ran = await runAndStop(source, plan);
      const cleaned = way === "SIGKILL" ? await cleanUp(source, random.next() < 0.5, options.tables) : undefined;
      const problems = [...ran.problems, ...(cleaned?.problems ?? []), ...(await differences(source, before))];
      const stop = { number, ...plan, ...ran, ...(cleaned ? { cleaned: cleaned.by } : {}), problems };
      stops.push(stop);
      options.report(stop);
    }
  } finally {
    await writers.stop();
    await source.stop();
  }
  return stops;
}

const localArguments = (source: StopsSource) => ["local", "--", "--source", source.url, "--tables", "app.%", "--json"];

interface Run {
  readonly output: () => string;
  readonly ended: Promise<number | null>;
  /** Signals npm alone, or npm and the command, as a terminal does. */
  readonly kill: (signal: NodeJS.Signals, target: "npm" | "group") => void;
  readonly closePipe: () => void;
}

function start(args: readonly string[]): Run {
  const child = spawn("npm", ["run", "--silent", ...args], {
    cwd: repositoryFolder,
    stdio: ["ignore", "pipe", "pipe"],
    // A process group, as a terminal gives one to npm and the command.
    detached: true,
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return {
    output: () => text,
    ended: new Promise((resolve) => child.once("exit", resolve)),
    kill: (signal, target) => {
      try {
        process.kill(target === "npm" ? (child.pid as number) : -(child.pid as number), signal);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    },
    closePipe: () => {
      child.stdout.destroy();
      child.stderr.destroy();
    },
  };
}

/** npm's exit code, once the command has ended as well. */
async function commandEnded(run: Run, source: StopsSource): Promise<number | null> {
  const code = await run.ended;
  while (processesOf(source.url).length > 0) await sleep(50);
  return code;
}

/** Milliseconds that a run takes to be ready here. */
async function timeToReady(source: StopsSource): Promise<number> {
  const begin = Date.now();
  const run = start(localArguments(source));
  await ready(run);
  const took = Date.now() - begin;
  run.kill("SIGTERM", "npm");
  await commandEnded(run, source);
  return took;
}

/** Waits until a run is ready, has ended, or takes too long. */
async function ready(run: Run): Promise<void> {
  const deadline = Date.now() + patience;
  while (!run.output().includes('"event":"ready"') && Date.now() < deadline) {
    if (await Promise.race([run.ended.then(() => true), sleep(100)])) return;
  }
}

async function runAndStop(
  source: StopsSource,
  { way, after }: Pick<Stop, "way" | "after">,
): Promise<Pick<Stop, "ready" | "took" | "problems">> {
  const run = start(localArguments(source));
  const early = await Promise.race([run.ended.then((code) => ({ code })), sleep(after)]);
  const wasReady = run.output().includes('"event":"ready"');
  if (early)
    return { ready: wasReady, took: 0, problems: [`ended by itself (${early.code}): ${lastLines(run.output())}`] };
  const begin = Date.now();
  if (way === "closed pipe") {
    run.closePipe();
    // It notices when it prints; the next thing that it prints may be far away.
    await sleep(1_000);
    run.kill("SIGHUP", "group");
  } else if (way === "npm killed") {
    run.kill("SIGKILL", "npm");
  } else if (way === "SIGTERM") {
    run.kill(way, "npm");
  } else {
    run.kill(way === "SIGINT twice" ? "SIGINT" : way, "group");
    if (way === "SIGINT twice") await sleep(700);
    if (way === "SIGINT twice") run.kill("SIGINT", "group");
  }
  const ended = await Promise.race([commandEnded(run, source).then((code) => ({ code })), sleep(patience)]);
  const took = Date.now() - begin;
  if (!ended) {
    run.kill("SIGKILL", "group");
    return { ready: wasReady, took, problems: [`did not end within ${patience / 1000} s: ${lastLines(run.output())}`] };
  }
  // npm ends by the signal that it got. One that comes before the command listens ends that as well; nothing is there yet.
  const expected =
    way === "SIGKILL" ||
    way === "npm killed" ||
    // Nobody reads what it says at its end.
    way === "closed pipe" ||
    ended.code === 0 ||
    run.output().includes('"event":"stopped"') ||
    !existsSync(localFolder) ||
    run.output() === "";
  return { ready: wasReady, took, problems: expected ? [] : [`ended with ${ended.code}: ${lastLines(run.output())}`] };
}

/** After `kill -9`: the next run takes back what was left, or the command for it does. */
async function cleanUp(
  source: StopsSource,
  byNextRun: boolean,
  tables: number,
): Promise<{ by: "next run" | "local:clean"; problems: readonly string[] }> {
  if (byNextRun) {
    const run = start(localArguments(source));
    await ready(run);
    const watched = await source
      .use(async (client) => {
        const { rows } = await client.query<{ count: number }>(
          "SELECT count(*)::integer AS count FROM capture.watched_tables",
        );
        return rows[0]?.count;
      })
      .catch(() => undefined);
    run.kill("SIGTERM", "npm");
    const code = await commandEnded(run, source);
    const right = run.output().includes('"event":"stopped"') && watched === tables;
    return {
      by: "next run",
      problems: right ? [] : [`next run: ended with ${code}, watched ${watched}: ${lastLines(run.output())}`],
    };
  }
  const clean = start(["local:clean", "--", "--source", source.url]);
  const code = await clean.ended;
  return {
    by: "local:clean",
    problems: code === 0 ? [] : [`local:clean ended with ${code}: ${lastLines(clean.output())}`],
  };
}

/** What the source has more or less than before, and the processes of this checkout that still run. */
async function differences(source: StopsSource, before: readonly string[]): Promise<string[]> {
  const now = await source.use(fingerprint);
  return [
    ...now.filter((line) => !before.includes(line)).map((line) => `more than before: ${line}`),
    ...before.filter((line) => !now.includes(line)).map((line) => `less than before: ${line}`),
    ...processesOf(localFolder).map((commandLine) => `still runs: ${commandLine}`),
  ];
}

/** Command lines of processes that work in a folder. */
export function processesOf(folder: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      } catch {
        return "";
      }
    })
    .filter((commandLine) => commandLine.includes(folder));
}

function lastLines(text: string): string {
  return text.trimEnd().split("\n").slice(-3).join(" | ").slice(-600);
}

/** Two writers of the tables, as long as they are told to be busy. */
class Writers {
  busy = false;
  private readonly stopping = new AbortController();
  private readonly work: Promise<void>[];

  constructor(private readonly source: StopsSource) {
    this.work = [1, 2].map((writer) => this.write(writer));
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.work);
  }

  private async write(writer: number): Promise<void> {
    await this.source.use(async (client) => {
      for (let row = writer; !this.stopping.signal.aborted; row += 2) {
        if (this.busy) {
          const table = `app.t${(row % this.source.tables) + 1}`;
          await client.query(`INSERT INTO ${table} VALUES (${row}, ${row}, 'row ${row}')`);
          await client.query(`UPDATE ${table} SET note = 'changed' WHERE id = ${row}`);
        }
        await sleep(this.busy ? 2 : 100);
      }
    });
  }
}
