import { CompiledQuery, Kysely, PostgresDialect, type Transaction } from "kysely";
import pg from "pg";
import { withActors } from "../../src";
import { type Framework, type Session, type TransactionSession, versionOf } from "../framework";

interface Tables {
  items: { id: string; note: string | null };
}

const session = (database: Kysely<Tables>): Session => ({
  insert: (id) => database.insertInto("items").values({ id, note: "new" }).execute(),
  update: (id) =>
    database
      .updateTable("items")
      .set({ note: `${id}, changed` })
      .where("id", "=", id)
      .execute(),
  delete: (id) => database.deleteFrom("items").where("id", "=", id).execute(),
  run: (sql) => database.executeQuery(CompiledQuery.raw(sql)),
  count: () =>
    database
      .selectFrom("items")
      .select(({ fn }) => fn.countAll().as("count"))
      .execute(),
});

let savepoints = 0;
const transaction = (database: Transaction<Tables>): TransactionSession => ({
  ...session(database),
  // Its savepoints belong to transactions that are begun and ended by hand: these are their statements.
  savepoint: async (work) => {
    const name = `s${++savepoints}`;
    await database.executeQuery(CompiledQuery.raw(`savepoint "${name}"`));
    try {
      await work(transaction(database));
      await database.executeQuery(CompiledQuery.raw(`release savepoint "${name}"`));
    } catch (error) {
      await database.executeQuery(CompiledQuery.raw(`rollback to savepoint "${name}"`));
      throw error;
    }
  },
});

export const framework: Framework = {
  driver: `${versionOf("kysely")}, ${versionOf("pg")}`,
  connect(connectionString, max) {
    const database = new Kysely<Tables>({
      dialect: new PostgresDialect({ pool: withActors(new pg.Pool({ connectionString, max })) }),
    });
    return {
      ...session(database),
      transaction: ({ readOnly, isolation }, work) => {
        let builder = database.transaction();
        if (isolation) builder = builder.setIsolationLevel(isolation);
        if (readOnly) builder = builder.setAccessMode("read only");
        return builder.execute((inner) => work(transaction(inner)));
      },
      close: () => database.destroy(),
    };
  },
};
