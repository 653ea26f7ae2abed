import { describe, expect, it } from "vitest";
import { Results } from "../../bench/report/comparison-results";
import { goalOf, ratioGoals } from "../../bench/report/goals";
import type { Figure, Run } from "../../bench/report/results";
import { summary } from "../../bench/report/summary";

const ours = "cdc-audit";
const debezium = "Debezium, old and new values";
const baseline = "cdc-audit at f761236";

function run(figures: readonly Figure[], scale = 1): Run {
  return {
    startedAt: "2026-01-01T00:00:00Z",
    machine: { processors: "2", memoryGibibytes: 8, kernel: "6", node: "24", loadBefore: 0 },
    writer: "pgbench",
    quick: false,
    scale,
    figures,
    failures: [],
  };
}

const figure = (system: string, phase: string, workload: string, metric: string, value: number): Figure => ({
  system,
  phase,
  workload,
  metric,
  value,
  unit: "",
});

const drain = (system: string, workload: string, value: number) =>
  figure(system, "drain", workload, "drain rate", value);

const rowsOf = (...runs: Run[]) => summary(new Results(runs)).split("\n");
const rowOf = (start: string, ...runs: Run[]) => rowsOf(...runs).find((row) => row.startsWith(`| ${start}`));

describe("the table at the top of the report", () => {
  it("has a row for every goal, also where nothing was measured", () => {
    const rows = rowsOf(run([])).filter((row) => row.endsWith("| not measured |"));
    expect(rows).toHaveLength(ratioGoals.length);
  });

  it("says of a goal of one workload whether it is met", () => {
    const met = run([drain(ours, "wide-8k", 110), drain(debezium, "wide-8k", 100)]);
    expect(rowOf("Drain of a backlog, wide rows, 8 KB", met)).toMatch(/\| 1\.10× \| ≥ 1× \| met \|$/);
    const missed = run([drain(ours, "wide-8k", 90), drain(debezium, "wide-8k", 100)]);
    expect(rowOf("Drain of a backlog, wide rows, 8 KB", missed)).toMatch(/\| 0\.90× \| ≥ 1× \| \*\*missed\*\* \|$/);
  });

  it("judges a goal of several workloads by the worst, and says how many were measured", () => {
    const figures = [
      ...[drain(ours, "hot", 100), drain(baseline, "hot", 100)],
      ...[drain(ours, "bulk", 95), drain(baseline, "bulk", 100)],
    ];
    expect(rowOf("Drain of a backlog, 4 workloads, worst in one 100,000-row statement", run(figures))).toMatch(
      /\| 0\.95× \| ≥ 0\.98× \| \*\*missed\*\*; 2 of 4 measured \|$/,
    );
  });

  it("takes the median of the ratios of each run", () => {
    const runs = [90, 110, 120].map((value) => run([drain(ours, "wide-8k", value), drain(debezium, "wide-8k", 100)]));
    expect(rowOf("Drain of a backlog, wide rows, 8 KB", ...runs)).toContain("| 1.10× |");
  });

  it("sums what ships, apart from the rest of the chain", () => {
    const part = (system: string, name: string, value: number) =>
      figure(system, "drain", "wide-8k", `CPU for 1,000 changes: ${name}`, value);
    const figures = [
      ...[part(ours, "transformer", 20), part(ours, "Kafka Connect", 30), part(ours, "PostgreSQL, storing", 50)],
      ...[part(ours, "DMS stand-in", 400), part(ours, "PostgreSQL, decoding", 400), part(ours, "Kafka broker", 400)],
      ...[part(debezium, "Kafka Connect", 120), part(debezium, "PostgreSQL, storing", 80)],
    ];
    const row = rowOf("CPU of what ships, wide rows, 8 KB of jsonb |", run(figures));
    expect(row).toBe(
      "| CPU of what ships, wide rows, 8 KB of jsonb | 100 ms for 1,000 changes | 200 | 0.50× | ≤ 0.85× | met |",
    );
  });

  it("says how much the states weigh", () => {
    const pair = [drain(ours, "hot", 1), drain(debezium, "hot", 1)];
    expect(rowsOf(run(pair), run(pair, 0.25)).at(-1)).toBe(
      "1 of the 2 runs that compare systems are of full size; the median of 3 decides. Until then the states are provisional.",
    );
    expect(rowsOf(run(pair), run(pair), run(pair)).at(-1)).not.toContain("provisional");
  });

  it("judges earlier runs by today's goals", () => {
    const recorded = {
      ...figure(ours, "transformer", "", "events per CPU second, warm", 120_000),
      goal: { atLeast: 110_000 },
    };
    expect(goalOf(recorded)).toEqual({ atLeast: 150_000 });
    expect(goalOf({ ...recorded, metric: "another" })).toEqual({ atLeast: 110_000 });
  });

  it("shows of the page's many views the slowest", () => {
    const view = (name: string, value: number): Figure => ({
      ...figure(ours, "review", "", `${name}: p95 of 200`, value),
      goal: { atMost: 100 },
    });
    const rows = rowsOf(run([view("feed: the last day", 40), view("act", 120), view("health", 10)]));
    expect(rows.filter((row) => row.includes("p95 of 200"))).toEqual([
      expect.stringMatching(/act: p95 of 200 .*\| ≤ 100 \| \*\*missed\*\* \|$/),
    ]);
  });
});
