import { catalogue } from "./catalogue";
import { compatible, defaultLongSeconds, type Fault } from "./fault";
import { Random } from "./random";

/** One fault of a step, with how long it lasts. */
export interface PlannedFault {
  readonly fault: Fault;
  readonly seconds: number;
}

/** Faults that happen at the same time, and what is drawn while they do. */
export interface PlannedStep {
  readonly index: number;
  readonly faults: readonly PlannedFault[];
  readonly random: Random;
}

const pairProbability = 0.25;

/** Faults that can happen on this machine, and why the others can't. */
export function possibleFaults(wanted?: string): { possible: Fault[]; impossible: { name: string; why: string }[] } {
  const pattern = wanted === undefined ? /./ : new RegExp(wanted);
  const possible: Fault[] = [];
  const impossible: { name: string; why: string }[] = [];
  for (const fault of catalogue.filter(({ name }) => pattern.test(name))) {
    const why = fault.obstacle?.();
    if (why === undefined) possible.push(fault);
    else impossible.push({ name: fault.name, why });
  }
  return { possible, impossible };
}

/**
 * The step at an index. It depends only on seed, faults and pace, not on the step that a run begins with. First each fault
 * happens alone, as long as it can last; then faults are drawn, some two at a time.
 *
 * @param pace factor for the durations.
 */
export function planStep(seed: number, index: number, faults: readonly Fault[], pace: number): PlannedStep {
  const random = Random.of(seed, 1_000 + index);
  const planned = (fault: Fault, seconds: number): PlannedFault => ({
    fault,
    seconds: Math.max(fault.shortest ?? 0, seconds * pace),
  });
  const single = faults[index];
  if (single) return { index, faults: [planned(single, single.long ?? duration(random, single))], random };
  const first = random.weighted(faults);
  const others = faults.filter((fault) => compatible(first, fault));
  const drawn = others.length > 0 && random.chance(pairProbability) ? [first, random.weighted(others)] : [first];
  return { index, faults: drawn.map((fault) => planned(fault, duration(random, fault))), random };
}

/** Mostly short, so that many faults fit a run; now and then as long as real outages last. */
function duration(random: Random, { long = defaultLongSeconds }: Fault): number {
  const draw = random.next();
  if (draw < 0.88) return random.number(0.3, 3);
  if (draw < 0.98) return random.number(3, 8);
  return long;
}
