import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { reviewLivenessPath } from "../../contract/review-environment";
import { nameLimits, physicalName } from "../shared/names";
import { allow, allowHttpsOut, securityGroup } from "../shared/security-groups";
import { componentTags } from "../shared/tags";
import { loginAction } from "./login";
import { httpsPort, taskPort } from "./names";
import type { ReviewServiceArgs } from "./types";

/** How the page is reached. */
export interface Entrance {
  readonly loadBalancer: aws.lb.LoadBalancer;
  readonly targetGroup: aws.lb.TargetGroup;
  readonly listener: aws.lb.Listener;
  /** Security group of the load balancer. */
  readonly groupId: pulumi.Output<string>;
  /** The rules without which nobody gets through. */
  readonly rules: readonly pulumi.Resource[];
}

/** Seconds without a byte after which the load balancer closes a connection. The live view says something more often. */
const idleSeconds = 120;

/** An internal load balancer with HTTPS alone, whose only listener asks for a login before anything else. */
export function entrance(
  name: string,
  args: ReviewServiceArgs,
  needs: { readonly taskGroupId: pulumi.Output<string> },
  parent: pulumi.Resource,
): Entrance {
  const group = securityGroup(
    `${name}-load-balancer-group`,
    { vpcId: args.vpcId, description: "Load balancer of the reviewers page", component: name },
    parent,
  );
  const rules = [
    ...args.clientCidrs.map((cidr) => admit(name, cidr, group.id, parent)),
    ...allow(
      `${name}-to-tasks`,
      {
        from: group.id,
        to: needs.taskGroupId,
        port: taskPort,
        description: `${name} hands requests of logged-in readers to its tasks`,
        component: name,
      },
      parent,
    ),
    // It fetches tokens and user info itself; providers have no fixed addresses.
    allowHttpsOut(
      `${name}-to-login`,
      { from: group.id, reason: "The load balancer asks the identity provider who logged in", component: name },
      parent,
    ),
  ];
  const loadBalancer = new aws.lb.LoadBalancer(
    `${name}-load-balancer`,
    {
      name: physicalName(`${name}-load-balancer`, nameLimits.loadBalancer),
      loadBalancerType: "application",
      internal: true,
      ipAddressType: "ipv4",
      subnets: args.subnetIds,
      securityGroups: [group.id],
      dropInvalidHeaderFields: true,
      // Not the strictest: browsers leave braces in an address as they are, and keys stand there as JSON.
      desyncMitigationMode: "defensive",
      idleTimeout: idleSeconds,
      tags: componentTags(`${name}-load-balancer`, name),
    },
    { parent, deleteBeforeReplace: true },
  );
  const targetGroup = targets(name, args, parent);
  const listener = new aws.lb.Listener(
    `${name}-https`,
    {
      loadBalancerArn: loadBalancer.arn,
      port: httpsPort,
      protocol: "HTTPS",
      // TLS 1.2 and 1.3, with forward secrecy and without CBC.
      sslPolicy: "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
      certificateArn: args.certificateArn,
      defaultActions: [loginAction(args), { type: "forward", order: 2, targetGroupArn: targetGroup.arn }],
      tags: componentTags(`${name}-https`, name),
    },
    { parent },
  );
  return { loadBalancer, targetGroup, listener, groupId: group.id, rules };
}

/** The tasks, as the load balancer sees them. */
function targets(name: string, args: ReviewServiceArgs, parent: pulumi.Resource): aws.lb.TargetGroup {
  return new aws.lb.TargetGroup(
    `${name}-targets`,
    {
      name: physicalName(`${name}-targets`, nameLimits.targetGroup),
      vpcId: args.vpcId,
      targetType: "ip",
      protocol: "HTTP",
      port: taskPort,
      // A reader's question takes ten seconds at most; an export that is cut off is begun again.
      deregistrationDelay: 30,
      healthCheck: {
        path: reviewLivenessPath,
        protocol: "HTTP",
        port: "traffic-port",
        matcher: "200",
        interval: 15,
        timeout: 5,
        healthyThreshold: 2,
        unhealthyThreshold: 3,
      },
      tags: componentTags(`${name}-targets`, name),
    },
    { parent, deleteBeforeReplace: true },
  );
}

function admit(
  name: string,
  cidr: string,
  groupId: pulumi.Output<string>,
  parent: pulumi.Resource,
): aws.vpc.SecurityGroupIngressRule {
  const childName = `${name}-from-${cidr.replace(/[./]/g, "-")}`;
  return new aws.vpc.SecurityGroupIngressRule(
    childName,
    {
      securityGroupId: groupId,
      ipProtocol: "tcp",
      fromPort: httpsPort,
      toPort: httpsPort,
      cidrIpv4: cidr,
      description: "Readers open the page",
      tags: componentTags(childName, name),
    },
    { parent },
  );
}
