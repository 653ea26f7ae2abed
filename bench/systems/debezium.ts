import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { sinkDefaultTasks } from "../../contract/sink-connector";
import { repositoryFolder } from "../../local/machine/folders";
import { connectorTasks, putConnector } from "../../local/servers/kafka-connect";
import { withClient } from "../../local/servers/database-client";
import type { Pipeline } from "../../local/pipeline";
import { createTopics } from "../../local/servers/topics";
import { fillAccounts } from "../load/workloads";
import type { SystemUnderTest } from "../measurements/setting";
import type { AuditSystem } from "./audit-system";
import { removePipeline } from "./ours";
import { preparePipeline, type Running, type Size } from "./own-servers";

/** Whether the peer's log holds old values too. */
export type Images = "old and new values" | "new values only";

/** What differs between the two variants, so that neither meets what the other left on the worker and the broker. */
const prefixes = { "old and new values": "both", "new values only": "new" } as const;
const sourceOf = (images: Images) => `debezium-source-${prefixes[images]}`;
const sinkOf = (images: Images) => `debezium-sink-${prefixes[images]}`;
/** The peer's role, slot, publication and schema. */
const user = "debezium";
const password = "debezium";
const sinkRecords = "1000";

/** Tables of the application, as in `workloads.ts`. Each has a separate topic and log table. */
const tables = [
  "accounts",
  "marker",
  "tpcb_accounts",
  "tpcb_tellers",
  "tpcb_branches",
  "tpcb_history",
  "entries",
  "documents_1k",
  "documents_8k",
];
const topicOf = (images: Images, table: string) => `${prefixes[images]}.ledger.${table}`;
const logTableOf = (table: string) => `${user}.${table}`;

/**
 * What a user would choose instead: Debezium's PostgreSQL source connector and Debezium's JDBC sink, on servers as our
 * pipeline has them, from which our parts are removed.
 */
export async function startDebezium(size: Size, running: Running, images: Images): Promise<SystemUnderTest> {
  const { pipeline, setting, stop } = await preparePipeline(size, running);
  await pipeline.start();
  await removePipeline(pipeline);
  await withClient(setting.application, (client) => client.query(fillAccounts));
  return { system: await installDebezium(pipeline, images), setting, stop };
}

/** Takes a pipeline whose worker is stopped. */
async function installDebezium(pipeline: Pipeline, images: Images): Promise<AuditSystem> {
  installSourceConnector(join(pipeline.options.folder, "data/plugins/debezium-postgres"));
  await withClient(pipeline.destination, (client) =>
    client.query(`DROP SCHEMA IF EXISTS ${user} CASCADE; CREATE SCHEMA ${user}`),
  );
  await withClient(pipeline.sample, async (client) => {
    await client.query(`
      DO $$ BEGIN CREATE ROLE ${user} LOGIN REPLICATION SUPERUSER PASSWORD '${password}'; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
      DROP PUBLICATION IF EXISTS ${user};
      CREATE PUBLICATION ${user} FOR TABLES IN SCHEMA ledger`);
    for (const table of tables) {
      const identity = images === "old and new values" ? "FULL" : "DEFAULT";
      await client.query(`ALTER TABLE ledger.${table} REPLICA IDENTITY ${identity}`);
    }
  });
  await createTopics(
    pipeline.bootstrapServers,
    tables.map((table) => ({
      name: topicOf(images, table),
      partitions: pipeline.topics.events.partitions,
      config: {},
    })),
    1,
  );
  await pipeline.worker.start();
  await putConnector(pipeline.ports.worker, sourceOf(images), sourceProperties(pipeline, images));
  await putConnector(pipeline.ports.worker, sinkOf(images), sinkProperties(pipeline, images));
  await connectorRuns(pipeline, sourceOf(images));
  await connectorRuns(pipeline, sinkOf(images));
  await slotIsActive(pipeline);
  return system(pipeline, images);
}

function system(pipeline: Pipeline, images: Images): AuditSystem {
  const column = (name: string) => (images === "old and new values" ? name : `__${name}`);
  const committed = `"${column("source_ts_us")}" / 1000.0`;
  const existing = async (client: Client) => {
    const { rows } = await client.query<{ name: string }>(
      "SELECT relname AS name FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = 'r' ORDER BY 1",
      [user],
    );
    return rows.map(({ name }) => name);
  };
  return {
    name: `Debezium, ${images}`,
    processes: () => [pipeline.postgres, pipeline.broker, pipeline.worker],
    topics: () => [{ name: "topics of the source", topics: tables.map((table) => topicOf(images, table)) }],
    prepare: async (client) => {
      // An audit log must be searchable by record: one index for that, besides the primary key.
      for (const table of await existing(client)) {
        const key = (await primaryKey(pipeline, table)).map(
          (name) => `"${images === "old and new values" ? `after_${name}` : name}"`,
        );
        if (key.length === 0) continue;
        await client.query(
          `CREATE INDEX IF NOT EXISTS ${table}_record ON ${logTableOf(table)} (${[...key, `"${column("source_ts_us")}"`].join(", ")})`,
        );
      }
    },
    logTables: async (client) =>
      (await existing(client))
        .filter((table) => table !== "marker")
        .map((table) => ({ name: logTableOf(table), committedAt: committed, changes: "true" })),
    newestCommit: async (client) => {
      const newest = (await existing(client)).map(
        (table) => `(SELECT ${committed} FROM ${logTableOf(table)} ORDER BY "${column("source_lsn")}" DESC LIMIT 1)`,
      );
      if (newest.length === 0) return undefined;
      const { rows } = await client.query<{ newest: string | null }>(`SELECT greatest(${newest.join(", ")}) AS newest`);
      return rows[0]?.newest ? Number(rows[0].newest) : undefined;
    },
    emptyLog: async (client) => {
      const names = (await existing(client)).map(logTableOf);
      if (names.length > 0) await client.query(`TRUNCATE ${names.join(", ")}`);
    },
  };
}

/** Columns of an application table's primary key. */
function primaryKey(pipeline: Pipeline, table: string): Promise<string[]> {
  return withClient(pipeline.sample, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT attname AS name FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
       WHERE indrelid = $1::regclass AND indisprimary`,
      [`ledger.${table}`],
    );
    return rows.map(({ name }) => name);
  });
}

/**
 * Tuned as Debezium's and Kafka's documents say: short polls, large batches and queues, compressed batches, and records
 * made small before they are written to Kafka. JSON with its schema, since the worker has no schema registry.
 */
function sourceProperties(pipeline: Pipeline, images: Images): Record<string, string> {
  return {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "tasks.max": "1",
    "database.hostname": "127.0.0.1",
    "database.port": String(pipeline.ports.postgres),
    "database.user": user,
    "database.password": password,
    "database.dbname": pipeline.sample.database,
    "topic.prefix": prefixes[images],
    "plugin.name": "pgoutput",
    "slot.name": user,
    "publication.name": user,
    "publication.autocreate.mode": "disabled",
    "table.include.list": tables.map((table) => `ledger.${table}`).join(","),
    "snapshot.mode": "no_data",
    "tombstones.on.delete": "false",
    "poll.interval.ms": "5",
    "max.batch.size": "4096",
    "max.queue.size": "16384",
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "key.converter.schemas.enable": "false",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "producer.override.compression.type": "lz4",
    "producer.override.batch.size": "262144",
    ...(images === "old and new values" ? flattened : unwrapped),
  };
}

/** `before_…` and `after_…` columns beside what says which change it was. */
const flattened = {
  transforms: "flatten,drop,rename",
  "transforms.flatten.type": "org.apache.kafka.connect.transforms.Flatten$Value",
  "transforms.flatten.delimiter": "_",
  "transforms.drop.type": "org.apache.kafka.connect.transforms.ReplaceField$Value",
  "transforms.drop.exclude": [
    ..."version connector name ts_ms snapshot db sequence ts_ns schema table xmin".split(" ").map((f) => `source_${f}`),
    ..."id total_order data_collection_order".split(" ").map((f) => `transaction_${f}`),
    ..."ts_ms ts_us ts_ns".split(" "),
  ].join(","),
  // Otherwise the sink takes the flat record for an envelope.
  "transforms.rename.type": "org.apache.kafka.connect.transforms.SetSchemaMetadata$Value",
  "transforms.rename.schema.name": "change",
};

/** The new row's columns, with operation, transaction and position. */
const unwrapped = {
  transforms: "unwrap",
  "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
  "transforms.unwrap.delete.tombstone.handling.mode": "rewrite",
  "transforms.unwrap.add.fields": "op,source.txId,source.lsn,source.ts_us",
};

/** As many tasks as our sink has, the same batches, and the same promise: a change that comes twice is stored once. */
function sinkProperties(pipeline: Pipeline, images: Images): Record<string, string> {
  return {
    "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
    "tasks.max": String(sinkDefaultTasks),
    topics: tables.map((table) => topicOf(images, table)).join(","),
    "connection.url": `jdbc:postgresql://127.0.0.1:${pipeline.ports.postgres}/${pipeline.destination.database}?reWriteBatchedInserts=true`,
    "connection.username": user,
    "connection.password": password,
    "connection.pool.min_size": "1",
    "connection.pool.max_size": "2",
    "connection.pool.acquire_increment": "1",
    "collection.name.format": `${user}.\${topic}`,
    "insert.mode": "upsert",
    "primary.key.mode": "record_value",
    "primary.key.fields": images === "old and new values" ? "source_lsn" : "__source_lsn",
    "schema.evolution": "basic",
    "use.time.zone": "UTC",
    "batch.size": sinkRecords,
    "use.reduction.buffer": "true",
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "key.converter.schemas.enable": "false",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    // The log table is named after the source's table.
    transforms: "table",
    "transforms.table.type": "org.apache.kafka.connect.transforms.RegexRouter",
    "transforms.table.regex": ".*\\.ledger\\.(.*)",
    "transforms.table.replacement": "$1",
    "consumer.override.max.poll.records": sinkRecords,
    "consumer.override.auto.offset.reset": "earliest",
  };
}

async function connectorRuns(pipeline: Pipeline, name: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const tasks = await connectorTasks(pipeline.ports.worker, name).catch(() => []);
    const failed = tasks.find((task) => task.state === "FAILED");
    if (failed) throw new Error(`${name} failed: ${failed.trace?.split("\n")[0]}`);
    if (tasks.length > 0 && tasks.every((task) => task.state === "RUNNING")) return;
    if (Date.now() > deadline) throw new Error(`${name} was not RUNNING within a minute: ${JSON.stringify(tasks)}`);
    await sleep(20);
  }
}

async function slotIsActive(pipeline: Pipeline): Promise<void> {
  const deadline = Date.now() + 60_000;
  await withClient(pipeline.destination, async (client) => {
    for (;;) {
      const { rowCount } = await client.query("SELECT FROM pg_replication_slots WHERE slot_name = $1 AND active", [
        user,
      ]);
      if (rowCount) return;
      if (Date.now() > deadline) throw new Error(`Debezium did not read its slot within a minute.`);
      await sleep(50);
    }
  });
}

/** Puts the source connector where the worker looks for plugins; builds it the first time. */
function installSourceConnector(folder: string): void {
  const pom = join(repositoryFolder, "bench/systems/debezium/pom.xml");
  const version = (file: string) =>
    /<debezium\.version>(.*)<\/debezium\.version>/.exec(readFileSync(file, "utf8"))?.[1];
  const sinkPom = join(repositoryFolder, "connect/pom.xml");
  if (version(pom) !== version(sinkPom)) {
    throw new Error(`${pom} has Debezium ${version(pom)}, but ${sinkPom} ${version(sinkPom)}. Make them the same.`);
  }
  const unpacked = join(repositoryFolder, "bench/systems/debezium/target/plugins/debezium-connector-postgres");
  const { status, stdout, stderr } = spawnSync("mvn", ["-q", "-B", "-f", pom, "package"], { encoding: "utf8" });
  if (status !== 0 || !existsSync(unpacked))
    throw new Error(`Debezium's source connector can't be had: ${stdout}${stderr}`);
  cpSync(unpacked, folder, { recursive: true });
}
