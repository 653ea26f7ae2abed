import type { ComponentResourceOptions } from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { NetworkArgs } from "../../../components";
import { deploy, modes, outputValue, refusal } from "../support/deployment";

const zones = ["eu-central-1a", "eu-central-1b"];

function network(args: NetworkArgs) {
  return async (opts: ComponentResourceOptions) => {
    const { Network } = await import("../../../components/network");
    return new Network("network", args, opts);
  };
}

describe.each(modes)("a new network in a %s", (mode) => {
  it("hands awsx an exact layout of named zones, so that no version of it moves a subnet", async () => {
    const { only, invokes } = await deploy(network({ availabilityZones: zones }), { mode });
    expect(only("Vpc").inputs).toEqual({
      cidrBlock: "10.0.0.0/16",
      availabilityZoneNames: zones,
      subnetStrategy: "Exact",
      subnetSpecs: [
        { type: "Private", name: "private", cidrBlocks: ["10.0.0.0/19", "10.0.64.0/19"] },
        { type: "Public", name: "public", cidrBlocks: ["10.0.32.0/20", "10.0.96.0/20"] },
        { type: "Unused", name: "reserved", cidrBlocks: ["10.0.48.0/21", "10.0.112.0/20"] },
        { type: "Unused", name: "remaining", cidrBlocks: ["10.0.56.0/21", "10.0.128.0/17"] },
      ],
      natGateways: { strategy: "Single" },
      enableDnsSupport: true,
      enableDnsHostnames: true,
      tags: { Name: "network-vpc", "cdc-audit:component": "network", "cdc-audit:stack": "cdc-audit/dev" },
    });
    expect(invokes).toEqual([]);
  });

  it("leaves the VPC's default security group without a rule", async () => {
    const { only } = await deploy(network({ availabilityZones: zones }), { mode });
    const { inputs } = only("DefaultSecurityGroup");
    expect(inputs.ingress).toBeUndefined();
    expect(inputs.egress).toBeUndefined();
  });

  it("reaches S3 through a free gateway endpoint of the zones' region", async () => {
    const { only } = await deploy(network({ availabilityZones: zones }), { mode });
    expect(only("network-endpoint-s3").inputs).toMatchObject({
      serviceName: "com.amazonaws.eu-central-1.s3",
      vpcEndpointType: "Gateway",
    });
  });

  it("makes the interface endpoints that are asked for, open to the VPC alone", async () => {
    const services = ["secretsmanager", "ecr.api"];
    const { all, only } = await deploy(network({ availabilityZones: zones, interfaceEndpoints: services }), { mode });
    const endpoints = all("VpcEndpoint").filter(({ inputs }) => inputs.vpcEndpointType === "Interface");
    expect(endpoints.map(({ name, inputs }) => [name, inputs.serviceName, inputs.privateDnsEnabled])).toEqual([
      ["network-endpoint-secretsmanager", "com.amazonaws.eu-central-1.secretsmanager", true],
      ["network-endpoint-ecr-api", "com.amazonaws.eu-central-1.ecr.api", true],
    ]);
    expect(only("SecurityGroupIngressRule").inputs).toMatchObject({
      fromPort: 443,
      toPort: 443,
      cidrIpv4: "10.0.0.0/16",
    });
  });
});

describe("a new network", () => {
  it.each([
    ["none", "None"],
    ["single", "Single"],
    ["per-zone", "OnePerAz"],
  ] as const)("turns natGateways %s into awsx's %s", async (natGateways, strategy) => {
    const { pipelineEndpoints } = await import("../../../components/network");
    const { only } = await deploy(
      network({ availabilityZones: zones, natGateways, interfaceEndpoints: [...pipelineEndpoints] }),
    );
    expect(only("Vpc").inputs.natGateways).toEqual({ strategy });
  });

  it("sends the traffic to S3 of every subnet through the gateway endpoint", async () => {
    const routeTables = [{ id: "rtb-private" }, { id: "rtb-public" }];
    const { only } = await deploy(network({ availabilityZones: zones }), {
      outputs: { "awsx:ec2:Vpc": { routeTables } },
    });
    expect(only("network-endpoint-s3").inputs.routeTableIds).toEqual(["rtb-private", "rtb-public"]);
  });

  it("tells where things can be put", async () => {
    const { result } = await deploy(network({ availabilityZones: zones, cidrBlock: "10.9.0.0/16" }));
    expect((await outputValue(result.vpcId)).value).toMatch(/^vpc-/);
    expect((await outputValue(result.vpcCidrBlock)).value).toBe("10.9.0.0/16");
    expect((await outputValue(result.privateSubnetIds)).value).toHaveLength(2);
    expect((await outputValue(result.publicSubnetIds)).value).toHaveLength(2);
    expect((await outputValue(result.endpointSecurityGroupId)).value).toBe("");
  });

  it("refuses wrong arguments, all at once and before it creates anything", async () => {
    const { message, asked } = await refusal(
      network({ cidrBlock: "8.8.0.0/16", availabilityZones: ["eu-central-1a"], natGateways: "none" }),
    );
    expect(message).toContain('cidrBlock = "8.8.0.0/16"');
    expect(message).toContain('availabilityZones = ["eu-central-1a"]');
    expect(message).toContain("interfaceEndpoints = []");
    expect(asked).toEqual(["cdc-audit:index:Network"]);
  });
});

describe("an existing network", () => {
  const existing = {
    vpcId: "vpc-0123",
    cidrBlock: "10.1.0.0/16",
    privateSubnetIds: ["subnet-1", "subnet-2"],
  };

  it("is passed through without creating anything", async () => {
    const { result, registrations } = await deploy(network({ existing }));
    expect(registrations.map(({ type }) => type)).toEqual(["cdc-audit:index:Network"]);
    expect((await outputValue(result.vpcId)).value).toBe("vpc-0123");
    expect((await outputValue(result.privateSubnetIds)).value).toEqual(["subnet-1", "subnet-2"]);
    expect((await outputValue(result.publicSubnetIds)).value).toEqual([]);
  });

  it("excludes the arguments that shape a new one", async () => {
    const { message } = await refusal(network({ existing, natGateways: "single" }));
    expect(message).toContain('natGateways = "single"');
  });
});
