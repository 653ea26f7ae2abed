import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { nameLimits, physicalName } from "../shared/names";
import { componentTags } from "../shared/tags";

/** Failed runs are kept for as long as SQS can: two weeks to look at what went wrong. */
export function failedRunsQueue(name: string, keyArn: pulumi.Output<string>, parent: pulumi.Resource): aws.sqs.Queue {
  const childName = `${name}-dead-letters`;
  return new aws.sqs.Queue(
    childName,
    {
      name: physicalName(childName, nameLimits.queue),
      messageRetentionSeconds: 14 * 86_400,
      kmsMasterKeyId: keyArn,
      tags: componentTags(childName, name),
    },
    { parent, deleteBeforeReplace: true },
  );
}

/** A scheduled run that fails is not tried again, as the next one comes soon; what it was asked and said is kept. */
export function keepFailedRuns(
  name: string,
  operator: aws.lambda.Function,
  failedRuns: aws.sqs.Queue,
  parent: pulumi.Resource,
): void {
  new aws.lambda.FunctionEventInvokeConfig(
    `${name}-failed-runs`,
    {
      functionName: operator.name,
      maximumRetryAttempts: 0,
      maximumEventAgeInSeconds: 300,
      destinationConfig: { onFailure: { destination: failedRuns.arn } },
    },
    { parent },
  );
}
