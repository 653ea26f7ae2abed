import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { nameLimits, physicalName } from "../shared/names";
import { componentTags } from "../shared/tags";

/**
 * The state changes of one DMS task or instance, as EventBridge delivers them. All are passed on, starts included: they
 * are few, a filter on their details has been seen to miss failures, and a start says that a stop is over.
 */
export function stateChangePattern(resourceArn: string) {
  return {
    source: ["aws.dms"],
    "detail-type": [{ prefix: "DMS Replication " }],
    resources: [resourceArn],
  };
}

/** Sends the state changes of a DMS task or instance to a topic, as one readable line. */
export function notifyOfStateChanges(
  name: string,
  args: {
    resourceArn: pulumi.Input<string>;
    description: string;
    topicArn: pulumi.Input<string>;
    component: string;
  },
  parent: pulumi.Resource,
): void {
  const rule = new aws.cloudwatch.EventRule(
    name,
    {
      name: physicalName(name, nameLimits.eventRule),
      description: args.description,
      eventPattern: pulumi.output(args.resourceArn).apply((arn) => JSON.stringify(stateChangePattern(arn))),
      tags: componentTags(name, args.component),
    },
    { parent, deleteBeforeReplace: true },
  );
  new aws.cloudwatch.EventTarget(
    `${name}-target`,
    {
      rule: rule.name,
      targetId: "notifications",
      arn: args.topicArn,
      inputTransformer: {
        inputPaths: { type: "$.detail-type", message: "$.detail.detailMessage", resource: "$.resources[0]" },
        inputTemplate: '"<type>: <message> (<resource>)"',
      },
    },
    { parent },
  );
}
