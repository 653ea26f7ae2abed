import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { AbandonableSteps, runSteps, type Step } from "../../../local/machine/steps";

/** A step that notes its beginning and its end. */
const noting = (notes: string[], title: string, after: string[] = [], work = async () => {}): Step => ({
  title,
  after,
  run: async () => {
    notes.push(`${title} begins`);
    await work();
    notes.push(`${title} ends`);
  },
});

it("begins a step as soon as those before it have ended, and the others at once", async () => {
  const notes: string[] = [];
  await runSteps([
    noting(notes, "database", [], () => sleep(60)),
    noting(notes, "broker", [], () => sleep(10)),
    noting(notes, "topics", ["broker"]),
    noting(notes, "capture", ["database", "topics"]),
  ]);

  expect(notes).toEqual([
    "database begins",
    "broker begins",
    "broker ends",
    "topics begins",
    "topics ends",
    "database ends",
    "capture begins",
    "capture ends",
  ]);
});

it("ends with the first error once what had begun has ended, and begins nothing more", async () => {
  const notes: string[] = [];
  const steps = [
    noting(notes, "database", [], () => sleep(50)),
    noting(notes, "broker", [], async () => {
      throw new Error("no port");
    }),
    noting(notes, "topics", ["broker"]),
    noting(notes, "capture", ["database"]),
  ];
  await expect(runSteps(steps)).rejects.toThrow("no port");

  expect(notes).toEqual(["database begins", "broker begins", "database ends"]);
});

it("says which steps it left", async () => {
  const left: string[] = [];
  const fails = noting([], "broker", [], () => Promise.reject(new Error("no port")));
  await runSteps([fails, noting([], "topics", ["broker"])], { left: ({ title }) => left.push(title) }).catch(() => {});

  expect(left).toEqual(["topics"]);
});

it("waits, when abandoned, for the steps that are under way", async () => {
  const notes: string[] = [];
  const steps = new AbandonableSteps();
  const running = runSteps([
    steps.step("database", [], async () => {
      await sleep(50);
      notes.push("database ends");
    }),
    steps.step("capture", ["database"], async () => void notes.push("capture begins")),
  ]);
  running.catch(() => undefined);
  await sleep(10);
  steps.abandon();
  await steps.settled();
  expect(notes).toEqual(["database ends"]);
  await expect(running).rejects.toThrow("It was asked to stop.");
});
