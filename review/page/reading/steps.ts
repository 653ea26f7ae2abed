import type { Moment, RecordStep } from "../../api";
import { didWith } from "./words";

/** A moment of a record's life that the slider can stand at. */
export interface Stop {
  readonly time: Moment;
  /** What happened then, in two words. */
  readonly label: string;
}

/** The moments at which the record itself changed, oldest first, each once. */
export function stopsOf(steps: readonly RecordStep[]): readonly Stop[] {
  const stops = new Map<Moment, Stop>();
  for (const step of steps) {
    if (step.kind === "moved" || step.kind === "gap" || (step.kind === "change" && step.related)) continue;
    const { time, operation, actor } = step.change;
    const label = `${didWith[operation]}${actor === null ? "" : ` by ${actor}`}`;
    // Steps come newest first: of several in one moment the last one says what came of it.
    if (!stops.has(time)) stops.set(time, { time, label });
  }
  return [...stops.values()].sort((left, right) => (left.time < right.time ? -1 : 1));
}

/** The stop that a moment falls to: the last one that is not later. -1 before the first. */
export function stopAt(stops: readonly Stop[], moment: Moment): number {
  return stops.findLastIndex(({ time }) => time <= moment);
}
