import { type Moment, type Operation, operations, type Picture } from "../../api";
import { millisecondsOf, momentOf } from "../../query";

/** One column of the picture: a stretch of time and what was done in it. */
export interface Column {
  readonly start: Moment;
  readonly end: Moment;
  readonly total: number;
  readonly parts: readonly { readonly operation: Operation; readonly from: number; readonly to: number }[];
}

export interface Bars {
  readonly columns: readonly Column[];
  /** The largest column's changes: the height of the picture. */
  readonly most: number;
  readonly total: number;
}

/** The columns of a picture from its beginning to its end, those without changes included. */
export function barsOf({
  window,
  bucketSeconds,
  buckets,
}: Pick<Picture, "window" | "bucketSeconds" | "buckets">): Bars {
  const step = bucketSeconds * 1000;
  const found = new Map(buckets.map((bucket) => [millisecondsOf(bucket.start), bucket.counts]));
  const first = Math.min(
    Math.floor(millisecondsOf(window.from) / step) * step,
    ...buckets.map((bucket) => millisecondsOf(bucket.start)),
  );
  const columns: Column[] = [];
  // A bucket that stands between the steps belongs to the step that it is in.
  const grouped = Map.groupBy(found, ([start]) => Math.floor((start - first) / step));
  const last = Math.ceil((millisecondsOf(window.to) - first) / step);
  for (let place = 0; place < Math.min(Math.max(last, 1), 2_000); place += 1) {
    const counts = (grouped.get(place) ?? []).map(([, each]) => each);
    columns.push(columnOf(first + place * step, step, counts));
  }
  return {
    columns,
    most: columns.reduce((most, { total }) => Math.max(most, total), 0),
    total: columns.reduce((sum, { total }) => sum + total, 0),
  };
}

function columnOf(start: number, step: number, counts: readonly Partial<Record<Operation, number>>[]): Column {
  let total = 0;
  const parts = operations.flatMap((operation) => {
    const count = counts.reduce((sum, each) => sum + (each[operation] ?? 0), 0);
    if (count === 0) return [];
    const from = total;
    total += count;
    return [{ operation, from, to: total }];
  });
  return { start: momentOf(new Date(start)), end: momentOf(new Date(start + step)), total, parts };
}
