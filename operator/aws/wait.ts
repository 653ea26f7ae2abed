import type { OperatorContext } from "../context";
import { OperatorError } from "../errors";

/** What bounds a wait: the invocation's time. */
export type WaitLimits = Pick<OperatorContext, "deadline" | "signal">;

/** What one look at something that changes by itself found. */
export type Observation<Result> =
  | { readonly done: Result }
  /** Not yet; the text completes the sentence `<subject> …`, such as `is modifying`. */
  | { readonly pending: string };

export interface WaitOptions {
  /** What is waited for, as the beginning of a sentence: `Replication task arn:…`. */
  readonly subject: string;
  /** What to do when it does not come. */
  readonly fix: string;
  /** Milliseconds to wait at most. Default: until shortly before the deadline. */
  readonly patience?: number;
  /** Milliseconds between looks: from the first, half as long again each time, up to the second. Default 2,000 and 15,000. */
  readonly interval?: readonly [first: number, longest: number];
}

/** Milliseconds before the deadline at which a wait gives up, so that the reader sees its own error. */
const reserve = 2_000;

/** What a wait throws when it gives up. */
export class NotInTimeError extends OperatorError {
  constructor(subject: string, pending: string, milliseconds: number, fix: string) {
    super(`${subject} ${pending}, after ${Math.round(milliseconds / 1000)} s of waiting.`, fix);
    this.name = "NotInTimeError";
  }
}

/**
 * Looks until it is done, less and less often. Errors that are {@link isTemporary} only delay it: a busy AWS is one of
 * the things to wait for.
 *
 * @throws NotInTimeError when patience or time are over, with what was last seen; anything lasting that `look` throws.
 */
export async function waitFor<Result>(
  limits: WaitLimits,
  options: WaitOptions,
  look: () => Promise<Observation<Result>>,
): Promise<Result> {
  const begun = Date.now();
  const end = Math.min(begun + (options.patience ?? Infinity), limits.deadline - reserve);
  const [first, longest] = options.interval ?? [2_000, 15_000];
  let interval = first;
  for (;;) {
    limits.signal.throwIfAborted();
    const seen = await lookOnce(look);
    if ("done" in seen) return seen.done;
    if (Date.now() + interval > end) {
      throw new NotInTimeError(options.subject, seen.pending, Date.now() - begun, options.fix);
    }
    await pause(interval, limits.signal);
    interval = Math.min(interval * 1.5, longest);
  }
}

async function lookOnce<Result>(look: () => Promise<Observation<Result>>): Promise<Observation<Result>> {
  try {
    return await look();
  } catch (error) {
    if (!isTemporary(error)) throw error;
    return { pending: `could not be looked at (${(error as Error).message})` };
  }
}

/** Resolves after some milliseconds, or rejects with the signal's reason as soon as it is aborted. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

const temporaryErrors = new Set([
  "Throttling",
  "ThrottlingException",
  "ThrottledException",
  "TooManyRequestsException",
  "RequestLimitExceeded",
  "RequestThrottled",
  "ServiceUnavailableException",
  "InternalServerErrorException",
  "InternalServiceError",
  "TimeoutError",
]);

const brokenConnections = new Set(["ECONNRESET", "ECONNREFUSED", "EPIPE", "ETIMEDOUT", "EAI_AGAIN"]);

/** Whether AWS may answer differently in a moment: it throttles, has a fault, or the connection broke. */
export function isTemporary(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { name, $fault, code } = error as Error & { $fault?: string; code?: string };
  return temporaryErrors.has(name) || $fault === "server" || (code !== undefined && brokenConnections.has(code));
}

/** Whether it is the named error of an AWS service, such as `ResourceNotFoundFault`. */
export function isAwsError(error: unknown, name: string): error is Error {
  return error instanceof Error && error.name === name;
}
