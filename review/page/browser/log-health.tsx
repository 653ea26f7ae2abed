import { createContext } from "preact";
import { useCallback, useContext, useEffect, useState } from "preact/hooks";
import { type Health, routes, type Session } from "../../api";
import { ask, type Trouble } from "./client";
import { troubleFrom } from "./use-answer";

/** What every view knows: who reads, and how the log is. */
export interface LogState {
  readonly session: Session | undefined;
  readonly health: Health | undefined;
  readonly trouble: Trouble | undefined;
  readonly setHealth: (health: Health) => void;
}

const Context = createContext<LogState>({
  session: undefined,
  health: undefined,
  trouble: undefined,
  setHealth: () => undefined,
});
export const LogStateProvider = Context.Provider;
export const useLogState = () => useContext(Context);

const pause = 20_000;

/** Asks who reads once, and how the log is again and again while the page is seen. */
export function useAskedLogState(): LogState {
  const [session, setSession] = useState<Session | undefined>();
  const [health, setHealth] = useState<Health | undefined>();
  const [trouble, setTrouble] = useState<Trouble | undefined>();
  useEffect(() => {
    const controller = new AbortController();
    const look = () => {
      if (document.hidden) return;
      ask<Health>(routes.health, controller.signal)
        .then((answer) => {
          setHealth(answer);
          setTrouble(undefined);
        })
        .catch((error: unknown) => {
          if (!controller.signal.aborted) setTrouble(troubleFrom(error));
        });
    };
    // Without it the page works: it can't say who reads.
    ask<Session>(routes.session, controller.signal).then(setSession, () => undefined);
    look();
    const timer = setInterval(look, pause);
    return () => {
      clearInterval(timer);
      controller.abort();
    };
  }, []);
  const take = useCallback((answer: Health) => {
    setHealth(answer);
    setTrouble(undefined);
  }, []);
  return { session, health, trouble, setHealth: take };
}
