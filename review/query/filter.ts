import { type Filter, type Operation, operations, type Wanted } from "../api";

/** Parts of a filter that hold several values, of which one must fit, or none when they are excluded. */
export const lists = ["actor", "table", "operation", "column"] as const;
/** Parts of a filter that hold one value. */
export const singles = ["key", "request", "transaction", "source", "from", "to", "text"] as const;

export type ListName = (typeof lists)[number];
export type SingleName = (typeof singles)[number];

/** A filter that is being put together. */
export type Draft = { [name in SingleName]?: string } & { [name in ListName]?: string[] } & {
  not?: { [name in ListName]?: string[] };
};

/** The filter of a draft: no empty part, no value twice. */
export function filterOf(draft: Draft): Filter {
  const filter: Record<string, unknown> = { ...wantedOf(draft) };
  const not = wantedOf(draft.not ?? {});
  if (Object.keys(not).length > 0) filter.not = not;
  for (const name of singles) if (draft[name]) filter[name] = draft[name];
  return filter as Filter;
}

function wantedOf(draft: { readonly [name in ListName]?: readonly string[] }): Wanted {
  const wanted: Record<string, readonly string[]> = {};
  for (const name of lists) {
    const values = [...new Set(draft[name] ?? [])].filter((value) => value !== "");
    if (values.length > 0) wanted[name] = values;
  }
  return wanted as Wanted;
}

export function draftOf(filter: Filter): Draft {
  return structuredClone(filter) as Draft;
}

export const isOperation = (text: string): text is Operation => (operations as readonly string[]).includes(text);

/** A filter without its span of time. */
export function withoutTime(filter: Filter): Filter {
  return filterOf({ ...draftOf(filter), from: undefined, to: undefined } as Draft);
}

/** A filter that also wants, or no longer wants, a value of a list. */
export function toggled(filter: Filter, name: ListName, value: string): Filter {
  const draft = draftOf(filter);
  const present = draft[name] ?? [];
  return filterOf({
    ...draft,
    [name]: present.includes(value) ? present.filter((each) => each !== value) : [...present, value],
  });
}

export function isEmpty(filter: Filter): boolean {
  return Object.keys(filter).length === 0;
}

/** One condition of a filter, as a chip shows it and takes it away. */
export interface Condition {
  readonly name: ListName | SingleName;
  readonly value: string;
  readonly isExcluded: boolean;
  readonly without: Filter;
}

/** The conditions of a filter in the order of its parts. */
export function conditionsOf(filter: Filter): readonly Condition[] {
  const listed = lists.flatMap((name) => (filter[name] ?? []).map((value) => condition(filter, name, value, false)));
  const excluded = lists.flatMap((name) =>
    (filter.not?.[name] ?? []).map((value) => condition(filter, name, value, true)),
  );
  const single = singles.flatMap((name): Condition[] => {
    const value = filter[name];
    if (value === undefined) return [];
    return [{ name, value, isExcluded: false, without: filterOf({ ...draftOf(filter), [name]: undefined } as Draft) }];
  });
  return [...listed, ...excluded, ...single];
}

function condition(filter: Filter, name: ListName, value: string, isExcluded: boolean): Condition {
  const draft = draftOf(filter);
  const from = isExcluded ? (draft.not ?? {}) : draft;
  from[name] = (from[name] ?? []).filter((each) => each !== value);
  return { name, value, isExcluded, without: filterOf(draft) };
}
