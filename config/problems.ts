import type { z } from "zod";
import type { Problem } from "../components/shared/checks";

/** How a message names the type that a schema asks for. */
const typeNames: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  nonoptional: "a value",
};

/** The problems that a schema found in a setting, one for each issue. */
export function schemaProblems(key: string, value: unknown, schema: z.ZodType, error: z.ZodError): Problem[] {
  return error.issues.flatMap((issue): Problem[] => {
    const path = [key, ...issue.path];
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((member) => ({
        setting: settingPath([...path, member]),
        value: valueAt(value, [...issue.path, member]),
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
    return [{ setting, value: found, allowed, fix }];
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

/** The members that an object schema knows, at a path inside another schema. */
function memberNames(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const [first, ...rest] = path;
  const inner = unwrapped(schema);
  if (inner.shape === undefined && inner.element === undefined) return [];
  if (first === undefined) return Object.keys(inner.shape ?? {});
  const next = typeof first === "number" ? inner.element : inner.shape?.[String(first)];
  return next ? memberNames(next, rest) : [];
}

interface Structure {
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
}

/** The schema inside an optional, preprocessed or transformed one. */
function unwrapped(schema: z.ZodType): Structure {
  const definition = schema.def as { innerType?: z.ZodType; in?: z.ZodType };
  const inner = definition.innerType ?? definition.in;
  return inner ? unwrapped(inner) : (schema as unknown as Structure);
}
