import { describe, expect, it } from "vitest";
import {
  keptUp,
  nextRate,
  rateFound,
  searchInTurns,
  tolerableCatchUp,
  type LagSample,
  type RateSearch,
  type Trial,
} from "../../bench/measurements/rate-search";

const seconds = 10;

interface Simulated {
  /** Changes a second that the system stores while a writer runs beside it. */
  readonly capacity: number;
  readonly drain: number;
  /** The most that the writer writes. */
  readonly writer?: number;
  /** A factor on the capacity of each trial. */
  readonly noise?: () => number;
  /** Milliseconds behind, however little there is to do. */
  readonly always?: number;
}

/** A queue in front of a system, filled by a writer, and looked at ten times a second. */
function trialOf({ capacity, drain, writer = Infinity, noise = () => 1, always = 40 }: Simulated, asked: number) {
  const [rate, written] = [capacity * noise(), Math.min(asked, writer)];
  const growth = Math.max(0, written - rate);
  const lags: LagSample[] = [];
  for (let at = 100; at < seconds * 1000; at += 100) {
    lags.push({ at, lag: always + (at * growth) / rate + (at % 700 === 0 ? 300 : 0) });
  }
  const catchUp = always + (1000 * growth * seconds) / drain;
  const stored = (written * seconds) / (seconds + catchUp / 1000);
  return { asked, written, stored, carried: keptUp(lags, seconds * 1000, catchUp, 2000) } satisfies Trial;
}

async function search(...systems: Simulated[]): Promise<RateSearch[]> {
  const found = await searchInTurns(
    systems.map((system) => ({ drain: system.drain, trial: async (rate) => trialOf(system, rate) })),
  );
  return found as RateSearch[];
}

async function rateOf(system: Simulated): Promise<{ rate: number; writtenAbove: number | undefined; trials: number }> {
  const [one] = (await search(system)) as [RateSearch];
  const found = rateFound(one);
  if ("reason" in found) throw new Error(found.reason);
  return { rate: found.best.stored, writtenAbove: found.writtenAbove, trials: one.trials.length };
}

const reasonOf = async (system: Simulated) => {
  const found = rateFound((await search(system))[0] as RateSearch);
  return "reason" in found ? found.reason : `it found ${found.best.stored}`;
};

/** Numbers from 0 to 1 that are the same in each run. */
function drawing(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

describe("the search for the highest rate that a system carries", () => {
  it.each([0.3, 0.5, 0.8, 1, 1.1])("finds a capacity of %s times the drain to about a twentieth", async (share) => {
    const { rate, writtenAbove, trials } = await rateOf({ capacity: 20_000 * share, drain: 20_000 });
    expect(rate).toBeGreaterThan(20_000 * share * 0.93);
    expect(rate).toBeLessThan(20_000 * share * 1.05);
    expect(writtenAbove).toBe(100);
    expect(trials).toBeLessThanOrEqual(14);
  });

  it("finds it on a machine whose speed changes from trial to trial", async () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const draw = drawing(seed);
      const { rate } = await rateOf({ capacity: 9000, drain: 12_000, noise: () => 0.94 + 0.12 * draw() });
      expect(rate, `seed ${seed}`).toBeGreaterThan(9000 * 0.85);
      expect(rate, `seed ${seed}`).toBeLessThan(9000 * 1.1);
    }
  });

  it("is not led astray by one disturbance", async () => {
    let trials = 0;
    const disturbed = { capacity: 9000, drain: 12_000, noise: () => ((trials += 1) === 2 ? 0.1 : 1) };
    expect((await rateOf(disturbed)).rate).toBeGreaterThan(9000 * 0.93);
  });

  it("finds the writer's rate, and says so, where the writer writes less than the system carries", async () => {
    const { rate, writtenAbove } = await rateOf({ capacity: 20_000, drain: 20_000, writer: 9700 });
    expect(rate).toBeGreaterThan(9700 * 0.95);
    expect(rate).toBeLessThanOrEqual(9700);
    expect(writtenAbove).toBeLessThan(95);
  });

  it("measures a system that is always a second behind by what it carries", async () => {
    const { rate } = await rateOf({ capacity: 4000, drain: 4200, always: 1100 });
    expect(rate).toBeGreaterThan(4000 * 0.84);
  });

  it("has no figure for a system that never keeps up", async () => {
    expect(await reasonOf({ capacity: 1, drain: 4192 })).toMatch(
      /^it kept up with no rate down to \d+ changes\/s, though it drained 4,192 changes\/s$/,
    );
  });

  it("has no figure for a system that keeps up with more than it drains", async () => {
    expect(await reasonOf({ capacity: 100_000, drain: 4000 })).toMatch(
      /^it kept up with [45],\d+ changes\/s, though it drained 4,000 changes\/s: one of the two was disturbed$/,
    );
  });

  it("has no figure where hardly anything was written", async () => {
    expect(await reasonOf({ capacity: 20_000, drain: 20_000, writer: 300 })).toBe(
      "the writer wrote no more than 300 changes/s, though it drained 20,000 changes/s",
    );
  });

  it("names the writer where a system falls behind although little of what was asked was written", async () => {
    expect(await reasonOf({ capacity: 1, drain: 20_000, writer: 200 })).toContain("of what it was told");
  });

  it("ends at once for a system whose trial can't be made, and goes on for the others", async () => {
    const searches = await searchInTurns([
      { drain: 1000, trial: async () => undefined },
      { drain: 1000, trial: async (rate: number) => trialOf({ capacity: 800, drain: 1000 }, rate) },
    ]);
    expect(searches[0]).toBeUndefined();
    expect(nextRate(searches[1] as RateSearch)).toBeUndefined();
  });

  it("lets each system make a trial before any makes its next, and another begin each time", async () => {
    const made: string[] = [];
    const system = (name: string, capacity: number) => ({
      drain: 1000,
      trial: async (rate: number) => {
        made.push(name);
        return trialOf({ capacity, drain: 1000 }, rate);
      },
    });
    await searchInTurns([system("a", 700), system("b", 700), system("c", 700)]);
    expect(made.slice(0, 9).join("")).toBe("abcbcacab");
  });
});

describe("keeping up", () => {
  const lags = (lagAt: (at: number) => number) =>
    Array.from({ length: 100 }, (_, index) => ({ at: index * 100, lag: lagAt(index * 100) }));

  it("is not disproved by a pause of a moment", () => {
    const paused = lags((at) => (at > 7000 && at < 8500 ? 1500 - (at - 7000) : 50));
    expect(keptUp(paused, 10_000, 60, 2000)).toBe(true);
  });

  it("is disproved by a lag that grows slowly", () => {
    expect(
      keptUp(
        lags((at) => at * 0.08),
        10_000,
        800,
        2000,
      ),
    ).toBe(false);
  });

  it("is disproved by a late end of a few large transactions, between which no lag can be seen", () => {
    const [writing, transaction] = [20_000, 4000];
    const tolerable = tolerableCatchUp(writing, transaction, false);
    expect(keptUp([], writing, transaction + 100, tolerable)).toBe(true);
    // A system a tenth too slow has two seconds of what was written in twenty still before it.
    expect(keptUp([], writing, transaction + 0.1 * writing, tolerable)).toBe(false);
    expect(tolerableCatchUp(writing, 1, true)).toBe(2001);
    expect(tolerableCatchUp(2000, 1, false)).toBeLessThan(500);
  });

  it("is disproved by an end that is too late", () => {
    expect(keptUp([], 10_000, 2100, 2000)).toBe(false);
    expect(keptUp([], 10_000, 1900, 2000)).toBe(true);
  });
});
