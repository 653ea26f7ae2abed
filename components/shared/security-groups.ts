import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { componentTags } from "./tags";

/** A security group without rules: nothing comes in or goes out until {@link allow} adds some. */
export function securityGroup(
  name: string,
  args: { vpcId: pulumi.Input<string>; description: string; component: string },
  parent: pulumi.Resource,
): aws.ec2.SecurityGroup {
  return new aws.ec2.SecurityGroup(
    name,
    {
      vpcId: args.vpcId,
      // A changed description replaces the group and with it everything inside: keep it as it is.
      description: ruleText(args.description),
      tags: componentTags(name, args.component),
    },
    { parent },
  );
}

/** A connection that one security group may open to another. */
export interface Connection {
  /** Security group id of the side that opens the connection. */
  readonly from: pulumi.Input<string>;
  /** Security group id of the side that listens; may be the same group. */
  readonly to: pulumi.Input<string>;
  /** TCP port on the listening side. */
  readonly port: pulumi.Input<number>;
  /** Which part connects to which and why, shown in the console. At most 255 characters. */
  readonly description: string;
  /** Logical name of the component that asks for it. */
  readonly component: string;
}

/**
 * Lets one security group open connections to another: the way out on one (`${name}-egress`) and the way in on the
 * other (`${name}-ingress`), so that the two sides can't disagree.
 *
 * @returns The rules. A resource that connects as soon as it exists must depend on them.
 */
export function allow(name: string, connection: Connection, parent: pulumi.Resource): pulumi.Resource[] {
  const { from, to, port, description, component } = connection;
  const rule = { ipProtocol: "tcp", fromPort: port, toPort: port, description: ruleText(description) };
  const egress = new aws.vpc.SecurityGroupEgressRule(
    `${name}-egress`,
    {
      ...rule,
      securityGroupId: from,
      referencedSecurityGroupId: to,
      tags: componentTags(`${name}-egress`, component),
    },
    { parent },
  );
  const ingress = new aws.vpc.SecurityGroupIngressRule(
    `${name}-ingress`,
    {
      ...rule,
      securityGroupId: to,
      referencedSecurityGroupId: from,
      tags: componentTags(`${name}-ingress`, component),
    },
    { parent },
  );
  return [egress, ingress];
}

/**
 * Lets a security group reach HTTPS anywhere. AWS's own endpoints have no fixed addresses, so a caller that must reach
 * them through NAT needs this; the reason is written on the rule.
 */
export function allowHttpsOut(
  name: string,
  args: { from: pulumi.Input<string>; reason: string; component: string },
  parent: pulumi.Resource,
): pulumi.Resource {
  return new aws.vpc.SecurityGroupEgressRule(
    name,
    {
      securityGroupId: args.from,
      ipProtocol: "tcp",
      fromPort: 443,
      toPort: 443,
      cidrIpv4: "0.0.0.0/0",
      description: ruleText(args.reason),
      tags: componentTags(name, args.component),
    },
    { parent },
  );
}

/** Descriptions in EC2 take 255 characters of this alphabet; an apostrophe, for one, fails the deployment. */
function ruleText(text: string): string {
  if (!/^[\w ._\-:/()#,@[\]+=&;{}!$*]{1,255}$/.test(text)) {
    throw new Error(
      `EC2 refuses the description ${JSON.stringify(text)}: use up to 255 letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*`,
    );
  }
  return text;
}
