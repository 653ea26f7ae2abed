import { arn, type Creation, digest, type Place, text } from "./creation";
import { descriptions } from "./provider-outputs";
import { type Value, type ValueMap, isMap, isUnknown, reveal } from "./values";

/** True when the recorder knows how the type's provider answers; otherwise it guesses an ARN and a name. */
export function isDescribed(type: string): boolean {
  return type in descriptions || type.startsWith("pulumi:");
}

/** What the provider puts after a name prefix: the time and a counter. */
const prefixSuffix = "20261122200000000000000001";

/** The inputs as the provider completes them before it creates anything: with an automatic name where one is due. */
export function completedInputs(type: string, name: string, urn: string, inputs: ValueMap): ValueMap {
  const property = descriptions[type]?.autoNamed;
  if (property === undefined || inputs[property] !== undefined) return inputs;
  const { [`${property}Prefix`]: prefix, ...others } = inputs;
  if (prefix === undefined) return { ...inputs, [property]: `${name}-${digest(urn).slice(0, 7)}` };
  return { ...others, [property]: isUnknown(prefix) ? prefix : `${text(reveal(prefix))}${prefixSuffix}` };
}

/**
 * What a finished deployment would know of a resource: its completed inputs and invented but well-formed outputs.
 * The same resource gets the same outputs on every run.
 */
export function createdState(type: string, name: string, urn: string, inputs: ValueMap, place: Place) {
  const completed = completedInputs(type, name, urn, inputs);
  const description = descriptions[type];
  const revealed = reveal(completed);
  const property = description?.autoNamed;
  const creation: Creation = {
    ...place,
    type,
    urn,
    name,
    digest: digest(urn),
    physicalName: physicalName(property, completed, name),
    inputs: isMap(revealed) ? revealed : {},
  };
  const guessed = (c: Creation): { readonly [key: string]: Value } => ({
    arn: arn(c, type.split(/[:/]/)[1] ?? "unknown", c.physicalName),
  });
  const outputs = (description ? description.outputs : guessed)?.(creation) ?? {};
  const { id = creation.physicalName, ...others } = outputs;
  return { id: String(id), state: { ...completed, ...others } as ValueMap };
}

function physicalName(property: string | undefined, inputs: ValueMap, name: string): string {
  return text(reveal(inputs[property ?? "name"])) || name;
}

/** Answers to the provider functions that a program may call, for the recorded place. */
export function invokeAnswer(token: string, place: Place): ValueMap | undefined {
  const { partition, region, account } = place;
  const answers: Readonly<Record<string, ValueMap>> = {
    "aws:index/getCallerIdentity:getCallerIdentity": {
      id: account,
      accountId: account,
      arn: `arn:${partition}:iam::${account}:user/deployer`,
      userId: "AIDARECORDED",
    },
    "aws:index/getRegion:getRegion": { id: region, name: region, region, description: "Recorded", endpoint: "" },
    "aws:index/getPartition:getPartition": {
      id: partition,
      partition,
      dnsSuffix: "amazonaws.com",
      reverseDnsPrefix: "com.amazonaws",
    },
    "aws:secretsmanager/getSecretVersion:getSecretVersion": {
      secretString: JSON.stringify({ username: "change-capture", password: "password-of-the-current-version" }),
      versionId: "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE",
    },
  };
  return answers[token];
}
