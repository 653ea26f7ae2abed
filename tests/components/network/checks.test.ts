import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { networkProblems, pipelineEndpoints } from "../../../components/network/checks";
import { cidrBlockFault, holdsRangeOfDms, subnetLayout } from "../../../components/network/cidr";

interface Range {
  readonly first: number;
  readonly last: number;
}

function range(block: string): Range {
  const [address, bits] = block.split("/") as [string, string];
  const first = address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  return { first, last: first + 2 ** (32 - Number(bits)) - 1 };
}

/** Blocks of every size that a VPC may have. */
const blocks = fc
  .record({
    second: fc.integer({ min: 0, max: 255 }),
    third: fc.integer({ min: 0, max: 255 }),
    bits: fc.integer({ min: 16, max: 22 }),
  })
  .map(({ second, third, bits }) => {
    const size = bits === 16 ? 256 : 2 ** (24 - bits);
    return `10.${second}.${Math.floor(third / size) * size}.0/${bits}`;
  });
const zoneCounts = fc.constantFrom(2, 3);

describe("the subnets of a VPC", () => {
  it("cover it from its first to its last address without gap or overlap, in the order of the zones", () => {
    fc.assert(
      fc.property(blocks, zoneCounts, (block, zones) => {
        const layout = subnetLayout(block, zones);
        const inOrder = Array.from({ length: zones }, (_, zone) =>
          [layout.privateBlocks, layout.publicBlocks, layout.reservedBlocks, layout.remainingBlocks].map((kind) =>
            range(kind[zone]!),
          ),
        ).flat();
        expect(inOrder[0]!.first).toBe(range(block).first);
        expect(inOrder.at(-1)!.last).toBe(range(block).last);
        for (const [index, next] of inOrder.slice(1).entries()) expect(next.first).toBe(inOrder[index]!.last + 1);
      }),
    );
  });

  it("stay where they are when a third zone is added", () => {
    fc.assert(
      fc.property(blocks, (block) => {
        const two = subnetLayout(block, 2);
        const three = subnetLayout(block, 3);
        expect(three.privateBlocks.slice(0, 2)).toEqual(two.privateBlocks);
        expect(three.publicBlocks.slice(0, 2)).toEqual(two.publicBlocks);
      }),
    );
  });

  it("are of sizes that AWS allows, with room for the pipeline even in the smallest VPC", () => {
    const { privateBlocks, publicBlocks } = subnetLayout("10.0.0.0/22", 3);
    expect(privateBlocks).toEqual(["10.0.0.0/25", "10.0.1.0/25", "10.0.2.0/25"]);
    expect(publicBlocks).toEqual(["10.0.0.128/26", "10.0.1.128/26", "10.0.2.128/26"]);
  });
});

describe("the block of a VPC", () => {
  it("is accepted when private and of a fitting size", () => {
    fc.assert(fc.property(blocks, (block) => cidrBlockFault(block) === undefined));
    for (const block of ["172.16.0.0/16", "172.31.0.0/20", "192.168.16.0/20", "100.64.0.0/16"]) {
      expect(cidrBlockFault(block)).toBeUndefined();
    }
  });

  it.each([
    ["10.0.0.0", "not an IPv4 block"],
    ["10.0.0.256/16", "not an IPv4 block"],
    ["10.0.0.0/15", "size"],
    ["10.0.0.0/23", "size"],
    ["10.0.1.0/16", "first address is not 10.0.0.0/16"],
    ["172.32.0.0/16", "private ranges"],
    ["9.255.0.0/16", "private ranges"],
    ["192.168.0.0/16", "DMS keeps"],
    ["192.168.0.0/22", "DMS keeps"],
  ])("is refused as %s", (block, reason) => {
    expect(cidrBlockFault(block)).toContain(reason);
  });
});

describe("the arguments of a network", () => {
  const availabilityZones = ["eu-central-1a", "eu-central-1b"];

  it("are accepted with nothing but zones", () => {
    expect(networkProblems({ availabilityZones })).toEqual([]);
    expect(networkProblems({ availabilityZones: [...availabilityZones, "eu-central-1c"] })).toEqual([]);
    expect(networkProblems({ availabilityZones: ["us-gov-west-1a", "us-gov-west-1b"] })).toEqual([]);
  });

  it.each([
    ["without zones", {}, "availabilityZones"],
    ["with one zone", { availabilityZones: ["eu-central-1a"] }, "availabilityZones"],
    [
      "with four zones",
      { availabilityZones: ["a", "b", "c", "d"].map((zone) => `us-east-1${zone}`) },
      "availabilityZones",
    ],
    ["with one zone twice", { availabilityZones: ["eu-central-1a", "eu-central-1a"] }, "availabilityZones"],
    ["with zone ids", { availabilityZones: ["euc1-az1", "euc1-az2"] }, "availabilityZones"],
    ["with local zones", { availabilityZones: ["us-west-2-lax-1a", "us-west-2-lax-1b"] }, "availabilityZones"],
    ["with zones of two regions", { availabilityZones: ["eu-central-1a", "eu-west-1a"] }, "availabilityZones"],
    [
      "with a full endpoint name",
      { availabilityZones, interfaceEndpoints: ["com.amazonaws.eu-central-1.kms"] },
      "interfaceEndpoints",
    ],
    ["with an endpoint twice", { availabilityZones, interfaceEndpoints: ["kms", "kms"] }, "interfaceEndpoints"],
    ["with no way to AWS", { availabilityZones, natGateways: "none" as const }, "interfaceEndpoints"],
    ["with an unknown strategy", { availabilityZones, natGateways: "many" as "none" }, "natGateways"],
  ])("are refused %s", (_, args, setting) => {
    expect(networkProblems(args).map((problem) => problem.setting)).toContain(setting);
  });

  it("are accepted without NAT when every service that the pipeline calls has an endpoint", () => {
    const args = { availabilityZones, natGateways: "none" as const };
    expect(networkProblems({ ...args, interfaceEndpoints: [...pipelineEndpoints] })).toEqual([]);
    const [problem] = networkProblems({ ...args, interfaceEndpoints: pipelineEndpoints.slice(1) });
    expect(problem?.fix).toContain(pipelineEndpoints[0]);
  });

  it.each([
    ["not a block", "not an IPv4 block"],
    ["10.0.0.0", "not an IPv4 block"],
    ["10.0.0.256/16", "not an IPv4 block"],
    ["10.0.0.0/8", "AWS allows /16 to /28"],
    ["10.0.0.0/29", "AWS allows /16 to /28"],
    ["10.0.1.0/16", "first address is not 10.0.0.0/16"],
    ["192.168.0.0/24", "DMS keeps"],
    ["192.168.0.128/25", "DMS keeps"],
  ])("of an existing VPC have no block such as %s", (cidrBlock, reason) => {
    const existing = { vpcId: "vpc-1", cidrBlock, privateSubnetIds: ["subnet-1", "subnet-2"] };
    const [problem, ...others] = networkProblems({ existing });
    expect(problem).toMatchObject({ setting: "existing.cidrBlock", value: cidrBlock });
    expect(problem?.allowed).toContain(reason);
    expect(others).toEqual([]);
  });

  it.each(["8.8.0.0/16", "192.168.0.0/16", "192.168.1.0/24"])(
    "of an existing VPC may have the block %s",
    (cidrBlock) => {
      const existing = { vpcId: "vpc-1", cidrBlock, privateSubnetIds: ["subnet-1", "subnet-2"] };
      expect(networkProblems({ existing })).toEqual([]);
    },
  );

  it("of an existing VPC are warned of when a part of its block is DMS's own", () => {
    expect(["192.168.0.0/16", "192.168.0.0/23"].map(holdsRangeOfDms)).toEqual([true, true]);
    expect(["192.168.2.0/23", "10.0.0.0/16", "not a block"].map(holdsRangeOfDms)).toEqual([false, false, false]);
  });

  it("name an existing VPC by its id and with subnets in two zones", () => {
    const existing = { vpcId: "my-vpc", cidrBlock: "10.0.0.0/16", privateSubnetIds: ["subnet-1", "subnet-1"] };
    expect(networkProblems({ existing }).map((problem) => problem.setting)).toEqual([
      "existing.vpcId",
      "existing.privateSubnetIds",
    ]);
  });
});
