import { type Failure, type FailureKind, postHeader, type routes } from "../../api";

/** What went wrong, as the page tells it: the server's own words, or that it did not answer. */
export interface Trouble {
  readonly error: FailureKind | "server away";
  readonly message: string;
  readonly help: readonly string[];
}

export class TroubleError extends Error {
  constructor(readonly trouble: Trouble) {
    super(trouble.message);
  }
}

export type Route = (typeof routes)[keyof typeof routes];
export type Parameters = Readonly<Record<string, string | number | undefined | null>>;

/** The address of a question to the server. */
export function questionTo(route: Route, parameters: Parameters = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined && value !== null) query.set(name, String(value));
  const text = query.toString();
  return text === "" ? route : `${route}?${text}`;
}

/** Asks the server. Fails with a TroubleError, or an AbortError when the signal says so. */
export async function ask<Answer>(address: string, signal?: AbortSignal): Promise<Answer> {
  return answerOf<Answer>(address, { headers: { accept: "application/json" }, ...(signal && { signal }) });
}

/** Asks for something that is recorded before it is answered. */
export async function askWithBody<Answer>(route: Route, body: unknown): Promise<Answer> {
  return answerOf<Answer>(route, {
    method: "POST",
    headers: { "content-type": "application/json", [postHeader.name]: postHeader.value },
    body: JSON.stringify(body),
  });
}

async function answerOf<Answer>(address: string, request: RequestInit): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(address, { credentials: "same-origin", ...request });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new TroubleError(serverAway);
  }
  if (response.ok) return (await response.json()) as Answer;
  throw new TroubleError(await troubleOf(response));
}

const serverAway: Trouble = {
  error: "server away",
  message: "The review server does not answer.",
  help: ["Look whether the command that printed this page's link still runs."],
};

async function troubleOf(response: Response): Promise<Trouble> {
  try {
    const failure = (await response.json()) as Failure;
    if (typeof failure.message === "string")
      return { error: failure.error, message: failure.message, help: failure.help ?? [] };
  } catch {
    // Not an answer of the review server: something stands between it and the browser.
  }
  return {
    error: response.status === 401 ? "signed out" : "broken",
    message: `Something between this page and the review server answered with ${response.status}.`,
    help: [],
  };
}
