import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { OperatorRequest } from "../../contract/operator";

export interface OperatorCallArgs {
  readonly functionName: pulumi.Input<string>;
  /** Another request is sent at once. It holds no secret, only where to find one. */
  readonly request: pulumi.Output<OperatorRequest>;
  /** The same request is sent again when one of these changes. */
  readonly triggers?: Readonly<Record<string, pulumi.Input<string>>>;
}

/**
 * Has the operator do something while deploying. The deployment fails with the operator's own words when it fails, and
 * whatever depends on the call waits for its success. Its answer is kept in the state.
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
