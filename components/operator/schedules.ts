import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { OperatorRequest } from "../../contract/operator";
import { nameLimits, physicalName } from "../shared/names";
import { type PolicyDocument, arnParts, policyDocument } from "../shared/policies";
import type { CanaryOperatorArgs } from "./types";

export interface OperatorScheduleArgs {
  readonly description: string;
  /** Such as `rate(5 minutes)`. */
  readonly expression: string;
  readonly request: pulumi.Output<OperatorRequest>;
  /** Default true. */
  readonly enabled?: pulumi.Input<boolean>;
  readonly operator: Omit<CanaryOperatorArgs, "functionName">;
}

/** Calls the operator on a schedule; a run that can't be started goes to the queue of failed runs. */
export function scheduleOperator(name: string, args: OperatorScheduleArgs, opts: pulumi.CustomResourceOptions): void {
  const { operator } = args;
  new aws.scheduler.Schedule(
    name,
    {
      name: physicalName(name, nameLimits.schedule),
      description: args.description,
      scheduleExpression: args.expression,
      flexibleTimeWindow: { mode: "OFF" },
      state: pulumi.output(args.enabled ?? true).apply((enabled) => (enabled ? "ENABLED" : "DISABLED")),
      kmsKeyArn: operator.keyArn,
      target: {
        arn: operator.functionArn,
        roleArn: operator.schedulerRoleArn,
        input: pulumi.jsonStringify(args.request),
        deadLetterConfig: { arn: operator.failedRunsQueueArn },
        // A late run is worth no more than the next one.
        retryPolicy: { maximumEventAgeInSeconds: 300, maximumRetryAttempts: 3 },
      },
    },
    opts,
  );
}

/** What the schedules may do: start the function, send failed starts to the queue, and decrypt their own content. */
export function schedulerPermissions(access: {
  readonly functionArn: string;
  readonly failedRunsQueueArn: string;
  readonly keyArn: string;
}): PolicyDocument {
  const { functionArn, failedRunsQueueArn, keyArn } = access;
  return policyDocument(
    { Sid: "StartOperator", Effect: "Allow", Action: ["lambda:InvokeFunction"], Resource: [functionArn] },
    { Sid: "ReadOwnSchedule", Effect: "Allow", Action: ["kms:Decrypt"], Resource: [keyArn] },
    ...keepFailedRunStatements(failedRunsQueueArn, keyArn),
  );
}

/** Sending to the encrypted queue of failed runs. */
export function keepFailedRunStatements(queueArn: string, keyArn: string): PolicyDocument["Statement"] {
  const { region } = arnParts(queueArn);
  return [
    { Sid: "KeepFailedRuns", Effect: "Allow", Action: ["sqs:SendMessage"], Resource: [queueArn] },
    {
      Sid: "EncryptFailedRuns",
      Effect: "Allow",
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: [keyArn],
      Condition: { StringEquals: { "kms:ViaService": `sqs.${region}.amazonaws.com` } },
    },
  ];
}
