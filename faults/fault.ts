import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "./random";
import { linkNames, parts, type LinkName, type Part, type System } from "./system";

/** Something that goes wrong, and is mended after a while. */
export interface Fault {
  readonly name: string;
  /** What it affects. Two faults that share one of these do not happen at once. */
  readonly touches: readonly (Part | LinkName)[];
  /** How often it is drawn, against the others. */
  readonly weight: number;
  /** Seconds of a long one. Default {@link defaultLongSeconds}. */
  readonly long?: number;
  /** Seconds that it must last to have an effect. Default 0. */
  readonly shortest?: number;
  /** Why it can't happen on this machine. */
  readonly obstacle?: () => string | undefined;
  /** Lets it happen, waits, mends it. May return what it did in a few words. */
  readonly happen: (system: System, seconds: number, random: Random) => Promise<string | void>;
}

/** Faults that are made in the same way, as `docs/reliability.md` lists them. */
export interface FaultKind {
  /** What happens to the pipeline. */
  readonly title: string;
  /** How the harness makes it happen. */
  readonly how: string;
  readonly faults: readonly Fault[];
}

/** Default of {@link Fault.long}, in seconds. */
export const defaultLongSeconds = 10;

/** Whether two faults can happen at the same time without one undoing or hindering the other. */
export function compatible(one: Fault, other: Fault): boolean {
  const reach = ({ touches }: Fault) =>
    new Set<string>(
      touches.flatMap((touched) => [
        touched,
        ...(parts.some((part) => part === touched) ? linksOf(touched as Part) : []),
      ]),
    );
  return (
    other.touches.every((touched) => !reach(one).has(touched)) &&
    one.touches.every((touched) => !reach(other).has(touched))
  );
}

/** Every link that begins or ends at a part. */
function linksOf(part: Part): LinkName[] {
  const end = { "source database": "source", "destination database": "database", broker: "broker" } as const;
  const arrives = part in end ? ` to ${end[part as keyof typeof end]}` : undefined;
  const leaves = part === "worker" ? ["worker to", "sink to"] : [`${part} to`];
  return linkNames.filter(
    (link) => (arrives && link.endsWith(arrives)) || leaves.some((beginning) => link.startsWith(beginning)),
  );
}

/** Waits while a fault lasts. */
export const pause = (seconds: number) => sleep(seconds * 1000);

const patienceMilliseconds = 60_000;

/** Asks again while a pipeline under fault refuses. */
export async function persistently(ask: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + patienceMilliseconds;
  for (;;) {
    try {
      await ask();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(200);
    }
  }
}
