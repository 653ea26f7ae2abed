import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Failure, FailureKind } from "../api";

const statuses: Record<FailureKind, ContentfulStatusCode> = {
  "not understood": 400,
  "signed out": 401,
  "not allowed": 403,
  "not found": 404,
  refused: 422,
  broken: 500,
  "database away": 503,
  "took too long": 504,
};

/** What is answered in place of what was asked for. */
export class FailureError extends Error {
  constructor(
    readonly kind: FailureKind,
    message: string,
    readonly help: readonly string[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  get status(): ContentfulStatusCode {
    return statuses[this.kind];
  }

  get body(): Failure {
    return { error: this.kind, message: this.message, help: this.help };
  }
}

/** The question was given up, since nobody waits for its answer any more. */
export class AbandonedError extends Error {}

interface DatabaseError extends Error {
  readonly code?: string;
  readonly hint?: string;
  readonly routine?: string;
}

/** Codes of PostgreSQL that say what was wrong with the question; their messages are written for the person who asked. */
const misunderstood = new Set(["22023", "22P02", "22007", "22008", "42P01", "42P08", "42602", "22003", "22026"]);
const refused = new Set(["0A000"]);
const missing = new Set(["P0002"]);
const queryCancelled = "57014";
/** The server shuts down, starts, or has no place left. */
const away = /^(08|57P0|53300|28|3D000)/;
const networkCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EPIPE",
  "ETIMEDOUT",
]);

const tooLong = new FailureError("took too long", "The database took too long, so the question was cancelled.", [
  "Name a table, and a record's key if you know it.",
  "Choose a shorter span of time.",
  "Name an actor or a request.",
]);

/** What an error of the database, or on the way to it, is for the person who asked. Internals stay in the log. */
export function failureOf(error: unknown): FailureError {
  if (error instanceof FailureError) return error;
  const { code = "", message, hint } = error instanceof Error ? (error as DatabaseError) : ({} as DatabaseError);
  const help = hint ? [hint] : [];
  if (misunderstood.has(code)) return new FailureError("not understood", sentence(message), help, { cause: error });
  if (refused.has(code)) return new FailureError("refused", sentence(message), help, { cause: error });
  if (missing.has(code)) return new FailureError("not found", sentence(message), help, { cause: error });
  if (code === queryCancelled) return new FailureError(tooLong.kind, tooLong.message, tooLong.help, { cause: error });
  if (code === "42883" || code === "42501" || code === "3F000") {
    return new FailureError(
      "broken",
      "The database lacks what the page needs, or its login may not use it.",
      ["Run the bootstrap of this version, and log in as audit_review or a member of it."],
      { cause: error },
    );
  }
  if (away.test(code) || networkCodes.has(code) || isConnectionLoss(message)) {
    return new FailureError(
      "database away",
      "The database can't be reached.",
      [
        "The page asks again by itself.",
        "Look whether the database runs, and whether its network lets this server in.",
      ],
      { cause: error },
    );
  }
  return new FailureError("broken", "Something went wrong in the review server.", ["Its log says what."], {
    cause: error,
  });
}

function isConnectionLoss(message: string | undefined): boolean {
  return /Connection terminated|timeout exceeded when trying to connect|connection timeout|server closed the connection/i.test(
    message ?? "",
  );
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
