import { sinkConnectorProperties } from "../../contract/sink-connector";
import type { OperatorAction, OperatorRequest } from "../../contract/operator";
import { pipelineTopics, topicList, type Topics } from "../../contract/topics";
import { parseInvocation } from "../../operator/lambda/request";
import { checkResource, type Json } from "../aws-models/check";
import { resourceCalls } from "../aws-models/mapping";
import { asList, statements, type Policy, type Statement } from "../iam/evaluate";
import type { Registration } from "../../recorder/engine";
import { type Graph, input, jsonInput, textInput } from "../../recorder/graph";
import { isDescribed } from "../../recorder/plausible-outputs";
import { argumentNames } from "../../recorder/resource-arguments";
import { isMap, isSecret, reveal, texts, type Value } from "../../recorder/values";

/** A property that every recorded stack must have. */
export interface Invariant {
  /** What goes wrong in AWS without it, as a sentence that a test report shows. */
  readonly protects: string;
  /** One line for each resource that breaks it. */
  readonly violations: (graph: Graph) => string[];
}

const types = {
  connector: "aws:mskconnect/connector:Connector",
  cluster: "aws:msk/cluster:Cluster",
  database: "aws:rds/cluster:Cluster",
  databaseInstance: "aws:rds/clusterInstance:ClusterInstance",
  endpoint: "aws:dms/endpoint:Endpoint",
  function: "aws:lambda/function:Function",
  invocation: "aws:lambda/invocation:Invocation",
  schedule: "aws:scheduler/schedule:Schedule",
  egress: "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
  ingress: "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
  logGroup: "aws:cloudwatch/logGroup:LogGroup",
  replicationInstance: "aws:dms/replicationInstance:ReplicationInstance",
  replicationTask: "aws:dms/replicationTask:ReplicationTask",
  role: "aws:iam/role:Role",
  rolePolicy: "aws:iam/rolePolicy:RolePolicy",
  scramAssociation: "aws:msk/singleScramSecretAssociation:SingleScramSecretAssociation",
  secret: "aws:secretsmanager/secret:Secret",
  secretVersion: "aws:secretsmanager/secretVersion:SecretVersion",
  securityGroup: "aws:ec2/securityGroup:SecurityGroup",
  taskDefinition: "aws:ecs/taskDefinition:TaskDefinition",
  topic: "aws:msk/topic:Topic",
  service: "aws:ecs/service:Service",
} as const;

/** Types whose loss is a loss of data, of the means to read it, or of the place in the stream. */
export const statefulTypes: readonly string[] = [
  types.database,
  types.cluster,
  types.topic,
  types.replicationTask,
  "aws:kms/key:Key",
];

const everywhere = ["0.0.0.0/0", "::/0"];

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

export const rulesHaveCounterparts: Invariant = {
  protects: "no connection is let out on one side and refused on the other: security group rules come in pairs",
  violations: (graph) => {
    const conversation = (rule: Registration, from: string, to: string) =>
      [from, to, input(rule, "ipProtocol"), input(rule, "fromPort"), input(rule, "toPort")].join(" ");
    const out = new Map<string, Registration>();
    const into = new Map<string, Registration>();
    for (const rule of graph.ofType(types.egress)) {
      const to = textInput(rule, "referencedSecurityGroupId");
      if (to) out.set(conversation(rule, textInput(rule, "securityGroupId"), to), rule);
    }
    for (const rule of graph.ofType(types.ingress)) {
      const from = textInput(rule, "referencedSecurityGroupId");
      if (from) into.set(conversation(rule, from, textInput(rule, "securityGroupId")), rule);
    }
    return [
      ...[...out].filter(([key]) => !into.has(key)).map(([, rule]) => `${rule.name}: the other side lets nobody in`),
      ...[...into].filter(([key]) => !out.has(key)).map(([, rule]) => `${rule.name}: the other side lets nobody out`),
    ];
  },
};

export const portsAreOpen: Invariant = {
  protects:
    "every client can reach its server: the ports in addresses are those that the server's security group admits",
  violations: (graph) => {
    const [cluster] = graph.ofType(types.cluster);
    const brokerGroup = cluster ? textInput(cluster, "brokerNodeGroupInfo.securityGroups.0") : "";
    const [database] = graph.ofType(types.database);
    const databaseGroup = database ? textInput(database, "vpcSecurityGroupIds.0") : "";
    const client = (resource: Registration, path: string, server: string, port: number): string[] => {
      const group = textInput(resource, path);
      const open = graph
        .ofType(types.ingress)
        .some(
          (rule) =>
            textInput(rule, "securityGroupId") === server &&
            textInput(rule, "referencedSecurityGroupId") === group &&
            Number(input(rule, "fromPort")) <= port &&
            port <= Number(input(rule, "toPort")),
        );
      return open ? [] : [`${resource.name} can't reach port ${port}`];
    };
    return [
      ...graph
        .ofType(types.connector)
        .flatMap((connector) => [
          ...portsIn(textInput(connector, "kafkaCluster.apacheKafkaCluster.bootstrapServers")).flatMap((port) =>
            client(connector, "kafkaCluster.apacheKafkaCluster.vpc.securityGroups.0", brokerGroup, port),
          ),
          ...portsIn(connectionUrl(connector)).flatMap((port) =>
            client(connector, "kafkaCluster.apacheKafkaCluster.vpc.securityGroups.0", databaseGroup, port),
          ),
        ]),
      ...graph.ofType(types.service).flatMap((service) =>
        graph
          .ofType(types.taskDefinition)
          .filter((definition) => definition.outputs.arn === input(service, "taskDefinition"))
          .flatMap((definition) => portsIn(environmentOf(definition).AUDIT_BOOTSTRAP_SERVERS ?? ""))
          .flatMap((port) => client(service, "networkConfiguration.securityGroups.0", brokerGroup, port)),
      ),
      ...graph.ofType(types.replicationInstance).flatMap((instance) =>
        graph
          .ofType(types.endpoint)
          .flatMap((endpoint) => portsIn(textInput(endpoint, "kafkaSettings.broker")))
          .flatMap((port) => client(instance, "vpcSecurityGroupIds.0", brokerGroup, port)),
      ),
      ...graph.ofType(types.function).flatMap((operator) =>
        operatorRequests(graph)
          .filter(({ functionName }) => functionName === textInput(operator, "name"))
          .flatMap(({ request }) => [
            ...portsIn(brokersOf(request)).map((port) => [brokerGroup, port] as const),
            ...databasesOf(request).map((access) => [databaseGroup, access.port ?? 5432] as const),
          ])
          .flatMap(([server, port]) => client(operator, "vpcConfig.securityGroupIds.0", server, port)),
      ),
    ];
  },
};

export const topicsExist: Invariant = {
  protects: "nobody waits for a topic that is not there: every topic that is named is made",
  violations: (graph) => {
    const made = new Set(graph.ofType(types.topic).map((topic) => textInput(topic, "name")));
    return namedTopics(graph)
      .filter(({ topic }) => !made.has(topic))
      .map(({ who, topic }) => `${who} names the topic ${topic || "(none)"}`);
  },
};

export const arnsResolve: Invariant = {
  protects: "every role, secret, key, log group and topic that one side names exists on the other",
  violations: (graph) => {
    // What the provider adds to the inputs; what is only repeated from them proves nothing.
    const made = new Set(
      awsResources(graph).flatMap(({ completedInputs, outputs }) =>
        Object.entries(outputs)
          .filter(([property]) => completedInputs[property] === undefined)
          .flatMap(([, value]) => arnsIn(value)),
      ),
    );
    return awsResources(graph).flatMap((resource) =>
      texts(reveal(resource.inputs))
        .filter(({ path }) => !/policy$/i.test(path))
        .flatMap(({ path, text }) =>
          [...text.matchAll(/arn:aws:[a-z]+:[a-z0-9-]*:\d{12}:[^"\s,]+/g)]
            .map(([arn]) => arn)
            .filter((arn) => !isWildcard(arn) && !isMade(arn, made))
            .map((arn) => `${resource.name}.${path} names ${arn}, which nothing here makes`),
        ),
    );
  },
};

/** Provider functions that the program may call. Each call is a question to AWS that a preview must be able to ask. */
export const allowedInvokes: readonly string[] = [
  // The password of the SCRAM user as the operator may have rotated it; once there is a secret to ask for.
  "aws:secretsmanager/getSecretVersion:getSecretVersion",
];

export const nothingAsked: Invariant = {
  protects: "a preview needs no more than credentials: the program asks AWS for one secret and nothing else",
  violations: (graph) =>
    graph.recording.invocations
      .filter(({ token }) => !allowedInvokes.includes(token))
      .map(({ token }) => `the program calls ${token}`),
};

export const sameAsLocally: Invariant = {
  protects: "what is proven on one machine is what is deployed: connector properties and topics are the contract's",
  violations: (graph) => {
    const made = graph.ofType(types.topic);
    const pipelines = deployedTopics(graph);
    const wanted = new Map(pipelines.flatMap(topicList).map((topic) => [topic.name, topic]));
    const wrongTopics = made.filter((topic) => {
      const definition = wanted.get(textInput(topic, "name"));
      return (
        definition === undefined ||
        definition.partitions !== input(topic, "partitionCount") ||
        !same(definition.config, jsonInput(topic, "configs"))
      );
    });
    return [
      ...(pipelines.length === 0 ? ["no topic is made that a pipeline could begin with"] : []),
      ...wrongTopics.map(({ name }) => `${name} is not as the contract says`),
      ...[...wanted.keys()]
        .filter((name) => !made.some((topic) => textInput(topic, "name") === name))
        .map((name) => `the topic ${name} of the contract is not made`),
      ...graph.ofType(types.connector).flatMap((connector) => {
        const properties = input(connector, "connectorConfiguration") as Record<string, string>;
        const topics = pipelines.find(({ events }) => events.name === properties.topics);
        if (!topics) return [`${connector.name} reads ${properties.topics}, the events of no pipeline`];
        const contract = sinkConnectorProperties({
          topics,
          destination: { host: "h", port: 1, database: "d", secretId: "s", region: "r" },
          deadLetterReplicationFactor: 1,
        });
        // Where the sink writes, how wide it runs and how often its topic exists are the deployment's to say.
        const deployment = ["connection.url", "tasks.max", "errors.deadletterqueue.topic.replication.factor"];
        const keys = new Set([...Object.keys(properties), ...Object.keys(contract)]);
        return [...keys]
          .filter((key) => !deployment.includes(key) && properties[key] !== contract[key])
          .map((key) => `${connector.name}: ${key} is ${properties[key]}, in the contract ${contract[key]}`);
      }),
    ];
  },
};

export const requestsAreRead: Invariant = {
  protects: "the operator takes what it is sent, while deploying and on a schedule: its own reader finds nothing wrong",
  violations: (graph) =>
    operatorInputs(graph).flatMap(({ resource, path }) => {
      try {
        parseInvocation(jsonInput(resource, path));
        return [];
      } catch (error) {
        return [`${resource.name}: ${error instanceof Error ? error.message : String(error)}`];
      }
    }),
};

export const nothingBeforeItsTime: Invariant = {
  protects:
    "nothing starts before what it needs: databases before their readers, access rules and connection tests before the " +
    "task, the canary last",
  violations: (graph) => {
    const calls = (action: OperatorAction) =>
      graph
        .ofType(types.invocation)
        .filter((invocation) => (jsonInput(invocation, "input") as OperatorRequest).action === action);
    const missing = (who: Registration, kind: string, wanted: readonly Registration[]) =>
      wanted.some(({ urn }) => precedes(graph, urn, who)) ? [] : [`${who.name} waits for no ${kind}`];
    return [
      ...graph.ofType(types.replicationTask).flatMap((task) => missing(task, "test", calls("connections"))),
      ...[...calls("connections"), ...graph.ofType(types.connector)].flatMap((reader) => [
        ...missing(reader, "prepared database", calls("bootstrap")),
        ...missing(reader, "access rules", calls("guard")),
      ]),
      ...calls("guard").flatMap((guard) => [
        ...missing(guard, "topic", graph.ofType(types.topic)),
        ...missing(guard, "cluster", graph.ofType(types.cluster)),
      ]),
      ...calls("bootstrap").flatMap((bootstrap) => [
        ...missing(bootstrap, "database instance", graph.ofType(types.databaseInstance)),
        ...missing(bootstrap, "way to the database", graph.ofType(types.ingress)),
      ]),
      ...calls("canary").flatMap((canary) =>
        [types.replicationTask, types.connector, types.service].flatMap((type) =>
          missing(canary, graph.ofType(type)[0]?.name ?? type, graph.ofType(type)),
        ),
      ),
      ...(calls("canary").length === graph.ofType(types.replicationTask).length ? [] : ["a pipeline has no canary"]),
    ];
  },
};

/** Whether a resource must exist before another is made, directly or by way of others. */
function precedes(graph: Graph, urn: string, later: Registration, seen = new Set<string>()): boolean {
  return later.dependencies.some((dependency) => {
    if (dependency === urn) return true;
    if (seen.has(dependency)) return false;
    seen.add(dependency);
    const between = graph.resources.find((resource) => resource.urn === dependency);
    return between !== undefined && precedes(graph, urn, between, seen);
  });
}

export const everyTypeDescribed: Invariant = {
  protects: "these checks look at everything: each registered type is known to the recorder and to the service models",
  violations: (graph) =>
    [...new Set(graph.resources.filter(({ custom, remote }) => custom || remote).map(({ type }) => type))].flatMap(
      (type) => [
        ...(isDescribed(type) ? [] : [`${type} is not described in provider-outputs.ts`]),
        ...(!type.startsWith("aws:") || resourceCalls[type] ? [] : [`${type} has no entry in aws-models/mapping.ts`]),
      ],
    ),
};

export const inputsFitServiceModels: Invariant = {
  protects:
    "AWS accepts what is sent: member names, enums, patterns, lengths and ranges of its own service models hold",
  violations: (graph) =>
    awsResources(graph)
      .filter(({ type }) => resourceCalls[type])
      .flatMap((resource) =>
        checkResource(resource.type, reveal(resource.completedInputs) as Record<string, Json>).map(
          ({ where, problem }) => `${resource.name}: ${where}: ${problem}`,
        ),
      ),
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

/** What holds for every stack. */
export const invariants: readonly Invariant[] = [
  childrenNamedAfterParents,
  everythingTagged,
  nothingOpenToTheWorld,
  brokersArePrivate,
  noWildcardPermissions,
  secretsStaySecret,
  passwordsAreSecrets,
  logsExpire,
  encryptedWithOwnKeys,
  rulesHaveCounterparts,
  portsAreOpen,
  topicsExist,
  arnsResolve,
  nothingAsked,
  sameAsLocally,
  requestsAreRead,
  nothingBeforeItsTime,
  everyTypeDescribed,
  inputsFitServiceModels,
  namesUnique,
  noLeftovers,
];

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

/** The statements of every policy that an identity gets, with the identity. */
export function identityPolicies(graph: Graph): { owner: string; statement: Statement }[] {
  return graph
    .ofType(types.rolePolicy, "aws:iam/policy:Policy")
    .flatMap((resource) =>
      statements(jsonInput(resource, "policy") as Policy).map((statement) => ({ owner: resource.name, statement })),
    );
}

/** Places of requests to an operator: a call while deploying, or a schedule. */
function operatorInputs(graph: Graph): { resource: Registration; path: string; functionName: string }[] {
  return [
    ...graph
      .ofType(types.invocation)
      .map((resource) => ({ resource, path: "input", functionName: textInput(resource, "functionName") })),
    ...graph
      .ofType(types.schedule)
      .filter((resource) => textInput(resource, "target.arn").includes(":function:"))
      .map((resource) => ({
        resource,
        path: "target.input",
        functionName: textInput(resource, "target.arn").split(":").at(-1) ?? "",
      })),
  ];
}

/** Every request that an operator gets, the resource that sends it, and the function that gets it. */
function operatorRequests(graph: Graph): { who: string; functionName: string; request: OperatorRequest }[] {
  return operatorInputs(graph).map(({ resource, path, functionName }) => ({
    who: resource.name,
    functionName,
    request: jsonInput(resource, path) as OperatorRequest,
  }));
}

function brokersOf(request: OperatorRequest): string {
  if (request.action === "canary") return request.kafka.bootstrapBrokersIam;
  return request.action === "guard" ? request.bootstrapBrokersIam : "";
}

function databasesOf(request: OperatorRequest): { port?: number }[] {
  return request.action === "bootstrap" || request.action === "canary" || request.action === "maintain"
    ? [request.source, request.destination]
    : [];
}

function topicsOf(request: OperatorRequest): string[] {
  if (request.action === "canary") return [request.kafka.rawTopic, request.kafka.eventsTopic];
  return request.action === "guard" ? [request.rawTopic] : [];
}

/** Every topic that the transformer, the sink, DMS or the operator is told. */
function namedTopics(graph: Graph): { who: string; topic: string }[] {
  return [
    ...operatorRequests(graph).flatMap(({ who, request }) => topicsOf(request).map((topic) => ({ who, topic }))),
    ...graph.ofType(types.taskDefinition).flatMap((definition) =>
      Object.entries(environmentOf(definition))
        .filter(([name]) => name.startsWith("AUDIT_TOPICS_"))
        .map(([name, topic]) => ({ who: `${definition.name} ${name}`, topic })),
    ),
    ...graph.ofType(types.connector).flatMap((connector) => {
      const properties = input(connector, "connectorConfiguration") as Record<string, string>;
      return ["topics", "errors.deadletterqueue.topic.name"].map((key) => ({
        who: `${connector.name} ${key}`,
        topic: properties[key] ?? "",
      }));
    }),
    ...graph
      .ofType(types.endpoint)
      .filter((endpoint) => input(endpoint, "kafkaSettings") !== undefined)
      .map((endpoint) => ({ who: endpoint.name, topic: textInput(endpoint, "kafkaSettings.topic") })),
    ...graph.ofType(types.replicationTask).flatMap((task) => {
      const { rules } = jsonInput(task, "tableMappings") as { rules: Record<string, string>[] };
      return rules
        .filter((rule) => rule["rule-type"] === "object-mapping")
        .map((rule) => ({ who: `${task.name} ${rule["rule-name"]}`, topic: rule["kafka-target-topic"] ?? "" }));
    }),
  ];
}

/** The contract's topics of each pipeline, with the settings read back from the topics that are made. */
function deployedTopics(graph: Graph): Topics[] {
  const made = graph.ofType(types.topic);
  const rawName = pipelineTopics().raw.name;
  return made
    .filter((topic) => textInput(topic, "name").endsWith(rawName))
    .map((raw) => {
      const prefix = textInput(raw, "name").slice(0, -rawName.length - 1);
      const settings = prefix === "" ? {} : { prefix };
      const events = made.find((topic) => textInput(topic, "name") === pipelineTopics(settings).events.name);
      const config = jsonInput(raw, "configs") as Record<string, string>;
      return pipelineTopics({
        ...settings,
        rawPartitions: Number(input(raw, "partitionCount")),
        eventsPartitions: Number(events && input(events, "partitionCount")),
        retentionDays: Number(config["retention.ms"]) / 86_400_000,
      });
    });
}

/** Environment variables of a task definition's containers. */
export function environmentOf(definition: Registration): Record<string, string> {
  const containers = jsonInput(definition, "containerDefinitions") as {
    environment?: { name: string; value: string }[];
  }[];
  return Object.fromEntries(
    containers.flatMap(({ environment = [] }) => environment.map(({ name, value }): [string, string] => [name, value])),
  );
}

function connectionUrl(connector: Registration): string {
  const properties = input(connector, "connectorConfiguration") as Record<string, string>;
  return properties["connection.url"] ?? "";
}

/** The ports that follow host names in a text: `b-1.example:9098,…` or a JDBC URL. */
function portsIn(text: string): number[] {
  return [...new Set([...text.matchAll(/[a-z0-9-]\.[a-z]+:(\d{2,5})/g)].map(([, port]) => Number(port)))];
}

function awsResources(graph: Graph): Registration[] {
  return graph.resources.filter(({ type, custom }) => custom && type.startsWith("aws:"));
}

function isOpen(rule: Registration): boolean {
  return everywhere.includes(textInput(rule, "cidrIpv4")) || everywhere.includes(textInput(rule, "cidrIpv6"));
}

function expectInput(graph: Graph, type: string, path: string, wanted: Value): string[] {
  return graph
    .ofType(type)
    .filter((resource) => (input(resource, path) ?? false) !== wanted)
    .map(({ name }) => `${name}.${path} is not ${String(wanted)}`);
}

/** Every text that no secret mark covers. */
function unmarked(value: Value, path: string): { path: string; text: string }[] {
  return isSecret(value) ? [] : texts(value, path).filter(({ secret }) => !secret);
}

function arnsIn(value: Value): string[] {
  return texts(value).flatMap(({ text }) => (text.startsWith("arn:aws:") && !text.includes(" ") ? [text] : []));
}

function isWildcard(arn: string): boolean {
  return arn.includes("*");
}

/** An ARN is made here when it is an output, lies below one, or is one without the suffix that AWS adds. */
function isMade(arn: string, made: ReadonlySet<string>): boolean {
  if (made.has(arn)) return true;
  return [...made].some((each) => arn.startsWith(`${each}:`) || arn.startsWith(`${each}/`));
}

function same(a: unknown, b: unknown): boolean {
  const sorted = (value: unknown) => JSON.stringify(Object.entries(value as object).sort());
  return sorted(a) === sorted(b);
}
