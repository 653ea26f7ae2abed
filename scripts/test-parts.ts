import { type ChildProcess, spawn } from "node:child_process";

/** One part of the tests: a command that exits with 0 when it passes. */
export interface Part {
  readonly name: string;
  /** A shell command, run in the repository. */
  readonly command: string;
  /** Name of a part of another lane whose end this one waits for, since it uses what that one makes. */
  readonly after?: string;
}

/** What became of a part. */
export interface PartResult {
  readonly name: string;
  /** Exit code, or the signal that ended it; undefined when it did not run. */
  readonly exit?: number | NodeJS.Signals;
  /** From its start to its end; undefined when it did not run. */
  readonly seconds?: number;
}

/** Runs the parts of some tests. Stages come one after the other; the lanes of a stage run side by side. */
export class PartRunner {
  private readonly running = new Set<ChildProcess>();
  private readonly results = new Map<string, PartResult>();
  private readonly waiting = new Map<string, () => void>();
  private stopped = false;

  /**
   * @param stages Stages of lanes of parts. A lane runs its parts in their order.
   * @param write Gets what parts of lanes side by side print, each part's whole at its end. A part that runs alone
   *   prints by itself, as it goes.
   */
  constructor(
    private readonly stages: readonly (readonly (readonly Part[])[])[],
    private readonly write: (text: string) => void,
  ) {}

  /** Runs until all parts have passed or one has failed, which stops those beside it. Returns a result for each part. */
  async run(): Promise<readonly PartResult[]> {
    for (const lanes of this.stages) {
      const ends = this.endsOf(lanes.flat());
      await Promise.all(lanes.map((lane) => this.runLane(lane, lanes.length === 1, ends)));
    }
    return this.stages.flat(2).map(({ name }) => this.results.get(name) ?? { name });
  }

  /** Ends the parts that run, with all that they have started, and begins no other. */
  stop(): void {
    this.stopped = true;
    for (const child of this.running) endGroup(child);
    for (const resolve of this.waiting.values()) resolve();
  }

  /** For each part, what resolves at its end, or when no more is begun. */
  private endsOf(parts: readonly Part[]): ReadonlyMap<string, Promise<void>> {
    return new Map(parts.map(({ name }) => [name, new Promise((resolve) => this.waiting.set(name, resolve))]));
  }

  private async runLane(
    lane: readonly Part[],
    alone: boolean,
    ends: ReadonlyMap<string, Promise<void>>,
  ): Promise<void> {
    for (const part of lane) {
      if (part.after !== undefined) await ends.get(part.after);
      if (this.stopped) return;
      const begun = performance.now();
      const exit = await this.runPart(part, alone);
      this.results.set(part.name, { name: part.name, exit, seconds: (performance.now() - begun) / 1000 });
      this.waiting.get(part.name)?.();
      if (exit !== 0 && !this.stopped) this.stop();
    }
  }

  private runPart({ name, command }: Part, alone: boolean): Promise<number | NodeJS.Signals> {
    if (alone) this.write(`\n> ${name}: ${command}\n`);
    // A process group of its own, so that it can be stopped with its children.
    const child = spawn(command, { shell: true, detached: true, stdio: ["ignore", ...outputs(alone)] });
    this.running.add(child);
    const printed: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => printed.push(text));
    }
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => {
        this.running.delete(child);
        if (!alone) this.write(`\n> ${name}: ${command}\n${printed.join("")}`);
        resolve(signal ?? code ?? 1);
      });
    });
  }
}

/** Milliseconds that a part has to end its servers in order. */
const patience = 20_000;

/** Ends a child's process group, which it leads, in order or else by force. */
function endGroup(child: ChildProcess): void {
  const send = (signal: NodeJS.Signals) => child.pid !== undefined && process.kill(-child.pid, signal);
  send("SIGTERM");
  const force = setTimeout(() => send("SIGKILL"), patience);
  child.once("exit", () => clearTimeout(force));
}

function outputs(alone: boolean): ["inherit", "inherit"] | ["pipe", "pipe"] {
  return alone ? ["inherit", "inherit"] : ["pipe", "pipe"];
}

/** The exit code for some results: 0 when all passed, else that of the part which failed first. */
export function exitCode(results: readonly PartResult[]): number {
  const codes = results.map(({ exit }) => exit);
  const failed = codes.find((code) => typeof code === "number" && code !== 0);
  if (typeof failed === "number") return failed;
  return codes.every((code) => code === 0) ? 0 : 1;
}

/** Parts and seconds as lines for a terminal, with the total last. */
export function summary(results: readonly PartResult[], totalSeconds: number): string {
  const outcome = ({ exit }: PartResult) => {
    if (exit === undefined) return "not run";
    if (exit === 0) return "passed";
    return typeof exit === "number" ? `failed with exit code ${exit}` : `stopped by ${exit}`;
  };
  const rows = [
    ...results.map((result) => [result.name, result.seconds?.toFixed(1) ?? "-", outcome(result)] as const),
    ["total", totalSeconds.toFixed(1), ""] as const,
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows
    .map(([name, seconds, text]) => `${name.padEnd(width)}  ${seconds.padStart(7)} s  ${text}`.trimEnd() + "\n")
    .join("");
}
