/** Milliseconds in which one Ctrl-C may come twice: from the terminal, and passed on by npm. */
const echo = 500;

/** Milliseconds between two looks at whether npm is still there. */
const parentInterval = 1_000;

/**
 * Whatever asks the command to end: a signal, a closed terminal or pipe, an error that nobody has caught. None of them ends
 * the process itself: the command stops in order, however often it is asked.
 */
export class StopRequest {
  private readonly controller = new AbortController();
  private requestedAt = 0;
  /** The error that nobody caught, if one was the reason. */
  failure: string | undefined;

  /** @param again called when it is asked once more. */
  constructor(private readonly again: () => void) {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => this.request());
    // A pipe whose reader has ended, or a terminal that is gone: nothing that is printed from then on reaches anybody.
    for (const stream of [process.stdout, process.stderr]) stream.on("error", () => this.controller.abort());
    this.watchNpm();
    for (const event of ["uncaughtException", "unhandledRejection"] as const) {
      process.on(event, (error: unknown) => {
        this.failure ??= error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.request();
      });
    }
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** npm waits for the command, and passes some signals on. One that is killed can't. */
  private watchNpm(): void {
    if (process.env["npm_lifecycle_event"] === undefined) return;
    const parent = process.ppid;
    const timer = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(timer);
      this.request();
    }, parentInterval);
    timer.unref();
  }

  request(): void {
    if (this.signal.aborted && Date.now() - this.requestedAt > echo) this.again();
    this.requestedAt = Date.now();
    this.controller.abort();
  }
}
