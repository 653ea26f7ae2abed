import { spawn, type ChildProcess } from "node:child_process";
import { randomInt } from "node:crypto";
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { endReason } from "./end-reason";

/** A program to run beside this one, with its output in a file. */
export interface ManagedProcessOptions {
  /** As a person would call it, e.g. `Kafka broker`. */
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Both output streams are appended here. */
  readonly logFile: string;
  /** Run as this user; only root can. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** What ends the program in order. Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** Milliseconds that an orderly stop may take before SIGKILL. Default 20,000. */
  readonly stopTimeout?: number;
  /** Resolves once the program serves; is tried again until it does. Throws while it does not. */
  readonly ready: () => Promise<void>;
  /** Milliseconds until readiness is given up. Default 180,000: a loaded machine may need a minute. */
  readonly readyTimeout?: number;
}

/** A child process that is started, watched, killed and restarted by name, and never left behind. */
export class ManagedProcess {
  readonly name: string;
  readonly logFile: string;
  private child: ChildProcess | undefined;
  private logStart = 0;
  private stopping = false;
  private retired = false;
  private exitListener: ((description: string, how: string) => void) | undefined;
  private launchListener: (() => void) | undefined;

  constructor(private readonly options: ManagedProcessOptions) {
    this.name = options.name;
    this.logFile = options.logFile;
  }

  /** The program and its arguments. */
  get commandLine(): readonly string[] {
    return [this.options.command, ...this.options.arguments];
  }

  /** What ends it in order. */
  get stopSignal(): NodeJS.Signals {
    return this.options.stopSignal ?? "SIGTERM";
  }

  /** The process id while it runs. */
  get pid(): number | undefined {
    return this.child?.pid;
  }

  get running(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** What the process has written since it was launched last. */
  logSinceLaunch(): string {
    return readFileSync(this.logFile).subarray(this.logStart).toString("utf8");
  }

  /** Called with a description, and how it ended such as `exit code 1`, when the process ends and nothing here asked it to. */
  onUnexpectedExit(listener: (description: string, how: string) => void): void {
    this.exitListener = listener;
  }

  /** Called just before each launch. */
  onLaunch(listener: () => void): void {
    this.launchListener = listener;
  }

  /** Starts the process and waits until it is ready. Fails with the end of its log when it exits or takes too long. */
  async start(): Promise<void> {
    this.launch();
    await this.waitUntilReady();
  }

  /** Starts the process without waiting. */
  launch(): void {
    if (this.running) throw new Error(`${this.name} is running already (process ${this.pid}).`);
    if (this.retired) throw new Error(`${this.name} has been ended for good.`);
    mkdirSync(dirname(this.logFile), { recursive: true });
    const log = openSync(this.logFile, "a");
    this.logStart = fstatSync(log).size;
    this.stopping = false;
    this.launchListener?.();
    const child = spawn(this.options.command, [...this.options.arguments], {
      env: { ...process.env, ...this.options.environment },
      stdio: ["ignore", log, log],
      // A separate process group: Ctrl-C in a terminal reaches only this program, which then stops the parts in order.
      detached: true,
      ...this.options.user,
    });
    closeSync(log);
    this.child = child;
    child.once("error", (error) => this.ended(child, error.message));
    child.once("exit", (code, signal) => this.ended(child, signal ? `signal ${signal}` : `exit code ${code}`));
  }

  /** Waits until the process serves. */
  async waitUntilReady(): Promise<void> {
    const timeout = this.options.readyTimeout ?? 180_000;
    const deadline = Date.now() + timeout;
    let lastError: unknown;
    while (Date.now() < deadline) {
      if (!this.running) throw this.failure("ended before it was ready");
      try {
        return await this.options.ready();
      } catch (error) {
        lastError = error;
        await sleep(50);
      }
    }
    const reason = lastError instanceof Error ? lastError.message : String(lastError);
    throw this.failure(`was not ready within ${timeout / 1000} s (${reason})`);
  }

  /** Ends the process in order, or by SIGKILL when it takes too long. Does nothing when it does not run. */
  async stop(signal: NodeJS.Signals = this.stopSignal): Promise<void> {
    const child = this.child;
    if (!child || !this.running) return;
    this.stopping = true;
    const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), this.options.stopTimeout ?? 20_000);
    await exited;
    clearTimeout(timer);
  }

  /** Ends the process for good, even if a caller is about to start it again. */
  async retire(): Promise<void> {
    this.retired = true;
    await this.stop();
  }

  /** `kill -9`: what a fault does. */
  async kill(): Promise<void> {
    await this.stop("SIGKILL");
  }

  private ended(child: ChildProcess, how: string): void {
    if (child !== this.child || this.stopping) return;
    this.exitListener?.(`${this.name} ended: ${this.reason() ?? `${how}, without a reason in its log`}.`, how);
  }

  private failure(what: string): Error {
    const reason = this.reason();
    return new Error(
      `${this.name} ${what}${reason === undefined ? "" : `: ${reason}`}. Its log is ${this.logFile}` +
        (reason === undefined ? lastLines(this.logFile) : ""),
    );
  }

  /** The program's own reason, without its full stop. */
  private reason(): string | undefined {
    return endReason(this.logSinceLaunch())?.replace(/\.$/, "");
  }
}

/** Ends processes for good, one group after the other: those first that would wait for the others. */
export async function retireInOrder(...groups: readonly (readonly (ManagedProcess | undefined)[])[]): Promise<void> {
  for (const group of groups) await Promise.all(group.map((part) => part?.retire()));
}

function lastLines(file: string): string {
  try {
    const lines = readFileSync(file, "utf8").trimEnd().split("\n").slice(-8);
    return lines.length > 0 ? `; it ends with:\n  ${lines.join("\n  ")}` : "";
  } catch {
    return "";
  }
}

/** Below the range from which systems take a port for a connection that goes out. */
const portsToListenOn = { from: 12_000, to: 32_000 } as const;

/**
 * Ports of 127.0.0.1 that were free a moment ago, all different. No connection takes one while its server restarts, as
 * it could take a port that the system gave.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(portsToListenOn.from, portsToListenOn.to);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return false;
    throw error;
  }
  await new Promise((resolve) => server.close(resolve));
  return true;
}
