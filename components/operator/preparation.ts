import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { bundleDigest } from "./bundle";
import { callOperator } from "./invocation";
import { bootstrapRequest, guardRequest, maintainRequest } from "./requests";
import type { OperatorArgs } from "./types";

/** The function's name, twice: each resolves once more is prepared. */
export interface Prepared {
  /** Once the destination is, and the brokers' access rules: what the sink needs. */
  readonly forSink: pulumi.Output<string>;
  /** Once the source is too, and maintenance has run: what the capture needs. */
  readonly forCapture: pulumi.Output<string>;
}

/**
 * Prepares the destination and the brokers' access rules, then the source, then runs maintenance on both. The source
 * waits for `sourceAfter`: its triggers send signals that an older transformer could not read.
 */
export function prepare(
  name: string,
  args: OperatorArgs,
  operator: aws.lambda.Function,
  parent: pulumi.Resource,
): Prepared {
  const bundle = bundleDigest(args.bundlePath);
  const { captureRole, writerRole, reviewRole, sourceAfter } = args;
  const destination = callOperator(
    `${name}-bootstrap`,
    {
      functionName: operator.name,
      request: bootstrapRequest(args, "destination"),
      triggers: {
        bundle,
        ...(writerRole.versionId && { writerSecret: writerRole.versionId }),
        ...(reviewRole?.versionId && { reviewSecret: reviewRole.versionId }),
      },
    },
    { parent },
  );
  const guard = callOperator(
    `${name}-guard`,
    { functionName: operator.name, request: guardRequest(args), triggers: { bundle } },
    { parent },
  );
  const source = callOperator(
    `${name}-bootstrap-source`,
    {
      functionName: pulumi.all([destination.functionName, sourceAfter]).apply(([functionName]) => functionName),
      request: bootstrapRequest(args, "source"),
      triggers: { bundle, ...(captureRole.versionId && { captureSecret: captureRole.versionId }) },
    },
    { parent },
  );
  const maintain = callOperator(
    `${name}-maintain`,
    { functionName: source.functionName, request: maintainRequest(args), triggers: { bundle } },
    { parent },
  );
  return {
    forSink: pulumi.all([destination.functionName, guard.functionName]).apply(([functionName]) => functionName),
    forCapture: pulumi.all([maintain.functionName, guard.functionName]).apply(([functionName]) => functionName),
  };
}
