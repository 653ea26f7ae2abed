import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runFindings } from "../../scripts/findings";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "findings-"));
  const scripts = { still: "echo quiet", gone: "echo seen: 5; exit 1", offline: "echo no server >&2; exit 2" };
  for (const [name, text] of Object.entries(scripts)) writeFileSync(join(folder, `${name}.sh`), `${text}\n`);
  writeFileSync(join(folder, "README.md"), "no finding");
});

afterAll(() => rmSync(folder, { recursive: true }));

async function run(...names: string[]): Promise<{ ok: boolean; lines: string[] }> {
  const lines: string[] = [];
  const ok = await runFindings(folder, names, (line) => lines.push(line.replace(/[\d.]+ s$/, "… s")));
  return { ok, lines };
}

describe("The runner of the findings", () => {
  it("prints a line for each, and what one printed that is not as it was", async () => {
    expect(await run()).toEqual({
      ok: false,
      lines: [
        "gone: changed, … s",
        "  seen: 5",
        "offline: not run (exit code 2), … s",
        "  no server",
        "still: ok, … s",
      ],
    });
  });

  it("runs those alone that are named", async () => {
    expect(await run("still")).toEqual({ ok: true, lines: ["still: ok, … s"] });
  });

  it("names the findings that there are when asked for another", async () => {
    await expect(run("stil")).rejects.toThrow("There is no finding stil; there are gone, offline, still.");
  });
});
