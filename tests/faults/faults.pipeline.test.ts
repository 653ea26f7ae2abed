import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { catalogue } from "../../faults/catalogue";
import { compatible } from "../../faults/fault";
import { Link } from "../../faults/injection/link";
import { planStep } from "../../faults/plan";
import { runFaults } from "../../faults/run";
import { compareStretch, type Comparison } from "../../faults/truth/comparison";
import { workloadSchema, workloadTables } from "../../faults/workload";
import { connectOracle, installOracle } from "../../faults/truth/oracle";
import { bootstrapDestination } from "../../operator/database/bootstrap";
import { freePorts, type ManagedProcess } from "../../local/machine/managed-process";
import { withClient } from "../../local/servers/database-client";
import { postgresServer, superuserConnection } from "../../local/servers/postgres";

test("nothing is lost, doubled or wrong in a short run of faults under load", async () => {
  const result = await runFaults({
    seed: 20261122,
    faults: 10,
    changes: 10_000,
    pace: 0.1,
    only: "^kill|shut the source|cut sink|poison|partition is missing|column is added|older position",
  });

  expect(result.failure).toBeUndefined();
  expect(result).toMatchObject({ lost: 0, doubled: 0, wrong: 0 });
  expect(result.faultsInjected).toBeGreaterThanOrEqual(10);
  expect(result.changes).toBeGreaterThanOrEqual(10_000);
  expect(result.deadLetters).toBeGreaterThan(0);
});

describe("the plan of a run", () => {
  test("is the same for a seed, whichever step it begins with, and another for another seed", () => {
    const describeStep = (seed: number, index: number) =>
      planStep(seed, index, catalogue, 1).faults.map(({ fault, seconds }) => `${fault.name} ${seconds}`);
    const steps = (seed: number) => Array.from({ length: 200 }, (_, index) => describeStep(seed, index));

    expect(steps(1)).toEqual(steps(1));
    expect(describeStep(1, 150)).toEqual(steps(1)[150]);
    expect(steps(1)).not.toEqual(steps(2));
  });

  test("lets each fault happen alone and as long as it can last, before it draws some, two of which may meet", () => {
    catalogue.forEach((fault, index) => {
      const [planned, ...others] = planStep(1, index, catalogue, 1).faults;
      expect(planned?.fault).toBe(fault);
      expect(others).toEqual([]);
      if (fault.long) expect(planned?.seconds).toBe(fault.long);
    });
    const drawn = Array.from({ length: 300 }, (_, index) => planStep(1, catalogue.length + index, catalogue, 1).faults);
    expect(drawn.filter(({ length }) => length === 2).length).toBeGreaterThan(30);
  });

  test("brings no two faults together of which one would undo the other", () => {
    const named = (name: string) => catalogue.find((fault) => fault.name === name) as (typeof catalogue)[number];
    expect(compatible(named("kill the broker"), named("cut worker to broker"))).toBe(false);
    expect(compatible(named("kill the worker"), named("slow destination"))).toBe(false);
    expect(compatible(named("kill the broker"), named("kill the worker"))).toBe(true);
    for (const fault of catalogue) expect(compatible(fault, fault)).toBe(false);
  });
});

describe("a link", () => {
  let target: Server;
  let link: Link;
  let client: Socket;
  let received = "";

  beforeAll(async () => {
    target = createServer((socket) => socket.on("error", () => undefined).pipe(socket)).listen(0, "127.0.0.1");
    await once(target, "listening");
    link = await Link.open("test", (target.address() as AddressInfo).port);
  });

  const join = async () => {
    received = "";
    client = connect({ host: "127.0.0.1", port: link.port });
    client.on("data", (chunk: Buffer) => (received += chunk.toString()));
    client.on("error", () => undefined);
    await once(client, "connect");
  };

  const closed = (socket: Socket) => new Promise((resolve) => socket.once("close", resolve));

  afterAll(async () => {
    client?.destroy();
    await link?.close();
    target?.close();
  });

  test("carries bytes, holds them back while it is frozen, and carries them on once it is mended", async () => {
    await join();
    client.write("one ");
    await expect.poll(() => received).toBe("one ");
    link.freeze();
    client.write("two ");
    await sleep(100);
    expect(received).toBe("one ");
    link.mend();
    await expect.poll(() => received).toBe("one two ");
  });

  test("resets connections while it is cut, and takes new ones once it is mended", async () => {
    await join();
    link.cut();
    await closed(client);
    const refused = connect({ host: "127.0.0.1", port: link.port });
    refused.on("error", () => undefined);
    await closed(refused);
    link.mend();
    await join();
    client.write("again");
    await expect.poll(() => received).toBe("again");
  });

  test("is as slow as it is told to be", async () => {
    await join();
    client.write("warm");
    await expect.poll(() => received).toBe("warm");
    link.slow({ delay: 100, bytesPerSecond: 1_000_000 });
    const begun = performance.now();
    client.write(" up");
    await expect.poll(() => received, { interval: 5 }).toBe("warm up");
    // There and back.
    expect(performance.now() - begun).toBeGreaterThan(195);
    link.mend();
  });
});

describe("the comparison with the truth", () => {
  const folder = mkdtempSync(join(tmpdir(), "cdc-audit-truth-"));
  let server: ManagedProcess;
  let log: Client;
  let since: string;
  let until: string;

  beforeAll(async () => {
    chmodSync(folder, 0o755);
    const options = {
      dataFolder: join(folder, "postgres"),
      logFile: join(folder, "postgres.log"),
      port: (await freePorts(1))[0] as number,
      superuserPassword: "superuser-password",
    };
    server = await postgresServer(options);
    await server.start();
    await withClient(superuserConnection(options), async (client) => {
      await client.query("CREATE DATABASE source");
      await client.query("CREATE DATABASE log");
    });
    const source = new Client(superuserConnection(options, "source"));
    log = new Client(superuserConnection(options, "log"));
    await source.connect();
    await log.connect();
    await source.query(workloadSchema);
    await installOracle(source, workloadTables);
    const transaction = async (actor: string, ...statements: string[]) => {
      await source.query("BEGIN");
      await source.query("SELECT set_config('oracle.actor', $1, true)", [actor]);
      for (const statement of statements) await source.query(statement);
      await source.query("COMMIT");
    };
    since = new Date().toISOString();
    await transaction(
      "ann",
      "INSERT INTO ledger.accounts SELECT n, 'owner', 1.50, true, '2026-01-01', ARRAY['a'], CASE WHEN n <> 2 THEN '{\"level\": 1}'::jsonb END FROM generate_series(1, 3) n",
      "UPDATE ledger.accounts SET balance = 2.50 WHERE id = 1",
    );
    await transaction("ben", "UPDATE ledger.accounts SET id = 10, owner = NULLIF('', 'x') WHERE id = 1");
    await transaction("", "DELETE FROM ledger.accounts WHERE id = 2", "TRUNCATE ledger.scratch");
    until = new Date(Date.now() + 60_000).toISOString();
    await source.end();
    await bootstrapDestination(log);
    await connectOracle(log, superuserConnection(options, "source"));
    await log.query(`
      INSERT INTO audit.events (committed_at, event_id, source_id, transaction_id, sequence, operation, schema_name, table_name, record_key, before, after)
      SELECT now() + transaction_id % 1000 * interval '1 ms', gen_random_uuid(), 'test', transaction_id,
             1 + row_number() OVER (PARTITION BY transaction_id ORDER BY id), operation, schema_name, table_name,
             CASE WHEN operation <> 'truncate' THEN jsonb_build_object('id', coalesce(new_row, old_row) -> 'id') END,
             CASE operation WHEN 'update' THEN (SELECT jsonb_object_agg(key, value) FROM jsonb_each(old_row) WHERE value <> new_row -> key) ELSE old_row END,
             new_row
      FROM oracle.changes`);
    await log.query(`
      INSERT INTO audit.events (committed_at, event_id, source_id, transaction_id, sequence, operation, schema_name, table_name, actor)
      SELECT DISTINCT ON (e.transaction_id) e.committed_at, gen_random_uuid(), 'test', e.transaction_id, 1, 'context', 'capture', 'signal', c.actor
      FROM audit.events e JOIN oracle.changes c USING (transaction_id)`);
    await log.query("SET session_replication_role = replica");
  });

  afterAll(async () => {
    await log?.end();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const compare = () => compareStretch(log, { after: 0n, upTo: 1_000n, since, until });

  /** What the comparison says of the log after a statement that is taken back. */
  async function after(statement: string): Promise<Comparison> {
    await log.query("BEGIN");
    const { rowCount } = await log.query(statement);
    expect(rowCount).toBeGreaterThan(0);
    const comparison = await compare();
    await log.query("ROLLBACK");
    return comparison;
  }

  test("finds nothing in a log that is right", async () => {
    expect(await compare()).toEqual({ changes: 7, lost: 0, doubled: 0, wrong: 0, differences: [] });
  });

  test("takes it for right that the log does not know a null of a deleted row and says so", async () => {
    const { wrong, differences } = await after(
      "UPDATE audit.events SET unknown_columns = '{profile}', before = before - 'profile' WHERE operation = 'delete'",
    );
    expect({ wrong, differences }).toEqual({ wrong: 0, differences: [] });
  });

  test("finds a lost event", async () => {
    const comparison = await after("DELETE FROM audit.events WHERE operation = 'delete'");
    expect(comparison.lost).toBe(1);
  });

  test("finds an event that is there twice", async () => {
    const comparison = await after(`
      INSERT INTO audit.events SELECT (jsonb_populate_record(e, jsonb_build_object('event_id', gen_random_uuid(), 'sequence', 99))).*
      FROM audit.events e WHERE operation = 'update' LIMIT 1`);
    expect(comparison.doubled).toBe(1);
  });

  test.each([
    ["operation or table", "UPDATE audit.events SET table_name = 'prices' WHERE operation = 'truncate'"],
    ["actor", "UPDATE audit.events SET actor = 'eve' WHERE actor = 'ben'"],
    [
      "columns not known",
      "UPDATE audit.events SET unknown_columns = '{tags}', before = before - 'tags' WHERE operation = 'delete'",
    ],
    ["columns not known", "UPDATE audit.events SET unknown_columns = '{profile}' WHERE operation = 'insert'"],
    [
      "new row",
      `UPDATE audit.events SET after = after || '{"balance": 1.51}' WHERE operation = 'insert' AND record_key = '{"id": 3}'`,
    ],
    [
      "old row",
      `UPDATE audit.events SET before = '{"balance": 1.51}' WHERE operation = 'update' AND record_key = '{"id": 1}'`,
    ],
    ["key", `UPDATE audit.events SET record_key = '{"id": 4}' WHERE operation = 'delete'`],
    [
      "order within its record",
      `UPDATE audit.events SET committed_at = (SELECT min(committed_at) - interval '1 ms' FROM audit.events)
       WHERE operation IN ('delete', 'truncate') OR transaction_id = (SELECT transaction_id FROM audit.events WHERE operation = 'delete')`,
    ],
  ])("finds a wrong %s", async (what, statement) => {
    const { wrong, differences } = await after(statement);
    expect(wrong).toBeGreaterThan(0);
    expect(differences.join("\n")).toContain(`wrong: ${what}`);
  });
});
