import { describe, expect, it } from "vitest";
import { kindOf, restOf } from "../../../clients/node/src/statements";
import { TransactionState } from "../../../clients/node/src/transaction";
import type { Announcement } from "../../../clients/node/src/actor";

describe("A statement's kind", () => {
  it.each([
    ["begin", "begin"],
    ["BEGIN;", "begin"],
    ["begin ", "begin"],
    ["START  TRANSACTION ISOLATION LEVEL SERIALIZABLE", "begin"],
    ["BEGIN TRANSACTION ISOLATION LEVEL serializable READ ONLY;", "begin read only"],
    ["start transaction read only", "begin read only"],
    ["/* from orders.ts */ BEGIN", "begin"],
    ["-- a note\nBEGIN", "begin"],
    ["COMMIT", "end"],
    ["end;", "end"],
    ["ROLLBACK", "end"],
    ["rollback and chain", "end"],
    ["PREPARE TRANSACTION 'x'", "end"],
    ["COMMIT PREPARED 'x'", "other"],
    ["ROLLBACK TO SAVEPOINT s0", "rollback to savepoint"],
    ["rollback work to s0", "rollback to savepoint"],
    ["SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "before the snapshot"],
    ["set transaction read only", "before the snapshot"],
    ["SET TRANSACTION READ WRITE", "read write"],
    ["LOCK TABLE items", "before the snapshot"],
    ["SHOW server_version", "before the snapshot"],
    ["insert into items values (1)", "write"],
    ["/*traceparent='00-x'*/ UPDATE items SET note = 'a'", "write"],
    ["with new as (insert into items values (1) returning *) select * from new", "write"],
    ["WITH a AS (SELECT 1) SELECT * FROM a", "other"],
    ["SELECT * FROM items", "other"],
    ["SELECT count(*) FROM items", "other"],
    ["SELECT pay(7)", "write"],
    ['select * from "billing".pay (7)', "write"],
    ["CALL pay(7)", "procedure"],
    ["COPY items FROM STDIN", "write"],
    ["VACUUM items", "other"],
    ["CREATE INDEX CONCURRENTLY ON items (id)", "other"],
    ["SAVEPOINT s0", "other"],
    ["", "other"],
    ["beginning", "other"],
  ])("%s is %s's", (text, kind) => expect(kindOf(text)).toBe(kind));

  it("is its first statement's, and what stands behind is told apart", () => {
    expect(restOf("BEGIN;")).toBeUndefined();
    expect(restOf("BEGIN; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")).toEqual({
      changes: false,
      ends: false,
      needsFirst: true,
    });
    expect(restOf("BEGIN; INSERT INTO items VALUES (1); COMMIT")).toEqual({
      changes: true,
      ends: true,
      needsFirst: false,
    });
    expect(restOf("BEGIN; DELETE FROM items; ROLLBACK TO s")).toEqual({
      changes: true,
      ends: false,
      needsFirst: false,
    });
    expect(restOf("BEGIN; DELETE FROM items; COMMIT AND CHAIN")).toEqual({
      changes: true,
      ends: false,
      needsFirst: false,
    });
  });
});

describe("What one connection announces", () => {
  const alice: Announcement = ["alice", null, null];
  const bob: Announcement = ["bob", null, null];
  const nobody: Announcement = [null, null, null];
  /** Before which of the statements somebody is announced, by who acts at each. */
  const announced = (...statements: (readonly [string, Announcement | undefined])[]) => {
    const state = new TransactionState();
    return statements.flatMap(([text, wanted]) => {
      const said = state.next(text, wanted);
      return said ? [`${said[0] ?? "nobody"} before ${text}`] : [];
    });
  };
  const by = (who: Announcement | undefined, ...texts: string[]) => texts.map((text) => [text, who] as const);

  it("comes once in a transaction, before its first statement other than SET and LOCK", () => {
    expect(
      announced(
        ...by(
          alice,
          "BEGIN",
          "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
          "LOCK TABLE a",
          "SELECT 1",
          "INSERT INTO a",
          "COMMIT",
        ),
      ),
    ).toEqual(["alice before SELECT 1"]);
  });

  it("comes before the first savepoint, and again behind one that was rolled back", () => {
    expect(
      announced(...by(alice, "BEGIN", "SAVEPOINT s", "INSERT INTO a", "ROLLBACK TO s", "INSERT INTO b", "COMMIT")),
    ).toEqual(["alice before SAVEPOINT s", "alice before INSERT INTO b"]);
  });

  it("comes with each bare write and with nothing else outside a transaction", () => {
    expect(announced(...by(alice, "SELECT 1", "INSERT INTO a", "VACUUM", "SET x = 1", "DELETE FROM a"))).toEqual([
      "alice before INSERT INTO a",
      "alice before DELETE FROM a",
    ]);
  });

  it("is left out of a read-only transaction, unless that becomes one that writes", () => {
    expect(announced(...by(alice, "BEGIN READ ONLY", "SELECT 1", "COMMIT", "BEGIN", "SELECT 2"))).toEqual([
      "alice before SELECT 2",
    ]);
    expect(announced(...by(alice, "BEGIN READ ONLY", "SET TRANSACTION READ WRITE", "SELECT 1"))).toEqual([
      "alice before SELECT 1",
    ]);
  });

  it("comes again when another acts, and for a user who is known later", () => {
    expect(
      announced(
        ["BEGIN", undefined],
        ["SELECT 1", undefined],
        ["INSERT INTO a", alice],
        ["INSERT INTO b", bob],
        ["INSERT INTO c", undefined],
      ),
    ).toEqual(["alice before INSERT INTO a", "bob before INSERT INTO b"]);
  });

  it("names nobody only where somebody was named before, and an unknown actor changes nothing", () => {
    expect(
      announced(
        ["INSERT INTO a", nobody],
        ["BEGIN", nobody],
        ["INSERT INTO b", nobody],
        ["SAVEPOINT s", alice],
        ["ROLLBACK TO s", alice],
        ["INSERT INTO c", nobody],
        ["INSERT INTO d", nobody],
        ["INSERT INTO e", undefined],
        ["COMMIT", nobody],
        ["BEGIN; INSERT INTO f", nobody],
        ["INSERT INTO g", nobody],
      ),
    ).toEqual(["alice before SAVEPOINT s", "nobody before INSERT INTO c"]);
  });

  it("is left out of a text of several statements that must set something before the snapshot", () => {
    const lock = "LOCK a; INSERT INTO a";
    const isolation = "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; INSERT INTO a";
    expect(announced(...by(alice, lock, isolation, `BEGIN; ${isolation}`, "INSERT INTO b"))).toEqual([
      "alice before INSERT INTO b",
    ]);
  });

  it("goes before a text that begins a transaction, writes and may end it", () => {
    expect(announced(...by(alice, "BEGIN; INSERT INTO a; COMMIT", "SELECT 1"))).toEqual([
      "alice before BEGIN; INSERT INTO a; COMMIT",
    ]);
    expect(announced(...by(alice, "BEGIN; INSERT INTO a", "SELECT 1", "COMMIT", "SELECT 2"))).toEqual([
      "alice before BEGIN; INSERT INTO a",
    ]);
    expect(announced(...by(alice, "BEGIN; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "INSERT INTO a"))).toEqual([
      "alice before INSERT INTO a",
    ]);
    expect(announced(...by(alice, "SET search_path = a; INSERT INTO a"))).toEqual([
      "alice before SET search_path = a; INSERT INTO a",
    ]);
  });

  it("follows what the server says of the transaction", () => {
    const state = new TransactionState();
    state.synchronize(true);
    expect(state.next("SELECT 1", alice)).toEqual(alice);
    state.synchronize(false);
    expect(state.next("SELECT 1", alice)).toBeUndefined();
  });

  it("goes on behind COMMIT AND CHAIN", () => {
    expect(announced(...by(alice, "BEGIN", "INSERT INTO a", "COMMIT AND CHAIN", "INSERT INTO b"))).toHaveLength(2);
  });
});
