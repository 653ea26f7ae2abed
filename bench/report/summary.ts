import { workloads } from "../load/workloads";
import {
  comparisons,
  newOnly,
  oldAndNew,
  ours,
  phaseTitles,
  ratioGoals,
  shortMetric,
  titleOf,
  type Comparison,
  type Results,
} from "./comparison-results";
import { goalText, meets, shown } from "./results";
import { table } from "./table";

type Row = readonly [what: string, ours: string, theirs: string, ratio: string, goal: string, verdict: string];

/** One table: every goal, and for each comparison the workload in which we are furthest behind. */
export function summary(results: Results): string {
  const heads = ["what is measured", ours, "Debezium", "ours over theirs", "goal", "met"];
  const rows: Row[] = [...ratioRows(results), ...lossRows(results), ...ownGoalRows(results)];
  return table(heads, rows);
}

/** The ratios that were set as goals, under single-row updates. */
function ratioRows(results: Results): Row[] {
  return ratioGoals.flatMap(({ metric, peer, ...goal }): Row[] => {
    const comparison = comparisons.find((each) => each.metric === metric) as Comparison;
    const row = comparedRow(results, comparison, "hot", peer);
    if (!row) return [];
    return [[row.what, row.ours, row.theirs, times(row.ratio), `${goalText(goal)}×`, verdict(meets(row.ratio, goal))]];
  });
}

/** For each comparison in which we are behind a peer that keeps the same values: the workload in which we are furthest. */
function lossRows(results: Results): Row[] {
  return comparisons.flatMap((comparison): Row[] => {
    const behind = workloads(1)
      .flatMap(({ name }) => comparedRow(results, comparison, name, oldAndNew) ?? [])
      .map((row) => ({ ...row, loss: comparison.better === "more" ? 1 / row.ratio : row.ratio }))
      .filter(({ loss }) => loss > 1)
      .sort((a, b) => b.loss - a.loss);
    return behind
      .slice(0, 1)
      .map((row): Row => [row.what, row.ours, row.theirs, times(row.ratio), "none", "**behind**"]);
  });
}

/** Goals of our figures alone. */
function ownGoalRows(results: Results): Row[] {
  return results
    .distinct(({ goal }) => goal !== undefined)
    .flatMap(({ system, phase, workload, metric, unit, goal }): Row[] => {
      const value = results.median(system, phase, workload, shortMetric(phase, metric));
      if (!goal || value === undefined) return [];
      const what = [phaseTitles[phase], titleOf(workload), metric].filter(Boolean).join(": ");
      const met = verdict(meets(value, goal));
      if (unit === "×") return [[what, "", "", `${shown(value)}×`, `${goalText(goal)}×`, met]];
      return [[what, `${shown(value)} ${unit}`.trim(), "", "", goalText(goal), met]];
    });
}

function comparedRow(results: Results, { phase, metric, title, unit }: Comparison, workload: string, peer: string) {
  const [value, their] = [ours, peer].map((system) => results.median(system, phase, workload, metric));
  const ratio = results.ratio(peer, phase, workload, metric);
  if (value === undefined || their === undefined || ratio === undefined) return undefined;
  const against = peer === newOnly ? " (Debezium with new values only)" : "";
  return {
    what: `${title}, ${titleOf(workload)}${against}`,
    ours: `${shown(value)} ${unit}`,
    theirs: shown(their),
    ratio,
  };
}

const times = (ratio: number): string => `${ratio.toFixed(2)}×`;

const verdict = (met: boolean): string => (met ? "met" : "**missed**");
