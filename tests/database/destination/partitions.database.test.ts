import { describe, expect, it } from "vitest";
import { errorOf } from "../../../local/servers/test-server";
import { recordLog } from "../support/record-log";
import { type ShapeInput, Stream } from "../support/stream";

const { asOf, history, store, tableAsOf } = recordLog();

describe("A partitioned table", () => {
  const jobs: ShapeInput = {
    relation: 1,
    key: ["id", "day"],
    columns: [
      ["id", "integer"],
      ["day", "date"],
      ["state", "text"],
    ],
  };
  const october = "part.jobs_10";
  const november = "part.jobs_11";

  it("answers by its own name, and a row that moved between partitions is one update of one record", async () => {
    const row = { id: 1, day: "2026-10-15", state: "new" };
    const run = { ...row, state: "run" };
    const moved = { ...run, day: "2026-11-15" };
    await store(
      new Stream()
        .at("09:00:00")
        .shape("part.jobs", jobs)
        .insert("part.jobs", { id: 1, day: row.day }, row, october)
        .at("10:00:00")
        .update("part.jobs", { id: 1, day: row.day }, { state: "new" }, run, october)
        .at("11:00:00")
        .delete("part.jobs", { id: 1, day: row.day }, run, october)
        .insert("part.jobs", { id: 1, day: moved.day }, moved, november)
        .at("12:00:00")
        .update("part.jobs", { id: 1, day: moved.day }, { state: "run" }, { ...moved, state: "done" }, november),
    );
    expect(await history("part.jobs", { id: 1, day: "2026-11-15" })).toEqual([
      'insert {"id":1,"day":"2026-10-15","state":"new"}',
      "update state new → run",
      "update day 2026-10-15 → 2026-11-15",
      "update state run → done",
    ]);
    expect(await asOf("part.jobs", { id: 1, day: "2026-10-15" })).toBeNull();
    expect(await asOf("part.jobs", { id: 1, day: "2026-10-15" }, "10:30:00")).toEqual(run);
    expect(await tableAsOf("part.jobs")).toEqual([{ ...moved, state: "done" }]);
  });

  it("is named when one of its partitions is asked for", async () => {
    const row = { id: 1, day: "2026-10-15", state: "new" };
    await store(
      new Stream().at("09:00:00").shape("part.jobs", jobs).insert("part.jobs", { id: 1, day: row.day }, row, october),
    );
    const answer = await errorOf(history(october, { id: 1, day: row.day }));
    expect(answer.message).toBe("part.jobs_10 is a partition of part.jobs");
    expect(answer).toMatchObject({ hint: expect.stringContaining("Ask for part.jobs: ") as string });
    expect((await errorOf(tableAsOf("part.jobs_99"))).message).toBe("the log knows no table part.jobs_99");
  });

  it("loses the rows of a partition that was truncated, and no others", async () => {
    const inOctober = { id: 1, day: "2026-10-15", state: "new" };
    const inNovember = { id: 2, day: "2026-11-15", state: "new" };
    await store(
      new Stream()
        .at("09:00:00")
        .shape("part.jobs", jobs)
        .insert("part.jobs", { id: 1, day: inOctober.day }, inOctober, october)
        .insert("part.jobs", { id: 2, day: inNovember.day }, inNovember, november)
        .at("10:00:00")
        .truncate(october),
    );
    expect(await tableAsOf("part.jobs")).toEqual([inNovember]);
    expect(await asOf("part.jobs", { id: 1, day: inOctober.day })).toBeNull();
    expect(await asOf("part.jobs", { id: 2, day: inNovember.day })).toEqual(inNovember);
  });
});

describe("A partition that comes to a table or leaves it", () => {
  const jobs: ShapeInput = {
    relation: 1,
    key: ["day"],
    columns: [
      ["day", "integer"],
      ["state", "text"],
    ],
  };
  const root = { schema: "part", table: "jobs" };
  const job = (day: number, state: string) => ({ day, state });
  const described = () =>
    new Stream()
      .at("09:00:00")
      .shape("part.jobs", jobs)
      .shape("part.march", { ...jobs, relation: 2, root })
      .shape("part.april", { ...jobs, relation: 3, root })
      .insert("part.jobs", { day: 301 }, job(301, "new"), "part.march")
      .insert("part.jobs", { day: 401 }, job(401, "new"), "part.april");
  const change = (changes: object[]) => ({ reason: "ddl", command: "ALTER TABLE", changes });
  const partition = { schema: "part", table: "march" };

  it("takes its rows along when it is detached, and answers for them by its own name", async () => {
    await store(
      described()
        .at("10:00:00")
        .shape("part.march", { ...jobs, relation: 2 }, change([{ change: "root", from: root, to: null }]))
        .at("11:00:00")
        .update("part.march", { day: 301 }, { state: "new" }, job(301, "paid"))
        .insert("part.march", { day: 302 }, job(302, "new")),
    );
    expect(await tableAsOf("part.jobs", "09:30:00")).toEqual([job(301, "new"), job(401, "new")]);
    expect(await tableAsOf("part.jobs")).toEqual([job(401, "new")]);
    expect(await asOf("part.jobs", { day: 301 })).toBeNull();
    expect(await asOf("part.jobs", { day: 301 }, "09:30:00")).toEqual(job(301, "new"));
    expect(await tableAsOf("part.march", "10:30:00")).toEqual([job(301, "new")]);
    expect(await tableAsOf("part.march")).toEqual([job(301, "paid"), job(302, "new")]);
    expect(await asOf("part.march", { day: 301 })).toEqual(job(301, "paid"));
    expect(await history("part.march", { day: 301 })).toEqual([
      'insert {"day":301,"state":"new"}',
      "update state new → paid",
    ]);
  });

  it("takes its rows away when it is dropped, also after it was renamed", async () => {
    await store(
      described()
        .at("10:00:00")
        .drop("part.march", "ALTER TABLE")
        .shape("part.spring", { ...jobs, relation: 2, root }, { ...change([]), renamed_from: partition })
        .at("11:00:00")
        .drop("part.spring"),
    );
    expect(await tableAsOf("part.jobs", "10:30:00")).toEqual([job(301, "new"), job(401, "new")]);
    expect(await tableAsOf("part.jobs")).toEqual([job(401, "new")]);
    expect(await asOf("part.jobs", { day: 301 }, "10:30:00")).toEqual(job(301, "new"));
    expect(await asOf("part.jobs", { day: 301 })).toBeNull();
  });

  it("brings the rows that it had before it was attached, and what became of them while it was away", async () => {
    await store(
      described()
        .at("10:00:00")
        .shape("part.march", { ...jobs, relation: 2 }, change([{ change: "root", from: root, to: null }]))
        .at("10:30:00")
        .delete("part.march", { day: 301 }, job(301, "new"))
        .insert("part.march", { day: 302 }, job(302, "late"))
        .at("11:00:00")
        .shape("part.march", { ...jobs, relation: 2, root }, change([{ change: "root", from: null, to: root }]))
        .shape("part.jobs", jobs, change([{ change: "partition attached", partition }])),
    );
    expect(await tableAsOf("part.jobs", "10:45:00")).toEqual([job(401, "new")]);
    expect(await tableAsOf("part.jobs")).toEqual([job(302, "late"), job(401, "new")]);
    expect(await asOf("part.jobs", { day: 302 })).toEqual(job(302, "late"));
    expect(await asOf("part.jobs", { day: 301 })).toBeNull();
    expect(await asOf("part.jobs", { day: 302 }, "10:45:00")).toBeNull();
  });
});
