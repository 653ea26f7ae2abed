import { describe, expect, it } from "vitest";
import { problemsPage, tablesPage } from "../../../local/command/tables-page";

const losses = Array.from({ length: 21 }, (_, index) => ({
  object: `app.edge_${index + 1}`,
  problem: `has no primary key and no unique index: its records can't be found by key, and DMS leaves out its columns a${index}`,
  fix: `Give it a key: ALTER TABLE app.edge_${index + 1} …`,
}));

describe("the page of tables", () => {
  it("is one screen for 500 tables: how many are watched, which not and why, which lose what", () => {
    const notWatched = [
      { reason: "not named by --tables", tables: Array.from({ length: 300 }, (_, index) => `public.t${index + 1}`) },
      { reason: "unlogged: their changes are not in the WAL", tables: ["app.cache"] },
    ];
    const page = tablesPage({
      watched: 514,
      notWatched,
      losses: [
        ...losses,
        { object: "app.prices", problem: "has columns that DMS shortens: price", fix: "Declare a type." },
      ],
    });
    expect(page).toBe(
      [
        "514 tables are watched, 301 not:",
        "  300 not named by --tables",
        "    public.t1, public.t2, public.t3, public.t4, public.t5, public.t6 and 294 more",
        "  1 unlogged: their changes are not in the WAL",
        "    app.cache",
        "Warnings about 22 of them:",
        "  21 tables: each has no primary key and no unique index",
        "    app.edge_1: its records can't be found by key, and DMS leaves out its columns a0",
        "    app.edge_2: its records can't be found by key, and DMS leaves out its columns a1",
        "    app.edge_3: its records can't be found by key, and DMS leaves out its columns a2",
        "    app.edge_4: its records can't be found by key, and DMS leaves out its columns a3",
        "    and 17 more",
        "    fix, of app.edge_1: Give it a key: ALTER TABLE app.edge_1 …",
        "  app.prices has columns that DMS shortens: price",
        "    fix: Declare a type.",
        "  All of them, for as long as it is so: SELECT * FROM capture.problems() in your database.",
      ].join("\n"),
    );
  });

  it("says what there is to say of a small database in a line", () => {
    expect(tablesPage({ watched: 1, notWatched: [], losses: [] })).toBe("1 table is watched.");
  });

  it("groups what keeps a source from being audited", () => {
    const problems = [
      ...["a", "b", "c"].map((table) => `app.${table} is inherited. DMS reads children alone. Name them.`),
      "wal_level is replica. Changes are read from the WAL. Set it to logical.",
    ];
    expect(problemsPage(problems)).toBe(
      [
        "  - 3 tables: app.a is inherited. DMS reads children alone. Name them.",
        "    The others: app.b, app.c.",
        "  - wal_level is replica. Changes are read from the WAL. Set it to logical.",
      ].join("\n"),
    );
  });
});

it("wraps its lines to the terminal", () => {
  const page = tablesPage({ watched: 21, notWatched: [], losses }, 60);
  for (const line of page.split("\n")) expect(line.length).toBeLessThanOrEqual(60);
  expect(page.replaceAll(/\s+/g, " ")).toBe(
    tablesPage({ watched: 21, notWatched: [], losses }).replaceAll(/\s+/g, " "),
  );
});
