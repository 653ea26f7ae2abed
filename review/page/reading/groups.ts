import type { Act, ActId, FeedPage } from "../../api";

/** Acts that stand together: one, or those of one request that follow each other. */
export interface Group {
  readonly request: string | null;
  readonly acts: readonly Act[];
}

export const idOf = (act: ActId) => `${act.source} ${act.time} ${act.transaction ?? "-"}`;

/** Acts in their order, those of one request that follow each other in one group. */
export function groupActs(acts: readonly Act[]): readonly Group[] {
  const groups: { request: string | null; acts: Act[] }[] = [];
  for (const act of acts) {
    const last = groups.at(-1);
    const first = last?.acts[0];
    if (last && first && act.request !== null && act.request === first.request && act.source === first.source)
      last.acts.push(act);
    else groups.push({ request: act.request, acts: [act] });
  }
  return groups;
}

/** Groups by the day that they began on, newest first as the groups are. */
export function byDay(
  groups: readonly Group[],
  dayOf: (time: string) => string,
): readonly { day: string; groups: Group[] }[] {
  const days: { day: string; groups: Group[] }[] = [];
  for (const group of groups) {
    const day = dayOf(group.acts[0]?.time ?? "");
    const last = days.at(-1);
    if (last?.day === day) last.groups.push(group);
    else days.push({ day, groups: [group] });
  }
  return days;
}

/** Whether an act is on these pages of the feed, or on an older one that has not been asked for, or before its span. */
export function isOfPages(act: Act, pages: readonly Pick<FeedPage, "acts" | "older" | "window">[]): boolean {
  const last = pages.at(-1);
  if (!last || act.time < last.window.from) return true;
  const oldest = last.acts.at(-1);
  if (last.older !== null && (!oldest || act.time < oldest.time)) return true;
  return pages.some(({ acts }) => acts.some((each) => idOf(each) === idOf(act)));
}

/** Acts with others put before or behind them, each once, newest first. What came again replaces what was there. */
export function mergeActs(acts: readonly Act[], others: readonly Act[]): readonly Act[] {
  const all = new Map([...acts, ...others].map((act) => [idOf(act), act]));
  // Acts of one moment keep the order that the server gave them.
  return [...all.values()].sort((left, right) => (left.time < right.time ? 1 : left.time > right.time ? -1 : 0));
}
