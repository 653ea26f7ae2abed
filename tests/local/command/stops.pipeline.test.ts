import { expect, test } from "vitest";
import { Random } from "../../../faults/random";
import { stopAgainAndAgain } from "../../../faults/stops/run";
import { build, isBuilt } from "../../../local/machine/build";

test("a stop leaves nothing in the source and no process, however and whenever it comes", async () => {
  if (!isBuilt()) await build();
  // Each way once; npm run stops does it 200 times, over 186 tables.
  const stops = await stopAgainAndAgain({
    times: 7,
    tables: 20,
    random: new Random(20261201),
    report: () => undefined,
    signal: new AbortController().signal,
  });

  expect(stops).toHaveLength(7);
  expect(stops.filter(({ problems }) => problems.length > 0)).toEqual([]);
}, 600_000);
