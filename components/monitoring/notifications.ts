import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { nameLimits, physicalName } from "../shared/names";
import { type PolicyDocument, arnParts, policyDocument } from "../shared/policies";
import { componentTags } from "../shared/tags";

/** The services that publish; the topic's key must admit them too. */
export const publishers = ["cloudwatch.amazonaws.com", "events.amazonaws.com"] as const;

/** The topic of all notifications. Its ARN resolves once publishing to it is allowed. */
export function notificationTopic(
  name: string,
  args: { keyArn: pulumi.Input<string>; email?: pulumi.Input<string>; component: string },
  parent: pulumi.Resource,
): pulumi.Output<string> {
  const topic = new aws.sns.Topic(
    name,
    {
      name: physicalName(name, nameLimits.notificationTopic),
      kmsMasterKeyId: args.keyArn,
      tags: componentTags(name, args.component),
    },
    { parent, deleteBeforeReplace: true },
  );
  const policy = new aws.sns.TopicPolicy(
    `${name}-policy`,
    { arn: topic.arn, policy: topic.arn.apply((arn) => JSON.stringify(publishPolicy(arn))) },
    { parent },
  );
  if (args.email !== undefined) {
    new aws.sns.TopicSubscription(
      `${name}-email`,
      { topic: topic.arn, protocol: "email", endpoint: args.email },
      { parent },
    );
  }
  return pulumi.all([topic.arn, policy.id]).apply(([arn]) => arn);
}

/** Lets this account's alarms and event rules publish, and no others. */
export function publishPolicy(topicArn: string): PolicyDocument {
  const { partition, region, account } = arnParts(topicArn);
  const ofAccount = (service: string, resource: string) => ({
    StringEquals: { "aws:SourceAccount": account },
    ArnLike: { "aws:SourceArn": `arn:${partition}:${service}:${region}:${account}:${resource}` },
  });
  const [cloudWatch, eventBridge] = publishers;
  return policyDocument(
    {
      Sid: "AlarmsOfThisAccount",
      Effect: "Allow",
      Principal: { Service: cloudWatch },
      Action: ["sns:Publish"],
      Resource: [topicArn],
      Condition: ofAccount("cloudwatch", "alarm:*"),
    },
    {
      Sid: "EventRulesOfThisAccount",
      Effect: "Allow",
      Principal: { Service: eventBridge },
      Action: ["sns:Publish"],
      Resource: [topicArn],
      Condition: { ArnLike: ofAccount("events", "rule/*").ArnLike },
    },
  );
}
