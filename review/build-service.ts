import { join } from "node:path";
import { build } from "esbuild";
import { artifacts } from "../contract/artifacts";

/** Bundles the server of the page, with its libraries, into the one file that the image runs. */
export async function buildServer(outfile = join(__dirname, "..", artifacts.reviewServer)): Promise<void> {
  await bundleServer(join(__dirname, "server", "main.ts"), outfile);
}

/** Bundles a program with its libraries, as the image's is. */
export async function bundleServer(program: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [program],
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    outfile,
    legalComments: "none",
    // A native driver that pg looks for and does without.
    external: ["pg-native"],
  });
}

if (require.main === module) {
  buildServer().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
