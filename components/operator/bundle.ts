import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** The file in the bundle that the function starts with. */
export const entryFile = "index.js";

/** The command that makes the bundle. */
export const bundleCommand = "npm run build:operator";

/** Whether the path holds a bundle that Lambda can start: a ZIP, or a folder with the entry file. */
export function isBundle(bundlePath: string): boolean {
  if (!existsSync(bundlePath)) return false;
  return statSync(bundlePath).isDirectory() ? existsSync(join(bundlePath, entryFile)) : bundlePath.endsWith(".zip");
}

/** A digest of the bundle's content, SQL included. When it changes, the operator prepares everything again. */
export function bundleDigest(bundlePath: string): string {
  const digest = createHash("sha256");
  for (const file of filesOf(bundlePath)) digest.update(`${file}\n`).update(readFileSync(join(bundlePath, file)));
  return digest.digest("hex").slice(0, 12);
}

/** Paths below the bundle's, in an order that is the same on every machine; the empty one for a ZIP. */
function filesOf(bundlePath: string): string[] {
  if (!statSync(bundlePath).isDirectory()) return [""];
  return readdirSync(bundlePath, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(bundlePath.length + 1))
    .sort();
}
