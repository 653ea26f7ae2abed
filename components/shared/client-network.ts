import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { allow, allowHttpsOut, securityGroup } from "./security-groups";

/** Something in the VPC that a part connects to. */
export interface Destination {
  /** Part of the rules' names: `${component}-to-${place}-egress` and `-ingress`. */
  readonly place: string;
  readonly securityGroupId: pulumi.Input<string>;
  /** TCP port. */
  readonly port: pulumi.Input<number>;
  /** Which part connects and why, written on the rules. */
  readonly description: string;
}

/** How a part that opens connections stands in the VPC. */
export interface ClientNetwork {
  readonly group: aws.ec2.SecurityGroup;
  /** The rules without which the part reaches nothing; it must depend on them. */
  readonly rules: readonly pulumi.Resource[];
}

/**
 * A security group that may connect to the destinations and to AWS's own endpoints, and that nothing may connect to.
 *
 * @param component Logical name of the component, with which the children's names begin.
 * @param args.description Of the group. A change would replace the group and the part in it.
 * @param args.reasonForAws Why the part calls AWS, written on the rule.
 */
export function clientNetwork(
  component: string,
  args: {
    readonly vpcId: pulumi.Input<string>;
    readonly description: string;
    readonly destinations: readonly Destination[];
    readonly reasonForAws: string;
  },
  parent: pulumi.Resource,
): ClientNetwork {
  const { vpcId, description, destinations, reasonForAws } = args;
  const group = securityGroup(`${component}-security-group`, { vpcId, description, component }, parent);
  const rules = destinations.flatMap(({ place, securityGroupId, ...rule }) =>
    allow(`${component}-to-${place}`, { from: group.id, to: securityGroupId, ...rule, component }, parent),
  );
  const toAws = allowHttpsOut(`${component}-to-aws`, { from: group.id, reason: reasonForAws, component }, parent);
  return { group, rules: [...rules, toAws] };
}
