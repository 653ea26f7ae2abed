import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

export const repositoryFolder = resolve(__dirname, "../..");

const ignoredFolders = new Set(["node_modules", "target", "dist", ".git", ".local", "results"]);

/** A Markdown document of this repository. */
export interface MarkdownDocument {
  /** Seen from the repository. */
  readonly file: string;
  readonly text: string;
}

/** Every Markdown document that people read here. */
export function documents(): MarkdownDocument[] {
  return markdownFiles(repositoryFolder).map((path) => ({
    file: relative(repositoryFolder, path),
    text: readFileSync(path, "utf8"),
  }));
}

export function documentNamed(file: string): string {
  return readFileSync(join(repositoryFolder, file), "utf8");
}

function markdownFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ignoredFolders.has(entry.name) ? [] : markdownFiles(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}

/** One line of a shell block: comments removed, continued lines joined. */
export interface ShellLine {
  readonly file: string;
  readonly line: string;
}

/** Every line that a document tells to type: of blocks marked `sh`, and of those without a mark that begin with a command. */
export function shellLines({ file, text }: MarkdownDocument): ShellLine[] {
  return [...text.matchAll(/^```(\w*)\n([^]*?)^```/gm)]
    .filter(
      ([, language, body = ""]) => language === "sh" || (language === "" && /^(npm|npx|tsx|pulumi|aws) /.test(body)),
    )
    .flatMap(([, , body = ""]) => body.replaceAll("\\\n", " ").split("\n"))
    .map((line) => ({ file, line: line.replace(/(^|\s+)#\s.*$/, "").trim() }))
    .filter(({ line }) => line !== "");
}

/** The simple commands of a line: what stands at its start, after `&&` and `|`, and inside `$(…)`. */
export function simpleCommands(line: string): string[] {
  const quotedAway = line.replaceAll(/'[^']*'/g, (quoted) => "_".repeat(quoted.length));
  const starts = [0, ...[...quotedAway.matchAll(/&& |\| |\$\(/g)].map(({ index, 0: mark }) => index + mark.length)];
  return starts.map((start) => line.slice(start).trim());
}
