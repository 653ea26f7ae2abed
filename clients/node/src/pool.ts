import { AsyncResource } from "node:async_hooks";
import { withActorsOnClient } from "./client";

type ConnectCallback = (error: Error | undefined, client: object | undefined, release: unknown) => void;

const known = new WeakSet<object>();

/**
 * Makes a pool of node-postgres say who acts: each transaction that may change something announces the actor of
 * {@link runAs} together with its first statement, and a single writing statement does the same in a transaction of the two.
 * Without an actor the pool does what it did.
 *
 * @param pool Of `pg.Pool`. Clients that it made before are taken as well.
 * @returns The same pool.
 * @throws TypeError if it is no pool of node-postgres; at its first client if that is one of pg-native.
 */
export function withActors<Pool extends object>(pool: Pool): Pool {
  if (known.has(pool)) return pool;
  const { connect } = pool as { connect?: unknown };
  if (typeof connect !== "function") {
    throw new TypeError("@cdc-audit/actor: withActors takes a pool of node-postgres, such as new pg.Pool().");
  }
  known.add(pool);
  (pool as { connect: unknown }).connect = (callback?: ConnectCallback) => {
    if (!callback) return (connect.call(pool) as Promise<object>).then(withActorsOnClient);
    // A request that waits for a client is called back in the context of another one.
    const bound = AsyncResource.bind(callback);
    return connect.call(pool, (error: Error | undefined, client: object | undefined, release: unknown) => {
      bound(error, client && withActorsOnClient(client), release);
    });
  };
  return pool;
}

/**
 * node-postgres whose clients and pools say who acts, for libraries that make them themselves: Sequelize takes it as
 * `dialectModule`, TypeORM as `driver`, and Knex from the `_driver()` of its dialect.
 *
 * @param pg The module, as `import pg from "pg"` gives it.
 */
export function pgWithActors<
  Pg extends { Client: new (...options: never[]) => object; Pool: new (...options: never[]) => object },
>(pg: Pg): Pg {
  class Client extends (pg.Client as unknown as new (...options: unknown[]) => object) {
    constructor(...options: unknown[]) {
      super(...options);
      withActorsOnClient(this);
    }
  }
  class Pool extends (pg.Pool as unknown as new (...options: unknown[]) => object) {
    constructor(...options: unknown[]) {
      super(...options);
      withActors(this);
    }
  }
  // The module's own members are getters that a copy by spread would lose or run: pg.native loads a package.
  return Object.create(pg, {
    Client: { value: Client, enumerable: true },
    Pool: { value: Pool, enumerable: true },
  }) as Pg;
}
