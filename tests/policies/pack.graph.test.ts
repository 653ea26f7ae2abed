import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Finding, RunningPolicyPack } from "./policy-pack";
import { recording } from "../setup/recordings";
import type { ValueMap } from "../../recorder/values";

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

  it.each(["devPreview", "devWithReviewPreview", "prodPreview"] as const)(
    "only waits, in %s, for what a preview can't know",
    async (stack) => {
      const findings = texts(await pack.findings(recording(stack)));
      expect(findings.filter((finding) => !finding.includes("can't be known during preview"))).toEqual([]);
    },
  );

  it.each<[string, string, ValueMap, RegExp]>([
    ["answers the internet", "audit-review-load-balancer", { internal: false }, /Answers the internet/],
    [
      "asks nobody to log in",
      "audit-review-https",
      { defaultActions: [{ type: "forward", targetGroupArn: "arn:aws:elasticloadbalancing:::targetgroup/page/1" }] },
      /Forwards without a login/,
    ],
  ])("refuses a page for reviewers that %s", async (_, name, changes, words) => {
    const copy = recording("devWithReview");
    const registrations = copy.registrations.map((each) =>
      each.name === name
        ? {
            ...each,
            inputs: { ...each.inputs, ...changes },
            completedInputs: { ...each.completedInputs, ...changes },
          }
        : each,
    );
    expect(texts(await pack.findings({ ...copy, registrations }))).toEqual([
      expect.stringMatching(new RegExp(`^login-before-the-page: ${name}: .*${words.source}`, "s")),
    ]);
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
