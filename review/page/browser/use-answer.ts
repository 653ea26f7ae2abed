import { useEffect, useRef, useState } from "preact/hooks";
import { ask, type Trouble, TroubleError } from "./client";

/** How far a question is. */
export interface Asked<Answer> {
  readonly state: "loading" | "slow" | "ready" | "failed" | "cancelled";
  /** The answer; while another one is on its way, the one before it if it was to be kept. */
  readonly answer: Answer | undefined;
  readonly trouble: Trouble | undefined;
  readonly cancel: () => void;
  readonly again: () => void;
}

/** After so long the page says that it still looks, and offers to stop. */
const slowAfter = 2_000;

/**
 * Asks the server whenever the address changes; undefined asks nothing. A question that is not needed any more is
 * cancelled, in the database too.
 */
export function useAnswer<Answer>(address: string | undefined, keepsPrevious = false): Asked<Answer> {
  const [round, setRound] = useState(0);
  const [held, setHeld] = useState<Omit<Asked<Answer>, "cancel" | "again"> & { readonly address?: string | undefined }>(
    {
      state: "loading",
      answer: undefined,
      trouble: undefined,
    },
  );
  const running = useRef<AbortController | undefined>(undefined);
  useEffect(() => {
    if (address === undefined) return undefined;
    const controller = new AbortController();
    running.current = controller;
    setHeld((before) => ({
      state: "loading",
      answer: keepsPrevious || before.address === address ? before.answer : undefined,
      trouble: undefined,
      address,
    }));
    const slow = setTimeout(() => setHeld((before) => ({ ...before, state: "slow" })), slowAfter);
    ask<Answer>(address, controller.signal)
      .then((answer) => setHeld({ state: "ready", answer, trouble: undefined, address }))
      .catch((error: unknown) => {
        if (controller.signal.aborted) return;
        setHeld((before) => ({ ...before, state: "failed", trouble: troubleFrom(error) }));
      })
      .finally(() => clearTimeout(slow));
    return () => {
      clearTimeout(slow);
      controller.abort();
    };
  }, [address, round]);
  // An answer to an earlier question is none, even in the moment before the effect runs.
  const isStale = held.address !== address && !keepsPrevious;
  return {
    state: isStale ? "loading" : held.state,
    answer: isStale ? undefined : held.answer,
    trouble: isStale ? undefined : held.trouble,
    cancel: () => {
      running.current?.abort();
      setHeld((before) => ({ ...before, state: "cancelled" }));
    },
    again: () => setRound((before) => before + 1),
  };
}

/** What went wrong, of whatever was thrown. */
export function troubleFrom(error: unknown): Trouble {
  if (error instanceof TroubleError) return error.trouble;
  return { error: "broken", message: error instanceof Error ? error.message : String(error), help: [] };
}
