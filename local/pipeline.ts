import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "pg";
import {
  defaultLobMaxSizeKilobytes,
  kafkaEndpointFormat,
  tableMappings,
  taskSettings,
  type TableSelection,
} from "../contract/change-capture";
import { sinkConnectorName, sinkConnectorProperties, sinkConsumerGroup } from "../contract/sink-connector";
import { defaultMessageMaxBytes, pipelineTopics, topicList, type Topics } from "../contract/topics";
import { databaseRoles } from "../contract/database-roles";
import type { CanaryReport } from "../operator/handlers/canary/canary";
import { connectionUrl, withClient } from "./servers/database-client";
import { diagnoseLocally } from "./parts/diagnosis";
import { standInProcess } from "./dms-stand-in/process";
import { type ClientListener, connectWorker, kafkaBroker, putConnector } from "./servers/kafka";
import { freePorts, type ManagedProcess } from "./machine/managed-process";
import { type Passwords, passwordsOf } from "./servers/passwords";
import { PipelineOperator, writerLogin, writerSecret } from "./parts/operator";
import { postgresServer, superuserConnection } from "./servers/postgres";
import { startSecretsManager, type SecretsManager } from "./servers/secrets-manager";
import { sinkRuns, unpackPlugin } from "./parts/sink";
import { cleanSource } from "./parts/source";
import { createTopics } from "./servers/topics";
import { transformerProcess } from "./parts/transformer";
import { createShop, shopTables } from "./command/shop";

/** What to run and where its data go. */
export interface PipelineOptions {
  /** Data, logs and configuration of this run. */
  readonly folder: string;
  /** Audit this database instead of the sample one: a connection URL. */
  readonly source?: string;
  /** Creates what the sample database holds, as its owner. Default: the shop. */
  readonly prepareSample?: (client: Client) => Promise<void>;
  /** A database of its own for the audit log. Default: beside the sample tables, where one connection sees both. */
  readonly auditDatabase?: string;
  /** Tables to capture; `%` stands for all tables of a schema. Default: the shop's. */
  readonly tables?: readonly TableSelection[];
  /** Begin with the data of an earlier run, if there are any. Default false. */
  readonly keep?: boolean;
  /** Also send the rows that are there already, as baselines. Default false. */
  readonly fullLoad?: boolean;
  /** Extra settings of the PostgreSQL server. */
  readonly postgresSettings?: Readonly<Record<string, string>>;
  /** Extra properties of the broker. */
  readonly brokerSettings?: Readonly<Record<string, string>>;
  /** Extra environment of the transformer. */
  readonly transformerEnvironment?: Readonly<Record<string, string>>;
  /**
   * Leads a connection through something else, such as a proxy: given the port where the one listens, resolves to the
   * port where the other connects. Default: they connect directly.
   */
  readonly between?: (connection: PipelineConnection, port: number) => Promise<number>;
}

/** Who connects to the broker. */
const brokerClients = ["DMS stand-in", "transformer", "worker"] as const;

/** Two parts that talk to each other, named by the one that connects. */
export type PipelineConnection = `${(typeof brokerClients)[number]} to broker` | "sink to database";

/** A step of starting the pipeline, for whoever shows progress. */
export interface Step {
  readonly title: string;
  /** May return another title, which says what came of it. */
  readonly run: () => Promise<string | void>;
}

/** The sample application's user; a throw-away database on loopback needs no secret. */
export const shopUser = { user: "shop", password: "shop", database: "shop" } as const;

const sourceId = "local";
const transformerApplication = "audit-transformer";
/** The replication slot of the stand-in. */
export const slotName = "cdc_audit_local";
interface Ports {
  readonly postgres: number;
  readonly broker: number;
  readonly controller: number;
  readonly worker: number;
  readonly transformer: number;
}

/** Every part of the product on one machine, started in the order in which data flow, stopped in the same order. */
export class Pipeline {
  readonly topics = pipelineTopics();
  postgres!: ManagedProcess;
  broker!: ManagedProcess;
  worker!: ManagedProcess;
  transformer!: ManagedProcess;
  standIn!: ManagedProcess;
  private secretsManager: SecretsManager | undefined;
  private exitListener: (description: string) => void = () => undefined;
  private sourceTouched = false;
  private readonly brokerPorts = new Map<(typeof brokerClients)[number], number>();

  private constructor(
    readonly options: PipelineOptions,
    readonly ports: Ports,
    private readonly passwords: Passwords,
  ) {}

  /** Prepares folders, ports and passwords; starts nothing. */
  static async prepare(options: PipelineOptions): Promise<Pipeline> {
    if (!options.keep) rmSync(join(options.folder, "data"), { recursive: true, force: true });
    rmSync(join(options.folder, "logs"), { recursive: true, force: true });
    mkdirSync(join(options.folder, "logs"), { recursive: true });
    const [postgres, broker, controller, worker, transformer] = (await freePorts(5)) as [
      number,
      number,
      number,
      number,
      number,
    ];
    return new Pipeline(
      options,
      { postgres, broker, controller, worker, transformer },
      passwordsOf(join(options.folder, "data/passwords.json")),
    );
  }

  get bootstrapServers(): string {
    return `127.0.0.1:${this.ports.broker}`;
  }

  private bootstrapServersOf(client: (typeof brokerClients)[number]): string {
    return `127.0.0.1:${this.brokerPorts.get(client) ?? this.ports.broker}`;
  }

  /** Where the audit log is, for a reader who may see everything. */
  get destination() {
    return this.superuserOf(this.options.auditDatabase ?? shopUser.database);
  }

  /** The sample database, for its superuser. */
  get sample() {
    return this.superuserOf(shopUser.database);
  }

  private superuserOf(database: string) {
    return superuserConnection({ port: this.ports.postgres, superuserPassword: this.passwords.superuser }, database);
  }

  /** The audited database: the sample one, or the user's own. */
  get sourceConnection(): { connectionString: string } | ReturnType<typeof superuserConnection> {
    return this.options.source ? { connectionString: this.options.source } : this.sample;
  }

  get processes(): ManagedProcess[] {
    return [this.postgres, this.broker, this.worker, this.transformer, this.standIn].filter(
      (part) => part !== undefined,
    );
  }

  logFile(part: string): string {
    return join(this.options.folder, "logs", `${part}.log`);
  }

  /** Called when a part ends that nobody asked to. */
  onUnexpectedExit(listener: (description: string) => void): void {
    this.exitListener = listener;
  }

  /** The steps of starting, in order; the steps of one inner list may run at once. */
  startSteps(): Step[][] {
    return [
      [
        { title: "PostgreSQL", run: () => this.startPostgres() },
        { title: "Kafka broker", run: () => this.startBroker() },
      ],
      [
        { title: "Database: audit log, capture, sample tables", run: () => this.bootstrapDatabases() },
        { title: "Topics", run: () => this.createTopics() },
        { title: "Kafka Connect", run: () => this.startWorker() },
      ],
      [
        { title: "DMS stand-in", run: () => this.startStandIn() },
        { title: "Transformer", run: () => this.startTransformer() },
        { title: "JDBC sink", run: () => this.startSink() },
      ],
    ];
  }

  /** The step that proves that rows move; ends early when `stop` is aborted. */
  canaryStep(stop: AbortSignal): Step {
    return {
      title: "Canary",
      run: async () => `Canary: a row went through in ${(await this.canary({ stop })).totalMilliseconds} ms`,
    };
  }

  /** Runs all steps without showing anything; for tests and measurements. */
  async start(): Promise<void> {
    for (const steps of this.startSteps()) await Promise.all(steps.map((step) => step.run()));
  }

  /** Stops every part, the one that data enter first, and leaves no process. With a foreign source, removes what was put there. */
  async stop(): Promise<void> {
    await this.standIn?.retire();
    await this.transformer?.retire();
    await this.worker?.retire();
    await this.secretsManager?.stop();
    await this.broker?.retire();
    if (this.options.source && this.sourceTouched && !this.options.keep)
      await cleanSource(this.options.source, slotName);
    await this.postgres?.retire();
    if (!this.options.keep) rmSync(join(this.options.folder, "data"), { recursive: true, force: true });
  }

  private async startPostgres(): Promise<void> {
    this.postgres = this.watch(
      await postgresServer({
        dataFolder: join(this.options.folder, "data/postgres"),
        logFile: this.logFile("postgres"),
        port: this.ports.postgres,
        superuserPassword: this.passwords.superuser,
        ...(this.options.postgresSettings ? { settings: this.options.postgresSettings } : {}),
      }),
    );
    await this.postgres.start();
  }

  private async startBroker(): Promise<void> {
    this.broker = this.watch(
      await kafkaBroker({
        dataFolder: join(this.options.folder, "data/kafka"),
        logFile: this.logFile("kafka"),
        port: this.ports.broker,
        controllerPort: this.ports.controller,
        clientListeners: await this.clientListeners(),
        settings: this.options.brokerSettings ?? {},
      }),
    );
    await this.broker.start();
  }

  /** Kafka tells a client where to come back to: whoever goes another way needs a listener that advertises it. */
  private async clientListeners(): Promise<ClientListener[]> {
    const { between } = this.options;
    if (!between) return [];
    const ports = await freePorts(brokerClients.length);
    return Promise.all(
      brokerClients.map(async (client, index) => {
        const port = ports[index] as number;
        const advertisedPort = await between(`${client} to broker`, port);
        this.brokerPorts.set(client, advertisedPort);
        return { port, advertisedPort };
      }),
    );
  }

  private async bootstrapDatabases(): Promise<void> {
    await this.createSampleDatabase();
    if (!this.options.source) {
      await withClient({ ...this.sample, ...shopUser }, this.options.prepareSample ?? createShop);
    }
    this.sourceTouched = true;
    await this.operator.bootstrap(this.options.tables ?? shopTables);
    await withClient(this.sample, (client) => client.query("GRANT audit_reader TO shop"));
    if (!this.options.source) await withClient(this.sample, (client) => client.query("GRANT capture_app TO shop"));
  }

  private async createSampleDatabase(): Promise<void> {
    await withClient(this.superuserOf("postgres"), async (client) => {
      const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [shopUser.database]);
      if (rowCount) return;
      await client.query(`CREATE ROLE ${shopUser.user} LOGIN PASSWORD '${shopUser.password}'`);
      await client.query(`CREATE DATABASE ${shopUser.database} OWNER ${shopUser.user}`);
    });
  }

  private async createTopics(): Promise<void> {
    await createTopics(this.bootstrapServers, topicList(this.topics), 1);
  }

  private async startWorker(): Promise<void> {
    this.worker = this.watch(
      await connectWorker({
        dataFolder: join(this.options.folder, "data/connect"),
        logFile: this.logFile("connect"),
        port: this.ports.worker,
        bootstrapServers: this.bootstrapServersOf("worker"),
        pluginFolder: unpackPlugin(join(this.options.folder, "data/plugins")),
      }),
    );
    await this.worker.start();
  }

  private async startSink(): Promise<void> {
    this.secretsManager = await startSecretsManager({
      secrets: { [writerSecret]: JSON.stringify(writerLogin(this.passwords)) },
    });
    await putConnector(
      this.ports.worker,
      sinkConnectorName,
      sinkConnectorProperties({
        topics: this.topics,
        deadLetterReplicationFactor: 1,
        destination: {
          host: "127.0.0.1",
          port: (await this.options.between?.("sink to database", this.ports.postgres)) ?? this.ports.postgres,
          database: this.destination.database,
          secretId: writerSecret,
          region: "eu-central-1",
          secretsManagerEndpoint: this.secretsManager.endpoint,
          sslMode: "disable",
        },
      }),
    );
    await this.waitForSink();
  }

  /** Waits until every task of the sink runs; a failed one is reported with its reason. */
  async waitForSink(): Promise<void> {
    await sinkRuns(this.ports.worker, this.logFile("connect"));
  }

  private async startTransformer(): Promise<void> {
    this.transformer = this.watch(
      await this.transformerFor({
        applicationId: transformerApplication,
        topics: this.topics,
        managementPort: this.ports.transformer,
        stateFolder: join(this.options.folder, "data/transformer"),
        logFile: this.logFile("transformer"),
      }),
    );
    await this.transformer.start();
  }

  /** A transformer process over this pipeline's broker; the caller starts it. */
  async transformerFor(options: {
    readonly applicationId: string;
    readonly topics: Topics;
    readonly managementPort?: number;
    readonly stateFolder: string;
    readonly logFile: string;
  }): Promise<ManagedProcess> {
    mkdirSync(options.stateFolder, { recursive: true });
    return transformerProcess(
      {
        sourceId,
        bootstrapServers: this.bootstrapServersOf("transformer"),
        applicationId: options.applicationId,
        topics: options.topics,
        authentication: "none",
        replicationFactor: 1,
        lobMaxSizeKilobytes: defaultLobMaxSizeKilobytes,
        messageMaxBytes: defaultMessageMaxBytes,
        managementPort: options.managementPort ?? ((await freePorts(1))[0] as number),
      },
      { ...options, environment: this.options.transformerEnvironment ?? {} },
    );
  }

  private async startStandIn(): Promise<void> {
    const source = new URL(this.options.source ?? connectionUrl(this.sample));
    source.username = databaseRoles.capture;
    source.password = encodeURIComponent(this.passwords.capture);
    this.standIn = this.watch(
      standInProcess(
        {
          sourceUrl: source.toString(),
          slotName,
          bootstrapServers: this.bootstrapServersOf("DMS stand-in"),
          topic: this.topics.raw.name,
          tableMappings: tableMappings(this.options.tables ?? shopTables, this.topics.raw.name),
          taskSettings: taskSettings(),
          endpointFormat: kafkaEndpointFormat,
          messageMaxBytes: defaultMessageMaxBytes,
          fullLoad: this.options.fullLoad ?? false,
        },
        {
          configurationFile: join(this.options.folder, "data/dms-stand-in.json"),
          logFile: this.logFile("dms-stand-in"),
        },
      ),
    );
    await this.standIn.start();
    // As after the start of a DMS task: only now is there a slot that carries what the tables look like.
    await this.operator.maintain();
  }

  /** Sends a row through every part and waits for it in the audit log, for a minute unless told otherwise. */
  async canary(options: { readonly stop?: AbortSignal; readonly timeoutSeconds?: number } = {}): Promise<CanaryReport> {
    return this.operator.canary(
      {
        bootstrapBrokersIam: this.bootstrapServers,
        rawTopic: this.topics.raw.name,
        eventsTopic: this.topics.events.name,
        transformerGroup: transformerApplication,
        sinkGroup: sinkConsumerGroup(sinkConnectorName),
      },
      (request, writtenAt) => diagnoseLocally(this, request, writtenAt),
      options,
    );
  }

  private get operator(): PipelineOperator {
    const { source } = this.options;
    return new PipelineOperator({
      sourceId,
      sample: this.sample,
      destination: this.destination,
      ...(source ? { source } : {}),
      passwords: this.passwords,
      logFile: this.logFile("operator"),
    });
  }

  private watch(part: ManagedProcess): ManagedProcess {
    part.onUnexpectedExit((description) => this.exitListener(description));
    return part;
  }
}
