import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { type Answer, type Batch, features, type Greeting } from "./protocol";

const command = z.array(z.string()).min(1);
const clientFile = z.strictObject({
  client: z.string(),
  command,
  prepare: command.optional(),
  needs: command.optional(),
  notBehindPgBouncer: z.string().optional(),
});
const greeting = z.strictObject({ driver: z.string(), cannot: z.partialRecord(z.enum(features), z.string()) });
const answer = z.strictObject({
  id: z.number(),
  errors: z.array(z.strictObject({ request: z.number(), message: z.string() })),
});

/** A client to be tested. */
export interface ClientFile extends z.infer<typeof clientFile> {
  /** Where its commands run. */
  readonly folder: string;
}

/** Reads the file of a client. @throws Error that names the file and what is wrong with it. */
export function readClientFile(path: string): ClientFile {
  const checked = clientFile.safeParse(JSON.parse(readFileSync(path, "utf8")));
  if (!checked.success) throw new Error(`${path} is no client: ${z.prettifyError(checked.error)}`);
  if (basename(path) !== `${checked.data.client}.json`) {
    throw new Error(`${path} has the client ${checked.data.client}: name the file ${checked.data.client}.json.`);
  }
  return { ...checked.data, folder: resolve(dirname(path)) };
}

/** Whether this machine has what the client's file says that it needs, such as a language. */
export function canRun({ needs, folder }: ClientFile): boolean {
  const [program, ...parameters] = needs ?? [];
  return program === undefined || spawnSync(program, parameters, { cwd: folder, stdio: "ignore" }).status === 0;
}

/** Runs what installs the driver's needs. */
export async function prepare(client: ClientFile): Promise<void> {
  if (!client.prepare) return;
  const child = start(client.prepare, client.folder, {});
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (part) => (output += String(part)));
  const code = await new Promise((done, fail) => child.once("error", fail).once("close", done));
  if (code !== 0) throw new Error(`${client.prepare.join(" ")} ended with ${code}:\n${output.slice(-4000)}`);
}

/** A program that acts as it is asked, one batch at a time. */
export class Driver {
  private nextId = 1;
  private standardError = "";
  private waiting: { resolve: (line: string) => void; reject: (error: Error) => void } | undefined;
  private readonly lines: string[] = [];
  private ended: Error | undefined;

  private constructor(
    readonly client: ClientFile,
    private readonly child: ChildProcess,
    private readonly timeoutSeconds: number,
  ) {
    child.stderr?.on("data", (part) => (this.standardError = (this.standardError + String(part)).slice(-8000)));
    if (child.stdout) createInterface(child.stdout).on("line", (line) => this.take(line));
    child.once("error", (error) => this.end(error));
    child.once("close", (code, signal) => this.end(new Error(`The driver ended with ${code ?? signal}.`)));
  }

  /** Starts a driver and reads what it is. */
  static async start(
    client: ClientFile,
    environment: Readonly<Record<string, string>>,
    timeoutSeconds = 120,
  ): Promise<{ driver: Driver; greeting: Greeting }> {
    const driver = new Driver(client, start(client.command, client.folder, environment), timeoutSeconds);
    try {
      return { driver, greeting: await driver.read(greeting) };
    } catch (error) {
      driver.kill();
      throw error;
    }
  }

  /** Has a batch done. */
  async ask(batch: Batch): Promise<Answer> {
    const id = this.nextId++;
    this.child.stdin?.write(`${JSON.stringify({ id, fresh: false, concurrent: false, ...batch })}\n`);
    const answered = await this.read(answer);
    if (answered.id !== id) throw this.failure(`The driver answered ${answered.id} when ${id} was asked.`);
    return answered;
  }

  /** Lets it close its connections. @throws Error if it does not exit with 0. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => this.child.kill("SIGKILL"), 20_000);
    const code = await new Promise((done) => {
      if (this.child.exitCode !== null || this.child.signalCode !== null) done(this.child.exitCode);
      this.child.once("close", done);
      this.child.stdin?.end();
    });
    clearTimeout(timer);
    if (code !== 0) throw this.failure(`The driver exited with ${code} when its input ended; it must exit with 0.`);
  }

  /** Ends it at once. */
  kill(): void {
    this.child.kill("SIGKILL");
  }

  private take(line: string): void {
    if (this.waiting) this.waiting.resolve(line);
    else this.lines.push(line);
    this.waiting = undefined;
  }

  private end(error: Error): void {
    this.ended = error;
    this.waiting?.reject(this.failure(error.message));
    this.waiting = undefined;
  }

  private async read<Value>(schema: z.ZodType<Value>): Promise<Value> {
    const line = this.lines.shift() ?? (await this.nextLine());
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw this.failure(`The driver wrote a line that is no JSON: ${line.slice(0, 300)}`);
    }
    const checked = schema.safeParse(value);
    if (!checked.success)
      throw this.failure(`The driver wrote ${line.slice(0, 300)}: ${z.prettifyError(checked.error)}`);
    return checked.data;
  }

  private nextLine(): Promise<string> {
    if (this.ended) throw this.failure(this.ended.message);
    return new Promise((resolveLine, reject) => {
      const timer = setTimeout(
        () => reject(this.failure(`No answer in ${this.timeoutSeconds} seconds.`)),
        this.timeoutSeconds * 1000,
      );
      const stopped =
        <Value>(then: (value: Value) => void) =>
        (value: Value) => {
          clearTimeout(timer);
          then(value);
        };
      this.waiting = { resolve: stopped(resolveLine), reject: stopped(reject) };
    });
  }

  private failure(message: string): Error {
    return new Error(this.standardError ? `${message}\nIt wrote:\n${this.standardError}` : message);
  }
}

function start(command: readonly string[], cwd: string, environment: Readonly<Record<string, string>>): ChildProcess {
  const [program, ...parameters] = command;
  return spawn(program as string, parameters, { cwd, env: { ...process.env, ...environment }, stdio: "pipe" });
}
