import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { runFile } from "../../local/machine/folders";
import { scripts } from "../../package.json";
import { documentNamed, documents, repositoryFolder, shellLines, simpleCommands } from "./documents";

const run = promisify(execFile);
const proof = documentNamed("docs/proof.md");
const lines = documents().flatMap(shellLines);
const commands = lines.flatMap(({ file, line }) => simpleCommands(line).map((command) => ({ file, command })));

/** Text of the section of docs/proof.md with this heading. */
function section(heading: string): string {
  const [, rest] = proof.split(`### ${heading}\n`);
  if (rest === undefined) throw new Error(`docs/proof.md has no section ${heading}.`);
  return rest.split(/^#/m)[0] ?? "";
}

/** First columns of the tables of the section, command by command. */
function commandsOf(heading: string): string[] {
  const rows = section(heading)
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  return rows.flatMap((row) =>
    [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, command = ""]) => command),
  );
}

const between = [...(/`export`.* carry from/s.exec(proof)?.[0] ?? "").matchAll(/`([^`]+)`/g)].map(
  ([, name = ""]) => name,
);
const known = [...["Run by tests", "Run by people", "Need an account"].flatMap(commandsOf), ...between];

/** Runs a script of package.json's as its own process. */
async function runScript(name: string, ...options: readonly string[]): Promise<{ code: number; output: string }> {
  const [exec, node, ...args] = (scripts as Readonly<Record<string, string>>)[name]?.split(" ") ?? [];
  // In place of the shell, which would end at npm's signal and leave its child; and without tsx's launcher, which kills its
  // child 60 ms after one. Commands that clean up need longer.
  expect([exec, node]).toEqual(["exec", "node"]);
  return run(process.execPath, [...args, ...options], { cwd: repositoryFolder, maxBuffer: 16 * 1024 * 1024 }).then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      output: error.stdout + error.stderr,
    }),
  );
}

describe("the commands in the documents", () => {
  it("stand all in docs/proof.md, as run by a test, by people, or in need of an account", () => {
    expect(commands.length).toBeGreaterThan(80);
    const beginsWith = (command: string, known: string) => command === known || command.startsWith(`${known} `);
    expect(commands.filter(({ command }) => !known.some((each) => beginsWith(command, each)))).toEqual([]);
  });

  it("are named there together with tests that exist", () => {
    const rows = section("Run by tests")
      .split("\n")
      .filter((line) => line.startsWith("| `"));
    for (const row of rows) {
      const [, , runBy = ""] = row.split("|");
      const files = [...runBy.matchAll(/`((?:tests\/|\.ci\/)[^`]+)`/g)].map(([, file = ""]) => file);
      expect(files.length + (runBy.includes("`npm run ") ? 1 : 0), row).toBeGreaterThan(0);
      for (const file of files) expect(existsSync(join(repositoryFolder, file)), file).toBe(true);
    }
  });

  it("call scripts that exist", () => {
    const called = [
      ...documents()
        .map(({ text }) => text)
        .join("\n")
        .matchAll(/npm run ([a-z][\w:-]*)/g),
    ].map(([, name]) => name);
    expect([...new Set(called)].filter((name) => !(String(name) in scripts))).toEqual([]);
  });

  it.each([...new Set(commands.flatMap(({ command }) => /^npm run ([\w:-]+) -- .*--\w/.exec(command)?.[1] ?? []))])(
    "give npm run %s options that it has",
    async (name) => {
      const { output } = await runScript(name, "--help");
      const used = commands
        .filter(({ command }) => command.startsWith(`npm run ${name} -- `))
        .flatMap(({ command }) =>
          [
            ...command
              .split(" -- ")
              .slice(1)
              .join(" ")
              .matchAll(/(--[a-z][\w-]*)/g),
          ].map(([, option]) => option),
        );
      expect(used.length).toBeGreaterThan(0);
      expect([...new Set(used)].filter((option) => !output.includes(String(option)))).toEqual([]);
    },
  );

  it.each([
    ["graph", ["dev"], /cdc-audit-dev: \d+ resources/],
    ["cost", ["dev"], /dev: \d+\.\d\d USD a month/],
    ["release:check", [], /may be released|is tagged already/],
  ] as const)("do what they say: npm run %s", async (name, options, expected) => {
    expect((await runScript(name, ...options)).output).toMatch(expected);
  });

  it.each([
    ["sql", ["SELECT 1"]],
    ["topic", ["cdc.raw", "--count", "1"]],
    ["dead-letters", []],
  ] as const)("answer, or say that no pipeline runs: npm run %s", async (name, options) => {
    const { code, output } = await runScript(name, ...options);
    if (existsSync(runFile)) expect(code, output).toBe(0);
    else expect(output).toContain("The local pipeline does not run.");
  });

  it("remove what running locally left behind, and nothing else: npm run local:clean", async () => {
    const folder = mkdtempSync(join(tmpdir(), "clean-"));
    try {
      for (const file of ["command/clean.ts", "machine/folders.ts", "machine/processes-file.ts"]) {
        cpSync(join(repositoryFolder, "local", file), join(folder, "local", file));
      }
      const left = [".local/logs", "transformer/target", "connect/target"].map((each) => join(folder, each));
      for (const each of left) mkdirSync(each, { recursive: true });
      const loader = pathToFileURL(require.resolve("tsx")).href;
      await run(process.execPath, ["--import", loader, join(folder, "local/command/clean.ts")], { cwd: folder });
      expect(left.filter((each) => existsSync(each))).toEqual([]);
      expect(readdirSync(folder).sort()).toEqual(["connect", "local", "transformer"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("set settings that exist: pulumi config set", () => {
    const texts = documents()
      .map(({ text }) => text)
      .join("\n");
    const paths = [...texts.matchAll(/pulumi config (?:set|rm) (?:--stack \S+ )?(?:--path )?'?([a-z][\w.[\]]*)/g)].map(
      ([, path = ""]) => path,
    );
    expect(paths.length).toBeGreaterThan(15);
    const reference = documentNamed("docs/settings.md");
    const unknown = paths.filter((path) => {
      const [key = "", member] = path.replaceAll(/\[\d+\]/g, "").split(".");
      if (member === undefined) return !reference.includes(`| \`${key}\` |`) && !reference.includes(`## \`${key}\``);
      const [, section = ""] = reference.split(`## \`${key}\``);
      return !(section.split("\n## ")[0] ?? "").includes(`| \`${member}\` |`);
    });
    expect(unknown).toEqual([]);
  });
});
