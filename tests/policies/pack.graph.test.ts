import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Finding, RunningPolicyPack } from "./policy-pack";
import { recording } from "../setup/recordings";

let pack: RunningPolicyPack;

beforeAll(async () => {
  pack = await RunningPolicyPack.start(resolve(__dirname, "../../policies"));
});

afterAll(() => pack.stop());

function texts(findings: readonly Finding[]): string[] {
  return findings.map(({ policy, urn, message }) => `${policy}: ${urn.split("::").at(-1)}: ${message}`);
}

describe("the policy pack", () => {
  it.each(["dev", "devWithGuests", "devWithReview", "prod", "twoPipelines"] as const)(
    "finds nothing to refuse in %s",
    async (stack) => {
      expect(texts(await pack.findings(recording(stack)))).toEqual([]);
    },
  );

  it.each(["devPreview", "prodPreview"] as const)("only waits, in %s, for what a preview can't know", async (stack) => {
    const findings = texts(await pack.findings(recording(stack)));
    expect(findings.filter((finding) => !finding.includes("can't be known during preview"))).toEqual([]);
  });

  it("refuses a production stack with a topic that nobody protects", async () => {
    const copy = recording("prod");
    const registrations = copy.registrations.map((each) =>
      each.name === "audit-topic-raw" ? { ...each, protect: false } : each,
    );
    expect(texts(await pack.findings({ ...copy, registrations }))).toEqual([
      expect.stringMatching(/^data-protected-in-production: audit-topic-raw: .*Set the resource option protect/s),
    ]);
  });
});
