import type { TableMappingRule, TableMappings } from "../../contract/change-capture";

/** What becomes of a table's changes. */
export interface TableRoute {
  readonly topic: string;
  readonly partitionKeyType: "primary-key" | "schema-table";
}

/** Where a table's records go; undefined when it is not captured. */
export type TableRouter = (schema: string, table: string) => TableRoute | undefined;

/**
 * DMS table mappings: which tables are captured, and where each goes. A table is captured when a rule includes it and no
 * rule excludes it, in whatever order they stand. The first matching object-mapping rule routes it; one that none matches
 * goes to the endpoint's topic, partitioned by schema and table as DMS does for changes by default.
 */
export function tableRouter(mappings: TableMappings, endpointTopic: string): TableRouter {
  const matching = ruleMatcher(mappings);
  return (schema, table) => {
    const rules = matching(schema, table);
    if (!rules.some(includes) || rules.some((rule) => rule["rule-action"] === "exclude")) return undefined;
    const mapping = rules.find((rule) => rule["rule-type"] === "object-mapping");
    return mapping
      ? {
          topic: mapping["kafka-target-topic"],
          partitionKeyType: mapping["mapping-parameters"]["partition-key-type"],
        }
      : { topic: endpointTopic, partitionKeyType: "schema-table" };
  };
}

/** The place of a table in a full load: higher numbers are loaded first, and tables whose rules name none come last. */
export function loadOrder(mappings: TableMappings): (schema: string, table: string) => number {
  const matching = ruleMatcher(mappings);
  return (schema, table) =>
    Math.max(
      0,
      ...matching(schema, table).map((rule) =>
        includes(rule) ? Number((rule as SelectionRule)["load-order"] ?? 0) : 0,
      ),
    );
}

type SelectionRule = Extract<TableMappingRule, { "rule-type": "selection" }>;

const includes = (rule: TableMappingRule) => rule["rule-action"] === "include" || rule["rule-action"] === "explicit";

/** Finds the rules whose object locator means a table. */
function ruleMatcher(mappings: TableMappings): (schema: string, table: string) => TableMappingRule[] {
  const rules = mappings.rules.map((rule) => {
    const { "schema-name": schema, "table-name": table } = rule["object-locator"];
    const [schemas, tables] =
      rule["rule-action"] === "explicit" ? [exactly(schema), exactly(table)] : [wildcards(schema), wildcards(table)];
    return { rule, matches: (schemaName: string, name: string) => schemas.test(schemaName) && tables.test(name) };
  });
  return (schema, table) => rules.filter(({ matches }) => matches(schema, table)).map(({ rule }) => rule);
}

/**
 * A name of a rule as DMS's guide says ("Wildcards in table mapping"): `%` any characters, `_` one of any kind, `[ab]` and
 * `[a-d]` one of a set, every other character for itself. Upper case counts.
 *
 * @throws for what the guide leaves open: a set that is empty, has no end or is negated.
 */
export function wildcards(pattern: string): RegExp {
  const parts = pattern.match(/%|_|\[[^\]]+\]|[^]/gu) ?? [];
  const source = parts.map((part) => {
    if (part === "%") return "[^]*";
    if (part === "_") return "[^]";
    if (part === "[" || part.startsWith("[^"))
      throw new Error(`${JSON.stringify(pattern)} has a set that DMS's guide does not define`);
    if (part.startsWith("[")) return `[${part.slice(1, -1).replace(/[\\[]/g, "\\$&")}]`;
    return literal(part);
  });
  return new RegExp(`^${source.join("")}$`, "u");
}

const exactly = (name: string) => new RegExp(`^${literal(name)}$`, "u");

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
