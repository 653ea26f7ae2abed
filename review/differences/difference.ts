import { canonicalJson, isObject, type Json } from "../exact-json";
import { type Pair, pairElements } from "./elements";
import { type Segment, wordDifference } from "./words";

/** What lies between two values. */
export type Difference =
  | { readonly kind: "same"; readonly value: Json }
  | { readonly kind: "added"; readonly to: Json }
  | { readonly kind: "removed"; readonly from: Json }
  | { readonly kind: "replaced"; readonly from: Json; readonly to: Json }
  | { readonly kind: "text"; readonly from: string; readonly to: string; readonly segments: readonly Segment[] }
  | { readonly kind: "object"; readonly members: readonly Member[]; readonly changed: number; readonly same: number }
  | { readonly kind: "array"; readonly members: readonly Member[]; readonly changed: number; readonly same: number };

/** A member of an object or an element of an array, with what became of it. */
export interface Member {
  /** The name of a member, or the place or identity of an element. */
  readonly label: string;
  readonly difference: Difference;
  /** An element that stands at another place than before: places counted from 1. */
  readonly moved?: { readonly from: number; readonly to: number };
}

/** Texts shorter than this, or of one word, are shown from → to: a part of them is no easier to read. */
const shortestText = 24;

/** What changed between two values, deep. Numbers differ when their digits do: 10.0 is not 10.00. */
export function differenceOf(from: Json | undefined, to: Json | undefined): Difference {
  if (from === undefined) return to === undefined ? { kind: "same", value: null } : { kind: "added", to };
  if (to === undefined) return { kind: "removed", from };
  if (Array.isArray(from) && Array.isArray(to)) return arrayDifference(from as readonly Json[], to as readonly Json[]);
  if (isObject(from) && isObject(to)) return objectDifference(from, to);
  if (canonicalJson(from) === canonicalJson(to)) return { kind: "same", value: to };
  if (typeof from === "string" && typeof to === "string") return textDifference(from, to);
  return { kind: "replaced", from, to };
}

function textDifference(from: string, to: string): Difference {
  const isProse = [from, to].every((text) => /\s/.test(text.trim()));
  if (!isProse || Math.max(from.length, to.length) < shortestText) return { kind: "replaced", from, to };
  const segments = wordDifference(from, to);
  const isRelated = segments.some(({ kind, text }) => kind === "same" && text.trim() !== "");
  return isRelated ? { kind: "text", from, to, segments } : { kind: "replaced", from, to };
}

function objectDifference(from: { readonly [name: string]: Json }, to: { readonly [name: string]: Json }): Difference {
  const names = [...Object.keys(from), ...Object.keys(to).filter((name) => !Object.hasOwn(from, name))];
  const valueIn = (value: typeof from, name: string) => (Object.hasOwn(value, name) ? value[name] : undefined);
  const members = names.map((label) => ({ label, difference: differenceOf(valueIn(from, label), valueIn(to, label)) }));
  return composite("object", members, to);
}

function arrayDifference(from: readonly Json[], to: readonly Json[]): Difference {
  const pairs = pairElements(from, to);
  // Neighbours of what was put in or taken out have other places only because of it.
  const isReordered = !inOrder(pairs);
  const members = pairs.map((pair): Member => {
    const difference = differenceOf(pair.from?.value, pair.to?.value);
    const label = pair.identity ?? `${(pair.to ?? pair.from)?.place ?? 0}`;
    if (!isReordered || !pair.from || !pair.to || pair.from.place === pair.to.place) return { label, difference };
    return { label, difference, moved: { from: pair.from.place + 1, to: pair.to.place + 1 } };
  });
  return composite("array", members, to);
}

/** Whether the elements that stayed stand in the order that they had. */
function inOrder(pairs: readonly Pair[]): boolean {
  const places = pairs.flatMap(({ from, to }) => (from && to ? [from.place] : []));
  return places.every((place, index) => index === 0 || (places[index - 1] as number) < place);
}

function composite(kind: "object" | "array", members: readonly Member[], to: Json): Difference {
  const changed = members.filter(({ difference, moved }) => difference.kind !== "same" || moved !== undefined).length;
  if (changed === 0) return { kind: "same", value: to };
  return { kind, members, changed, same: members.length - changed };
}

/** How many single values differ: what stands on a collapsed document. */
export function countChanges(difference: Difference): number {
  switch (difference.kind) {
    case "same":
      return 0;
    case "object":
    case "array":
      return difference.members.reduce(
        (sum, member) => sum + Math.max(countChanges(member.difference), member.moved ? 1 : 0),
        0,
      );
    default:
      return 1;
  }
}

/** The one value that differs in a document, and the labels on the way to it; undefined when several do, or one has moved. */
export function onlyChange(
  difference: Difference,
): { readonly path: readonly string[]; readonly difference: Difference } | undefined {
  if (difference.kind === "same") return undefined;
  if (difference.kind !== "object" && difference.kind !== "array") return { path: [], difference };
  const [member, ...others] = difference.members.filter(
    (each) => each.difference.kind !== "same" || each.moved !== undefined,
  );
  if (!member || member.moved || others.length > 0) return undefined;
  const inner = onlyChange(member.difference);
  return inner && { path: [member.label, ...inner.path], difference: inner.difference };
}
