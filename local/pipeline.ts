import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { sinkConnectorName, sinkConsumerGroup } from "../contract/sink-connector";
import { pipelineTopics, topicList, type Topics } from "../contract/topics";
import type { CaptureProblem } from "../operator/database/maintain";
import type { CanaryReport } from "../operator/handlers/canary/canary";
import { freePorts, type ManagedProcess, retireInOrder } from "./machine/managed-process";
import { ProcessesFile } from "./machine/processes-file";
import { AbandonableSteps, runSteps, type Step } from "./machine/steps";
import { noteArrivals } from "./parts/arrivals";
import { captureProcess, tableLoads } from "./parts/capture";
import { diagnoseLocally, type ObservedParts } from "./parts/diagnosis";
import { type BrokerClient, brokerListeners } from "./parts/links";
import { PipelineOperator, writerLogin, writerSecret } from "./parts/operator";
import { createSampleDatabase, sampleUser } from "./parts/sample-database";
import { putSink, sinkRuns, unpackPlugin } from "./parts/sink";
import { transformerProcess } from "./parts/transformer";
import type { PipelineOptions } from "./pipeline-options";
import { connectionUrl, withClient } from "./servers/database-client";
import { type ClientListener, kafkaBroker } from "./servers/kafka-broker";
import { connectWorker } from "./servers/kafka-connect";
import { type Passwords, passwordsOf } from "./servers/passwords";
import { postgresServer, superuserConnection } from "./servers/postgres";
import { startSecretsManager, type SecretsManager } from "./servers/secrets-manager";
import { createTopics } from "./servers/topics";

const sourceId = "local";
const removal = { recursive: true, force: true } as const;
const transformerApplication = "audit-transformer";

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
  /** What the bootstrap of the source warned of. */
  warnings: readonly string[] = [];
  /** What the log of a table lacks or will lack, as found once everything was captured. */
  losses: readonly CaptureProblem[] = [];
  private secretsManager: SecretsManager | undefined;
  private exitListener: (description: string) => void = () => undefined;
  private readonly steps = new AbandonableSteps();
  private brokerListeners: ReadonlyMap<BrokerClient, ClientListener> = new Map();

  private constructor(
    readonly options: PipelineOptions,
    readonly ports: Ports,
    private readonly passwords: Passwords,
    private readonly processesFile: ProcessesFile,
  ) {}

  /** Prepares folders, ports and passwords; starts nothing. */
  static async prepare(options: PipelineOptions): Promise<Pipeline> {
    for (const part of options.keep ? ["logs"] : ["data", "logs"]) rmSync(join(options.folder, part), removal);
    mkdirSync(join(options.folder, "logs"), { recursive: true });
    const [postgres = 0, broker = 0, controller = 0, worker = 0, transformer = 0] = await freePorts(5);
    return new Pipeline(
      options,
      { postgres, broker, controller, worker, transformer },
      passwordsOf(join(options.folder, "data/passwords.json")),
      ProcessesFile.begin(options.folder, options.run ?? randomUUID(), options.source?.place),
    );
  }

  get bootstrapServers(): string {
    return `127.0.0.1:${this.ports.broker}`;
  }

  private bootstrapServersOf(client: BrokerClient): string {
    return `127.0.0.1:${this.brokerListeners.get(client)?.advertisedPort ?? this.ports.broker}`;
  }

  /** Where the audit log is, for the superuser, who may read everything. */
  get destination() {
    return this.superuserOf(this.options.auditDatabase ?? sampleUser.database);
  }

  /** The sample database, for its superuser. */
  get sample() {
    return this.superuserOf(sampleUser.database);
  }

  private superuserOf(database: string) {
    return superuserConnection({ port: this.ports.postgres, superuserPassword: this.passwords.superuser }, database);
  }

  /** The audited database: the sample one, or the user's own. */
  private get sourceUrl(): string {
    return this.options.source?.url ?? connectionUrl(this.sample);
  }

  get processes(): ManagedProcess[] {
    return [this.postgres, this.broker, this.worker, this.transformer, this.standIn].filter(
      (part) => part !== undefined,
    );
  }

  logFile(part: string): string {
    return join(this.options.folder, "logs", `${part}.log`);
  }

  /** The listener is called when a part ends by itself. */
  onUnexpectedExit(listener: (description: string) => void): void {
    this.exitListener = listener;
  }

  startSteps(): Step[] {
    const postgres = "PostgreSQL";
    const broker = "Kafka broker";
    const topics = "Topics";
    const databases = this.options.source
      ? "Databases: audit log, capture"
      : "Database: audit log, capture, sample tables";
    const worker = "Kafka Connect";
    return [
      this.steps.step(postgres, [], () => this.startPostgres()),
      this.steps.step(broker, [], () => this.startBroker()),
      this.steps.step(databases, [postgres], () => this.bootstrapDatabases()),
      this.steps.step(topics, [broker], () => createTopics(this.bootstrapServers, topicList(this.topics), 1)),
      this.steps.step(worker, [broker], () => this.startWorker()),
      this.steps.step("Transformer", [topics], () => this.startTransformer()),
      this.steps.step("DMS stand-in", [databases, topics], () => this.startStandIn()),
      this.steps.step("JDBC sink", [databases, topics, worker], () => this.startSink()),
    ];
  }

  /** The step that proves that rows move. */
  canaryStep(): Step {
    return this.steps.step(
      "Canary",
      this.startSteps().map(({ title }) => title),
      async () => {
        const { totalMilliseconds } = await this.canary({ stop: this.steps.signal });
        return `Canary: a row went through in ${totalMilliseconds} ms`;
      },
    );
  }

  /** Runs all steps without showing anything; for tests and measurements. */
  async start(): Promise<void> {
    await runSteps(this.startSteps());
  }

  /** Makes the steps that are under way fail soon, and the others not begin; {@link stop} does the rest. */
  abandonStart(): void {
    this.steps.abandon();
    const writers = [this.standIn, this.transformer, this.worker];
    if (this.steps.anyUnderWay) void retireInOrder(writers, [this.broker, this.postgres]);
  }

  /**
   * Stops every part in the order of the flow, and leaves no process. Takes back what was put into a database of the user's
   * own, or with `keep` leaves it there and says so there. Returns what had to stay there.
   */
  async stop(): Promise<readonly string[]> {
    this.abandonStart();
    await this.steps.settled();
    await this.standIn?.retire();
    const source = this.options.source?.leave(this.options.keep ?? false) ?? Promise.resolve([]);
    // Its failure is reported once every process is ended.
    source.catch(() => undefined);
    await this.transformer?.retire();
    await this.worker?.retire();
    await this.secretsManager?.stop();
    await this.broker?.retire();
    await this.postgres?.retire();
    if (!this.options.keep) rmSync(join(this.options.folder, "data"), removal);
    this.processesFile.remove();
    return source;
  }

  private async startPostgres(): Promise<void> {
    this.postgres = this.watch(
      await postgresServer({
        dataFolder: join(this.options.folder, "data/postgres"),
        logFile: this.logFile("postgres"),
        port: this.ports.postgres,
        superuserPassword: this.passwords.superuser,
        settings: this.options.postgresSettings ?? {},
        environment: this.options.postgresEnvironment ?? {},
      }),
    );
    await this.postgres.start();
  }

  private async startBroker(): Promise<void> {
    this.brokerListeners = await brokerListeners(this.options.between);
    this.broker = this.watch(
      await kafkaBroker({
        dataFolder: join(this.options.folder, "data/kafka"),
        logFile: this.logFile("kafka"),
        port: this.ports.broker,
        controllerPort: this.ports.controller,
        clientListeners: [...this.brokerListeners.values()],
        settings: this.options.brokerSettings ?? {},
      }),
    );
    await this.broker.start();
  }

  private async bootstrapDatabases(): Promise<void> {
    const { prepareSample, tables, actorSources } = this.options;
    await createSampleDatabase(this.superuserOf("postgres"));
    if (prepareSample) await withClient({ ...this.sample, ...sampleUser }, prepareSample);
    await this.options.source?.begin();
    this.warnings = (await this.operator.bootstrap(tables, actorSources)).source.warnings;
    if (this.options.followed) await withClient(this.destination, noteArrivals);
    const roles = prepareSample ? "audit_reader, capture_app" : "audit_reader";
    await withClient(this.sample, (client) => client.query(`GRANT ${roles} TO ${sampleUser.user}`));
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
    await putSink({
      workerPort: this.ports.worker,
      topics: this.topics,
      databasePort: (await this.options.between?.("sink to database", this.ports.postgres)) ?? this.ports.postgres,
      database: this.destination.database,
      secretsManagerEndpoint: this.secretsManager.endpoint,
    });
    await this.steps.unlessAbandoned(this.waitForSink());
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
    return transformerProcess({
      ...options,
      sourceId,
      bootstrapServers: this.bootstrapServersOf("transformer"),
      managementPort: options.managementPort ?? ((await freePorts(1))[0] as number),
      environment: this.options.transformerEnvironment ?? {},
    });
  }

  private async startStandIn(): Promise<void> {
    this.standIn = this.watch(
      captureProcess({
        sourceUrl: this.sourceUrl,
        password: this.passwords.capture,
        bootstrapServers: this.bootstrapServersOf("DMS stand-in"),
        topic: this.topics.raw.name,
        tables: this.options.tables,
        fullLoad: this.options.fullLoad ?? false,
        configurationFile: join(this.options.folder, "data/dms-stand-in.json"),
        logFile: this.logFile("dms-stand-in"),
      }),
    );
    await this.standIn.start();
    // As after the start of a DMS task: only now is there a slot that carries the tables' catalog signals.
    this.losses = (await this.operator.maintain()).source.problems;
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
      (kafka, writtenAt) => diagnoseLocally(this.observedParts, kafka, writtenAt),
      () => tableLoads(this.logFile("dms-stand-in")),
      options,
    );
  }

  private get observedParts(): ObservedParts {
    return {
      standIn: { part: this.standIn, logFile: this.logFile("dms-stand-in") },
      broker: { part: this.broker, logFile: this.logFile("kafka") },
      transformer: { part: this.transformer, logFile: this.logFile("transformer") },
      worker: { part: this.worker, logFile: this.logFile("connect") },
      kafka: { bootstrapServers: this.bootstrapServers, workerPort: this.ports.worker },
    };
  }

  private get operator(): PipelineOperator {
    const { source } = this.options;
    return new PipelineOperator({
      sourceId,
      sample: this.sample,
      destination: this.destination,
      ...(source ? { source: source.url } : {}),
      stop: this.steps.signal,
      passwords: this.passwords,
      logFile: this.logFile("operator"),
    });
  }

  private watch(part: ManagedProcess): ManagedProcess {
    part.onUnexpectedExit((description) => this.exitListener(description));
    part.onLaunch(() => this.processesFile.note(part));
    // Made by a step that went on for a moment: it must not be launched any more.
    if (this.steps.signal.aborted) void part.retire();
    return part;
  }
}
