import { describe, expect, it } from "vitest";
import { dependencyNames, deploy, modes, outputValue } from "../support/deployment";

function role(name = "worker-role") {
  return async () => {
    const { serviceRole } = await import("../../../components/shared/roles");
    const { policyDocument, serviceTrust } = await import("../../../components/shared/policies");
    const pulumi = await import("@pulumi/pulumi");
    const parent = new pulumi.ComponentResource("test:index:Parent", "worker");
    return serviceRole(
      name,
      {
        description: "Does the work",
        trust: serviceTrust("lambda.amazonaws.com"),
        permissions: policyDocument({
          Sid: "ReadOne",
          Effect: "Allow",
          Action: ["s3:GetObject"],
          Resource: ["arn:aws:s3:::bucket/key"],
        }),
        component: "worker",
      },
      parent,
    );
  };
}

describe.each(modes)("a service role in a %s", (mode) => {
  it("can't be used before its permissions are attached", async () => {
    const { result } = await deploy(role(), { mode });
    expect(await dependencyNames(result)).toEqual(["worker-role", "worker-role-permissions"]);
  });

  it("is trusted by its service and may do what was said", async () => {
    const { only } = await deploy(role(), { mode });
    expect(JSON.parse(only("worker-role").inputs.assumeRolePolicy).Statement).toEqual([
      {
        Sid: "ServiceTakesOnRole",
        Effect: "Allow",
        Principal: { Service: "lambda.amazonaws.com" },
        Action: ["sts:AssumeRole"],
      },
    ]);
    expect(JSON.parse(only("worker-role-permissions").inputs.policy).Statement[0].Sid).toBe("ReadOne");
  });
});

describe("a service role", () => {
  it("gives out its ARN under a name within IAM's 64 characters, however long stack and component are", async () => {
    const name = "a-pipeline-with-a-long-name-transformer-execution-role-of-a-component";
    const { only, result } = await deploy(role(name), { stack: "s".repeat(20) });
    expect(only(name).inputs.name.length).toBeLessThanOrEqual(64);
    expect((await outputValue(result)).value).toBe(`arn:aws:iam::123456789012:role/${only(name).inputs.name}`);
  });
});
