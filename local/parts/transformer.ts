import { mkdirSync } from "node:fs";
import { defaultLobMaxSizeKilobytes } from "../../contract/change-capture";
import { defaultMessageMaxBytes, type Topics } from "../../contract/topics";
import { transformerEndpoints, transformerEnvironment } from "../../contract/transformer-environment";
import { artifacts } from "../machine/build";
import { java } from "../machine/java";
import { ManagedProcess } from "../machine/managed-process";

export interface LocalTransformerOptions {
  readonly sourceId: string;
  readonly bootstrapServers: string;
  readonly applicationId: string;
  readonly topics: Topics;
  readonly managementPort: number;
  readonly stateFolder: string;
  readonly logFile: string;
  /** Environment variables beyond those of its settings. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The transformer as a local process, configured by the same environment as its Fargate task; the caller starts it. */
export async function transformerProcess(options: LocalTransformerOptions): Promise<ManagedProcess> {
  const { sourceId, bootstrapServers, applicationId, topics, managementPort, stateFolder, logFile } = options;
  mkdirSync(stateFolder, { recursive: true });
  return new ManagedProcess({
    name: "transformer",
    command: await java(),
    arguments: [
      // A young generation that holds what is in flight: with the default third of a small heap, collections copy it
      // again and again, a seventh of the processor while a backlog drains.
      "-Xms320m",
      "-Xmx512m",
      "-Xmn160m",
      "-XX:+UseSerialGC",
      `-Djava.io.tmpdir=${stateFolder}`,
      "-jar",
      artifacts.transformer,
    ],
    environment: {
      ...transformerEnvironment({
        sourceId,
        bootstrapServers,
        applicationId,
        topics,
        authentication: "none",
        replicationFactor: 1,
        lobMaxSizeKilobytes: defaultLobMaxSizeKilobytes,
        messageMaxBytes: defaultMessageMaxBytes,
        managementPort,
      }),
      ...options.environment,
    },
    logFile,
    ready: async () => {
      const response = await fetch(`http://127.0.0.1:${managementPort}${transformerEndpoints.readiness}`);
      if (!response.ok) throw new Error(`its readiness endpoint answers ${response.status}`);
    },
  });
}
