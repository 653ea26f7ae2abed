import { expect, test } from "vitest";
import { runTruth } from "../../truth/run";

test("the log tells what tables held, now and at noted moments, whatever was done to them", async () => {
  const { seeds, broken } = await runTruth({ seed: 1, seeds: 3 });

  expect(broken).toBeUndefined();
  expect(seeds.map(({ seed, differences }) => ({ seed, differences }))).toEqual(
    [1, 2, 3].map((seed) => ({ seed, differences: [] })),
  );
  // Nothing was compared with nothing.
  for (const { moments, tables } of seeds) expect([moments > 4, tables > 3]).toEqual([true, true]);
});
