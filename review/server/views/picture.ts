import type { Filter, Operation, Picture, Top } from "../../api";
import { filterText } from "../reader";
import { bounded, windowOf } from "./feed";
import { type Asking, note } from "./view";

interface PictureRow {
  readonly kind: "time" | "table" | "actor" | "acts of actor" | "width";
  readonly start: string | null;
  readonly name: string | null;
  readonly changes: string | null;
  readonly at_least: boolean | null;
  readonly is_estimate: boolean | null;
}

const question = `
  SELECT kind, audit.moment(start) AS start, name, changes, at_least, is_estimate
  FROM audit.picture($1::jsonb) ORDER BY kind, start, changes DESC NULLS LAST, name`;

export async function picture(asking: Asking, filter: Filter): Promise<Picture> {
  const { database, reader, defaultWindow } = asking;
  const window = windowOf(filter, defaultWindow);
  const rows = await database.read<PictureRow>(
    "picture",
    question,
    [filterText(bounded(filter, window), reader)],
    asking,
  );
  await note(asking, "picture", { filter });
  const buckets = new Map<string, Partial<Record<Operation, number>>>();
  for (const { start, name, changes } of rows.filter(({ kind }) => kind === "time")) {
    const counts = buckets.get(start as string) ?? {};
    counts[name as Operation] = Number(changes);
    buckets.set(start as string, counts);
  }
  const tops = (kind: PictureRow["kind"]): Top[] =>
    rows
      .filter((row) => row.kind === kind)
      .map(({ name, changes, at_least }) => ({
        name: name as string,
        count: Number(changes),
        atLeast: at_least ?? false,
      }));
  const acts = tops("acts of actor");
  return {
    window,
    isEstimate: rows.some(({ is_estimate }) => is_estimate === true),
    bucketSeconds: Number(rows.find(({ kind }) => kind === "width")?.name),
    buckets: [...buckets].map(([start, counts]) => ({ start, counts })),
    tables: tops("table"),
    actors: acts.length > 0 ? acts : tops("actor"),
    actorsAreCountedBy: acts.length > 0 ? "acts" : "changes",
  };
}
