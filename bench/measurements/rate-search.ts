/** What came of writing at a fixed rate for some seconds. Rates are in changes a second. */
export interface Trial {
  /** The rate that the writer was told. */
  readonly asked: number;
  /** What it wrote. */
  readonly written: number;
  /** Changes over the time from the first of them until the last is stored. */
  readonly stored: number;
  /** Whether the system kept up. */
  readonly carried: boolean;
}

/** How far the search for one system's highest rate has come. */
export interface RateSearch<T extends Trial = Trial> {
  /** The rate at which the same system drains a backlog. */
  readonly drain: number;
  /** In the order in which they were made. */
  readonly trials: readonly T[];
}

/** The highest rate that was carried, or why there is no such figure. */
export type RateFound<T extends Trial = Trial> =
  | {
      readonly best: T;
      /** Percent of a higher rate that the writer wrote: far below 100, the writer was the limit. Undefined when none was too high. */
      readonly writtenAbove: number | undefined;
    }
  | { readonly reason: string };

/** Shares of its own drain outside which a system's sustained rate is not believed. */
const believed = { from: 0.2, to: 1.15 } as const;
/** The search begins halfway to this share of the drain. A system that carries even that is one whose drain is wrong. */
const highestShare = 1.3;
/** The search ends when the lowest rate that is too high is at most this much above the highest that was carried. */
const resolution = 0.05;
/** Below this share of its drain no rate is tried. */
const lowestShare = 0.02;
/** A writer that writes less of what it is told is the limit. */
const writesEnough = 0.95;
/** A rate counts as too high when it was not carried so often: one failure may be the machine's. */
const failuresNeeded = 2;
const mostTrials = 20;

/** The rate to try next; undefined when the search is over. */
export function nextRate(search: RateSearch): number | undefined {
  const { drain, trials } = search;
  const last = trials.at(-1);
  if (trials.length >= mostTrials) return undefined;
  if (last && !last.carried && failuresAt(search, last.asked) < failuresNeeded) return last.asked;
  const { low, high } = boundsOf(search);
  if (high - low <= resolution * high || high < lowestShare * drain) return undefined;
  return (low + high) / 2;
}

/** What the search has found. A figure that the system's own drain contradicts is none. */
export function rateFound<T extends Trial>(search: RateSearch<T>): RateFound<T> {
  const { drain, trials } = search;
  const { above } = boundsOf(search);
  const writtenAbove = above && (100 * above.written) / above.asked;
  const wantOfWriter = writtenAbove !== undefined && writtenAbove < 100 * writesEnough;
  const drained = `it drained ${whole(drain)} changes/s`;
  const [best] = trials.filter(({ carried }) => carried).sort((one, other) => other.stored - one.stored);
  if (!best) {
    const lowest = Math.min(...trials.map(({ asked }) => asked));
    const why = wantOfWriter ? `, where the writer wrote ${whole(writtenAbove)} % of what it was told` : "";
    return { reason: `it kept up with no rate down to ${whole(lowest)} changes/s${why}, though ${drained}` };
  }
  if (best.stored > believed.to * drain) {
    return {
      reason: `it kept up with ${whole(best.stored)} changes/s, though ${drained}: one of the two was disturbed`,
    };
  }
  if (above && wantOfWriter && best.stored < believed.from * drain) {
    return {
      reason: `the writer wrote no more than ${whole(Math.max(best.written, above.written))} changes/s, though ${drained}`,
    };
  }
  return { best, writtenAbove };
}

/** Finds the highest rate of several systems: each makes one trial before any makes its next, so that a slow minute of the machine falls on all. */
export async function searchInTurns<T extends Trial>(
  systems: readonly {
    readonly drain: number;
    /** Undefined when there can be no more trials of this system. */
    readonly trial: (rate: number) => Promise<T | undefined>;
  }[],
): Promise<(RateSearch<T> | undefined)[]> {
  const searches: (RateSearch<T> | undefined)[] = systems.map(({ drain }) => ({ drain, trials: [] }));
  for (let round = 0, busy = true; busy; round += 1) {
    busy = false;
    for (let turn = 0; turn < systems.length; turn += 1) {
      const index = (round + turn) % systems.length;
      const search = searches[index];
      const rate = search && nextRate(search);
      if (search === undefined || rate === undefined) continue;
      busy = true;
      const trial = await systems[index]?.trial(rate);
      searches[index] = trial && { ...search, trials: [...search.trials, trial] };
    }
  }
  return searches;
}

/** How far the log was behind, some time after a trial had begun. Both in milliseconds. */
export interface LagSample {
  readonly at: number;
  readonly lag: number;
}

/** Growth of the lag, over the time in which it grew, that a fixed rate may have: a system 5 % too slow has as much. */
const tolerableGrowth = 0.05;
/** Milliseconds of growth that are no sign of anything. */
const unremarkableGrowth = 100;

/**
 * Whether a system kept up with a writer. Its lag must not grow: the least lag of the last third of the time is compared
 * with that of the middle third, since a pause of a moment raises only the others.
 *
 * @param lags none where commits are too rare to tell.
 * @param catchUp milliseconds from the last commit until everything was stored.
 * @param tolerable the most that this may take.
 */
export function keptUp(lags: readonly LagSample[], writing: number, catchUp: number, tolerable: number): boolean {
  if (catchUp > tolerable) return false;
  const third = writing / 3;
  const leastOf = (from: number) =>
    Math.min(...lags.filter(({ at }) => at >= from && at < from + third).map(({ lag }) => lag));
  const growth = leastOf(2 * third) - leastOf(third);
  // Without a sample in one of them it is no number, or infinite: then only the end tells.
  return !Number.isFinite(growth) || growth <= Math.max(unremarkableGrowth, tolerableGrowth * third);
}

/** How far behind a system may be when the writer ends, whatever its rate. */
const tolerableLag = 2000;
/** Milliseconds to see that the last change is stored. */
const timeToSee = 300;

/**
 * Milliseconds that it may take from the last commit until everything is stored, besides the last transaction's own time.
 *
 * @param writing milliseconds of the trial.
 * @param transaction milliseconds in which the system drains one transaction.
 * @param telling whether there were commits enough to see the lag grow. Where there were not, the end alone tells, and a
 *   trial of a few seconds could not fail by the usual limit.
 */
export function tolerableCatchUp(writing: number, transaction: number, telling: boolean): number {
  return transaction + (telling ? tolerableLag : Math.min(tolerableLag, timeToSee + tolerableGrowth * writing));
}

/** The highest rate that was carried, the lowest that is too high, and the trial that says so. */
function boundsOf({ drain, trials }: RateSearch): { low: number; high: number; above: Trial | undefined } {
  const low = Math.max(0, ...trials.filter(({ carried }) => carried).map(wrote));
  const tooHigh = trials
    .filter((trial) =>
      trial.carried
        ? trial.written < writesEnough * trial.asked
        : failuresAt({ drain, trials }, trial.asked) >= failuresNeeded,
    )
    // Where a system could not keep up with less than was asked, that less was too much already.
    .map((trial) => ({ trial, rate: trial.carried || wrote(trial) <= low ? trial.asked : wrote(trial) }))
    .filter(({ rate }) => rate > low)
    .sort((one, other) => one.rate - other.rate);
  const [lowest] = tooHigh;
  return { low, high: lowest?.rate ?? highestShare * drain, above: lowest?.trial };
}

const wrote = ({ asked, written }: Trial): number => Math.min(asked, written);

const failuresAt = ({ trials }: RateSearch, rate: number): number =>
  trials.filter(({ asked, carried }) => asked === rate && !carried).length;

const whole = (value: number): string => Math.round(value).toLocaleString("en");
