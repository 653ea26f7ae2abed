import type * as pulumi from "@pulumi/pulumi";

/** How private subnets reach the internet, and with it AWS's public endpoints. */
export const NatGateways = {
  /** Not at all: AWS is reached through interface endpoints alone. */
  None: "none",
  /** One gateway for all zones, paid by the hour and by the GB. An outage of its zone stops the others too. */
  Single: "single",
  /** One gateway in each zone, so that no zone depends on another. */
  PerZone: "per-zone",
} as const;
export type NatGateways = (typeof NatGateways)[keyof typeof NatGateways];

/** A VPC that is managed elsewhere. */
export interface ExistingNetworkArgs {
  /** Id of the VPC. DNS support and DNS host names must be on. */
  vpcId: pulumi.Input<string>;
  /** Its address block, such as `10.0.0.0/16`. */
  cidrBlock: pulumi.Input<string>;
  /** Subnets of at least two zones whose instances reach AWS through NAT or interface endpoints. */
  privateSubnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /** Subnets with a route to an internet gateway. Default: none. */
  publicSubnetIds?: pulumi.Input<pulumi.Input<string>[]>;
}

export interface NetworkArgs {
  /**
   * Addresses of the VPC, a private block from /16 to /22. Default `10.0.0.0/16`. Changing it replaces the network and
   * everything inside.
   */
  cidrBlock?: string;
  /**
   * Names of two or three zones, such as `eu-central-1a`; required unless `existing` is given. A third zone may be added
   * at the end later; removing or reordering zones replaces subnets and what stands in them.
   */
  availabilityZones?: string[];
  /** How private subnets reach AWS. Default `single`. */
  natGateways?: NatGateways;
  /**
   * Services to reach without leaving the VPC, such as `secretsmanager`. Each is paid by the hour in each zone, and by
   * the GB. Default: none, because an endpoint costs more than it saves on NAT unless traffic is heavy.
   */
  interfaceEndpoints?: string[];
  /** Use this VPC instead of making one; nothing is created then, and the other arguments must be absent. */
  existing?: ExistingNetworkArgs;
}
