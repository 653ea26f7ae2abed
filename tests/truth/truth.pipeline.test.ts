import { expect, test } from "vitest";
import type { Part } from "../../truth/kinds";
import { runTruth } from "../../truth/run";

/** Parts of a run of which the log does not tell the truth yet. */
const without: readonly Part[] = ["loads", "partition-ddl", "schema-renames"];

test("the log tells what tables held, now and at noted moments, whatever was done to them", async () => {
  const { seeds, broken } = await runTruth({ seed: 100, seeds: 3, without, unknownLobs: true });

  expect(broken).toBeUndefined();
  expect(seeds.map(({ seed, differences }) => ({ seed, differences }))).toEqual(
    [100, 101, 102].map((seed) => ({ seed, differences: [] })),
  );
  // Nothing was compared with nothing, though a clock that is set back takes away the moments just before.
  for (const { tables } of seeds) expect(tables).toBeGreaterThan(3);
  expect(seeds.reduce((sum, { moments }) => sum + moments, 0)).toBeGreaterThan(12);
});
