import type { Registration } from "../../../recorder/engine";
import { type Graph, input, textInput } from "../../../recorder/graph";
import { argumentNames } from "../../../recorder/resource-arguments";
import { isMap, texts, type Value } from "../../../recorder/values";
import { type Invariant, types, statefulTypes, awsResources } from "./invariant";

export const childrenNamedAfterParents: Invariant = {
  protects: "two components of one stack can't collide: every child is named after its parent",
  violations: (graph) =>
    graph.resources
      .filter(({ parent }) => parent !== undefined && parent !== graph.stack.urn)
      .filter(({ name, parent }) => !name.startsWith(`${graph.get(parent ?? "").name}-`))
      .map(({ name, parent }) => `${name} is a child of ${graph.get(parent ?? "").name}`),
};

export const everythingTagged: Invariant = {
  protects: "every cost and every resource in the console leads back to its component: what can be tagged is tagged",
  violations: (graph) =>
    awsResources(graph)
      .filter(({ type }) => argumentNames(type).includes("tags"))
      .flatMap((resource) => {
        const tags = input(resource, "tags");
        const wanted = { Name: resource.name, "cdc-audit:component": graph.componentOf(resource).name };
        return Object.entries(wanted)
          .filter(([key, value]) => !isMap(tags) || tags[key] !== value)
          .map(([key, value]) => `${resource.name}: tag ${key} is not ${value}`);
      }),
};

export const statefulProtected: Invariant = {
  protects: "production can't lose data to a mistake: what holds data is protected or kept",
  violations: (graph) => [
    ...graph
      .ofType(...statefulTypes)
      .filter(({ protect, retainOnDelete }) => !protect && !retainOnDelete)
      .map(({ name }) => `${name} is neither protected nor kept`),
    ...graph
      .ofType(types.database)
      .flatMap((database) => [
        ...(input(database, "deletionProtection") === true ? [] : [`${database.name} can be deleted in one call`]),
        ...(input(database, "skipFinalSnapshot") === true ? [`${database.name} leaves no last snapshot`] : []),
      ]),
  ],
};

export const destroyLeavesNothing: Invariant = {
  protects: "destroying a trial stack blocks on nothing and leaves nothing that costs",
  violations: (graph) => [
    ...graph.resources
      .filter(({ protect, retainOnDelete }) => protect || retainOnDelete)
      .map(({ name }) => `${name} would stay`),
    ...expectInput(graph, types.database, "deletionProtection", false),
    ...expectInput(graph, types.database, "skipFinalSnapshot", true),
    ...expectInput(graph, types.database, "deleteAutomatedBackups", true),
    ...expectInput(graph, types.secret, "recoveryWindowInDays", 0),
    ...expectInput(graph, "aws:s3/bucket:Bucket", "forceDestroy", true),
    ...expectInput(graph, "aws:ecr/repository:Repository", "forceDelete", true),
  ],
};

export const logsExpire: Invariant = {
  protects: "no log is kept, and paid for, for ever: every log group has a retention",
  violations: (graph) =>
    graph
      .ofType(types.logGroup)
      .filter((group) => !(Number(input(group, "retentionInDays")) > 0))
      .map(({ name }) => `${name} keeps its lines for ever`),
};

export const namesUnique: Invariant = {
  protects: "nothing collides by name: no two resources of a type bear the same name in AWS",
  violations: (graph) => {
    const seen = new Map<string, string>();
    return physicalNames(graph).flatMap(({ key, who }) => {
      const other = seen.get(key);
      seen.set(key, who);
      return other === undefined ? [] : [`${who} and ${other} are both ${key}`];
    });
  },
};

export const noLeftovers: Invariant = {
  protects: "no value was forgotten on its way into a text: no undefined, no [object Object], no unresolved output",
  violations: (graph) =>
    graph.resources.flatMap(({ name, inputs }) =>
      texts(inputs)
        .filter(({ text }) => /\bundefined\b|\[object Object\]|Calling \[to(String|JSON)\]|\bNaN\b/.test(text))
        .map(({ path, text }) => `${name}.${path} is ${JSON.stringify(text.slice(0, 80))}`),
    ),
};

/** Names that AWS knows resources by, as far as the inputs decide them. */
export function physicalNames(graph: Graph): { key: string; who: string }[] {
  const naming =
    /^(name|clusterName|bucket|identifier|clusterIdentifier|endpointId|replicationInstanceId|replicationSubnetGroupId|replicationTaskId|certificateId|resourceIdentifier|family|dashboardName|alarmName|finalSnapshotIdentifier)$/;
  return awsResources(graph).flatMap((resource) =>
    Object.keys(resource.completedInputs)
      .filter((property) => naming.test(property) && isOwnName(resource.type, property))
      .map((property) => ({
        key: `${resource.type} ${property} ${scopeOf(resource)}${textInput(resource, property)}`,
        who: resource.name,
      })),
  );
}

/** Some types carry these properties to point at another resource. */
function isOwnName(type: string, property: string): boolean {
  const pointers: Readonly<Record<string, readonly string[]>> = {
    [types.databaseInstance]: ["clusterIdentifier"],
    "aws:rds/clusterParameterGroup:ClusterParameterGroup": ["family"],
    "aws:rds/parameterGroup:ParameterGroup": ["family"],
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": ["clusterName"],
  };
  const pointsAtBucket = type.startsWith("aws:s3/") && type !== "aws:s3/bucket:Bucket" && property === "bucket";
  return !pointsAtBucket && !(pointers[type] ?? []).includes(property);
}

/** Names of inline policies are unique in their role, those of topics in their cluster. */
function scopeOf(resource: Registration): string {
  const scope = textInput(resource, "role") || textInput(resource, "clusterArn") || textInput(resource, "rule");
  return scope === "" ? "" : `${scope} `;
}

function expectInput(graph: Graph, type: string, path: string, wanted: Value): string[] {
  return graph
    .ofType(type)
    .filter((resource) => (input(resource, path) ?? false) !== wanted)
    .map(({ name }) => `${name}.${path} is not ${String(wanted)}`);
}
