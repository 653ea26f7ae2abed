import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { artifacts as deployed } from "../../contract/artifacts";
import { java } from "./java";
import { localFolder, repositoryFolder, serversModule } from "./folders";

/** What the Maven build makes and the local pipeline runs. The broker and the worker are folders of jars. */
export const artifacts = {
  transformer: join(repositoryFolder, deployed.transformer),
  sinkPlugin: join(repositoryFolder, deployed.sinkPlugin),
  broker: join(repositoryFolder, serversModule, "target/broker"),
  worker: join(repositoryFolder, serversModule, "target/connect"),
} as const;

const sources = [
  "pom.xml",
  "postgres-limits/src/main",
  "transformer/pom.xml",
  "transformer/src/main",
  "connect/pom.xml",
  "connect/src",
  `${serversModule}/pom.xml`,
  "contract",
];
const stampFile = join(localFolder, "build.sha256");

/** True when the Java parts are built from the sources as they are now. */
export function isBuilt(): boolean {
  const complete = Object.values(artifacts).every((artifact) => existsSync(artifact));
  return complete && existsSync(stampFile) && readFileSync(stampFile, "utf8") === sourceHash();
}

/** Builds the transformer, the sink plugin and the broker's and worker's class paths with Maven, without their tests. */
export async function build(): Promise<void> {
  await java();
  const hash = sourceHash();
  const logFile = join(localFolder, "logs/build.log");
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, "w");
  const code = await new Promise<number | null>((resolve, reject) => {
    const maven = spawn("mvn", ["-B", "-q", "-T1C", "package", "-DskipTests"], {
      cwd: repositoryFolder,
      stdio: ["ignore", log, log],
    });
    maven.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "ENOENT"
          ? new Error("Maven is needed to build the Java parts, and mvn is not on the PATH. Install Maven 3.8+.")
          : error,
      ),
    );
    maven.once("exit", resolve);
  });
  closeSync(log);
  if (code !== 0) {
    const end = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-15).join("\n  ");
    throw new Error(`The Maven build failed. Its log is ${logFile}; it ends with:\n  ${end}`);
  }
  writeFileSync(stampFile, hash);
}

function sourceHash(): string {
  const hash = createHash("sha256");
  for (const source of sources) {
    for (const file of filesBelow(join(repositoryFolder, source))) {
      hash.update(file.slice(repositoryFolder.length)).update("\0").update(readFileSync(file)).update("\0");
    }
  }
  return hash.digest("hex");
}

function filesBelow(path: string): string[] {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesBelow(join(path, name)));
}

if (require.main === module) {
  build().catch((error: Error) => {
    console.error(error.message);
    process.exit(1);
  });
}
