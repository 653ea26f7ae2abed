import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
export const repositoryFolder = resolve(__dirname, "../..");
const examplesFolder = join(repositoryFolder, "examples");

/** A folder outside the repository whose `node_modules` holds the packed components, and what they say they need. */
export interface Consumer {
  /** Has a copy of `examples/`, one folder each. */
  readonly folder: string;
  /** The unpacked package. */
  readonly packageFolder: string;
}

/**
 * Makes a consumer of a packed tarball. Its dependencies are linked one by one to this repository's downloads, so that
 * nothing is fetched and nothing that the package does not declare can be found.
 */
export async function createConsumer(tarball: string, parent: string): Promise<Consumer> {
  const folder = realpathSync(mkdtempSync(join(parent, "consumer-")));
  const packageFolder = join(folder, "node_modules", "cdc-audit");
  mkdirSync(packageFolder, { recursive: true });
  await run("tar", ["-xzf", tarball, "-C", packageFolder, "--strip-components=1"]);

  const { version, dependencies } = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as {
    version: string;
    dependencies: Record<string, string>;
  };
  linkPackages(Object.keys(dependencies), folder);
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({
      name: "consumer",
      private: true,
      dependencies: { ...dependencies, "cdc-audit": version },
    }),
  );
  // Whoever tried an example where it stands has left its packages there.
  cpSync(examplesFolder, folder, { recursive: true, filter: (path) => !path.includes("node_modules") });
  for (const example of [...typescriptExamples, "yaml"]) {
    // As somebody who downloaded the release has it.
    cpSync(join(repositoryFolder, "recorder/stand-ins/plugin.zip"), join(folder, example, "audit-sink-plugin.zip"));
    symlinkSync("../node_modules", join(folder, example, "node_modules"));
  }
  for (const example of typescriptExamples) withoutCheck(join(folder, example, "tsconfig.json"));
  return { folder, packageFolder };
}

/** Puts links to this repository's downloads of these packages, and no others, into a folder's `node_modules`. */
function linkPackages(names: readonly string[], folder: string): void {
  for (const name of names) {
    const link = join(folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(repositoryFolder, "node_modules", name), link);
  }
}

/**
 * Copies the components' sources as `pulumi package add <repository>/components` fetches them: the repository's own
 * folders, and in `components/` the packages that it declares.
 *
 * @returns the folder of PulumiPlugin.yaml.
 */
export function copySources(parent: string): string {
  for (const folder of ["components", "contract"]) {
    const filter = (path: string) => !/\/(node_modules|dist)(\/|$)/.test(path.slice(repositoryFolder.length));
    cpSync(join(repositoryFolder, folder), join(parent, folder), { recursive: true, filter });
  }
  const components = realpathSync(join(parent, "components"));
  const { dependencies } = JSON.parse(readFileSync(join(components, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  linkPackages(Object.keys(dependencies), components);
  return components;
}

/** `typeErrors` checks all examples at once: it need not be done again by each program's start. */
function withoutCheck(file: string): void {
  const settings = JSON.parse(readFileSync(file, "utf8")) as { compilerOptions: object };
  writeFileSync(file, JSON.stringify({ compilerOptions: { ...settings.compilerOptions, noCheck: true } }));
}

/** The examples that are TypeScript programs; the other one is written in YAML. */
export const typescriptExamples = [
  "whole-pipeline",
  "own-database",
  "own-kafka",
  "separate-destination",
  "second-stack",
] as const;
export type TypescriptExample = (typeof typescriptExamples)[number];

/** Checks the types of the TypeScript examples against the package's own. @returns what the compiler finds wrong. */
export async function typeErrors(consumer: Consumer): Promise<string> {
  const project = join(consumer.folder, "tsconfig.check.json");
  const { compilerOptions } = JSON.parse(
    readFileSync(join(examplesFolder, typescriptExamples[0], "tsconfig.json"), "utf8"),
  ) as { compilerOptions: object };
  const files = typescriptExamples.map((example) => `${example}/index.ts`);
  writeFileSync(project, JSON.stringify({ compilerOptions: { ...compilerOptions, noEmit: true }, files }));
  const compiler = require.resolve("typescript/bin/tsc");
  return run(process.execPath, [compiler, "--project", project], { cwd: consumer.folder }).then(
    () => "",
    (error: { stdout?: string }) => error.stdout ?? String(error),
  );
}
