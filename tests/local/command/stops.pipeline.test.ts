import { expect, test } from "vitest";
import { Random } from "../../../faults/random";
import { stopAgainAndAgain } from "../../../faults/stops/run";
import { build, isBuilt } from "../../../local/machine/build";
import { runsTheOnlyCommand } from "../support/only-command";

runsTheOnlyCommand();

test("a stop leaves nothing in the source and no process, however and whenever it comes", async () => {
  if (!isBuilt()) await build();
  // Ctrl-C is in command-line.pipeline.test.ts; npm run stops does each way many times, over 186 tables.
  const stops = await stopAgainAndAgain({
    times: 3,
    ways: ["SIGHUP", "npm killed", "SIGKILL"],
    tables: 20,
    random: new Random(20261201),
    report: () => undefined,
    signal: new AbortController().signal,
  });

  expect(stops).toHaveLength(3);
  expect(stops.filter(({ problems }) => problems.length > 0)).toEqual([]);
}, 600_000);
