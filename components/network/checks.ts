import type * as pulumi from "@pulumi/pulumi";
import { type Problem, checkDistinct, checkOneOf, known } from "../shared/checks";
import { cidrBlockFault, existingBlockFault, vpcBits, zoneCounts } from "./cidr";
import { NatGateways, type NetworkArgs } from "./types";

/** The AWS services that the pipeline calls from private subnets, by the last part of their endpoint's name. */
export const pipelineEndpoints = ["secretsmanager", "kms", "ecr.api", "ecr.dkr", "logs", "sts"] as const;

/** Everything that is wrong with the arguments of a network; unknown values are left to AWS. */
export function networkProblems(args: NetworkArgs): Problem[] {
  return args.existing ? existingNetworkProblems(args) : newNetworkProblems(args);
}

function existingNetworkProblems(args: NetworkArgs): Problem[] {
  const existing = args.existing!;
  const shapesNewNetwork = ["cidrBlock", "availabilityZones", "natGateways", "interfaceEndpoints"] as const;
  return [
    ...checkIdentifier("existing.vpcId", existing.vpcId, "vpc"),
    ...checkExistingBlock(known(existing.cidrBlock)),
    ...checkDistinct("existing.privateSubnetIds", existing.privateSubnetIds, zoneCounts.fewest, "private subnets"),
    ...shapesNewNetwork
      .filter((setting) => args[setting] !== undefined)
      .map((setting) => ({
        setting,
        value: args[setting],
        allowed: "nothing together with existing, whose network is used as it is",
        fix: `Remove ${setting}, or remove existing to have a network made.`,
      })),
  ];
}

function checkExistingBlock(value: string | undefined): Problem[] {
  const fault = value === undefined ? undefined : existingBlockFault(value);
  if (fault === undefined) return [];
  return [
    {
      setting: "existing.cidrBlock",
      value,
      allowed: `the VPC's own block, but ${fault}`,
      fix: fault.includes("DMS") ? "Use another VPC: DMS reaches no database there." : "Copy it from the VPC console.",
    },
  ];
}

function newNetworkProblems(args: NetworkArgs): Problem[] {
  const problems: Problem[] = [
    ...checkZones(args.availabilityZones),
    ...checkOneOf("natGateways", args.natGateways, Object.values(NatGateways)),
  ];
  const fault = args.cidrBlock === undefined ? undefined : cidrBlockFault(args.cidrBlock);
  if (fault) {
    problems.push({
      setting: "cidrBlock",
      value: args.cidrBlock,
      allowed: `a private block from /${vpcBits.fewest} to /${vpcBits.most}, but ${fault}`,
      fix: "Choose a block that none of your networks uses, such as 10.20.0.0/16.",
    });
  }
  const endpoints = args.interfaceEndpoints ?? [];
  for (const endpoint of endpoints) {
    if (!/^[a-z][a-z0-9.-]*$/.test(endpoint) || endpoint.startsWith("com.amazonaws")) {
      problems.push({
        setting: "interfaceEndpoints",
        value: endpoint,
        allowed: `the part of an endpoint's name after the region, such as ${pipelineEndpoints.join(", ")}`,
        fix: "Name the service without com.amazonaws and the region.",
      });
    }
  }
  if (new Set(endpoints).size < endpoints.length) {
    problems.push({
      setting: "interfaceEndpoints",
      value: endpoints,
      allowed: "each service once",
      fix: "Remove the repetition.",
    });
  }
  const missing = pipelineEndpoints.filter((endpoint) => !endpoints.includes(endpoint));
  if (args.natGateways === NatGateways.None && missing.length > 0) {
    problems.push({
      setting: "interfaceEndpoints",
      value: endpoints,
      allowed: `at least ${pipelineEndpoints.join(", ")} when natGateways is none, or nothing reaches AWS`,
      fix: `Add ${missing.join(", ")}, or set natGateways to single.`,
    });
  }
  return problems;
}

function checkZones(zones: string[] | undefined): Problem[] {
  const example = "Name the zones, such as eu-central-1a and eu-central-1b.";
  if (zones === undefined) {
    return [{ setting: "availabilityZones", value: undefined, allowed: "two or three zone names", fix: example }];
  }
  if (zones.length > zoneCounts.most) {
    const allowed = `${zoneCounts.fewest} or ${zoneCounts.most} zones, as MSK takes`;
    return [{ setting: "availabilityZones", value: zones, allowed, fix: "Remove zones from the end." }];
  }
  const malformed = zones.filter((zone) => !/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/.test(zone));
  if (malformed.length > 0) {
    return [{ setting: "availabilityZones", value: malformed, allowed: "zone names, not zone ids", fix: example }];
  }
  const regions = new Set(zones.map((zone) => zone.slice(0, -1)));
  if (regions.size > 1) {
    return [{ setting: "availabilityZones", value: zones, allowed: "zones of one region", fix: example }];
  }
  return checkDistinct("availabilityZones", zones, zoneCounts.fewest, "zones");
}

function checkIdentifier(setting: string, input: pulumi.Input<string>, prefix: string): Problem[] {
  const value = known(input);
  if (value === undefined || new RegExp(`^${prefix}-[0-9a-z-]+$`).test(value)) return [];
  return [{ setting, value, allowed: `an id that begins with ${prefix}-`, fix: `Copy it from the VPC console.` }];
}
