import { setTimeout as sleep } from "node:timers/promises";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { type ActorLike, carryActor, currentActor, runAs, runCarried } from "../src";
import type { Batch, Step } from "../../conformance/protocol";
import type { Connected, Framework, Session, TransactionSession } from "./framework";

/** An error of the driver's own, to roll back. */
class Rollback extends Error {}
/** `fail` was asked for. */
class Asked extends Error {}

type Work = () => Promise<void>;

/** A worker that was started outside every request, and does what it is handed. */
class Worker {
  private readonly queue: Work[] = [];
  private wake: () => void = () => undefined;

  constructor() {
    void this.serve();
  }

  hand(work: Work): Promise<void> {
    return new Promise((resolve, reject) => {
      this.queue.push(() => work().then(resolve, reject));
      this.wake();
    });
  }

  private async serve(): Promise<void> {
    for (;;) {
      const work = this.queue.shift();
      // Not awaited: one that waits for a connection must not keep others from theirs.
      if (work) void work();
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}

const worker = new Worker();
const isTransaction = (session: Session): session is TransactionSession => "savepoint" in session;
const ignore =
  (...kinds: (new () => Error)[]) =>
  (error: unknown) => {
    if (!kinds.some((kind) => error instanceof kind || (error as Error).cause instanceof kind)) throw error;
  };

async function doSteps(steps: readonly Step[], session: Session, pool: Connected): Promise<void> {
  for (const step of steps) await doStep(step, session, pool);
}

async function doStep(step: Step, session: Session, pool: Connected): Promise<unknown> {
  if ("insert" in step) return session.insert(step.insert);
  if ("update" in step) return session.update(step.update);
  if ("delete" in step) return session.delete(step.delete);
  if ("sql" in step) return session.run(step.sql);
  if ("read" in step) return session.count();
  if ("wait" in step) return sleep(step.wait);
  if ("lock" in step) return session.run("LOCK TABLE public.items IN SHARE ROW EXCLUSIVE MODE");
  if ("fail" in step) return fail(session);
  if ("as" in step) {
    const who: ActorLike = step.as === null ? null : { ...currentActor(), actor: step.as };
    return runAs(who, () => doSteps(step.steps, session, pool));
  }
  if ("lost" in step) return worker.hand(() => doSteps(step.lost, session, pool));
  if ("job" in step) {
    // As the name would travel through a queue: as JSON.
    const data = JSON.parse(JSON.stringify(carryActor({ steps: step.job })));
    return worker.hand(() => runCarried(data, () => doSteps(data.steps, session, pool)));
  }
  const inner = (block: readonly Step[], rollback?: true) => async (within: TransactionSession) => {
    await doSteps(block, within, pool);
    if (rollback) throw new Rollback();
  };
  if ("savepoint" in step) {
    if (!isTransaction(session)) throw new Error("A savepoint stands in no transaction.");
    return session.savepoint(inner(step.savepoint, step.rollback)).catch(ignore(Rollback, Asked));
  }
  const modes = { readOnly: step.readOnly === true, ...(step.isolation && { isolation: step.isolation }) };
  return pool.transaction(modes, inner(step.transaction, step.rollback)).catch(ignore(Rollback, Asked));
}

async function fail(session: Session): Promise<void> {
  const isSuccess = await session.run("SELECT 1/0").then(
    () => true,
    () => false,
  );
  if (isSuccess) throw new Error("SELECT 1/0 succeeded.");
  if (isTransaction(session)) throw new Asked();
}

function messageOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}

async function main(): Promise<void> {
  const name = process.argv[2] as string;
  const framework = ((await import(join(__dirname, "frameworks", `${name}.ts`))) as { framework: Framework }).framework;
  const write = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
  write({ driver: framework.driver, cannot: framework.cannot ?? {} });
  let open: { pool: Connected; connections: number } | undefined;
  for await (const line of createInterface(process.stdin)) {
    // Sent by the suite, whose types it has.
    const batch = JSON.parse(line) as Batch & { readonly id: number };
    if (!open || batch.fresh || open.connections !== batch.pool) {
      await open?.pool.close();
      open = { pool: await framework.connect(process.env.DATABASE_URL as string, batch.pool), connections: batch.pool };
    }
    const { pool } = open;
    const errors: { request: number; message: string }[] = [];
    const requests = batch.requests.map((request, place) => async () => {
      const { actor, request_id: requestId, context, steps } = request;
      const who: ActorLike =
        actor === null ? null : { actor, ...(requestId && { requestId }), ...(context && { context }) };
      await runAs(who, () => doSteps(steps, pool, pool)).catch((error: unknown) => {
        errors.push({ request: place, message: messageOf(error) });
      });
    });
    if (batch.concurrent) await Promise.all(requests.map((request) => request()));
    else for (const request of requests) await request();
    write({ id: batch.id, errors });
  }
  await open?.pool.close();
}

void main();
