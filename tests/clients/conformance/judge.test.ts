import { describe, expect, it } from "vitest";
import { type Change, changesOf } from "../../../clients/conformance/changes";
import { expectationOf } from "../../../clients/conformance/expectation";
import { interleavedBatches } from "../../../clients/conformance/interleaving";
import { problemsOf } from "../../../clients/conformance/judge";
import type { Request, Step } from "../../../clients/conformance/protocol";

const batch = (...requests: Request[]) => ({ pool: 1, requests });
const by = (actor: string | null, ...steps: Step[]): Request => ({ actor, steps });
const change = (id: string, actor: string | null, more: Partial<Change> = {}): Change => ({
  operation: "insert",
  id,
  isolation: "read committed",
  seen: null,
  by: actor === null ? null : { actor, request_id: null, context: {} },
  ...more,
});
const judged = (request: Request, ...changes: Change[]) => problemsOf(expectationOf(batch(request), true), changes);

describe("The judge", () => {
  const request = by("alice", { insert: "a" });

  it("finds nothing wrong with the right name, or with the database's user where nobody acts", () => {
    expect(judged(request, change("a", "alice"))).toEqual([]);
    expect(judged(by(null, { insert: "a" }), change("a", "application"))).toEqual([]);
  });

  it("tells somebody else's name from no name", () => {
    expect(judged(request, change("a", "bob"))).toEqual([
      "The insert of a bears SOMEBODY ELSE'S NAME: bob; it is by alice.",
    ]);
    expect(judged(request, change("a", "application"))).toEqual(["The insert of a bears nobody; it is by alice."]);
    expect(judged(by(null, { insert: "a" }), change("a", "alice"))).toEqual([
      "The insert of a bears SOMEBODY ELSE'S NAME: alice; it is by nobody.",
    ]);
  });

  it("takes no other request or context of the same person", () => {
    const said = { actor: "alice", request_id: "r-2", context: { reason: "y" } };
    const own: Request = { ...request, request_id: "r-1", context: { reason: "x" } };
    expect(judged(own, change("a", "alice", { by: said }))).toEqual([
      'The insert of a bears alice, r-2, {"reason":"y"}; it is by alice, r-1, {"reason":"x"}.',
    ]);
    expect(judged(request, change("a", "alice", { by: { ...said, request_id: null } }))).toHaveLength(1);
  });

  it("takes the right name or none where the context was lost", () => {
    const lost = by("alice", { lost: [{ insert: "a" }] });
    expect(judged(lost, change("a", "alice"))).toEqual([]);
    expect(judged(lost, change("a", "application"))).toEqual([]);
    expect(judged(lost, change("a", "bob"))).toHaveLength(1);
  });

  it("finds changes that are missing, double, rolled back or without a signal, and another isolation", () => {
    expect(judged(request)).toEqual(["The insert of a is missing."]);
    expect(judged(request, change("a", "alice"), change("a", "alice"))).toEqual(["The insert of a was done twice."]);
    expect(judged(request, change("a", null))).toEqual([
      "The insert of a has no signal: its table lacks the actor trigger.",
    ]);
    const undone = by("alice", { transaction: [{ insert: "a" }], rollback: true });
    expect(judged(undone, change("a", "alice"))).toEqual([
      "The insert of a should have been rolled back, or nobody asked for it.",
    ]);
    const serializable = by("alice", { transaction: [{ insert: "a" }], isolation: "serializable" });
    expect(judged(serializable, change("a", "alice"))).toEqual([
      "The insert of a ran as read committed; its transaction asked for serializable.",
    ]);
  });
});

describe("What a batch must leave", () => {
  const ids = (steps: Step[], second = true) =>
    expectationOf(batch(by("alice", ...steps)), second).changes.map(
      (one) => `${one.id} by ${one.by[0]?.actor ?? "nobody"}`,
    );

  it("is without what an error or a rollback took back, and with what came behind", () => {
    expect(
      ids([
        { transaction: [{ insert: "a" }, { savepoint: [{ insert: "b" }], rollback: true }, { insert: "c" }] },
        {
          transaction: [
            { insert: "d" },
            { savepoint: [{ insert: "e" }, { fail: true }, { insert: "f" }] },
            { insert: "g" },
          ],
        },
        { transaction: [{ insert: "h" }, { fail: true }] },
        { fail: true },
        { insert: "i" },
      ]),
    ).toEqual(["a by alice", "c by alice", "d by alice", "g by alice", "i by alice"]);
  });

  it("has a second actor's name in a transaction, or the first's for a client that takes no second", () => {
    const steps: Step[] = [
      { transaction: [{ insert: "a" }, { as: "bob", steps: [{ insert: "b" }] }, { insert: "c" }] },
    ];
    expect(ids(steps)).toEqual(["a by alice", "b by bob", "c by alice"]);
    expect(ids(steps, false)).toEqual(["a by alice", "b by alice", "c by alice"]);
    const other: Step[] = [{ transaction: [{ as: "bob", steps: [{ insert: "a" }] }, { insert: "b" }] }];
    expect(ids(other, false)).toEqual(["a by bob", "b by bob"]);
  });

  it("has nobody's name where a transaction says that nobody acts", () => {
    const steps: Step[] = [{ transaction: [{ insert: "a" }, { as: null, steps: [{ insert: "b" }] }, { insert: "c" }] }];
    expect(ids(steps)).toEqual(["a by alice", "b by nobody", "c by alice"]);
    expect(ids(steps, false)).toEqual(["a by alice", "b by alice", "c by alice"]);
    const other: Step[] = [{ transaction: [{ as: null, steps: [{ insert: "a" }] }, { insert: "b" }] }];
    expect(ids(other, false)).toEqual(["a by nobody", "b by nobody"]);
  });
});

describe("The changes of a stream", () => {
  const signal = (actor: string) =>
    `table capture.signal: INSERT: kind[character varying]:'session' body_1[character varying]:'${actor}' body_2[character varying]:null`;
  const item = (id: string) =>
    `table public.items: INSERT: id[text]:'${id}' note[text]:null isolation[text]:'serializable' seen[text]:null`;
  const named = (...lines: string[]) =>
    changesOf(["BEGIN 7", ...lines, "COMMIT 7 (at 2026-11-22 10:00:00+00)"]).map(
      ({ id, by: who }) => `${id} ${who?.actor}`,
    );

  it("bear the nearest name before them, else the first after them, of their own transaction", () => {
    expect(named(signal("alice"), item("a"), signal("bob"), item("b"))).toEqual(["a alice", "b bob"]);
    expect(named(item("a"), signal("alice"), item("b"))).toEqual(["a alice", "b alice"]);
    expect(named(item("a"))).toEqual(["a undefined"]);
  });
});

describe("Interleaved requests", () => {
  it("are decided by their seed, and leave out what a client can't do", () => {
    const batches = (seed: number, ...cannot: ("lost" | "savepoint" | "transaction")[]) =>
      JSON.stringify([...interleavedBatches(600, seed, new Set(cannot))]);
    expect(batches(1)).toBe(batches(1));
    expect(batches(1)).not.toBe(batches(2));
    expect(batches(1)).toContain("savepoint");
    expect(batches(1, "savepoint")).not.toContain("savepoint");
    expect(batches(1, "transaction")).not.toMatch(/transaction|savepoint/);
    expect([...interleavedBatches(600, 1, new Set())].map(({ requests }) => requests.length)).toEqual([250, 250, 100]);
  });
});
