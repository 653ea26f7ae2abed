/** A step of a longer work. It begins as soon as those before it have ended. */
export interface Step {
  readonly title: string;
  /** Titles of the steps that must have ended. Default: none. */
  readonly after?: readonly string[];
  /** May return another title, which says what came of it. Reports how far it is as often as it likes. */
  readonly run: (progress: (text: string) => void) => Promise<string | void>;
}

/** Called as the steps go on; times are milliseconds since the first one began. */
export interface StepsObserver {
  readonly begun?: (step: Step, at: number) => void;
  readonly progress?: (step: Step, text: string) => void;
  readonly ended?: (step: Step, outcome: string, from: number, to: number) => void;
  readonly failed?: (step: Step, error: unknown) => void;
  /** A step before it failed. */
  readonly left?: (step: Step) => void;
}

/**
 * Runs the steps, as many at once as their order allows. When one fails, no other begins; the error of the first comes once
 * all that had begun have ended.
 */
export async function runSteps(steps: readonly Step[], observer: StepsObserver = {}): Promise<void> {
  const begin = performance.now();
  const ends = new Map<string, Promise<void>>();
  const errors: unknown[] = [];
  const at = () => performance.now() - begin;
  const run = async (step: Step) => {
    await Promise.all((step.after ?? []).map((title) => endOf(ends, step, title)));
    if (errors.length > 0) return observer.left?.(step);
    const from = at();
    observer.begun?.(step, from);
    try {
      const outcome = await step.run((text) => observer.progress?.(step, text));
      observer.ended?.(step, outcome ?? step.title, from, at());
    } catch (error) {
      errors.push(error);
      observer.failed?.(step, error);
    }
  };
  for (const step of steps) ends.set(step.title, run(step));
  await Promise.all(ends.values());
  if (errors.length > 0) throw errors[0];
}

function endOf(ends: ReadonlyMap<string, Promise<void>>, step: Step, title: string): Promise<void> {
  const end = ends.get(title);
  if (!end) throw new Error(`${step.title} comes after ${title}, which is no step before it.`);
  return end;
}

/** Steps that can be abandoned: those under way are waited for, and no other begins. */
export class AbandonableSteps {
  private readonly abandoning = new AbortController();
  private readonly underWay = new Set<Promise<unknown>>();

  /** Aborted by {@link abandon}. */
  get signal(): AbortSignal {
    return this.abandoning.signal;
  }

  get anyUnderWay(): boolean {
    return this.underWay.size > 0;
  }

  step(title: string, after: readonly string[], work: () => Promise<string | void>): Step {
    const run = async () => {
      this.signal.throwIfAborted();
      const running = work();
      this.underWay.add(running);
      try {
        return await running;
      } finally {
        this.underWay.delete(running);
      }
    };
    return { title, after, run };
  }

  abandon(): void {
    this.abandoning.abort(new Error("It was asked to stop."));
  }

  /** Waits until no step is under way, however each of them ends. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.underWay);
  }

  /** The result of work that need not end, until the steps are abandoned. */
  async unlessAbandoned<Result>(work: Promise<Result>): Promise<Result> {
    const { promise, reject } = Promise.withResolvers<never>();
    const abandoned = () => reject(this.signal.reason as Error);
    this.signal.addEventListener("abort", abandoned, { once: true });
    try {
      return await Promise.race([work, promise]);
    } finally {
      this.signal.removeEventListener("abort", abandoned);
    }
  }
}
