import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { QueryResultRow } from "pg";
import { sinkConnectorName } from "../contract/sink-connector";
import { connectorTasks } from "../local/servers/kafka-connect";
import { freePorts, type ManagedProcess } from "../local/machine/managed-process";
import { connectOracle, installOracle } from "./truth/oracle";
import { connectionUrl, withClient } from "../local/servers/database-client";
import type { PipelineLink } from "../local/parts/links";
import { sampleUser } from "../local/parts/sample-database";
import { throwAwaySource } from "../local/parts/source";
import { Pipeline } from "../local/pipeline";
import { postgresServer, superuserConnection } from "../local/servers/postgres";
import { withDescendants } from "../local/machine/processes";
import { ShiftedClock } from "./injection/clock";
import { Disk } from "./injection/disk";
import { Link } from "./injection/link";
import { workloadSchema, workloadTables } from "./workload";

export const parts = [
  "source database",
  "destination database",
  "broker",
  "worker",
  "transformer",
  "DMS stand-in",
] as const;
/** A process of the pipeline, as a fault hits it. */
export type Part = (typeof parts)[number];

export const linkNames = [
  "DMS stand-in to source",
  "DMS stand-in to broker",
  "transformer to broker",
  "worker to broker",
  "sink to database",
] as const satisfies readonly (PipelineLink | "DMS stand-in to source")[];
/** Two parts that talk to each other; the one that connects is named first. */
export type LinkName = (typeof linkNames)[number];

/** Parts whose disk can be full. */
export const diskOwners = ["source database", "destination database", "broker"] as const satisfies readonly Part[];
export type DiskOwner = (typeof diskOwners)[number];

const diskBytes = 30 * 2 ** 30;
const superviseMilliseconds = 200;
const restartPauseMilliseconds = 1_000;

/** A part that ended although no fault ended it. */
export interface Exit {
  readonly part: Part;
  readonly at: number;
  readonly description: string;
}

/**
 * The pipeline with the source and the destination on two servers, a proxy on each link, and a separate file system for
 * each part that stores data. A part that ends is started again, as ECS, MSK and RDS do; a fault may hold it down.
 */
export class System {
  readonly exits: Exit[] = [];
  readonly links = new Map<LinkName, Link>();
  readonly disks = new Map<DiskOwner, Disk>();
  clock: ShiftedClock | undefined;
  /** Places of the records that must be in the dead-letter topic; no others may be there. */
  readonly poisoned: string[] = [];
  pipeline!: Pipeline;
  private source!: ManagedProcess;
  private sourcePort!: number;
  private readonly sourcePassword = randomBytes(18).toString("base64url");
  private readonly held = new Map<Part, number>();
  private readonly starting = new Set<Part>();
  private supervisor: NodeJS.Timeout | undefined;

  private constructor(readonly folder: string) {}

  /** Starts everything with the workload's tables, still empty, and the oracle. */
  static async start(folder: string): Promise<System> {
    const system = new System(folder);
    try {
      await system.begin();
      return system;
    } catch (error) {
      await system.stop({ keepFiles: false });
      throw error;
    }
  }

  part(part: Part): ManagedProcess {
    switch (part) {
      case "source database":
        return this.source;
      case "destination database":
        return this.pipeline.postgres;
      case "broker":
        return this.pipeline.broker;
      case "worker":
        return this.pipeline.worker;
      case "transformer":
        return this.pipeline.transformer;
      case "DMS stand-in":
        return this.pipeline.standIn;
    }
  }

  link(name: LinkName): Link {
    return this.links.get(name) as Link;
  }

  /** Ends a part by a signal, and keeps it down until {@link release}. */
  async end(part: Part, signal: NodeJS.Signals): Promise<void> {
    this.held.set(part, (this.held.get(part) ?? 0) + 1);
    await this.part(part).stop(signal);
  }

  /** The supervisor may start the part again. */
  release(part: Part): void {
    const holds = (this.held.get(part) ?? 0) - 1;
    if (holds > 0) this.held.set(part, holds);
    else this.held.delete(part);
  }

  /** Sends a signal to a part and everything it has started. */
  signal(part: Part, signal: "SIGSTOP" | "SIGCONT"): void {
    const { pid } = this.part(part);
    if (pid === undefined) return;
    for (const each of withDescendants(pid)) {
      try {
        process.kill(each, signal);
      } catch {
        // It has ended in the meantime.
      }
    }
  }

  /** Whether every part is up and ready, or will be as soon as its supervisor has started it. */
  get settled(): boolean {
    return this.starting.size === 0 && parts.every((part) => this.part(part).running);
  }

  /** Reasons why tasks of the sink have failed; nothing starts a failed task again. */
  async failedTasks(): Promise<string[]> {
    const tasks = await connectorTasks(this.pipeline.ports.worker, sinkConnectorName).catch(() => []);
    return tasks
      .filter(({ state }) => state === "FAILED")
      .map(({ trace }) => `A task of the sink has failed: ${trace?.slice(0, 2_000)}`);
  }

  /**
   * Why the DMS stand-in ended, if it did after so many exits of parts: a DMS task that gives up is not started again on
   * AWS, so this is a failure although it is started again here.
   */
  standInExits(exitsBefore: number): string[] {
    const exits = this.exits.slice(exitsBefore).filter(({ part }) => part === "DMS stand-in");
    return exits.slice(0, 1).map(({ description }) => description);
  }

  get sourceConnection() {
    return superuserConnection({ port: this.sourcePort, superuserPassword: this.sourcePassword }, sampleUser.database);
  }

  /** As the application, whose tables are written. */
  get writerConnection() {
    return { ...this.sourceConnection, ...sampleUser };
  }

  async querySource<Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return withClient(this.sourceConnection, async (client) => (await client.query<Row>(sql, values)).rows);
  }

  async queryDestination<Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return withClient(this.pipeline.destination, async (client) => (await client.query<Row>(sql, values)).rows);
  }

  /** Ends all processes, and removes disks and folders unless they are kept for a person to look at. */
  async stop(options: { readonly keepFiles: boolean }): Promise<void> {
    clearInterval(this.supervisor);
    while (this.starting.size > 0) await sleep(50);
    for (const link of this.links.values()) link.mend();
    if (this.pipeline) {
      for (const part of parts) if (this.part(part)) this.signal(part, "SIGCONT");
      await this.pipeline.stop();
    }
    await this.source?.stop();
    await Promise.all([...this.links.values()].map((link) => link.close()));
    if (options.keepFiles) return;
    for (const disk of this.disks.values()) await disk.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async begin(): Promise<void> {
    chmodSync(this.folder, 0o755);
    mkdirSync(join(this.folder, "data"));
    if (!ShiftedClock.obstacle()) this.clock = ShiftedClock.create(this.folder);
    const homes = this.makeDisks();
    symlinkSync(homes.broker, join(this.folder, "data/kafka"));
    symlinkSync(homes["destination database"], join(this.folder, "data/postgres"));
    await this.startSource(homes["source database"]);

    const link = await this.openLink("DMS stand-in to source", this.sourcePort);
    this.pipeline = await Pipeline.prepare({
      folder: this.folder,
      source: throwAwaySource(connectionUrl({ ...this.sourceConnection, port: link.port })),
      tables: workloadTables,
      keep: true,
      // Segments roll and retention checks them while the run lasts, as on a cluster over days.
      brokerSettings: { "log.segment.bytes": String(4 << 20), "log.retention.check.interval.ms": "2000" },
      ...(this.clock ? { transformerEnvironment: this.clock.environment } : {}),
      between: async (name, port) => (await this.openLink(name, port)).port,
    });
    await this.pipeline.start();
    await withClient(this.sourceConnection, async (client) => {
      await client.query(`GRANT capture_app TO ${sampleUser.user}`);
      await installOracle(client, workloadTables);
    });
    await withClient(this.pipeline.destination, (client) => connectOracle(client, this.sourceConnection));
    for (const part of parts) {
      const managed = this.part(part);
      managed.onUnexpectedExit((description) =>
        this.exits.push({ part, at: Date.now(), description: `${description} ${lastLine(managed.logFile)}` }),
      );
    }
    this.supervisor = setInterval(() => this.supervise(), superviseMilliseconds);
  }

  /** Folders for the data of each owner, on separate disks where that is possible. */
  private makeDisks(): Record<DiskOwner, string> {
    const home = (owner: DiskOwner) => {
      const name = owner.replace(" ", "-");
      if (!Disk.obstacle()) this.disks.set(owner, Disk.create(this.folder, name, diskBytes));
      const folder = join(this.folder, name, "data");
      mkdirSync(folder, { recursive: true });
      return folder;
    };
    return {
      "source database": home("source database"),
      "destination database": home("destination database"),
      broker: home("broker"),
    };
  }

  private async startSource(dataFolder: string): Promise<void> {
    this.sourcePort = (await freePorts(1))[0] as number;
    this.source = await postgresServer({
      dataFolder,
      logFile: join(this.folder, "source.log"),
      port: this.sourcePort,
      superuserPassword: this.sourcePassword,
    });
    await this.source.start();
    await withClient({ ...this.sourceConnection, database: "postgres" }, async (client) => {
      await client.query(`CREATE ROLE ${sampleUser.user} LOGIN PASSWORD '${sampleUser.password}'`);
      await client.query(`CREATE DATABASE ${sampleUser.database} OWNER ${sampleUser.user}`);
    });
    await withClient(this.writerConnection, (client) => client.query(workloadSchema));
  }

  private async openLink(name: LinkName, port: number): Promise<Link> {
    const link = await Link.open(name, port);
    this.links.set(name, link);
    return link;
  }

  private supervise(): void {
    for (const part of parts) {
      if (this.held.has(part) || this.starting.has(part) || this.part(part).running) continue;
      this.starting.add(part);
      void this.restart(part);
    }
  }

  private async restart(part: Part): Promise<void> {
    try {
      await this.part(part).start();
    } catch {
      // The supervisor tries again until the part is up.
      await sleep(restartPauseMilliseconds);
    } finally {
      this.starting.delete(part);
    }
  }
}

function lastLine(file: string): string {
  return readFileSync(file, "utf8").trimEnd().split("\n").at(-1) ?? "";
}
