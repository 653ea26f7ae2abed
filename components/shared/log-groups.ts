import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { type Problem, checkOneOf } from "./checks";
import { nameLimits, physicalName } from "./names";
import { componentTags } from "./tags";

/** The days that CloudWatch Logs can keep a log group. */
export const logRetentionDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

/** Days that the components keep logs unless told otherwise. */
export const defaultLogRetentionDays = 30;

/** A problem unless the days are among {@link logRetentionDays}; unknown values pass. */
export function checkLogRetention(setting: string, days: pulumi.Input<number | undefined> | undefined): Problem[] {
  return checkOneOf<number>(setting, days, logRetentionDays);
}

/**
 * The log group of a component, made before its writer, so that it has a retention and a key from the first line.
 *
 * @param component Logical name of the component; the log group is its child `${component}-log`.
 */
export function logGroup(
  component: string,
  args: {
    /** Full name in CloudWatch, such as `/aws/msk/…`. */
    logGroupName: pulumi.Input<string>;
    retentionInDays: pulumi.Input<number | undefined> | undefined;
    keyArn: pulumi.Input<string>;
  },
  parent: pulumi.Resource,
): aws.cloudwatch.LogGroup {
  const name = `${component}-log`;
  return new aws.cloudwatch.LogGroup(
    name,
    {
      name: args.logGroupName,
      retentionInDays: args.retentionInDays ?? defaultLogRetentionDays,
      kmsKeyId: args.keyArn,
      tags: componentTags(name, component),
    },
    { parent },
  );
}

/** The log group of a component whose tasks run on ECS. */
export function taskLogGroup(
  component: string,
  args: { readonly logRetentionDays?: pulumi.Input<number> },
  keyArn: pulumi.Input<string>,
  parent: pulumi.Resource,
): aws.cloudwatch.LogGroup {
  const logGroupName = `/ecs/${physicalName(component, nameLimits.logGroup)}`;
  return logGroup(component, { logGroupName, retentionInDays: args.logRetentionDays, keyArn }, parent);
}
