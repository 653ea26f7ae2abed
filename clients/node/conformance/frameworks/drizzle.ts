import { eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { type PgDatabase, type PgQueryResultHKT, type PgTransaction, pgTable, text } from "drizzle-orm/pg-core";
import pg from "pg";
import { withActors } from "../../src";
import { type Connected, type Framework, type Session, type TransactionSession, versionOf } from "../framework";

const items = pgTable("items", { id: text().primaryKey(), note: text() });

/* eslint-disable @typescript-eslint/no-explicit-any -- the types of its results differ between drivers */
type Database = PgDatabase<PgQueryResultHKT, any, any>;
type Transaction = PgTransaction<PgQueryResultHKT, any, any>;

const session = (database: Database): Session => ({
  insert: async (id) => database.insert(items).values({ id, note: "new" }),
  update: async (id) =>
    database
      .update(items)
      .set({ note: `${id}, changed` })
      .where(eq(items.id, id)),
  delete: async (id) => database.delete(items).where(eq(items.id, id)),
  run: async (text) => database.execute(sql.raw(text)),
  count: async () => database.$count(items),
});

const transaction = (database: Transaction): TransactionSession => ({
  ...session(database),
  savepoint: (work) => database.transaction((inner) => work(transaction(inner))),
});

/** A database of Drizzle, over whichever driver. */
export function connected(database: Database, close: () => Promise<void>): Connected {
  return {
    ...session(database),
    transaction: ({ readOnly, isolation }, work) =>
      database.transaction(
        (inner) => work(transaction(inner)),
        // Over postgres.js it sends a statement without an end for an empty object.
        readOnly || isolation
          ? { ...(readOnly && { accessMode: "read only" }), ...(isolation && { isolationLevel: isolation }) }
          : undefined,
      ),
    close,
  };
}

export const framework: Framework = {
  driver: `${versionOf("drizzle-orm")}, ${versionOf("pg")}`,
  connect(connectionString, max) {
    const pool = withActors(new pg.Pool({ connectionString, max }));
    return connected(drizzle(pool), () => pool.end());
  },
};
