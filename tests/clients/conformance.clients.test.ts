import { describe, expect, it } from "vitest";
import { canRun, type ClientFile, readClientFile } from "../../clients/conformance/driver";
import { ownClientFiles, testClient } from "../../clients/conformance/main";

/** Any number: a failure prints it, so that `npm run actors -- NAME --seed …` shows it again. */
const seed = 22;

describe("The conformance suite", () => {
  // A language that is not on this machine is skipped, and named as such.
  const [here, away] = [true, false].map((wanted) =>
    ownClientFiles()
      .map((path) => readClientFile(path))
      .filter((client) => canRun(client) === wanted),
  ) as [ClientFile[], ClientFile[]];

  it.each(here)("holds for $client", async (client) => {
    const lines: string[] = [];
    const holds = await testClient(client, { interleaved: 500, seed }, (line) => lines.push(line));
    expect(holds ? "" : lines.join("\n")).toBe("");
  });

  it.skip.each(away)("holds for $client, for which this machine lacks the language", () => {});
});
