import modelsFile from "./models.json";
import { type NotSent, type SentBy, commonMembers, documentedConstraints, resourceCalls } from "./mapping";
import type { Models, ServiceModel, Shape } from "./models";

const models = modelsFile as unknown as Models;

/** A value of a request; a function of nothing else than the JSON it is made of. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One thing that AWS would refuse. */
export interface Violation {
  /** `service.Operation.Member…`, or the input that leads nowhere. */
  readonly where: string;
  readonly problem: string;
}

/** The requests that creating a resource makes, by operation, as far as its inputs decide them. */
export interface Requests {
  readonly requests: Readonly<Record<string, { [member: string]: Json }>>;
  readonly violations: readonly Violation[];
}

/** Marks what only a deployment would tell; every check lets it pass. */
export const unknown = { $unknown: true } as const;

/**
 * Checks the inputs of one resource against the models of the calls that create it: every input leads to a member of
 * the right kind, every required member is there, and enums, patterns, lengths and ranges hold.
 *
 * @param inputs What the provider gets, automatic names included, secrets revealed.
 * @throws when the type has no mapping.
 */
export function checkResource(type: string, inputs: Readonly<Record<string, Json>>): Violation[] {
  const calls = resourceCalls[type];
  if (!calls) throw new Error(`${type} has no entry in mapping.ts: say which AWS call creates it.`);
  const service = serviceModel(calls.service);
  const { requests, violations } = requestsOf(type, inputs);
  const found = [...violations];
  for (const [operation, request] of Object.entries(requests)) {
    const where = `${calls.service}.${operation}`;
    const shape = inputShape(service, operation);
    const supplied = operation === calls.operation ? (calls.supplied ?? []) : (shape.required ?? []);
    found.push(...checkStructure(service, shape, request, where, new Set(supplied)));
  }
  return found;
}

/** Sorts a resource's inputs into the requests that carry them. */
export function requestsOf(type: string, inputs: Readonly<Record<string, Json>>): Requests {
  const calls = resourceCalls[type];
  if (!calls) throw new Error(`${type} has no entry in mapping.ts: say which AWS call creates it.`);
  const service = serviceModel(calls.service);
  const requests: Record<string, { [member: string]: Json }> = { [calls.operation]: {} };
  const violations: Violation[] = [];

  const place = (target: { [member: string]: Json }, shape: Shape, path: string, key: string, value: Json): void => {
    const rule = calls.members?.[path] ?? (path === key ? commonMembers[key] : undefined);
    if (isNotSent(rule)) return;
    if (isSentBy(rule)) {
      const request = (requests[rule.operation] ??= {});
      put(request, inputShape(service, rule.operation), rule.member.split("."), path, value);
      return;
    }
    const steps = rule?.split(".") ?? [key];
    put(target, shape, steps, path, value);
  };

  const put = (
    target: { [member: string]: Json },
    shape: Shape,
    [step, ...rest]: readonly string[],
    path: string,
    value: Json,
  ): void => {
    const member = memberNamed(shape, step ?? "");
    if (member === undefined) {
      violations.push({
        where: `${type} ${path}`,
        problem: `no member ${step} among ${Object.keys(shape.members ?? {}).join(", ")}`,
      });
      return;
    }
    const memberShape = shapeNamed(service, shape.members?.[member] ?? "");
    if (rest.length === 0) {
      target[member] = convert(memberShape, value, path);
      return;
    }
    const inner = memberShape.type === "list" ? shapeNamed(service, memberShape.member ?? "") : memberShape;
    const existing = target[member];
    const nested = ((Array.isArray(existing) ? existing[0] : existing) ?? {}) as { [member: string]: Json };
    target[member] = memberShape.type === "list" ? [nested] : nested;
    if (inner.type === "map") nested[rest.join(".")] = value;
    else put(nested, inner, rest, path, value);
  };

  const convert = (shape: Shape, value: Json, path: string): Json => {
    if (isUnknown(value)) return value;
    if (shape.type === "list") {
      const list = asList(shape, value);
      const element = shapeNamed(service, shape.member ?? "");
      return list.map((each) => convert(element, each, path));
    }
    const structured = shape.type === "structure" ? asStructure(value) : value;
    if (shape.type !== "structure" || !isObject(structured)) return structured;
    const request: { [member: string]: Json } = {};
    for (const [key, member] of Object.entries(structured)) {
      if (member !== null) place(request, shape, `${path}.${key}`, key, member);
    }
    return request;
  };

  /** Structures are also written as JSON texts, and as lists of one. */
  const asStructure = (value: Json): Json => {
    const structure = typeof value === "string" ? parsed(value) : value;
    return Array.isArray(structure) && structure.length === 1 ? (structure[0] as Json) : structure;
  };

  /** Lists are also written as JSON texts, as single blocks, and as maps of tags or dimensions. */
  const asList = (shape: Shape, value: Json): readonly Json[] => {
    const list = typeof value === "string" ? parsed(value) : value;
    if (Array.isArray(list)) return list as readonly Json[];
    const element = shapeNamed(service, shape.member ?? "");
    const names = Object.keys(element.members ?? {});
    const keyName = names.find((name) => /^(tag)?key$|^name$/i.test(name));
    const valueName = names.find((name) => /^(tag)?value$/i.test(name));
    if (isObject(list) && keyName && valueName) {
      return Object.entries(list).map(([key, each]) => ({ [keyName]: key, [valueName]: each }));
    }
    return [list];
  };

  const request = requests[calls.operation] ?? {};
  for (const [key, value] of Object.entries(inputs)) {
    if (value !== null) place(request, inputShape(service, calls.operation), key, key, value);
  }
  return { requests, violations };
}

function checkStructure(
  service: ServiceModel,
  shape: Shape,
  value: { readonly [member: string]: Json },
  where: string,
  supplied: ReadonlySet<string> = new Set(),
): Violation[] {
  const missing = (shape.required ?? []).filter((member) => !(member in value) && !supplied.has(member));
  return [
    ...missing.map((member) => ({ where: `${where}.${member}`, problem: "is required and not set" })),
    ...Object.entries(value).flatMap(([member, each]) => {
      const name = shape.members?.[member];
      if (name === undefined) return [{ where: `${where}.${member}`, problem: "is not a member" }];
      return checkValue(service, shapeNamed(service, name), each, `${where}.${member}`);
    }),
  ];
}

function checkValue(service: ServiceModel, shape: Shape, value: Json, where: string): Violation[] {
  if (isUnknown(value)) return [];
  const wrong = (problem: string): Violation[] => [{ where, problem: `${JSON.stringify(value)} ${problem}` }];
  switch (shape.type) {
    case "structure":
      return isObject(value) ? checkStructure(service, shape, value, where) : wrong("is not an object");
    case "map": {
      if (!isObject(value)) return wrong("is not a map");
      const key = shapeNamed(service, shape.key ?? "");
      const member = shapeNamed(service, shape.value ?? "");
      return Object.entries(value).flatMap(([name, each]) => [
        ...checkValue(service, key, name, `${where}{${name}}`),
        ...checkValue(service, member, each, `${where}.${name}`),
      ]);
    }
    case "list": {
      if (!Array.isArray(value)) return wrong("is not a list");
      const list = value as readonly Json[];
      const member = shapeNamed(service, shape.member ?? "");
      return [
        ...outOfRange(shape, list.length, "elements", where),
        ...list.flatMap((each, index) => checkValue(service, member, each, `${where}[${index}]`)),
      ];
    }
    case "boolean":
      return typeof value === "boolean" ? [] : wrong("is not a boolean");
    case "integer":
    case "long":
    case "float":
    case "double": {
      if (typeof value !== "number") return wrong("is not a number");
      if ((shape.type === "integer" || shape.type === "long") && !Number.isInteger(value)) return wrong("is not whole");
      return outOfRange(shape, value, "", where);
    }
    case "string":
      return typeof value === "string" ? checkText(shape, value, where) : wrong("is not a text");
    case "timestamp":
    case "blob":
      return typeof value === "string" ? [] : wrong("is not a text");
    default:
      throw new Error(`The models have a shape of type ${shape.type}, which check.ts does not know.`);
  }
}

function checkText(shape: Shape, value: string, where: string): Violation[] {
  const documented = documentedConstraints[where] ?? {};
  const violations = [
    ...outOfRange(shape, value.length, "characters", where),
    ...outOfRange(documented, value.length, "characters", where),
  ];
  if (shape.enum && !shape.enum.includes(value)) {
    violations.push({ where, problem: `${JSON.stringify(value)} is none of ${shape.enum.join(", ")}` });
  }
  for (const pattern of [shape.pattern, documented.pattern]) {
    if (pattern !== undefined && !wholeMatch(pattern).test(value)) {
      violations.push({ where, problem: `${JSON.stringify(value)} does not match ${pattern}` });
    }
  }
  return violations;
}

function outOfRange(
  { min, max }: { min?: number; max?: number },
  value: number,
  unit: string,
  where: string,
): Violation[] {
  if ((min === undefined || value >= min) && (max === undefined || value <= max)) return [];
  const allowed = [min === undefined ? "" : `at least ${min}`, max === undefined ? "" : `at most ${max}`];
  return [{ where, problem: `${value} ${unit} where ${allowed.filter(Boolean).join(" and ")} are allowed` }];
}

const patterns = new Map<string, RegExp>();

/** AWS's patterns describe the whole text, in a dialect near JavaScript's: most need the Unicode flag, some break with it. */
export function wholeMatch(pattern: string): RegExp {
  const known = patterns.get(pattern);
  if (known) return known;
  const source = `^(?:${pattern.replace(/\\p\{Print\}/g, "[\\x20-\\x7E]")})$`;
  let expression: RegExp;
  try {
    expression = new RegExp(source, "u");
  } catch {
    expression = new RegExp(source);
  }
  patterns.set(pattern, expression);
  return expression;
}

/** `vpcSecurityGroupIds` is `VpcSecurityGroupIds`; Pulumi also writes lists in the plural where AWS does not. */
function memberNamed(shape: Shape, name: string): string | undefined {
  const wanted = name.toLowerCase();
  const names = Object.keys(shape.members ?? {});
  const same = (other: string) => (candidate: string) => candidate.toLowerCase() === other;
  return names.find(same(wanted)) ?? names.find(same(wanted.replace(/s$/, ""))) ?? names.find(same(`${wanted}s`));
}

function serviceModel(service: string): ServiceModel {
  const model = models.services[service];
  if (!model) throw new Error(`models.json has no service ${service}: run \`npx tsx tests/aws-models/extract.ts\`.`);
  return model;
}

function inputShape(service: ServiceModel, operation: string): Shape {
  return shapeNamed(service, service.operations[operation] ?? operation);
}

function shapeNamed(service: ServiceModel, name: string): Shape {
  const shape = service.shapes[name];
  if (!shape) throw new Error(`models.json lacks ${name}: run \`npx tsx tests/aws-models/extract.ts\`.`);
  return shape;
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function isNotSent(rule: string | NotSent | SentBy | undefined): rule is NotSent {
  return typeof rule === "object" && "notSent" in rule;
}

function isSentBy(rule: string | NotSent | SentBy | undefined): rule is SentBy {
  return typeof rule === "object" && "operation" in rule;
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isUnknown(value: Json): boolean {
  return isObject(value) && value.$unknown === true;
}
