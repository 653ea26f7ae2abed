import type { Batch, Isolation, Request, Step } from "./protocol";

/** Who a change is by, as the log would show it; null is nobody, so that the database's user stands there. */
export type Who = { readonly actor: string; readonly request_id?: string; readonly context?: object } | null;

/** A change that the log must show. */
export interface Expected {
  readonly operation: "insert" | "update" | "delete";
  readonly id: string;
  /** Any of these. */
  readonly by: readonly Who[];
  readonly isolation?: Isolation;
}

/** What a batch must leave. */
export interface Expectation {
  readonly changes: readonly Expected[];
  /** Who acts in it at all: a wrong name that is none of these is a leak from elsewhere. */
  readonly actors: ReadonlySet<string>;
}

interface Scope {
  /** Who acts here. */
  readonly by: readonly Who[];
  readonly isolation?: Isolation;
  readonly inTransaction?: true;
  /** For a client that gives a transaction the name at its first statement: shared by the steps of the transaction. */
  readonly transaction?: { first?: readonly Who[] };
}

class Failed extends Error {}

/** What a driver must have done for a batch, of a client that takes a second actor in a transaction or does not. */
export function expectationOf(batch: Batch, takesSecondActor: boolean): Expectation {
  const changes = batch.requests.flatMap((request) => {
    const scope: Scope = { by: [whoOf(request)] };
    return changesOf(request.steps, scope, takesSecondActor);
  });
  const actors = new Set(batch.requests.flatMap(({ actor, steps }) => [actor ?? [], actorsOf(steps)].flat()));
  return { changes, actors };
}

const whoOf = ({ actor, request_id, context }: Request): Who =>
  actor === null ? null : { actor, request_id, context };

function actorsOf(steps: readonly Step[]): string[] {
  return steps.flatMap((step) => {
    if ("as" in step) return [step.as ?? [], actorsOf(step.steps)].flat();
    return actorsOf(innerSteps(step));
  });
}

function innerSteps(step: Step): readonly Step[] {
  if ("transaction" in step) return step.transaction;
  if ("savepoint" in step) return step.savepoint;
  if ("lost" in step) return step.lost;
  return "job" in step ? step.job : [];
}

/** @throws Failed after `fail`, which the nearest block around it catches. */
function changesOf(steps: readonly Step[], scope: Scope, takesSecondActor: boolean): Expected[] {
  const inner = (some: readonly Step[], other: Scope) => changesOf(some, other, takesSecondActor);
  return steps.flatMap((step): Expected[] => {
    if ("transaction" in step) {
      const transaction = takesSecondActor ? undefined : {};
      return block(step, () =>
        inner(step.transaction, { ...scope, isolation: step.isolation, inTransaction: true, transaction }),
      );
    }
    if ("wait" in step) return [];
    if (scope.transaction && !("as" in step)) scope.transaction.first ??= scope.by;
    if ("savepoint" in step) return block(step, () => inner(step.savepoint, scope));
    if ("fail" in step && scope.inTransaction) throw new Failed();
    if ("as" in step) {
      const who: Who = step.as === null ? null : { ...scope.by[0], actor: step.as };
      return inner(step.steps, { ...scope, by: [who] });
    }
    if ("lost" in step) return inner(step.lost, { ...scope, by: [...scope.by, null] });
    if ("job" in step) return inner(step.job, scope);
    const by = scope.transaction?.first ?? scope.by;
    const { isolation } = scope;
    if ("insert" in step) return [{ operation: "insert", id: step.insert, by, isolation }];
    if ("update" in step) return [{ operation: "update", id: step.update, by }];
    if ("delete" in step) return [{ operation: "delete", id: step.delete, by }];
    return "sql" in step && step.writes ? [{ operation: "insert", id: step.writes, by }] : [];
  });
}

function block(step: { readonly rollback?: true }, changes: () => Expected[]): Expected[] {
  try {
    return step.rollback ? (changes(), []) : changes();
  } catch (error) {
    if (error instanceof Failed) return [];
    throw error;
  }
}
