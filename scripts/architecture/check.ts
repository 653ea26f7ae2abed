import { resolve } from "node:path";
import { Command } from "commander";
import type { ICruiseResult, IForbiddenRuleType } from "dependency-cruiser";
import { table } from "../settings-reference";
import { type Folder, folderOf, folders, mayImport } from "./folders";

const repositoryFolder = resolve(__dirname, "../..");

const noCircles = "no-circles";
const isCode = /\.m?[jt]sx?$/;

/** One rule for each folder, named after it, and one against circles. Imports of types alone count as well. */
const rules: readonly IForbiddenRuleType[] = [
  ...folders
    .filter(({ mayDependOn }) => mayDependOn !== "everything")
    .map((folder) => ({
      name: folder.path,
      severity: "error" as const,
      from: { path: anyOf([folder]), pathNot: anyOf(innerFolders(folder)) },
      to: { dependencyTypes: ["local" as const], pathNot: anyOf(folders.filter((other) => mayImport(folder, other))) },
    })),
  { name: noCircles, severity: "error", from: {}, to: { circular: true } },
];

/** A regular expression for the files of these folders. */
function anyOf(some: readonly Folder[]): string[] {
  return some.map(({ path }) => `^${path.replaceAll(".", "\\.")}(/|$)`);
}

function innerFolders(folder: Folder): Folder[] {
  return folders.filter(({ path }) => path.startsWith(`${folder.path}/`));
}

/**
 * Everything that breaks the architecture, one text for each import or circle, which names the rule and tells the fix.
 *
 * @param baseFolder The folder that paths are seen from; it has a tsconfig.json. Default: the repository.
 */
export async function architectureProblems(baseFolder: string = repositoryFolder): Promise<string[]> {
  // It can only be imported as a module.
  const { cruise } = await import("dependency-cruiser");
  const { output } = await cruise(["."], {
    baseDir: baseFolder,
    ruleSet: { forbidden: [...rules] },
    validate: true,
    // Imports of types alone vanish when compiled, and count here.
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)(node_modules|target|dist|\\.venv|\\.local|\\.git)(/|$)" },
  });
  const { modules, summary } = output as ICruiseResult;
  const homeless = modules
    .map(({ source }) => source)
    .filter((file) => file.includes("/") && isCode.test(file) && !/node_modules/.test(file) && !folderOf(file));
  return [
    ...homeless.map(
      (file) => `${file} is in no folder of the table in scripts/architecture/folders.ts: add a row for it.`,
    ),
    ...summary.violations.map(({ rule, from, to, cycle }) =>
      rule.name === noCircles ? circleText(cycle?.map(({ name }) => name) ?? [to]) : importText(from, to),
    ),
  ];
}

/** What is wrong with an import that the table does not allow, and what to do. */
export function importText(from: string, to: string): string {
  const importer = folderOf(from);
  const imported = folderOf(to);
  if (!importer) return `${from} is in no folder of the table in scripts/architecture/folders.ts: add a row for it.`;
  const allowed = importer.mayDependOn.length === 0 ? "nothing" : [...importer.mayDependOn].join(", ");
  return `${from} imports ${to}. ${importer.path} may depend on ${allowed}: ${fixOf(importer, imported, to)}.`;
}

function fixOf(importer: Folder, imported: Folder | undefined, file: string): string {
  if (!imported) return `give ${file} a row in scripts/architecture/folders.ts, or move it to a folder that has one`;
  if (mayImport(imported, importer)) return `move what it needs from ${file} to ${importer.path}, or pass it in`;
  const [shared] = folders.filter((each) => mayImport(importer, each) && mayImport(imported, each));
  if (shared) return `move what both need from ${file} to ${shared.path}`;
  const [above] = folders.filter(
    (each) => each.mayDependOn !== "everything" && mayImport(each, importer) && mayImport(each, imported),
  );
  return `move the code that needs both to ${above?.path ?? "a folder above them, which the table lacks"}`;
}

function circleText(files: readonly string[]): string {
  return `${files.join(" -> ")} -> ${files[0]} is a circle: move what two of them need to a file that imports none of them.`;
}

/** The table as Markdown, a line break at its end. */
export function folderTable(): string {
  const code = (path: string) => `\`${path.endsWith(".ts") ? path : `${path}/`}\``;
  const allowed = ({ mayDependOn }: Folder) =>
    mayDependOn === "everything" ? mayDependOn : mayDependOn.map(code).join(", ") || "nothing";
  const rows = folders.map((folder) => [code(folder.path), folder.holds, allowed(folder)]);
  return `${table(["folder", "what belongs there", "may depend on"], rows)}\n`;
}

if (require.main === module) {
  new Command("architecture")
    .description(
      "Checks every import against the table in scripts/architecture/folders.ts, and that there is no circle.",
    )
    .action(async () => {
      const problems = await architectureProblems();
      for (const problem of problems) console.error(`- ${problem}`);
      if (problems.length > 0) process.exitCode = 1;
    })
    .parseAsync()
    .catch((error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    });
}
