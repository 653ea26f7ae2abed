import schema from "../components/schema.json";
import { table } from "./settings-reference";

interface Property {
  readonly description?: string;
  readonly type?: string;
  readonly $ref?: string;
  readonly plain?: boolean;
  readonly items?: Property;
  readonly additionalProperties?: Property;
}

interface ObjectType {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Property>>;
  readonly required?: readonly string[];
  readonly enum?: readonly { readonly name: string; readonly value: string; readonly description?: string }[];
}

interface Component extends ObjectType {
  readonly inputProperties: Readonly<Record<string, Property>>;
  readonly requiredInputs?: readonly string[];
}

/** The components' arguments and outputs as a document, from the package's schema. */
export function componentReference(): string {
  const resources = Object.entries(schema.resources as unknown as Readonly<Record<string, Component>>).sort(byName);
  const types = Object.entries(schema.types as unknown as Readonly<Record<string, ObjectType>>).sort(byName);
  return [
    "# Components",
    `Written by \`npm run docs\` from the schema of the package \`${schema.name}\` ${schema.version}, which Pulumi infers from ` +
      "the sources. Names are those of TypeScript and YAML; the generated SDKs of other languages spell them in their own way. " +
      "**Bold** arguments are required; those marked *plain* must be known when the program runs.",
    resources.map(([token]) => `- [${nameOf(token)}](#${nameOf(token).toLowerCase()})`).join("\n"),
    ...resources.flatMap(([token, component]) => [
      `## ${nameOf(token)}`,
      component.description ?? "",
      "### Arguments",
      propertyTable(component.inputProperties, component.requiredInputs ?? []),
      "### Outputs",
      propertyTable(component.properties ?? {}, []),
    ]),
    "## Types of arguments",
    ...types.flatMap(([token, type]) => [
      `### ${nameOf(token)}`,
      type.enum
        ? table(
            ["value", "in TypeScript", "meaning"],
            type.enum.map(({ name, value, description }) => [
              `\`${value}\``,
              `\`${nameOf(token)}.${name}\``,
              description ?? "",
            ]),
          )
        : propertyTable(type.properties ?? {}, type.required ?? []),
    ]),
  ]
    .join("\n\n")
    .concat("\n");
}

function propertyTable(properties: Readonly<Record<string, Property>>, required: readonly string[]): string {
  return table(
    ["name", "type", "meaning"],
    Object.entries(properties).map(([name, property]) => [
      required.includes(name) ? `**\`${name}\`**` : `\`${name}\``,
      `${typeOf(property)}${property.plain ? " *plain*" : ""}`,
      property.description ?? "",
    ]),
  );
}

function typeOf(property: Property): string {
  if (property.$ref?.startsWith("#/types/")) {
    const name = nameOf(decodeURIComponent(property.$ref));
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (property.type === "array") return `list of ${typeOf(property.items ?? {})}`;
  if (property.additionalProperties) return `map of ${typeOf(property.additionalProperties)}`;
  return property.type ?? "any";
}

function nameOf(token: string): string {
  return token.split(":").at(-1) ?? token;
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
