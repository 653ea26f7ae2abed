import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const source = join(__dirname, "page");

/** Where the page is built to when nobody says otherwise. */
export const builtPage = join(__dirname, "dist", "page");

export interface BuiltPage {
  readonly folder: string;
  /** Bytes of script and style together, compressed with gzip. */
  readonly compressedBytes: number;
}

/**
 * Builds the page into a folder: `index.html`, and `assets/` whose names change with their content, so that a browser may
 * keep them forever. Nothing in it is inline, and nothing comes from elsewhere.
 */
export async function buildPage(folder: string = builtPage): Promise<BuiltPage> {
  const assets = await bundledAssets();
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, "assets"), { recursive: true });
  let html = await readFile(join(source, "index.html"), "utf8");
  let compressedBytes = 0;
  for (const { name, content } of assets) {
    const unique = uniqueName(name, content);
    if (!html.includes(`/assets/${name}`)) throw new Error(`review/page/index.html does not mention /assets/${name}.`);
    html = html.replace(`/assets/${name}`, `/assets/${unique}`);
    if (name !== "icon.svg") compressedBytes += gzipSync(content, { level: 9 }).length;
    await writeFile(join(folder, "assets", unique), content);
  }
  await writeFile(join(folder, "index.html"), html);
  return { folder, compressedBytes };
}

interface Asset {
  readonly name: string;
  readonly content: Uint8Array;
}

async function bundledAssets(): Promise<Asset[]> {
  const { outputFiles } = await build({
    entryPoints: { page: join(source, "main.tsx") },
    bundle: true,
    minify: true,
    write: false,
    outdir: "assets",
    format: "esm",
    target: ["es2022", "chrome123", "firefox120", "safari17.5"],
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    charset: "utf8",
    // Nothing of the server's settings reaches the page.
    tsconfigRaw: { compilerOptions: { strict: true } },
  });
  const bundled = outputFiles.map(({ path, contents }) => ({
    name: path.endsWith(".css") ? "page.css" : "page.js",
    content: contents,
  }));
  return [...bundled, { name: "icon.svg", content: await readFile(join(source, "icon.svg")) }];
}

function uniqueName(name: string, content: Uint8Array): string {
  const [stem, extension] = name.split(".");
  return `${stem}-${createHash("sha256").update(content).digest("hex").slice(0, 12)}.${extension}`;
}

if (require.main === module) {
  buildPage(process.argv[2])
    .then(({ folder, compressedBytes }) =>
      console.log(`${folder}: ${(compressedBytes / 1000).toFixed(1)} kB compressed`),
    )
    .catch((error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    });
}
