import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { unzipSync } from "fflate";
import { Client } from "pg";
import {
  defaultLobMaxSizeKilobytes,
  kafkaEndpointFormat,
  tableMappings,
  taskSettings,
  type TableSelection,
} from "../contract/change-capture";
import { sinkConnectorName, sinkConnectorProperties } from "../contract/sink-connector";
import { defaultMessageMaxBytes, pipelineTopics, topicList, type Topics } from "../contract/topics";
import { databaseRoles } from "../contract/database-roles";
import type { CanaryRequest, DatabaseAccess, MaintainRequest, OperatorAction } from "../contract/operator";
import { checkSource, uninstallSource } from "../operator/bootstrap";
import type { OperatorContext } from "../operator/context";
import { bootstrap } from "../operator/handlers/bootstrap";
import { canary, type CanaryReport } from "../operator/handlers/canary";
import { maintain } from "../operator/handlers/maintain";
import { artifacts } from "./build";
import { diagnoseLocally } from "./diagnosis";
import { repositoryFolder } from "./folders";
import { type ClientListener, connectorTasks, connectWorker, kafkaBroker, putConnector } from "./kafka";
import { freePorts, ManagedProcess } from "./managed-process";
import { withLocalContext, writeLinesTo } from "./operator";
import { postgresServer, superuserConnection } from "./postgres";
import { startSecretsManager, type SecretsManager } from "./secrets-manager";
import { createTopics } from "./topics";
import { transformerProcess } from "./transformer";
import { createShop, shopTables } from "./workloads/shop";

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
/** Everything runs when the canary is sent: a minute is plenty. */
const canaryTimeoutSeconds = 60;
/** Milliseconds. Whoever starts the pipeline waits for the canary, and this database has nothing else to do. */
const canaryPollInterval = 25;
/** The replication slot of the stand-in. */
export const slotName = "cdc_audit_local";
/** Names of secrets, where a deployment has ARNs. */
const administratorSecret = "local/administrator";
const sourceAdministratorSecret = "local/source-administrator";
const captureSecret = "local/cdc_capture";
const writerSecret = "local/audit_writer";
const dropSlotAttempts = 50;

interface Ports {
  readonly postgres: number;
  readonly broker: number;
  readonly controller: number;
  readonly worker: number;
  readonly transformer: number;
}

interface Passwords {
  readonly superuser: string;
  readonly capture: string;
  readonly writer: string;
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
    await this.standIn?.stop();
    await this.transformer?.stop();
    await this.worker?.stop();
    await this.secretsManager?.stop();
    await this.broker?.stop();
    if (this.options.source && this.sourceTouched && !this.options.keep) await this.cleanSource(this.options.source);
    await this.postgres?.stop();
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
    await this.operate("bootstrap", (context) =>
      bootstrap(
        {
          action: "bootstrap",
          source: {
            ...this.sourceAccess,
            captureSecretArn: captureSecret,
            tables: this.options.tables ?? shopTables,
          },
          destination: { ...this.destinationAccess, writerSecretArn: writerSecret },
        },
        context,
      ),
    );
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
      secrets: { [writerSecret]: JSON.stringify(this.secrets[writerSecret]) },
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
    for (;;) {
      const tasks = await connectorTasks(this.ports.worker, sinkConnectorName).catch(() => []);
      const failed = tasks.find((task) => task.state === "FAILED");
      if (failed)
        throw new Error(
          `The JDBC sink failed: ${failed.trace?.split("\n")[0]}. The log is ${this.logFile("connect")}.`,
        );
      if (tasks.length > 0 && tasks.every((task) => task.state === "RUNNING")) return;
      await sleep(50);
    }
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
    const configuration = join(this.options.folder, "data/dms-stand-in.json");
    const source = new URL(this.options.source ?? connectionUrl(this.sample));
    source.username = databaseRoles.capture;
    source.password = encodeURIComponent(this.passwords.capture);
    writeFileSync(
      configuration,
      JSON.stringify({
        sourceUrl: source.toString(),
        slotName,
        bootstrapServers: this.bootstrapServersOf("DMS stand-in"),
        topic: this.topics.raw.name,
        tableMappings: tableMappings(this.options.tables ?? shopTables, this.topics.raw.name),
        taskSettings: taskSettings(),
        endpointFormat: kafkaEndpointFormat,
        messageMaxBytes: defaultMessageMaxBytes,
        fullLoad: this.options.fullLoad ?? false,
      }),
      { mode: 0o600 },
    );
    const standIn = new ManagedProcess({
      name: "DMS stand-in",
      command: process.execPath,
      arguments: ["--import", "tsx", join(repositoryFolder, "local/dms-stand-in/main.ts"), "--config", configuration],
      logFile: this.logFile("dms-stand-in"),
      ready: async () => {
        if (!standIn.logSinceLaunch().includes('"event":"streaming"')) throw new Error("it does not stream yet");
      },
    });
    this.standIn = this.watch(standIn);
    await this.standIn.start();
    // As after the start of a DMS task: only now is there a slot that carries what the tables look like.
    await this.operate("maintain", (context) => maintain(this.maintainRequest, context));
  }

  /** Sends a row through every part and waits for it in the audit log, for a minute unless told otherwise. */
  async canary(options: { readonly stop?: AbortSignal; readonly timeoutSeconds?: number } = {}): Promise<CanaryReport> {
    const { stop, timeoutSeconds = canaryTimeoutSeconds } = options;
    return this.operate(
      "canary",
      (context) =>
        canary(
          { ...this.canaryRequest, timeoutSeconds },
          context,
          (request, _, writtenAt) => diagnoseLocally(this, request, writtenAt),
          { pollInterval: canaryPollInterval },
        ),
      stop,
    );
  }

  private get maintainRequest(): MaintainRequest {
    return { action: "maintain", sourceId, source: this.sourceAccess, destination: this.destinationAccess };
  }

  private get canaryRequest(): CanaryRequest {
    return {
      action: "canary",
      sourceId,
      source: this.sourceAccess,
      destination: this.destinationAccess,
      captureTaskArn: "local/dms-stand-in",
      kafka: {
        bootstrapBrokersIam: this.bootstrapServers,
        rawTopic: this.topics.raw.name,
        eventsTopic: this.topics.events.name,
        transformerGroup: transformerApplication,
        sinkGroup: `connect-${sinkConnectorName}`,
      },
      connectorArn: `local/${sinkConnectorName}`,
    };
  }

  private get destinationAccess(): DatabaseAccess {
    return this.accessTo(this.destination);
  }

  private accessTo({ host, port, database }: ReturnType<typeof superuserConnection>): DatabaseAccess {
    return { host, port, database, adminSecretArn: administratorSecret };
  }

  private get sourceAccess(): DatabaseAccess {
    if (!this.options.source) return this.accessTo(this.sample);
    const { hostname, port, pathname } = new URL(this.options.source);
    return {
      host: hostname,
      port: Number(port || 5432),
      database: decodeURIComponent(pathname.slice(1)),
      adminSecretArn: sourceAdministratorSecret,
    };
  }

  private get secrets() {
    return {
      [administratorSecret]: { username: this.sample.user, password: this.passwords.superuser },
      [captureSecret]: { username: databaseRoles.capture, password: this.passwords.capture },
      [writerSecret]: { username: databaseRoles.writer, password: this.passwords.writer },
    };
  }

  /** Runs a handler of the operator over this pipeline; its log is one of the parts'. */
  private operate<Result>(
    action: OperatorAction,
    handle: (context: OperatorContext) => Promise<Result>,
    stop?: AbortSignal,
  ): Promise<Result> {
    return withLocalContext(
      action,
      {
        secrets: this.secrets,
        // The user's own URL may say more than host and password.
        connection: ({ adminSecretArn }) =>
          adminSecretArn === sourceAdministratorSecret ? { connectionString: this.options.source } : undefined,
        writeLine: writeLinesTo(this.logFile("operator")),
        ...(stop ? { stop } : {}),
      },
      handle,
    );
  }

  private async cleanSource(source: string): Promise<void> {
    await withClient({ connectionString: source }, async (client) => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          await client.query(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1",
            [slotName],
          );
          break;
        } catch (error) {
          // The server notices a closed replication connection a moment later.
          if (attempt === dropSlotAttempts) throw error;
          await sleep(100);
        }
      }
      await uninstallSource(client);
    });
  }

  private watch(part: ManagedProcess): ManagedProcess {
    part.onUnexpectedExit((description) => this.exitListener(description));
    return part;
  }
}

/** Problems of a source database that would keep the pipeline from capturing it, each with its fix. */
export async function sourceProblems(source: string): Promise<string[]> {
  return withClient({ connectionString: source }, async (client) =>
    (await checkSource(client)).map((problem) => `${problem.what}. ${problem.why}. ${problem.fix}.`),
  );
}

/** Connects, runs, and closes the connection whatever happens. */
export async function withClient<T>(
  connection: ConstructorParameters<typeof Client>[0],
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client(connection);
  // A server that goes away is the caller's next failing query, not an uncaught event.
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** A `postgres://` URL for a person to paste. */
export function connectionUrl(connection: {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
}): string {
  const { host, port, user, password, database } = connection;
  return `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`;
}

function passwordsOf(file: string): Passwords {
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as Passwords;
  const password = () => randomBytes(18).toString("base64url");
  const passwords = { superuser: password(), capture: password(), writer: password() };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(passwords), { mode: 0o600 });
  chmodSync(file, 0o600);
  return passwords;
}

/** Unpacks the ZIP that MSK Connect loads too, so that the worker isolates it as a plugin of its own. */
function unpackPlugin(folder: string): string {
  const plugin = join(folder, "audit-sink");
  rmSync(plugin, { recursive: true, force: true });
  for (const [name, content] of Object.entries(unzipSync(readFileSync(artifacts.sinkPlugin)))) {
    if (name.endsWith("/")) continue;
    const file = join(plugin, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  return folder;
}
