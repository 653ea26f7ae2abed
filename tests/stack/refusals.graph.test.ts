import { describe, expect, it } from "vitest";
import { ProgramFailed } from "../../recorder/recorder";
import { recordProgram } from "../../recorder/stacks";
import type { ValueMap } from "../../recorder/values";

async function failure(
  config: Record<string, string | object>,
  answers: Readonly<Record<string, ValueMap>> = {},
): Promise<ProgramFailed> {
  const outcome = await recordProgram("dev", { preview: true, config, answers }).catch((error: unknown) => error);
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

  it.each([
    ["kafka", { kafkaVersion: "3.8.x.kraft" }, "aws:msk/getCluster:getCluster", { kafkaVersion: "3.9.x.kraft" }],
    ["database", { engineVersion: "17.4" }, "aws:rds/getCluster:getCluster", { engineVersion: "17.5" }],
    [
      "capture",
      { engineVersion: "3.6.1", createServiceRoles: true },
      "aws:dms/getReplicationInstance:getReplicationInstance",
      { engineVersion: "3.6.2" },
    ],
  ])("says what to set when AWS has raised a version by itself: %s", async (section, settings, token, answer) => {
    const [[property, raised]] = Object.entries(answer) as [[string, string]];
    const { message } = await failure({ [`cdc-audit:${section}`]: settings }, { [token]: answer });
    expect(message).toContain(`${section}.${property}) = `);
    expect(message).toContain(`Set it to ${raised}`);
  });
});
