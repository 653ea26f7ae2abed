import { diffArrays } from "diff";
import { canonicalJson, isObject, type Json, type JsonObject } from "../exact-json";

/** An old and a new element that are the same thing, or one of them alone. Places count from 0. */
export interface Pair {
  readonly from?: { readonly place: number; readonly value: Json };
  readonly to?: { readonly place: number; readonly value: Json };
  /** What identifies the element: `id 7`. */
  readonly identity?: string;
}

/** Members that identify an element where every element has one of its own, the surest first. */
const identities = ["id", "uuid", "key", "code", "sku", "slug", "name", "line", "position"];

/** Pairs the elements of two arrays: by a member that identifies them, otherwise those that are equal, in order. */
export function pairElements(from: readonly Json[], to: readonly Json[]): readonly Pair[] {
  const identity = identities.find((name) => identifies(name, from) && identifies(name, to));
  return identity === undefined ? pairByOrder(from, to) : pairByIdentity(identity, from, to);
}

function identifies(name: string, elements: readonly Json[]): boolean {
  const values = elements.map((element) => (isObject(element) && Object.hasOwn(element, name) ? element[name] : null));
  const texts = values.map((value) =>
    value === null || isObject(value) || Array.isArray(value) ? undefined : String(value),
  );
  return texts.every((text) => text !== undefined) && new Set(texts).size === texts.length;
}

function pairByIdentity(name: string, from: readonly Json[], to: readonly Json[]): readonly Pair[] {
  const idOf = (element: Json) => canonicalJson((element as JsonObject)[name] as Json);
  const labelOf = (element: Json) => `${name} ${String((element as JsonObject)[name])}`;
  const oldPlaces = new Map(from.map((element, place) => [idOf(element), place]));
  const kept = new Set(to.map(idOf));
  const pairs: Pair[] = to.map((value, place) => {
    const oldPlace = oldPlaces.get(idOf(value));
    const old = oldPlace === undefined ? undefined : { place: oldPlace, value: from[oldPlace] as Json };
    return { ...(old && { from: old }), to: { place, value }, identity: labelOf(value) };
  });
  const gone = from.flatMap((value, place) =>
    kept.has(idOf(value)) ? [] : [{ from: { place, value }, identity: labelOf(value) }],
  );
  // What is gone stands where it stood.
  for (const pair of gone) pairs.splice(Math.min(pair.from.place, pairs.length), 0, pair);
  return pairs;
}

function pairByOrder(from: readonly Json[], to: readonly Json[]): readonly Pair[] {
  const parts = diffArrays(from.map(canonicalJson), to.map(canonicalJson), { timeout: 200, maxEditLength: 2_000 }) ?? [
    { removed: true, added: false, count: from.length },
    { removed: false, added: true, count: to.length },
  ];
  const pairs: Pair[] = [];
  let [oldPlace, newPlace] = [0, 0];
  const removed: Pair[] = [];
  const takeOld = () => ({ place: oldPlace, value: from[oldPlace++] as Json });
  const takeNew = () => ({ place: newPlace, value: to[newPlace++] as Json });
  for (const part of parts) {
    if (part.removed) {
      for (let taken = 0; taken < part.count; taken += 1) removed.push({ from: takeOld() });
    } else if (part.added) {
      // Elements that were taken out and put in at one place are changed elements.
      for (let taken = 0; taken < part.count; taken += 1) pairs.push({ ...removed.shift(), to: takeNew() });
    } else {
      pairs.push(...removed.splice(0));
      for (let taken = 0; taken < part.count; taken += 1) pairs.push({ from: takeOld(), to: takeNew() });
    }
  }
  return [...pairs, ...removed];
}
