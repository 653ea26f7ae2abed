import { describe, expect, it } from "vitest";
import {
  changelogEntry,
  newestTag,
  type ReleaseFacts,
  releaseFacts,
  releaseProblems,
} from "../../scripts/check-release";
import { breakingChanges, type Schema } from "../../scripts/schema-changes";

const schema: Schema = {
  resources: {
    "p:index:A": {
      inputProperties: { size: { type: "integer" }, names: { type: "array", items: { type: "string" } } },
      requiredInputs: ["size"],
      properties: { arn: { type: "string" } },
    },
  },
  types: { "p:index:Choice": { enum: [{ value: "a" }, { value: "b" }] } },
};
const component = schema.resources["p:index:A"];

const facts: ReleaseFacts = {
  versions: { "package.json": "0.2.0", "pom.xml": "0.2.0" },
  changelog: "# Changelog\n\n## 0.2.0 – 2026-12-01\n\n- More.\n\n## 0.1.0 – 2026-11-23\n\n- First.\n",
  tags: ["v0.1.0"],
  schema,
  formerSchema: schema,
};

describe("the release check", () => {
  it("lets a version go that everything agrees on", () => {
    expect(releaseProblems(facts)).toEqual([]);
    expect(releaseProblems({ ...facts, tag: "v0.2.0", tags: ["v0.1.0", "v0.2.0"] })).toEqual([]);
  });

  it("lets this repository's version go, or says that it went", () => {
    expect(releaseProblems(releaseFacts()).filter((problem) => !problem.includes("is tagged already"))).toEqual([]);
  });

  it.each([
    [
      "a version that differs",
      { versions: { ...facts.versions, "pom.xml": "0.1.0" } },
      /pom\.xml has the version 0\.1\.0/,
    ],
    [
      "a changelog that is silent",
      { changelog: "# Changelog\n\n## 0.1.0 – 2026-11-23\n\n- First.\n" },
      /does not begin with/,
    ],
    ["an entry without changes", { changelog: "## 0.2.0 – 2026-12-01\n\n" }, /says nothing about 0\.2\.0/],
    ["another tag", { tag: "v0.3.0" }, /The tag is v0\.3\.0/],
    ["a tag that is taken", { tags: ["v0.1.0", "v0.2.0"] }, /v0\.2\.0 is tagged already/],
    ["a version that is none", { versions: { "package.json": "next" } }, /write three numbers/],
  ] as const)("refuses %s", (_, change, expected) => {
    expect(releaseProblems({ ...facts, ...change }).join("\n")).toMatch(expected);
  });

  it("refuses a break in a patch, and lets it go in the next minor version before 1.0", () => {
    const broken: Schema = { resources: {} };
    expect(releaseProblems({ ...facts, schema: broken })).toEqual([]);
    const patch = { "package.json": "0.1.1", "pom.xml": "0.1.1" };
    const changelog = facts.changelog.replace("0.2.0", "0.1.1");
    expect(releaseProblems({ ...facts, versions: patch, changelog, schema: broken })).toEqual([
      expect.stringMatching(/breaks what v0\.1\.0 offered: p:index:A is gone/),
    ]);
  });

  it("reads the newest entry of the changelog, and orders tags by number", () => {
    expect(changelogEntry(facts.changelog, "0.2.0")).toBe("- More.");
    expect(newestTag(["v0.9.0", "v0.10.0", "v0.2.0"])).toBe("v0.10.0");
  });
});

describe("the comparison of schemas", () => {
  const withComponent = (changes: object): Schema => ({
    ...schema,
    resources: { "p:index:A": { ...component, ...changes } },
  });

  it("finds no fault in what is added", () => {
    const properties = { ...component?.properties, id: { type: "string" } };
    const inputProperties = { ...component?.inputProperties, extra: { type: "string" } };
    expect(breakingChanges(schema, withComponent({ properties, inputProperties }))).toEqual([]);
  });

  it.each([
    [
      "an input that is gone",
      withComponent({ inputProperties: { size: { type: "integer" } } }),
      "p:index:A.names is gone",
    ],
    [
      "an input that is required now",
      withComponent({ requiredInputs: ["size", "names"] }),
      "p:index:A.names has become required",
    ],
    [
      "an output of another type",
      withComponent({ properties: { arn: { type: "number" } } }),
      "p:index:A.arn was string and is number",
    ],
    [
      "an input that must be plain now",
      withComponent({ inputProperties: { ...component?.inputProperties, size: { type: "integer", plain: true } } }),
      "p:index:A.size must be known when the program runs",
    ],
    [
      "a choice that is gone",
      { ...schema, types: { "p:index:Choice": { enum: [{ value: "a" }] } } },
      "p:index:Choice lacks b",
    ],
    ["a type that is gone", { resources: schema.resources }, "p:index:Choice is gone"],
  ] as const)("finds %s", (_, after, expected) => {
    expect(breakingChanges(schema, after)).toEqual([expected]);
  });
});
