import type { Context, Hono } from "hono";
import { stream, streamSSE } from "hono/streaming";
import { z } from "zod";
import { completable, type JsonText, routes } from "../api";
import { answer } from "./answer";
import type { LogDatabase } from "./database";
import { FailureError } from "./failures";
import * as q from "./questions";
import type { Reader } from "./reader";
import type { ReviewSettings } from "./settings";
import { act, changePlace } from "./views/act";
import { completions, reads, reveal, session, value } from "./views/details";
import { exported } from "./views/export";
import { actPlace, feed } from "./views/feed";
import type { HealthView } from "./views/health";
import { picture } from "./views/picture";
import { asOf, blame, compare, record } from "./views/record";
import { tail } from "./views/tail";
import { undo, type UndoQuestion } from "./views/undo";
import type { Asking } from "./views/view";

export interface Variables {
  reader: Reader;
}

interface RouteParts {
  readonly database: LogDatabase;
  readonly settings: ReviewSettings;
  readonly health: HealthView;
}

type App = Hono<{ Variables: Variables }>;
type Asked = Context<{ Variables: Variables }>;

const filtered = { filter: q.filterParameter };
const actId = { source: q.source, time: q.moment, transaction: q.digits.optional() };
const recordOf = { table: q.tableName, key: q.keyText, source: q.source.optional() };

/** Every question that the page asks: checked here, answered by a view. */
export function addRoutes(app: App, parts: RouteParts): void {
  const asking = (context: Asked): Asking & { signal: AbortSignal } => ({
    database: parts.database,
    reader: context.get("reader"),
    defaultWindow: parts.settings.defaultWindow,
    signal: context.req.raw.signal,
  });
  addActs(app, asking);
  addRecords(app, asking);
  addDetails(app, asking, parts.health);
  addStreams(app, asking, parts);
}

type AskingOf = (context: Asked) => Asking & { signal: AbortSignal };

function addActs(app: App, asking: AskingOf): void {
  app.get(routes.feed, async (context) => {
    const { filter, before } = q.asked(context, { ...filtered, before: q.cursor(actPlace).optional() });
    return answer(context, await feed(asking(context), filter, before));
  });
  app.get(routes.act, async (context) => {
    const { filter, after, transaction, ...id } = q.asked(context, {
      ...filtered,
      ...actId,
      after: q.cursor(changePlace).optional(),
    });
    return answer(context, await act(asking(context), { ...id, transaction: transaction ?? null }, filter, after));
  });
  app.get(routes.picture, async (context) => {
    const { filter } = q.asked(context, filtered);
    return answer(context, await picture(asking(context), filter));
  });
  app.get(routes.undo, async (context) => {
    const { reason, ...question } = q.asked(context, {
      time: q.moment.optional(),
      event: q.identity.optional(),
      source: q.source.optional(),
      transaction: q.digits.optional(),
      actor: z.string().min(1).optional(),
      from: q.moment.optional(),
      to: q.moment.optional(),
      reason: q.reason.optional(),
    });
    return answer(context, await undo(asking(context), undoQuestion(question), reason));
  });
}

function undoQuestion(given: Record<string, string | undefined>): UndoQuestion {
  const { time, event, source, transaction, actor, from, to } = given;
  if (time !== undefined && event !== undefined) return { kind: "change", time, event };
  if (time !== undefined && transaction !== undefined && source !== undefined) {
    return { kind: "act", time, source, transaction };
  }
  if (actor !== undefined && from !== undefined && to !== undefined) return { kind: "actor", actor, from, to, source };
  throw new FailureError("not understood", "What shall be undone?", [
    "Name a change by time and event, an act by source, time and transaction, or an actor with from and to.",
  ]);
}

function addRecords(app: App, asking: AskingOf): void {
  app.get(routes.record, async (context) => {
    const { related, before, ...of } = q.asked(context, {
      ...recordOf,
      related: z.enum(["0", "1"]).default("0"),
      before: z.string().max(20_000).optional(),
    });
    return answer(context, await record(asking(context), of, related === "1", before && stepPlace(before)));
  });
  app.get(routes.asOf, async (context) => {
    const { time, ...of } = q.asked(context, { ...recordOf, time: q.moment });
    return answer(context, await asOf(asking(context), of, time));
  });
  app.get(routes.blame, async (context) => {
    return answer(context, await blame(asking(context), q.asked(context, recordOf)));
  });
  app.get(routes.compare, async (context) => {
    const { from, to, ...of } = q.asked(context, { ...recordOf, from: q.moment, to: q.moment });
    return answer(context, await compare(asking(context), of, from, to));
  });
}

/** The place of a step, whose key keeps its digits: its text goes to the database as it is. */
function stepPlace(text: string): JsonText {
  const json = Buffer.from(text, "base64url").toString();
  q.parsed(z.object({ time: q.moment, event: q.identity, key: z.record(z.string(), z.unknown()) }), parseOr(json));
  return json;
}

function parseOr(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function addDetails(app: App, asking: AskingOf, health: HealthView): void {
  app.get(routes.session, async (context) => answer(context, await session(asking(context))));
  app.get(routes.health, async (context) => answer(context, await health.now()));
  app.get(routes.completions, async (context) => {
    const { of, start, table } = q.asked(context, {
      of: z.enum(completable),
      start: z.string().max(200).default(""),
      table: q.tableName.optional(),
    });
    return answer(context, await completions(asking(context), of, start, table === undefined ? undefined : [table]));
  });
  app.get(routes.value, async (context) => {
    const question = q.asked(context, {
      time: q.moment,
      event: q.identity,
      side: z.enum(["before", "after"]),
      column: z.string().min(1),
    });
    return answer(context, await value(asking(context), question));
  });
  app.get(routes.reads, async (context) => {
    const { table, key, before } = q.asked(context, {
      table: q.tableName.optional(),
      key: q.keyText.optional(),
      before: q.digits.optional(),
    });
    if ((table === undefined) !== (key === undefined)) {
      throw new FailureError("not understood", "A record is named by a table and a key; one of them is missing.");
    }
    const of = table === undefined || key === undefined ? undefined : { table, key };
    return answer(context, await reads(asking(context), of, before));
  });
  app.post(routes.reveal, async (context) => {
    const body: unknown = await context.req.json().catch(() => undefined);
    const request = q.parsed(
      z.object({
        time: q.moment,
        event: q.identity,
        columns: z.array(z.string().min(1)).min(1).max(100),
        reason: q.reason,
      }),
      body,
    );
    return answer(context, await reveal(asking(context), request));
  });
}

function addStreams(app: App, asking: AskingOf, { settings, health }: RouteParts): void {
  app.get(routes.tail, (context) => {
    const { filter, since } = q.asked(context, { ...filtered, since: q.cursor(actPlace).optional() });
    const last = context.req.header("last-event-id");
    const from = last ? q.parsed(q.cursor(actPlace), last) : since;
    // A proxy that gathers an answer would hold back what should be live.
    context.header("x-accel-buffering", "no");
    return streamSSE(context, async (sse) => {
      const gone = new AbortController();
      sse.onAbort(() => gone.abort());
      await tail({ ...asking(context), signal: gone.signal }, filter, from, health, sse);
    });
  });
  app.get(routes.exported, async (context) => {
    const { filter, format } = q.asked(context, { ...filtered, format: z.enum(["csv", "ndjson"]) });
    const gone = new AbortController();
    const pieces = exported(
      { ...asking(context), signal: gone.signal, timeout: settings.exportTimeout },
      filter,
      format,
    );
    // The first piece comes before the headers, so that a refusal has its own status.
    const first = await pieces.next();
    const name = `audit-${new Date().toISOString().replaceAll(/[:.]/g, "-")}.${format}`;
    context.header(
      "content-type",
      format === "csv" ? "text/csv; charset=utf-8" : "application/x-ndjson; charset=utf-8",
    );
    context.header("content-disposition", `attachment; filename="${name}"`);
    return stream(context, async (out) => {
      out.onAbort(() => gone.abort());
      if (first.value) await out.write(first.value);
      for await (const piece of pieces) await out.write(piece);
    });
  });
}
