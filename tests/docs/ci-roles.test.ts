import { describe, expect, it } from "vitest";
import buildPolicy from "../../docs/build-policy.json";
import deployerPolicy from "../../docs/deployer-policy.json";
import previewPolicy from "../../docs/preview-policy.json";
import trustPolicy from "../../docs/ci-trust-policy.json";
import { forbiddenCalls, otherCalls } from "../iam/deployer";
import { type Call, evaluate, type Policy } from "../iam/evaluate";

const provider = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";

/** An assumption by a token of GitHub's with this subject and audience. */
function assumption(subject: string, audience = "sts.amazonaws.com"): Call {
  return {
    action: "sts:AssumeRoleWithWebIdentity",
    resource: "*",
    principal: { Federated: provider },
    context: {
      "token.actions.githubusercontent.com:sub": subject,
      "token.actions.githubusercontent.com:aud": audience,
    },
  };
}

describe("the trust of a role for CI", () => {
  const trust = trustPolicy as Policy;

  it("goes to one environment of one repository", () => {
    expect(evaluate([trust], assumption("repo:OWNER/REPOSITORY:environment:dev"))).toBe("allowed");
  });

  it.each([
    "repo:OWNER/REPOSITORY:environment:prod",
    "repo:OWNER/REPOSITORY:ref:refs/heads/main",
    "repo:OWNER/REPOSITORY:pull_request",
    "repo:OWNER/ANOTHER:environment:dev",
    "repo:STRANGER/REPOSITORY:environment:dev",
  ])("does not go to %s", (subject) => {
    expect(evaluate([trust], assumption(subject))).toBe("not allowed");
  });

  it("does not go to tokens that were made for others", () => {
    expect(evaluate([trust], assumption("repo:OWNER/REPOSITORY:environment:dev", "api://other"))).toBe("not allowed");
  });
});

describe("the policy for builds", () => {
  const build = buildPolicy as Policy;
  const images = "arn:aws:ecr:eu-central-1:111122223333:repository/cdc-audit-transformer-repository";

  it("allows an image to be pushed", () => {
    expect(evaluate([build], { action: "ecr:GetAuthorizationToken", resource: "*" })).toBe("allowed");
    for (const operation of ["InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage"]) {
      expect(evaluate([build], { action: `ecr:${operation}`, resource: images }), operation).toBe("allowed");
    }
  });

  it("allows no image to be deleted, no other repository, and nothing that deploys", () => {
    const others: readonly Call[] = [
      { action: "ecr:BatchDeleteImage", resource: images },
      { action: "ecr:PutImage", resource: "arn:aws:ecr:eu-central-1:111122223333:repository/payroll" },
      { action: "ecs:UpdateService", resource: "*" },
      { action: "iam:PassRole", resource: "*" },
    ];
    expect(others.filter((call) => evaluate([build], call) === "allowed")).toEqual([]);
  });
});

describe("the policy for previews", () => {
  // MSK asks for a connection of whoever looks at topics; it allows nothing else by itself.
  const looks = /:(Describe|Get|List)|^kafka-cluster:Connect$/;
  const preview = previewPolicy as Policy;
  const [region, account] = ["eu-central-1", "111122223333"];

  it("allows no call that changes, starts, hands over or deletes anything", () => {
    const changing = otherCalls(region, account).filter(
      ({ action }) => !looks.test(action) && action !== "kms:Decrypt",
    );
    expect(changing.length).toBeGreaterThan(20);
    expect(changing.filter((call) => evaluate([preview], call) === "allowed")).toEqual([]);
  });

  it("allows every look that the deployer takes, and no more", () => {
    const looking = otherCalls(region, account).filter(({ action }) => looks.test(action));
    expect(looking.length).toBeGreaterThan(5);
    for (const call of looking) expect(evaluate([preview], call), call.action).toBe("allowed");
    expect(forbiddenCalls(region, account).filter((call) => evaluate([preview], call) === "allowed")).toEqual([]);
  });

  it("is part of the deployer's", () => {
    const all = deployerPolicy.Statement.flatMap(({ Action }) => Action);
    const some = previewPolicy.Statement.flatMap(({ Action }) => Action);
    expect(some.filter((action) => !all.includes(action))).toEqual([]);
  });
});
