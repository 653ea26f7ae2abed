import type { z } from "zod";
import type { Problem } from "../components/shared/checks";
import { isSecret } from "./values";

/** What stands in a message in place of a value that nobody may read. */
export const hidden = "(hidden)";

/** How a message names the type that a schema asks for. */
const typeNames: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  nonoptional: "a value",
};

/**
 * The problems that a schema found in a setting, one for each issue. They show no value of a member that the schema does not
 * know, because it may be a secret under a misspelt name, and none where a secret may stand.
 */
export function schemaProblems(key: string, value: unknown, schema: z.ZodType, error: z.ZodError): Problem[] {
  return error.issues.flatMap((issue): Problem[] => {
    const path = [key, ...issue.path];
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((member) => ({
        setting: settingPath([...path, member]),
        value: hidden,
        allowed: `one of ${memberNames(schema, issue.path).join(", ")}`,
        fix: `Remove ${member}, or write the name as it stands in the list.`,
      }));
    }
    const setting = settingPath(path);
    const allowed = allowedBy(issue);
    const found = valueAt(value, issue.path);
    const fix =
      found === undefined && issue.path.length === 0
        ? `Write it into the stack's file, or run pulumi config set ${key} <value>.`
        : `Set ${setting} to ${allowed}.`;
    return [{ setting, value: mayHoldSecret(schema, issue.path, found) ? hidden : found, allowed, fix }];
  });
}

function allowedBy(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_value") return `one of ${issue.values.map(String).join(", ")}`;
  if (issue.code === "invalid_type") return typeNames[issue.expected] ?? issue.expected;
  return issue.message;
}

/** A copy of the value without the members that a schema refused, so that the other members can be checked further. */
export function withoutFaults(value: unknown, error: z.ZodError): unknown {
  if (typeof value !== "object" || value === null) return value;
  const copy = structuredClone(value);
  for (const issue of error.issues) {
    const faults = issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
    for (const path of faults) {
      const holder = valueAt(copy, path.slice(0, -1));
      const member = path.at(-1);
      if (typeof holder === "object" && holder !== null && member !== undefined) {
        delete (holder as Record<PropertyKey, unknown>)[member];
      }
    }
  }
  return copy;
}

/** The problems of a component, with the name of the setting put before the names of its members. */
export function within(key: string, problems: readonly Problem[]): Problem[] {
  return problems.map((problem) => ({ ...problem, setting: `${key}.${problem.setting}` }));
}

/** `tables[0].schema`, as `pulumi config set --path` takes it. */
function settingPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? String(part) : `.${String(part)}`))
    .join("");
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((current, part) => (current as Record<PropertyKey, unknown> | undefined)?.[part], value);
}

/**
 * Whether a value that a schema refused at a path may be a secret, or contain one: it stands where a secret belongs or above
 * it, or it has members of its own in a setting that holds secrets.
 */
function mayHoldSecret(schema: z.ZodType, path: readonly PropertyKey[], value: unknown): boolean {
  if (value === undefined || !holdsSecret(schema)) return false;
  const place = schemaAt(schema, path);
  return place === undefined || holdsSecret(place) || hasMembers(value);
}

function holdsSecret(schema: z.ZodType): boolean {
  if (isSecret(schema)) return true;
  const inside = insideOf(schema);
  if (inside) return holdsSecret(inside);
  const { shape = {}, element } = schema as Structure;
  return [...Object.values(shape), ...(element ? [element] : [])].some(holdsSecret);
}

function hasMembers(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return !Array.isArray(value) || value.some(hasMembers);
}

/** The members that an object schema knows, at a path inside another schema. */
function memberNames(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const place = schemaAt(schema, path);
  return place ? Object.keys(unwrapped(place).shape ?? {}) : [];
}

function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  const [first, ...rest] = path;
  if (first === undefined) return schema;
  const { shape, element } = unwrapped(schema);
  const next = typeof first === "number" ? element : shape?.[String(first)];
  return next && schemaAt(next, rest);
}

interface Structure {
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
}

function unwrapped(schema: z.ZodType): Structure {
  const inside = insideOf(schema);
  return inside ? unwrapped(inside) : (schema as Structure);
}

/** The schema inside an optional, preprocessed or transformed one. */
function insideOf(schema: z.ZodType): z.ZodType | undefined {
  const definition = schema.def as { innerType?: z.ZodType; in?: z.ZodType };
  return definition.innerType ?? definition.in;
}
