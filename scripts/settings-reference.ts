import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import schema from "../components/schema.json";
import { environmentDefaults } from "../config/defaults";
import { environments, settingSchemas } from "../config/schema";

interface Described {
  readonly description?: string;
}

interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

interface Declaration {
  readonly type: string;
  readonly description: string;
  readonly default?: unknown;
}

/** Where the members of an object of settings are described: a component's arguments, or a type among them. */
const describedBy: Readonly<Record<string, string>> = {
  network: "Network",
  database: "AuroraPostgres",
  kafka: "KafkaCluster",
  topics: "PipelineTopicsArgs",
  capture: "PipelineCaptureArgs",
  transformer: "PipelineTransformerArgs",
  sink: "PipelineSinkArgs",
  operator: "PipelineOperatorArgs",
  review: "PipelineReviewArgs",
  alarms: "PipelineAlarmsArgs",
  tables: "AuditedTableArgs",
};

/** The settings of a stack as a document: from Pulumi.yaml, the settings' schemas and the components' descriptions. */
export function settingsReference(): string {
  const project = parse(readFileSync(resolve(__dirname, "../Pulumi.yaml"), "utf8")) as {
    readonly config: Readonly<Record<string, Declaration>>;
  };
  const keys = Object.keys(settingSchemas);
  const plain = keys.filter((key) => !(key in describedBy));
  return [
    "# Settings of a stack",
    "Written by `npm run docs` from `Pulumi.yaml`, `config/` and the descriptions of the components' arguments. Settings stand " +
      "in `Pulumi.<stack>.yaml`; `pulumi config set --path kafka.brokers 3` sets a member of an object. What is wrong with " +
      "them is said at once, before anything is created. `aws:region` is needed as well.",
    "## On their own",
    table(
      ["setting", "type", "default", "meaning"],
      plain.map((key) => {
        const declared = project.config[key];
        if (!declared) throw new Error(`Pulumi.yaml does not declare ${key}.`);
        return [code(key), typeOf(jsonSchema(key)), defaultText(declared.default), declared.description];
      }),
    ),
    ...Object.keys(describedBy).flatMap((key) => section(key, jsonSchema(key))),
  ]
    .join("\n\n")
    .concat("\n");
}

function jsonSchema(key: string): JsonSchema {
  const zod = (settingSchemas as Readonly<Record<string, z.ZodType>>)[key];
  if (!zod) throw new Error(`config/schema.ts has no setting ${key}.`);
  return z.toJSONSchema(zod, { io: "output", unrepresentable: "any" }) as JsonSchema;
}

function section(key: string, json: JsonSchema): string[] {
  const isList = json.type === "array";
  const object = isList ? (json.items ?? {}) : json;
  const rows = Object.entries(object.properties ?? {}).map(([member, type]) => [
    code(member),
    typeOf(type),
    ...(isList ? [] : environments.map((environment) => environmentDefault(environment, key, member))),
    description(key, member),
  ]);
  const headings = isList ? ["member", "type", "meaning"] : ["setting", "type", ...environments, "meaning"];
  const title = isList ? `## \`${key}\`: a list` : `## \`${key}\``;
  return [title, table(headings, rows)];
}

function description(key: string, member: string): string {
  const name = describedBy[key] ?? "";
  const resources = schema.resources as Readonly<
    Record<string, { inputProperties: Readonly<Record<string, Described>> }>
  >;
  const types = schema.types as unknown as Readonly<
    Record<string, { properties: Readonly<Record<string, Described>> }>
  >;
  const token = `cdc-audit:index:${name}`;
  const properties = resources[token]?.inputProperties ?? types[token]?.properties;
  const text = properties?.[member]?.description;
  if (!text) throw new Error(`${name}.${member} has no description in components/schema.json: npm run package:schema`);
  return text;
}

/** What the kind of environment sets; a dash where the description tells the default. */
function environmentDefault(environment: (typeof environments)[number], key: string, member: string): string {
  const sections = environmentDefaults[environment] as unknown as Readonly<
    Record<string, Readonly<Record<string, unknown>>>
  >;
  return defaultText(sections[key]?.[member]);
}

function defaultText(value: unknown): string {
  if (value === undefined) return "–";
  return code(typeof value === "string" && value !== "" ? value : JSON.stringify(value));
}

function typeOf(json: JsonSchema): string {
  if (json.enum) return json.enum.map(code).join(", ");
  if (json.type === "array") return `list of ${typeOf(json.items ?? {})}`;
  if (json.properties) return `{${Object.keys(json.properties).join(", ")}}`;
  return json.type ?? "text";
}

function code(text: string): string {
  return `\`${text}\``;
}

/** A Markdown table; line breaks and bars inside cells are taken care of. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll(/\s+/g, " ").trim()).join(" | ")} |`;
  return [line(headings), `|${"---|".repeat(headings.length)}`, ...rows.map(line)].join("\n");
}
