import { copyFileSync, mkdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { artifacts } from "../../contract/artifacts";
import { sqlFiles } from "../../database";

const operatorFolder = dirname(__dirname);
const repositoryFolder = dirname(operatorFolder);

/** The Lambda function as it is deployed: this folder, whose `index.js` exports `handler`. */
export const bundleFolder = join(repositoryFolder, artifacts.operatorBundle);

/** What a deployment package of this kind may weigh unpacked, in bytes; the rest of the limit is AWS's own. */
export const bundleLimit = 5_000_000;

/**
 * Bundles the operator with everything it needs into one folder: `index.js`, the SQL of both sides beside it, and the
 * licenses of what was bundled. The same sources give the same bytes.
 *
 * @returns bytes of the folder.
 */
export async function buildOperator(folder = bundleFolder): Promise<number> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [join(__dirname, "main.ts")],
    outfile: join(folder, "index.js"),
    absWorkingDir: repositoryFolder,
    bundle: true,
    minify: true,
    // Stack traces name functions.
    keepNames: true,
    platform: "node",
    target: "node22",
    format: "cjs",
    // An optional native driver, which is not installed.
    external: ["pg-native"],
    // This build of the package reads no file beside itself.
    alias: { "@platformatic/wasm-utils": "@platformatic/wasm-utils/bundled" },
    // Modules use it to find optional packages from where they are.
    define: { "import.meta.url": "bundleUrl" },
    banner: { js: 'const bundleUrl=require("node:url").pathToFileURL(__filename).href;' },
    legalComments: "external",
    logLevel: "warning",
  });
  const files = ["index.js", "index.js.LEGAL.txt"];
  for (const side of ["source", "destination"] as const) {
    mkdirSync(join(folder, side));
    for (const { name } of sqlFiles(side)) {
      files.push(join(side, name));
      copyFileSync(join(repositoryFolder, "database", side, name), join(folder, side, name));
    }
  }
  return files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
}

if (require.main === module) {
  buildOperator().then(
    (bytes) => console.log(`${bundleFolder}: ${(bytes / 1e6).toFixed(2)} MB`),
    (error: Error) => {
      console.error(error.message);
      process.exitCode = 1;
    },
  );
}
