import { describe, expect, it } from "vitest";
import { exitCode, type Part, PartRunner, type PartResult, summary } from "../../scripts/test-parts";

/** A part that runs JavaScript. */
function part(name: string, code: string): Part {
  return { name, command: `'${process.execPath}' -e '${code}'` };
}

const passing = (name: string) => part(name, `console.log("this is ${name}")`);
const failing = (name: string) => part(name, `console.error("wrong"); process.exitCode = 3`);
const endless = (name: string) => part(name, "setInterval(() => undefined, 1000)");

async function results(...stages: Part[][][]): Promise<{ results: readonly PartResult[]; written: string }> {
  const written: string[] = [];
  return { results: await new PartRunner(stages, (text) => written.push(text)).run(), written: written.join("") };
}

const outcomes = (all: readonly PartResult[]) => Object.fromEntries(all.map(({ name, exit }) => [name, exit]));

describe("The runner of the tests", () => {
  it("runs every part, and prints those side by side one after the other", async () => {
    const { results: all, written } = await results([[passing("a"), passing("b")], [passing("c")]], [[passing("d")]]);
    expect(outcomes(all)).toEqual({ a: 0, b: 0, c: 0, d: 0 });
    for (const name of ["a", "b", "c"]) expect(written).toMatch(new RegExp(`> ${name}: .*\\nthis is ${name}\\n`));
    expect(exitCode(all)).toBe(0);
  });

  it("stops at the first part that fails, also those beside it, and keeps its exit code", async () => {
    const { results: all, written } = await results([[endless("a"), passing("b")], [failing("c")]], [[passing("d")]]);
    expect(outcomes(all)).toEqual({ a: "SIGTERM", b: undefined, c: 3, d: undefined });
    expect(written).toContain("wrong");
    expect(exitCode(all)).toBe(3);
  });

  it("begins a part after that of another lane which makes what it needs, and not at all when that one fails", async () => {
    const { written } = await results([
      [part("slow", `setTimeout(() => console.log("made"), 300)`)],
      [passing("free"), { ...passing("waits"), after: "slow" }],
    ]);
    expect(written.indexOf("this is free")).toBeLessThan(written.indexOf("made\n"));
    expect(written.indexOf("made\n")).toBeLessThan(written.indexOf("this is waits"));
    const { results: all } = await results([[failing("maker")], [{ ...passing("waits"), after: "maker" }]]);
    expect(outcomes(all)).toEqual({ maker: 3, waits: undefined });
  });

  it("ends what it runs when it is stopped itself", async () => {
    const runner = new PartRunner([[[endless("a")], [endless("b")]]], () => undefined);
    const running = runner.run();
    runner.stop();
    const all = await running;
    expect(outcomes(all)).toEqual({ a: "SIGTERM", b: "SIGTERM" });
    expect(exitCode(all)).toBe(1);
  });

  it("says how long each part took, and what did not run", () => {
    const text = summary(
      [
        { name: "lint", exit: 0, seconds: 12.34 },
        { name: "java", exit: "SIGTERM", seconds: 100 },
        { name: "unit", exit: 1, seconds: 3 },
        { name: "graph" },
      ],
      115.5,
    );
    expect(text.split("\n")).toEqual([
      "lint      12.3 s  passed",
      "java     100.0 s  stopped by SIGTERM",
      "unit       3.0 s  failed with exit code 1",
      "graph        - s  not run",
      "total    115.5 s",
      "",
    ]);
  });
});
