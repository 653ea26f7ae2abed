import stringWidth from "string-width";
import type { CaptureProblem } from "../../operator/database/maintain";
import type { WatchedTables } from "../parts/watched";

/** Names that a list shows, and tables that a group of losses shows, before it only counts. */
const namesShown = 6;
const tablesShown = 4;

/**
 * Which tables are captured, which are not and why, and what the log will lack: one page, however many tables there are.
 *
 * @param width columns of the terminal that long lines are wrapped to.
 */
export function tablesPage(tables: WatchedTables, width = Infinity): string {
  return page(tables)
    .split("\n")
    .map((line) => wrapped(line, width))
    .join("\n");
}

function page({ watched, notWatched, losses }: WatchedTables): string {
  const others = notWatched.reduce((sum, { tables }) => sum + tables.length, 0);
  const lines = [`${tablesOf(watched)} watched${others > 0 ? `, ${others} not:` : "."}`];
  for (const { reason, tables } of notWatched)
    lines.push(`  ${tables.length} ${reason}`, `    ${list(tables, namesShown)}`);
  if (losses.length > 0) lines.push(lossesPage(losses));
  return lines.join("\n");
}

/** What the log will lack, grouped by kind, each with what mends it. */
function lossesPage(losses: readonly CaptureProblem[]): string {
  const objects = new Set(losses.map(({ object }) => object)).size;
  const groups = Map.groupBy(losses, ({ problem }) => kindOf(problem));
  const lines = [`Warnings about ${objects} of them:`];
  for (const [kind, group] of [...groups].sort(([, left], [, right]) => right.length - left.length)) {
    lines.push(...(group.length === 1 ? alone(group[0] as CaptureProblem) : together(kind, group)));
  }
  lines.push("  All of them, for as long as it is so: SELECT * FROM capture.problems() in your database.");
  return lines.join("\n");
}

function alone({ object, problem, fix }: CaptureProblem): string[] {
  return [`  ${object} ${problem}`, `    fix: ${fix}`];
}

function together(kind: string, group: readonly CaptureProblem[]): string[] {
  const [first] = group as [CaptureProblem];
  const alike = group.every(({ problem }) => problem === first.problem);
  if (alike) {
    return [
      `  ${group.length} tables: each ${first.problem}`,
      `    ${list(
        group.map(({ object }) => object),
        namesShown,
      )}`,
      `    fix, of ${first.object}: ${first.fix}`,
    ];
  }
  const shown = group.slice(0, tablesShown);
  return [
    `  ${group.length} tables: each ${kind}`,
    ...shown.map(({ object, problem }) => `    ${object}${problem.slice(kind.length)}`),
    ...(group.length > shown.length ? [`    and ${group.length - shown.length} more`] : []),
    `    fix, of ${first.object}: ${first.fix}`,
  ];
}

/** A problem without its details, such as names of columns. */
const kindOf = (problem: string) => problem.split(/[:,(]/)[0]?.trimEnd() ?? problem;

function list(names: readonly string[], most: number): string {
  const rest = names.length - most;
  return names.slice(0, most).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

/** A line over several that fit; those that follow are indented a little more than the first. */
export function wrapped(line: string, width: number): string {
  if (stringWidth(line) <= width) return line;
  const indent = " ".repeat(line.length - line.trimStart().length);
  const lines = [indent];
  for (const word of line.trimStart().split(" ")) {
    const last = lines.at(-1) as string;
    const longer = last.trim() === "" ? `${last}${word}` : `${last} ${word}`;
    if (stringWidth(longer) <= width || last.trim() === "") lines[lines.length - 1] = longer;
    else lines.push(`${indent}  ${word}`);
  }
  return lines.join("\n");
}

const tablesOf = (count: number) => `${count} ${count === 1 ? "table is" : "tables are"}`;

/** Problems that keep a source from being audited, those of one kind as one. */
export function problemsPage(problems: readonly string[]): string {
  const kinds = Map.groupBy(problems, (problem) => problem.replace(/^\S+ /, "").split(". ")[0] ?? problem);
  return [...kinds.values()]
    .map((alike) => {
      const [first = ""] = alike;
      if (alike.length === 1) return `  - ${first}`;
      const names = alike.map((problem) => problem.split(" ")[0] ?? "");
      return `  - ${alike.length} tables: ${first}\n    The others: ${list(names.slice(1), namesShown)}.`;
    })
    .join("\n");
}
