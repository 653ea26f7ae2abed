import {
  transformerEndpoints,
  transformerEnvironment,
  type TransformerSettings,
} from "../../contract/transformer-environment";
import { artifacts } from "../machine/build";
import { java } from "../machine/java";
import { ManagedProcess } from "../machine/managed-process";

/** The transformer as a local process, configured by the same environment as its Fargate task. */
export async function transformerProcess(
  settings: TransformerSettings & { managementPort: number },
  options: { stateFolder: string; logFile: string; environment?: Readonly<Record<string, string>> },
): Promise<ManagedProcess> {
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
      `-Djava.io.tmpdir=${options.stateFolder}`,
      "-jar",
      artifacts.transformer,
    ],
    environment: { ...transformerEnvironment(settings), ...options.environment },
    logFile: options.logFile,
    ready: async () => {
      const response = await fetch(`http://127.0.0.1:${settings.managementPort}${transformerEndpoints.readiness}`);
      if (!response.ok) throw new Error(`its readiness endpoint answers ${response.status}`);
    },
  });
}
