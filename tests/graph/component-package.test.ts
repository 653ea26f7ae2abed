import { resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import * as components from "../../components";
import { packageSchema, type PackageSchema } from "./component-package";

let schema: PackageSchema;

beforeAll(async () => {
  schema = await packageSchema(resolve(__dirname, "../../components"));
});

/** The exported classes: everything else that the package exports is a function or a constant. */
const classes = Object.entries(components)
  .filter(([, exported]) => typeof exported === "function" && /^class /.test(String(exported)))
  .map(([name]) => name);

describe("the component package", () => {
  it("offers every exported component to programs in any language", () => {
    expect(Object.keys(schema.resources).sort()).toEqual(classes.map((name) => `cdc-audit:index:${name}`).sort());
    for (const [token, resource] of Object.entries(schema.resources)) {
      expect(resource.isComponent, token).toBe(true);
      expect(Object.keys(resource.inputProperties ?? {}).length, token).toBeGreaterThan(0);
      expect(Object.keys(resource.properties ?? {}).length, token).toBeGreaterThan(0);
    }
  });

  it("describes every component, every argument and every output", () => {
    const undescribed = Object.entries(schema.resources).flatMap(([token, resource]) => [
      ...(resource.description ? [] : [token]),
      ...Object.entries({ ...resource.inputProperties, ...resource.properties })
        .filter(([, property]) => !property.description)
        .map(([name]) => `${token}.${name}`),
    ]);
    expect(undescribed).toEqual([]);
  });
});
