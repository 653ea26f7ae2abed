import { join, relative } from "node:path";
import { sinkConnectorName } from "../../contract/sink-connector";
import { buildStep, isBuilt } from "../machine/build";
import { localFolder } from "../machine/folders";
import { type TableChoice, watchedTables } from "../parts/watched";
import { stringifyExact } from "../../review/exact-json";
import { connectionUrl, withClient } from "../servers/database-client";
import { sampleUser } from "../parts/sample-database";
import type { Step } from "../machine/steps";
import type { Pipeline } from "../pipeline";
import { showSteps } from "./start-display";
import type { Shown } from "./follow-log";
import { tablesPage, wrapped } from "./tables-page";
import { Timeline } from "./timeline";

export interface OutputOptions {
  readonly source?: string;
  readonly keep?: boolean;
  readonly json?: boolean;
}

/** Everything that is printed: text for people, or one JSON object a line. */
export class Output {
  private readonly width = process.stdout.isTTY ? process.stdout.columns : Infinity;
  private readonly timeline = new Timeline({
    width: this.width,
    colours: process.stdout.isTTY ?? false,
  });
  private headingShown = false;

  constructor(private readonly options: OutputOptions) {}

  /** Runs the steps of starting, each shown with its time. Those that have not begun do not begin when asked to stop. */
  async steps(pipeline: Pipeline, stop: AbortSignal): Promise<void> {
    const build = buildStep(stop);
    const steps = [...pipeline.startSteps(), pipeline.canaryStep()];
    const afterBuild = ({ after = [], ...step }: Step): Step => ({ ...step, after: [...after, build.title] });
    await showSteps(
      isBuilt() ? steps : [build, ...steps.map(afterBuild)],
      this.options.json ? "json" : process.stdout.isTTY ? "terminal" : "lines",
      (line) => this.print(line),
    );
  }

  /** Which tables are captured, which are not, and what their log will lack. */
  async tables(url: string, choice: TableChoice, { warnings, losses }: Pipeline): Promise<void> {
    const found = await withClient({ connectionString: url }, (client) => watchedTables(client, choice));
    // The bootstrap warns of most losses as well, in one text with what mends them.
    const others = warnings.filter(
      (warning) => !losses.some(({ object, problem }) => warning.startsWith(`${object} ${problem}`)),
    );
    if (this.options.json) {
      this.json({ event: "tables", ...found });
      for (const loss of losses) this.json({ event: "warning", ...loss });
      for (const problem of others) this.json({ event: "warning", problem });
      return;
    }
    this.print(`\n${tablesPage({ ...found, losses }, this.width)}`);
    for (const warning of others) this.print(wrapped(`  ${warning}`, this.width));
  }

  /** One thing to know, as a line or as an event. */
  note(text: string, event: Record<string, unknown>): void {
    if (this.options.json) this.json(event);
    else this.print(text);
  }

  ready(pipeline: Pipeline, milliseconds: number, review?: string): void {
    if (this.options.json) {
      this.json({
        event: "ready",
        seconds: milliseconds / 1000,
        database: connectionUrl({ ...pipeline.sample, ...sampleUser }),
        bootstrapServers: pipeline.bootstrapServers,
        connect: `http://127.0.0.1:${pipeline.ports.worker}`,
        ...(review === undefined ? {} : { review }),
        logs: join(localFolder, "logs"),
      });
      return;
    }
    const database = connectionUrl({ ...pipeline.sample, ...sampleUser });
    const logs = relative(process.cwd(), join(localFolder, "logs"));
    this.print(`
Everything runs, after ${(milliseconds / 1000).toFixed(1)} s:
${review === undefined ? "" : `  reviewer's page   ${review}\n`}  ${this.options.source ? "audit log         " : "database and log  "}psql ${database}
  Kafka broker      ${pipeline.bootstrapServers}
  Kafka Connect     http://127.0.0.1:${pipeline.ports.worker}/connectors/${sinkConnectorName}/status
  transformer       http://127.0.0.1:${pipeline.ports.transformer}/actuator/prometheus
  logs of the parts ${logs}/
  topics            ${Object.values(pipeline.topics)
    .map((topic) => `npm run topic -- ${topic.name}`)
    .join("\n                    ")}
`);
    if (this.options.source)
      this.print("Change a row in your database and watch it appear here. Ctrl-C stops everything.\n");
  }

  tryNext(): void {
    if (this.options.json) return;
    this.print(`
Try it, in another terminal:
  npm run sql -- "UPDATE shop.orders SET status = 'returned' WHERE id = 1"
  npm run sql -- "BEGIN; SELECT capture.announce('you'); DELETE FROM shop.order_lines; COMMIT"
  npm run sql -- "SELECT * FROM audit.history('shop.orders', '{\\"id\\": 1}')"
  npm run dead-letters
The change appears below within a moment. Ctrl-C stops everything.
`);
  }

  firstRow(milliseconds: number): void {
    if (this.options.json) this.json({ event: "first-row", seconds: milliseconds / 1000 });
  }

  /** Events that one look at the log shows at its beginning and at its end: a terminal is for reading. */
  get most(): number {
    return process.stdout.isTTY && !this.options.json ? 10 : 100;
  }

  /** An event of the log, or how many are not shown. */
  shown(shown: Shown): void {
    if (this.options.json) {
      if (shown.kind === "event") this.json({ event: "change", ...shown.row, ...(shown.late ? { late: true } : {}) });
      else this.json({ event: "more", count: shown.count, of: Object.fromEntries(shown.of) });
      return;
    }
    if (!this.headingShown) this.print(this.timeline.heading());
    this.headingShown = true;
    this.print(
      shown.kind === "event" ? this.timeline.event(shown.row, shown.late) : this.timeline.more(shown.count, shown.of),
    );
  }

  checked(count: number, lost: readonly string[], invented: readonly string[]): void {
    if (this.options.json) {
      this.json({ event: "checked", changes: count, missing: lost, surplus: invented });
      return;
    }
    if (lost.length === 0 && invented.length === 0) {
      this.print(`\nChecked: all ${count} changes of the sample are in the log, each once and with its actor.`);
      return;
    }
    for (const change of lost) this.print(`  missing in the log: ${change}`);
    for (const change of invented) this.print(`  in the log, but never made: ${change}`);
  }

  stopping(): void {
    if (!this.options.json) this.print("\nStopping …");
  }

  stillStopping(): void {
    if (!this.options.json) this.print("Still stopping: this takes some seconds and leaves nothing behind.");
  }

  /** @param source the database of the user's own that was captured, if one was. */
  stopped(source?: string): void {
    if (this.options.json) return this.json({ event: "stopped" });
    const { keep } = this.options;
    this.print(keep ? "Everything is stopped; the data are kept." : "Everything is stopped and its data are removed.");
    if (source === undefined) return;
    this.print(
      keep
        ? `The capture in ${source} stays, and its slot keeps WAL there until the next run with --keep. To take it back: npm run local:clean -- --source URL`
        : `The capture in ${source} is taken back.`,
    );
  }

  failed(reason: string, pipeline: Pipeline): void {
    if (this.options.json) this.json({ event: "failed", reason });
    else process.stderr.write(`\nFailed: ${reason}\nLogs: ${join(pipeline.options.folder, "logs")}\n`);
  }

  private print(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  private json(value: unknown): void {
    process.stdout.write(`${stringifyExact(value)}\n`);
  }
}
