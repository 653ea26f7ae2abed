import { Listr, type ListrTask, type ListrTaskWrapper } from "listr2";
import { runSteps, type Step } from "../machine/steps";

/** How the steps of starting are shown. */
export type StepsStyle = "terminal" | "lines" | "json";

/** Milliseconds between two looks at the clock on a terminal, and between two lines about a long step elsewhere. */
const clockInterval = 1_000;
const lineInterval = 10_000;

/** Runs the steps and shows each with its time; those that run side by side overlap in their times. */
export async function showSteps(
  steps: readonly Step[],
  style: StepsStyle,
  print: (line: string) => void,
): Promise<void> {
  if (style === "terminal") return onTerminal(steps);
  const json = style === "json";
  const saidAt = new Map<Step, number>();
  await runSteps(steps, {
    progress: (step, text) => {
      // The first lines of a short step say nothing that its end does not say.
      const said = saidAt.get(step);
      if (said === undefined) return saidAt.set(step, Date.now());
      if (Date.now() - said < lineInterval) return;
      saidAt.set(step, Date.now());
      print(json ? JSON.stringify({ event: "progress", part: step.title, text }) : `${step.title}: ${text}`);
    },
    ended: (_, outcome, from, to) => {
      const seconds = (to - from) / 1000;
      print(
        json
          ? JSON.stringify({ event: "started", part: outcome, seconds, from: from / 1000, to: to / 1000 })
          : `started ${times(from, to)}  ${outcome}`,
      );
    },
  });
}

/** From when to when, in seconds: `  0.9 –   8.8 s`. */
function times(from: number, to: number): string {
  const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(1).padStart(5);
  return `${seconds(from)} – ${seconds(to)} s`;
}

type Line = ListrTaskWrapper<unknown, never, never>;

/** A line for each step from the beginning: what it waits for, then its seconds, then from when to when it ran. */
async function onTerminal(steps: readonly Step[]): Promise<void> {
  const lines = new Map<Step, { task: Line; end: () => void; fail: (error: unknown) => void }>();
  const running = new Map<Step, number>();
  const tasks = steps.map((step): ListrTask => ({
    title: waiting(step),
    task: (_, task) =>
      new Promise<void>((resolve, reject) => {
        lines.set(step, { task: task as unknown as Line, end: resolve, fail: reject });
      }),
  }));
  const list = new Listr(tasks, {
    concurrent: true,
    exitOnError: false,
    // Its own listener would end the process with Ctrl-C, and leave everything that runs.
    registerSignalListeners: false,
    rendererOptions: { collapseErrors: false, showErrorMessage: false },
  }).run();
  const set = (step: Step, title: string) => {
    const line = lines.get(step);
    if (line) line.task.title = title;
  };
  const clock = setInterval(() => {
    for (const [step, since] of running) {
      set(step, `${step.title}  ${Math.round((performance.now() - since) / 1000)} s`);
    }
  }, clockInterval);
  try {
    await runSteps(steps, {
      begun: (step) => {
        running.set(step, performance.now());
        set(step, step.title);
      },
      progress: (step, text) => {
        const line = lines.get(step);
        if (line) line.task.output = text;
      },
      ended: (step, outcome, from, to) => {
        running.delete(step);
        set(step, `${times(from, to)}  ${outcome}`);
        lines.get(step)?.end();
      },
      failed: (step, error) => {
        running.delete(step);
        lines.get(step)?.fail(error);
      },
      left: (step) => {
        lines.get(step)?.task.skip(`${step.title} (not begun)`);
        lines.get(step)?.end();
      },
    });
  } finally {
    clearInterval(clock);
    await list;
  }
}

const waiting = ({ title, after = [] }: Step) =>
  after.length === 0 ? title : `${title} (after ${after.length > 3 ? "everything else" : after.map(short).join(", ")})`;

/** A title without its details. */
const short = (title: string) => title.split(":")[0] ?? title;
