import type { ComponentResourceOptions } from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { deploy, modes, refusal } from "../support/deployment";

const conversation = { from: "sg-client", to: "sg-server", port: 9098, component: "kafka" };

function permission(description: string) {
  return async (opts: ComponentResourceOptions) => {
    const { ComponentResource } = await import("@pulumi/pulumi");
    const { allow, allowHttpsOut } = await import("../../../components/shared/security-groups");
    const parent = new ComponentResource("test:index:Parent", "parent", {}, opts);
    allow("parent-talk", { ...conversation, description }, parent);
    allowHttpsOut("parent-https", { from: "sg-client", reason: description, component: "parent" }, parent);
  };
}

describe.each(modes)("a permitted conversation in a %s", (mode) => {
  it("opens the way out on one side and the way in on the other, on one port", async () => {
    const { only } = await deploy(permission("Client to server"), { mode });
    const rule = { ipProtocol: "tcp", fromPort: 9098, toPort: 9098, description: "Client to server" };
    expect(only("parent-talk-egress").inputs).toMatchObject({
      ...rule,
      securityGroupId: "sg-client",
      referencedSecurityGroupId: "sg-server",
    });
    expect(only("parent-talk-ingress").inputs).toMatchObject({
      ...rule,
      securityGroupId: "sg-server",
      referencedSecurityGroupId: "sg-client",
    });
  });
});

describe("a way out to AWS", () => {
  it("is HTTPS only and carries its reason", async () => {
    const { only } = await deploy(permission("AWS services through NAT"));
    expect(only("parent-https").inputs).toMatchObject({
      fromPort: 443,
      toPort: 443,
      cidrIpv4: "0.0.0.0/0",
      description: "AWS services through NAT",
    });
  });
});

describe("the description of a rule", () => {
  it.each(["", "the server's clients", "x".repeat(256)])("is refused as %j, before EC2 would", async (description) => {
    expect((await refusal(permission(description))).message).toContain("EC2 refuses the description");
  });
});
