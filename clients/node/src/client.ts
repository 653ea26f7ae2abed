import { inThisContext, outsideEveryActor, wantedHere } from "./actor";
import { carry, type Query } from "./carry";
import { restOf } from "./statements";
import { TransactionState } from "./transaction";

type Callback = (error: Error | null, result?: unknown) => void;

/** What this package uses of a client of node-postgres. */
interface PgClient {
  query(...call: unknown[]): unknown;
  connect(...call: unknown[]): unknown;
  readonly connection?: { emit(...event: unknown[]): unknown };
  /** Whether no query is under way. */
  readonly readyForQuery?: boolean;
  readonly pipeline?: boolean;
  getTransactionStatus?(): "I" | "T" | "E" | null;
  readonly constructor: unknown;
}

type QueryConstructor = new (
  config: unknown,
  values: unknown,
  callback: unknown,
) => Query & {
  callback?: Callback;
  queryMode?: string;
  query_timeout?: unknown;
};

const known = new WeakSet<object>();

/**
 * Makes a client of node-postgres say who acts, as {@link withActors} does for those of a pool.
 *
 * @returns The same client.
 * @throws TypeError if it is not a client of node-postgres in JavaScript.
 */
export function withActorsOnClient<Client extends object>(pgClient: Client): Client {
  if (known.has(pgClient)) return pgClient;
  const client = pgClient as unknown as PgClient;
  const Constructor = queryConstructor(client);
  known.add(pgClient);
  callBackOutsideEveryActor(client);
  const send = client.query.bind(client) as (...call: unknown[]) => unknown;
  const state = new TransactionState();
  client.query = (...call: unknown[]) => {
    const [config] = call;
    const text = textOf(config);
    const bound = call.map(inThisContext);
    if (text === undefined) return send(...bound);
    const status = client.readyForQuery ? client.getTransactionStatus?.() : undefined;
    if (status) state.synchronize(status !== "I");
    const announcement = state.next(text, wantedHere());
    if (!announcement) return send(...bound);
    if (isSubmittable(config)) {
      carry(config, announcement);
      return send(...bound);
    }
    const query = new Constructor(...(bound as [unknown, unknown, unknown]));
    // The one member that node-postgres reads from what it is given and does not take over into the query.
    query.query_timeout = (config as { query_timeout?: unknown }).query_timeout;
    // In pipeline mode an announcement that is refused would take a simple query's answer with it.
    if (client.pipeline && !restOf(text)) query.queryMode = "extended";
    carry(query, announcement);
    return query.callback ? void send(query) : promiseOf(query, () => send(query));
  };
  return pgClient;
}

/**
 * What comes from the socket runs in the context of whichever request opened the connection. So it is called outside every
 * actor, and only what a caller passes goes on in the caller's context.
 */
function callBackOutsideEveryActor(client: PgClient): void {
  const connection = client.connection as { emit(...event: unknown[]): unknown };
  const emit = connection.emit.bind(connection);
  connection.emit = (...event) => outsideEveryActor(() => emit(...event));
  const connect = client.connect.bind(client) as (...call: unknown[]) => unknown;
  client.connect = (...call) => connect(...call.map(inThisContext));
}

function queryConstructor(client: PgClient): QueryConstructor {
  const { Query } = client.constructor as { Query?: QueryConstructor };
  if (typeof client.query === "function" && client.connection && typeof Query?.prototype?.submit === "function")
    return Query;
  throw new TypeError(
    "@cdc-audit/actor takes a client or a pool of node-postgres (the package pg, version 8, without pg-native).",
  );
}

/** The text of what `client.query` was given; undefined for what it will refuse, and for an execution by name alone. */
function textOf(config: unknown): string | undefined {
  if (typeof config === "string") return config;
  const { text, cursor, values } = (config ?? {}) as { text?: unknown; cursor?: { text?: unknown }; values?: unknown };
  if (values !== undefined && values !== null && !Array.isArray(values)) return undefined;
  // pg-query-stream holds a cursor.
  const known = text ?? cursor?.text;
  return typeof known === "string" ? known : undefined;
}

const isSubmittable = (config: unknown): config is Query =>
  typeof config === "object" && config !== null && typeof (config as Query).submit === "function";

async function promiseOf(query: { callback?: Callback }, send: () => unknown): Promise<unknown> {
  try {
    return await new Promise((resolve, reject) => {
      query.callback = (error, result) => (error ? reject(error) : resolve(result));
      send();
    });
  } catch (error) {
    // As node-postgres does: the stack of the caller instead of the socket's.
    if (error instanceof Error) Error.captureStackTrace(error);
    throw error;
  }
}
