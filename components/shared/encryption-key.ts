import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { componentTags } from "./tags";

/** AWS waits this many days, the fewest it allows, before it deletes a key whose stack was destroyed. */
const deletionWindowInDays = 7;

export interface EncryptionKeyArgs {
  readonly description: string;
  /** A key of your own. Its policy must let CloudWatch Logs of the region use it. */
  readonly existingKeyArn?: pulumi.Input<string | undefined>;
  /** Services that publish to a topic under this key, such as `cloudwatch.amazonaws.com`. Default: none. */
  readonly publishers?: readonly string[];
  /** Whether Pulumi refuses to delete the key, without which data and backups under it are lost. Default false. */
  readonly retain?: boolean;
}

/**
 * The ARN of the customer-managed key of a component: the one it was given, or a new one with yearly rotation. The ARN
 * resolves once the key's policy is in place, so what waits for it can use the key.
 *
 * @param component Logical name of the component; the key is its child `${component}-key`.
 */
export function encryptionKey(
  component: string,
  args: EncryptionKeyArgs,
  parent: pulumi.Resource,
): pulumi.Output<string> {
  const name = `${component}-key`;
  if (args.existingKeyArn !== undefined) return pulumi.output(args.existingKeyArn) as pulumi.Output<string>;
  const key = new aws.kms.Key(
    name,
    {
      description: args.description,
      enableKeyRotation: true,
      deletionWindowInDays,
      tags: componentTags(name, component),
    },
    { parent, protect: args.retain },
  );
  // Set after the key so that account and region come from its ARN: a preview then asks AWS nothing.
  const policy = new aws.kms.KeyPolicy(
    `${name}-policy`,
    { keyId: key.id, policy: key.arn.apply((arn) => JSON.stringify(keyPolicy(arn, args.publishers))) },
    { parent },
  );
  return pulumi.all([key.arn, policy.id]).apply(([arn]) => arn);
}

/**
 * The account's own IAM policies decide who uses the key. Services that act without a caller need statements of their
 * own: CloudWatch Logs for the log groups of this account and region, and the publishers for what this account sends.
 */
export function keyPolicy(keyArn: string, publishers: readonly string[] = []) {
  const [, partition, , region, account] = keyArn.split(":");
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "AccountPoliciesDecide",
        Effect: "Allow",
        Principal: { AWS: `arn:${partition}:iam::${account}:root` },
        Action: "kms:*",
        Resource: "*",
      },
      {
        Sid: "LogGroupsOfThisAccount",
        Effect: "Allow",
        Principal: { Service: `logs.${region}.amazonaws.com` },
        Action: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        Resource: "*",
        Condition: {
          ArnLike: { "kms:EncryptionContext:aws:logs:arn": `arn:${partition}:logs:${region}:${account}:log-group:*` },
        },
      },
      ...publishers.map((service) => ({
        Sid: `Publisher${service.split(".")[0]}`,
        Effect: "Allow",
        Principal: { Service: service },
        Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
        Resource: "*",
        // Not aws:SourceAccount: EventBridge sends none to an encrypted topic, and its messages would be lost in silence.
        Condition: {
          ArnLike: { "kms:EncryptionContext:aws:sns:topicArn": `arn:${partition}:sns:${region}:${account}:*` },
        },
      })),
    ],
  };
}
