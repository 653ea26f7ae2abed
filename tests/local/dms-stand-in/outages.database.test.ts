import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { extraConnectionAttributes, tableMappings, taskSettings } from "../../../contract/change-capture";
import type { ManagedProcess } from "../../../local/machine/managed-process";
import { TestServer } from "../../../local/servers/test-server";
import { StandInBench, until, type ReceivedRecord, type Scenario } from "./stand-in";

let bench: StandInBench;

beforeAll(async () => {
  bench = await StandInBench.start();
});

afterAll(() => bench?.stop());

const identity = ({ value: { metadata } }: ReceivedRecord) =>
  `${metadata["transaction-id"]}/${metadata["transaction-record-id"]}/${metadata["stream-position"]}/${metadata["commit-timestamp"]}`;

describe("an outage", () => {
  /** Inserts ids one by one, trying again while the server is away, until told to stop; returns how many. */
  function writer(scenario: Scenario): { stop: () => Promise<number> } {
    let running = true;
    const work = (async () => {
      let id = 0;
      let client = await bench.connect();
      while (running) {
        try {
          await client.query(`INSERT INTO ${scenario.schema}.t VALUES ($1) ON CONFLICT DO NOTHING`, [id + 1]);
          id++;
        } catch {
          await sleep(50);
          client = await bench.connect().catch(() => client);
        }
      }
      return id;
    })();
    return {
      stop: () => {
        running = false;
        return work;
      },
    };
  }

  async function scenarioWithTable(): Promise<Scenario> {
    const scenario = await bench.scenario();
    await scenario.run("CREATE TABLE t (id integer PRIMARY KEY)");
    return scenario;
  }

  /** Every id is there, first appearances are in order, and what came twice came as the same change. */
  async function expectComplete(scenario: Scenario, count: number): Promise<{ doubles: number }> {
    scenario.client = await bench.connect();
    const records = await scenario.arrived();
    const first = new Map<number, string>();
    for (const record of records) {
      const { id } = record.value.data;
      if (first.has(id)) expect(identity(record)).toBe(first.get(id));
      else first.set(id, identity(record));
    }
    expect([...first.keys()]).toEqual(Array.from({ length: count }, (_, index) => index + 1));
    return { doubles: records.length - first.size };
  }

  test("a killed stand-in goes on where it was, and sends at most the same changes again", async () => {
    const scenario = await scenarioWithTable();
    let standIn = await scenario.start();
    const writing = writer(scenario);
    for (let kills = 0; kills < 3; kills++) {
      await sleep(500);
      await standIn.kill();
      standIn = await scenario.start();
    }
    await expectComplete(scenario, await writing.stop());
    await scenario.close(standIn);
  });

  test("a terminated stand-in brings what it has read to Kafka, ends with 0, and nothing comes twice", async () => {
    const scenario = await scenarioWithTable();
    let standIn = await scenario.start();
    const writing = writer(scenario);
    for (let restarts = 0; restarts < 3; restarts++) {
      await sleep(500);
      const exit = exitOf(standIn);
      process.kill(standIn.pid as number, "SIGTERM");
      expect(await exit).toContain("exit code 0");
      standIn = await scenario.start();
    }
    const { doubles } = await expectComplete(scenario, await writing.stop());
    expect(doubles).toBe(0);
    await scenario.close(standIn);
  });

  test("an immediate restart of PostgreSQL is outlived", async () => {
    const scenario = await scenarioWithTable();
    const standIn = await scenario.start();
    const writing = writer(scenario);
    await sleep(500);
    await bench.postgres.stop("SIGQUIT");
    await sleep(500);
    await bench.postgres.start();
    await sleep(1000);
    const count = await writing.stop();
    expect(standIn.running).toBe(true);
    await expectComplete(scenario, count);
    await scenario.close(standIn);
  });

  test("a transaction_timeout of the database that ends the stream is outlived, however often it does", async () => {
    const scenario = await bench.scenario();
    await scenario.run("CREATE TABLE t (id integer PRIMARY KEY, note text)");
    await scenario.run("ALTER DATABASE postgres SET transaction_timeout = '50ms'");
    const standIn = await scenario.start();
    await scenario.run("INSERT INTO t SELECT i, repeat('x', 4000) FROM generate_series(1, 10000) i");
    await until(30_000, "The stream was not ended twice.", () => {
      const away = readFileSync(standIn.logFile, "utf8").match(/"source-away".*transaction timeout/g) ?? [];
      return Promise.resolve(away.length > 1);
    });
    expect(standIn.running).toBe(true);
    await scenario.run("ALTER DATABASE postgres RESET transaction_timeout");
    expect(await scenario.arrived()).toHaveLength(10_000);
    await scenario.close(standIn);
  });

  test("an orderly stop of PostgreSQL does not wait for an idle stand-in", async () => {
    const scenario = await scenarioWithTable();
    const standIn = await scenario.start();
    await scenario.run("INSERT INTO t VALUES (1)");
    await scenario.confirmed();
    const begin = Date.now();
    await bench.postgres.stop("SIGINT");
    expect(Date.now() - begin).toBeLessThan(10_000);
    await bench.postgres.start();
    await expectComplete(scenario, 1);
    await scenario.close(standIn);
  });

  test("a killed broker is waited for, and nothing is lost or out of order", async () => {
    const scenario = await scenarioWithTable();
    const standIn = await scenario.start();
    const writing = writer(scenario);
    await sleep(500);
    await bench.broker.kill();
    await sleep(2000);
    await bench.broker.start();
    await sleep(1000);
    const count = await writing.stop();
    expect(standIn.running).toBe(true);
    await expectComplete(scenario, count);
    await scenario.close(standIn);
  });

  test("a backlog larger than the memory for it waits in PostgreSQL while the broker is away", async () => {
    const scenario = await bench.scenario();
    await scenario.run("CREATE TABLE t (id integer PRIMARY KEY, note text)");
    const standIn = await scenario.start();
    await bench.broker.kill();
    for (let part = 0; part < 10; part++) {
      await scenario.run(`INSERT INTO t SELECT ${part * 2000} + i, repeat('x', 4000) FROM generate_series(1, 2000) i`);
    }
    await sleep(1000);
    const { rows } = await scenario.client.query(
      "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), sent_lsn) AS unsent FROM pg_stat_replication",
    );
    expect(Number(rows[0]?.unsent)).toBeGreaterThan(1_000_000);
    await bench.broker.start();
    const records = await scenario.arrived();
    expect(records.map(({ value }) => value.data.id)).toEqual(Array.from({ length: 20_000 }, (_, index) => index + 1));
    await scenario.close(standIn);
  });

  test("PostgreSQL may restart while the broker is away and a large transaction is half sent", async () => {
    const scenario = await bench.scenario();
    await scenario.run("CREATE TABLE t (id integer PRIMARY KEY, note text)");
    const standIn = await scenario.start();
    await bench.broker.kill();
    await scenario.run("INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 50000) i");
    await sleep(1000);
    await bench.postgres.stop("SIGQUIT");
    await bench.postgres.start();
    // Long enough to notice: a socket that is not read tells of its end only when it is written to.
    await sleep(5000);
    await bench.broker.start();
    await expectComplete(scenario, 50_000);
    await scenario.close(standIn);
  });

  test("a stand-in that can't reach the broker still ends when it is asked to", async () => {
    const scenario = await scenarioWithTable();
    const standIn = await scenario.start();
    await bench.broker.kill();
    await scenario.run("INSERT INTO t VALUES (1)");
    await sleep(300);
    const exit = exitOf(standIn);
    process.kill(standIn.pid as number, "SIGTERM");
    expect(await exit).toContain("exit code 0");
    await bench.broker.start();
    const next = await scenario.start();
    await expectComplete(scenario, 1);
    await scenario.close(next);
  });
});

test("a commit that begins exactly where the confirmed one ended is not skipped after a kill", async () => {
  const scenario = await bench.scenario();
  await scenario.run("CREATE TABLE t (id integer PRIMARY KEY)");
  const [first, second] = [await bench.connect(), await bench.connect()];
  let id = 0;
  let touching = false;
  // Now and then the server itself writes something in between; then the next attempt will do.
  for (let attempt = 0; attempt < 10 && !touching; attempt++) {
    const standIn = await scenario.start({ heartbeatSeconds: 0 });
    await second.query(`BEGIN; INSERT INTO ${scenario.schema}.t VALUES (${id + 2})`);
    await first.query(`INSERT INTO ${scenario.schema}.t VALUES (${id + 1})`);
    await scenario.confirmed();
    await standIn.kill();
    const { rows } = await scenario.client.query(
      `SELECT confirmed_flush_lsn >= pg_current_wal_insert_lsn() AS touching
         FROM pg_replication_slots WHERE slot_name = '${scenario.schema}'`,
    );
    touching = rows[0]?.touching;
    await second.query("COMMIT");
    id += 2;
  }
  expect(touching).toBe(true);
  const standIn = await scenario.start({ heartbeatSeconds: 0 });
  const records = await scenario.arrived();
  await scenario.close(standIn);
  const ids = new Set(records.map(({ value }) => value.data.id));
  expect([...ids]).toEqual(Array.from({ length: id }, (_, index) => index + 1));
});

test("the heartbeat changes its row, is not captured, and moves an idle slot", async () => {
  const scenario = await bench.scenario();
  await scenario.run("CREATE TABLE t (id integer PRIMARY KEY)");
  const standIn = await scenario.start({ heartbeatSeconds: 0.2 });
  const beat = async () =>
    (
      await scenario.client.query(
        "SELECT to_char(hb_last_heartbeat_at, 'YYYYMMDDHH24MISSUS') AS at FROM capture_heartbeat.awsdms_heartbeat",
      )
    ).rows[0]?.at;
  // The first one makes the table.
  await until(10_000, "No heartbeat came.", async () => (await beat().catch(() => undefined)) !== undefined);
  const first = await beat();
  await until(10_000, "No second heartbeat came.", async () => (await beat()) > first);
  await scenario.confirmed();
  expect(await scenario.records()).toEqual([]);
  await scenario.close(standIn);
});

describe("a task that can't run ends with 1 and says what to do", () => {
  test.each([
    ["the topic is missing", { topic: "nowhere" }, /^Kafka at \S+ has no topic nowhere\. Create it\. exit code 1$/],
    [
      "the mappings select nothing",
      { tableMappings: tableMappings([{ schema: "nowhere", table: "%" }], "TOPIC") },
      /^The table mappings select no table of the source\. Correct tableMappings/,
    ],
    [
      "the password is wrong",
      { sourceUrl: "postgres://postgres:wrong@HOST/postgres" },
      /^password authentication failed for user "postgres" exit code 1$/,
    ],
    [
      "the role may not replicate",
      { sourceUrl: "postgres://nobody:nobody@HOST/postgres" },
      /^The role nobody may not replicate\. Run ALTER ROLE "nobody" REPLICATION/,
    ],
    [
      "the configuration is wrong",
      { slotName: "Not A Slot" },
      /^The configuration is not usable\. slotName: must be 1 to 57 lower-case letters/,
    ],
  ])("when %s", async (_, overrides, expected) => {
    const scenario = await bench.scenario();
    await scenario.run(
      "CREATE TABLE t (id integer PRIMARY KEY)",
      "DO $$ BEGIN CREATE ROLE nobody LOGIN PASSWORD 'nobody'; EXCEPTION WHEN duplicate_object THEN END $$",
    );
    const text = JSON.stringify(overrides)
      .replaceAll("TOPIC", scenario.configuration.topic)
      .replaceAll("HOST", new URL(scenario.configuration.sourceUrl).host);
    expect(await scenario.refusal(JSON.parse(text))).toMatch(expected);
    await scenario.close();
  });

  test("when the slot is of another plugin", async () => {
    const scenario = await bench.scenario();
    await scenario.run(
      "CREATE TABLE t (id integer PRIMARY KEY)",
      `SELECT pg_create_logical_replication_slot('${scenario.schema}', 'pgoutput')`,
    );
    expect(await scenario.refusal({})).toMatch(
      /belongs to something else \(plugin pgoutput, .*drop it: SELECT pg_drop/,
    );
    await scenario.close();
  });

  test("when somebody else keeps reading the slot", async () => {
    const scenario = await bench.scenario();
    await scenario.run("CREATE TABLE t (id integer PRIMARY KEY)");
    const reader = await scenario.start();
    const reason = await scenario.refusal({ slotWaitSeconds: 0.5 });
    await scenario.close(reader);
    expect(reason).toMatch(
      /is read by somebody else \(replication slot "\S+" is active for PID \d+\)\. Stop that reader/,
    );
  });

  test("when a value is above LobMaxSize, with everything before it delivered", async () => {
    const scenario = await bench.scenario();
    await scenario.run("CREATE TABLE t (id integer PRIMARY KEY, note text)");
    const standIn = await scenario.start({ taskSettings: taskSettings({ lobMaxSizeKilobytes: 1 }) });
    const exit = exitOf(standIn);
    await scenario.run("INSERT INTO t VALUES (1, 'x')", "INSERT INTO t VALUES (2, repeat('secret', 200))");
    expect(await exit).toContain("exit code 1");
    expect((await scenario.records()).map(({ value }) => value.data.id)).toEqual([1]);
    const again = await scenario.refusal({ taskSettings: taskSettings({ lobMaxSizeKilobytes: 1 }) });
    expect(again).toMatch(/\.t\.note: a value of 2400 bytes is above LobMaxSize \(1 KB\); raise .*LobMaxSize/);
    expect(again).not.toContain("secret");
    await scenario.close(await scenario.start());
  });

  test("when a varchar without a length is longer than the source endpoint takes, until it takes more", async () => {
    const scenario = await bench.scenario();
    await scenario.run("CREATE TABLE mails (id integer PRIMARY KEY, body varchar)");
    const exit = exitOf(await scenario.start());
    await scenario.run("INSERT INTO mails VALUES (1, repeat('ü', 4001))", "INSERT INTO mails VALUES (2, 'x')");
    expect(await exit).toContain("exit code 1");
    expect(await scenario.refusal({})).toMatch(
      /\.mails\.body: a varchar without a length holds 8002 bytes, above unboundedVarcharMaxSize \(8000\); raise it/,
    );
    const attributes = extraConnectionAttributes({ unboundedVarcharMaxBytes: 8002 });
    const standIn = await scenario.start({ extraConnectionAttributes: attributes });
    expect((await scenario.arrived()).map(({ value }) => value.data.id)).toEqual([1, 2]);
    await scenario.close(standIn);
  });

  test("when wal_level is not logical", async () => {
    const scenario = await bench.scenario();
    const server = await TestServer.start({ wal_level: "replica" });
    const sourceUrl = `postgres://postgres:superuser-password@127.0.0.1:${server.port}/postgres`;
    const reason = await scenario.refusal({ sourceUrl });
    await server.stop();
    expect(reason).toMatch(
      /has wal_level=replica, .*ALTER SYSTEM SET wal_level = 'logical' and restart .*exit code 1$/,
    );
  });
});

function exitOf(standIn: ManagedProcess): Promise<string> {
  return new Promise((resolve) => standIn.onUnexpectedExit((_description, how) => resolve(how)));
}
