import { isDeepStrictEqual } from "node:util";
import type { Change } from "./changes";
import type { Expectation, Expected, Who } from "./expectation";

/** The role that a driver logs in as: the name of changes that nobody is named for. */
export const applicationRole = "application";

/** What is wrong with the changes that a batch left: a sentence each. */
export function problemsOf(expectation: Expectation, changes: readonly Change[]): string[] {
  const key = ({ operation, id }: { operation: string; id: string }) => `${operation} of ${id}`;
  const found = new Map<string, Change>();
  const problems: string[] = [];
  for (const change of changes) {
    if (found.has(key(change))) problems.push(`The ${key(change)} was done twice.`);
    found.set(key(change), change);
  }
  for (const expected of expectation.changes) {
    const change = found.get(key(expected));
    found.delete(key(expected));
    if (!change) problems.push(`The ${key(expected)} is missing.`);
    else problems.push(...problemsOfChange(expected, change, key(expected)));
  }
  for (const name of found.keys()) problems.push(`The ${name} should have been rolled back, or nobody asked for it.`);
  return problems;
}

function problemsOfChange(expected: Expected, change: Change, name: string): string[] {
  const problems: string[] = [];
  if (!change.by) {
    problems.push(`The ${name} has no signal: its table lacks the actor trigger.`);
  } else if (!expected.by.some((who) => isBy(who, change))) {
    const wanted = expected.by.map(text).join(" or ");
    const someoneElse =
      change.by.actor !== applicationRole && !expected.by.some((who) => who?.actor === change.by?.actor);
    problems.push(
      `The ${name} bears ${someoneElse ? "SOMEBODY ELSE'S NAME: " : ""}${text(shown(change))}; it is by ${wanted}.`,
    );
  }
  if (expected.isolation && change.isolation !== expected.isolation) {
    problems.push(`The ${name} ran as ${change.isolation}; its transaction asked for ${expected.isolation}.`);
  }
  return problems;
}

function shown({ by }: Change): Who {
  if (!by || (by.actor === applicationRole && by.request_id === null)) return null;
  return { actor: by.actor, request_id: by.request_id ?? undefined, context: by.context };
}

function isBy(who: Who, change: Change): boolean {
  const is = shown(change);
  if (who === null || is === null) return who === is;
  const same = (one?: object, other?: object) => isDeepStrictEqual(one ?? {}, other ?? {});
  return who.actor === is.actor && who.request_id === is.request_id && same(who.context, is.context);
}

function text(who: Who): string {
  if (!who) return "nobody";
  const { actor, request_id, context } = who;
  const rest = [request_id, context && Object.keys(context).length > 0 ? JSON.stringify(context) : undefined];
  return [actor, ...rest.filter((part) => part !== undefined)].join(", ");
}
