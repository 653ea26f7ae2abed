import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { currentScope, nameLimits, physicalName } from "../../../components/shared/names";
import { componentTags } from "../../../components/shared/tags";

/** What Pulumi accepts as a project or stack name. */
const label = (maxLength: number) => fc.string({ unit: fc.constantFrom(..."abcXYZ0189-_."), minLength: 1, maxLength });
const scopes = fc.record({ project: label(40), stack: label(20) });
const names = label(60);
const limits = fc.constantFrom(...Object.values(nameLimits));

describe("a physical name", () => {
  it("says project, stack and resource where there is room", () => {
    expect(physicalName("kafka", 64, { project: "cdc-audit", stack: "dev" })).toMatch(
      /^cdc-audit-dev-kafka-[0-9a-f]{7}$/,
    );
  });

  it("gives up the project first, then the stack, then the end of the resource's name", () => {
    const scope = { project: "cdc-audit", stack: "production-europe" };
    expect(physicalName("capture", 40, scope)).toMatch(/^production-europe-capture-[0-9a-f]{7}$/);
    expect(physicalName("change-capture", 31, scope)).toMatch(/^change-capture-[0-9a-f]{7}$/);
    expect(physicalName("change-capture-of-orders", 24, scope)).toMatch(/^change-capture-o-[0-9a-f]{7}$/);
  });

  it("is accepted by AWS for any project, stack and resource", () => {
    fc.assert(
      fc.property(names, limits, scopes, (name, limit, scope) => {
        const result = physicalName(name, limit, scope);
        expect(result.length).toBeLessThanOrEqual(limit);
        expect(result).toMatch(/^[a-z](-?[a-z0-9])*$/);
      }),
    );
  });

  it("differs whenever project, stack or resource differ, even where only joining or folding makes them equal", () => {
    fc.assert(
      fc.property(names, names, scopes, scopes, limits, (name, otherName, scope, otherScope, limit) => {
        const same = name === otherName && scope.project === otherScope.project && scope.stack === otherScope.stack;
        expect(physicalName(name, limit, scope) === physicalName(otherName, limit, otherScope)).toBe(same);
      }),
    );
    const name = (project: string, stack: string, resource: string) => physicalName(resource, 63, { project, stack });
    expect(name("audit", "dev", "eu-kafka")).not.toBe(name("audit", "dev-eu", "kafka"));
    expect(name("audit", "Dev", "kafka")).not.toBe(name("audit", "dev", "kafka"));
  });

  it("stays the same from release to release, so that an upgrade renames nothing", () => {
    const scope = { project: "cdc-audit", stack: "dev" };
    expect(physicalName("database", 63, scope)).toBe("cdc-audit-dev-database-ef08f4d");
  });
});

describe("the tags of a component's child", () => {
  it("name it, its component and its stack", () => {
    expect(componentTags("kafka-log", "kafka")).toEqual({
      Name: "kafka-log",
      "cdc-audit:component": "kafka",
      "cdc-audit:stack": `${currentScope().project}/${currentScope().stack}`,
    });
  });
});
