import { workloads } from "../load/workloads";
import {
  comparisons,
  newOnly,
  oldAndNew,
  ours,
  phaseTitles,
  shortMetric,
  titleOf,
  type Comparison,
  type Results,
} from "./comparison-results";
import { decisiveRuns, furthest, goalOf, ratioGoals, type RatioGoal } from "./goals";
import { goalText, meets, shown, type Figure, type Goal, type Run } from "./results";
import { table } from "./table";

type Row = readonly [what: string, ours: string, theirs: string, ratio: string, goal: string, state: string];

/** One table: every goal with its state, and for each comparison the workload in which we are furthest behind. */
export function summary(results: Results): string {
  const heads = ["what is measured", ours, "the other", "ours over the other", "goal", "state"];
  const rows: Row[] = [
    ...ratioGoals.map((goal) => goalRow(results, goal)),
    ...lossRows(results),
    ...ownGoalRows(results),
  ];
  return `${table(heads, rows)}\n\n${standing(results.runs)}`;
}

/** How much the states weigh. */
function standing(runs: readonly Run[]): string {
  const compared = runs.filter(({ figures }) => figures.some(({ phase }) => phase === "drain"));
  const full = compared.filter(({ quick, scale }) => !quick && scale === 1);
  const text = `${full.length} of the ${compared.length} runs that compare systems are of full size; the median of ${decisiveRuns} decides.`;
  return full.length >= decisiveRuns ? text : `${text} Until then the states are provisional.`;
}

function goalRow(results: Results, ratioGoal: RatioGoal): Row {
  const { metric, workloads: names, other, goal } = ratioGoal;
  const comparison = comparisons.find((each) => each.metric === metric) as Comparison;
  const where = names.length === 1 ? titleOf(names[0]) : `${names.length} workloads`;
  const against = other === oldAndNew ? "" : ` (${nameOf(other)})`;
  const found = furthest(results, ratioGoal, comparison.phase);
  const row = found && comparedRow(results, comparison, found.workload, other);
  const limit = `${goalText(goal)}×`;
  if (!found || !row) return [`${comparison.title}, ${where}${against}`, "", "", "", limit, "not measured"];
  const worst = names.length === 1 ? where : `${where}, worst in ${titleOf(found.workload)}`;
  const part = found.measured < names.length ? `; ${found.measured} of ${names.length} measured` : "";
  const state = stateOf(found.ratio, goal) + part;
  return [`${comparison.title}, ${worst}${against}`, row.ours, row.theirs, times(found.ratio), limit, state];
}

/** For each comparison in which we are behind a peer that keeps the same values: the workload in which we are furthest. */
function lossRows(results: Results): Row[] {
  return comparisons.flatMap((comparison): Row[] => {
    const behind = workloads(1)
      .filter(({ name }) => !hasGoal(comparison.metric, name))
      .flatMap(({ name }) => comparedRow(results, comparison, name, oldAndNew) ?? [])
      .map((row) => ({ ...row, loss: comparison.better === "more" ? 1 / row.ratio : row.ratio }))
      .filter(({ loss }) => loss > 1)
      .sort((a, b) => b.loss - a.loss);
    return behind
      .slice(0, 1)
      .map((row): Row => [row.what, row.ours, row.theirs, times(row.ratio), "none", "**behind**"]);
  });
}

const hasGoal = (metric: string, workload: string): boolean =>
  ratioGoals.some((goal) => goal.metric === metric && goal.other === oldAndNew && goal.workloads.includes(workload));

/** Goals of our figures alone. */
function ownGoalRows(results: Results): Row[] {
  return results
    .distinct((figure) => goalOf(figure) !== undefined && isSlowestView(results, figure))
    .flatMap((figure): Row[] => {
      const { system, phase, workload, metric, unit } = figure;
      const value = results.median(system, phase, workload, shortMetric(phase, metric));
      return value === undefined ? [] : [ownGoalRow(figure, value, unit, goalOf(figure) as Goal)];
    });
}

/** The page has many views with one goal. The slowest stands for them. */
function isSlowestView(results: Results, { phase, metric, value }: Figure): boolean {
  const share = /: (p\d+)/.exec(metric)?.[1];
  if (phase !== "review" || share === undefined) return true;
  const views = results.distinct((other) => other.phase === phase && other.metric.includes(`: ${share}`));
  return views.every((other) => other.value <= value);
}

function ownGoalRow({ phase, workload, metric }: Figure, value: number, unit: string, goal: Goal): Row {
  const what = [phaseTitles[phase], titleOf(workload), metric].filter(Boolean).join(": ");
  if (unit === "×") return [what, "", "", `${shown(value)}×`, `${goalText(goal)}×`, stateOf(value, goal)];
  return [what, `${shown(value)} ${unit}`.trim(), "", "", goalText(goal), stateOf(value, goal)];
}

function comparedRow(results: Results, { phase, metric, title, unit }: Comparison, workload: string, other: string) {
  const [value, their] = [ours, other].map((system) => results.median(system, phase, workload, metric));
  const ratio = results.ratio(other, phase, workload, metric);
  if (value === undefined || their === undefined || ratio === undefined) return undefined;
  return { what: `${title}, ${titleOf(workload)}`, ours: `${shown(value)} ${unit}`, theirs: shown(their), ratio };
}

const nameOf = (other: string): string => (other === newOnly ? "Debezium with new values only" : other);

const times = (ratio: number): string => `${ratio.toFixed(2)}×`;

const stateOf = (value: number, goal: Goal): string => (meets(value, goal) ? "met" : "**missed**");
