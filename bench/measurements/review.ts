import { readFileSync } from "node:fs";
import type { Client } from "pg";
import { routes } from "../../review/api";
import { launchBrowser } from "../../review/browser";
import type { Recorder } from "../report/results";

/** A running server of the page. */
export interface ServedReview {
  readonly origin: string;
  readonly cookie: string;
  readonly processId: number;
  readonly stop: () => Promise<void>;
}

interface View {
  readonly title: string;
  readonly route: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** What the answer must hold, so that no failure is measured as a quick answer. */
  readonly holds: RegExp;
}

const readers = 5;
const table = "ledger.accounts";
const goals = { p95: 100, p99: 250, memory: 150, firstAct: 1_000 } as const;
/** One after another, each by a browser that has nothing of the page yet. */
const visits = 5;

/** A few deletes a month back: the last ones of a log whose usual changes are others. */
export async function addDeletes(client: Client, until: Date): Promise<void> {
  await client.query(
    `INSERT INTO audit.events (committed_at, event_id, source_id, transaction_id, sequence, position, operation, schema_name,
       table_name, record_key, before, captured_at, transformed_at, stream_order)
     SELECT at, gen_random_uuid(), 'bench', 900000000 + n, 1, '0', 'delete', 'ledger', 'accounts',
       jsonb_build_object('id', -n), jsonb_build_object('id', -n, 'owner', 'gone'), at, at, (extract(epoch FROM at) * 1000000)::bigint
     FROM (SELECT n, $1::timestamptz - interval '1 month' - n * interval '1 minute' AS at FROM generate_series(1, 100) AS n) AS dated`,
    [until.toISOString()],
  );
  await client.query("VACUUM (ANALYZE) audit.events");
}

/** Five readers ask every view in turns; each answer's time counts from the request to its last byte. */
export async function measureReview(
  recorder: Recorder,
  client: Client,
  served: ServedReview,
  { rounds, until }: { readonly rounds: number; readonly until: Date },
): Promise<void> {
  const views = await viewsOf(client, until);
  // Plans and caches, as after the first minute of a day.
  for (let turn = 0; turn < 3; turn += 1) for (const view of views) await ask(served, view);
  const times = new Map(views.map((view) => [view, [] as number[]]));
  await Promise.all(
    Array.from({ length: readers }, async (_, reader) => {
      for (let round = 0; round < rounds; round += 1) {
        for (let turn = 0; turn < views.length; turn += 1) {
          const view = views[(turn + reader * Math.ceil(views.length / readers)) % views.length] as View;
          (times.get(view) as number[]).push(await ask(served, view));
        }
      }
    }),
  );
  for (const [{ title }, taken] of times) {
    recorder.recordAll({ system: "cdc-audit", phase: "review" }, [
      {
        metric: `${title}: p95 of ${taken.length}`,
        value: share(taken, 0.95),
        unit: "ms",
        goal: { atMost: goals.p95 },
      },
      { metric: `${title}: p99`, value: share(taken, 0.99), unit: "ms", goal: { atMost: goals.p99 } },
    ]);
  }
  recorder.recordAll({ system: "cdc-audit", phase: "review" }, [
    {
      metric: "memory of the server at its highest",
      value: highestMemory(served.processId),
      unit: "MiB",
      goal: { atMost: goals.memory },
    },
  ]);
}

/** From the address to the first act on the screen: page, script and style are loaded, and the feed is asked for. */
export async function measureFirstAct(recorder: Recorder, served: ServedReview): Promise<void> {
  const taken: number[] = [];
  for (let visit = 0; visit < visits; visit += 1) taken.push(await visitFeed(served));
  recorder.recordAll({ system: "cdc-audit", phase: "review" }, [
    {
      metric: `first act shown on the page: median of ${visits}`,
      value: share(taken, 0.5),
      unit: "ms",
      goal: { atMost: goals.firstAct },
    },
  ]);
}

/** The browser that npm brings is one process, which ends with its first context: each visit has its own. */
async function visitFeed({ origin, cookie }: ServedReview): Promise<number> {
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    const [name, value] = cookie.split("=") as [string, string];
    await page.context().addCookies([{ name, value, url: origin }]);
    const begun = performance.now();
    await page.goto(origin, { waitUntil: "commit" });
    await page.locator("tr.act").first().waitFor({ state: "visible" });
    return performance.now() - begun;
  } finally {
    await browser.close();
  }
}

async function ask({ origin, cookie }: ServedReview, { title, route, parameters, holds }: View): Promise<number> {
  const address = new URL(route, origin);
  for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
  const begun = performance.now();
  const answer = await fetch(address, { headers: { cookie } });
  const text = await answer.text();
  const taken = performance.now() - begun;
  if (!answer.ok || !holds.test(text)) throw new Error(`${title}: ${answer.status} ${text.slice(0, 300)}`);
  return taken;
}

const share = (values: readonly number[], of: number) => {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.ceil(of * sorted.length) - 1)] ?? Number.NaN;
};

function highestMemory(processId: number): number {
  const kilobytes = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${processId}/status`, "utf8"))?.[1];
  return Number(kilobytes) / 1024;
}

async function viewsOf(client: Client, until: Date): Promise<readonly View[]> {
  const { rows } = await client.query<{ key: string }>(
    "SELECT jsonb_build_object('id', record)::text AS key FROM public.records ORDER BY abs(events - 500) LIMIT 1",
  );
  const { rows: acts } = await client.query<{ time: string; source: string; transaction: string }>(
    `SELECT audit.moment("time") AS time, source, transaction::text FROM audit.acts_found('{}') LIMIT 1`,
  );
  const key = rows[0]?.key as string;
  const act = acts[0] as { time: string; source: string; transaction: string };
  const back = (days: number) => new Date(until.getTime() - days * 86_400_000).toISOString();
  const month = back(30);
  const feed = (title: string, filter: object, holds = /"acts":\[\{/): View => ({
    title: `feed: ${title}`,
    route: routes.feed,
    parameters: { filter: JSON.stringify(filter) },
    holds,
  });
  const picture = (title: string, filter: object): View => ({
    title: `picture: ${title}`,
    route: routes.picture,
    parameters: { filter: JSON.stringify(filter) },
    holds: /"buckets":\[\{/,
  });
  const record = { table, key };
  const bounded = /"searchedBackTo":"/;
  return [
    feed("the last day", {}),
    feed("the last deletes", { operation: ["delete"], from: back(90) }),
    feed("what an actor did in a month", { actor: ["clerk 7"], from: month }),
    feed("what an actor did not do", { not: { actor: ["clerk 7"] }, from: month }),
    feed("a table, a month", { table: [table], from: month }),
    feed("a table that is not there, three months", { table: ["ledger.nothing"], from: back(90) }, /"acts":\[\]/),
    feed("a record of 500 events", { table: [table], key, from: back(90) }),
    feed("a column that never changes", { column: ["owner"], operation: ["update"], from: back(90) }, bounded),
    feed("a text that is nowhere", { text: "nowhere to be found", from: back(90) }, bounded),
    feed("a text that is nowhere, of an actor", { text: "nowhere", actor: ["clerk 7"], from: back(90) }, bounded),
    feed("a request that is not there", { request: "none", from: back(90) }, /"acts":\[\]/),
    picture("the last day", {}),
    picture("a month, and who acted in it", { from: month }),
    picture("three months of an actor", { from: back(90), actor: ["clerk 7"] }),
    { title: "record of 500 events", route: routes.record, parameters: record, holds: /"steps":\[\{/ },
    { title: "record: who wrote each column", route: routes.blame, parameters: record, holds: /"writer":\{/ },
    {
      title: "record: as it was",
      route: routes.asOf,
      parameters: { ...record, time: month },
      holds: /"row":\{/,
    },
    {
      title: "record: two moments",
      route: routes.compare,
      parameters: { ...record, from: month, to: back(1) },
      holds: /"changed":\["/,
    },
    { title: "act", route: routes.act, parameters: act, holds: /"changes":\[\{/ },
    { title: "undo of an act", route: routes.undo, parameters: act, holds: /UPDATE ledger\.accounts/ },
    { title: "completion", route: routes.completions, parameters: { of: "actor", start: "clerk 3" }, holds: /clerk 3/ },
    { title: "who looked at a record", route: routes.reads, parameters: record, holds: /"reads":\[\{/ },
    { title: "health", route: routes.health, parameters: {}, holds: /"newest":"/ },
  ];
}
