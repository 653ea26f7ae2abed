import { useEffect, useState } from "preact/hooks";
import type { Act, Filter } from "../../api";
import { announce } from "../parts/announcer";
import { idOf, mergeActs } from "../reading/groups";
import { plural } from "../reading/words";
import { useKeys } from "./keyboard";
import { useLive } from "./live";
import { useLogState } from "./log-health";

export interface Arrivals {
  readonly state: "off" | "connecting" | "on" | "trouble";
  readonly isPaused: boolean;
  readonly toggle: () => void;
  /** Acts that stand in the list. */
  readonly shown: readonly Act[];
  /** Acts that arrived while the list was paused. */
  readonly waiting: readonly Act[];
  readonly show: () => void;
  readonly isNew: (act: Act) => boolean;
}

/** Signs below which a reader is at the top of the list. */
const topPixels = 160;

/**
 * New acts of a filter. They join the list while the reader is at its top, and wait otherwise.
 *
 * @param isListed whether an act stands in the list, or on a later page of it: the stream begins a little in the past.
 */
export function useArrivals(filter: Filter, isReady: boolean, isListed: (act: Act) => boolean): Arrivals {
  const { setHealth } = useLogState();
  const [isPaused, setPaused] = useState(false);
  const [arrived, setArrived] = useState<readonly Act[]>([]);
  const [shownIds, setShownIds] = useState<ReadonlySet<string>>(new Set());
  const { state } = useLive(isReady && filter.to === undefined ? filter : undefined, {
    onAct: (act) => {
      if (!isListed(act)) setArrived((before) => mergeActs(before, [act]));
    },
    onHealth: setHealth,
  });
  const [isAtTop, setAtTop] = useState(true);
  useEffect(() => {
    const look = () => setAtTop(scrollY < topPixels);
    addEventListener("scroll", look, { passive: true });
    return () => removeEventListener("scroll", look);
  }, []);
  const waiting = arrived.filter((act) => !shownIds.has(idOf(act)));
  const show = () => setShownIds(new Set(arrived.map(idOf)));
  useEffect(() => {
    if (waiting.length === 0) return;
    if (isAtTop && !isPaused) show();
    announce(`${plural(waiting.length, "new act")}${isAtTop && !isPaused ? "" : " waiting"}.`);
  }, [waiting.length, isAtTop, isPaused]);
  const toggle = () => setPaused(!isPaused);
  useKeys({ l: toggle });
  return {
    state,
    isPaused: isPaused || !isAtTop,
    toggle,
    shown: arrived.filter((act) => shownIds.has(idOf(act))),
    waiting: isAtTop && !isPaused ? [] : waiting,
    show: () => {
      setPaused(false);
      show();
      scrollTo(0, 0);
    },
    isNew: (act) => shownIds.has(idOf(act)),
  };
}
