import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { brokerPorts } from "../../contract/ports";
import { nameLimits, physicalName } from "../shared/names";
import { type PolicyDocument, arnParts, policyDocument, serviceTrust } from "../shared/policies";
import { serviceRole } from "../shared/roles";
import { componentTags } from "../shared/tags";
import type { PublicAccessArgs } from "./types";

/**
 * Admits the named networks until the end time. Then a schedule in AWS revokes the rules, whether or not anybody
 * deploys. Guests use IAM, because the one SCRAM user belongs to DMS.
 */
export function admitGuests(
  name: string,
  access: PublicAccessArgs,
  needs: { securityGroup: aws.ec2.SecurityGroup; keyArn: pulumi.Output<string> },
  parent: pulumi.Resource,
): void {
  const { securityGroup, keyArn } = needs;
  const rules = access.cidrs.map((cidr) => {
    const childName = `${name}-guest-${cidr.replace(/[./]/g, "-")}`;
    return new aws.vpc.SecurityGroupIngressRule(
      childName,
      {
        securityGroupId: securityGroup.id,
        ipProtocol: "tcp",
        fromPort: brokerPorts.publicIam,
        toPort: brokerPorts.publicIam,
        cidrIpv4: cidr,
        description: `Guest with IAM until ${access.until}`,
        tags: componentTags(childName, name),
      },
      { parent },
    );
  });
  const ruleIds = pulumi.all(rules.map((rule) => rule.id));
  const groupArn = securityGroup.arn;
  const roleArn = serviceRole(
    `${name}-guests-end-role`,
    {
      description: `Shuts guests out of ${name}`,
      trust: groupArn.apply((arn) =>
        serviceTrust("scheduler.amazonaws.com", { StringEquals: { "aws:SourceAccount": arnParts(arn).account } }),
      ),
      permissions: pulumi.all([groupArn, ruleIds, keyArn]).apply((values) => revokingPermissions(...values)),
      component: name,
    },
    parent,
  );
  new aws.scheduler.Schedule(
    `${name}-guests-end`,
    {
      name: physicalName(`${name}-guests-end`, nameLimits.schedule),
      description: `Shuts guests out of ${name}`,
      scheduleExpression: scheduleExpression(access.until),
      scheduleExpressionTimezone: "UTC",
      flexibleTimeWindow: { mode: "OFF" },
      kmsKeyArn: keyArn,
      target: {
        arn: groupArn.apply(
          (arn) => `arn:${arnParts(arn).partition}:scheduler:::aws-sdk:ec2:revokeSecurityGroupIngress`,
        ),
        roleArn,
        input: pulumi.jsonStringify({ GroupId: securityGroup.id, SecurityGroupRuleIds: ruleIds }),
      },
    },
    { parent },
  );
}

/** What the schedule may do: revoke these rules of this group, and decrypt its own content. */
export function revokingPermissions(groupArn: string, ruleIds: readonly string[], keyArn: string): PolicyDocument {
  const { partition, region, account } = arnParts(groupArn);
  const ruleArns = ruleIds.map((id) => `arn:${partition}:ec2:${region}:${account}:security-group-rule/${id}`);
  return policyDocument(
    {
      Sid: "ShutGuestsOut",
      Effect: "Allow",
      Action: ["ec2:RevokeSecurityGroupIngress"],
      Resource: [groupArn, ...ruleArns],
    },
    { Sid: "ReadOwnSchedule", Effect: "Allow", Action: ["kms:Decrypt"], Resource: [keyArn] },
  );
}

/** `at(2026-11-30T17:00:00)`, in UTC, for a time with any zone. */
export function scheduleExpression(time: string): string {
  return `at(${new Date(time).toISOString().slice(0, 19)})`;
}
