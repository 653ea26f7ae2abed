import { describe, expect, it } from "vitest";
import {
  extraConnectionAttributes,
  firstInLoadOrder,
  tableMappings,
  taskSettings,
  type TableSelection,
} from "../../contract/change-capture";

/** `action schema.table` of the rules that select, but for the two that are always there. */
function selections(...tables: TableSelection[]): string[] {
  return tableMappings(tables, "cdc.raw")
    .rules.filter((rule) => rule["rule-type"] === "selection")
    .map(({ "rule-action": action, "object-locator": locator }) => `${action} ${Object.values(locator).join(" ")}`)
    .filter((rule) => !["include capture signal", "exclude audit %"].includes(rule));
}

describe("the table mappings that DMS is sent", () => {
  it("escape what would be a wildcard to DMS and is none to us, in both kinds of rules", () => {
    expect(selections({ schema: "tenant_1", table: "user_keys" })).toEqual(["include tenant[_]1 user[_]keys"]);
    expect(selections({ schema: "tenant_1", table: "log_[a]%" })).toEqual(["include tenant[_]1 log[_][[]a]%"]);
    const { rules } = tableMappings([{ schema: "tenant_1", table: "user_keys" }], "cdc.raw");
    expect(rules[1]).toMatchObject({
      "rule-type": "object-mapping",
      "object-locator": { "schema-name": "tenant[_]1", "table-name": "user[_]keys" },
    });
  });

  it("name a table with a bracket explicitly, where no character is a wildcard", () => {
    expect(selections({ schema: "tenant_1", table: "a[b]_c" })).toEqual(["explicit tenant_1 a[b]_c"]);
  });

  it("exclude what an entry leaves out, and route it nowhere", () => {
    const out = { schema: "public", table: "flyway_%", exclude: true };
    expect(selections(out, { schema: "public", table: "%" })).toEqual([
      "include public %",
      "exclude public flyway[_]%",
    ]);
    const routed = tableMappings([out, { schema: "public", table: "%" }], "cdc.raw").rules.filter(
      (rule) => rule["rule-type"] === "object-mapping",
    );
    expect(routed.map((rule) => rule["object-locator"]["table-name"])).toEqual(["%", "signal"]);
  });

  it("have each rule's number and name once", () => {
    const { rules } = tableMappings(
      [
        { schema: "public", table: "%" },
        { schema: "public", table: "a[b" },
        { schema: "public", table: "tmp%", exclude: true },
      ],
      "cdc.raw",
    );
    for (const member of ["rule-id", "rule-name"] as const) {
      expect(new Set(rules.map((rule) => rule[member])).size).toBe(rules.length);
    }
  });

  it("have a full load read the signals first, and finish them before it begins with another table", () => {
    const first = tableMappings([{ schema: "public", table: "%" }], "cdc.raw").rules.filter(
      (rule) => rule["rule-type"] === "selection" && rule["load-order"] !== undefined,
    );
    expect(first).toMatchObject([
      {
        "object-locator": { "schema-name": "capture", "table-name": "signal" },
        "load-order": String(firstInLoadOrder),
      },
    ]);
    expect(taskSettings().FullLoadSettings.MaxFullLoadSubTasks).toBe(1);
  });
});

describe("the attributes of the source endpoint", () => {
  it("are none where all are DMS's own", () => {
    expect(extraConnectionAttributes({})).toBeUndefined();
    expect(extraConnectionAttributes({ unboundedVarcharMaxBytes: 8000 })).toBeUndefined();
  });

  it("are joined by semicolons, in DMS's names", () => {
    expect(
      extraConnectionAttributes({ unboundedVarcharMaxBytes: 20_000, secretsManagerEndpoint: "vpce-1.example.com" }),
    ).toBe("secretsManagerEndpointOverride=vpce-1.example.com;unboundedVarcharMaxSize=20000");
  });
});
