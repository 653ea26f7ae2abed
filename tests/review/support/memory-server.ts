import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import type { AddressInfo } from "node:net";
import {
  type Act,
  type AsOf,
  type Failure,
  type Filter,
  type Health,
  limits,
  postHeader,
  type Read,
  routes,
  type RevealRequest,
  type Undo,
} from "../../../review/api";
import { momentOf } from "../../../review/query";
import { contentSecurityPolicy } from "../../../review/server/headers";
import { MemoryLog, shortened } from "./memory-log";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

const statuses: Partial<Record<Failure["error"], number>> = {
  "not understood": 400,
  "signed out": 401,
  "not allowed": 403,
  "not found": 404,
  refused: 422,
  "database away": 503,
  "took too long": 504,
};

/** The review server as its page sees it, over a log in memory, which can be told to fail and to be slow. */
export class MemoryServer {
  readonly log = new MemoryLog();
  readonly reads: Read[] = [];
  /** What questions of a route answer with, until it is taken away. */
  readonly failures = new Map<string, Failure>();
  /** Questions of a route that wait until their promise is kept. */
  readonly delays = new Map<string, Promise<void>>();
  readonly undos = new Map<string, Undo>();
  health: Health = {
    newest: null,
    newestStoredAt: null,
    lagSeconds: 0.8,
    deadLetters: 0,
    problems: [],
    seal: { state: "unknown", detail: "This log has no seals yet." },
    unknown: [],
  };
  /** Secret values by event and column. */
  readonly hidden = new Map<string, Record<string, string>>();
  private readonly tails = new Set<ServerResponse>();
  private readonly server: Server;

  private constructor(
    private readonly pageFolder: string,
    private readonly now: () => number,
  ) {
    this.server = createServer((request, response) => {
      this.answer(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
  }

  /** @param now The time as the server tells it. */
  static async start(pageFolder: string, now: () => number = Date.now): Promise<MemoryServer> {
    const server = new MemoryServer(pageFolder, now);
    await new Promise<void>((resolve) => server.server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const tail of this.tails) tail.end();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Sends an act to those who watch. */
  tell(act: Act): void {
    for (const tail of this.tails) tail.write(`event: act\nid: ${act.time}\ndata: ${JSON.stringify(act)}\n\n`);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.address);
    response.setHeader("content-security-policy", contentSecurityPolicy);
    if (!url.pathname.startsWith("/api/")) return this.page(url.pathname, response);
    await this.delays.get(url.pathname);
    const failure = this.failures.get(url.pathname);
    if (failure) return json(response, failure, statuses[failure.error] ?? 500);
    if (url.pathname === routes.tail) return this.tail(response);
    if (url.pathname === routes.exported) {
      response.writeHead(200, {
        "content-type": "text/csv",
        "content-disposition": 'attachment; filename="audit.csv"',
      });
      return void response.end("time,actor\n");
    }
    if (url.pathname === routes.reveal) return json(response, this.reveal(request, await bodyOf(request)));
    const answer = this.question(url.pathname, url.searchParams);
    if (answer === undefined) {
      return json(response, { error: "not found", message: "The log has no such thing.", help: [] }, 404);
    }
    return json(response, answer);
  }

  private async page(path: string, response: ServerResponse): Promise<void> {
    const file = path.startsWith("/assets/")
      ? join(this.pageFolder, normalize(path))
      : join(this.pageFolder, "index.html");
    response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" });
    response.end(await readFile(file));
  }

  private healthNow(): Health {
    const newest = momentOf(new Date(this.now() - 1_000));
    return { ...this.health, newest, newestStoredAt: newest };
  }

  private tail(response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`event: health\ndata: ${JSON.stringify(this.healthNow())}\n\n`);
    this.tails.add(response);
    response.on("close", () => this.tails.delete(response));
  }

  private note(action: Read["action"], detail: object, table: string | null = null, key: string | null = null): void {
    const time = momentOf(new Date(this.now()));
    this.reads.unshift({
      time,
      reader: "you@shop.example",
      action,
      table,
      key,
      reason: null,
      detail: JSON.stringify(detail),
    });
  }

  private reveal(request: IncomingMessage, body: string): object {
    if (request.headers[postHeader.name] !== postHeader.value) throw new Error("no header");
    const { event, reason } = JSON.parse(body) as RevealRequest;
    this.note("reveal", {});
    Object.assign(this.reads[0] as Read, { reason });
    return { before: {}, after: this.hidden.get(event) ?? {} };
  }

  /** The answer to a question; undefined when there is none. */
  private question(path: string, query: URLSearchParams): object | undefined {
    const filter = JSON.parse(query.get("filter") ?? "{}") as Filter;
    const [table, key] = [query.get("table") ?? "", query.get("key") ?? ""];
    switch (path) {
      case routes.session:
        return {
          reader: "you@shop.example",
          signedInBy: "link",
          scope: null,
          masked: [],
          mayReveal: true,
          sources: ["shop"],
          defaultWindowSeconds: 86_400,
        };
      case routes.health:
        return this.healthNow();
      case routes.feed:
        this.note("feed", { filter });
        return this.feed(filter, Number(query.get("before") ?? 0));
      case routes.act:
        return this.act(query, filter);
      case routes.record:
        this.note("record", {}, table, key);
        return this.record(table, key, Number(query.get("before") ?? 0));
      case routes.asOf:
        return this.asOf(table, key, query.get("time") ?? "");
      case routes.blame:
        return this.blame(table, key);
      case routes.compare: {
        const [from, to] = ["from", "to"].map((name) => this.asOf(table, key, query.get(name) ?? "")) as [AsOf, AsOf];
        const names = new Set([...Object.keys(from.row ?? {}), ...Object.keys(to.row ?? {})]);
        return { from, to, changed: [...names].filter((name) => from.row?.[name] !== to.row?.[name]) };
      }
      case routes.reads: {
        const reads = this.reads.filter((read) => table === "" || (read.table === table && read.key === key));
        this.note("reads", {});
        return { reads: [...reads], older: null };
      }
      case routes.undo:
        return this.undos.get(query.get("event") ?? query.get("transaction") ?? query.get("actor") ?? "");
      case routes.picture:
        return this.picture(filter);
      case routes.completions: {
        const of = query.get("of") as "actor" | "table";
        const all = this.log.changes.map((change) => (of === "actor" ? change.actor : change.table) ?? "");
        return { values: [...new Set(all)].filter((each) => each.startsWith(query.get("start") ?? "")).sort() };
      }
      case routes.value: {
        const change = this.log.changes.find(({ event }) => event === query.get("event"));
        return { value: change?.[query.get("side") as "before" | "after"]?.[query.get("column") ?? ""] };
      }
      default:
        return undefined;
    }
  }

  private window(filter: Filter) {
    const now = this.now();
    return {
      from: filter.from ?? momentOf(new Date(now - 86_400_000)),
      to: filter.to ?? momentOf(new Date(now)),
      isDefault: filter.from === undefined,
    };
  }

  private feed(filter: Filter, offset: number): object {
    const window = this.window(filter);
    const acts = this.log.acts({ ...filter, from: window.from, operation: filter.operation ?? notBaseline });
    const end = offset + limits.acts;
    return {
      window,
      acts: acts.slice(offset, end),
      older: acts.length > end ? String(end) : null,
      searchedBackTo: null,
      narrow: null,
    };
  }

  private act(query: URLSearchParams, filter: Filter): object | undefined {
    const all = this.log.changes.filter(
      ({ time, transaction }) => time === query.get("time") && transaction === query.get("transaction"),
    );
    if (all.length === 0) return undefined;
    const wanted = all.filter(({ table }) => filter.table === undefined || filter.table.includes(table));
    const offset = Number(query.get("after") ?? 0);
    const end = offset + limits.changes;
    return {
      act: this.log.actOf(all),
      changes: wanted.slice(offset, end).map(shortened),
      next: wanted.length > end ? String(end) : null,
      hidesTables: false,
    };
  }

  private record(table: string, key: string, offset: number): object {
    const steps = this.log.steps(table, key);
    const end = offset + limits.changes;
    return {
      table,
      key,
      source: "shop",
      steps: steps.slice(offset, end),
      older: steps.length > end ? String(end) : null,
      narrow: null,
    };
  }

  private asOf(table: string, key: string, time: string): AsOf {
    const row = this.log.rowAt(table, key, time);
    return { time, row, unknown: [], masked: [], absence: row ? null : "It was inserted later." };
  }

  private blame(table: string, key: string): object {
    const steps = this.log.steps(table, key).flatMap((step) => (step.kind === "change" ? [step.change] : []));
    const row = steps[0]?.after ?? {};
    return {
      columns: Object.entries(row).map(([column, value]) => ({
        column,
        value,
        state: "known",
        writer: steps.find(({ changed }) => changed.includes(column)) ?? null,
      })),
      searchedBackTo: null,
    };
  }

  private picture(filter: Filter): object {
    const window = this.window(filter);
    const bucketSeconds = Math.max(60, Math.ceil((Date.parse(window.to) - Date.parse(window.from)) / 72_000 / 60) * 60);
    const step = bucketSeconds * 1000;
    const changes = this.log.changes.filter(
      ({ time, actor, table }) =>
        time >= window.from &&
        time < window.to &&
        (!filter.actor || filter.actor.includes(actor ?? "")) &&
        (!filter.table || filter.table.includes(table)),
    );
    const groups = Map.groupBy(changes, ({ time }) => Math.floor(Date.parse(time) / step) * step);
    const tops = (name: "table" | "actor") =>
      [...Map.groupBy(changes, (change) => change[name] ?? "")]
        .map(([each, group]) => ({ name: each, count: group.length, atLeast: false }))
        .filter((top) => top.name !== "")
        .sort((a, b) => b.count - a.count);
    return {
      window,
      isEstimate: false,
      bucketSeconds,
      buckets: [...groups].map(([start, group]) => ({
        start: momentOf(new Date(start)),
        counts: Object.fromEntries(
          [...Map.groupBy(group, ({ operation }) => operation)].map(([o, of]) => [o, of.length]),
        ),
      })),
      tables: tops("table"),
      actors: tops("actor"),
      actorsAreCountedBy: "changes",
    };
  }
}

const notBaseline = ["insert", "update", "delete", "truncate", "schema", "load"] as const;

function json(response: ServerResponse, body: object, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return body;
}
