import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bootstrapSource } from "../../../operator/database/bootstrap";
import { type DatabaseClient, TestServer } from "../../../local/servers/test-server";
import { largeSchema, migrations } from "../support/large-schema";
import { takeSignals } from "../support/signals";

let server: TestServer;
/** The schema with capture, and the same without. */
let captured: DatabaseClient;
let plain: DatabaseClient;
const selection = {
  tables: ["music", "encyclopedia", "rooms", "archive"].map((schema) => ({ schema, table: "%", identifyActor: true })),
};

beforeAll(async () => {
  server = await TestServer.start({ log_statement: "none" });
  captured = await server.createDatabase();
  plain = await server.createDatabase();
  for (const client of [captured, plain]) for (const statements of largeSchema) await client.query(statements);
});

afterAll(() => server.stop());

/** Every column, constraint and index of the schema, and every trigger of its own. */
async function definition(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(
    `
    SELECT concat_ws(' ', nspname, relname, relkind, relpersistence, attname, format_type(atttypid, atttypmod), attnotnull,
      attidentity, attgenerated, pg_get_expr(adbin, adrelid)) AS line
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace JOIN pg_attribute ON attrelid = pg_class.oid
      LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE nspname = ANY ($1) AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT concat_ws(' ', conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid)) FROM pg_constraint
    WHERE connamespace::regnamespace::text = ANY ($1)
    UNION ALL
    SELECT concat_ws(' ', pg_get_triggerdef(oid), tgenabled) FROM pg_trigger
    WHERE NOT tgisinternal AND tgname NOT LIKE 'capture\\_%'
    ORDER BY 1`,
    [selection.tables.map(({ schema }) => schema)],
  );
  return rows.map(({ line }) => line);
}

interface Problem {
  readonly object: string;
  readonly problem: string;
  readonly fix: string;
}

const problems = async () => (await captured.query<Problem>("SELECT * FROM capture.problems()")).rows;

/** What a reader of the stream takes each table for: its last catalog signal. */
const published = new Map<
  string,
  { number: number; reason: string; columns: { name: string; type: string }[]; key: string[] }
>();

/** By their numbers: so many signals do not lie in their table in the order in which they were written. */
async function readSignals(): Promise<void> {
  for (const { kind, table, body } of await takeSignals(captured)) {
    if (kind === "catalog" && body.number > (published.get(table!)?.number ?? 0)) published.set(table!, body);
  }
}

describe("A schema of 350 tables", () => {
  it("goes under audit within seconds, and again in no time", async () => {
    const begun = performance.now();
    const { warnings } = await bootstrapSource(captured, selection);
    const first = performance.now() - begun;
    expect((await bootstrapSource(captured, selection)).changes).toEqual([]);
    const again = performance.now() - begun - first;
    const { rows } = await captured.query<{ count: number }>(
      "SELECT count(*)::int FROM capture.watched_tables JOIN pg_class ON pg_class.oid = relation WHERE relkind = 'r'",
    );
    expect(rows[0]!.count).toBe(350);
    expect(warnings.filter((warning) => warning.includes("no unique index"))).toHaveLength(21);
    expect(warnings.filter((warning) => warning.includes("is inherited by"))).toEqual([]);
    // npm run bench:capture measures them.
    expect(first).toBeLessThan(15_000);
    expect(again).toBeLessThan(5_000);
    await readSignals();
  });

  it("lets every migration through as without capture, and no slower", async () => {
    const notices: string[] = [];
    captured.on("notice", ({ severity, message }) => void (severity === "WARNING" && notices.push(message ?? "")));
    const times: Record<string, number> = {};
    for (const migration of migrations) {
      await plain.query(migration);
      const begun = performance.now();
      await captured.query(migration);
      times[migration] = performance.now() - begun;
    }
    expect(notices.filter((notice) => notice.includes("was not told") || notice.includes("not under audit"))).toEqual(
      [],
    );
    expect(await definition(captured)).toEqual(await definition(plain));
    // The rename of a schema reaches all tables in it.
    const slow = Object.entries(times).filter(
      ([migration, time]) => time > 1_000 && !migration.startsWith("ALTER SCHEMA"),
    );
    expect(slow).toEqual([]);
  });

  it("is afterwards known in the stream as it is", async () => {
    await readSignals();
    const { rows: stale } = await captured.query(`
      SELECT relation::text FROM capture.watched_tables
      WHERE shape IS DISTINCT FROM capture.shape(relation, ignored_columns, redacted_columns, original_identity_index)`);
    expect(stale).toEqual([]);
    const { rows } = await captured.query<{ name: string; columns: string[]; key: string[] }>(`
      SELECT schema_name || '.' || table_name AS name,
        ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped ORDER BY attnum) AS columns,
        capture.key_columns(relation) AS key
      FROM capture.watched_tables`);
    for (const { name, columns, key } of rows) {
      expect(
        published.get(name)?.columns.map((column) => column.name),
        name,
      ).toEqual(columns);
      expect(published.get(name)?.key, name).toEqual(key);
    }
    const gone = [...published].filter(([name]) => !rows.some((row) => row.name === name));
    expect(gone.filter(([, { reason }]) => reason !== "drop")).toEqual([]);
    const { rows: unwatched } = await captured.query(`
      SELECT pg_class.oid::regclass::text FROM pg_class JOIN capture.selection ON relnamespace = to_regnamespace(schema_name)
      WHERE relkind IN ('r', 'p') AND relpersistence = 'p'
        AND NOT EXISTS (SELECT FROM capture.watched_tables WHERE relation = pg_class.oid)`);
    // It was unlogged when it was made, and nothing says when that ends.
    expect(unwatched).toEqual([]);
  });

  it("has no problem left once the fix of each has run", async () => {
    const found = await problems();
    const kinds = new Set(found.map(({ problem }) => problem.split(" ").slice(0, 3).join(" ")));
    expect([...kinds].sort()).toEqual(["has columns that", "has no primary", "has row security"]);
    for (const { fix } of found) await captured.query(fix);
    expect(await problems()).toEqual([]);
  });
});
