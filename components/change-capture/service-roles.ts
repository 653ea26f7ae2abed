import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { arnParts, serviceTrust } from "../shared/policies";
import { componentTags } from "../shared/tags";

/** The roles that DMS looks up in the account by these exact names, and AWS's policy for each. */
const rolePolicies = {
  "dms-vpc-role": "AmazonDMSVPCManagementRole",
  "dms-cloudwatch-logs-role": "AmazonDMSCloudWatchLogsRole",
} as const;

export interface AccountRolesArgs {
  /** ARN of any resource in the account; it names the partition. */
  readonly anyArn: pulumi.Input<string>;
  /** Whether the roles outlive the stack, for others that have come to rely on them. */
  readonly retain: boolean;
}

/**
 * Creates the account's roles for DMS and returns their policy attachments, which the first DMS resource must wait for.
 * Without `retain` they are deleted with the stack, so that it can be deployed again.
 */
export function accountRoles(name: string, args: AccountRolesArgs, parent: pulumi.Resource): pulumi.Resource[] {
  const partition = pulumi.output(args.anyArn).apply((arn) => arnParts(arn).partition);
  const opts: pulumi.CustomResourceOptions = { parent, retainOnDelete: args.retain };
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
      opts,
    );
    return new aws.iam.RolePolicyAttachment(
      `${childName}-policy`,
      { role: role.name, policyArn: pulumi.interpolate`arn:${partition}:iam::aws:policy/service-role/${policyName}` },
      opts,
    );
  });
}
