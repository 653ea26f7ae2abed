import { isPattern, selects, type TableSelection } from "../../contract/change-capture";
import type { Problem } from "./checks";

/** Names as PostgreSQL has them, but for quotes and for spaces at the ends: who writes these means something else. */
const namePattern = /^(?! )[^"'\u0000-\u001f]{1,63}(?<! )$/u;

/** Problems of a list of tables to capture: none, malformed, twice, left out by another entry, or in a reserved schema. */
export function tableProblems(
  tables: readonly TableSelection[],
  { reservedSchemas }: { readonly reservedSchemas: readonly string[] },
): Problem[] {
  if (!tables.some(({ exclude }) => !exclude)) {
    return [
      {
        setting: "tables",
        value: tables,
        allowed: tables.length === 0 ? "one or more tables" : "one or more tables besides those to exclude",
        fix: 'Name what to audit, such as { schema: "public", table: "%" }.',
      },
    ];
  }
  return tables.flatMap((selection, index) => {
    const setting = `tables[${index}]`;
    return [
      ...nameProblems(setting, selection, reservedSchemas),
      ...(repeats(tables, index) ? [repetition(setting, selection)] : contradictions(setting, selection, tables)),
    ];
  });
}

function nameProblems(setting: string, { schema, table }: TableSelection, reserved: readonly string[]): Problem[] {
  const problems: Problem[] = [];
  if (![schema, table].every((name) => namePattern.test(name))) {
    problems.push({
      setting,
      value: { schema, table },
      allowed:
        "a schema and a table of 1 to 63 characters in the database's own case, without quotes or spaces around them",
      fix: "Write the names as \\d in psql shows them, without quotes.",
    });
  }
  if (schema.includes("%") || reserved.includes(schema)) {
    problems.push({
      setting: `${setting}.schema`,
      value: schema,
      allowed: `the name of a schema of the application's own, without % and none of ${reserved.join(", ")}`,
      fix: "Name each schema: DMS would read tables of others that nobody put under audit.",
    });
  }
  return problems;
}

function repeats(tables: readonly TableSelection[], index: number): boolean {
  const { schema, table } = tables[index]!;
  return tables.findIndex((other) => other.schema === schema && other.table === table) < index;
}

function repetition(setting: string, { schema, table }: TableSelection): Problem {
  return { setting, value: `${schema}.${table}`, allowed: "each table once", fix: "Remove the repetition." };
}

/** DMS leaves out what a rule excludes, whatever includes it: an entry of which nothing remains is a mistake. */
function contradictions(setting: string, selection: TableSelection, tables: readonly TableSelection[]): Problem[] {
  // An entry for the same text is a repetition.
  const by = tables.findIndex((other) => other.exclude && other.table !== selection.table && selects(other, selection));
  if (selection.exclude || by < 0) return [];
  const { schema, table } = tables[by]!;
  return [
    {
      setting,
      value: `${selection.schema}.${selection.table}`,
      allowed: `${isPattern(selection) ? "a pattern" : "a table"} that no entry excludes; tables[${by}] excludes ${schema}.${table}`,
      fix: `Remove ${setting}, or narrow tables[${by}].`,
    },
  ];
}
