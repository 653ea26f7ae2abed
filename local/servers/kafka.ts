import { execFile } from "node:child_process";
import { connect } from "node:net";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { connectWorkerProperties } from "../../contract/sink-connector";
import { artifacts } from "../machine/build";
import { java } from "../machine/java";
import { ManagedProcess } from "../machine/managed-process";

const run = promisify(execFile);

/** One Kafka broker in KRaft mode, on 127.0.0.1. */
export interface BrokerOptions {
  readonly dataFolder: string;
  readonly logFile: string;
  readonly port: number;
  readonly controllerPort: number;
  /** Further listeners, each for one client. Default none. */
  readonly clientListeners?: readonly ClientListener[];
  /** Logins and access rules, as on MSK. Default: everyone may do everything. */
  readonly security?: BrokerSecurity;
  /** Extra broker properties. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A broker that knows its clients: SCRAM-SHA-512 over its main listener, and access rules. */
export interface BrokerSecurity {
  /** User whom no rule binds, as which the broker itself works too. On MSK these are the IAM clients and the brokers. */
  readonly administrator: ScramUser;
  /** Users that the broker is formatted with. */
  readonly users: readonly ScramUser[];
  /** `allow.everyone.if.no.acl.found`: whether users may do what no rule is about. Takes a new start of the broker. */
  readonly letEveryoneIn: boolean;
}

export interface ScramUser {
  readonly username: string;
  readonly password: string;
}

/** A listener of its own for one client, who may come through something that stands between. */
export interface ClientListener {
  readonly port: number;
  /** The port that the client is told to come back to. */
  readonly advertisedPort: number;
}

/** Formats the log folder if it is new; the returned process is started by the caller. */
export async function kafkaBroker(options: BrokerOptions): Promise<ManagedProcess> {
  mkdirSync(options.dataFolder, { recursive: true });
  const logFolder = join(options.dataFolder, "log");
  const listener = options.security ? "SASL_PLAINTEXT" : "PLAINTEXT";
  const clientListeners = (options.clientListeners ?? []).map((listener, index) => ({
    name: `CLIENT_${index + 1}`,
    ...listener,
  }));
  const clients = (port: "port" | "advertisedPort") =>
    clientListeners.map((listener) => `,${listener.name}://127.0.0.1:${listener[port]}`).join("");
  const propertiesFile = writeProperties(join(options.dataFolder, "server.properties"), {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@127.0.0.1:${options.controllerPort}`,
    listeners: `${listener}://127.0.0.1:${options.port},CONTROLLER://127.0.0.1:${options.controllerPort}${clients("port")}`,
    "advertised.listeners": `${listener}://127.0.0.1:${options.port}${clients("advertisedPort")}`,
    "inter.broker.listener.name": listener,
    "listener.security.protocol.map": ["CONTROLLER", ...clientListeners.map(({ name }) => name)]
      .map((name) => `${name}:PLAINTEXT`)
      .concat(`${listener}:${listener}`)
      .join(","),
    "controller.listener.names": "CONTROLLER",
    "log.dirs": logFolder,
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    // As on MSK: topics are created on purpose.
    "auto.create.topics.enable": "false",
    // A killed broker may register again once its old session is over.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "log.cleaner.dedupe.buffer.size": "16777216",
    ...(options.security ? securityProperties(options.security) : {}),
    ...options.settings,
  });
  const logging = loggingFile(options.dataFolder);
  if (!existsSync(join(logFolder, "meta.properties"))) {
    const clusterId = Buffer.from("cdc-audit-local!").toString("base64url");
    await run(await java(), [
      ...classPath(artifacts.broker),
      `-Dlog4j.configuration=file:${logging}`,
      "kafka.tools.StorageTool",
      "format",
      "--cluster-id",
      clusterId,
      "--config",
      propertiesFile,
      "--ignore-formatted",
      ...(options.security ? scramArguments(options.security) : []),
    ]);
  }
  return new ManagedProcess({
    name: "Kafka broker",
    command: await java(),
    arguments: [
      "-Xms128m",
      "-Xmx384m",
      "-XX:+UseSerialGC",
      ...classPath(artifacts.broker),
      `-Dlog4j.configuration=file:${logging}`,
      "kafka.Kafka",
      propertiesFile,
    ],
    logFile: options.logFile,
    ready: () => accepts(options.port),
  });
}

function securityProperties({ administrator, letEveryoneIn }: BrokerSecurity): Record<string, string> {
  const login = `username="${administrator.username}" password="${administrator.password}"`;
  return {
    "sasl.enabled.mechanisms": "SCRAM-SHA-512",
    "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
    "listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config": `org.apache.kafka.common.security.scram.ScramLoginModule required ${login};`,
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    // The broker reaches its own controller without a login; nobody else does, as clients have no such listener.
    "super.users": `User:${administrator.username};User:ANONYMOUS`,
    "allow.everyone.if.no.acl.found": String(letEveryoneIn),
  };
}

function scramArguments({ administrator, users }: BrokerSecurity): string[] {
  return [administrator, ...users].flatMap(({ username, password }) => [
    "--add-scram",
    `SCRAM-SHA-512=[name=${username},password=${password}]`,
  ]);
}

/** One Kafka Connect worker in distributed mode, as MSK Connect runs it, on 127.0.0.1. */
export interface WorkerOptions {
  readonly dataFolder: string;
  readonly logFile: string;
  readonly port: number;
  readonly bootstrapServers: string;
  /** Holds one folder for each plugin, each with its jars. */
  readonly pluginFolder: string;
}

export async function connectWorker(options: WorkerOptions): Promise<ManagedProcess> {
  mkdirSync(options.dataFolder, { recursive: true });
  const propertiesFile = writeProperties(join(options.dataFolder, "worker.properties"), {
    "bootstrap.servers": options.bootstrapServers,
    "group.id": "local-connect",
    ...connectWorkerProperties,
    "config.storage.topic": "local-connect-configs",
    "offset.storage.topic": "local-connect-offsets",
    "status.storage.topic": "local-connect-status",
    "config.storage.replication.factor": "1",
    "offset.storage.replication.factor": "1",
    "status.storage.replication.factor": "1",
    "offset.storage.partitions": "1",
    "status.storage.partitions": "1",
    "scheduled.rebalance.max.delay.ms": "0",
    listeners: `http://127.0.0.1:${options.port}`,
    "plugin.path": options.pluginFolder,
    "plugin.discovery": "service_load",
    "connector.client.config.override.policy": "All",
  });
  return new ManagedProcess({
    name: "Kafka Connect",
    command: await java(),
    arguments: [
      // Room for the batches under way: with less, most of the worker's work is collecting garbage.
      "-Xms512m",
      "-Xmx768m",
      "-XX:+UseSerialGC",
      ...classPath(artifacts.worker),
      `-Dlog4j.configuration=file:${loggingFile(options.dataFolder)}`,
      "org.apache.kafka.connect.cli.ConnectDistributed",
      propertiesFile,
    ],
    // The AWS SDK wants some credentials even for the stand-in of Secrets Manager, which looks at none.
    environment: { AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local", AWS_REGION: "local" },
    logFile: options.logFile,
    ready: async () => {
      await connectRequest(options.port, "GET", "/connectors");
    },
  });
}

/** Creates the connector, or gives an existing one its configuration again. */
export async function putConnector(port: number, name: string, properties: Record<string, string>): Promise<void> {
  await connectRequest(port, "PUT", `/connectors/${name}/config`, properties);
}

/** States of a connector's tasks, e.g. `["RUNNING", "RUNNING"]`; empty until they are assigned. */
export async function connectorTasks(port: number, name: string): Promise<{ state: string; trace?: string }[]> {
  const status = (await connectRequest(port, "GET", `/connectors/${name}/status`)) as {
    tasks: { state: string; trace?: string }[];
  };
  return status.tasks;
}

/** One request to the worker's REST interface; an answer that is no success is an error with the answer's text. */
export async function connectRequest(port: number, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    ...(body ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {}),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`Kafka Connect answered ${method} ${path} with ${response.status}: ${text}`);
  return text ? JSON.parse(text) : undefined;
}

function classPath(folder: string): string[] {
  return ["-cp", `${folder}/*`];
}

function writeProperties(file: string, properties: Record<string, string>): string {
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value.replaceAll("\\", "\\\\")}`);
  writeFileSync(file, lines.join("\n") + "\n");
  return file;
}

function loggingFile(folder: string): string {
  return writeProperties(join(folder, "log4j.properties"), {
    "log4j.rootLogger": "INFO, stdout",
    "log4j.appender.stdout": "org.apache.log4j.ConsoleAppender",
    "log4j.appender.stdout.layout": "org.apache.log4j.PatternLayout",
    "log4j.appender.stdout.layout.ConversionPattern": "%d{ISO8601} %-5p %m (%c{1})%n",
    "log4j.logger.org.apache.kafka.clients": "WARN",
    "log4j.logger.org.apache.kafka.common.utils.AppInfoParser": "WARN",
  });
}

function accepts(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port }, () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}
