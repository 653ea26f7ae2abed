import { expect, test } from "vitest";
import { watchScreen } from "../../../faults/screen/run";
import { runsTheOnlyCommand } from "../support/only-command";

runsTheOnlyCommand();

test("the screen shows or counts every event of a full load and of the changes beside it, and the last one soon", async () => {
  const { stored, shown, counted, screenLag } = await watchScreen({ rows: 5_000, rate: 1_000, seconds: 2 });

  // The command asks for 2 seconds; other tests run beside this one.
  expect(screenLag).toBeLessThan(20_000);
  expect(shown + counted).toBe(stored);
  expect(stored).toBeGreaterThan(5_000);
});
