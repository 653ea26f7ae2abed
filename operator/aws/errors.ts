import type { OperatorContext } from "../context";
import { OperatorError } from "../errors";
import { isTemporary } from "./wait";

/** Does a step that calls AWS. An error of AWS gets its fix. */
export function awsStep<Result>(context: OperatorContext, name: string, work: () => Promise<Result>): Promise<Result> {
  return context.step(name, async () => {
    try {
      return await work();
    } catch (error) {
      throw explainAwsError(error);
    }
  });
}

const remedies: readonly (readonly [pattern: RegExp, fix: string])[] = [
  [
    /^(KMS|.*Encryption|.*Decryption)/,
    "Look whether the customer-managed key is enabled, and let the operator's role use it through this service.",
  ],
  [
    /AccessDenied|Forbidden|Unauthorized|NotAuthorized/,
    "The role needs what contract/operator-permissions.ts lists: deploy again, and look for a boundary or an " +
      "organisation's policy that denies it. A change takes about a minute.",
  ],
  [/NotFound/, "It is gone or was replaced: deploy again, so that the operator is asked about what exists."],
  [/ExpiredToken|UnrecognizedClient|InvalidClientToken/, "The credentials are not valid any more: run it again."],
];

/** An error of AWS with what to do about it; any other error as it is. */
export function explainAwsError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof OperatorError) return error;
  if (isTemporary(error)) {
    return new OperatorError(
      `AWS does not answer (${error.name}: ${error.message}).`,
      "Run it again: every action continues where it stopped.",
      { cause: error },
    );
  }
  const fix = remedies.find(([pattern]) => pattern.test(error.name))?.[1];
  return fix === undefined ? error : new OperatorError(`${error.name}: ${error.message}`, fix, { cause: error });
}
