import postgres from "postgres";
import { sqlWithActors } from "../../src";
import { type Framework, type Session, type TransactionSession, versionOf } from "../framework";

type Tagged = postgres.Sql | postgres.TransactionSql;

const session = (sql: Tagged): Session => ({
  insert: async (id) => sql`INSERT INTO items ${(sql as postgres.Sql)({ id, note: "new" })}`,
  update: async (id) => sql`UPDATE items SET note = note || '.' WHERE id = ${id}`,
  delete: async (id) => sql`DELETE FROM items WHERE id = ${id}`,
  run: async (text) => sql.unsafe(text),
  count: async () => sql`SELECT count(*) FROM items`,
});

const transaction = (sql: postgres.TransactionSql): TransactionSession => ({
  ...session(sql),
  savepoint: (work) => sql.savepoint((inner) => work(transaction(inner))),
});

export const framework: Framework = {
  driver: versionOf("postgres"),
  connect(url, max) {
    const sql = sqlWithActors(postgres(url, { max, onnotice: () => undefined }));
    return {
      ...session(sql),
      transaction: ({ readOnly, isolation }, work) => {
        const modes = [isolation && `isolation level ${isolation}`, readOnly && "read only"].filter(Boolean).join(" ");
        return sql.begin(modes, (inner) => work(transaction(inner)));
      },
      close: () => sql.end(),
    };
  },
};
