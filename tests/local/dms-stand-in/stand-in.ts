import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Consumer } from "@platformatic/kafka";
import { Client } from "pg";
import { kafkaEndpointFormat, tableMappings, taskSettings } from "../../../contract/change-capture";
import type { StandInConfigurationFile } from "../../../local/dms-stand-in/configuration";
import { standInProcess } from "../../../local/dms-stand-in/process";
import { kafkaBroker } from "../../../local/servers/kafka-broker";
import { freePorts, type ManagedProcess } from "../../../local/machine/managed-process";
import { postgresServer, superuserConnection } from "../../../local/servers/postgres";
import { unusualSettings } from "../../../local/servers/test-server";
import { createTopics, topicEndOffsets } from "../../../local/servers/topics";

/** A change record as Kafka holds it. */
export interface ReceivedRecord {
  readonly key: string;
  readonly text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- records are free JSON, checked by each test
  readonly value: any;
}

/** A real PostgreSQL and a real broker, both restartable, for stand-ins that run as separate processes. */
export class StandInBench {
  private readonly clients: Client[] = [];
  private readonly standIns: ManagedProcess[] = [];
  private counter = 0;

  private constructor(
    private readonly folder: string,
    readonly postgres: ManagedProcess,
    readonly broker: ManagedProcess,
    private readonly postgresPort: number,
    readonly bootstrapServers: string,
  ) {}

  static async start(): Promise<StandInBench> {
    const folder = mkdtempSync(join(tmpdir(), "cdc-audit-stand-in-"));
    // The server may run as another user, who must be able to enter.
    chmodSync(folder, 0o755);
    const [postgresPort, brokerPort, controllerPort] = (await freePorts(3)) as [number, number, number];
    const postgres = await postgresServer({
      dataFolder: join(folder, "postgres"),
      logFile: join(folder, "postgres.log"),
      port: postgresPort,
      superuserPassword: "superuser",
      settings: unusualSettings,
    });
    const broker = await kafkaBroker({
      dataFolder: join(folder, "kafka"),
      logFile: join(folder, "kafka.log"),
      port: brokerPort,
      controllerPort,
    });
    const bench = new StandInBench(folder, postgres, broker, postgresPort, `127.0.0.1:${brokerPort}`);
    await Promise.all([postgres.start(), broker.start()]);
    const client = await bench.connect();
    await client.query("CREATE SCHEMA capture_heartbeat");
    return bench;
  }

  /** A connection as the superuser; closed with the bench. */
  async connect(): Promise<Client> {
    const client = new Client(superuserConnection({ port: this.postgresPort, superuserPassword: "superuser" }));
    client.on("error", () => undefined);
    await client.connect();
    this.clients.push(client);
    return client;
  }

  /** A schema, slot and topic that no other test uses, and the configuration of a task over them. */
  async scenario(): Promise<Scenario> {
    const name = `scenario_${++this.counter}`;
    const client = await this.connect();
    await client.query(`CREATE SCHEMA ${name}; SET search_path = ${name}`);
    const topic = `raw.${name}`;
    const config = { "max.message.bytes": "16777216" };
    await createTopics(this.bootstrapServers, [{ name: topic, partitions: 1, config }], 1);
    return new Scenario(this, client, name, {
      sourceUrl: `postgres://postgres:superuser@127.0.0.1:${this.postgresPort}/postgres`,
      slotName: name,
      bootstrapServers: this.bootstrapServers,
      topic,
      tableMappings: tableMappings([{ schema: name, table: "%" }], topic),
      taskSettings: taskSettings(),
      endpointFormat: kafkaEndpointFormat,
    });
  }

  /** A stand-in process over a configuration; the caller starts it. */
  standIn(configuration: object): ManagedProcess {
    const number = this.standIns.length + 1;
    const standIn = standInProcess(configuration, {
      configurationFile: join(this.folder, `stand-in-${number}.json`),
      logFile: join(this.folder, `stand-in-${number}.log`),
    });
    this.standIns.push(standIn);
    return standIn;
  }

  async stop(): Promise<void> {
    await Promise.all(this.standIns.map((standIn) => standIn.kill()));
    await Promise.all(this.clients.map((client) => client.end().catch(() => undefined)));
    await this.broker.stop("SIGKILL");
    await this.postgres.stop("SIGQUIT");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** One test's own tables, slot and topic. */
export class Scenario {
  constructor(
    private readonly bench: StandInBench,
    public client: Client,
    readonly schema: string,
    readonly configuration: StandInConfigurationFile,
  ) {}

  /** A started stand-in; `overrides` replace settings. */
  async start(overrides: Partial<StandInConfigurationFile> = {}): Promise<ManagedProcess> {
    const standIn = this.bench.standIn({ ...this.configuration, ...overrides });
    await standIn.start();
    return standIn;
  }

  /** Starts a stand-in that must refuse to run, and returns why it does. */
  async refusal(overrides: Partial<StandInConfigurationFile>): Promise<string> {
    const standIn = this.bench.standIn({ ...this.configuration, ...overrides });
    const ended = new Promise<[description: string, how: string]>((resolve) =>
      standIn.onUnexpectedExit((...exit) => resolve(exit)),
    );
    standIn.launch();
    return reasonIn(standIn, ...(await ended));
  }

  /** Runs statements, each in a separate transaction. */
  async run(...statements: string[]): Promise<void> {
    for (const statement of statements) await this.client.query(statement);
  }

  /** Waits until the slot has confirmed all that is committed now. */
  async confirmed(timeout = 60_000): Promise<void> {
    const { rows } = await this.client.query<{ position: string }>("SELECT pg_current_wal_lsn() AS position");
    await until(timeout, "The slot did not confirm what was written.", async () => {
      const { rowCount } = await this.client.query(
        "SELECT FROM pg_replication_slots WHERE slot_name = $1 AND confirmed_flush_lsn >= $2",
        [this.configuration.slotName, rows[0]?.position],
      );
      return rowCount === 1;
    });
  }

  /** Every record of the topic that is there now, in order; the control record is left out. */
  async records(): Promise<ReceivedRecord[]> {
    return (await this.allRecords()).filter(({ value }) => value.metadata["record-type"] === "data");
  }

  /** How many records the topic holds. */
  async sentRecords(): Promise<bigint> {
    const { topic, bootstrapServers } = this.configuration;
    const [end = 0n] = await topicEndOffsets(bootstrapServers, topic);
    return end;
  }

  /** Every record of the topic, control records included. */
  async allRecords(): Promise<ReceivedRecord[]> {
    const { topic, bootstrapServers } = this.configuration;
    const end = await this.sentRecords();
    const records: ReceivedRecord[] = [];
    if (end === 0n) return records;
    const consumer = new Consumer({
      clientId: "test",
      groupId: `test-${topic}-${Date.now()}`,
      bootstrapBrokers: [bootstrapServers],
    });
    const stream = await consumer.consume({ topics: [topic], mode: "earliest", autocommit: false, maxWaitTime: 50 });
    for await (const { key, value, offset } of stream) {
      const text = String(value);
      records.push({ key: String(key), text, value: JSON.parse(text) });
      if (offset === end - 1n) break;
    }
    await stream.close();
    await consumer.close(true);
    return records;
  }

  /** The records once all that is committed now has arrived. */
  async arrived(): Promise<ReceivedRecord[]> {
    await this.confirmed();
    return this.records();
  }

  /** Ends what runs and drops the slot. */
  async close(standIn?: ManagedProcess): Promise<void> {
    await standIn?.stop();
    await until(10_000, "The slot could not be dropped.", () =>
      this.client
        .query("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1", [
          this.configuration.slotName,
        ])
        .then(
          () => true,
          () => false,
        ),
    );
  }
}

function reasonIn(standIn: ManagedProcess, description: string, how: string): string {
  const last = readFileSync(standIn.logFile, "utf8").trimEnd().split("\n").at(-1) ?? "";
  const { event, reason } = JSON.parse(last) as { event: string; reason: string };
  if (event !== "failed") throw new Error(`${description} Its last line is ${last}`);
  return `${reason} ${how}`;
}

/** Waits until a condition holds. */
export async function until(timeout: number, failure: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + timeout;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(failure);
    await sleep(50);
  }
}
