import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as components from "..";

/** The parts of schema.json that are read here. */
interface Schema {
  readonly version: string;
  readonly resources: Readonly<Record<string, { readonly properties: Readonly<Record<string, unknown>> }>>;
}

type Component = new (
  name: string,
  inputs: pulumi.Inputs,
  options: pulumi.ComponentResourceOptions,
) => pulumi.ComponentResource & Readonly<Record<string, unknown>>;

/**
 * Serves the compiled components to programs in any language. Pulumi infers a schema from sources alone, so the package
 * carries the schema that was inferred from them (`schema.json`).
 */
class ComponentProvider implements pulumi.provider.Provider {
  readonly schema = readFileSync(join(__dirname, "..", "schema.json"), "utf8");
  readonly version: string;
  private readonly resources: Schema["resources"];

  constructor() {
    const { version, resources } = JSON.parse(this.schema) as Schema;
    this.version = version;
    this.resources = resources;
  }

  /** @throws when the type is not one of the package's components. */
  construct(
    name: string,
    type: string,
    inputs: pulumi.Inputs,
    options: pulumi.ComponentResourceOptions,
  ): Promise<pulumi.provider.ConstructResult> {
    const exported = components as unknown as Readonly<Record<string, Component>>;
    const className = type.split(":").at(-1) ?? "";
    const resource = this.resources[type];
    const Component = exported[className];
    if (!resource || !Component) {
      const known = Object.keys(this.resources).join(", ");
      throw new Error(`The package cdc-audit has no component ${type}. It has ${known}.`);
    }
    const instance = new Component(name, inputs, options);
    const state = Object.fromEntries(Object.keys(resource.properties).map((output) => [output, instance[output]]));
    return Promise.resolve({ urn: instance.urn, state });
  }
}

/** Runs until the engine, which talks to it, ends it. Pulumi's runner calls what the plugin's module exports. */
export = () => pulumi.provider.main(new ComponentProvider(), process.argv.slice(2));
