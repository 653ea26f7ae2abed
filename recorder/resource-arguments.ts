import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const packageFolder = dirname(require.resolve("@pulumi/aws/package.json"));
const cache = new Map<string, readonly string[]>();

/**
 * Names of the arguments that a resource type of @pulumi/aws takes, read from the type declarations of the installed
 * version: what could be set, whether or not the program sets it. Empty for types of other packages.
 */
export function argumentNames(type: string): readonly string[] {
  const [packageName, module = "", className = ""] = type.split(":");
  if (packageName !== "aws") return [];
  const known = cache.get(type);
  if (known) return known;
  const text = readFileSync(join(packageFolder, `${module}.d.ts`), "utf8");
  const body = new RegExp(`^export interface ${className}Args \\{\\n([^]*?)^\\}`, "m").exec(text)?.[1];
  if (body === undefined) throw new Error(`@pulumi/aws/${module}.d.ts declares no ${className}Args.`);
  const names = [...body.matchAll(/^ {4}(\w+)\??:/gm)].map((match) => match[1] ?? "");
  cache.set(type, names);
  return names;
}
