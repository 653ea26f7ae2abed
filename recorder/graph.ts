import { type Registration, stackType } from "./engine";
import type { Recording } from "./recorder";
import { type Value, isMap, reveal } from "./values";

/** A recording as a graph that checks and pictures can ask. */
export class Graph {
  readonly resources: readonly Registration[];
  private readonly byUrn: ReadonlyMap<string, Registration>;

  constructor(readonly recording: Recording) {
    this.resources = recording.registrations;
    this.byUrn = new Map(this.resources.map((resource) => [resource.urn, resource]));
  }

  /** The resource with this URN. @throws when the recording has none. */
  get(urn: string): Registration {
    const resource = this.byUrn.get(urn);
    if (!resource) throw new Error(`The recording has no resource ${urn}.`);
    return resource;
  }

  /** Resources whose type is one of these, such as `aws:rds/cluster:Cluster`. */
  ofType(...types: readonly string[]): Registration[] {
    return this.resources.filter((resource) => types.includes(resource.type));
  }

  /** The children of a resource by name; without a URN, of the stack. */
  children(urn: string = this.stack.urn): Registration[] {
    return this.resources.filter((resource) => resource.parent === urn).sort((a, b) => compare(a.name, b.name));
  }

  /** The stack itself, the root of the graph. */
  get stack(): Registration {
    const [stack] = this.ofType(stackType);
    if (!stack) throw new Error("The recording has no stack.");
    return stack;
  }

  /** The component that a resource belongs to: its parent, or itself if it is a component of this program. */
  componentOf(resource: Registration): Registration {
    if ((!resource.custom && !resource.remote) || resource.parent === undefined) return resource;
    return this.get(resource.parent);
  }
}

/** An input as the provider would see it: completed, secrets revealed. Undefined when absent or null. */
export function input(resource: Registration, path: string): Value | undefined {
  let value: Value | undefined = resource.completedInputs;
  for (const step of path.split(".")) {
    value = reveal(value);
    value = isMap(value) ? value[step] : Array.isArray(value) ? (value[Number(step)] as Value | undefined) : undefined;
  }
  const revealed = value === undefined ? undefined : reveal(value);
  return revealed === null ? undefined : revealed;
}

/** An input that is a text; the empty text when it is absent or something else. */
export function textInput(resource: Registration, path: string): string {
  const value = input(resource, path);
  return typeof value === "string" ? value : "";
}

/** An input that holds a JSON document, parsed. @throws when it does not. */
export function jsonInput(resource: Registration, path: string): unknown {
  try {
    return JSON.parse(textInput(resource, path));
  } catch {
    throw new Error(`${resource.urn}: ${path} is not a JSON document: ${JSON.stringify(input(resource, path))}`);
  }
}

/** `aws:rds/cluster:Cluster` as people write it: `aws.rds.Cluster`. */
export function shortType(type: string): string {
  const [packageName, module, name] = type.split(":");
  return [packageName, module?.split("/")[0], name].filter((part) => part !== "index").join(".");
}

/** Orders by code points: the same on every machine. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
