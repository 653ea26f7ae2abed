import pg from "pg";
import { withActors } from "../../src";
import { type Framework, type Session, type TransactionSession, versionOf } from "../framework";

type Queryable = Pick<pg.Pool, "query"> | pg.PoolClient;

const session = (client: Queryable): Session => ({
  insert: (id) => client.query("INSERT INTO items (id, note) VALUES ($1, $2)", [id, "new"]),
  update: (id) =>
    client.query({
      ...(process.env.ACTORS_POOLER ? {} : { name: "update-item" }),
      text: "UPDATE items SET note = note || '.' WHERE id = $1",
      values: [id],
    }),
  delete: (id) => client.query("DELETE FROM items WHERE id = $1", [id]),
  run: (sql) => client.query(sql),
  count: () => client.query("SELECT count(*) FROM items"),
});

let savepoints = 0;
const transaction = (client: pg.PoolClient): TransactionSession => ({
  ...session(client),
  savepoint: async (work) => {
    const name = `s${++savepoints}`;
    await client.query(`SAVEPOINT ${name}`);
    try {
      await work(transaction(client));
      await client.query(`RELEASE ${name}`);
    } catch (error) {
      await client.query(`ROLLBACK TO ${name}`);
      throw error;
    }
  },
});

export const framework: Framework = {
  driver: versionOf("pg"),
  connect(connectionString, max) {
    const pool = withActors(new pg.Pool({ connectionString, max }));
    return {
      ...session(pool),
      close: () => pool.end(),
      transaction: async ({ readOnly, isolation }, work) => {
        const client = await pool.connect();
        try {
          await client.query(readOnly ? "BEGIN READ ONLY" : "BEGIN");
          if (isolation) await client.query(`SET TRANSACTION ISOLATION LEVEL ${isolation.toUpperCase()}`);
          await work(transaction(client));
          await client.query("COMMIT");
        } catch (error) {
          await client.query("ROLLBACK");
          throw error;
        } finally {
          client.release();
        }
      },
    };
  },
};
