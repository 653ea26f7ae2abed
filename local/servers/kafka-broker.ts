import { execFile } from "node:child_process";
import { connect } from "node:net";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { artifacts } from "../machine/build";
import { java } from "../machine/java";
import { ManagedProcess } from "../machine/managed-process";
import { classPath, writeLogging, writeProperties } from "./kafka-program";

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
  /** A user that no rule binds; the broker itself works as this user. On MSK these are the IAM clients and the brokers. */
  readonly administrator: ScramUser;
  /** Users that the broker is formatted with. */
  readonly users: readonly ScramUser[];
  /** `allow.everyone.if.no.acl.found`: whether users may do what no rule is about. Changing it takes a restart of the broker. */
  readonly letEveryoneIn: boolean;
}

export interface ScramUser {
  readonly username: string;
  readonly password: string;
}

/** A listener for one client, which may connect through something in between. */
export interface ClientListener {
  readonly port: number;
  /** The port that the broker tells the client to connect to. */
  readonly advertisedPort: number;
}

/** Formats the log folder if it is new; the caller starts the process that this returns. */
export async function kafkaBroker(options: BrokerOptions): Promise<ManagedProcess> {
  mkdirSync(options.dataFolder, { recursive: true });
  const logFolder = join(options.dataFolder, "log");
  const propertiesFile = writeProperties(
    join(options.dataFolder, "server.properties"),
    brokerProperties(options, logFolder),
  );
  const programArguments = [
    ...classPath(artifacts.broker),
    `-Dlog4j.configuration=file:${writeLogging(options.dataFolder)}`,
  ];
  if (!existsSync(join(logFolder, "meta.properties"))) {
    await formatLogFolder(propertiesFile, programArguments, options.security);
  }
  return new ManagedProcess({
    name: "Kafka broker",
    command: await java(),
    arguments: ["-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", ...programArguments, "kafka.Kafka", propertiesFile],
    logFile: options.logFile,
    ready: () => accepts(options.port),
  });
}

function brokerProperties(options: BrokerOptions, logFolder: string): Record<string, string> {
  const listener = options.security ? "SASL_PLAINTEXT" : "PLAINTEXT";
  const clientListeners = (options.clientListeners ?? []).map((each, index) => ({
    name: `CLIENT_${index + 1}`,
    ...each,
  }));
  const clients = (port: "port" | "advertisedPort") =>
    clientListeners.map((each) => `,${each.name}://127.0.0.1:${each[port]}`).join("");
  return {
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
  };
}

async function formatLogFolder(
  propertiesFile: string,
  programArguments: readonly string[],
  security: BrokerSecurity | undefined,
): Promise<void> {
  const clusterId = Buffer.from("cdc-audit-local!").toString("base64url");
  await run(await java(), [
    ...programArguments,
    "kafka.tools.StorageTool",
    "format",
    "--cluster-id",
    clusterId,
    "--config",
    propertiesFile,
    "--ignore-formatted",
    ...(security ? scramArguments(security) : []),
  ]);
}

function securityProperties({ administrator, letEveryoneIn }: BrokerSecurity): Record<string, string> {
  const login = `username="${administrator.username}" password="${administrator.password}"`;
  return {
    "sasl.enabled.mechanisms": "SCRAM-SHA-512",
    "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
    "listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config": `org.apache.kafka.common.security.scram.ScramLoginModule required ${login};`,
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    // Only the broker reaches its controller without a login: clients have no such listener.
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

function accepts(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port }, () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}
