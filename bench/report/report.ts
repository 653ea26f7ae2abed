import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryFolder } from "../../local/machine/folders";
import { barChart, type BarChart } from "./bar-chart";
import {
  comparisons,
  cpuPrefix,
  median,
  newOnly,
  oldAndNew,
  ours,
  phaseTitles,
  Results,
  shortMetric,
  titleOf,
  type Comparison,
} from "./comparison-results";
import { furthest, goalOf, ratioGoals } from "./goals";
import { goalText, meets, shown, type Run } from "./results";
import { summary } from "./summary";
import { table } from "./table";
import { workloads } from "../load/workloads";

const document = join(repositoryFolder, "docs/performance.md");
const plotFolder = join(repositoryFolder, "docs/performance");

/**
 * Writes the measured parts of `docs/performance.md` and its plots from the files of one or more runs: medians, and
 * ratios worked out within each run. Refuses runs that measured the same thing at different sizes.
 */
export function writeReport(files: readonly string[]): void {
  const runs = files.map((file) => JSON.parse(readFileSync(file, "utf8")) as Run);
  for (const phase of new Set(runs.flatMap(phasesOf))) {
    const sizes = new Set(runs.filter((run) => phasesOf(run).includes(phase)).map((run) => sizeOf(run, phase)));
    // Where everything starts is measured on the way to whatever was asked for, and is the same at any size.
    if (sizes.size === 1 || phase === "start") continue;
    throw new Error(
      `The runs that measured ${phase} have different sizes (${[...sizes].join("; ")}). Report only runs of one size.`,
    );
  }
  const results = new Results(runs);
  const plots = plotsOf(results);
  mkdirSync(plotFolder, { recursive: true });
  for (const { file, chart } of plots) writeFileSync(join(plotFolder, file), barChart(chart));
  const measured = [
    losses(results),
    plots.map(({ file, chart }) => `![${chart.title}](performance/${file})`).join("\n\n"),
    ...comparisons.map((comparison) => comparisonTable(results, comparison)),
    heldTable(results),
    writtenTable(results),
    partsTables(results, "sustained", cpuPrefix, "CPU of each part at the sustained rate, ms for 1,000 changes"),
    partsTables(results, "drain", cpuPrefix, "CPU of each part while a backlog drains, ms for 1,000 changes"),
    partsTables(results, "drain", "bytes per change: ", "Bytes of one change at each hop"),
    partsTables(results, "drain", "memory after the drain: ", "Memory of each part after a drain, MiB"),
    ...Object.keys(phaseTitles).map((phase) => phaseTable(results, phase)),
    runsTable(files, runs),
  ];
  const page = withPart(readFileSync(document, "utf8"), "summary", summary(results));
  writeFileSync(document, withPart(page, "measured", measured.filter(Boolean).join("\n\n")));
}

/** The page with another text between the marks of one of its parts. */
function withPart(page: string, part: string, text: string): string {
  const [begin, end] = [`<!-- ${part}: begin -->`, `<!-- ${part}: end -->`];
  const [before, after] = [page.split(begin)[0], page.split(end)[1]];
  if (before === page || after === undefined) throw new Error(`${document} lacks the lines ${begin} and ${end}.`);
  return `${before}${begin}\n\n${text}\n\n${end}${after}`;
}

/** Rates that were found in another way are no more comparable than those of another size. */
const sizeOf = ({ quick, scale, sustained }: Run, phase?: string) =>
  `${quick ? "quick, " : ""}scale ${scale}${phase === "sustained" ? `, by ${sustained ?? "holding the writer"}` : ""}`;
const phasesOf = ({ figures }: Run) => [...new Set(figures.map(({ phase }) => phase))];

function losses(results: Results): string {
  const lines: string[] = [];
  for (const figure of results.distinct((each) => goalOf(each) !== undefined)) {
    const { system, phase, workload, metric, unit } = figure;
    const value = results.median(system, phase, workload, shortMetric(phase, metric));
    const goal = goalOf(figure);
    if (!goal || value === undefined || meets(value, goal)) continue;
    lines.push(
      `${[titleOf(workload), metric].filter(Boolean).join(": ")}: ${shown(value)} ${unit}, the goal is ${goalText(goal)}.`,
    );
  }
  for (const ratioGoal of ratioGoals) {
    const { metric, other, goal } = ratioGoal;
    const { phase, title } = comparisons.find((comparison) => comparison.metric === metric) as Comparison;
    const found = furthest(results, ratioGoal, phase);
    if (!found || meets(found.ratio, goal)) continue;
    lines.push(
      `${title}, ${titleOf(found.workload)}: ${found.ratio.toFixed(2)} times that of ${other}, the goal is ${goalText(goal)}.`,
    );
  }
  for (const { phase, metric, title, better } of comparisons) {
    for (const peer of [oldAndNew, newOnly]) {
      const worse = workloads(1).flatMap(({ name, title: workload }) => {
        const ratio = results.ratio(peer, phase, name, metric);
        const loses = ratio !== undefined && (better === "more" ? ratio < 1 : ratio > 1);
        return loses ? [`${ratio.toFixed(2)} times (${workload})`] : [];
      });
      if (worse.length > 0) lines.push(`${title} against ${peer}: ${worse.join(", ")}.`);
    }
  }
  const failures = results.runs.flatMap(({ failures: failed }) => failed);
  for (const { what, reason } of failures) lines.push(`Not measured in one run: ${what} (${reason.split("\n")[0]}).`);
  const intro =
    lines.length === 0
      ? "No goal is missed, and no peer that was measured is ahead in anything listed here."
      : "Goals that are missed, and whatever a peer does better, as ours over theirs:";
  return ["## Where we lose", intro, lines.map((line) => `- ${line}`).join("\n")].filter(Boolean).join("\n\n");
}

function comparisonTable(results: Results, { phase, metric, title, unit, better }: Comparison): string {
  const { present, text } = systemsTable(results, phase, metric, (value, system, workload) => {
    const ratio = system === ours ? undefined : results.ratio(system, phase, workload, metric);
    return `${shown(value)}${ratio === undefined ? "" : ` (${ratio.toFixed(2)}×)`}`;
  });
  if (!text) return "";
  const note = present.length > 1 ? ` In brackets ours over theirs: ${better} is better.` : "";
  return `### ${title}\n\nIn ${unit}.${note}\n\n${text}`;
}

/** Tells where a sustained rate, found by search, is what the system carries, and where it is what the writer can write. */
function writtenTable(results: Results): string {
  const metric = "share of the next higher rate that the writer wrote";
  const { text } = systemsTable(results, "sustained", metric, (value) => value.toFixed(0));
  const note =
    "Percent of the lowest rate that was too high. At 95 or more the system fell behind; below, the writer, on the same " +
    "processors, could not write more.";
  return text && `### What limited the sustained rate\n\n${note}\n\n${text}`;
}

/** Tells where a sustained rate is what the system carries, and where it is what the writer wrote beside it. */
function heldTable(results: Results): string {
  const metric = "share of the time that the writer was held";
  const { text } = systemsTable(results, "sustained", metric, (value) => value.toFixed(0));
  const note = "Percent of the sustained rate's time. At 0 the system carried all that the writer wrote beside it.";
  return text && `### How long the writer was held\n\n${note}\n\n${text}`;
}

/** A figure of every system under every workload. */
function systemsTable(
  results: Results,
  phase: string,
  metric: string,
  cell: (value: number, system: string, workload: string) => string,
): { present: readonly string[]; text: string } {
  const present = results.systems.filter((system) =>
    workloads(1).some(({ name }) => results.median(system, phase, name, metric) !== undefined),
  );
  const rows = workloads(1).flatMap(({ name, title }) => {
    if (results.median(ours, phase, name, metric) === undefined) return [];
    const cells = present.map((system) => {
      const value = results.median(system, phase, name, metric);
      return value === undefined ? "not measured" : cell(value, system, name);
    });
    return [[title, ...cells]];
  });
  return { present, text: rows.length === 0 ? "" : table(["", ...present], rows) };
}

/** A figure of each part or hop, for every system, under single-row updates and under the largest rows. */
function partsTables(results: Results, phase: string, prefix: string, title: string): string {
  const tables = ["hot", "wide-8k"].map((workload) => partsTable(results, phase, prefix, workload)).filter(Boolean);
  return tables.length === 0 ? "" : [`### ${title}`, ...tables].join("\n\n");
}

function partsTable(results: Results, phase: string, prefix: string, workload: string): string {
  const figures = results.distinct(
    (figure) => figure.phase === phase && figure.workload === workload && figure.metric.startsWith(prefix),
  );
  const metrics = [...new Set(figures.map(({ metric }) => metric))];
  const present = results.systems.filter((system) => figures.some((figure) => figure.system === system));
  if (metrics.length === 0) return "";
  const rows = metrics.map((metric) => [
    metric.slice(prefix.length),
    ...present.map((system) => {
      const value = results.median(system, phase, workload, metric);
      return value === undefined ? "" : shown(value);
    }),
  ]);
  return `${titleOf(workload)}:\n\n${table(["", ...present], rows)}`;
}

/** The figures of a phase that has no peers in other columns. */
function phaseTable(results: Results, phase: string): string {
  const figures = results.distinct((figure) => figure.phase === phase);
  if (figures.length === 0) return "";
  const rows = figures.map((figure) => {
    const { system, workload, metric, unit } = figure;
    const goal = goalOf(figure);
    const values = results.values(system, phase, workload, metric).filter((value) => value !== undefined);
    const value = median(values) as number;
    const range = values.length > 1 ? `${shown(Math.min(...values))} to ${shown(Math.max(...values))}` : "one run";
    const verdict = goal ? `${goalText(goal)}: ${meets(value, goal) ? "met" : "**missed**"}` : "";
    const what = [system === ours ? "" : system, titleOf(workload), metric].filter(Boolean).join(" · ");
    return [what, `${shown(value)} ${unit}`.trim(), range, verdict];
  });
  return `### ${phaseTitles[phase]}\n\n${table(["", "median", "range", "goal"], rows)}`;
}

function runsTable(files: readonly string[], runs: readonly Run[]): string {
  const rows = runs.map((run, index) => {
    const { startedAt, machine, writer } = run;
    return [
      `\`${(files[index] as string).replace(/^.*\//, "")}\``,
      startedAt,
      sizeOf(run),
      phasesOf(run).join(", "),
      `${machine.processors}, ${machine.memoryGibibytes} GiB, Linux ${machine.kernel}, Node ${machine.node}`,
      serverText(machine.postgres),
      machine.loadBefore.toFixed(1),
      writer,
    ];
  });
  return `### The runs\n\nEach figure is the median of the runs that measured it.\n\n${table(["file", "begun", "size", "measured", "machine", "server", "load before", "writer"], rows)}`;
}

/** Earlier runs did not record it: they ran on the npm package, as all did then. */
const serverText = (server: Run["machine"]["postgres"]): string =>
  server ? `PostgreSQL ${server.version}, ${server.lz4 ? "with" : "without"} lz4` : "npm package, without lz4";

function plotsOf(results: Results): { file: string; chart: BarChart }[] {
  const compared = comparisons
    .filter(({ metric }) => ["sustained rate", "drain rate", "p99", "CPU"].includes(metric))
    .map(({ phase, metric, title, unit }) => ({
      file: `${metric.replaceAll(" ", "-").toLowerCase()}.svg`,
      chart: {
        title,
        unit,
        series: results.systems,
        groups: workloads(1)
          .map(({ name, title: label }) => ({
            label,
            values: results.systems.map((system) => results.median(system, phase, name, metric)),
          }))
          .filter(({ values }) => values.some((value) => value !== undefined)),
      },
    }));
  const single = (phase: string, pattern: RegExp, file: string, title: string, unit: string) => ({
    file,
    chart: {
      title,
      unit,
      series: ["median"],
      groups: results
        .distinct(
          (figure) => figure.phase === phase && pattern.test(figure.metric) && (figure.workload ?? "hot") === "hot",
        )
        .map(({ system, workload, metric }) => ({
          label: metric.replace(/: .*/, ""),
          values: [results.median(system, phase, workload, metric)],
        })),
    },
  });
  return [
    ...compared,
    single(
      "writer",
      /: share of/,
      "writer.svg",
      "The application's rate, single-row updates",
      "share of the rate with capture off",
    ),
    single("growth", /^rows [\d,]+ to [\d,]+$/, "growth.svg", "Inserts into a growing log", "rows/s"),
  ].filter(({ chart }) => chart.groups.length > 0);
}
