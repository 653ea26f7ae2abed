import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { nameLimits, physicalName } from "../shared/names";
import { componentTags } from "../shared/tags";

/** Keeps failed runs for 14 days, the longest that SQS can. */
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

/**
 * A failed scheduled run is not retried, because the next one comes soon. The queue keeps its request and its error.
 */
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
