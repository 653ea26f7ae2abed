/** One thing that keeps a database from being used, as phrases without a final stop. */
export interface Problem {
  /** What is wrong, with the value found. */
  readonly what: string;
  /** Why the pipeline needs it otherwise. */
  readonly why: string;
  /** What to do. */
  readonly fix: string;
}

/** The databases cannot be used as they are; nothing was touched. */
export class NotReadyError extends Error {
  constructor(
    summary: string,
    readonly problems: readonly Problem[],
  ) {
    super([summary, ...problems.map(({ what, why, fix }) => `- ${what}. ${why}. ${fix}.`)].join("\n"));
    this.name = "NotReadyError";
  }
}
