import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { OperatorRequest } from "../../contract/operator";

export interface OperatorCallArgs {
  readonly functionName: pulumi.Input<string>;
  /** A changed request is sent at once. It must hold no secret, only the place of one. */
  readonly request: pulumi.Output<OperatorRequest>;
  /** The same request is sent again when one of these changes. */
  readonly triggers?: Readonly<Record<string, pulumi.Input<string>>>;
}

/**
 * Calls the operator while deploying. If the call fails, the deployment fails with the operator's message. Resources
 * that depend on the call wait for its success. The state keeps the answer.
 */
export function callOperator(
  name: string,
  args: OperatorCallArgs,
  opts: pulumi.CustomResourceOptions,
): aws.lambda.Invocation {
  return new aws.lambda.Invocation(
    name,
    { functionName: args.functionName, input: pulumi.jsonStringify(args.request), triggers: args.triggers },
    opts,
  );
}
