import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { nameLimits, physicalName } from "./names";
import type { PolicyDocument } from "./policies";
import { componentTags } from "./tags";

export interface ServiceRoleArgs {
  readonly description: string;
  /** Which service assumes the role. */
  readonly trust: pulumi.Input<PolicyDocument>;
  /** What the role may do. */
  readonly permissions: pulumi.Input<PolicyDocument>;
  readonly component: string;
}

/**
 * A role with its permissions. The ARN that it returns resolves only once the permissions are attached, so a resource
 * that takes the ARN can't start without them.
 */
export function serviceRole(name: string, args: ServiceRoleArgs, parent: pulumi.Resource): pulumi.Output<string> {
  const role = new aws.iam.Role(
    name,
    {
      name: physicalName(name, nameLimits.role),
      description: args.description,
      assumeRolePolicy: pulumi.jsonStringify(args.trust),
      tags: componentTags(name, args.component),
    },
    { parent, deleteBeforeReplace: true },
  );
  const permissions = new aws.iam.RolePolicy(
    `${name}-permissions`,
    { name: "permissions", role: role.name, policy: pulumi.jsonStringify(args.permissions) },
    { parent },
  );
  return pulumi.all([role.arn, permissions.id]).apply(([arn]) => arn);
}
