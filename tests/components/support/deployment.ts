import * as pulumi from "@pulumi/pulumi";
import type { Place } from "../../../recorder/creation";
import { createdState, invokeAnswer } from "../../../recorder/plausible-outputs";
import { type Value, type ValueMap, decodeValue, encodeValue, isList, isMap, reveal } from "../../../recorder/values";

/** A preview leaves every output of a new resource unknown; an update knows them all. */
export type Mode = "preview" | "update";
export const modes: readonly Mode[] = ["preview", "update"];

/** One resource that the code under test asked for. */
export interface Registration {
  readonly type: string;
  readonly name: string;
  /** Inputs without secret marks; an unknown value is `{"$unknown": true}`. Loosely typed, as tests compare them. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly inputs: any;
  /** Inputs as sent, with `{"$secret": …}` around secrets. */
  readonly markedInputs: ValueMap;
  /** The options of the resource itself; what it inherits from its parent is not among them. */
  readonly options: pulumi.CustomResourceOptions;
}

/** What a finished run asked for, and what it returned. */
export interface Deployment<T> {
  readonly result: T;
  readonly registrations: readonly Registration[];
  /** Tokens of the provider functions called. */
  readonly invokes: readonly string[];
  /** The resources of a type, named by the last part of its token: `Cluster`, `SecurityGroupIngressRule`. */
  all(type: string): Registration[];
  /** The only resource of a type, or with this logical name. Throws when there is none or more than one. */
  only(typeOrName: string): Registration;
}

export interface DeploymentOptions {
  /** Default `update`. */
  readonly mode?: Mode;
  /** Default `cdc-audit`. */
  readonly project?: string;
  /** Default `dev`. */
  readonly stack?: string;
  /** Outputs to answer with in place of the plausible ones, by type token. */
  readonly outputs?: Readonly<Record<string, ValueMap>>;
  /** What AWS answers to provider functions, by token; to those that the recorder knows, plausible answers. */
  readonly answers?: Readonly<Record<string, ValueMap>>;
}

const place: Place = { partition: "aws", region: "eu-central-1", account: "123456789012" };

/** Code that makes components: it imports them itself, and passes the options to each component it makes. */
type Program<T> = (opts: pulumi.ComponentResourceOptions) => Promise<T>;

/**
 * Runs code that makes components against Pulumi's own mocks, and records what it asks for. The code must import the
 * components itself, because the mocks have to be set before:
 *
 * ```ts
 * const { only } = await deploy(async (opts) => {
 *   const { Network } = await import("../../components/network");
 *   return new Network("network", { … }, opts);
 * });
 * ```
 */
export async function deploy<T>(program: Program<T>, options: DeploymentOptions = {}): Promise<Deployment<T>> {
  const { outcome, registrations, invokes } = await run(program, options);
  if ("error" in outcome) throw outcome.error;
  const all = (type: string) => registrations.filter((registration) => registration.type.endsWith(`:${type}`));
  return {
    result: outcome.result,
    registrations,
    invokes,
    all,
    only(typeOrName) {
      const found = registrations.filter(({ type, name }) => type.endsWith(`:${typeOrName}`) || name === typeOrName);
      if (found.length !== 1) {
        const names = registrations.map(({ type, name }) => `${type} ${name}`).join("\n");
        throw new Error(`${found.length} resources match ${typeOrName} among:\n${names}`);
      }
      return found[0]!;
    },
  };
}

/** The message with which code refuses to make its component, and the types of what it had asked for by then. */
export async function refusal(
  program: Program<unknown>,
  options: DeploymentOptions = {},
): Promise<{ message: string; asked: string[] }> {
  const { outcome, registrations } = await run(program, options);
  if (!("error" in outcome)) throw new Error("Nothing was refused.");
  return { message: String(outcome.error), asked: registrations.map(({ type }) => type) };
}

async function run<T>(program: Program<T>, options: DeploymentOptions) {
  const { mode = "update", project = "cdc-audit", stack = "dev" } = options;
  const registrations: Registration[] = [];
  const invokes: string[] = [];
  const optionsByResource = new Map<string, pulumi.CustomResourceOptions>();

  const mocks: pulumi.runtime.Mocks = {
    newResource({ type, name, inputs }) {
      const markedInputs = decodeValue(replaceUnknowns(inputs)) as ValueMap;
      const own = optionsByResource.get(`${type} ${name}`) ?? {};
      registrations.push({ type, name, markedInputs, inputs: reveal(markedInputs), options: own });
      if (mode === "preview") return { id: "", state: inputs };
      const urn = `urn:pulumi:${stack}::${project}::${type}::${name}`;
      const { id, state } = createdState(type, name, urn, markedInputs, place);
      return {
        id,
        state: encodeValue(withoutReferences({ ...state, ...options.outputs?.[type] })) as Record<string, unknown>,
      };
    },
    call({ token }) {
      invokes.push(token);
      const answer = options.answers?.[token] ?? invokeAnswer(token, place);
      if (!answer) throw new Error(`The code under test asked AWS: ${token}`);
      return answer;
    },
  };
  const recordOptions: pulumi.ResourceTransformation = ({ type, name, props, opts }) => {
    optionsByResource.set(`${type} ${name}`, opts);
    return { props, opts };
  };
  await pulumi.runtime.setMocks(mocks, project, stack, mode === "preview");
  const outcome = await withoutStackTexts(async () => {
    const ended = await program({ transformations: [recordOptions] }).then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    );
    // Waits until every registration has been answered.
    await pulumi.runtime.disconnect();
    return ended;
  });
  return { outcome, registrations, invokes };
}

/**
 * Pulumi's runtime writes a stack trace for each of thousands of promises and resources, in case one is never settled.
 * Writing them, with source maps, takes half of the time. An error that is looked at afterwards has its trace all the same.
 */
async function withoutStackTexts<Result>(work: () => Promise<Result>): Promise<Result> {
  const { prepareStackTrace } = Error;
  Error.prepareStackTrace = () => "";
  try {
    return await work();
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
  }
}

/** Pulumi's mocks can't look up the children of remote components: each is stood for by its id alone. */
function withoutReferences(value: Value): Value {
  if (isList(value)) return value.map(withoutReferences);
  if (!isMap(value)) return value;
  if ("$resource" in value) return { id: value.id ?? null };
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withoutReferences(member)]));
}

/** Pulumi's runtime stands unknown values for by an object of its own; the protocol has a text for them. */
function replaceUnknowns(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (pulumi.isUnknown(value)) return pulumi.runtime.unknownValue;
  if (Array.isArray(value)) return value.map(replaceUnknowns);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, replaceUnknowns(member)]));
}

/** What an output holds once everything is deployed, and whether it is marked secret; undefined while unknown. */
export async function outputValue<T>(output: pulumi.Output<T>): Promise<{ value: T | undefined; secret: boolean }> {
  const state = output as unknown as {
    promise(withUnknowns: boolean): Promise<T>;
    isKnown: Promise<boolean>;
    isSecret: Promise<boolean>;
  };
  const known = await state.isKnown;
  return { value: known ? await state.promise(false) : undefined, secret: await state.isSecret };
}

/** Logical names of the resources that must exist before the output does. */
export async function dependencyNames(output: pulumi.Output<unknown>): Promise<string[]> {
  const resources = await (output as unknown as { allResources(): Promise<Set<{ __name?: string }>> }).allResources();
  return [...resources].map((resource) => resource.__name ?? "").sort();
}
