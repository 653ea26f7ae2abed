import type { Problem } from "./checks";

/** Names as DMS's table mappings take them; `%` in a table's name stands for any text. */
const namePattern = /^[^"'\s]{1,63}$/;

/** Problems of a list of tables to capture: none, malformed, twice, or in a schema that must never be captured. */
export function tableProblems(
  tables: readonly { readonly schema: string; readonly table: string }[],
  { reservedSchemas }: { readonly reservedSchemas: readonly string[] },
): Problem[] {
  if (tables.length === 0) {
    return [
      {
        setting: "tables",
        value: tables,
        allowed: "one or more tables",
        fix: 'Name what to audit, such as { schema: "public", table: "%" }.',
      },
    ];
  }
  return tables.flatMap((selection, index) => {
    const problems: Problem[] = [];
    const { schema, table } = selection;
    if (![schema, table].every((name) => namePattern.test(name))) {
      problems.push({
        setting: `tables[${index}]`,
        value: { schema, table },
        allowed: "a schema and a table of 1 to 63 characters, without quotes or spaces, in the database's own case",
        fix: "Write the names as \\d in psql shows them, without quotes.",
      });
    }
    if (schema.includes("%") || reservedSchemas.includes(schema)) {
      problems.push({
        setting: `tables[${index}].schema`,
        value: schema,
        allowed: `the name of a schema of the application's own, without % and none of ${reservedSchemas.join(", ")}`,
        fix: "Name each schema: DMS would read tables of others that nobody put under audit.",
      });
    }
    if (tables.findIndex((other) => other.schema === schema && other.table === table) < index) {
      problems.push({
        setting: `tables[${index}]`,
        value: `${schema}.${table}`,
        allowed: "each table once",
        fix: "Remove the repetition.",
      });
    }
    return problems;
  });
}
