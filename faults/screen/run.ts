import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { repositoryFolder } from "../../local/machine/folders";
import { withClient } from "../../local/servers/database-client";
import { StopsSource } from "../stops/source";

export interface ScreenLoad {
  /** Rows that are there already, and come as a full load. */
  readonly rows: number;
  /** Changes a second beside it. */
  readonly rate: number;
  /** How long the changes go on, in seconds. */
  readonly seconds: number;
}

/** What the screen showed of the log. */
export interface ScreenResult {
  /** Events of the log that a person is to see: all but contexts and canaries. */
  readonly stored: number;
  /** Those that were shown one by one. */
  readonly shown: number;
  /** Those that were shown in a count. */
  readonly counted: number;
  /** Changes a second that were made. */
  readonly rate: number;
  /** Milliseconds from the commit of the last change to its event in the log, and from there to the screen. */
  readonly pipelineLag: number;
  readonly screenLag: number;
}

/** Changes of one transaction, and milliseconds between transactions of one of the writers. */
const batch = 25;
const writers = 2;
const patience = 300_000;

interface Line {
  readonly event: string;
  readonly database?: string;
  readonly reason?: string;
  readonly count?: number;
  readonly after?: { readonly note?: string };
}

/**
 * Runs `npm run local -- --source … --full-load` over a table of many rows while others change, and compares what it has shown
 * with what the log holds.
 */
export async function watchScreen({ rows, rate, seconds }: ScreenLoad): Promise<ScreenResult> {
  const source = await StopsSource.start(1);
  try {
    await source.use((client) =>
      client.query(`
        CREATE TABLE app.parts (id integer PRIMARY KEY, name text);
        CREATE TABLE app.live (id integer PRIMARY KEY, note text);
        INSERT INTO app.parts SELECT n, 'part ' || n FROM generate_series(1, ${rows}) AS n`),
    );
    const screen = new Screen(source.url);
    try {
      const database = await screen.ready;
      const made = await change(source, rate, seconds, screen.ended);
      const last = "the last change of all";
      await source.use((client) => client.query("INSERT INTO app.live VALUES (0, $1)", [last]));
      const shownAt = await screen.sees(last);
      // Everything that came before it in the log was stored before or while it waited.
      await screen.quiet();
      return await withClient({ connectionString: database }, async (client) => {
        const { rows: events } = await client.query<{ stored: number; lag: number; stored_at: Date }>(
          `SELECT count(*)::integer AS stored,
             max(stored_at) FILTER (WHERE after ->> 'note' = $1) AS stored_at,
             (max(extract(epoch FROM stored_at - "time") * 1000) FILTER (WHERE after ->> 'note' = $1))::float8 AS lag
           FROM audit.log WHERE operation NOT IN ('context', 'canary')`,
          [last],
        );
        const { stored = 0, lag = Number.NaN, stored_at } = events[0] ?? {};
        return {
          stored,
          shown: screen.shown,
          counted: screen.counted,
          rate: Math.round(made / seconds),
          pipelineLag: Math.round(lag),
          screenLag: stored_at ? shownAt - stored_at.getTime() : Number.NaN,
        };
      });
    } finally {
      await screen.stop();
    }
  } finally {
    await source.stop();
  }
}

/** Changes rows until the time is over, as near to the rate as the machine can. Returns how many it changed. */
async function change(source: StopsSource, rate: number, seconds: number, ended: Promise<unknown>): Promise<number> {
  const until = Date.now() + seconds * 1000;
  let over = false;
  void ended.finally(() => (over = true)).catch(() => undefined);
  const write = (writer: number) =>
    source.use(async (client) => {
      const begun = Date.now();
      let made = 0;
      while (Date.now() < until && !over) {
        const first = made * writers + writer * batch;
        await client.query(
          `INSERT INTO app.live SELECT n, 'live ' || n FROM generate_series(${first + 1}, ${first + batch}) AS n`,
        );
        made += batch;
        await sleep(Math.max(0, begun + (made * writers * 1000) / rate - Date.now()));
      }
      return made;
    });
  const made = await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  return made.reduce((sum, each) => sum + each, 0);
}

/** The command, and what it has printed. */
class Screen {
  shown = 0;
  counted = 0;
  readonly ready: Promise<string>;
  readonly ended: Promise<number | null>;
  private readonly child;
  private readonly notes = new Map<string, number>();
  private lastLine = Date.now();
  private reason: string | undefined;

  constructor(url: string) {
    const options = ["--source", url, "--tables", "app.%", "--full-load", "--json"];
    this.child = spawn(process.execPath, ["--import", "tsx", "local/command/main.ts", ...options], {
      cwd: repositoryFolder,
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.ready = new Promise((resolve, reject) => {
      createInterface({ input: this.child.stdout }).on("line", (text) => {
        const line = JSON.parse(text) as Line;
        if (line.event === "ready" && line.database) resolve(line.database);
        this.take(line);
      });
      void this.ended.then((code) =>
        reject(new Error(`The command ended with ${code}: ${this.reason ?? "no reason"}`)),
      );
    });
    this.ready.catch(() => undefined);
  }

  /** Milliseconds since 1970 at which a change with this note was shown. */
  async sees(note: string): Promise<number> {
    const deadline = Date.now() + patience;
    for (;;) {
      const at = this.notes.get(note);
      if (at !== undefined) return at;
      if (Date.now() > deadline || this.child.exitCode !== null) throw new Error(`"${note}" was not shown.`);
      await sleep(20);
    }
  }

  /** Waits until nothing more comes. */
  async quiet(): Promise<void> {
    while (Date.now() - this.lastLine < 3_000) await sleep(100);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null) this.child.kill("SIGINT");
    await this.ended;
  }

  private take(line: Line): void {
    this.lastLine = Date.now();
    if (line.event === "failed") this.reason = line.reason;
    if (line.event === "more") this.counted += line.count ?? 0;
    if (line.event !== "change") return;
    this.shown += 1;
    if (line.after?.note !== undefined) this.notes.set(line.after.note, this.lastLine);
  }
}
