import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";

/** Who acts, and why. */
export interface Actor {
  /** A user name, an e-mail address, the name of a job: 1 to 600 characters. */
  readonly actor: string;
  /** The request of which this is a part. */
  readonly requestId?: string | undefined;
  /** What else the log shall say, an object as JSON: at most 16,000 characters. */
  readonly context?: Readonly<Record<string, unknown>> | undefined;
}

/** Nobody is signed in, or it is not known who is: changes bear the name of the database's user. */
export type Nobody = null | undefined;

/** An actor, its name alone, or nobody. */
export type ActorLike = Actor | string | Nobody;

/** Asked at each statement, so that a user who signs in during the request is known from then on. */
export type ActorSource = () => ActorLike;

/** One per process, however many copies of this package are loaded. */
const key = Symbol.for("@cdc-audit/actor");
const shared = globalThis as { [key]?: AsyncLocalStorage<ActorSource | undefined> };
const storage = (shared[key] ??= new AsyncLocalStorage<ActorSource | undefined>());

/**
 * Runs `work`, and everything that it awaits or calls later, in the name of an actor. It can stand within another: an
 * administrator who acts for a customer, or `null` for what nobody shall be named for.
 *
 * @returns What `work` returns.
 */
export function runAs<Result>(actor: ActorLike | ActorSource, work: () => Result): Result {
  return storage.run(typeof actor === "function" ? actor : () => actor, work);
}

/** Runs `work` as code that stands in no {@link runAs}, whatever called it. */
export function outsideEveryActor<Result>(work: () => Result): Result {
  return storage.run(undefined, work);
}

/** What a caller passes: a callback goes on in the context of the call, also where nobody acts. */
export const inThisContext = (argument: unknown) =>
  typeof argument === "function" ? AsyncResource.bind(argument as (...values: unknown[]) => unknown) : argument;

/** Who acts here, or undefined. */
export function currentActor(): Actor | undefined {
  const said = storage.getStore()?.();
  const actor = typeof said === "string" ? { actor: said } : said;
  return actor?.actor.trim() ? actor : undefined;
}

/** The parameters of `capture.announce`, as texts or null. An actor that is null takes back who was named before. */
export type Announcement = readonly [actor: string | null, requestId: string | null, context: string | null];

/** The call that says who acts, with a place for each text of an {@link Announcement}. */
export const announceText = "SELECT capture.announce($1::text, $2::text, $3::jsonb)";

const nobody: Announcement = [null, null, null];

/** What to say for who acts here: undefined outside every {@link runAs}, where it is not known whether anybody does. */
export function wantedHere(): Announcement | undefined {
  if (!storage.getStore()) return undefined;
  const actor = currentActor();
  return actor ? announcementOf(actor) : nobody;
}

/** Whether an announcement names nobody. */
export const namesNobody = ([actor]: Announcement) => actor === null;

function announcementOf(actor: Actor): Announcement {
  const { requestId, context } = actor;
  const isSaid = context !== undefined && Object.keys(context).length > 0;
  return [actor.actor, requestId ?? null, isSaid ? JSON.stringify(context) : null];
}

/** Whether two announcements say the same. */
export function saysTheSame(one: Announcement, other: Announcement | undefined): boolean {
  return other !== undefined && one.every((text, place) => text === other[place]);
}

/** An announcement as a text without parameters. */
export function literalText(announcement: Announcement): string {
  const literal = (text: string | null) =>
    text === null ? "NULL" : `E'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
  return announceText.replace(/\$(\d)/g, (_, place: string) => literal(announcement[Number(place) - 1] ?? null));
}
