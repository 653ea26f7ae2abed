import { describe, expect, it } from "vitest";
import { ProgramFailed } from "../../recorder/recorder";
import { recordProgram } from "../../recorder/stacks";

async function failure(config: Record<string, string | object>): Promise<ProgramFailed> {
  const outcome = await recordProgram("dev", { preview: true, config }).catch((error: unknown) => error);
  if (outcome instanceof ProgramFailed) return outcome;
  throw new Error("The program did not fail.", { cause: outcome });
}

describe("a preview that can't work", () => {
  it("says first, and before anything is registered, what has to be built and how", async () => {
    const { message, registered } = await failure({
      "cdc-audit:sink": { pluginPath: "connect/target/nowhere.zip" },
      "cdc-audit:transformer": "{}",
      "cdc-audit:operator": { bundlePath: "operator/nowhere" },
      "cdc-audit:logRetentionDays": "8",
    });
    const order = [
      "transformer.imageUri",
      "sink.pluginPath",
      "npm run build:plugin",
      "npm run build:operator",
      "logRetentionDays",
    ];
    const places = order.map((text) => message.indexOf(text));
    expect(places.filter((place) => place < 0)).toEqual([]);
    expect(Math.max(...places)).toBe(places.at(-1));
    expect(registered.filter((urn) => !urn.includes("pulumi:pulumi:Stack"))).toEqual([]);
  });
});
