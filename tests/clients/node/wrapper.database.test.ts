import { AsyncLocalStorage } from "node:async_hooks";
import pg, { Client, Pool, type PoolClient, Query } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ConformanceDatabase, environmentOf } from "../../../clients/conformance/database";
import { currentActor, pgWithActors, runAs, withActors, withActorsOnClient } from "../../../clients/node/src";

let database: ConformanceDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await ConformanceDatabase.start();
});

afterAll(() => database.stop());

beforeEach(async () => {
  pool = withActors(new Pool({ connectionString: environmentOf(database.login).DATABASE_URL, max: 1 }));
  await pool.query("DELETE FROM items");
  await database.changes();
  return () => pool.end();
});

const names = async () => (await database.changes()).map(({ id, by }) => `${id} ${by?.actor}`);
const insert = (id: string) => ({ text: "INSERT INTO items (id) VALUES ($1) RETURNING id", values: [id] });

/** How often the client waits for the server during `work`. */
async function trips(client: PoolClient, work: () => Promise<unknown>): Promise<number> {
  const { connection } = client as unknown as { connection: NodeJS.EventEmitter };
  let count = 0;
  const counting = () => count++;
  connection.on("readyForQuery", counting);
  await work();
  connection.off("readyForQuery", counting);
  return count;
}

describe("A wrapped pool", () => {
  it("makes no trip more than without names, in a transaction and for a bare write", async () => {
    const client = await pool.connect();
    const work = async () => {
      await client.query(insert("bare"));
      await client.query("BEGIN");
      await client.query(insert("a"));
      await client.query("SELECT 1");
      await client.query("COMMIT");
    };
    const unnamed = await trips(client, work);
    await client.query("DELETE FROM items");
    await database.changes();
    expect([await trips(client, () => runAs("alice", work)), unnamed]).toEqual([5, 5]);
    client.release();
    expect(await names()).toEqual(["bare alice", "a alice"]);
  });

  it("gives the results that it gave, in every form of a call", async () => {
    await runAs("alice", async () => {
      const named = { ...insert("a"), name: "add-item" };
      expect((await pool.query(named)).rows).toEqual([{ id: "a" }]);
      expect((await pool.query({ ...named, values: ["b"] })).rows).toEqual([{ id: "b" }]);
      expect((await pool.query({ ...insert("c"), rowMode: "array" })).rows).toEqual([["c"]]);
      const several = "INSERT INTO items (id) VALUES ('d') RETURNING id; UPDATE items SET note = 'x' WHERE id = 'd'";
      const results = (await pool.query(several)) as unknown as { command: string; rowCount: number }[];
      expect(results.map(({ command, rowCount }) => `${command} ${rowCount}`)).toEqual(["INSERT 1", "UPDATE 1"]);
      const called = new Promise((done, fail) =>
        pool.query(insert("e"), (error, result) => (error ? fail(error) : done(result.rows))),
      );
      expect(await called).toEqual([{ id: "e" }]);
      await pool.query("BEGIN; INSERT INTO items (id) VALUES ('f'); COMMIT");
    });
    expect(await names()).toEqual(["a alice", "b alice", "c alice", "d alice", "d alice", "e alice", "f alice"]);
  });

  it("calls back in the context of the call", async () => {
    const own = new AsyncLocalStorage<string>();
    // The connection is made in another's context.
    await own.run("first", () => runAs("alice", () => pool.query("SELECT 1")));
    const client = await pool.connect();
    const seen = await own.run("second", () =>
      runAs(
        "bob",
        () => new Promise((done) => client.query("SELECT 1", () => done([own.getStore(), currentActor()?.actor]))),
      ),
    );
    client.release();
    expect(seen).toEqual(["second", "bob"]);
  });

  it("gives nobody the name of the request that opened the connection", async () => {
    const write = (id: string, client: PoolClient) =>
      new Promise<void>((done, fail) => client.query(insert(id), (error) => (error ? fail(error) : done())));
    const withClient = async (client: PoolClient) => {
      await new Promise<void>((done) => client.query("SELECT 1", () => done(write("outside", client))));
      await runAs(null, () => new Promise((done) => client.query("SELECT 1", () => done(write("nobody", client)))));
      await runAs("bob", async () => {
        const query = client.query(new Query("SELECT 1"));
        await new Promise<void>((done) => query.on("end", () => done(write("event", client))));
        await write("bob", client);
      });
    };
    await runAs("alice", () => pool.query("SELECT 1"));
    const client = await pool.connect();
    await withClient(client);
    client.release();
    const unnamed = ["outside", "nobody", "event"].map((id) => `${id} application`);
    expect(await names()).toEqual([...unnamed, "bob bob"]);

    const own = new (pgWithActors(pg).Client)(environmentOf(database.login).DATABASE_URL);
    // What is passed to connect still acts as who called.
    expect(await runAs("alice", () => new Promise((done) => own.connect(() => done(currentActor()))))).toEqual({
      actor: "alice",
    });
    await own.query("DELETE FROM items");
    await database.changes();
    await withClient(own as unknown as PoolClient);
    await own.end();
    expect(await names()).toEqual([...unnamed, "bob bob"]);
  });

  it("fails a statement when the database refuses the name, and serves the next one", async () => {
    const long = "x".repeat(601);
    const client = await pool.connect();
    for (const text of ["INSERT INTO items (id) VALUES ('a')", insert("a"), { ...insert("a"), name: "add" }]) {
      await expect(runAs(long, () => client.query(text as string))).rejects.toThrow("actor has 601 characters");
      await runAs("alice", () => client.query({ ...insert("b"), name: "add" }));
      await client.query("DELETE FROM items");
    }
    await client.query("BEGIN");
    await expect(runAs(long, () => client.query("SELECT 1"))).rejects.toThrow("actor has 601 characters");
    await client.query("ROLLBACK");
    expect((await client.query("SELECT 2 AS two")).rows).toEqual([{ two: 2 }]);
    client.release();
  });

  it("names a statement that fails itself by its own error, and serves the next one", async () => {
    await runAs("alice", async () => {
      await pool.query(insert("a"));
      await expect(pool.query(insert("a"))).rejects.toThrow("duplicate key");
      await expect(pool.query("INSERT INTO nothing VALUES (1)")).rejects.toThrow("nothing");
      await pool.query(insert("b"));
    });
    expect(await names()).toEqual(["a alice", "b alice"]);
  });

  it("keeps the name of a query that node-postgres refuses from the next one", async () => {
    const client = await pool.connect();
    await client.query({ ...insert("a"), name: "add" });
    const refused = [
      { name: "add", text: "INSERT INTO items (id, note) VALUES ($1, 'x')", values: ["b"] },
      Object.assign(new Query("INSERT INTO items (id) VALUES ($1)"), { submit: () => new Error("unique") }),
      Object.assign(new Query("INSERT INTO items (id) VALUES ('b')"), {
        submit: () => {
          throw new Error("unique");
        },
      }),
    ];
    for (const [place, query] of refused.entries()) {
      const failed = runAs("alice", () => new Promise((done) => client.query(query as pg.QueryConfig, done)));
      const next = client.query(insert(`next-${place}`));
      expect(String(await failed)).toContain("unique");
      expect((await next).rows).toEqual([{ id: `next-${place}` }]);
    }
    await runAs("bob", () => client.query({ ...insert("c"), name: "add" }));
    client.release();
    expect(await names()).toEqual([
      "a application",
      ...refused.map((_, place) => `next-${place} application`),
      "c bob",
    ]);
  });

  it("prepares a named statement again when its text could not be parsed", async () => {
    const client = await pool.connect();
    const late = { name: "late", text: "INSERT INTO late (id) VALUES ($1)", values: ["a"] };
    await runAs("alice", () => expect(client.query(late)).rejects.toThrow("does not exist"));
    await client.query("CREATE TEMP TABLE late (id text)");
    for (const rows of [1, 1]) expect((await runAs("alice", () => client.query(late))).rowCount).toBe(rows);
    client.release();
  });

  it("goes on when the database refuses the name of what sends a simple query by itself", async () => {
    const client = await pool.connect();
    const copy = Object.assign(new Query("COPY items FROM STDIN"), {
      requiresPreparation: undefined,
      submit(this: { text: string }, connection: { query(text: string): void }) {
        connection.query(this.text);
      },
    });
    const failed = runAs("x".repeat(601), () => new Promise((done) => client.query(copy as never, done as never)));
    expect(String(await failed)).toContain("actor has 601 characters");
    expect((await client.query("SELECT 2 AS two")).rows).toEqual([{ two: 2 }]);
    client.release();
  });

  it("keeps the timeout of one query, and swallows its late answer", async () => {
    const client = await pool.connect();
    const slow = (text: string, values: unknown[]) => ({ text, values, query_timeout: 100 });
    await runAs("alice", async () => {
      for (const query of [
        slow("INSERT INTO items (id) SELECT $1 FROM pg_sleep(0.4)", ["a"]),
        slow("INSERT INTO items (id) SELECT 'b' FROM pg_sleep(0.4)", []),
      ]) {
        await expect(client.query(query)).rejects.toThrow("Query read timeout");
        expect((await client.query("SELECT 2 AS two")).rows).toEqual([{ two: 2 }]);
        expect((await client.query("SELECT 3 AS three")).rows).toEqual([{ three: 3 }]);
      }
    });
    client.release();
    expect(await names()).toEqual(["a alice", "b alice"]);
  });

  it("takes the name back in a transaction where somebody says that nobody acts", async () => {
    const client = await pool.connect();
    await runAs("alice", async () => {
      await client.query("BEGIN");
      await client.query(insert("a"));
      await runAs(null, () => client.query(insert("b")));
      await client.query(insert("c"));
    });
    // The context is lost: it is not known whether anybody acts.
    await client.query(insert("d"));
    await client.query("COMMIT");
    client.release();
    expect(await names()).toEqual(["a alice", "b application", "c alice", "d alice"]);
  });

  it("lets a text of several statements set an isolation level, without a name", async () => {
    const write = (id: string) => `INSERT INTO items (id) VALUES ('${id}')`;
    await runAs("alice", async () => {
      await pool.query(`BEGIN ISOLATION LEVEL SERIALIZABLE; ${write("a")}; COMMIT`);
      await pool.query(`BEGIN; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; ${write("b")}; COMMIT`);
      await pool.query(`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; ${write("c")}`);
      await pool.query(`BEGIN; LOCK items; ${write("d")}; COMMIT`);
      await pool.query(`BEGIN; ${write("e")}; COMMIT`);
    });
    const changes = await database.changes();
    expect(changes.map(({ isolation }) => isolation)).toEqual([
      "serializable",
      "repeatable read",
      "repeatable read",
      "read committed",
      "read committed",
    ]);
    expect(changes.map(({ by }) => by?.actor)).toEqual([...Array(4).fill("application"), "alice"]);
  });

  it("lets statements pass that may not stand in a transaction, and DO and CALL commit by themselves", async () => {
    await runAs("alice", async () => {
      await pool.query("ANALYZE items");
      await pool.query("DO $$ BEGIN INSERT INTO items (id) VALUES ('a'); COMMIT; END $$");
      await pool.query("BEGIN");
      await pool.query("DO $$ BEGIN INSERT INTO items (id) VALUES ('b'); END $$");
      await pool.query("COMMIT");
    });
    expect(await names()).toEqual(["a application", "b alice"]);
  });

  it.each([
    ["INSERT INTO items (id) VALUES ('a')", ["a alice"]],
    ["INSERT INTO items (id, note) VALUES ('a', 'x; y')", ["a alice"]],
    ["INSERT INTO items (id) VALUES ('a'); INSERT INTO items (id) VALUES ('b')", ["a alice", "b alice"]],
    ["BEGIN; INSERT INTO items (id) VALUES ('a'); COMMIT", ["a alice"]],
    ["INSERT INTO items (id) VALUES ('a');", ["a alice"]],
  ])("leaves no transaction open behind %s", async (text, changes) => {
    await runAs("alice", () => pool.query(text));
    expect(await names()).toEqual(changes);
  });

  it("gives the results and the place of an error of a text without parameters", async () => {
    await runAs("alice", async () => {
      const { rows } = await pool.query("INSERT INTO items (id) VALUES ('a') RETURNING id");
      expect(rows).toEqual([{ id: "a" }]);
      const both = (await pool.query("INSERT INTO items (id) VALUES ('b') RETURNING id; SELECT 1 AS one")) as unknown;
      expect((both as { rows: unknown[] }[]).map((result) => result.rows)).toEqual([[{ id: "b" }], [{ one: 1 }]]);
      const wrong = "INSERT INTO items (id, nothing) VALUES ('c', 1)";
      const error = await pool.query(wrong).catch((caught: { position: string }) => caught);
      expect((error as { position: string }).position).toBe(String(wrong.indexOf("nothing") + 1));
    });
  });

  it("takes clients of its own kind alone", () => {
    expect(() => withActors({} as Pool)).toThrow("a pool of node-postgres");
    expect(() => withActorsOnClient({ query: () => undefined })).toThrow("without pg-native");
    expect(withActors(pool)).toBe(pool);
  });

  it("keeps names right where a client sends without waiting", async () => {
    const client = withActorsOnClient(
      new Client({ connectionString: environmentOf(database.login).DATABASE_URL, pipeline: true } as object),
    );
    await client.connect();
    await Promise.all([
      runAs("alice", () => client.query("INSERT INTO items (id) VALUES ('a')")),
      client.query(insert("b")),
      runAs("carol", () => client.query(insert("c"))),
      runAs("x".repeat(601), () => client.query("INSERT INTO items (id) VALUES ('d')")).catch(() => undefined),
      runAs("erin", () => client.query(insert("e"))),
    ]);
    await client.end();
    expect(await names()).toEqual(["a alice", "b application", "c carol", "e erin"]);
  });

  it("takes an actor as an object, as its name, and as a question that is asked at each statement", async () => {
    let user: string | undefined;
    await runAs(
      () => user,
      async () => {
        await pool.query(insert("a"));
        user = "alice";
        await pool.query(insert("b"));
        await runAs(null, () => pool.query(insert("c")));
        await runAs({ actor: "bob", requestId: "r-1", context: { reason: "x" } }, () => pool.query(insert("d")));
        await runAs("  ", () => pool.query(insert("e")));
      },
    );
    const changes = await database.changes();
    expect(changes.map(({ by }) => by?.actor)).toEqual(["application", "alice", "application", "bob", "application"]);
    expect(changes[3]?.by).toEqual({ actor: "bob", request_id: "r-1", context: { reason: "x" } });
  });
});
