import { diffWordsWithSpace } from "diff";

/** A piece of two texts: in both, only in the old one, or only in the new one. */
export interface Segment {
  readonly kind: "same" | "removed" | "added";
  readonly text: string;
}

/** Texts that differ in more words than this are shown as replaced: reading them word by word helps nobody. */
const mostEdits = 2_000;
const longestWait = 200;

/**
 * What changed between two texts, word by word. Joined, the same and the removed segments are the old text, and the same
 * and the added ones the new text.
 */
export function wordDifference(from: string, to: string): readonly Segment[] {
  const start = commonStart(from, to);
  const end = commonEnd(from.slice(start), to.slice(start));
  const middle = [from.slice(start, from.length - end), to.slice(start, to.length - end)] as const;
  const segments: Segment[] = [
    { kind: "same", text: from.slice(0, start) },
    ...middleDifference(...middle),
    { kind: "same", text: from.slice(from.length - end) },
  ];
  return merged(segments.filter(({ text }) => text !== ""));
}

function middleDifference(from: string, to: string): Segment[] {
  const parts = diffWordsWithSpace(from, to, { maxEditLength: mostEdits, timeout: longestWait });
  if (!parts) {
    return [
      { kind: "removed", text: from },
      { kind: "added", text: to },
    ];
  }
  return parts.map(({ added, removed, value }) => ({
    kind: added ? "added" : removed ? "removed" : "same",
    text: value,
  }));
}

const isWordSign = (sign: string | undefined) => sign !== undefined && /[\p{L}\p{N}\p{M}_\ud800-\udfff]/u.test(sign);

/** How many characters both texts begin with, up to the beginning of a word. */
function commonStart(from: string, to: string): number {
  const most = Math.min(from.length, to.length);
  let count = 0;
  while (count < most && from[count] === to[count]) count += 1;
  if (count === from.length && count === to.length) return count;
  while (count > 0 && isWordSign(from[count - 1])) count -= 1;
  return count;
}

function commonEnd(from: string, to: string): number {
  const most = Math.min(from.length, to.length);
  let count = 0;
  while (count < most && from[from.length - 1 - count] === to[to.length - 1 - count]) count += 1;
  while (count > 0 && isWordSign(from[from.length - count])) count -= 1;
  return count;
}

function merged(segments: readonly Segment[]): readonly Segment[] {
  const result: Segment[] = [];
  for (const segment of segments) {
    const last = result.at(-1);
    if (last?.kind === segment.kind) result[result.length - 1] = { kind: last.kind, text: last.text + segment.text };
    else result.push(segment);
  }
  return result;
}
