import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { bundleDigest } from "./bundle";
import { callOperator } from "./invocation";
import { bootstrapRequest, guardRequest, maintainRequest } from "./requests";
import type { OperatorArgs } from "./types";

/**
 * Prepares the databases, then runs maintenance on them, and sets the brokers' access rules. The function's name that
 * it returns resolves once all of it is done.
 */
export function prepare(
  name: string,
  args: OperatorArgs,
  operator: aws.lambda.Function,
  parent: pulumi.Resource,
): pulumi.Output<string> {
  const bundle = bundleDigest(args.bundlePath);
  const bootstrap = callOperator(
    `${name}-bootstrap`,
    {
      functionName: operator.name,
      request: bootstrapRequest(args),
      triggers: {
        bundle,
        ...(args.captureRole.versionId && { captureSecret: args.captureRole.versionId }),
        ...(args.writerRole.versionId && { writerSecret: args.writerRole.versionId }),
      },
    },
    { parent },
  );
  const maintain = callOperator(
    `${name}-maintain`,
    { functionName: bootstrap.functionName, request: maintainRequest(args), triggers: { bundle } },
    { parent },
  );
  const guard = callOperator(
    `${name}-guard`,
    { functionName: operator.name, request: guardRequest(args), triggers: { bundle } },
    { parent },
  );
  return pulumi.all([maintain.functionName, guard.functionName]).apply(([functionName]) => functionName);
}
