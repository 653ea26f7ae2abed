import { join, relative } from "node:path";
import { Listr, PRESET_TIMER, type ListrTask } from "listr2";
import { sinkConnectorName } from "../../contract/sink-connector";
import { build, isBuilt } from "../machine/build";
import { localFolder } from "../machine/folders";
import { connectionUrl } from "../servers/database-client";
import { sampleUser } from "../parts/sample-database";
import type { Pipeline, Step } from "../pipeline";
import { timelineHeading, timelineLine, type LogRow } from "./timeline";

export interface OutputOptions {
  readonly source?: string;
  readonly keep?: boolean;
  readonly json?: boolean;
}

/** Everything that is printed: text for people, or one JSON object a line. */
export class Output {
  private readonly style = {
    width: process.stdout.isTTY ? process.stdout.columns : Infinity,
    colours: process.stdout.isTTY ?? false,
  };
  private headingShown = false;

  constructor(private readonly options: OutputOptions) {}

  /** Runs the steps of starting, each shown with its seconds. Stops between two of them when asked to. */
  async steps(pipeline: Pipeline, stop: AbortSignal): Promise<void> {
    const buildStep = {
      title: "Build of the Java parts (the first one downloads their libraries: minutes)",
      run: build,
    };
    const groups: Step[][] = [
      ...(isBuilt() ? [] : [[buildStep]]),
      ...pipeline.startSteps(),
      [pipeline.canaryStep(stop)],
    ];
    const task = (step: Step): ListrTask => ({
      title: step.title,
      task: async (_, task) => {
        if (stop.aborted) return;
        const begin = Date.now();
        const outcome = await step.run();
        if (outcome) task.title = outcome;
        const title = outcome ?? step.title;
        const seconds = (Date.now() - begin) / 1000;
        if (this.options.json) this.json({ event: "started", part: title, seconds });
        else if (!process.stdout.isTTY) this.print(`started in ${seconds.toFixed(1).padStart(5)} s  ${title}`);
      },
    });
    const groupTask = (group: Step[]): ListrTask => ({
      task: (_, parent) => parent.newListr(group.map(task), { concurrent: true }),
    });
    await new Listr(groups.map(groupTask), {
      renderer: this.options.json || !process.stdout.isTTY ? "silent" : "default",
      rendererOptions: { timer: PRESET_TIMER, collapseSubtasks: false },
    }).run();
  }

  ready(pipeline: Pipeline, milliseconds: number): void {
    if (this.options.json) {
      this.json({
        event: "ready",
        seconds: milliseconds / 1000,
        database: connectionUrl({ ...pipeline.sample, ...sampleUser }),
        bootstrapServers: pipeline.bootstrapServers,
        connect: `http://127.0.0.1:${pipeline.ports.worker}`,
        logs: join(localFolder, "logs"),
      });
      return;
    }
    const database = connectionUrl({ ...pipeline.sample, ...sampleUser });
    const logs = relative(process.cwd(), join(localFolder, "logs"));
    this.print(`
Everything runs, after ${(milliseconds / 1000).toFixed(1)} s:
  ${this.options.source ? "audit log         " : "database and log  "}psql ${database}
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
  npm run sql -- "BEGIN; SELECT capture.set_context('you'); DELETE FROM shop.order_lines; COMMIT"
  npm run sql -- "SELECT * FROM audit.history('shop.orders', '{\\"id\\": 1}')"
  npm run dead-letters
The change appears below within a moment. Ctrl-C stops everything.
`);
  }

  firstRow(milliseconds: number): void {
    if (this.options.json) this.json({ event: "first-row", seconds: milliseconds / 1000 });
  }

  row(row: LogRow): void {
    if (this.options.json) {
      this.json({ event: "change", ...row });
      return;
    }
    if (!this.headingShown) this.print(timelineHeading(this.style));
    this.headingShown = true;
    this.print(timelineLine(row, this.style));
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

  stopped(): void {
    if (this.options.json) this.json({ event: "stopped" });
    else
      this.print(
        this.options.keep
          ? "Everything is stopped; the data are kept."
          : "Everything is stopped and its data are removed.",
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
    process.stdout.write(`${JSON.stringify(value)}\n`);
  }
}
