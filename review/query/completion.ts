import { operations } from "../api";
import { partOf, qualifierNames } from "./search-box";
import { tokensOf, written } from "./tokens";

/** What is being typed at the caret, and where in the search it stands. */
export interface Typed {
  /** A qualifier's name, or a value of the part that a qualifier stands for. */
  readonly of: "qualifier" | "actor" | "table" | "column" | "operation" | "request" | "source" | "time";
  /** What is there already. */
  readonly start: string;
  /** What stands in front of the piece and stays: `-actor:`. */
  readonly head: string;
  readonly from: number;
  readonly to: number;
}

const times = ["15m", "1h", "24h", "7d", "today", "yesterday"];

/** What could be completed at the caret; undefined where nothing can. */
export function typedAt(text: string, caret: number): Typed | undefined {
  const token = tokensOf(text).find(({ start, text: each }) => start < caret && caret <= start + each.length);
  if (token === undefined) {
    const isBetween = caret === 0 || /\s/.test(text[caret - 1] as string);
    return isBetween ? { of: "qualifier", start: "", head: "", from: caret, to: caret } : undefined;
  }
  const span = { from: token.start, to: token.start + token.text.length };
  const dash = token.isExcluded ? "-" : "";
  if (token.qualifier === undefined) {
    if (!/^-?[a-z]*$/i.test(token.text)) return undefined;
    return { of: "qualifier", start: token.value.toLowerCase(), head: dash, ...span };
  }
  const part = partOf(token.qualifier.toLowerCase());
  const head = `${dash}${token.qualifier}:`;
  switch (part) {
    case "actor":
    case "table":
    case "column":
    case "operation":
    case "request":
    case "source":
      return { of: part, start: token.value, head, ...span };
    case "from":
    case "to":
    case "on":
      return { of: "time", start: token.value, head, ...span };
    default:
      return undefined;
  }
}

/** What the page knows by itself; undefined when the server has to be asked. */
export function knownCompletions(typed: Typed): readonly string[] | undefined {
  const startsSo = (each: string) => each.startsWith(typed.start) && each !== typed.start;
  switch (typed.of) {
    case "qualifier":
      return qualifierNames.filter(startsSo).map((name) => `${name}:`);
    case "operation":
      return operations.filter(startsSo);
    case "time":
      return times.filter(startsSo);
    default:
      return undefined;
  }
}

/** The search after a completion was taken, and where the caret stands then. */
export function completed(
  text: string,
  typed: Typed,
  taken: string,
): { readonly text: string; readonly caret: number } {
  const isQualifier = typed.of === "qualifier";
  const piece = `${typed.head}${isQualifier ? taken : `${written(taken)} `}`;
  const rest = text.slice(typed.to).replace(/^ /, "");
  return { text: text.slice(0, typed.from) + piece + rest, caret: typed.from + piece.length };
}
