import type { Filter } from "../api";
import { type Draft, filterOf, isOperation, type ListName, lists, type SingleName, singles } from "./filter";
import { readTime } from "./times";

/** How the parts of a filter are called in an address; an excluded list has `not-` in front. */
const parameters: Readonly<Record<ListName | SingleName, string>> = {
  actor: "actor",
  table: "table",
  operation: "op",
  column: "column",
  key: "key",
  request: "request",
  transaction: "tx",
  source: "source",
  from: "from",
  to: "to",
  text: "q",
};

/** The query of the address that stands for a filter, without its question mark; the same filter has the same one. */
export function addressOf(filter: Filter): string {
  const query = new URLSearchParams();
  for (const name of lists) {
    for (const value of filter[name] ?? []) query.append(parameters[name], value);
    for (const value of filter.not?.[name] ?? []) query.append(`not-${parameters[name]}`, value);
  }
  for (const name of singles) if (filter[name] !== undefined) query.set(parameters[name], filter[name]);
  return readable(query.toString());
}

/** The filter that an address stands for, and what of it was not understood. Other parameters are none of its business. */
export function filterInAddress(query: string): { readonly filter: Filter; readonly problems: readonly string[] } {
  const given = new URLSearchParams(query);
  const problems: string[] = [];
  const draft: Draft = { not: {} };
  for (const name of lists) {
    draft[name] = listed(given.getAll(parameters[name]), name, problems);
    (draft.not ??= {})[name] = listed(given.getAll(`not-${parameters[name]}`), name, problems);
  }
  for (const name of singles) {
    const value = given.get(parameters[name]);
    if (value) draft[name] = value;
  }
  for (const name of ["from", "to"] as const) {
    if (draft[name] === undefined) continue;
    const time = readTime(draft[name], { now: new Date(), zone: "UTC" });
    if (!time) problems.push(`${name} is ${draft[name]}, which is no time such as 2026-11-05T14:30:00Z.`);
    draft[name] = time?.from ?? "";
  }
  return { filter: filterOf(draft), problems };
}

function listed(values: readonly string[], name: ListName, problems: string[]): string[] {
  if (name !== "operation") return [...values];
  // An application that writes links may list them.
  const given = values.flatMap((value) => value.split(",")).filter((value) => value !== "");
  const unknown = given.filter((value) => !isOperation(value));
  if (unknown.length > 0) problems.push(`op is ${unknown.join(", ")}, which is no operation.`);
  return given.filter(isOperation);
}

/** Signs that need no escape in a query stay readable: `table=shop.orders&key={"id":42}` is told over the phone. */
function readable(query: string): string {
  return query.replace(/%(?:3A|2C|2F|40|7B|7D)/g, (escaped) => decodeURIComponent(escaped));
}

/** The address of a record's page. The key is JSON text. */
export function recordAddress(table: string, key: string, source?: string): string {
  const query = new URLSearchParams({ key, ...(source && { source }) });
  return `/record/${encodeURIComponent(table)}?${readable(query.toString())}`;
}

/** The address of an act's page. */
export function actAddress(act: {
  readonly source: string;
  readonly time: string;
  readonly transaction: string | null;
}): string {
  return `/act/${[act.source, act.time, act.transaction ?? "-"].map((part) => encodeURIComponent(part).replaceAll("%3A", ":")).join("/")}`;
}
