import type { OperatorAction } from "../contract/operator";

/** A failure whose fix is known. */
export class OperatorError extends Error {
  /**
   * @param message what is wrong, with the value found; a sentence.
   * @param fix what to do about it; a sentence.
   */
  constructor(
    message: string,
    readonly fix: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "OperatorError";
  }
}

/** The time for the handler is over. */
export class DeadlineError extends OperatorError {
  constructor(milliseconds: number) {
    super(
      `It was not done within the ${(milliseconds / 1000).toFixed(0)} s that this invocation had.`,
      "Run it again: every action continues where it stopped. If it never ends, raise the timeout of the function.",
    );
    this.name = "DeadlineError";
  }
}

/** What a handler throws: the action, the step that failed, the reason, and the fix where it is known. */
export class StepError extends Error {
  constructor(
    readonly action: OperatorAction,
    readonly step: string,
    readonly reason: string,
    readonly fix?: string,
  ) {
    super(
      `${action} failed at "${step}": ${reason}${fix === undefined ? "" : `${/[.!?]$/.test(reason) ? "" : "."} ${fix}`}`,
    );
    this.name = "StepError";
  }
}
