import fc from "fast-check";
import { escapeIdentifier, type Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  decodeMessage,
  printedColumns,
  readTuples,
  relationNames,
  unchangedToast,
  type DecodedChange,
} from "../../../local/dms-stand-in/test-decoding";
import { TableShapes } from "../../../local/dms-stand-in/table-shapes";
import { TestServer } from "../../../local/servers/test-server";

const slot = "decoding";
let server: TestServer;
let client: Client;

beforeAll(async () => {
  server = await TestServer.start({ log_statement: "none" });
  client = await server.connect();
  await client.query(`SELECT pg_create_logical_replication_slot('${slot}', 'test_decoding')`);
});

afterAll(() => server?.stop());

/** The changes since the last call, as the plugin prints them. */
async function changes(): Promise<{ line: string; change: DecodedChange }[]> {
  const { rows } = await client.query<{ data: string }>(
    `SELECT data FROM pg_logical_slot_get_changes('${slot}', NULL, NULL, 'include-timestamp', 'on', 'skip-empty-xacts', 'on')`,
  );
  return rows.flatMap(({ data }) => {
    const change = decodeMessage(data);
    return change.kind === "change" ? [{ line: data, change }] : [];
  });
}

const anyText = fc.string({
  unit: fc.constantFrom(..."aZ0'\"[]:.,() \n\r\t\\é😀", "null", " new-tuple:", "unchanged-toast-datum"),
  maxLength: 40,
});
/** Names that PostgreSQL keeps whole: not empty, at most 63 bytes. */
const name = anyText.filter((text) => text !== "" && Buffer.byteLength(text) <= 63);
/** Types and texts that they accept. */
const typed = fc.oneof(
  fc.tuple(fc.constantFrom("text", "varchar(200)"), anyText),
  fc.tuple(
    fc.constant("char(60)"),
    anyText.map((text) => [...text].slice(0, 60).join("")),
  ),
  fc.tuple(fc.constantFrom("integer", "numeric", "bigint", "real"), fc.integer({ min: -9999, max: 9999 }).map(String)),
  fc.tuple(fc.constantFrom("double precision", "numeric"), fc.constantFrom("NaN", "Infinity", "-Infinity", "1e-7")),
  fc.tuple(fc.constant("boolean"), fc.constantFrom("t", "f")),
  fc.tuple(fc.constantFrom("bit(3)", "bit varying"), fc.constantFrom("101", "000")),
  fc.tuple(
    fc.constant("bytea"),
    fc.uint8Array({ maxLength: 20 }).map((b) => `\\x${Buffer.from(b).toString("hex")}`),
  ),
  fc.tuple(
    fc.constant("jsonb"),
    anyText.map((text) => JSON.stringify({ a: [text] })),
  ),
  fc.tuple(fc.constant("text[]"), fc.constantFrom("{}", '{NULL,"a b",\'}', '{{a,"]:"},{c,d}}')),
  fc.tuple(fc.constant("timestamptz"), fc.constantFrom("2026-11-22 10:00:00.5+02", "infinity", "0044-03-15 BC")),
);
const row = fc.uniqueArray(fc.record({ name, typed, isNull: fc.boolean() }), {
  minLength: 1,
  maxLength: 5,
  selector: (column) => column.name,
});

test("rows of any table, with any names and values, are read as the server reads them", async () => {
  let tables = 0;
  await fc.assert(
    fc.asyncProperty(name, name, row, async (schemaName, tableName, columns) => {
      const schema = `${++tables}${[...schemaName].slice(0, 10).join("")}`;
      const table = `${escapeIdentifier(schema)}.${escapeIdentifier(tableName)}`;
      const list = columns.map((column) => escapeIdentifier(column.name));
      const definitions = columns.map((column, at) => `${list[at]} ${column.typed[0]}`);
      const values = columns.map(({ typed: [, text], isNull }) => (isNull ? null : text));
      await client.query(`CREATE SCHEMA ${escapeIdentifier(schema)}`);
      await client.query(`CREATE TABLE ${table} (${definitions.join(", ")})`);
      await client.query(`ALTER TABLE ${table} REPLICA IDENTITY FULL`);
      const parameters = columns.map(({ typed: [type] }, at) => `$${at + 1}::${type}`);
      await client.query(`INSERT INTO ${table} VALUES (${parameters.join(", ")})`, values);
      const {
        rows: [stored],
      } = await client.query<(string | null)[]>({
        text: `SELECT ${list.join(", ")} FROM ${table}`,
        rowMode: "array",
        types: { getTypeParser: () => (text: string) => text },
      });
      await client.query(`UPDATE ${table} SET ${list[0]} = ${list[0]}`);
      await client.query(`DELETE FROM ${table}`);

      const decoded = await changes();
      expect(decoded.map(({ change }) => change.operation)).toEqual(["insert", "update", "delete"]);
      // What the plugin prints as true, PostgreSQL's output calls t.
      const text = (value: unknown) => (value === "true" ? "t" : value === "false" ? "f" : value);
      const current = stored?.map((value) => text(value));
      const old = current?.map((value) => (value === null ? undefined : value));
      let shape = printedColumns(decoded[0]?.line ?? "", "insert", decoded[0]?.change.body ?? 0);
      expect(shape.map((column) => column.name)).toEqual(columns.map((column) => column.name));
      for (const { line, change } of decoded) {
        expect(relationNames(change.relation)).toEqual({ schema, table: tableName });
        const tuples = readTuples(line, change.operation, change.body, shape);
        expect(tuples?.new?.map(text)).toEqual(change.operation === "delete" ? undefined : current);
        expect(tuples?.old?.map(text)).toEqual(change.operation === "insert" ? undefined : old);
      }

      // The catalog foretells how the lines are printed.
      const route = { topic: "t", partitionKeyType: "primary-key" } as const;
      const shapes = new TableShapes(client as never, () => route, {
        lobMaxKilobytes: 1024,
        unboundedVarcharMaxBytes: 8000,
      });
      shape =
        (await shapes.find(schema, tableName))?.columns.map(({ name, type, prefix }) => ({ name, type, prefix })) ?? [];
      expect(printedColumns(decoded[0]?.line ?? "", "insert", decoded[0]?.change.body ?? 0)).toEqual(shape);
      await client.query(`DROP SCHEMA ${escapeIdentifier(schema)} CASCADE`);
    }),
    { numRuns: 150 },
  );
});

test("a value that stayed where it was on disk is told from one that says so", async () => {
  await client.query("CREATE TABLE toast (id integer PRIMARY KEY, large text, small text)");
  await client.query("ALTER TABLE toast ALTER large SET STORAGE EXTERNAL");
  await client.query("INSERT INTO toast VALUES (1, repeat('x', 10000), '')");
  await client.query("UPDATE toast SET small = 'unchanged-toast-datum'");
  const [, update] = await changes();
  const { line, change } = update as { line: string; change: DecodedChange };
  const columns = printedColumns(line, "update", change.body);
  expect(readTuples(line, "update", change.body, columns)?.new).toEqual(["1", unchangedToast, "unchanged-toast-datum"]);
});

test("TRUNCATE of several tables is passed over", async () => {
  await client.query('CREATE TABLE "a: b" (id integer); CREATE TABLE c (id integer)');
  await client.query('TRUNCATE "a: b", c');
  expect(await changes()).toEqual([]);
});
