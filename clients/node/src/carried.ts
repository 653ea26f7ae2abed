import { type Actor, currentActor, runAs } from "./actor";

/** Where the actor stands in the data of a job. */
const member = "cdcAuditActor";

/**
 * Adds who acts to the data of a job, so that the name travels with the work through any queue that takes JSON, such as
 * BullMQ: `queue.add("invoice", carryActor({ order: 7 }))`.
 */
export function carryActor<Data extends object>(data: Data): Data {
  const actor = currentActor();
  return actor ? { ...data, [member]: actor } : data;
}

/**
 * Does a job in the name of who gave it, or of nobody if {@link carryActor} did not see anybody.
 *
 * @param data Of the job, as `carryActor` made it.
 */
export function runCarried<Result>(data: object, work: () => Result): Result {
  return runAs((data as { [member]?: Actor })[member], work);
}

/** A processor for BullMQ's worker that does each job in the name of who added it: `new Worker("mail", asCarried(send))`. */
export function asCarried<Job extends { readonly data: object }, Rest extends unknown[], Result>(
  processor: (job: Job, ...rest: Rest) => Result,
): (job: Job, ...rest: Rest) => Result {
  return (job, ...rest) => runCarried(job.data, () => processor(job, ...rest));
}
