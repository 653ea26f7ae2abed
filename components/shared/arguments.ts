import * as pulumi from "@pulumi/pulumi";
import schema from "../schema.json";
import { type Problem, refuse } from "./checks";

/** A component of the package, by its class. */
type ComponentName = keyof (typeof schema)["resources"] extends `cdc-audit:index:${infer Name}` ? Name : never;

/** What the package's schema says of an argument, as far as it is read here. */
interface ArgumentShape {
  readonly $ref?: string;
  /** The value itself, rather than one that may become known later. */
  readonly plain?: boolean;
  readonly items?: ArgumentShape;
  readonly additionalProperties?: ArgumentShape;
}
type Members = Readonly<Record<string, ArgumentShape>>;

const { resources, types } = schema as unknown as {
  readonly resources: Readonly<Record<string, { readonly inputProperties?: Members }>>;
  readonly types: Readonly<Record<string, { readonly properties?: Members }>>;
};

/**
 * Stops a component before it creates anything, with every problem of its arguments at once. It looks first whether
 * plain arguments hold plain values: programs in other languages may pass anything, and no other check would see it.
 *
 * @throws pulumi.ResourceError naming the component, when there is a problem.
 */
export function checkArguments<Args extends object>(
  component: { readonly kind: ComponentName; readonly name: string; readonly resource: pulumi.Resource },
  args: Args,
  problemsOf: (args: Args) => readonly Problem[],
): void {
  const notPlain = plainArgumentProblems(component.kind, args);
  refuse(component.name, notPlain.length > 0 ? notPlain : problemsOf(args), component.resource);
}

/** A problem for each plain argument, at any depth, that holds an output, a promise or an unknown value. */
export function plainArgumentProblems(kind: ComponentName, args: object): Problem[] {
  return problemsOfMembers("", args, resources[`cdc-audit:index:${kind}`]?.inputProperties ?? {});
}

function problemsOfMembers(path: string, holder: object, members: Members): Problem[] {
  return Object.entries(members).flatMap(([name, shape]) =>
    problemsOfValue(path === "" ? name : `${path}.${name}`, (holder as Record<string, unknown>)[name], shape),
  );
}

function problemsOfValue(path: string, value: unknown, shape: ArgumentShape): Problem[] {
  if (shape.plain !== true) return [];
  if (isLater(value)) return [notPlain(path)];
  if (typeof value !== "object" || value === null) return [];
  const { items, additionalProperties } = shape;
  if (Array.isArray(value)) {
    return items ? value.flatMap((item: unknown, index) => problemsOfValue(`${path}[${index}]`, item, items)) : [];
  }
  if (additionalProperties) {
    return Object.entries(value).flatMap(([key, member]) =>
      problemsOfValue(`${path}["${key}"]`, member, additionalProperties),
    );
  }
  return problemsOfMembers(path, value, types[shape.$ref?.replace("#/types/", "") ?? ""]?.properties ?? {});
}

/** Whether a value becomes known only later, or is marked as a secret, which is an output too. */
export function isLater(value: unknown): boolean {
  return pulumi.Output.isInstance(value) || value instanceof Promise || pulumi.isUnknown(value);
}

function notPlain(setting: string): Problem {
  return {
    setting,
    value: "(an output)",
    allowed:
      "a plain value, not the output of a resource, a secret or a value that is known only later: it decides what is made, or is part of a name",
    fix:
      `Write the value of ${setting} itself, or read it from the stack's configuration as a setting that is no secret. ` +
      "Of an object or a list, pass the object itself; outputs may stand in its members that take inputs.",
  };
}
