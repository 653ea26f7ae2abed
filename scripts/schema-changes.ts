interface Property {
  readonly type?: string;
  readonly $ref?: string;
  readonly plain?: boolean;
  readonly items?: Property;
  readonly additionalProperties?: Property;
}

interface ObjectType {
  readonly properties?: Readonly<Record<string, Property>>;
  readonly required?: readonly string[];
  readonly enum?: readonly { readonly value: unknown }[];
}

interface Component extends ObjectType {
  readonly inputProperties?: Readonly<Record<string, Property>>;
  readonly requiredInputs?: readonly string[];
}

/** A package schema, as far as programs depend on it. */
export interface Schema {
  readonly resources: Readonly<Record<string, Component>>;
  readonly types?: Readonly<Record<string, ObjectType>>;
}

/** What a program that was written for one schema may miss in another. */
export function breakingChanges(before: Schema, after: Schema): string[] {
  return [
    ...Object.entries(before.resources).flatMap(([token, former]) => {
      const now = after.resources[token];
      if (!now) return [`${token} is gone`];
      return [
        ...inputChanges(token, former.inputProperties, former.requiredInputs, now.inputProperties, now.requiredInputs),
        ...outputChanges(token, former.properties, now.properties),
      ];
    }),
    ...Object.entries(before.types ?? {}).flatMap(([token, former]) => {
      const now = after.types?.[token];
      if (!now) return [`${token} is gone`];
      const choices = (now.enum ?? []).map(({ value }) => value);
      return [
        ...inputChanges(token, former.properties, former.required, now.properties, now.required),
        ...(former.enum ?? [])
          .filter(({ value }) => !choices.includes(value))
          .map(({ value }) => `${token} lacks ${String(value)}`),
      ];
    }),
  ];
}

type Properties = Readonly<Record<string, Property>> | undefined;

function inputChanges(
  token: string,
  before: Properties = {},
  requiredBefore: readonly string[] = [],
  after: Properties = {},
  requiredAfter: readonly string[] = [],
): string[] {
  return [
    ...outputChanges(token, before, after),
    ...requiredAfter
      .filter((name) => !requiredBefore.includes(name))
      .map((name) => `${token}.${name} has become required`),
    ...Object.entries(before)
      .filter(([name, property]) => !property.plain && after[name]?.plain)
      .map(([name]) => `${token}.${name} must be known when the program runs`),
  ];
}

function outputChanges(token: string, before: Properties = {}, after: Properties = {}): string[] {
  return Object.entries(before).flatMap(([name, property]) => {
    const now = after[name];
    if (!now) return [`${token}.${name} is gone`];
    return shapeOf(now) === shapeOf(property)
      ? []
      : [`${token}.${name} was ${shapeOf(property)} and is ${shapeOf(now)}`];
  });
}

function shapeOf({ type, $ref, items, additionalProperties }: Property): string {
  if ($ref) return $ref.split("/").at(-1) ?? $ref;
  if (items) return `list of ${shapeOf(items)}`;
  return additionalProperties ? `map of ${shapeOf(additionalProperties)}` : (type ?? "any");
}
