import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { Command } from "commander";
import { buildOperator } from "../operator/lambda/build";

const run = promisify(execFile);
const repositoryFolder = resolve(__dirname, "..");
const componentsFolder = join(repositoryFolder, "components");

/** Where `npm run package` leaves the package's folder and tarball. */
export const packageFolder = join(componentsFolder, "dist");

/** What the package holds beside compiled code, by its place in the package. */
const assets: Readonly<Record<string, string>> = {
  "README.md": "components/README.md",
  "CHANGELOG.md": "CHANGELOG.md",
  "components/schema.json": "components/schema.json",
  "plugin/PulumiPlugin.yaml": "components/PulumiPlugin.yaml",
};

/** Members of components/package.json that the package keeps; the others serve the sources. */
const keptMembers = ["name", "version", "description", "license", "engines", "dependencies"] as const;

/**
 * Compiles `components/` with the contracts that they import, adds what they need at run time, and packs all of it.
 *
 * @param folder Emptied first; holds the package's files afterwards, and beside them the tarball.
 * @returns the tarball's path.
 * @throws when the compiler finds a fault, or an asset is missing, with the command that makes it.
 */
export async function buildPackage(folder: string = packageFolder): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  const content = join(folder, "package");
  await compile(content);
  await buildOperator(join(content, "operator"));
  for (const [target, source] of Object.entries(assets)) addAsset(source, join(content, target));
  writeJson(join(content, "package.json"), manifest());
  // What programs in other languages run: a folder of its own, whose module serves the components.
  writeJson(join(content, "plugin/package.json"), { main: "../components/plugin/index.js" });
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder, content], {
    cwd: folder,
    maxBuffer: 16 * 1024 * 1024,
  });
  const [packed] = JSON.parse(stdout) as { filename: string }[];
  if (!packed) throw new Error("npm pack said nothing about what it packed.");
  return join(folder, packed.filename);
}

async function compile(folder: string): Promise<void> {
  const compiler = require.resolve("typescript/bin/tsc");
  const project = join(componentsFolder, "tsconfig.build.json");
  try {
    await run(process.execPath, [compiler, "--project", project, "--outDir", folder], { cwd: repositoryFolder });
  } catch (error) {
    throw new Error(`The components do not compile:\n${(error as { stdout?: string }).stdout ?? String(error)}`);
  }
}

function addAsset(source: string, target: string): void {
  const file = join(repositoryFolder, source);
  if (!existsSync(file)) throw new Error(`${source} is part of the package and does not exist.`);
  mkdirSync(dirname(target), { recursive: true });
  cpSync(file, target, { recursive: true });
}

/** The package's own package.json: the sources' one serves Pulumi, which runs them as they are. */
function manifest(): object {
  const source = JSON.parse(readFileSync(join(componentsFolder, "package.json"), "utf8")) as Record<string, unknown>;
  const kept = Object.fromEntries(keptMembers.map((member) => [member, source[member]]));
  return { ...kept, main: "./components/index.js", types: "./components/index.d.ts" };
}

function writeJson(file: string, content: object): void {
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
}

if (require.main === module) {
  new Command("package")
    .description("Compiles and packs the components for other programs.")
    .action(async () => console.log(relative(process.cwd(), await buildPackage())))
    .parseAsync()
    .catch((error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    });
}
