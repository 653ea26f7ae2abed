import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Trouble } from "../browser/client";
import type { Asked } from "../browser/use-answer";

/** The shape of what comes, while it is on its way. */
export function Skeleton({ lines = 6 }: { readonly lines?: number }) {
  return (
    <div class="skeleton" aria-hidden="true">
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} class={`skeleton-line is-${line % 3}`} />
      ))}
    </div>
  );
}

interface WaitingProps {
  readonly asked: Pick<Asked<unknown>, "state" | "trouble" | "cancel" | "again">;
  /** What would make this question faster, for one that takes long. */
  readonly faster?: ComponentChildren;
  readonly lines?: number;
}

/** A question on its way, one that takes long, one that was stopped, or one that failed; nothing when it is answered. */
export function Waiting({ asked, faster, lines }: WaitingProps) {
  switch (asked.state) {
    case "ready":
      return null;
    case "failed":
      return asked.trouble ? <TroubleBox trouble={asked.trouble} again={asked.again} faster={faster} /> : null;
    case "cancelled":
      return (
        <div class="notice" role="status">
          <p>You stopped this question. Nothing was changed by that.</p>
          {faster}
          <p>
            <button type="button" class="button" onClick={asked.again}>
              Ask again
            </button>
          </p>
        </div>
      );
    default:
      return (
        <div aria-busy="true">
          <p class={asked.state === "slow" ? "notice" : "visually-hidden"} role="status">
            {asked.state === "slow" ? "Still looking. " : "Loading…"}
            {asked.state === "slow" && (
              <button type="button" class="button" onClick={asked.cancel}>
                Stop looking
              </button>
            )}
          </p>
          <Skeleton {...(lines && { lines })} />
        </div>
      );
  }
}

const titles: Readonly<Record<Trouble["error"], string>> = {
  "not understood": "This was not understood",
  "signed out": "You are signed out",
  "not allowed": "You may not see this",
  "not found": "There is nothing here",
  "database away": "The log's database can't be reached",
  "took too long": "This took too long, and was stopped",
  refused: "The log can't do this",
  broken: "Something broke",
  "server away": "The review server is away",
};

/** What comes back by itself: the page asks again until it does. */
const passing: readonly Trouble["error"][] = ["database away", "server away"];
const pause = 3;

interface TroubleProps {
  readonly trouble: Trouble;
  readonly again: () => void;
  readonly faster?: ComponentChildren;
}

/** What went wrong, in the server's words, and what helps. */
export function TroubleBox({ trouble, again, faster }: TroubleProps) {
  const isPassing = passing.includes(trouble.error);
  return (
    <section class={`notice is-${isPassing ? "waiting" : "trouble"}`} role="alert">
      <h2>{titles[trouble.error]}</h2>
      <p>{trouble.message}</p>
      {trouble.help.length > 0 && (
        <ul>
          {trouble.help.map((each) => (
            <li key={each}>{each}</li>
          ))}
        </ul>
      )}
      {trouble.error === "signed out" && (
        <p>Open the link again that the command printed, or load the page to log in.</p>
      )}
      {trouble.error === "took too long" && faster}
      <p class="notice-buttons">
        <button type="button" class="button" onClick={again}>
          {isPassing ? "Try now" : "Try again"}
        </button>
        {isPassing && <Countdown again={again} />}
      </p>
    </section>
  );
}

function Countdown({ again }: { readonly again: () => void }) {
  const [left, setLeft] = useState(pause);
  useEffect(() => {
    const timer = setTimeout(() => (left <= 1 ? again() : setLeft(left - 1)), 1_000);
    return () => clearTimeout(timer);
  }, [left]);
  return <span class="quiet" aria-hidden="true">{` Trying again in ${left} s`}</span>;
}
