import { escapeIdentifier, type Client } from "pg";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { selects, tableMappings, type TableSelection } from "../../../contract/change-capture";
import { tableRouter } from "../../../local/dms-stand-in/table-selection";
import { checkSource } from "../../../operator/database/bootstrap";
import { noteSelection, resolveTables } from "../../../operator/database/watch-tables";
import { captureDatabase } from "../support/capture";

/** Names that somebody might take for patterns, beside those that they would then match. */
const names: Readonly<Record<string, readonly string[]>> = {
  app: [
    ...["user_keys", "userXkeys", "user-keys", "USER_KEYS", "user_keys_2", "keys", "two words", "two  words"],
    ...["a[b]c", "abc", "a[b", "a]b", "[", "100%", "100 of 100", "back\\slash", "back\\\\slash", "backslash"],
    ...["dot.ted", "dotXted", "a+b", "aab", "a(b)", "^a", "a$", "a|b", "a{2}", "😀_x", "😀yx", "é", "line\nfeed"],
  ],
  tenant_1: ["orders"],
  tenantA1: ["orders"],
  "t[a]": ["orders"],
  ta: ["orders"],
};
const universe = Object.entries(names).flatMap(([schema, tables]) => tables.map((table) => ({ schema, table })));
const nameOf = ({ schema, table }: TableSelection) => `${schema}.${table}`;
const all = universe.map(nameOf).sort();

const app = (...tables: string[]): TableSelection[] => tables.map((table) => ({ schema: "app", table }));
const without = (...tables: string[]): TableSelection[] => app(...tables).map((entry) => ({ ...entry, exclude: true }));
const inApp = (...tables: string[]) => tables.map((table) => `app.${table}`).sort();

/** What entries mean, by hand. */
const meanings: [string, TableSelection[], string[]][] = [
  ["an underscore", app("user_keys"), inApp("user_keys")],
  ["an underscore in a pattern", app("user_k%"), inApp("user_keys", "user_keys_2")],
  ["an underscore beside a character of two halves", app("😀_%"), inApp("😀_x")],
  ["an underscore in a schema", [{ schema: "tenant_1", table: "%" }], ["tenant_1.orders"]],
  ["brackets in a schema", [{ schema: "t[a]", table: "orders" }], ["t[a].orders"]],
  ["brackets in a schema of a pattern", [{ schema: "t[a]", table: "%" }], ["t[a].orders"]],
  ["brackets", app("a[b]c"), inApp("a[b]c")],
  ["brackets in a pattern", app("a[b]%"), inApp("a[b]c")],
  ["a bracket alone", app("a[b"), inApp("a[b")],
  ["a bracket alone in a pattern", app("%[b"), inApp("a[b")],
  ["a bracket as the whole name", app("["), inApp("[")],
  ["a closing bracket", app("a]%"), inApp("a]b")],
  ["upper case", app("USER%"), inApp("USER_KEYS")],
  ["spaces", app("two words", "% words"), inApp("two words", "two  words")],
  ["a backslash", app("back\\slash"), inApp("back\\slash")],
  ["a backslash in a pattern", app("%\\slash"), inApp("back\\slash", "back\\\\slash")],
  [
    "a dot and other signs of regular expressions",
    app("dot.ted%", "a+%", "a(%", "^%", "%$", "a|%", "a{%"),
    inApp("dot.ted", "a+b", "a(b)", "^a", "a$", "a|b", "a{2}"),
  ],
  ["a percent sign in a name, as far as a pattern can", app("100%"), inApp("100%", "100 of 100")],
  ["percent signs anywhere", app("%sl%sh"), inApp("back\\slash", "back\\\\slash", "backslash")],
  ["characters of more than one byte", app("é"), inApp("é")],
  ["a line feed", app("line%"), inApp("line\nfeed")],
  ["everything", Object.keys(names).map((schema) => ({ schema, table: "%" })), all],
  [
    "everything but what is excluded",
    [...app("%"), ...without("user_%", "%word%", "a[b", "%\\slash", "100%")],
    inApp(...names.app!.filter((name) => !/^user_|word|^a\[b$|\\slash$|^100/.test(name))),
  ],
  ["an exclusion before what it is taken from", [...without("%keys"), ...app("%keys%")], inApp("user_keys_2")],
  ["an exact name that is excluded all the same", [...app("keys"), ...without("k%")], []],
  [
    "an exclusion in another schema",
    [...app("keys"), { schema: "tenant_1", table: "%", exclude: true }],
    inApp("keys"),
  ],
];

const database = captureDatabase();
let client: Client;
const quoted = ({ schema, table }: TableSelection) => `${escapeIdentifier(schema)}.${escapeIdentifier(table)}`;
const schemas = Object.keys(names).map(escapeIdentifier).join(", ");

beforeAll(() => {
  ({ client } = database);
});

beforeEach(async () => {
  await client.query(`DROP SCHEMA IF EXISTS ${schemas} CASCADE`);
  await client.query(
    Object.keys(names)
      .map((schema) => `CREATE SCHEMA ${escapeIdentifier(schema)};`)
      .join(" "),
  );
  await createTables();
});

async function createTables(): Promise<void> {
  await client.query(universe.map((table) => `CREATE TABLE ${quoted(table)} (id int PRIMARY KEY);`).join("\n"));
}

/** Everybody who reads the entries, and what they take them for. */
const readers: Readonly<Record<string, (entries: TableSelection[]) => Promise<string[]>>> = {
  "the contract": async (entries) =>
    Promise.resolve(
      universe
        .filter((table) => entries.some((entry) => !entry.exclude && selects(entry, table)))
        .filter((table) => !entries.some((entry) => entry.exclude && selects(entry, table)))
        .map(nameOf),
    ),
  "DMS, from the mappings that it is sent": async (entries) => {
    const route = tableRouter(tableMappings(entries, "cdc.raw"), "elsewhere");
    const read = universe.filter(({ schema, table }) => route(schema, table) !== undefined);
    // Each is routed by its own mapping.
    for (const { schema, table } of read) {
      expect(route(schema, table)).toEqual({ topic: "cdc.raw", partitionKeyType: "primary-key" });
    }
    return Promise.resolve(read.map(nameOf));
  },
  "the operator": async (entries) => {
    const { tables } = await resolveTables(client, entries);
    return namesOf(tables.map(({ oid }) => oid));
  },
  "the SQL": async (entries) => {
    await noteSelection(client, entries, 8000);
    const { rows } = await client.query<{ oid: number }>(
      "SELECT pg_class.oid FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE relkind = 'r' AND capture.is_selected(nspname, relname)",
    );
    return namesOf(rows.map(({ oid }) => oid));
  },
  "the checks of a running pipeline": async (entries) => {
    await noteSelection(client, entries, 8000);
    const { rows } = await client.query<{ oid: number }>(
      "SELECT object::regclass::oid AS oid FROM capture.problems() WHERE problem LIKE 'is read by DMS, but not watched%'",
    );
    return namesOf(rows.map(({ oid }) => oid));
  },
  "the trigger on new tables": async (entries) => {
    await noteSelection(client, entries, 8000);
    await client.query(universe.map((table) => `DROP TABLE ${quoted(table)};`).join("\n"));
    await createTables();
    const { rows } = await client.query<{ oid: number }>("SELECT relation::oid AS oid FROM capture.watched_tables");
    return namesOf(rows.map(({ oid }) => oid));
  },
};

async function namesOf(oids: readonly number[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT nspname || '.' || relname AS name FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE pg_class.oid = ANY ($1::oid[])`,
    [oids],
  );
  return rows.map(({ name }) => name);
}

describe("An entry of the tables means the same to everybody who reads it:", () => {
  it.each(meanings)("%s", async (_, entries, meant) => {
    const read: Record<string, string[]> = {};
    for (const [reader, readWith] of Object.entries(readers)) read[reader] = (await readWith(entries)).sort();
    expect(read).toEqual(Object.fromEntries(Object.keys(readers).map((reader) => [reader, meant])));
    if (meant.length > 0) expect(await checkSource(client, { tables: entries })).toEqual([]);
  });

  it("and one that another entry excludes is a mistake", async () => {
    expect(await checkSource(client, { tables: [...app("keys"), ...without("k%")] })).toEqual([
      {
        what: "app.keys is to be captured and to be left out",
        why: "DMS leaves out what one entry excludes, whatever others say",
        fix: "Remove it from the tables, or narrow the entry that excludes it",
      },
    ]);
  });
});
