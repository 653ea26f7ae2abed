import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bootstrapDestination } from "../../operator/database/bootstrap";
import { fillLog } from "../../scripts/query-guide";
import { guideFile, indexesOf, plansFile, sampleTable } from "../../scripts/query-guide-pages";
import { asked, questions } from "../../scripts/query-guide-questions";
import { TestServer } from "../../local/servers/test-server";
import { documentNamed } from "./documents";

const guide = documentNamed(guideFile);
const plans = documentNamed(plansFile);

let server: TestServer;
let client: Client;
/** Asks with the rights of audit_reader alone. */
let reader: Client;

beforeAll(async () => {
  server = await TestServer.start({ log_statement: "none" });
  const database = await server.createDatabase();
  client = database;
  await bootstrapDestination(client);
  await fillLog(client, 10_000);
  await client.query(
    "CREATE SCHEMA shop; CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, total numeric, tags text[])",
  );
  reader = await server.connect({ database: database.database });
  await reader.query("SET ROLE audit_reader");
});

afterAll(() => server.stop());

async function answer(title: string): Promise<Record<string, unknown>[]> {
  const question = questions.find((each) => each.title === title);
  if (!question) throw new Error(`The guide has no question ${title}`);
  return (await reader.query<Record<string, unknown>>(question.sql)).rows;
}

describe("the query guide", () => {
  it.each(questions)(
    "holds the question, the SQL that is tested here, an answer and its plan: $title",
    ({ title, sql }) => {
      const [, section = ""] = guide.split(`\n## ${title}\n`);
      expect(section).toContain("```sql\n" + sql + "\n```\n\n```text\n");
      const answered = /^[\d,]+ rows? in [\d.]+ ms, by (`events_\w+`(?:, )?)+\. \[Plan\]\(query-plans\.md#/m;
      expect(section.split("\n## ")[0]).toMatch(answered);
      const [, plan = ""] = plans.split(`\n## ${title}\n`);
      expect(plan.trimStart()).toMatch(/^```text\n.*actual rows=/s);
    },
  );

  it("is short enough to be read", () => {
    expect(guide.split("\n").length).toBeLessThan(200);
  });

  it("shows the first rows of an answer, as wide as a page", () => {
    const long = { time: "12:00", changes: "x".repeat(300) };
    const [heads, row, , more] = sampleTable({ columns: ["time", "changes"], rows: [long, long, long] }).split("\n");
    expect(heads).toBe("time   changes");
    expect(row).toBe(`12:00  ${"x".repeat(110)}…`);
    expect(more).toBe("…");
    expect(sampleTable({ columns: ["time"], rows: [{ time: null }] })).toBe("time\n");
  });

  it("names the indexes that a plan read, and no others", () => {
    const parents = new Map([
      ["events_2026_09_key", "events_record"],
      ["events_2026_09_pkey", "events_pkey"],
      ["events_2026_09_time", "events_time"],
      ["events_2026_10_actor", "events_actor"],
    ]);
    const plan = `Nested Loop (actual rows=1 loops=1)
  ->  Index Scan Backward using events_2026_09_key on events_2026_09 (actual rows=1 loops=1)
  ->  Index Only Scan using events_2026_09_pkey on events_2026_09 event_1 (actual rows=1 loops=1)
  ->  Bitmap Index Scan on events_2026_09_time (actual rows=1 loops=1)
  ->  Index Scan using events_2026_09_key on events_2026_09 event_2 (actual rows=1 loops=1)
  ->  Index Scan using events_2026_10_actor on events_2026_10 (never executed)`;
    expect(indexesOf([plan], parents)).toEqual(["events_record", "events_pkey", "events_time"]);
  });

  it.each(questions)("answers: $title", async ({ title }) => {
    expect((await answer(title)).length).toBeGreaterThan(0);
  });

  it("was asked of a million events", () => {
    expect(guide).toContain("1,000,000 events");
  });

  it("tells the last change as the last of the history", async () => {
    const history = await answer("What happened to this record?");
    expect(history[0]).toMatchObject({ operation: "insert" });
    const [last] = await answer("Who changed this value last, and from what to what?");
    const newest = history.at(-1) as { actor: string; changes: { status: object } };
    expect(last).toMatchObject({ actor: newest.actor, status: newest.changes.status });
  });

  it("tells what a record looked like from the events before that time alone", async () => {
    const [row] = await answer("What did it look like then?");
    const { rows } = await client.query<{ after: object }>(
      `SELECT after FROM audit.events WHERE record_key = '{"id": ${asked.record}}' AND committed_at <= '${asked.moment}'
       ORDER BY committed_at DESC LIMIT 1`,
    );
    expect(row?.row_as_of).toEqual(rows[0]?.after);
  });

  it("tells what one user did, and nobody else", async () => {
    const { rows } = await client.query<{ count: string }>(
      `SELECT count(*) FROM audit.log WHERE actor = '${asked.actor}' AND "time" BETWEEN '${asked.since}' AND '${asked.until}'`,
    );
    expect(await answer("What did this user do?")).toHaveLength(Number(rows[0]?.count));
  });

  it("tells who changed most, in how many transactions", async () => {
    const { rows } = await client.query(
      `SELECT actor, count(*) AS transactions FROM audit.events
       WHERE operation = 'context' AND committed_at BETWEEN '${asked.since}' AND '${asked.until}'
       GROUP BY actor ORDER BY 2 DESC, 1 LIMIT 10`,
    );
    expect(await answer("Who changed most in this time?")).toEqual(rows);
  });

  it("writes an undo that takes the last update back", async () => {
    const { rows } = await client.query(
      `SELECT before ->> 'status' AS old, after FROM audit.events
       WHERE record_key = '{"id": ${asked.record}}' AND operation = 'update' ORDER BY committed_at DESC LIMIT 1`,
    );
    const { old, after } = rows[0];
    await client.query("INSERT INTO shop.orders (id, status, total) VALUES ($1, $2, $3)", [
      after.id,
      after.status,
      after.total,
    ]);
    const [written] = await answer("Undo this change");
    await client.query(written?.undo as string);
    const { rows: now } = await client.query("SELECT status FROM shop.orders");
    expect(now).toEqual([{ status: old }]);
  });
});
