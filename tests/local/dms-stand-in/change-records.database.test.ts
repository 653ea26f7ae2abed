import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tableMappings } from "../../../contract/change-capture";
import { tableLoads } from "../../../local/parts/capture";
import { StandInBench, until, type ReceivedRecord } from "./stand-in";

let bench: StandInBench;

beforeAll(async () => {
  bench = await StandInBench.start();
});

afterAll(() => bench?.stop());

/** Runs statements under a stand-in and returns the records that they make. */
async function recordsOf(prepare: string[], statements: string[]): Promise<ReceivedRecord[]> {
  const scenario = await bench.scenario();
  await scenario.run(...prepare);
  const standIn = await scenario.start();
  await scenario.run(...statements);
  const records = await scenario.arrived();
  await scenario.close(standIn);
  return records;
}

const operations = (records: ReceivedRecord[]) => records.map(({ value }) => value.metadata.operation);
describe("what changes become", () => {
  test("nothing, of a materialized view that is refreshed beside its readers", async () => {
    const records = await recordsOf(
      [
        "CREATE TABLE t (id integer PRIMARY KEY)",
        "CREATE MATERIALIZED VIEW seen AS SELECT * FROM t",
        "CREATE UNIQUE INDEX ON seen (id)",
      ],
      ["INSERT INTO t VALUES (1)", "REFRESH MATERIALIZED VIEW CONCURRENTLY seen", "INSERT INTO t VALUES (2)"],
    );
    expect(records.map(({ key }) => key.replace(/^\w+\./, ""))).toEqual(["t.1", "t.2"]);
  });

  test("every type arrives as DMS writes it, from the stream and from a full load alike", async () => {
    const scenario = await bench.scenario();
    await scenario.run(
      "CREATE TYPE mood AS ENUM ('happy', 'sad')",
      "CREATE TYPE address AS (street text, number integer)",
      "CREATE DOMAIN amount AS numeric(10,2)",
      "CREATE DOMAIN large_amount AS amount",
      `CREATE TABLE everything (
         id bigint PRIMARY KEY, small smallint, whole integer, large bigint, exact numeric(12,4), any_number numeric,
         wide numeric(40,1), single real, double double precision, yes boolean, no boolean, code char(6),
         name varchar(20), note text, local_time timestamp, instant timestamptz, day date, clock time, zoned timetz,
         spell interval, identifier uuid, feeling mood, network inet, home address, document jsonb, list text[],
         matrix integer[], raw bytea, price large_amount, bits bit(3), missing text
       )`,
      "SET timezone = 'Asia/Kolkata'; SET datestyle = 'German'; SET intervalstyle = 'iso_8601'",
      `INSERT INTO everything VALUES (
         1, -1, 2, 12345678901234567, 1.5, 0.123456789, 123456789012345678901234567890.5, 0.1, 1e20, true, false, 'ab',
         'é', E'it''s\\n"quoted"', '2026-11-22 10:00:00', '2026-11-22 10:00:00.5+02', '2026-11-22', '10:00', '10:00+05',
         '1 day 2 hours', '00000000-0000-4000-8000-000000000001', 'happy', '10.0.0.1', ROW('Main, St', 1),
         '{"a": [1, null]}', '{a,NULL,"b c"}', '{{1,2},{3,4}}', '\\x80057d', 9.99, B'101', NULL)`,
    );
    const standIn = await scenario.start({ fullLoad: true });
    await scenario.run("UPDATE everything SET small = 0");
    const [load, update] = await scenario.arrived();
    await scenario.close(standIn);

    const data = {
      id: 1,
      small: -1,
      whole: 2,
      large: 1.234567890123457e16,
      exact: 1.5,
      any_number: 0.123456,
      wide: "123456789012345678901234567890.5",
      single: 0.1,
      double: 1e20,
      yes: "t",
      no: "f",
      code: "ab",
      name: "é",
      note: 'it\'s\n"quoted"',
      local_time: "2026-11-22T10:00:00Z",
      instant: "2026-11-22T08:00:00.5Z",
      day: "2026-11-22",
      clock: "10:00:00",
      zoned: "10:00:00",
      spell: "1 day 02:00:00",
      identifier: "00000000-0000-4000-8000-000000000001",
      feeling: "happy",
      network: "10.0.0.1",
      home: '("Main, St",1)',
      document: '{"a": [1, null]}',
      list: '{a,NULL,"b c"}',
      matrix: "{{1,2},{3,4}}",
      raw: "0x80057D",
      price: 9.99,
      bits: "101",
      missing: null,
    };
    expect(load?.value).toMatchObject({ metadata: { operation: "load", "table-name": "everything" } });
    expect(load?.value.data).toEqual(data);
    expect(load?.value.metadata).not.toHaveProperty("transaction-id");
    expect(load?.text).toContain('"large":1.234567890123457e+16,"exact":1.5000,');
    expect(update?.value.data).toEqual({ ...data, small: 0 });
    expect(update?.value["before-image"]).toEqual({});
  });

  test("the old row comes with full identity, and only the changed key without", async () => {
    const records = await recordsOf(
      [
        "CREATE TABLE whole (id integer PRIMARY KEY, a text, b text)",
        "ALTER TABLE whole REPLICA IDENTITY FULL",
        "CREATE TABLE plain (id integer PRIMARY KEY, a text)",
      ],
      [
        "INSERT INTO whole VALUES (1, 'x', NULL)",
        "UPDATE whole SET a = 'y'",
        "DELETE FROM whole",
        "INSERT INTO plain VALUES (1, 'x')",
        "UPDATE plain SET a = 'y'",
        "UPDATE plain SET id = 2",
        "DELETE FROM plain",
      ],
    );
    expect(records.map(({ value }) => [value.metadata.operation, value.data, value["before-image"]])).toEqual([
      ["insert", { id: 1, a: "x", b: null }, undefined],
      ["update", { id: 1, a: "y", b: null }, { id: 1, a: "x", b: null }],
      ["delete", { id: 1, a: "y", b: null }, undefined],
      ["insert", { id: 1, a: "x" }, undefined],
      ["update", { id: 1, a: "y" }, {}],
      ["update", { id: 2, a: "y" }, { id: 1 }],
      ["delete", { id: 2, a: null }, undefined],
    ]);
  });

  test("a table without any key loses its LOBs, and without identity its updates and deletes", async () => {
    const records = await recordsOf(
      [
        "CREATE TABLE keyless (id integer, note text)",
        "CREATE TABLE identified (id integer, note text)",
        "ALTER TABLE identified REPLICA IDENTITY FULL",
        "CREATE TABLE uniquely (id integer NOT NULL UNIQUE, note text)",
      ],
      [
        "INSERT INTO keyless VALUES (1, 'x')",
        "UPDATE keyless SET id = 2",
        "DELETE FROM keyless",
        "INSERT INTO identified VALUES (1, 'x')",
        "UPDATE identified SET id = 2",
        "DELETE FROM identified",
        "INSERT INTO uniquely VALUES (1, 'x')",
      ],
    );
    expect(records.map(({ value }) => [value.metadata.operation, value.data, value["before-image"]])).toEqual([
      ["insert", { id: 1 }, undefined],
      ["insert", { id: 1 }, undefined],
      ["update", { id: 2 }, { id: 1 }],
      ["delete", { id: 2 }, undefined],
      ["insert", { id: 1, note: "x" }, undefined],
    ]);
    expect(records.every(({ value }) => value.metadata["partition-key-type"] === "schema-table")).toBe(true);
  });

  test("the records of a transaction share its id and time, and are numbered and linked", async () => {
    const records = await recordsOf(
      ["CREATE TABLE lines (order_id integer, line integer, PRIMARY KEY (line, order_id))"],
      ["INSERT INTO lines VALUES (7, 1), (7, 2)", "INSERT INTO lines VALUES (7, 3)"],
    );
    const metadata = records.map(({ value }) => value.metadata);
    expect(metadata.map((one) => one["transaction-record-id"])).toEqual([1, 2, 1]);
    expect(metadata[0]).not.toHaveProperty("prev-transaction-id");
    expect(metadata[1]).toMatchObject({
      "transaction-id": metadata[0]["transaction-id"],
      "commit-timestamp": metadata[0]["commit-timestamp"],
      "prev-transaction-id": metadata[0]["transaction-id"],
      "prev-transaction-record-id": 1,
    });
    expect(metadata[2]).toMatchObject({
      "prev-transaction-id": metadata[0]["transaction-id"],
      "prev-transaction-record-id": 2,
    });
    expect(metadata[0]["commit-timestamp"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(metadata.map((one) => one["stream-position"].split(".")[1])).toEqual(["2", "3", "2"]);
    const positions = metadata.map((one) => one["stream-position"]);
    expect(positions.every((one) => /^[0-9A-F]{8}\/[0-9A-F]{8}\.\d+\.[0-9A-F]{8}\/[0-9A-F]{8}$/.test(one))).toBe(true);
    expect(new Set(positions).size).toBe(3);
    // The key in its own order, not in that of the table.
    expect(records.map(({ key }) => key.split(".").slice(1).join("."))).toEqual([
      "lines.1.7",
      "lines.2.7",
      "lines.3.7",
    ]);
  });

  test("rolled back changes, TRUNCATE, logical messages and tables that are not selected do not appear", async () => {
    const scenario = await bench.scenario();
    await scenario.run(
      "CREATE TABLE seen (id integer PRIMARY KEY)",
      "CREATE SCHEMA IF NOT EXISTS audit",
      "CREATE TABLE IF NOT EXISTS audit.events (id integer PRIMARY KEY)",
      "CREATE TABLE public.unseen (id integer PRIMARY KEY)",
    );
    const standIn = await scenario.start({
      tableMappings: tableMappings(
        [
          { schema: scenario.schema, table: "%" },
          { schema: "audit", table: "%" },
        ],
        scenario.configuration.topic,
      ),
    });
    await scenario.run(
      "BEGIN; INSERT INTO seen VALUES (1); SAVEPOINT s; INSERT INTO seen VALUES (2); ROLLBACK TO s; COMMIT",
      "BEGIN; INSERT INTO seen VALUES (3); ROLLBACK",
      "INSERT INTO audit.events VALUES (4)",
      "INSERT INTO public.unseen VALUES (5)",
      "SELECT pg_logical_emit_message(true, 'test', 'COMMIT ')",
      "TRUNCATE seen",
      "INSERT INTO seen VALUES (6)",
    );
    const records = await scenario.arrived();
    await scenario.close(standIn);
    expect(records.map(({ value }) => value.data.id)).toEqual([1, 6]);
  });

  test("an unchanged TOAST value is absent", async () => {
    const [, update] = await recordsOf(
      [
        "CREATE TABLE toast (id integer PRIMARY KEY, large text, small text)",
        "ALTER TABLE toast ALTER large SET STORAGE EXTERNAL",
      ],
      ["INSERT INTO toast VALUES (1, repeat('x', 10000), 'a')", "UPDATE toast SET small = 'b'"],
    );
    expect(update?.value.data).toEqual({ id: 1, small: "b" });
  });

  test("the key names its record where the WAL has it in the old row alone, and without columns that its index only holds", async () => {
    const records = await recordsOf(
      [
        "CREATE TABLE long_keys (k text PRIMARY KEY, a integer)",
        "ALTER TABLE long_keys ALTER k SET STORAGE EXTERNAL",
        "CREATE TABLE wide_keys (id integer, c text, PRIMARY KEY (id) INCLUDE (c))",
      ],
      [
        "INSERT INTO long_keys VALUES (repeat('x', 2300), 1)",
        "UPDATE long_keys SET a = 2",
        "INSERT INTO wide_keys VALUES (1, 'x')",
        "UPDATE wide_keys SET c = 'y'",
      ],
    );
    const keys = records.map(({ value }) =>
      String(value.metadata["partition-key-value"]).replace(/^.*?\.(?=\w+_keys)/, ""),
    );
    const long = `long_keys.${"x".repeat(2300)}`;
    expect(keys).toEqual([long, long, "wide_keys.1", "wide_keys.1"]);
    expect(records[1]?.value.data).toEqual({ a: 2 });
  });

  test("a value of a megabyte arrives whole", async () => {
    const [insert] = await recordsOf(
      ["CREATE TABLE documents (id integer PRIMARY KEY, document jsonb)"],
      ["INSERT INTO documents VALUES (1, jsonb_build_object('text', repeat('\"é', 333333)))"],
    );
    expect(JSON.parse(insert?.value.data.document)).toEqual({ text: '"é'.repeat(333_333) });
  });

  test("a control record for DMS's own table opens the task", async () => {
    const scenario = await bench.scenario();
    await scenario.run("CREATE TABLE t (id integer PRIMARY KEY)");
    const standIn = await scenario.start();
    await scenario.run("INSERT INTO t VALUES (1)");
    await scenario.confirmed();
    const [control] = await scenario.allRecords();
    await scenario.close(standIn);
    expect(control?.value).not.toHaveProperty("control");
    expect(control?.value.metadata).toMatchObject({
      "record-type": "control",
      operation: "create-table",
      "schema-name": "",
      "table-name": "awsdms_apply_exceptions",
    });
  });
});

describe("a table that changes its shape", () => {
  test("is read right before and after, while the task runs", async () => {
    const records = await recordsOf(
      ["CREATE TABLE t (id integer PRIMARY KEY, a text)"],
      [
        "INSERT INTO t VALUES (1, 'x')",
        "ALTER TABLE t ADD COLUMN b boolean DEFAULT true",
        "UPDATE t SET a = 'y'",
        "ALTER TABLE t REPLICA IDENTITY FULL",
        "UPDATE t SET a = 'z'",
        "ALTER TABLE t DROP COLUMN a",
        "UPDATE t SET b = NULL",
        "DELETE FROM t",
        "ALTER TABLE t ALTER b TYPE text",
        "INSERT INTO t VALUES (2, 'yes')",
      ],
    );
    expect(records.map(({ value }) => [value.data, value["before-image"]])).toEqual([
      [{ id: 1, a: "x" }, undefined],
      [{ id: 1, a: "y", b: "t" }, {}],
      [
        { id: 1, a: "z", b: "t" },
        { id: 1, a: "y", b: "t" },
      ],
      [
        { id: 1, b: null },
        { id: 1, b: "t" },
      ],
      [{ id: 1, b: null }, undefined],
      [{ id: 2, b: "yes" }, undefined],
    ]);
  });

  test("is read right from a backlog that is older than the catalog", async () => {
    const scenario = await bench.scenario();
    await scenario.run("CREATE TABLE t (id integer PRIMARY KEY, a boolean, gone text[])");
    await scenario.close(await scenario.start());
    await scenario.run(
      `SELECT pg_create_logical_replication_slot('${scenario.schema}', 'test_decoding')`,
      "INSERT INTO t VALUES (1, true, '{x}')",
      "ALTER TABLE t DROP COLUMN gone",
      "UPDATE t SET a = false",
      "ALTER TABLE t ADD COLUMN later bigint",
      "UPDATE t SET later = 12345678901234567",
      "CREATE TABLE dropped (id integer PRIMARY KEY, yes boolean)",
      "INSERT INTO dropped VALUES (1, true)",
      "DROP TABLE dropped",
    );
    const standIn = await scenario.start();
    const records = await scenario.arrived();
    await scenario.close(standIn);
    expect(records.map(({ value }) => value.data)).toEqual([
      { id: 1, a: "t", gone: "{x}" },
      { id: 1, a: "f" },
      { id: 1, a: "f", later: 1.234567890123457e16 },
      { id: 1, yes: "t" },
    ]);
  });

  test("is known by its former name, with key and texts, when it is renamed before its rows are read", async () => {
    const scenario = await bench.scenario();
    await scenario.run("CREATE TABLE t (id integer PRIMARY KEY, note text)");
    const standIn = await scenario.start();
    await scenario.run("INSERT INTO t VALUES (1, 'read')");
    await scenario.confirmed();
    process.kill(standIn.pid as number, "SIGSTOP");
    await scenario.run(
      "INSERT INTO t VALUES (2, 'late')",
      "ALTER TABLE t RENAME COLUMN note TO text",
      "UPDATE t SET text = 'later' WHERE id = 2",
      "ALTER TABLE t RENAME TO renamed",
    );
    process.kill(standIn.pid as number, "SIGCONT");
    const records = await scenario.arrived();
    await scenario.close(standIn);
    expect(records.slice(1).map(({ key, value }) => [key, value.data])).toEqual([
      [`${scenario.schema}.t.2`, { id: 2, note: "late" }],
      [`${scenario.schema}.t.2`, { id: 2, text: "later" }],
    ]);
  });
});

describe("a name that goes to another table before its rows are read", () => {
  async function rowsOf(other: string): Promise<ReceivedRecord[]> {
    const scenario = await bench.scenario();
    await scenario.run("CREATE TABLE t (id integer, line integer, note text, PRIMARY KEY (id, line))", other);
    const standIn = await scenario.start();
    await scenario.run("INSERT INTO t VALUES (1, 1, 'read')");
    await scenario.confirmed();
    process.kill(standIn.pid as number, "SIGSTOP");
    await scenario.run(
      "INSERT INTO t VALUES (2, 2, 'late')",
      "ALTER TABLE t RENAME TO former; ALTER TABLE other RENAME TO t",
      "INSERT INTO t VALUES (3, '2026-12-01')",
    );
    process.kill(standIn.pid as number, "SIGCONT");
    const records = await scenario.arrived();
    await scenario.close(standIn);
    return records.slice(1);
  }
  const ofTheFirst = {
    metadata: { "partition-key-value": expect.stringMatching(/\.t\.2\.2$/) },
    data: { id: 2, line: 2, note: "late" },
  };

  test("gives none of them to a partitioned table", async () => {
    const records = await rowsOf(
      `CREATE TABLE other (id integer, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
       CREATE TABLE leaf PARTITION OF other DEFAULT`,
    );
    expect(records.map(({ value }) => value)).toMatchObject([ofTheFirst, { data: { id: 3, day: "2026-12-01" } }]);
  });

  test("keeps the key of each", async () => {
    const records = await rowsOf("CREATE TABLE other (number integer PRIMARY KEY, day date)");
    expect(records.map(({ value }) => value)).toMatchObject([
      ofTheFirst,
      { metadata: { "partition-key-value": expect.stringMatching(/\.t\.3$/) }, data: { number: 3, day: "2026-12-01" } },
    ]);
  });
});

describe("a table that a transaction makes", () => {
  /** Commits wait for a standby that never comes: each is in the WAL, and queries do not see it. */
  async function holdCommits(hold: boolean): Promise<void> {
    const client = await bench.connect();
    await client.query(`ALTER SYSTEM SET synchronous_standby_names = '${hold ? "nobody" : ""}'`);
    await client.query("SELECT pg_reload_conf()");
  }

  test("is read right although queries do not see it yet", async () => {
    const scenario = await bench.scenario();
    await scenario.run("CREATE TABLE t (id integer PRIMARY KEY)");
    const standIn = await scenario.start();
    await holdCommits(true);
    let commit: Promise<void>;
    let held = false;
    let tables = 0;
    try {
      do {
        tables++;
        commit = scenario.run(
          `CREATE TABLE made_${tables} (id integer PRIMARY KEY, body jsonb); INSERT INTO made_${tables} VALUES (1, '[2]')`,
        );
        held = await Promise.race([commit.then(() => false), sleep(1_000).then(() => true)]);
      } while (!held && tables < 20);
    } finally {
      await holdCommits(false);
    }
    await commit;
    const records = await scenario.arrived();
    await scenario.close(standIn);
    expect(held).toBe(true);
    expect(records.map(({ value }) => value.data)).toEqual(
      Array.from({ length: tables }, () => ({ id: 1, body: "[2]" })),
    );
  });
});

describe("a full load", () => {
  test("sends the rows that are there, and then every change since the slot exists", async () => {
    const scenario = await bench.scenario();
    await scenario.run("CREATE TABLE t (id integer PRIMARY KEY)", "INSERT INTO t SELECT generate_series(1, 5000)");
    let standIn = await scenario.start({ fullLoad: true });
    await scenario.run("INSERT INTO t VALUES (5001)");
    const records = await scenario.arrived();
    expect(operations(records).filter((one) => one === "load")).toHaveLength(5000);
    expect(operations(records).at(-1)).toBe("insert");
    expect(records.map(({ value }) => value.data.id)).toEqual(Array.from({ length: 5001 }, (_, index) => index + 1));

    await standIn.stop();
    standIn = await scenario.start({ fullLoad: true });
    expect(await scenario.arrived()).toHaveLength(5001);
    await scenario.close(standIn);
  });

  test("says when each table was loaded and how many rows it had, by the clock of its records", async () => {
    const scenario = await bench.scenario();
    await scenario.run(
      "CREATE TABLE a (id integer PRIMARY KEY)",
      "INSERT INTO a SELECT generate_series(1, 100)",
      "CREATE TABLE b (id integer PRIMARY KEY)",
    );
    const standIn = await scenario.start({ fullLoad: true });
    const records = await scenario.arrived();
    await scenario.close(standIn);
    const loads = tableLoads(standIn.logFile);
    expect(loads).toMatchObject([
      { schema: scenario.schema, table: "a", rows: 100 },
      { schema: scenario.schema, table: "b", rows: 0 },
    ]);
    const [first] = loads;
    for (const { value } of records) {
      expect(value.metadata.timestamp >= first!.startedAt && value.metadata.timestamp <= first!.endedAt).toBe(true);
    }
    expect(loads[1]!.startedAt >= first!.endedAt).toBe(true);
  });

  test("is followed by what changed beside it, deletes of rows that it had read included", async () => {
    const scenario = await bench.scenario();
    await scenario.run(
      "CREATE TABLE a (id integer PRIMARY KEY, note text)",
      "INSERT INTO a SELECT i, repeat('x', 500) FROM generate_series(1, 40000) i",
      "CREATE TABLE b (id integer PRIMARY KEY, n integer)",
      "INSERT INTO b VALUES (1, 0), (2, 0), (3, 0)",
    );
    const standIn = bench.standIn({ ...scenario.configuration, fullLoad: true });
    const started = standIn.start();
    await until(20_000, "The load did not begin.", async () => (await scenario.sentRecords()) > 1n);
    // Table b is read when a is done; what is committed before that is in its baselines and in the stream.
    await scenario.run("UPDATE b SET n = 1 WHERE id = 1", "DELETE FROM b WHERE id = 2", "DELETE FROM a WHERE id = 1");
    await started;
    const records = await scenario.arrived();
    await scenario.close(standIn);
    const of = (table: string, id: number) =>
      operations(records.filter(({ value }) => value.metadata["table-name"] === table && value.data.id === id));
    expect(of("a", 1)).toEqual(["load", "delete"]);
    expect(of("b", 1)).toEqual(["load", "update"]);
    expect(of("b", 2).at(-1)).toBe("delete");
    expect(of("b", 3)).toEqual(["load"]);
    expect(operations(records).lastIndexOf("load")).toBe(40_000 + of("b", 2).length);
  });

  test("begins with the tables of the highest load order", async () => {
    const scenario = await bench.scenario();
    await scenario.run(
      "CREATE TABLE a (id integer PRIMARY KEY); CREATE TABLE b (id integer PRIMARY KEY); CREATE TABLE c (id integer PRIMARY KEY)",
      "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1); INSERT INTO c VALUES (1)",
    );
    const { rules } = scenario.configuration.tableMappings;
    const early = {
      ...rules[0],
      "rule-id": "9",
      "object-locator": { "schema-name": scenario.schema, "table-name": "c" },
    };
    const tableMappings = {
      rules: [...rules, { ...early, "load-order": "1" }],
    } as typeof scenario.configuration.tableMappings;
    const standIn = await scenario.start({ fullLoad: true, tableMappings });
    const records = await scenario.arrived();
    await scenario.close(standIn);
    expect(records.map(({ value }) => value.metadata["table-name"])).toEqual(["c", "a", "b"]);
  });

  test("that was killed begins again, and misses nothing", async () => {
    const scenario = await bench.scenario();
    await scenario.run(
      "CREATE TABLE a (id integer PRIMARY KEY, note text)",
      "INSERT INTO a SELECT i, repeat('x', 1000) FROM generate_series(1, 30000) i",
      "CREATE TABLE b (id integer PRIMARY KEY)",
      "INSERT INTO b VALUES (1)",
    );
    const slots = async () =>
      (await scenario.client.query("SELECT slot_name FROM pg_replication_slots")).rows.map((row) => row.slot_name);
    const killed = bench.standIn({ ...scenario.configuration, fullLoad: true });
    killed.launch();
    // The first record is the one that opens the task, before the slot is there.
    await until(20_000, "The load did not begin.", async () => (await scenario.sentRecords()) > 1n);
    await killed.kill();
    expect(await slots()).toEqual([`${scenario.schema}_load`]);
    await scenario.run("INSERT INTO b VALUES (2)");

    const standIn = await scenario.start({ fullLoad: true });
    const records = await scenario.arrived();
    expect(await slots()).toEqual([scenario.schema]);
    await scenario.close(standIn);
    const ids = (table: string) =>
      new Set(records.filter(({ value }) => value.metadata["table-name"] === table).map(({ value }) => value.data.id));
    expect(ids("a").size).toBe(30_000);
    expect(ids("b")).toEqual(new Set([1, 2]));
  });
});

test("a transaction of 100,000 rows arrives whole and in order", async () => {
  const [first, ...rest] = await recordsOf(
    ["CREATE TABLE t (id integer PRIMARY KEY, note text)"],
    ["INSERT INTO t SELECT i, repeat('x', 200) FROM generate_series(1, 100000) i"],
  );
  const ids = [first, ...rest].map((record) => record?.value.metadata["transaction-record-id"]);
  expect(ids).toEqual(Array.from({ length: 100_000 }, (_, index) => index + 1));
  expect(rest.at(-1)?.value.data.id).toBe(100_000);
});
