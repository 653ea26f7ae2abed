import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { arnParts, serviceTrust } from "../shared/policies";
import { componentTags } from "../shared/tags";

/** The roles that DMS looks up in the account by these exact names, and AWS's policy for each. */
const rolePolicies = {
  "dms-vpc-role": "AmazonDMSVPCManagementRole",
  "dms-cloudwatch-logs-role": "AmazonDMSCloudWatchLogsRole",
} as const;

/**
 * Makes the account's roles for DMS and returns their policy attachments, which the first DMS resource must wait for.
 * Other stacks come to rely on them, so they stay when this one is destroyed.
 *
 * @param anyArn Of something in the account, to tell the partition.
 */
export function accountRoles(name: string, anyArn: pulumi.Input<string>, parent: pulumi.Resource): pulumi.Resource[] {
  const partition = pulumi.output(anyArn).apply((arn) => arnParts(arn).partition);
  return Object.entries(rolePolicies).map(([roleName, policyName]) => {
    const childName = `${name}-${roleName}`;
    const role = new aws.iam.Role(
      childName,
      {
        name: roleName,
        description: "Lets AWS DMS work in this account",
        assumeRolePolicy: JSON.stringify(serviceTrust("dms.amazonaws.com")),
        tags: componentTags(childName, name),
      },
      { parent, retainOnDelete: true },
    );
    return new aws.iam.RolePolicyAttachment(
      `${childName}-policy`,
      { role: role.name, policyArn: pulumi.interpolate`arn:${partition}:iam::aws:policy/service-role/${policyName}` },
      { parent, retainOnDelete: true },
    );
  });
}
