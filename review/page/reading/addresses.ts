import type { ActId, Change } from "../../api";

const withQuery = (path: string, parameters: Readonly<Record<string, string | null | undefined>>) => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value) query.set(name, value);
  return `${path}?${query.toString().replaceAll("%3A", ":")}`;
};

/** The page with the undo of one change. */
export const undoOfChange = (change: Pick<Change, "time" | "event">) =>
  withQuery("/undo", { time: change.time, event: change.event });

/** The page with the undo of a transaction. */
export const undoOfAct = ({ source, time, transaction }: ActId) => withQuery("/undo", { source, time, transaction });

/** The page with the undo of what an actor did in a span. */
export const undoOfSpan = (actor: string, from: string, to: string, source?: string) =>
  withQuery("/undo", { actor, from, to, source });
