import { cpus } from "node:os";
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import type { Client } from "pg";
import { databaseRoles } from "../contract/database-roles";
import { bootstrapDestination } from "../operator/database/bootstrap";
import { TestServer } from "../local/servers/test-server";
import {
  type Answer,
  type Asked,
  guideFile,
  guidePage,
  type IndexPurpose,
  indexesOf,
  plansFile,
  plansPage,
} from "./query-guide-pages";
import { type Question, questions } from "./query-guide-questions";

/** Changes of one transaction of the sample; the first event of each says who acts. */
const changesPerTransaction = 9;

/** Many, so that other work on the machine does not hinder all of them. */
const runs = 10;
/** Place of the first event in the stream. */
const firstOrder = "1785452400000000::bigint";

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
       record_key, before, after, actor, request_id, context, captured_at, transformed_at, stream_order)
     SELECT
       committed_at, gen_random_uuid(), 'shop', transaction, sequence, to_hex(transaction), operation,
       CASE WHEN sequence = 1 THEN 'capture' ELSE 'shop' END,
       CASE WHEN sequence = 1 THEN 'signal' ELSE 'orders' END,
       CASE WHEN sequence > 1 THEN jsonb_build_object('id', id) END,
       CASE WHEN operation = 'update' THEN jsonb_build_object('status', states[version % 4 + 1]) END,
       CASE WHEN sequence > 1 THEN jsonb_build_object('id', id, 'status', states[(version + 1) % 4 + 1],
         'total', round((id * 7 % 1000) / 10.0, 2), 'delivery_note', repeat('x', 120)) END,
       CASE WHEN sequence = 1 THEN format('user-%s@shop.example', transaction % 200) END,
       CASE WHEN sequence = 1 THEN 'request-' || transaction END,
       CASE WHEN sequence = 1 THEN '{"origin": "application"}'::jsonb END,
       committed_at, committed_at, ${firstOrder} + transaction * ($2::int + 1) + sequence
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
  await client.query(
    `INSERT INTO audit.events (
       committed_at, event_id, source_id, transaction_id, sequence, operation, schema_name, table_name, after, context,
       stream_order)
     VALUES ('2026-07-31 23:00:00+00', gen_random_uuid(), 'shop', 0, 1, 'schema', 'shop', 'orders',
       '{"relation": 1, "key": ["id"], "columns": [
         {"name": "id", "type": "integer", "number": 1}, {"name": "status", "type": "text", "number": 2},
         {"name": "total", "type": "numeric", "number": 3}, {"name": "delivery_note", "type": "text", "number": 4}]}',
       '{"reason": "watch"}', ${firstOrder})`,
  );
  await client.query("SELECT audit.maintain()");
  await client.query("VACUUM ANALYZE audit.events");
}

/** Runs a question ten times warm and keeps the fastest time, then once more for its plan. */
async function ask(client: Client, question: Question, indexes: ReadonlyMap<string, string>): Promise<Answer> {
  const text = { text: question.sql, types: asText };
  await client.query(text);
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const started = performance.now();
    await client.query(text);
    times.push(performance.now() - started);
  }
  const { rows, fields } = await client.query<Record<string, string | null>>(text);
  const plans = await plansOf(client, question.sql);
  return {
    columns: fields.map(({ name }) => name),
    rows,
    milliseconds: Math.min(...times),
    indexes: indexesOf(plans, indexes),
    plans,
  };
}

/** Leaves every value as PostgreSQL writes it. */
const asText = { getTypeParser: () => (value: string | Buffer) => String(value) };

async function plansOf(client: Client, sql: string): Promise<string[]> {
  const plans: string[] = [];
  const collect = ({ message }: { message?: string }) => {
    const plan = message?.split(/^Query Text:.*?(?=^(?:Query Parameters:|\S[^\n]*\(actual rows))/ms)[1];
    // Functions ask many small questions, and some of them again and again: only plans that read the log, once each.
    if (!plan || !/ on events_/.test(plan)) return;
    const text = readable(plan);
    if (!plans.includes(text)) plans.push(text);
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

/** Each index of a partition, and the index of `audit.events` that it is a part of. */
async function partitionIndexes(client: Client): Promise<Map<string, string>> {
  const { rows } = await client.query<{ part: string; index: string }>(
    `SELECT part.relname AS part, index.relname AS index
     FROM pg_inherits JOIN pg_class part ON part.oid = inhrelid JOIN pg_class index ON index.oid = inhparent
     WHERE index.relkind = 'I'`,
  );
  return new Map(rows.map(({ part, index }) => [part, index]));
}

/** The indexes of `audit.events`, with what their comments say that they are for. */
async function indexPurposes(client: Client): Promise<IndexPurpose[]> {
  const { rows } = await client.query<IndexPurpose>(
    `SELECT relname AS name, coalesce(obj_description(indexrelid, 'pg_class'), 'One event by its identity.') AS purpose
     FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
     WHERE indrelid = 'audit.events'::regclass
     ORDER BY indexrelid`,
  );
  return rows;
}

/**
 * Fills a log on a PostgreSQL of its own and asks every question of it.
 *
 * @param events Number of events in the log.
 */
export async function askEverything(events: number): Promise<Asked> {
  const server = await TestServer.start({ log_statement: "none", shared_buffers: "256MB" });
  try {
    const client = await server.createDatabase();
    await bootstrapDestination(client);
    await fillLog(client, events);
    const indexes = await partitionIndexes(client);
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
    const answers: { question: Question; answer: Answer }[] = [];
    for (const question of questions) answers.push({ question, answer: await ask(client, question, indexes) });
    await client.query("RESET ROLE");
    const { rows } = await client.query<{ version: string; size: string }>(
      "SELECT current_setting('server_version') AS version, pg_size_pretty(sum(pg_total_relation_size(inhrelid))) AS size " +
        "FROM pg_inherits WHERE inhparent = 'audit.events'::regclass",
    );
    const processor = `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}`;
    return {
      events,
      machine: `PostgreSQL ${rows[0]?.version}, ${processor}, ${rows[0]?.size} with indexes`,
      indexes: await indexPurposes(client),
      answers,
    };
  } finally {
    await server.stop();
  }
}

if (require.main === module) {
  new Command("query-guide")
    .description(`Asks each question of the guide of a large log and writes ${guideFile} and ${plansFile}.`)
    .option("--events <number>", "events in the sample log", Number, 1_000_000)
    .option("--print", "print the guide instead")
    .action(async ({ events, print }: { events: number; print?: boolean }) => {
      const asked = await askEverything(events);
      if (print) return console.log(guidePage(asked));
      for (const [file, text] of [
        [guideFile, guidePage(asked)],
        [plansFile, plansPage(asked)],
      ] as const) {
        writeFileSync(resolve(__dirname, "..", file), text);
        console.log(file);
      }
    })
    .parseAsync()
    .catch((error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    });
}
