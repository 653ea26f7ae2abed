/** A step of a request; README.md says what a driver does for each. */
export type Step =
  | { readonly insert: string }
  | { readonly update: string }
  | { readonly delete: string }
  | { readonly sql: string; readonly writes?: string }
  | { readonly read: true }
  | Transaction
  | { readonly savepoint: readonly Step[]; readonly rollback?: true }
  | { readonly fail: true }
  | { readonly lock: true }
  | { readonly wait: number }
  | { readonly as: string | null; readonly steps: readonly Step[] }
  | { readonly lost: readonly Step[] }
  | { readonly job: readonly Step[] };

export interface Transaction {
  readonly transaction: readonly Step[];
  readonly rollback?: true;
  readonly readOnly?: true;
  readonly isolation?: Isolation;
}
export type Isolation = "read committed" | "repeatable read" | "serializable";

/** What a web request would be. */
export interface Request {
  /** Null: nobody is signed in. */
  readonly actor: string | null;
  readonly request_id?: string;
  readonly context?: Readonly<Record<string, unknown>>;
  readonly steps: readonly Step[];
}

/** Requests that a driver is asked for at once. */
export interface Batch {
  readonly pool: number;
  readonly fresh?: boolean;
  readonly concurrent?: boolean;
  readonly requests: readonly Request[];
}

/** What a framework may have no way to do. */
export const features = [
  "transaction",
  "savepoint",
  "readOnly",
  "isolation",
  "sql",
  "lock",
  "lost",
  "job",
  "secondActor",
] as const;
export type Feature = (typeof features)[number];

/** The first line of a driver. */
export interface Greeting {
  /** The framework and its version. */
  readonly driver: string;
  /** What it can't do, each with the reason. */
  readonly cannot: Partial<Record<Feature, string>>;
}

/** The answer to a batch. */
export interface Answer {
  readonly id: number;
  /** The requests that failed when nothing asked for it. */
  readonly errors: readonly { readonly request: number; readonly message: string }[];
}

/** The features that steps need. */
export function featuresOf(steps: readonly Step[], inTransaction = false): Feature[] {
  return steps.flatMap((step): Feature[] => {
    if ("transaction" in step) {
      const { readOnly, isolation, transaction } = step;
      return [
        "transaction",
        ...(readOnly ? (["readOnly"] as const) : []),
        ...(isolation ? (["isolation"] as const) : []),
        ...featuresOf(transaction, true),
      ];
    }
    if ("savepoint" in step) return ["savepoint", ...featuresOf(step.savepoint, true)];
    if ("as" in step)
      return [...(inTransaction ? (["secondActor"] as const) : []), ...featuresOf(step.steps, inTransaction)];
    if ("lost" in step) return ["lost", ...featuresOf(step.lost)];
    if ("job" in step) return ["job", ...featuresOf(step.job)];
    if ("sql" in step) return ["sql"];
    if ("lock" in step) return ["lock"];
    return [];
  });
}
