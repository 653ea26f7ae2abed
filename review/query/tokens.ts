/** A piece of a search: a word, a quoted text, or a qualifier with its value. */
export interface Token {
  /** As it was written. */
  readonly text: string;
  /** Where it begins in the search. */
  readonly start: number;
  readonly isExcluded: boolean;
  /** What stands before the colon. */
  readonly qualifier?: string;
  readonly value: string;
  /** Whether a quote or a brace in it is not closed. */
  readonly isOpen: boolean;
}

const space = /\s/;

/** The pieces of a search, in order. */
export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (space.test(text[at] as string)) {
      at += 1;
      continue;
    }
    const token = tokenAt(text, at);
    tokens.push(token);
    at += token.text.length;
  }
  return tokens;
}

function tokenAt(text: string, start: number): Token {
  const head = /^(-?)(?:([A-Za-z_-]+):)?/.exec(text.slice(start, start + 40));
  const isExcluded = head?.[1] === "-";
  const qualifier = head?.[2];
  const begin = start + (head?.[0].length ?? 0);
  const { value, end, isOpen } = valueAt(text, begin, qualifier !== undefined);
  return {
    text: text.slice(start, end),
    start,
    isExcluded,
    ...(qualifier !== undefined && { qualifier }),
    value,
    isOpen,
  };
}

function valueAt(text: string, begin: number, isQualified: boolean): { value: string; end: number; isOpen: boolean } {
  if (text[begin] === '"') return quotedAt(text, begin);
  if (text[begin] === "{" && isQualified) return bracedAt(text, begin);
  let end = begin;
  while (end < text.length && !space.test(text[end] as string)) end += 1;
  return { value: text.slice(begin, end), end, isOpen: false };
}

function quotedAt(text: string, begin: number): { value: string; end: number; isOpen: boolean } {
  let value = "";
  for (let at = begin + 1; at < text.length; at += 1) {
    if (text[at] === '"') return { value, end: at + 1, isOpen: false };
    if (text[at] === "\\" && at + 1 < text.length) at += 1;
    value += text[at];
  }
  return { value, end: text.length, isOpen: true };
}

/** JSON may hold spaces, and braces within its texts. */
function bracedAt(text: string, begin: number): { value: string; end: number; isOpen: boolean } {
  let depth = 0;
  let isText = false;
  for (let at = begin; at < text.length; at += 1) {
    const sign = text[at];
    if (isText && sign === "\\") at += 1;
    else if (sign === '"') isText = !isText;
    else if (!isText && (sign === "{" || sign === "[")) depth += 1;
    else if (!isText && (sign === "}" || sign === "]")) {
      depth -= 1;
      if (depth === 0) return { value: text.slice(begin, at + 1), end: at + 1, isOpen: false };
    }
  }
  return { value: text.slice(begin), end: text.length, isOpen: true };
}

/** A value as it is written in a search: in quotes where it would be read as something else. */
export function written(value: string, isText = false): string {
  const isPlain = isText
    ? value.split(" ").every((word) => /^[^\s"\\:{-][^\s"\\:{]*$/.test(word))
    : /^[^\s"{][^\s]*$/.test(value);
  return isPlain ? value : `"${value.replace(/["\\]/g, "\\$&")}"`;
}
