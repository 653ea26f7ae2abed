import type { SSEStreamingApi } from "hono/streaming";
import { type Act, type ActId, type Filter, limits } from "../../api";
import { AbandonedError, failureOf } from "../failures";
import { cursorText } from "../questions";
import { filterText, hiddenColumns } from "../reader";
import { actOf, type ActPlace, type ActRow, linesOf } from "./feed";
import type { HealthView } from "./health";
import { type Asking, note, shownRecords } from "./view";

/** Milliseconds between two looks: with the pipeline's own time a change is here within a second of its commit. */
const interval = 400;
/** Milliseconds between two words about the log's health, which also keep the connection open. */
const healthInterval = 10_000;
/** Seconds before the newest act of a source in which another may still arrive: the sink's tasks write side by side. */
const overlap = 60;
/** Acts that are remembered as told. */
const remembered = 5_000;

const sourcesQuestion = `SELECT source, audit.moment(newest - interval '${overlap} seconds') AS since FROM audit.freshness()`;

const arrivedQuestion = `
  SELECT audit.moment(act."time") AS "time", act.source, act.transaction::text AS transaction
  FROM audit.acts_found($1::jsonb, NULL, NULL, NULL, ${limits.acts}) AS act WHERE act.note IS NULL`;

const linesQuestion = linesOf(
  `SELECT listed.*, NULL AS note, row_number() OVER (ORDER BY "time", source, transaction) AS place
   FROM unnest($3::timestamptz[], $4::text[], $5::bigint[]) AS listed ("time", source, transaction)`,
  limits.countedChanges,
);

/** Acts as they arrive in the log, whenever they were committed, until the browser goes away. */
export async function tail(
  asking: Asking & { readonly signal: AbortSignal },
  filter: Filter,
  since: ActPlace | undefined,
  health: HealthView,
  stream: SSEStreamingApi,
): Promise<void> {
  await note(asking, "tail", { filter });
  const arrivals = new Arrivals(asking, filter, since);
  let healthAt = 0;
  let troubled = false;
  while (!asking.signal.aborted && !stream.aborted && !stream.closed) {
    try {
      for (const act of await arrivals.next()) {
        await stream.writeSSE({ event: "act", data: JSON.stringify(act), id: cursorText(placeOf(act)) });
      }
      if (Date.now() - healthAt >= healthInterval || troubled) {
        await stream.writeSSE({ event: "health", data: JSON.stringify(await health.now()) });
        healthAt = Date.now();
      }
      troubled = false;
    } catch (error) {
      if (error instanceof AbandonedError) return;
      if (!troubled) await stream.writeSSE({ event: "trouble", data: JSON.stringify(failureOf(error).body) });
      troubled = true;
    }
    await stream.sleep(troubled ? 2_000 : interval);
  }
}

const placeOf = ({ time, source, transaction }: ActId): ActPlace => ({ time, source, transaction });
const nameOf = ({ time, source, transaction }: ActId) => `${time} ${source} ${transaction}`;

/**
 * What came since the last look. The first one tells all that lies in the overlap: what arrived between the page's own
 * question and this one is among it, and only the page knows what it has.
 */
class Arrivals {
  private readonly told = new Set<string>();
  private begun = false;

  constructor(
    private readonly asking: Asking,
    private readonly filter: Filter,
    private readonly since: ActPlace | undefined,
  ) {}

  async next(): Promise<Act[]> {
    const { database, reader } = this.asking;
    const found: ActId[] = [];
    const { source } = this.filter;
    for (const each of await database.read<{ source: string; since: string }>(
      "since",
      sourcesQuestion,
      [],
      this.asking,
    )) {
      if (source !== undefined && source !== each.source) continue;
      const filter: Filter = { ...this.filter, source: each.source, from: this.beginning(each.since) };
      found.push(
        ...(await database.read<ActId & Record<string, unknown>>(
          "arrived",
          arrivedQuestion,
          [filterText(filter, reader)],
          this.asking,
        )),
      );
    }
    const fresh = found.filter((act) => !this.told.has(nameOf(act)));
    this.begun = true;
    for (const act of found) this.told.add(nameOf(act));
    for (const name of this.told) {
      if (this.told.size <= remembered) break;
      this.told.delete(name);
    }
    return fresh.length === 0 ? [] : this.lines(fresh);
  }

  /** A page that was away asks from where it was. */
  private beginning(usual: string): string {
    return !this.begun && this.since && this.since.time < usual ? this.since.time : usual;
  }

  private async lines(acts: readonly ActId[]): Promise<Act[]> {
    const { database, reader } = this.asking;
    const rows = await database.read<ActRow & Record<string, unknown>>(
      "arrived acts",
      linesQuestion,
      [
        filterText(this.filter, reader),
        hiddenColumns(reader.masked),
        acts.map(({ time }) => time),
        acts.map(({ source }) => source),
        acts.map(({ transaction }) => transaction),
      ],
      this.asking,
    );
    const told = rows.map(actOf);
    const records = shownRecords(told.flatMap(({ first }) => first));
    if (records.length > 0) await note(this.asking, "tail", { acts: told.length }, records);
    return told;
  }
}
