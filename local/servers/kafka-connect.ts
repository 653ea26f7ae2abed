import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { connectWorkerProperties } from "../../contract/sink-connector";
import { artifacts } from "../machine/build";
import { java } from "../machine/java";
import { ManagedProcess } from "../machine/managed-process";
import { classPath, writeLogging, writeProperties } from "./kafka-program";

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
      `-Dlog4j.configuration=file:${writeLogging(options.dataFolder)}`,
      "org.apache.kafka.connect.cli.ConnectDistributed",
      propertiesFile,
    ],
    // The AWS SDK needs credentials even for the stand-in of Secrets Manager, which checks none.
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

/** One request to the worker's REST interface. Throws with the answer's text unless it succeeds. */
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
