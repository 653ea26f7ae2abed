/**
 * Property values of a recording, as plain JSON. What the Pulumi protocol marks with signatures is marked here with one
 * readable member: `{"$unknown": true}`, `{"$secret": value}`, `{"$resource": urn, "id": …}`, `{"$asset": …}`. Only
 * written, never read: `{"$output": value}`, the known output of a resource.
 */
export type Value = null | boolean | number | string | readonly Value[] | { readonly [key: string]: Value };
export type ValueMap = { readonly [key: string]: Value };

/** How the Pulumi protocol writes special values: sdk/go/common/resource/properties.go of pulumi/pulumi. */
const protocol = {
  signatureKey: "4dabf18193072939515e22adb298388d",
  unknown: "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  secret: "1b47061264138c4ac30d75fd1eb44270",
  resource: "5cf8f73096256a8f31e491e813e4eb8e",
  outputValue: "d0e6a833031e9bbcd3f4e8bde6ca49a4",
  asset: "c44067f5952c0a294b673a41bacd8c17",
  archive: "0def7320c3a5731c473e5ecbe6d01bc7",
} as const;

/** A value that only a deployment would tell. */
export const unknownValue: Value = { $unknown: true };

/** Reads a value of the Pulumi protocol. */
export function decodeValue(wire: unknown): Value {
  if (wire === undefined || wire === null) return null;
  if (wire === protocol.unknown) return unknownValue;
  if (typeof wire === "boolean" || typeof wire === "number" || typeof wire === "string") return wire;
  if (Array.isArray(wire)) return wire.map(decodeValue);
  const { [protocol.signatureKey]: signature, ...members } = wire as Record<string, unknown>;
  switch (signature) {
    case undefined:
      return mapMembers(members, decodeValue);
    case protocol.secret:
      return secret(decodeValue(members.value));
    case protocol.outputValue: {
      const value = "value" in members ? decodeValue(members.value) : unknownValue;
      return members.secret === true ? secret(value) : value;
    }
    case protocol.resource:
      return { $resource: String(members.urn), id: decodeValue(members.id) };
    case protocol.asset:
      return { $asset: fileMembers(members) };
    case protocol.archive:
      return { $archive: fileMembers(members) };
    default:
      throw new Error(
        `The Pulumi protocol sent a value with the signature ${String(signature)}, which is not known here.`,
      );
  }
}

/**
 * Writes a value in the Pulumi protocol's form.
 *
 * @param markedAsOutputs Whether secret and unknown values are written as outputs are: so the engine hands them to
 *   components, where such a member must not mark its whole object. Default false.
 */
export function encodeValue(value: Value, markedAsOutputs = false): unknown {
  const encode = (member: Value) => encodeValue(member, markedAsOutputs);
  const output = (rest: object) => ({ [protocol.signatureKey]: protocol.outputValue, dependencies: [], ...rest });
  if (value === null || typeof value !== "object") return value;
  if (isList(value)) return value.map(encode);
  if (isUnknown(value)) return markedAsOutputs ? output({}) : protocol.unknown;
  if ("$output" in value) return output({ value: encode(value.$output ?? null) });
  if ("$secret" in value) {
    const content = encode(value.$secret ?? null);
    return markedAsOutputs
      ? output({ value: content, secret: true })
      : { [protocol.signatureKey]: protocol.secret, value: content };
  }
  if ("$resource" in value) {
    return { [protocol.signatureKey]: protocol.resource, urn: value.$resource, id: encode(value.id ?? null) };
  }
  if ("$asset" in value) {
    return { [protocol.signatureKey]: protocol.asset, ...(mapMembers(value.$asset as ValueMap, encode) as object) };
  }
  if ("$archive" in value) {
    return { [protocol.signatureKey]: protocol.archive, ...(mapMembers(value.$archive as ValueMap, encode) as object) };
  }
  return mapMembers(value, encode);
}

/** Marks a value as secret; a secret stays as it is. */
export function secret(value: Value): Value {
  return isSecret(value) ? value : { $secret: value };
}

export function isSecret(value: Value | undefined): value is { readonly $secret: Value } {
  return isMap(value) && "$secret" in value;
}

export function isUnknown(value: Value | undefined): boolean {
  return isMap(value) && value.$unknown === true;
}

export function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

/** True for objects, marked values included. */
export function isMap(value: Value | undefined): value is ValueMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value without its secret marks, at every depth: for checks that look at the content. */
export function reveal(value: Value | undefined): Value {
  if (value === undefined) return null;
  if (isSecret(value)) return reveal(value.$secret);
  if (isList(value)) return value.map(reveal);
  return isMap(value) ? mapMembers(value, reveal) : value;
}

/** The value with every secret's content replaced, at every depth: for what is committed or printed. */
export function redact(value: Value): Value {
  if (isSecret(value)) return { $secret: isUnknown(value.$secret) ? unknownValue : "[redacted]" };
  if (isList(value)) return value.map(redact);
  return isMap(value) ? mapMembers(value, redact) : value;
}

/** One text inside a value, with the path that leads to it and whether a secret mark covers it. */
export interface TextInValue {
  readonly path: string;
  readonly text: string;
  readonly secret: boolean;
}

/** Every text inside a value. */
export function texts(value: Value, path = "", secret = false): TextInValue[] {
  if (typeof value === "string") return [{ path, text: value, secret }];
  if (isSecret(value)) return texts(value.$secret, path, true);
  if (isList(value)) return value.flatMap((element, index) => texts(element, `${path}[${index}]`, secret));
  if (isMap(value)) {
    return Object.entries(value).flatMap(([key, member]) =>
      texts(member, path === "" ? key : `${path}.${key}`, secret),
    );
  }
  return [];
}

/** What an asset or archive holds: a path, a text, a URI or more assets. */
function fileMembers(members: Record<string, unknown>): ValueMap {
  return Object.fromEntries(
    Object.entries(members)
      .filter(([key]) => !key.startsWith("__"))
      .map(([key, value]) => [key, decodeValue(value)]),
  );
}

function mapMembers<From, To>(members: { readonly [key: string]: From }, change: (value: From) => To) {
  return Object.fromEntries(Object.entries(members).map(([key, value]) => [key, change(value)])) as {
    [key: string]: To;
  };
}
