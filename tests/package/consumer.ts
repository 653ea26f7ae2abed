import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
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
export async function createConsumer(tarball: string): Promise<Consumer> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "consumer-")));
  const packageFolder = join(folder, "node_modules", "cdc-audit");
  mkdirSync(packageFolder, { recursive: true });
  await run("tar", ["-xzf", tarball, "-C", packageFolder, "--strip-components=1"]);

  const { dependencies } = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies)) {
    const link = join(folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(repositoryFolder, "node_modules", name), link);
  }
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({
      name: "consumer",
      private: true,
      dependencies: { ...dependencies, "cdc-audit": `file:${tarball}` },
    }),
  );
  cpSync(examplesFolder, folder, { recursive: true });
  return { folder, packageFolder };
}
