import { type Filter, operations } from "../api";
import { type Draft, filterOf, isOperation, type ListName, lists, type SingleName, singles } from "./filter";
import { type Clock, readTime, timeExamples } from "./times";
import { type Token, tokensOf, written } from "./tokens";

/** What a search means, and what of it was not understood. */
export interface Search {
  readonly filter: Filter;
  readonly problems: readonly Problem[];
}

export interface Problem {
  /** The part of the search that was not understood, as it was written. */
  readonly part: string;
  /** Why, and what would be understood. */
  readonly message: string;
}

/** The qualifiers of the search box and the parts of a filter that they stand for, first the names that it writes itself. */
const qualifiers: Readonly<Record<string, ListName | SingleName | "on">> = {
  actor: "actor",
  table: "table",
  op: "operation",
  column: "column",
  key: "key",
  request: "request",
  tx: "transaction",
  source: "source",
  after: "from",
  before: "to",
  on: "on",
  by: "actor",
  operation: "operation",
  transaction: "transaction",
  from: "from",
  since: "from",
  to: "to",
  until: "to",
};

/** What can stand before a colon, for completion. */
export const qualifierNames = [
  "actor",
  "table",
  "op",
  "column",
  "key",
  "request",
  "tx",
  "source",
  "after",
  "before",
  "on",
];

const isList = (name: string): name is ListName => (lists as readonly string[]).includes(name);

/** The part of a filter that a qualifier stands for. */
export function partOf(qualifier: string): ListName | SingleName | "on" | undefined {
  return Object.hasOwn(qualifiers, qualifier) ? qualifiers[qualifier] : undefined;
}

/** Reads a search such as `actor:alice table:shop.orders -op:insert after:2h "back door"`. */
export function readSearch(text: string, clock: Clock): Search {
  const draft: Draft = { not: {} };
  const problems: Problem[] = [];
  const words: string[] = [];
  for (const token of tokensOf(text)) {
    const message = token.qualifier === undefined ? takeWord(token, words) : takeQualifier(token, draft, clock);
    if (message !== undefined) problems.push({ part: token.text, message });
  }
  if (words.length > 0) draft.text = words.join(" ");
  if (draft.key !== undefined && draft.table?.length !== 1)
    problems.push({ part: `key:${draft.key}`, message: "A key belongs to one table: add table:schema.name." });
  if (draft.from !== undefined && draft.to !== undefined && draft.from > draft.to)
    problems.push({ part: "after: and before:", message: "The span ends before it begins, so nothing is in it." });
  return { filter: filterOf(draft), problems };
}

function takeWord(token: Token, words: string[]): string | undefined {
  if (token.isOpen) return 'It begins with a quote that is not closed: add ".';
  if (token.isExcluded)
    return `Text can't be excluded. For a text that begins with a dash write ${written(`-${token.value}`, true)}.`;
  words.push(token.value);
  return undefined;
}

function takeQualifier(token: Token, draft: Draft, clock: Clock): string | undefined {
  const qualifier = (token.qualifier as string).toLowerCase();
  const part = partOf(qualifier);
  if (part === undefined) return unknownQualifier(token, qualifier);
  if (token.isOpen)
    return token.value.startsWith("{") ? "The key's { is not closed: add }." : 'The quote is not closed: add ".';
  if (token.value === "") return `Nothing follows ${qualifier}:.`;
  if (isList(part)) return takeListed(token, part, draft);
  if (token.isExcluded)
    return `Only ${lists.map((name) => (name === "operation" ? "op" : name)).join(", ")} can be excluded.`;
  if (part === "from" || part === "to" || part === "on") return takeTime(token, part, draft, clock);
  if (draft[part] !== undefined && draft[part] !== token.value)
    return `${qualifier}: stands twice with different values; the first counts.`;
  if (part === "transaction" && !/^\d{1,20}$/.test(token.value)) return "A transaction is a number.";
  if (part === "key" && !isKey(token.value)) return 'A key is written like key:{"id":42}.';
  draft[part] = token.value;
  return undefined;
}

function takeListed(token: Token, part: ListName, draft: Draft): string | undefined {
  const values = part === "operation" ? token.value.toLowerCase().split(",").filter(Boolean) : [token.value];
  const unknown = part === "operation" ? values.filter((value) => !isOperation(value)) : [];
  const to = token.isExcluded ? (draft.not ??= {}) : draft;
  (to[part] ??= []).push(...values.filter((value) => !unknown.includes(value)));
  if (unknown.length === 0) return undefined;
  return `${unknown.join(", ")} is no operation. There are ${operations.join(", ")}.`;
}

function takeTime(token: Token, part: "from" | "to" | "on", draft: Draft, clock: Clock): string | undefined {
  const span = readTime(token.value, clock);
  if (!span) return `${token.value} is no time. Write ${timeExamples}.`;
  if (part !== "to") draft.from = span.from;
  // Before yesterday is before it began; on yesterday ends with it.
  if (part === "to") draft.to = span.from;
  if (part === "on") {
    if (span.from === span.to) return `${token.value} is a moment; on: wants a day or a minute.`;
    draft.to = span.to;
  }
  return undefined;
}

function isKey(text: string): boolean {
  try {
    const key: unknown = JSON.parse(text);
    return typeof key === "object" && key !== null && !Array.isArray(key);
  } catch {
    return false;
  }
}

function unknownQualifier(token: Token, qualifier: string): string {
  const nearest = qualifierNames.find((name) => distance(name, qualifier) <= (name.length > 3 ? 2 : 1));
  const meant = nearest === undefined ? `There are ${qualifierNames.join(", ")}` : `Did you mean ${nearest}:`;
  return `${qualifier}: is no qualifier. ${meant}? To find the text, write ${written(token.text, true)}.`.replace(
    /(on)\?/,
    "$1.",
  );
}

/** How many signs have to be added, taken out, changed or swapped. */
function distance(left: string, right: string): number {
  let [before, row] = [[] as number[], Array.from({ length: right.length + 1 }, (_, place) => place)];
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const change = (row[j - 1] as number) + (left[i - 1] === right[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      next.push(
        Math.min(
          change,
          (row[j] as number) + 1,
          (next[j - 1] as number) + 1,
          isSwap ? (before[j - 2] as number) + 1 : Infinity,
        ),
      );
    }
    [before, row] = [row, next];
  }
  return row[right.length] as number;
}

/** The search that means a filter, as the search box shows it. */
export function searchOf(filter: Filter): string {
  const nameOf = (part: string) => qualifierNames.find((name) => qualifiers[name] === part) as string;
  const listed = lists.flatMap((part) => [
    ...(filter[part] ?? []).map((value) => `${nameOf(part)}:${written(value)}`),
    ...(filter.not?.[part] ?? []).map((value) => `-${nameOf(part)}:${written(value)}`),
  ]);
  const single = singles.flatMap((part) => {
    const value = filter[part];
    if (value === undefined || part === "text") return [];
    return [`${nameOf(part)}:${part === "key" ? value : written(value)}`];
  });
  return [...listed, ...single, ...(filter.text === undefined ? [] : [written(filter.text, true)])].join(" ");
}
