import { join, resolve } from "node:path";

/** The root of this repository. */
export const repositoryFolder = resolve(__dirname, "../..");

/** The one folder that holds what running locally leaves behind; git ignores it, `npm run local:clean` removes it. */
export const localFolder = join(repositoryFolder, ".local");

/** Written once the pipeline runs: where its parts listen. */
export const runFile = join(localFolder, "run.json");

/** In a run's folder, while it runs: the processes that it has started. */
export const processesFileName = "processes.json";

/** The Maven module that gathers the jars of the Kafka broker and the Connect worker. */
export const serversModule = "local/servers/kafka";

/** Folders that the Maven build writes to. */
export const buildFolders = [
  "transformer",
  "connect",
  serversModule,
  `${serversModule}/broker`,
  `${serversModule}/connect`,
].map((module) => join(repositoryFolder, module, "target"));
