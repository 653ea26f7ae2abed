import type { Question } from "./query-guide-questions";

/** What `npm run query-guide` writes, seen from the repository. */
export const guideFile = "docs/query-guide.md";
export const plansFile = "docs/query-plans.md";

/** What the log answered to one question. */
export interface Answer {
  readonly columns: readonly string[];
  /** Every row, each value as PostgreSQL writes it. */
  readonly rows: readonly Readonly<Record<string, string | null>>[];
  /** Of the fastest run. */
  readonly milliseconds: number;
  /** The indexes of `audit.events` that were read, in the order of the plan. */
  readonly indexes: readonly string[];
  /** The plan of each statement that ran, those inside functions too. */
  readonly plans: readonly string[];
}

export interface IndexPurpose {
  readonly name: string;
  readonly purpose: string;
}

/** Everything that the pages show. */
export interface Asked {
  /** Number of events in the log. */
  readonly events: number;
  /** Server, processor and size of the log. */
  readonly machine: string;
  readonly indexes: readonly IndexPurpose[];
  readonly answers: readonly { readonly question: Question; readonly answer: Answer }[];
}

const sampleRows = 2;
const lineWidth = 118;
/** Of an answer that is one value, such as a statement. */
const lineWidthOfOneColumn = 220;

/** The guide: each question with its SQL, a sample of the answer, the time and the indexes. */
export function guidePage({ events, machine, answers }: Asked): string {
  return page([
    "# Questions to the audit log",
    "Ask as a member of `audit_reader`, in the database that `pulumi stack output auditDatabaseName` names. " +
      "[The runbook](runbook.md#let-people-in) tells how to make such a login.",
    `These questions were asked of ${events.toLocaleString("en")} events over three months, in monthly partitions (${machine}). ` +
      `A time is that of the fastest of ten runs, and each answer shows its first ${sampleRows} rows. ` +
      "`npm run query-guide` writes this page and [the plans](query-plans.md) from a sample log that it makes; " +
      "`tests/docs/query-guide.database.test.ts` checks the SQL and the answers.",
    ...answers.map(({ question, answer }) => guideSection(question, answer)),
  ]);
}

/** The whole plans, question by question. */
export function plansPage({ events, machine, indexes, answers }: Asked): string {
  return page([
    "# Plans of the questions to the audit log",
    `Written by \`npm run query-guide\` beside [the guide](query-guide.md), from ${events.toLocaleString("en")} events (${machine}). ` +
      "The plans are PostgreSQL's own. The plan of a function stands below those of the statements inside it. " +
      "Empty partitions of later months are left out.",
    "## The indexes",
    [
      "| index | what it serves |",
      "|---|---|",
      ...indexes.map((each) => `| \`${each.name}\` | ${each.purpose} |`),
    ].join("\n"),
    ...answers.map(({ question, answer }) => `## ${question.title}\n\n${block("text", answer.plans.join("\n\n"))}`),
  ]);
}

function guideSection({ title, hint, sql }: Question, answer: Answer): string {
  const { rows, milliseconds, indexes } = answer;
  const count = `${rows.length.toLocaleString("en")} ${rows.length === 1 ? "row" : "rows"}`;
  const served = indexes.length === 0 ? "no index" : indexes.map((index) => `\`${index}\``).join(", ");
  return [
    `## ${title}`,
    hint,
    block("sql", sql),
    block("text", sampleTable(answer)),
    `${count} in ${milliseconds.toFixed(1)} ms, by ${served}. [Plan](query-plans.md#${anchorOf(title)})`,
  ].join("\n\n");
}

/** The first rows of an answer in columns; the widest columns are cut until a line fits. */
export function sampleTable({ columns, rows }: Pick<Answer, "columns" | "rows">): string {
  const cells = [columns, ...rows.slice(0, sampleRows).map((row) => columns.map((column) => row[column] ?? ""))];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]?.length ?? 0)));
  const total = () => widths.reduce((sum, width) => sum + width + 2, -2);
  const most = columns.length === 1 ? lineWidthOfOneColumn : lineWidth;
  while (total() > most) {
    const widest = Math.max(...widths);
    widths[widths.indexOf(widest)] = widest - 1;
  }
  const shown = (value: string, width: number) => (value.length > width ? `${value.slice(0, width - 1)}…` : value);
  const lines = cells.map((line) =>
    line
      .map((value, index) => shown(value, widths[index] ?? 0).padEnd(widths[index] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return [...lines, ...(rows.length > sampleRows ? ["…"] : [])].join("\n");
}

/**
 * The indexes that plans read, each once, in the order in which they stand there.
 *
 * @param parents Each partition's index, and the index of the whole table that it is a part of.
 */
export function indexesOf(plans: readonly string[], parents: ReadonlyMap<string, string>): string[] {
  const lines = plans.flatMap((plan) => plan.split("\n")).filter((line) => !line.includes("(never executed)"));
  const named = lines.flatMap((line) => {
    const [, name = ""] = /Index (?:Only )?Scan (?:Backward )?(?:using|on) (\w+)/.exec(line) ?? [];
    return parents.get(name) ?? [];
  });
  return [...new Set(named)];
}

const block = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\``;

const page = (parts: readonly string[]): string => `${parts.join("\n\n")}\n`;

/** The anchor of a heading, as GitHub makes it. */
const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
