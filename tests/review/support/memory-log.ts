import { randomUUID } from "node:crypto";
import type { Act, Change, Filter, Image, Operation, RecordStep, Value } from "../../../review/api";
import { limits } from "../../../review/api";

/** JSON texts of a row's values. A value that is a `Raw` is the text itself. */
export class Raw {
  constructor(readonly text: string) {}
}
export type Row = Readonly<Record<string, unknown>>;

const textOf = (value: unknown) => (value instanceof Raw ? value.text : JSON.stringify(value));
export const imageOf = (row: Row): Image =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, textOf(value)]));

export interface Told {
  readonly operation: Operation;
  readonly table: string;
  readonly key?: Row | null;
  readonly before?: Row;
  readonly after?: Row;
  readonly detail?: object;
  readonly extra?: Partial<Change>;
}

export interface ActTold {
  readonly time: string;
  readonly actor: string | null;
  readonly request?: string;
  readonly context?: Row;
  readonly changes: readonly Told[];
}

/** An audit log in memory: just enough of one for the page to be looked at. */
export class MemoryLog {
  readonly changes: (Change & { context: string | null })[] = [];
  private transaction = 700;

  /** Adds the changes of one transaction, and returns its act. */
  add({ time, actor, request, context, changes }: ActTold): Act {
    this.transaction += 1;
    const transaction = String(this.transaction);
    changes.forEach((told, place) => this.changes.push(this.changeOf(told, place)));
    for (const change of this.changes.slice(-changes.length))
      Object.assign(change, {
        time,
        transaction,
        actor,
        request: request ?? null,
        context: context ? JSON.stringify(context) : null,
      });
    return this.actOf(this.changes.slice(-changes.length));
  }

  private changeOf({ operation, table, key, before, after, detail, extra }: Told, place: number) {
    const changed =
      operation === "delete" || operation === "update" ? Object.keys(before ?? {}) : Object.keys(after ?? {});
    const change: Change & { context: string | null } = {
      time: "",
      event: randomUUID(),
      source: "shop",
      transaction: null,
      sequence: place + 1,
      actor: null,
      request: null,
      context: null,
      operation,
      table,
      key: key ? JSON.stringify(imageTexts(key)) : null,
      before: before ? imageOf(before) : null,
      after: after ? imageOf(after) : null,
      changed,
      unknown: [],
      untyped: [],
      redacted: [],
      masked: [],
      detail: detail ? JSON.stringify(detail) : null,
      partition: null,
      storedAt: "",
      ...extra,
    };
    return change;
  }

  /** Acts that have a change which fits, newest first. */
  acts(filter: Filter): readonly Act[] {
    const groups = Map.groupBy(
      this.changes.filter((change) => fits(change, filter)),
      ({ time, transaction }) => `${time} ${transaction}`,
    );
    return [...groups.values()].map((group) => this.actOf(group)).sort((a, b) => (a.time < b.time ? 1 : -1));
  }

  actOf(changes: readonly (Change & { context: string | null })[]): Act {
    const [first] = changes as readonly [Change & { context: string | null }];
    const counts = [...Map.groupBy(changes, ({ table, operation }) => `${table} ${operation}`).values()].map(
      (group) => ({
        table: (group[0] as Change).table,
        operation: (group[0] as Change).operation,
        changes: group.length,
      }),
    );
    return {
      source: first.source,
      time: first.time,
      transaction: first.transaction,
      actor: first.actor,
      otherActors: [],
      request: first.request,
      context: first.context,
      counts: counts.sort((a, b) => b.changes - a.changes),
      hasMore: false,
      first: changes.slice(0, limits.firstChanges).map(shortened),
    };
  }

  /** A record's changes and those of its table as a whole, newest first. */
  steps(table: string, key: string): readonly RecordStep[] {
    const wanted = canonical(key);
    return this.changes
      .filter((each) => each.table === table && (each.key === null || canonical(each.key) === wanted))
      .sort((a, b) => (a.time < b.time ? 1 : -1))
      .map((change): RecordStep =>
        change.key === null
          ? { kind: "table", change: shortened(change) }
          : { kind: "change", change: shortened(change), related: false },
      );
  }

  /** The record at a moment. */
  rowAt(table: string, key: string, time: string): Image | null {
    const before = this.steps(table, key).filter(
      (step) => step.kind === "change" && step.change.time <= time && step.change.key !== null,
    );
    const [last] = before;
    return last?.kind === "change" ? last.change.after : null;
  }
}

const imageTexts = (row: Row) => row;
const canonical = (key: string) => {
  const value = JSON.parse(key) as Record<string, unknown>;
  return JSON.stringify(Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))));
};

/** As a list shows it: long values cut. */
export function shortened<C extends Change>(change: C): C {
  const cut = (image: Image | null) =>
    image &&
    Object.fromEntries(
      Object.entries(image).map(([name, value]): [string, Value] => [
        name,
        typeof value === "string" && value.length > limits.valueCharacters
          ? { cut: value.slice(0, 200), characters: value.length }
          : value,
      ]),
    );
  return { ...change, before: cut(change.before), after: cut(change.after) };
}

function fits(change: Change, filter: Filter): boolean {
  const wanted = (part: Filter["not"] & object, isWanted: boolean) =>
    [
      part.actor && part.actor.includes(change.actor ?? ""),
      part.table && part.table.includes(change.table),
      part.operation && part.operation.includes(change.operation),
      part.column && part.column.some((column) => change.changed.includes(column)),
    ].every((is) => is === undefined || is === isWanted);
  const text = JSON.stringify([change.before, change.after]).toLowerCase();
  return (
    wanted(filter, true) &&
    wanted(filter.not ?? {}, false) &&
    (filter.request === undefined || filter.request === change.request) &&
    (filter.from === undefined || change.time >= filter.from) &&
    (filter.to === undefined || change.time < filter.to) &&
    (filter.text === undefined || text.includes(filter.text.toLowerCase()))
  );
}
