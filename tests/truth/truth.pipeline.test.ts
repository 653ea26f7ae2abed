import { expect, test } from "vitest";
import { runTruth } from "../../truth/run";
import { partsOfSteps } from "../../truth/seed";

/** Three in a row in which every part of a run occurs. */
const seeds = [100, 101, 102];

test("the log tells what tables held, now and at noted moments, whatever was done to them", async () => {
  const result = await runTruth({ seed: seeds[0] as number, seeds: seeds.length });

  expect(result.broken).toBeUndefined();
  expect(result.seeds.map(({ seed, differences }) => ({ seed, differences }))).toEqual(
    seeds.map((seed) => ({ seed, differences: [] })),
  );
  // Nothing was compared with nothing, though a clock that is set back takes away the moments just before.
  for (const { tables } of result.seeds) expect(tables).toBeGreaterThan(3);
  expect(result.seeds.reduce((sum, { moments }) => sum + moments, 0)).toBeGreaterThan(12);
  const done = result.seeds.flatMap(({ taken }) => Object.entries(taken)).filter(([, count]) => count.done > 0);
  const parts = new Set(done.map(([title]) => partsOfSteps.get(title)).filter((part) => part !== undefined));
  expect([...parts].sort()).toEqual([...new Set(partsOfSteps.values())].sort());
});
