import type { Registration } from "../../../recorder/engine";
import { type Graph, input, jsonInput, textInput } from "../../../recorder/graph";
import { argumentNames } from "../../../recorder/resource-arguments";
import { isSecret, texts, type Value } from "../../../recorder/values";
import { asList, statements, type Policy, type Statement } from "../../iam/evaluate";
import { type Invariant, types, awsResources } from "./invariant";

const everywhere = ["0.0.0.0/0", "::/0"];

export const nothingOpenToTheWorld: Invariant = {
  protects: "nobody comes in from the internet, and only HTTPS goes out to it",
  violations: (graph) => [
    ...graph
      .ofType(types.ingress)
      .filter((rule) => isOpen(rule))
      .map(({ name }) => `${name} admits the internet`),
    ...graph
      .ofType(types.egress)
      .filter((rule) => isOpen(rule) && !(input(rule, "fromPort") === 443 && input(rule, "toPort") === 443))
      .map(({ name }) => `${name} lets more than HTTPS out`),
    ...graph
      .ofType(types.securityGroup)
      .filter((group) => input(group, "ingress") !== undefined || input(group, "egress") !== undefined)
      .map(({ name }) => `${name} has inline rules, which replace those that are resources`),
    ...graph
      .ofType(types.databaseInstance, types.replicationInstance)
      .filter((instance) => input(instance, "publiclyAccessible") !== false)
      .map(({ name }) => `${name} does not say that it is private`),
    ...graph
      .ofType(types.service)
      .filter((service) => input(service, "networkConfiguration.assignPublicIp") === true)
      .map(({ name }) => `${name} gives its tasks public addresses`),
  ],
};

export const brokersArePrivate: Invariant = {
  protects: "brokers answer the internet only while a stack asks for guests",
  violations: (graph) =>
    graph
      .ofType(types.cluster)
      .filter((cluster) => textInput(cluster, "brokerNodeGroupInfo.connectivityInfo.publicAccess.type") !== "DISABLED")
      .map(({ name }) => `${name} does not say that it is private`),
};

/** Statements that act on every resource, by their Sid, each with the reason. */
export const writtenReasons: Readonly<Record<string, string>> = {
  LogInToRegistryHasNoResource: "ECR's login is to the registry; IAM knows no resource for it",
  TheseKnowNoResource: "DMS's and EC2's descriptions are filtered by what is asked; IAM knows no resource for them",
  MetricsKnowTheirNamespaceAlone: "CloudWatch knows no resource for metrics; a condition names the namespace",
  AttachToVpcKnowsNoResource: "Lambda looks for these without a resource; a denial keeps the function's code from them",
};

export const noWildcardPermissions: Invariant = {
  protects:
    "no role may do more than its work: no wildcard actions, and no wildcard resources without a written reason",
  violations: (graph) =>
    identityPolicies(graph).flatMap(({ owner, statement }) => {
      if (statement.Effect !== "Allow") return [];
      const sid = statement.Sid ?? "(no Sid)";
      const actions = asList(statement.Action).filter((action) => action === "*" || action.endsWith(":*"));
      return [
        ...actions.map((action) => `${owner} ${sid} allows ${action}`),
        ...(statement.NotAction === undefined ? [] : [`${owner} ${sid} allows everything but a few actions`]),
        ...(asList(statement.Resource).includes("*") && writtenReasons[sid] === undefined
          ? [`${owner} ${sid} acts on every resource, and no reason is written down`]
          : []),
      ];
    }),
};

export const secretsStaySecret: Invariant = {
  protects: "no password stands readable in state, plan or logs: a secret is marked in every input that it reaches",
  violations: (graph) => {
    const secrets = new Set(
      graph.resources.flatMap(({ inputs, outputs }) =>
        [...texts(inputs), ...texts(outputs)]
          .filter(({ text, secret }) => secret && text.length >= 8)
          .map(({ text }) => text),
      ),
    );
    return graph.resources.flatMap((resource) =>
      [...texts(resource.inputs), ...texts(resource.outputs)]
        .filter(({ secret, text }) => !secret && [...secrets].some((each) => text.includes(each)))
        .map(({ path }) => `${resource.name}.${path} holds a secret in the clear`),
    );
  },
};

export const passwordsAreSecrets: Invariant = {
  protects: "every generated or configured password is a secret from the start",
  violations: (graph) =>
    graph.resources.flatMap(({ name, inputs }) =>
      unmarked(inputs, "")
        .filter(({ path }) => /(password|secretString)$/i.test(path) && !/masterUserSecret/.test(path))
        .filter(({ text }) => text !== "from-secret")
        .map(({ path }) => `${name}.${path} is not marked`),
    ),
};

/** Arguments that take a key but need none here, each with the reason. */
export const keysNotNeeded: Readonly<Record<string, string>> = {
  "aws:s3/bucketObjectv2:BucketObjectv2.kmsKeyId": "the bucket's own encryption applies",
  "aws:lambda/function:Function.sourceKmsKeyArn": "the code is public and holds no data",
  "aws:rds/clusterInstance:ClusterInstance.performanceInsightsKmsKeyId": "set on the cluster",
};

/** Keys that are deeper in the arguments. */
const nestedKeys: Readonly<Record<string, string>> = {
  [types.cluster]: "encryptionInfo.encryptionAtRestKmsKeyArn",
  "aws:ecr/repository:Repository": "encryptionConfigurations.0.kmsKey",
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration":
    "rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId",
};

export const encryptedWithOwnKeys: Invariant = {
  protects: "rows, secrets and logs at rest are under the customer's key wherever AWS offers it",
  violations: (graph) =>
    awsResources(graph).flatMap((resource) => {
      const offered = argumentNames(resource.type).filter(
        (name) => /kms(Master)?Key(Id|Arn)$/i.test(name) && keysNotNeeded[`${resource.type}.${name}`] === undefined,
      );
      return [...offered, ...(nestedKeys[resource.type] ? [nestedKeys[resource.type] ?? ""] : [])]
        .filter((path) => !textInput(resource, path).includes(":key/"))
        .map((path) => `${resource.name}.${path} names no key`);
    }),
};

/** The statements of every policy that an identity gets, with the identity. */
export function identityPolicies(graph: Graph): { owner: string; statement: Statement }[] {
  return graph
    .ofType(types.rolePolicy, "aws:iam/policy:Policy")
    .flatMap((resource) =>
      statements(jsonInput(resource, "policy") as Policy).map((statement) => ({ owner: resource.name, statement })),
    );
}

function isOpen(rule: Registration): boolean {
  return everywhere.includes(textInput(rule, "cidrIpv4")) || everywhere.includes(textInput(rule, "cidrIpv6"));
}

/** Every text that no secret mark covers. */
function unmarked(value: Value, path: string): { path: string; text: string }[] {
  return isSecret(value) ? [] : texts(value, path).filter(({ secret }) => !secret);
}
