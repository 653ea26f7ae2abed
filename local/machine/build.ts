import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { artifacts as deployed } from "../../contract/artifacts";
import { java } from "./java";
import { MavenProgress } from "./maven-progress";
import type { Step } from "./steps";
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
/** Milliseconds between two lines about a build that takes long. */
const lineInterval = 10_000;

const stampFile = join(localFolder, "build.sha256");

/** True when the Java parts are built from the sources as they are now. */
export function isBuilt(): boolean {
  const complete = Object.values(artifacts).every((artifact) => existsSync(artifact));
  return complete && existsSync(stampFile) && readFileSync(stampFile, "utf8") === sourceHash();
}

/** The build as a step of starting, which ends early when `stop` is aborted. */
export function buildStep(stop: AbortSignal): Step {
  return { title: "Build of the Java parts", run: (progress) => build({ stop, progress }) };
}

export interface BuildOptions {
  /** Ends Maven when aborted. */
  readonly stop?: AbortSignal;
  /** Told what is fetched or built, and how far it is. */
  readonly progress?: (text: string) => void;
}

/** Builds the transformer, the sink plugin and the broker's and worker's class paths with Maven, without their tests. */
export async function build({ stop, progress }: BuildOptions = {}): Promise<void> {
  await java();
  const hash = sourceHash();
  const logFile = join(localFolder, "logs/build.log");
  mkdirSync(dirname(logFile), { recursive: true });
  const code = await runMaven(logFile, stop, progress);
  stop?.throwIfAborted();
  if (code !== 0) {
    const end = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-15).join("\n  ");
    throw new Error(`The Maven build failed. Its log is ${logFile}; it ends with:\n  ${end}`);
  }
  writeFileSync(stampFile, hash);
}

/** Builds as {@link build} does and runs the tests of the Java parts, with Maven's output as it comes. */
async function buildAndTest(): Promise<number> {
  await java();
  const hash = sourceHash();
  // Maven runs for a minute or two: most of that time would go into optimising its own code.
  const mavenOptions = [process.env["MAVEN_OPTS"], "-XX:TieredStopAtLevel=1"].filter(Boolean).join(" ");
  const { status } = spawnSync("mvn", ["-B", "-q", "-T1C", "verify"], {
    cwd: repositoryFolder,
    stdio: "inherit",
    env: { ...process.env, MAVEN_OPTS: mavenOptions },
  });
  if (status !== 0) return status ?? 1;
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, hash);
  return 0;
}

/** Runs Maven with its output in a file. Returns its exit code. */
async function runMaven(
  logFile: string,
  stop: AbortSignal | undefined,
  progress: BuildOptions["progress"],
): Promise<number | null> {
  stop?.throwIfAborted();
  // A process group of its own where it is to be ended: mvn is a shell script, and Maven itself must end with it.
  const maven = spawn("mvn", ["-B", "-T1C", "package", "-DskipTests"], {
    cwd: repositoryFolder,
    stdio: ["ignore", "pipe", "pipe"],
    detached: stop !== undefined,
  });
  const log = createWriteStream(logFile);
  const seen = new MavenProgress();
  const end = () => {
    if (maven.pid !== undefined && maven.exitCode === null) process.kill(-maven.pid, "SIGTERM");
  };
  stop?.addEventListener("abort", end, { once: true });
  try {
    const ended = new Promise<number | null>((resolve, reject) => {
      maven.once("error", (error: NodeJS.ErrnoException) =>
        reject(
          error.code === "ENOENT"
            ? new Error("Maven is needed to build the Java parts, and mvn is not on the PATH. Install Maven 3.8+.")
            : error,
        ),
      );
      maven.once("close", resolve);
    });
    maven.stderr.on("data", (chunk: Buffer) => log.write(chunk));
    createInterface({ input: maven.stdout }).on("line", (line) => {
      log.write(`${line}\n`);
      if (seen.read(line)) progress?.(seen.text);
    });
    return await ended;
  } finally {
    stop?.removeEventListener("abort", end);
    await new Promise<void>((resolve) => log.end(() => resolve()));
  }
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

if (require.main === module && process.argv.includes("--with-tests")) {
  void buildAndTest().then((code) => process.exit(code));
} else if (require.main === module) {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => stop.abort(new Error("It was asked to stop.")));
  let saidAt = Date.now();
  const progress = (text: string) => {
    if (Date.now() - saidAt < lineInterval) return;
    saidAt = Date.now();
    console.log(text);
  };
  build({ stop: stop.signal, progress }).catch((error: Error) => {
    console.error(error.message);
    process.exit(1);
  });
}
