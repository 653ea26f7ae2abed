import { describe, expect, test } from "vitest";
import { firstInLoadOrder, tableMappings, type TableMappingRule } from "../../../contract/change-capture";
import { loadOrder, tableRouter, wildcards } from "../../../local/dms-stand-in/table-selection";

type SelectionRule = Extract<TableMappingRule, { "rule-type": "selection" }>;

/** A rule as somebody writes it for DMS. */
function selection(action: SelectionRule["rule-action"], schema: string, table: string, order?: number): SelectionRule {
  return {
    "rule-type": "selection",
    "rule-id": "1",
    "rule-name": "rule",
    "object-locator": { "schema-name": schema, "table-name": table },
    "rule-action": action,
    ...(order === undefined ? {} : { "load-order": String(order) }),
  };
}

const reads = (...rules: TableMappingRule[]) => {
  const route = tableRouter({ rules }, "rest");
  return (schema: string, table: string) => route(schema, table) !== undefined;
};

describe("the table mappings", () => {
  const route = tableRouter(tableMappings([{ schema: "shop", table: "order%" }], "cdc.raw"), "rest");

  test("capture what an include rule matches, by the primary key", () => {
    expect(route("shop", "orders")).toEqual({ topic: "cdc.raw", partitionKeyType: "primary-key" });
    expect(route("shop", "order")).toBeDefined();
  });

  test("leave out what no rule matches", () => {
    expect(route("shop", "customers")).toBeUndefined();
    expect(route("workshop", "orders")).toBeUndefined();
  });

  test("capture the signal table by its name, for it has no key", () => {
    expect(route("capture", "signal")).toEqual({ topic: "cdc.raw", partitionKeyType: "schema-table" });
  });

  test("never capture the audit log, even where everything is included", () => {
    const everything = tableRouter(tableMappings([{ schema: "%", table: "%" }], "cdc.raw"), "rest");
    expect(everything("audit", "events")).toBeUndefined();
    expect(everything("public", "events")).toBeDefined();
  });

  test("send a table that no mapping routes to the endpoint's topic", () => {
    const unrouted = tableRouter({ rules: [selection("include", "shop", "%")] }, "rest");
    expect(unrouted("shop", "orders")).toEqual({ topic: "rest", partitionKeyType: "schema-table" });
  });

  test("leave out what a rule excludes, before or after the one that includes it, by pattern or explicitly", () => {
    for (const including of [selection("include", "app", "%"), selection("explicit", "app", "log_1")]) {
      const excluding = selection("exclude", "app", "log%");
      expect(reads(including, excluding)("app", "log_1")).toBe(false);
      expect(reads(excluding, including)("app", "log_1")).toBe(false);
      expect(reads(including)("app", "log_1")).toBe(true);
    }
  });

  test("load the signal table first, then what has a higher number, then what has none", () => {
    const { rules } = tableMappings([{ schema: "app", table: "%" }], "cdc.raw");
    const order = loadOrder({ rules: [...rules, selection("include", "app", "early", 7)] });
    expect([order("capture", "signal"), order("app", "early"), order("app", "late")]).toEqual([firstInLoadOrder, 7, 0]);
  });
});

describe("a name in a rule is read as DMS reads it:", () => {
  test.each([
    [
      "an underscore is any one character",
      "user_keys",
      ["user_keys", "userXkeys", "user😀keys"],
      ["userkeys", "userXXkeys"],
    ],
    ["an underscore in brackets is itself", "user[_]keys", ["user_keys"], ["userXkeys", "user[_]keys"]],
    ["a bracket in brackets is itself", "a[[]b", ["a[b"], ["ab", "a[[]b"]],
    ["a set is one of its characters", "log[ab]", ["loga", "logb"], ["logc", "logab", "log[ab]"]],
    ["a range is one of its characters", "log[a-d]", ["loga", "logd"], ["loge", "log-", "logA"]],
    ["a percent sign is any text", "a%z", ["az", "a\nz", "a%z"], ["azb", "Az"]],
    ["all else is itself", "a.b\\c]d*", ["a.b\\c]d*"], ["aXb\\c]d", "a.bc]d"]],
  ])("%s", (_, pattern, meant, others) => {
    expect(meant.filter((name) => !wildcards(pattern).test(name))).toEqual([]);
    expect(others.filter((name) => wildcards(pattern).test(name))).toEqual([]);
  });

  test("under explicit no character is a wildcard", () => {
    const explicit = reads(selection("explicit", "t[a]", "user_k%"));
    expect(explicit("t[a]", "user_k%")).toBe(true);
    expect(explicit("ta", "user_k%")).toBe(false);
    expect(explicit("t[a]", "user_keys")).toBe(false);
  });

  test.each(["a[b", "a[]b", "a[^b]"])("what the guide leaves open is refused: %s", (pattern) => {
    expect(() => wildcards(pattern)).toThrow(/has a set that DMS's guide does not define/);
  });

  // Without this the tests of our own mappings would prove nothing.
  test("so a name that was not escaped is noticed", () => {
    expect(reads(selection("include", "tenant_1", "orders"))("tenantA1", "orders")).toBe(true);
    const [ours] = tableMappings([{ schema: "tenant_1", table: "orders" }], "cdc.raw").rules;
    expect(reads(ours!)("tenantA1", "orders")).toBe(false);
  });
});
