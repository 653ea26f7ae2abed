import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { processesFileName } from "./folders";
import type { ManagedProcess } from "./managed-process";

/** One process, told from a later one that got its number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it was started, in words of the system. */
  readonly started: string;
}

interface NotedPart {
  readonly name: string;
  readonly commandLine: readonly string[];
  readonly stopSignal: NodeJS.Signals;
}

interface Content {
  readonly run: string;
  readonly command: ProcessIdentity;
  /** The database of the user's own that the run captures, without its password. */
  readonly source?: string;
  readonly parts: readonly NotedPart[];
}

/** Milliseconds that a left process may take to end in order. */
const patience = 10_000;

/**
 * What a run has started, noted in its folder before it is started. After `kill -9` the next run finds those processes by
 * their whole command lines, which hold the folder and the ports of the run. A process number alone may be another's by then.
 */
export class ProcessesFile {
  private parts: NotedPart[] = [];

  private constructor(
    private readonly file: string,
    private readonly head: Omit<Content, "parts">,
  ) {}

  /** Begins the file of a run. */
  static begin(folder: string, run: string, source?: string): ProcessesFile {
    const command = { pid: process.pid, started: startOf(process.pid) ?? "" };
    const file = new ProcessesFile(join(folder, processesFileName), { run, command, ...(source ? { source } : {}) });
    file.write();
    return file;
  }

  /** Notes a part that is about to be launched. */
  note(part: ManagedProcess): void {
    const { name, commandLine, stopSignal } = part;
    this.parts = [...this.parts.filter((noted) => noted.name !== name), { name, commandLine, stopSignal }];
    this.write();
  }

  remove(): void {
    rmSync(this.file, { force: true });
  }

  private write(): void {
    mkdirSync(dirname(this.file), { recursive: true });
    // Renamed, so that a reader finds it whole.
    writeFileSync(`${this.file}.new`, JSON.stringify({ ...this.head, parts: this.parts } satisfies Content));
    renameSync(`${this.file}.new`, this.file);
  }
}

/** What is known of the last run of a folder. */
export interface LastRun {
  readonly run: string;
  /** The process of the command while it runs. */
  readonly running: number | undefined;
  readonly source: string | undefined;
}

/** The run that a folder's file tells of; undefined when the last one stopped in order. */
export function lastRun(folder: string): LastRun | undefined {
  const content = read(folder);
  if (!content) return undefined;
  const { pid, started } = content.command;
  const running = started !== "" && startOf(pid) === started && pid !== process.pid ? pid : undefined;
  return { run: content.run, running, source: content.source };
}

/** Ends what a killed run of this folder has left running, and forgets that run. Returns the names of what it ended. */
export async function endLeftProcesses(folder: string): Promise<string[]> {
  const content = read(folder);
  if (!content) return [];
  const left = content.parts.filter((part) => pidsOf(part).length > 0);
  for (const part of left) signalAll(part, part.stopSignal);
  const deadline = Date.now() + patience;
  while (left.some((part) => pidsOf(part).length > 0)) {
    if (Date.now() > deadline) for (const part of left) signalAll(part, "SIGKILL");
    await sleep(50);
  }
  rmSync(join(folder, processesFileName), { force: true });
  return left.map(({ name }) => name);
}

function read(folder: string): Content | undefined {
  const file = join(folder, processesFileName);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Content) : undefined;
}

function signalAll(part: NotedPart, signal: NodeJS.Signals): void {
  for (const pid of pidsOf(part)) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      // It has ended since.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

function pidsOf({ commandLine }: NotedPart): number[] {
  return hasProc ? pidsInProc(`${commandLine.join("\0")}\0`) : pidsByPs(commandLine.join(" "));
}

const hasProc = existsSync("/proc/self/cmdline");

function pidsInProc(commandLine: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && readOrNothing(`/proc/${name}/cmdline`) === commandLine)
    .map(Number);
}

/** macOS has no /proc. */
function pidsByPs(commandLine: string): number[] {
  const lines = execFileSync("ps", ["-A", "-ww", "-o", "pid=,command="], { encoding: "utf8", maxBuffer: 2 ** 26 });
  return lines.split("\n").flatMap((line) => {
    const [, pid, command] = /^\s*(\d+) (.*?)\s*$/.exec(line) ?? [];
    return command === commandLine ? [Number(pid)] : [];
  });
}

/** When a process was started; undefined when there is none, or when it has ended and its parent has not noticed. */
function startOf(pid: number): string | undefined {
  if (hasProc) {
    const stat = readOrNothing(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields.length < 20 || fields[0] === "Z" ? undefined : fields[19];
  }
  try {
    return execFileSync("ps", ["-p", String(pid), "-o", "lstart="], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
