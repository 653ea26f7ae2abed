import * as aws from "@pulumi/aws";
import * as awsx from "@pulumi/awsx";
import * as pulumi from "@pulumi/pulumi";
import { checkArguments } from "../shared/arguments";
import { known } from "../shared/checks";
import { securityGroup } from "../shared/security-groups";
import { componentTags } from "../shared/tags";
import { networkProblems } from "./checks";
import { holdsRangeOfDms, rangeOfDms, subnetLayout } from "./cidr";
import { type ExistingNetworkArgs, NatGateways, type NetworkArgs } from "./types";

export { pipelineEndpoints } from "./checks";
export { NatGateways, type ExistingNetworkArgs, type NetworkArgs } from "./types";

/**
 * The VPC of the pipeline: private subnets for everything that runs, public ones for NAT gateways and for brokers that
 * are reached from outside, an S3 gateway endpoint, and optional interface endpoints. With `existing` it is a VPC that
 * you already have, as it is.
 *
 * Costs: each NAT gateway with its address and traffic, and each interface endpoint in each zone; the rest is free.
 * Sums in `docs/cost.md`.
 *
 * Replaced by: another `cidrBlock`, and other or reordered zones. Everything in the subnets is replaced with it.
 */
export class Network extends pulumi.ComponentResource {
  /** Id of the VPC. */
  public readonly vpcId: pulumi.Output<string>;
  /** Addresses of the VPC. */
  public readonly vpcCidrBlock: pulumi.Output<string>;
  /** Private subnets, one in each zone, in the order of the zones. */
  public readonly privateSubnetIds: pulumi.Output<string[]>;
  /** Public subnets, one in each zone, in the order of the zones; empty for an existing VPC that names none. */
  public readonly publicSubnetIds: pulumi.Output<string[]>;
  /** Security group of the interface endpoints; empty without them. */
  public readonly endpointSecurityGroupId: pulumi.Output<string>;

  constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc-audit:index:Network", name, args, opts);
    checkArguments({ kind: "Network", name, resource: this }, args, (given) => networkProblems(given));

    if (args.existing) {
      warnOfRangeOfDms(args.existing, this);
      this.vpcId = pulumi.output(args.existing.vpcId);
      this.vpcCidrBlock = pulumi.output(args.existing.cidrBlock);
      this.privateSubnetIds = pulumi.output(args.existing.privateSubnetIds);
      this.publicSubnetIds = pulumi.output(args.existing.publicSubnetIds ?? []);
      this.endpointSecurityGroupId = pulumi.output("");
    } else {
      const plan = {
        cidrBlock: args.cidrBlock ?? "10.0.0.0/16",
        zones: args.availabilityZones ?? [],
        natGateways: args.natGateways ?? NatGateways.Single,
        services: args.interfaceEndpoints ?? [],
      };
      const vpc = virtualNetwork(name, plan, this);
      closeDefaultSecurityGroup(name, vpc, this);
      storageEndpoint(name, vpc, plan, this);
      this.vpcId = vpc.vpcId;
      this.vpcCidrBlock = pulumi.output(plan.cidrBlock);
      this.privateSubnetIds = vpc.privateSubnetIds;
      this.publicSubnetIds = vpc.publicSubnetIds;
      this.endpointSecurityGroupId = interfaceEndpoints(name, vpc, plan, this);
    }

    this.registerOutputs({
      vpcId: this.vpcId,
      vpcCidrBlock: this.vpcCidrBlock,
      privateSubnetIds: this.privateSubnetIds,
      publicSubnetIds: this.publicSubnetIds,
      endpointSecurityGroupId: this.endpointSecurityGroupId,
    });
  }
}

/** Nothing tells here in which part of an existing VPC its subnets lie. */
function warnOfRangeOfDms({ cidrBlock }: ExistingNetworkArgs, component: pulumi.Resource): void {
  const block = known(cidrBlock);
  if (block === undefined || !holdsRangeOfDms(block)) return;
  const text = `existing.cidrBlock ${block} holds ${rangeOfDms}, which DMS keeps for itself: it reaches no database and no broker there. Name subnets outside of it.`;
  void pulumi.log.warn(text, component);
}

/** A checked network with its defaults filled in. */
interface Plan {
  readonly cidrBlock: string;
  readonly zones: string[];
  readonly natGateways: NatGateways;
  /** Services with an interface endpoint. */
  readonly services: readonly string[];
}

const gatewayStrategies = {
  [NatGateways.None]: awsx.ec2.NatGatewayStrategy.None,
  [NatGateways.Single]: awsx.ec2.NatGatewayStrategy.Single,
  [NatGateways.PerZone]: awsx.ec2.NatGatewayStrategy.OnePerAz,
};

function virtualNetwork(name: string, plan: Plan, parent: pulumi.Resource): awsx.ec2.Vpc {
  const layout = subnetLayout(plan.cidrBlock, plan.zones.length);
  const { Private, Public, Unused } = awsx.ec2.SubnetType;
  return new awsx.ec2.Vpc(
    `${name}-vpc`,
    {
      cidrBlock: plan.cidrBlock,
      availabilityZoneNames: plan.zones,
      // Every block is spelled out, so that no new zone and no new version of awsx can move a subnet.
      subnetStrategy: awsx.ec2.SubnetAllocationStrategy.Exact,
      subnetSpecs: [
        { type: Private, name: "private", cidrBlocks: layout.privateBlocks },
        { type: Public, name: "public", cidrBlocks: layout.publicBlocks },
        { type: Unused, name: "reserved", cidrBlocks: layout.reservedBlocks },
        { type: Unused, name: "remaining", cidrBlocks: layout.remainingBlocks },
      ],
      natGateways: { strategy: gatewayStrategies[plan.natGateways] },
      // Interface endpoints answer under the services' public names only with both.
      enableDnsSupport: true,
      enableDnsHostnames: true,
      tags: componentTags(`${name}-vpc`, name),
    },
    { parent },
  );
}

/** A VPC's default security group lets its members connect to each other and to everything. Nothing here uses it. */
function closeDefaultSecurityGroup(name: string, vpc: awsx.ec2.Vpc, parent: pulumi.Resource): void {
  const childName = `${name}-default-security-group`;
  new aws.ec2.DefaultSecurityGroup(childName, { vpcId: vpc.vpcId, tags: componentTags(childName, name) }, { parent });
}

/** Keeps the traffic to S3, where image layers and the sink plugin come from, off the NAT gateways; free of charge. */
function storageEndpoint(name: string, vpc: awsx.ec2.Vpc, plan: Plan, parent: pulumi.Resource): void {
  const childName = `${name}-endpoint-s3`;
  new aws.ec2.VpcEndpoint(
    childName,
    {
      vpcId: vpc.vpcId,
      serviceName: endpointName("s3", plan.zones[0]!),
      vpcEndpointType: "Gateway",
      routeTableIds: vpc.routeTables.apply((tables) => pulumi.all(tables.map((table) => table.id))),
      tags: componentTags(childName, name),
    },
    { parent },
  );
}

/** The interface endpoints in the private subnets; returns the id of their security group, empty without any. */
function interfaceEndpoints(
  name: string,
  vpc: awsx.ec2.Vpc,
  plan: Plan,
  parent: pulumi.Resource,
): pulumi.Output<string> {
  if (plan.services.length === 0) return pulumi.output("");
  const group = securityGroup(
    `${name}-endpoints`,
    { vpcId: vpc.vpcId, description: "Interface endpoints of AWS services", component: name },
    parent,
  );
  new aws.vpc.SecurityGroupIngressRule(
    `${name}-endpoints-ingress`,
    {
      securityGroupId: group.id,
      ipProtocol: "tcp",
      fromPort: 443,
      toPort: 443,
      cidrIpv4: plan.cidrBlock,
      description: "HTTPS from this VPC to AWS services",
      tags: componentTags(`${name}-endpoints-ingress`, name),
    },
    { parent },
  );
  for (const service of plan.services) {
    const childName = `${name}-endpoint-${service.replaceAll(".", "-")}`;
    new aws.ec2.VpcEndpoint(
      childName,
      {
        vpcId: vpc.vpcId,
        serviceName: endpointName(service, plan.zones[0]!),
        vpcEndpointType: "Interface",
        subnetIds: vpc.privateSubnetIds,
        securityGroupIds: [group.id],
        privateDnsEnabled: true,
        tags: componentTags(childName, name),
      },
      { parent },
    );
  }
  return group.id;
}

/** The region is the zone's name without its letter, so a preview need not ask AWS. */
function endpointName(service: string, zone: string): string {
  return `com.amazonaws.${zone.slice(0, -1)}.${service}`;
}
