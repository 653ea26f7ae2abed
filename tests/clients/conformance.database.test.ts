import { describe, expect, it } from "vitest";
import { readClientFile } from "../../clients/conformance/driver";
import { ownClientFiles, testClient } from "../../clients/conformance/main";

/** Any number: a failure prints it, so that `npm run actors -- NAME --seed …` shows it again. */
const seed = 22;

describe("The conformance suite", () => {
  it.each(ownClientFiles().map((path) => readClientFile(path)))(
    "holds for $client",
    async (client) => {
      const lines: string[] = [];
      const holds = await testClient(client, { interleaved: 500, seed }, (line) => lines.push(line));
      expect(holds ? "" : lines.join("\n")).toBe("");
    },
    180_000,
  );
});
