import { type Announcement, inThisContext, literalText, wantedHere } from "./actor";
import { TransactionState } from "./transaction";

/** What this package uses of a query of postgres.js: it goes out when somebody waits for it. */
interface Query {
  readonly strings: readonly string[];
  readonly streaming?: boolean;
  executed: boolean;
  /** Sends it, on the connection of its transaction or on one of the pool. */
  handler: (query: Query) => unknown;
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
  forEach(...call: unknown[]): unknown;
  cursor(...call: unknown[]): unknown;
  catch(handle: () => void): unknown;
}

/** What this package uses of `sql`, of a transaction's, and of a reserved connection's. */
interface Sql {
  (...call: unknown[]): unknown;
  unsafe(text: string, parameters?: unknown[], options?: object): Query;
  begin?(...call: unknown[]): Promise<unknown>;
  savepoint?(...call: unknown[]): Promise<unknown>;
  reserve?(): Promise<Sql>;
}

/**
 * Makes postgres.js say who acts: each transaction of `sql.begin` announces the actor of {@link runAs} together with its first
 * statement, and a single writing statement runs in a transaction of its own. Without an actor it does what it did.
 *
 * @param sql As `postgres()` makes it.
 * @returns It, wrapped: use this one.
 */
export function sqlWithActors<Tagged extends object>(sql: Tagged): Tagged {
  const wrapped = sql as unknown as Sql;
  if (typeof wrapped !== "function" || typeof wrapped.unsafe !== "function" || typeof wrapped.begin !== "function") {
    throw new TypeError("@cdc-audit/actor: sqlWithActors takes what postgres() of postgres.js makes.");
  }
  return wrap(wrapped, {
    send: (query, handler) => sendBare(wrapped, query, handler),
    begin: (...call) => {
      const [options, work] = call.length > 1 ? (call as [string, Work]) : ["", call[0] as Work];
      const state = new TransactionState();
      state.next(`begin ${options}`, undefined);
      return wrapped.begin?.(options, (inner: Sql) => work(transaction(inner, state)));
    },
    reserve: async () => transaction((await wrapped.reserve?.()) as Sql, new TransactionState()),
  }) as unknown as Tagged;
}

type Work = (sql: Sql) => unknown;
type Handler = (query: Query) => unknown;

interface Replacements {
  /** Sends a query, with what sent it before. */
  send(query: Query, handler: Handler): unknown;
  begin?(...call: unknown[]): unknown;
  savepoint?(...call: unknown[]): unknown;
  reserve?(): unknown;
}

function wrap(sql: Sql, replacements: Replacements): Sql {
  const { send, ...members } = replacements;
  const observed = (made: unknown) => {
    if (!isQuery(made)) return made;
    const { handler } = made;
    made.handler = (query) => send(query, handler);
    // The socket would call them in the context of whichever request opened the connection.
    for (const name of ["forEach", "cursor"] as const) {
      const called = made[name].bind(made) as (...call: unknown[]) => unknown;
      made[name] = (...call) => called(...call.map(inThisContext));
    }
    return made;
  };
  return new Proxy(sql, {
    apply: (target, self, call: unknown[]) => observed(Reflect.apply(target, self, call)),
    get(target, name, receiver) {
      if (name in members) return members[name as keyof typeof members];
      const member: unknown = Reflect.get(target, name, receiver === undefined ? target : target);
      if (name !== "unsafe" && name !== "file") return member;
      return (...call: unknown[]) => observed((member as (...call: unknown[]) => unknown).apply(target, call));
    },
  });
}

function transaction(sql: Sql, state: TransactionState): Sql {
  return wrap(sql, {
    send: (query, handler) => {
      const wasOpen = state.isOpen;
      const announcement = state.next(textOf(query), wantedHere());
      if (announcement && !wasOpen) return sendReserved(sql, query, handler, announcement, state.isOpen);
      if (announcement) sendNow(sql, literalText(announcement));
      return handler(query);
    },
    savepoint: async (...call) => {
      const [name, work] = call.length > 1 ? (call as [string, Work]) : [undefined, call[0] as Work];
      const announcement = state.next("savepoint", wantedHere());
      if (announcement) sendNow(sql, literalText(announcement));
      const inner = (within: Sql) => work(transaction(within, state));
      try {
        return await (name === undefined ? sql.savepoint?.(inner) : sql.savepoint?.(name, inner));
      } catch (error) {
        state.next("rollback to savepoint", undefined);
        throw error;
      }
    },
  });
}

/** Sends a text on the connection of a transaction, before what is sent next. If it fails, so does the transaction. */
function sendNow(sql: Sql, text: string): Query {
  const query = sql.unsafe(text, [], { simple: true, prepare: false });
  query.executed = true;
  // What is sent next fails as well, and somebody waits for that.
  query.catch(() => undefined);
  query.handler(query);
  return query;
}

/**
 * Sends a bare write on a reserved connection in a transaction of its own, unless it begins one that goes on. All of it is
 * handed over at once, so that nothing else on the connection gets between.
 */
async function sendReserved(
  sql: Sql,
  query: Query,
  handler: Handler,
  announcement: Announcement,
  goesOn: boolean,
): Promise<unknown> {
  if (query.streaming) return handler(query);
  const { resolve, reject } = query;
  const begun = sendNow(sql, `BEGIN; ${literalText(announcement)}`);
  const done = new Promise((fulfil, fail) => {
    query.resolve = fulfil;
    query.reject = fail;
    handler(query);
  });
  const committed = goesOn ? undefined : sendNow(sql, "COMMIT");
  // Whoever waits for it goes on when it is committed. The first that failed is what the others failed by.
  const outcomes = await Promise.allSettled([begun, done, committed]);
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  return failed ? reject(failed.reason) : resolve(await done);
}

async function sendBare(sql: Sql, query: Query, handler: Handler): Promise<unknown> {
  const announcement = new TransactionState().next(textOf(query), wantedHere());
  // A stream is open for longer than its statement is awaited.
  if (!announcement || query.streaming) return handler(query);
  const { resolve, reject } = query;
  const done = sql.begin?.(
    (inner: Sql) =>
      new Promise((fulfil, fail) => {
        const { handler: send } = inner.unsafe("");
        sendNow(inner, literalText(announcement));
        // Whoever waits for it goes on when it is committed.
        query.resolve = fulfil;
        query.reject = fail;
        send(query);
      }),
  );
  return done?.then(resolve, reject);
}

const isQuery = (made: unknown): made is Query =>
  typeof made === "object" && made !== null && typeof (made as Query).handler === "function" && "strings" in made;

/** Its beginning, which tells what kind it is, with a blank for each parameter. */
const textOf = ({ strings }: Query) => strings.join(" ");
