import knex, { type Knex } from "knex";
import pg from "pg";
import { pgWithActors } from "../../src";
import { type Framework, type Session, type TransactionSession, versionOf } from "../framework";

const session = (database: Knex): Session => ({
  insert: async (id) => database("items").insert({ id, note: "new" }),
  update: async (id) =>
    database("items")
      .where({ id })
      .update({ note: `${id}, changed` }),
  delete: async (id) => database("items").where({ id }).delete(),
  run: async (sql) => database.raw(sql),
  count: async () => database("items").count(),
});

const transaction = (database: Knex.Transaction): TransactionSession => ({
  ...session(database),
  savepoint: (work) => database.transaction((inner) => work(transaction(inner))),
});

export const framework: Framework = {
  driver: `${versionOf("knex")}, ${versionOf("pg")}`,
  connect(connection, max) {
    const database = knex({ client: "pg", connection, pool: { min: 0, max } });
    // Knex has a pool of its own, and makes its clients by this module.
    database.client.driver = pgWithActors(pg);
    return {
      ...session(database),
      transaction: ({ readOnly, isolation }, work) =>
        database.transaction((inner) => work(transaction(inner)), {
          ...(readOnly && { readOnly }),
          ...(isolation && { isolationLevel: isolation }),
        }),
      close: () => database.destroy(),
    };
  },
};
