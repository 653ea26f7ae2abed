import type { TableMappings } from "../../contract/change-capture";

/** What becomes of a table's changes. */
export interface TableRoute {
  readonly topic: string;
  readonly partitionKeyType: "primary-key" | "schema-table";
}

/** Where a table's records go; undefined when it is not captured. */
export type TableRouter = (schema: string, table: string) => TableRoute | undefined;

/** The DMS wildcard `%` as a regular expression; every other character stands for itself. */
function wildcard(pattern: string): RegExp {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${pattern.split("%").map(literal).join("[^]*")}$`);
}

/**
 * DMS table mappings: which tables are captured, and where each goes. A table is captured when an include rule matches
 * it and no exclude rule does. The first matching object-mapping rule routes it; one that none matches goes to the
 * endpoint's topic, partitioned by schema and table as DMS does for changes by default.
 */
export function tableRouter(mappings: TableMappings, endpointTopic: string): TableRouter {
  const rules = mappings.rules.map((rule) => {
    const schema = wildcard(rule["object-locator"]["schema-name"]);
    const table = wildcard(rule["object-locator"]["table-name"]);
    return { rule, matches: (schemaName: string, name: string) => schema.test(schemaName) && table.test(name) };
  });
  return (schema, table) => {
    const matching = rules.filter(({ matches }) => matches(schema, table)).map(({ rule }) => rule);
    const selections = matching.filter((rule) => rule["rule-type"] === "selection");
    const included = selections.some((rule) => rule["rule-action"] === "include");
    if (!included || selections.some((rule) => rule["rule-action"] === "exclude")) return undefined;
    const mapping = matching.find((rule) => rule["rule-type"] === "object-mapping");
    return mapping
      ? {
          topic: mapping["kafka-target-topic"],
          partitionKeyType: mapping["mapping-parameters"]["partition-key-type"],
        }
      : { topic: endpointTopic, partitionKeyType: "schema-table" };
  };
}
