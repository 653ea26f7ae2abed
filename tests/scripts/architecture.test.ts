import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { architectureProblems, importText } from "../../scripts/architecture/check";
import { type Folder, folderOf, folders, mayImport } from "../../scripts/architecture/folders";
import { repositoryFolder } from "../docs/documents";

/** What is wrong with a repository of these files. */
async function problemsOf(files: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "architecture-"));
  try {
    for (const [file, content] of Object.entries({ "tsconfig.json": "{}", ...files })) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), content);
    }
    return await architectureProblems(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const shared = { "contract/names.ts": "export interface Name { text: string }\nexport const port = 5432;\n" };

describe("The check of the architecture", () => {
  it("lets through what the table allows", async () => {
    const importing = 'import { port } from "../contract/names";\nexport const own = port;\n';
    expect(await problemsOf({ ...shared, "components/part.ts": importing, "tests/part.test.ts": importing })).toEqual(
      [],
    );
  });

  it("names the rule and the folder where a forbidden import belongs", async () => {
    const problems = await problemsOf({
      "components/part.ts": "export const size = 3;\n",
      "contract/names.ts": 'export { size } from "../components/part";\n',
    });
    expect(problems).toEqual([
      "contract/names.ts imports components/part.ts. contract may depend on nothing: move what it needs from " +
        "components/part.ts to contract, or pass it in.",
    ]);
  });

  it("finds forbidden imports of types alone, of JSON and of modules loaded later", async () => {
    const problems = await problemsOf({
      ...shared,
      "docs/prices.json": "{}",
      "database/type.ts": 'import type { Name } from "../contract/names";\nexport type Own = Name;\n',
      "policies/json.ts": 'import prices from "../docs/prices.json";\nexport default prices;\n',
      "operator/kafka/later.ts": 'export const later = () => import("../../docs/prices.json");\n',
    });
    expect(problems.map((problem) => problem.split(". ")[0]).sort()).toEqual([
      "database/type.ts imports contract/names.ts",
      "operator/kafka/later.ts imports docs/prices.json",
      "policies/json.ts imports docs/prices.json",
    ]);
  });

  it("finds circles, also of types alone", async () => {
    const problems = await problemsOf({
      "config/a.ts": 'import type { B } from "./b";\nexport type A = B | 1;\n',
      "config/b.ts": 'import type { A } from "./a";\nexport type B = A | 2;\n',
    });
    expect(problems).not.toEqual([]);
    for (const problem of problems) expect(problem).toMatch(/^config\/[ab]\.ts -> .* is a circle: move what/);
  });

  it("asks for a row for code in a folder that the table does not have", async () => {
    const text = "drawer/thing.ts is in no folder of the table in scripts/architecture/folders.ts: add a row for it.";
    expect(await problemsOf({ "drawer/thing.ts": "export const thing = 1;\n" })).toEqual([text]);
  });
});

describe("The fix of a forbidden import", () => {
  it.each([
    ["operator/kafka/admin.ts", "operator/aws/wait.ts", "move what both need from operator/aws/wait.ts to contract."],
    [
      "local/servers/postgres.ts",
      "local/dms-stand-in/task.ts",
      "move what both need from local/dms-stand-in/task.ts to contract.",
    ],
    ["database/index.ts", "docs/prices.json", "move the code that needs both to scripts."],
    [
      "database/index.ts",
      "policies/index.ts",
      "move the code that needs both to a folder above them, which the table lacks.",
    ],
    [
      "scripts/cost.ts",
      "tests/setup/build.ts",
      "move what it needs from tests/setup/build.ts to scripts, or pass it in.",
    ],
  ])("of %s on %s", (from, to, fix) => {
    expect(importText(from, to)).toContain(`: ${fix}`);
  });
});

describe("The table of folders", () => {
  it("names folders and files that exist", () => {
    const named = folders.flatMap(({ path, mayDependOn }) => [
      path,
      ...(mayDependOn === "everything" ? [] : mayDependOn),
    ]);
    expect(named.filter((path) => !existsSync(join(repositoryFolder, path)))).toEqual([]);
  });

  it("goes downwards alone: no folder may depend on one that may depend on it", () => {
    const below = (folder: Folder) => folders.filter((other) => other !== folder && mayImport(folder, other));
    const reaches = (from: Folder, to: Folder): boolean => below(from).some((next) => next === to || reaches(next, to));
    expect(folders.filter((folder) => reaches(folder, folder)).map(({ path }) => path)).toEqual([]);
  });

  it("takes a file for the innermost folder that holds it", () => {
    expect(folderOf("operator/context.ts")?.path).toBe("operator/context.ts");
    expect(folderOf("operator/handlers/canary/canary.ts")?.path).toBe("operator/handlers");
    expect(folderOf("package.json")).toBeUndefined();
  });
});
