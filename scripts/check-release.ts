import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { zipSync } from "fflate";
import { artifacts } from "../contract/artifacts";
import { packageFolder } from "./package";
import { breakingChanges, type Schema } from "./schema-changes";

const repositoryFolder = resolve(__dirname, "..");

/** What a release is judged by. */
export interface ReleaseFacts {
  /** By file, the version that it states. */
  readonly versions: Readonly<Record<string, string>>;
  readonly changelog: string;
  /** Tags that exist, `v…`. */
  readonly tags: readonly string[];
  /** The tag to release under, when there is one already. */
  readonly tag?: string;
  readonly schema: Schema;
  /** Schema of the newest former release; undefined for the first. */
  readonly formerSchema?: Schema;
}

/** Everything that stands against a release, in words that tell what to do; nothing when it may go. */
export function releaseProblems(facts: ReleaseFacts): string[] {
  const { versions, changelog, tags, tag, schema, formerSchema } = facts;
  const version = versions["package.json"] ?? "";
  const former = newestTag(tags.filter((each) => each !== tag));
  const entry = changelogEntry(changelog, version);
  const breaking = formerSchema ? breakingChanges(formerSchema, schema) : [];
  return [
    ...(/^\d+\.\d+\.\d+$/.test(version) ? [] : [`package.json has the version ${version}: write three numbers.`]),
    ...Object.entries(versions)
      .filter(([, each]) => each !== version)
      .map(([file, each]) => `${file} has the version ${each}, package.json ${version}: make them one.`),
    ...(entry === undefined ? [`CHANGELOG.md does not begin with "## ${version} – <date>": add what changed.`] : []),
    ...(entry !== undefined && !/^- /m.test(entry)
      ? [`CHANGELOG.md says nothing about ${version}: add what changed.`]
      : []),
    ...(tag !== undefined && tag !== `v${version}`
      ? [`The tag is ${tag}, the version ${version}: tag v${version}.`]
      : []),
    ...(tag === undefined && tags.includes(`v${version}`) ? [`v${version} is tagged already: raise the version.`] : []),
    ...(breaking.length > 0 && former !== undefined && !mayBreak(former.slice(1), version)
      ? [
          `The package breaks what ${former} offered: ${breaking.join("; ")}. Keep it deprecated, or raise the version for it.`,
        ]
      : []),
  ];
}

/** The text under a version's heading, when that is the first one. */
export function changelogEntry(changelog: string, version: string): string | undefined {
  const [, heading = "", text] = /^## (.+)\n([^]*?)(?=^## |(?![^]))/m.exec(changelog) ?? [];
  return heading.startsWith(`${version} – `) && /– \d{4}-\d{2}-\d{2}$/.test(heading) ? text?.trim() : undefined;
}

/** Breaks come with a new major version, before 1.0 with a new minor one. */
function mayBreak(former: string, version: string): boolean {
  const [formerMajor, formerMinor] = former.split(".").map(Number);
  const [major, minor] = version.split(".").map(Number);
  if (major !== formerMajor) return true;
  return major === 0 && minor !== formerMinor;
}

export function newestTag(tags: readonly string[]): string | undefined {
  const key = (tag: string) =>
    tag
      .slice(1)
      .split(".")
      .map((part) => part.padStart(8, "0"))
      .join(".");
  return [...tags].sort((a, b) => (key(a) < key(b) ? -1 : 1)).at(-1);
}

function git(...args: readonly string[]): string {
  return execFileSync("git", args, { cwd: repositoryFolder, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
}

function read(file: string): string {
  return readFileSync(join(repositoryFolder, file), "utf8");
}

/** The facts of this repository as it is checked out. */
export function releaseFacts(tag?: string): ReleaseFacts {
  const jsonFiles = ["package.json", "components/package.json", "components/schema.json", "policies/package.json"];
  const tags = git("tag", "--list", "v*")
    .split("\n")
    .filter((each) => /^v\d+\.\d+\.\d+$/.test(each));
  const former = newestTag(tags.filter((each) => each !== tag));
  return {
    versions: Object.fromEntries([
      ...jsonFiles.map((file) => [file, (JSON.parse(read(file)) as { version: string }).version]),
      ["pom.xml", /<version>([^<]+)<\/version>/.exec(read("pom.xml"))?.[1] ?? "none"],
    ]) as Record<string, string>,
    changelog: read("CHANGELOG.md"),
    tags,
    tag,
    schema: JSON.parse(read("components/schema.json")) as Schema,
    formerSchema: former ? (JSON.parse(git("show", `${former}:components/schema.json`)) as Schema) : undefined,
  };
}

/** Puts what a release offers into one folder: package, plugin and operator, their checksums, and the notes. */
function collectFiles(folder: string, { versions, changelog }: ReleaseFacts): void {
  const version = versions["package.json"] ?? "";
  const tarball = `cdc-audit-${version}.tgz`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  copyBuilt(join(packageFolder, tarball), join(folder, tarball), "npm run package");
  const plugin = join(repositoryFolder, artifacts.sinkPlugin);
  copyBuilt(plugin, join(folder, "audit-sink-plugin.zip"), "npm run build:plugin");
  writeFileSync(join(folder, "audit-operator.zip"), zipOf(join(packageFolder, "package/operator")));
  const sums = readdirSync(folder)
    .sort()
    .map(
      (file) =>
        `${createHash("sha256")
          .update(readFileSync(join(folder, file)))
          .digest("hex")}  ${file}`,
    );
  writeFileSync(join(folder, "SHA256SUMS"), `${sums.join("\n")}\n`);
  writeFileSync(join(folder, "NOTES.md"), `${changelogEntry(changelog, version)}\n`);
}

function copyBuilt(from: string, to: string, command: string): void {
  if (!existsSync(from)) throw new Error(`${from} is part of a release and has not been built: ${command}`);
  cpSync(from, to);
}

/** The same folder gives the same bytes: nothing in it tells when it was made. */
function zipOf(folder: string): Uint8Array {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => statSync(join(folder, file)).isFile())
    .sort();
  const content = Object.fromEntries(files.map((file) => [file, new Uint8Array(readFileSync(join(folder, file)))]));
  return zipSync(content, { mtime: new Date(Date.UTC(1980, 0, 2)) });
}

if (require.main === module) {
  new Command("release:check")
    .description("Says what stands against releasing this version; exit code 1 when something does.")
    .option("--tag <tag>", "the tag that the release is made from")
    .option("--files <folder>", "collect what the release offers there")
    .action(({ tag, files }: { tag?: string; files?: string }) => {
      const facts = releaseFacts(tag);
      const problems = releaseProblems(facts);
      for (const problem of problems) console.error(`- ${problem}`);
      if (problems.length > 0) return void (process.exitCode = 1);
      if (files) collectFiles(resolve(files), facts);
      console.log(`${facts.versions["package.json"]} may be released.`);
    })
    .parse();
}
