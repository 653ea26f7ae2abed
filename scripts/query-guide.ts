import { cpus } from "node:os";
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import type { Client } from "pg";
import { databaseRoles } from "../contract/database-roles";
import { bootstrapDestination } from "../operator/database/bootstrap";
import { TestServer } from "../local/servers/test-server";
import { type Question, questions } from "./query-guide-questions";

const file = resolve(__dirname, "../docs/query-guide.md");

/** Changes of one transaction of the sample; the first event of each says who acts. */
const changesPerTransaction = 9;

/**
 * Fills the log with events spread evenly over August to October 2026: orders that are made and then change their status,
 * each transaction by one of 200 users.
 *
 * @param events Number of events, in whole transactions of ten.
 */
export async function fillLog(client: Client, events: number): Promise<void> {
  const transactions = Math.floor(events / (changesPerTransaction + 1));
  await client.query(
    `INSERT INTO audit.events (
       committed_at, event_id, source_id, transaction_id, sequence, position, operation, schema_name, table_name,
       record_key, before, after, actor, request_id, context, captured_at, transformed_at)
     SELECT
       committed_at, gen_random_uuid(), 'shop', transaction, sequence, to_hex(transaction), operation,
       CASE WHEN sequence = 1 THEN 'capture' ELSE 'shop' END,
       CASE WHEN sequence = 1 THEN 'signal' ELSE 'orders' END,
       CASE WHEN sequence > 1 THEN jsonb_build_object('id', id) END,
       CASE WHEN operation = 'update' THEN jsonb_build_object('status', states[version % 4 + 1]) END,
       CASE WHEN sequence > 1 THEN jsonb_build_object('id', id, 'status', states[(version + 1) % 4 + 1],
         'total', (id * 7 % 1000) / 10.0, 'note', repeat('x', 120)) END,
       CASE WHEN sequence = 1 THEN format('user-%s@shop.example', transaction % 200) END,
       CASE WHEN sequence = 1 THEN 'request-' || transaction END,
       CASE WHEN sequence = 1 THEN '{"origin": "application"}'::jsonb END,
       committed_at, committed_at
     FROM (
       SELECT transaction, sequence, id, version, committed_at, '{new,paid,packed,shipped}'::text[] AS states,
         CASE WHEN sequence = 1 THEN 'context' WHEN version = 0 THEN 'insert' ELSE 'update' END AS operation
       FROM generate_series(0, $1::int - 1) AS transaction, generate_series(1, $2::int + 1) AS sequence,
         LATERAL (SELECT
           (transaction * $2::int + sequence - 2) % ($1::int / 2) AS id,
           (transaction * $2::int + sequence - 2) / ($1::int / 2) AS version,
           timestamptz '2026-08-01 00:00:00+00' + transaction * (interval '92 days' / $1::int) AS committed_at
         ) AS change
     ) AS sample`,
    [transactions, changesPerTransaction],
  );
  await client.query("SELECT audit.maintain()");
  await client.query("VACUUM ANALYZE audit.events");
}

interface Measured {
  readonly rows: number;
  readonly milliseconds: number;
  /** The plan of each statement that ran, those inside functions too. */
  readonly plans: readonly string[];
}

/** Runs a question three times warm and keeps the fastest, then once more with its plan. */
async function measure(client: Client, { sql }: Question): Promise<Measured> {
  await client.query(sql);
  const runs: { rows: number; milliseconds: number }[] = [];
  for (let run = 0; run < 3; run += 1) {
    const started = performance.now();
    const { rowCount } = await client.query(sql);
    runs.push({ rows: rowCount ?? 0, milliseconds: performance.now() - started });
  }
  const [fastest] = runs.sort((a, b) => a.milliseconds - b.milliseconds);
  if (!fastest) throw new Error("A question was never run.");
  return { ...fastest, plans: await plansOf(client, sql) };
}

async function plansOf(client: Client, sql: string): Promise<string[]> {
  const plans: string[] = [];
  const collect = ({ message }: { message?: string }) => {
    const plan = message?.split(/^Query Text:.*?(?=^(?:Query Parameters:|\S[^\n]*\(actual rows))/ms)[1];
    if (plan) plans.push(readable(plan));
  };
  client.on("notice", collect);
  await client.query(`RESET ROLE; SET auto_explain.log_min_duration = 0; SET ROLE ${databaseRoles.reader}`);
  await client.query(sql);
  await client.query(`RESET ROLE; SET auto_explain.log_min_duration = -1; SET ROLE ${databaseRoles.reader}`);
  client.off("notice", collect);
  return plans;
}

/** A plan without the estimates, and without the partitions of the months ahead, which are empty. */
function readable(plan: string): string {
  const lines: string[] = [];
  let skippedBelow = Number.POSITIVE_INFINITY;
  for (const line of plan.trimEnd().split("\n")) {
    const depth = line.search(/\S/);
    if (depth > skippedBelow) continue;
    skippedBelow = Number.POSITIVE_INFINITY;
    if (/ on events_(default|2026_1[12]|2027_\d\d)\w* .*\((actual rows=0 |never executed)/.test(line))
      skippedBelow = depth;
    else lines.push(line.replace(/\s+\(cost=[^)]*\)/, ""));
  }
  return lines.join("\n");
}

async function guide(events: number): Promise<string> {
  const server = await TestServer.start({ log_statement: "none", shared_buffers: "256MB" });
  try {
    const client = await server.createDatabase();
    await bootstrapDestination(client);
    await fillLog(client, events);
    await client.query("LOAD 'auto_explain'");
    for (const [setting, value] of Object.entries({
      log_analyze: "on",
      log_timing: "off",
      log_nested_statements: "on",
      log_level: "notice",
      log_verbose: "off",
    })) {
      await client.query(`SET auto_explain.${setting} = ${value}`);
    }
    await client.query(`SET ROLE ${databaseRoles.reader}`);
    const sections: string[] = [];
    for (const question of questions) sections.push(section(question, await measure(client, question)));
    await client.query("RESET ROLE");
    const { rows } = await client.query<{ version: string; size: string }>(
      "SELECT current_setting('server_version') AS version, pg_size_pretty(sum(pg_total_relation_size(inhrelid))) AS size " +
        "FROM pg_inherits WHERE inhparent = 'audit.events'::regclass",
    );
    const processor = `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}`;
    const machine = `PostgreSQL ${rows[0]?.version}, ${processor}, ${rows[0]?.size} with indexes`;
    return [...introduction(events, machine), ...sections].join("\n\n") + "\n";
  } finally {
    await server.stop();
  }
}

function introduction(events: number, machine: string): string[] {
  return [
    "# Questions to the audit log",
    "Connect as a member of `audit_reader`, who may read the log and nothing else; an administrator of the log's database " +
      "makes one:",
    "```sql\nCREATE ROLE auditor LOGIN PASSWORD '…' IN ROLE audit_reader;\n```",
    `Each question below was asked by such a member of ${events.toLocaleString("en")} events over three months, in monthly ` +
      "partitions. The time is that of the fastest of three runs. The plan is PostgreSQL's own; for a function it shows the " +
      "plans of the statements inside. Empty partitions of later months are left out.",
    `Written by \`npm run query-guide\`, which makes the sample anew on a PostgreSQL of its own (${machine}). The SQL and its ` +
      "answers are tested by `tests/docs/query-guide.database.test.ts`.",
  ];
}

function section({ title, hint, sql }: Question, { rows, milliseconds, plans }: Measured): string {
  const answer = `${rows} ${rows === 1 ? "row" : "rows"} in ${milliseconds.toFixed(1)} ms.`;
  const plan = plans.join("\n\n");
  return [
    `## ${title}`,
    hint,
    "```sql\n" + sql + "\n```",
    `${answer}\n\n<details><summary>Plan</summary>\n\n\`\`\`text\n${plan}\n\`\`\`\n\n</details>`,
  ].join("\n\n");
}

if (require.main === module) {
  new Command("query-guide")
    .description("Asks each question of the guide of a large log and writes SQL, time and plan to docs/query-guide.md.")
    .option("--events <number>", "events in the sample log", Number, 1_000_000)
    .option("--print", "print the guide instead")
    .action(async ({ events, print }: { events: number; print?: boolean }) => {
      const text = await guide(events);
      if (print) return console.log(text);
      writeFileSync(file, text);
      console.log(file);
    })
    .parseAsync()
    .catch((error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    });
}

/** The guide as it is committed. */
export function committedGuide(): string {
  return readFileSync(file, "utf8");
}
