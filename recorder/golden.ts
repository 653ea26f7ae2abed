import { stringify } from "yaml";
import type { Registration } from "./engine";
import { compare } from "./graph";
import type { Recording } from "./recorder";
import { type Value, type ValueMap, isList, isMap, redact } from "./values";

/**
 * A recording as the text that a person reviews: resources sorted by URN, each with what decides its fate (parent,
 * protection, dependencies) and its inputs. JSON documents inside inputs are spelled out, secrets are not.
 */
export function goldenText(recording: Recording): string {
  return textOf(recording, recording.registrations);
}

/**
 * What a variant of a stack has beyond the stack itself, in the same form: resources that are new or described otherwise.
 * Those that are gone are named.
 */
export function goldenDifference(stack: Recording, variant: Recording): string {
  const before = new Map(stack.registrations.map((resource) => [resource.urn, JSON.stringify(describe(resource))]));
  const after = new Set(variant.registrations.map(({ urn }) => urn));
  const changed = variant.registrations.filter(
    // A dashboard shows what the alarms beside it say, and would be repeated whole.
    (resource) =>
      !resource.type.endsWith(":Dashboard") && before.get(resource.urn) !== JSON.stringify(describe(resource)),
  );
  const gone = stack.registrations.filter(({ urn }) => !after.has(urn)).map(({ urn }) => shortUrn(urn));
  return textOf(variant, changed, gone.length > 0 ? { "no longer there": gone.sort(compare) } : {});
}

function textOf(recording: Recording, registrations: readonly Registration[], further: object = {}): string {
  const resources = [...registrations]
    .sort((a, b) => compare(a.urn, b.urn))
    .map((resource) => [shortUrn(resource.urn), describe(resource)] as const);
  const document = {
    stack: `${recording.project}/${recording.stack}`,
    outputs: readable(recording.stackOutputs),
    "provider functions called": [...new Set(recording.invocations.map((each) => each.token))].sort(compare),
    ...further,
    resources: Object.fromEntries(resources),
  };
  const header = "# Written by `npm run graph:update`; review the difference, don't edit.\n";
  return header + stringify(document, { lineWidth: 120, aliasDuplicateObjects: false });
}

/** Type chain and name: what is left of a URN once stack and project are taken away. */
function shortUrn(urn: string): string {
  return urn.split("::").slice(2).join("::");
}

function describe(resource: Registration) {
  return withoutEmpty({
    parent: resource.parent && shortUrn(resource.parent),
    protect: resource.protect,
    retainOnDelete: resource.retainOnDelete,
    remote: resource.remote,
    deleteBeforeReplace: resource.deleteBeforeReplace,
    ignoreChanges: resource.ignoreChanges,
    replaceOnChanges: resource.replaceOnChanges,
    customTimeouts: resource.customTimeouts,
    dependencies: resource.dependencies.map(shortUrn),
    inputs: readable(withoutTags(resource.inputs)),
  });
}

/** Tags repeat the name and the component; an invariant holds them to that. */
function withoutTags({ tags: _tags, ...inputs }: ValueMap): ValueMap {
  return inputs;
}

function readable(value: Value): Value {
  return spellOut(redact(value));
}

/** Texts that are JSON documents become the documents, so that a review sees one line per fact. */
function spellOut(value: Value): Value {
  if (typeof value === "string" && /^[[{]/.test(value)) {
    try {
      return { $json: JSON.parse(value) as Value };
    } catch {
      return value;
    }
  }
  if (isList(value)) return value.map(spellOut);
  return isMap(value)
    ? Object.fromEntries(Object.entries(value).map(([key, member]) => [key, spellOut(member)]))
    : value;
}

function withoutEmpty(members: Record<string, unknown>) {
  return Object.fromEntries(
    Object.entries(members).filter(
      ([, value]) =>
        value !== undefined && value !== false && !(typeof value === "object" && value !== null && isEmpty(value)),
    ),
  );
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}
