import { execFileSync } from "node:child_process";
import type { Client } from "pg";
import { repositoryFolder } from "../../local/machine/folders";
import { bootstrapDestination } from "../../operator/database/bootstrap";
import type { Recorder } from "../report/results";

/** A database with the log's SQL of one version. */
export interface ReadingSystem {
  readonly name: string;
  readonly client: Client;
  /** Whether its table has `stream_order`, which earlier versions lack. */
  readonly hasStreamOrder: boolean;
}

/** Records that are asked for; of the first tenth each has {@link usualEvents}. */
const askedRecords = 1_000;
const usualRecords = 100;
const usualEvents = 100;
const fewestEvents = 10;
/** Of every other record. */
const otherEvents = 8;
/** Changes of a transaction, besides the context that says who acts. */
const changesOfTransaction = 4;
const months = 3;
const insertedAtOnce = 250_000;
const table = "ledger.accounts";

/** The log's SQL of this repository. */
export async function installToday(client: Client): Promise<ReadingSystem> {
  await bootstrapDestination(client);
  return { name: "cdc-audit", client, hasStreamOrder: true };
}

/** The log's SQL of a commit of this repository. */
export async function installOf(client: Client, commit: string): Promise<ReadingSystem> {
  const git = (...words: string[]) => execFileSync("git", words, { cwd: repositoryFolder, encoding: "utf8" });
  let files: string[];
  try {
    files = git("ls-tree", "--name-only", commit, "database/destination/")
      .split("\n")
      .filter((file) => file.endsWith(".sql"));
  } catch {
    throw new Error(
      `--against is ${commit}, which git does not know here. Name a commit, branch or tag of this repository.`,
    );
  }
  if (files.length === 0)
    throw new Error(`--against is ${commit}, which has no database/destination. Name a later commit.`);
  await client.query("BEGIN");
  for (const file of files) await client.query(git("show", `${commit}:${file}`));
  await client.query("COMMIT");
  const { rowCount } = await client.query(
    "SELECT FROM pg_attribute WHERE attrelid = 'audit.events'::regclass AND attname = 'stream_order'",
  );
  return { name: commit, client, hasStreamOrder: rowCount === 1 };
}

/**
 * Fills a log of three months with this many events, the same in each database, in the order of their commits: 1,000
 * records that are asked for, with 10 to 10,000 events each and as many of one size as of a ten times larger one, a tenth
 * of them with 100; every other record has 8; and one event in five is a context.
 *
 * @param until when the last one was committed.
 */
export async function fill(system: ReadingSystem, events: number, until: Date): Promise<void> {
  const { client } = system;
  const changes = Math.round((events * changesOfTransaction) / (changesOfTransaction + 1));
  const mostEvents = Math.min(10_000, Math.max(2 * usualEvents, events / 1_000));
  await client.query("SET synchronous_commit = off; SET work_mem = '256MB'; SET maintenance_work_mem = '512MB'");
  await client.query(
    `SELECT audit.add_partitions($1::timestamptz - interval '${months + 1} months', $1::timestamptz + interval '1 month', 'month')`,
    [until.toISOString()],
  );
  await client.query(`
    CREATE UNLOGGED TABLE public.records AS
    SELECT record, CASE WHEN record <= ${usualRecords} THEN ${usualEvents}
      ELSE round(${fewestEvents} * (${mostEvents} / ${fewestEvents}.0) ^ ((record - ${usualRecords} - 1) / ${askedRecords - usualRecords - 1}.0))
    END::int AS events
    FROM generate_series(1, ${askedRecords}) AS record`);
  await client.query(`
    INSERT INTO public.records
    SELECT ${askedRecords} + other, ${otherEvents}
    FROM generate_series(1, (${changes} - (SELECT sum(events) FROM public.records)) / ${otherEvents}) AS other`);
  await client.query(`
    CREATE UNLOGGED TABLE public.changes AS
    SELECT row_number() OVER (ORDER BY at, record)::int - 1 AS place, record, number, is_last
    FROM (
      SELECT record, number, number = events AS is_last,
        (number - 1 + (hashint8(record::bigint * 1000003 + number) & 1023) / 1024.0::float8) / events AS at
      FROM public.records CROSS JOIN LATERAL generate_series(1, events) AS number
    ) AS drawn`);
  await client.query("CREATE INDEX ON public.changes (place); ANALYZE public.changes");
  await insertAll(system, until);
  await client.query("DROP TABLE public.changes");
  await client.query("VACUUM (ANALYZE) audit.events");
  await client.query("CHECKPOINT; RESET ALL");
}

async function insertAll({ client, hasStreamOrder }: ReadingSystem, until: Date): Promise<void> {
  const { rows } = await client.query<{ transactions: number; begin: string }>(
    `SELECT (max(place) / ${changesOfTransaction} + 1)::int AS transactions,
            ($1::timestamptz - interval '${months} months')::text AS begin FROM public.changes`,
    [until.toISOString()],
  );
  const [{ transactions, begin }] = rows as [{ transactions: number; begin: string }];
  const at = `$1::timestamptz + interval '${months} months' * (transaction / ${transactions}::float8)`;
  const columns = `committed_at, event_id, source_id, transaction_id, sequence, position, operation, schema_name, table_name,
    record_key, before, after, actor, context, captured_at, transformed_at${hasStreamOrder ? ", stream_order" : ""}`;
  const order = hasStreamOrder ? ", (extract(epoch FROM at) * 1000000)::bigint" : "";
  const shape = {
    key: ["id"],
    relation: 16_400,
    columns: ["id:bigint", "owner:text", "balance:numeric", "active:boolean", "note:text"].map((column, index) => {
      const [name, type] = column.split(":");
      return { name, type, number: index + 1 };
    }),
  };
  await client.query(
    `INSERT INTO audit.events (${columns})
     SELECT at, gen_random_uuid(), 'bench', 1, 1, '0', 'schema', 'ledger', 'accounts', NULL::jsonb, '{"key": [], "columns": []}'::jsonb, $2::jsonb,
       NULL, '{"reason": "watch", "command": null}'::jsonb, at, at${order}
     FROM (SELECT $1::timestamptz - interval '1 second' AS at) AS first`,
    [begin, JSON.stringify(shape)],
  );
  for (let first = 0; first < transactions * changesOfTransaction; first += insertedAtOnce) {
    await client.query(
      `INSERT INTO audit.events (${columns})
       SELECT at, md5('change ' || place)::uuid, 'bench', 1000 + transaction, 2 + place % ${changesOfTransaction},
         lpad(to_hex(place), 16, '0'), CASE WHEN number = 1 THEN 'insert' ELSE 'update' END, 'ledger', 'accounts',
         jsonb_build_object('id', record),
         CASE WHEN number > 1 THEN jsonb_build_object('balance', number - 1, 'active', number % 2 = 0) END,
         jsonb_build_object('id', record, 'owner', 'owner ' || record, 'balance', number, 'active', number % 2 = 1,
           'note', repeat('x', 120)),
         NULL::text, NULL::jsonb, at, at${order}
       FROM (
         SELECT *, ${at} AS at
         FROM (
           SELECT *, place / ${changesOfTransaction} AS transaction FROM public.changes
           WHERE place >= $2 AND place < $3
         ) AS numbered
       ) AS dated
       UNION ALL
       SELECT at, md5('context ' || transaction)::uuid, 'bench', 1000 + transaction, 1, lpad(to_hex(transaction), 16, '0'),
         'context', 'capture', 'signal', NULL, NULL, NULL, 'clerk ' || transaction % 50, '{}'::jsonb, at, at${order}
       FROM (
         SELECT transaction, ${at} AS at
         FROM generate_series($2::int / ${changesOfTransaction}, $3::int / ${changesOfTransaction} - 1) AS transaction
       ) AS dated
       ORDER BY 1, 5`,
      [begin, first, Math.min(first + insertedAtOnce, transactions * changesOfTransaction)],
    );
  }
}

interface Question {
  readonly title: string;
  readonly sql: string;
  /** Parameters for each time it is asked. */
  readonly asked: readonly (readonly unknown[])[];
  /** Milliseconds that 95 of 100 answers may take at most. */
  readonly goal?: number;
}

const ratioGoal = 1.5;

/** Asks each question of all systems in turns, and compares the answers. */
export async function measureReading(recorder: Recorder, systems: readonly ReadingSystem[]): Promise<void> {
  for (const question of await questionsOf((systems[0] as ReadingSystem).client)) {
    const times = systems.map(() => [] as number[]);
    for (const [place, values] of question.asked.entries()) {
      const answers: string[] = [];
      for (let turn = 0; turn < systems.length; turn += 1) {
        const index = (place + turn) % systems.length;
        const { client } = systems[index] as ReadingSystem;
        const begun = performance.now();
        const { rows } = await client.query({ name: question.title, text: question.sql, values: [...values] });
        (times[index] as number[]).push(performance.now() - begun);
        answers.push(JSON.stringify(rows));
      }
      if (new Set(answers).size > 1)
        throw new Error(`${question.title} of ${JSON.stringify(values)}: the answers differ.`);
    }
    report(recorder, question, systems, times);
  }
}

function report(
  recorder: Recorder,
  { title, goal, asked }: Question,
  systems: readonly ReadingSystem[],
  times: readonly (readonly number[])[],
): void {
  for (const [index, { name }] of systems.entries()) {
    const own = times[index] as readonly number[];
    recorder.recordAll({ system: name, phase: "reading" }, [
      { metric: `${title}: p50 of ${asked.length.toLocaleString("en")}`, value: percentile(own, 0.5), unit: "ms" },
      {
        metric: `${title}: p95`,
        value: percentile(own, 0.95),
        unit: "ms",
        ...(goal !== undefined && index === 0 ? { goal: { atMost: goal } } : {}),
      },
      { metric: `${title}: slowest`, value: Math.max(...own), unit: "ms" },
    ]);
  }
  const [own, ...others] = times as [readonly number[], ...(readonly number[])[]];
  for (const [index, other] of others.entries()) {
    const against = (systems[index + 1] as ReadingSystem).name;
    recorder.recordAll(
      { system: "cdc-audit", phase: "reading" },
      [0.5, 0.95].map((share) => ({
        metric: `${title}: p${share * 100} over that of ${against}`,
        value: percentile(own, share) / percentile(other, share),
        unit: "×",
        ...(goal === undefined ? {} : { goal: { atMost: ratioGoal } }),
      })),
    );
  }
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

async function questionsOf(client: Client): Promise<readonly Question[]> {
  const { rows } = await client.query<{ key: string; time: string; events: number }>(
    `SELECT jsonb_build_object('id', record)::text AS key, events,
       (now() - interval '1 month' * ${months} * (hashint8(record) & 1023) / 1024.0)::text AS time
     FROM public.records WHERE record <= ${askedRecords} ORDER BY hashint8(record + 7)`,
  );
  const usual = rows.filter(({ events }) => events === usualEvents);
  const span = `10 to ${Math.max(...rows.map(({ events }) => events)).toLocaleString("en")} events`;
  const rowAsOf = `SELECT audit.row_as_of('${table}', $1::text::jsonb, $2::text::timestamptz) AS row`;
  const history = `SELECT count(*), max("time")::text AS last FROM audit.history('${table}', $1::text::jsonb)`;
  return [
    {
      title: `row_as_of, now, records of ${span}`,
      sql: rowAsOf,
      asked: rows.map(({ key }) => [key, "now"]),
      goal: 5,
    },
    {
      title: `row_as_of, at any time, records of ${span}`,
      sql: rowAsOf,
      asked: rows.map(({ key, time }) => [key, time]),
      goal: 5,
    },
    {
      title: `history of ${usualEvents} events`,
      sql: history,
      asked: [1, 2, 3, 4, 5].flatMap(() => usual.map(({ key }) => [key])),
      goal: 30,
    },
    { title: `history of ${span}`, sql: history, asked: rows.map(({ key }) => [key]) },
  ];
}
