import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ConformanceDatabase, environmentOf } from "../../../clients/conformance/database";
import { currentActor, runAs, sqlWithActors } from "../../../clients/node/src";

let database: ConformanceDatabase;
let sql: postgres.Sql;

beforeAll(async () => {
  database = await ConformanceDatabase.start();
});

afterAll(() => database.stop());

beforeEach(async () => {
  const { DATABASE_URL } = environmentOf(database.login);
  sql = sqlWithActors(postgres(DATABASE_URL as string, { max: 1, onnotice: () => undefined }));
  await sql`DELETE FROM items`;
  await database.changes();
  // A test that failed may keep a connection.
  return () => sql.end({ timeout: 1 });
});

const names = async () => (await database.changes()).map(({ id, by }) => `${id} ${by?.actor}`);

describe("A wrapped postgres.js", () => {
  it("names who writes on a reserved connection, in a transaction and outside", async () => {
    const reserved = await sql.reserve();
    // Awaited within, because a query of postgres.js goes out when somebody waits for it.
    const write = async (id: string) => await reserved`INSERT INTO items (id) VALUES (${id}) RETURNING id`;
    await runAs("alice", async () => {
      expect(await write("a")).toEqual([{ id: "a" }]);
      await reserved`BEGIN`;
      await write("b");
      await reserved`COMMIT`;
      await expect(write("a")).rejects.toThrow("duplicate key");
    });
    await Promise.all([runAs("bob", () => write("c")), write("d"), runAs("carol", () => write("e"))]);
    await runAs("alice", async () => await reserved.unsafe("BEGIN; INSERT INTO items (id) VALUES ('f')"));
    await reserved`ROLLBACK`;
    await expect(runAs("x".repeat(601), () => write("g"))).rejects.toThrow("actor has 601 characters");
    await reserved`BEGIN`;
    await expect(runAs("x".repeat(601), () => write("g"))).rejects.toThrow("current transaction is aborted");
    await reserved`ROLLBACK`;
    await write("h");
    reserved.release();
    expect(await names()).toEqual(["a alice", "b alice", "c bob", "d application", "e carol", "h application"]);
  });

  it("runs a file once in a transaction", async () => {
    const folder = mkdtempSync(join(tmpdir(), "postgres-js-"));
    const file = join(folder, "write.sql");
    writeFileSync(file, "INSERT INTO items (id) VALUES ('a')");
    await runAs("alice", () => sql.begin((transaction) => transaction.file(file)));
    rmSync(folder, { recursive: true });
    expect(await names()).toEqual(["a alice"]);
  });

  it("calls back in the context of the call", async () => {
    await sql.end();
    sql = sqlWithActors(postgres(environmentOf(database.login).DATABASE_URL as string, { max: 1 }));
    await runAs("alice", () => sql`SELECT 1`);
    const seen: unknown[] = [];
    const look = () => void seen.push(currentActor()?.actor);
    await runAs("bob", () => sql`SELECT 1`.forEach(look));
    await runAs("bob", () => sql`SELECT 1`.cursor(1, async () => look()));
    await sql`SELECT 1`.forEach(look);
    expect(seen).toEqual(["bob", "bob", undefined]);
  });
});
