import type { OperatorAction, OperatorRequest } from "../../../contract/operator";
import type { Registration } from "../../../recorder/engine";
import { type Graph, input, jsonInput, textInput } from "../../../recorder/graph";
import { reveal, texts, type Value } from "../../../recorder/values";
import { type Invariant, types, environmentOf, awsResources } from "./invariant";
import { operatorRequests } from "./operator-requests";

export const rulesHaveCounterparts: Invariant = {
  protects: "no connection is let out on one side and refused on the other: security group rules come in pairs",
  violations: (graph) => {
    const pairKey = (rule: Registration, from: string, to: string) =>
      [from, to, input(rule, "ipProtocol"), input(rule, "fromPort"), input(rule, "toPort")].join(" ");
    const out = new Map<string, Registration>();
    const into = new Map<string, Registration>();
    for (const rule of graph.ofType(types.egress)) {
      const to = textInput(rule, "referencedSecurityGroupId");
      if (to) out.set(pairKey(rule, textInput(rule, "securityGroupId"), to), rule);
    }
    for (const rule of graph.ofType(types.ingress)) {
      const from = textInput(rule, "referencedSecurityGroupId");
      if (from) into.set(pairKey(rule, from, textInput(rule, "securityGroupId")), rule);
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
      ...graph.ofType(types.service).flatMap((service) =>
        graph
          .ofType(types.taskDefinition)
          .filter((definition) => definition.outputs.arn === input(service, "taskDefinition"))
          .flatMap((definition) => environmentOf(definition).REVIEW_DATABASE_PORT ?? [])
          .flatMap((port) => client(service, "networkConfiguration.securityGroups.0", databaseGroup, Number(port))),
      ),
      ...graph
        .ofType("aws:lb/targetGroup:TargetGroup")
        .flatMap((targets) =>
          graph
            .ofType("aws:lb/loadBalancer:LoadBalancer")
            .flatMap((balancer) =>
              client(balancer, "securityGroups.0", taskGroupOf(graph, targets), Number(input(targets, "port"))),
            ),
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
            .filter((arn) => !isWildcard(arn) && !isGiven(arn) && !isMade(arn, made))
            .map((arn) => `${resource.name}.${path} names ${arn}, which nothing here makes`),
        ),
    );
  },
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
      ...graph
        .ofType(types.service)
        .filter((service) => input(service, "loadBalancers.0.targetGroupArn") !== undefined)
        .flatMap((page) => [
          ...missing(page, "prepared database", calls("bootstrap")),
          ...missing(page, "way to the database", graph.ofType(types.ingress)),
          ...missing(page, "login", graph.ofType("aws:lb/listener:Listener")),
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

/** Security group of the tasks that a target group hands requests to. */
function taskGroupOf(graph: Graph, targets: Registration): string {
  const service = graph
    .ofType(types.service)
    .find((each) => textInput(each, "loadBalancers.0.targetGroupArn") === targets.outputs.arn);
  return service ? textInput(service, "networkConfiguration.securityGroups.0") : "";
}

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

function brokersOf(request: OperatorRequest): string {
  if (request.action === "canary") return request.kafka.bootstrapBrokersIam;
  return request.action === "guard" ? request.bootstrapBrokersIam : "";
}

function databasesOf(request: OperatorRequest): { port?: number }[] {
  return request.action === "bootstrap" || request.action === "canary" || request.action === "maintain"
    ? [request.source, request.destination]
    : [];
}

function connectionUrl(connector: Registration): string {
  const properties = input(connector, "connectorConfiguration") as Record<string, string>;
  return properties["connection.url"] ?? "";
}

/** The ports that follow host names in a text: `b-1.example:9098,…` or a JDBC URL. */
function portsIn(text: string): number[] {
  return [...new Set([...text.matchAll(/[a-z0-9-]\.[a-z]+:(\d{2,5})/g)].map(([, port]) => Number(port)))];
}

function arnsIn(value: Value): string[] {
  return texts(value).flatMap(({ text }) => (text.startsWith("arn:aws:") && !text.includes(" ") ? [text] : []));
}

function isWildcard(arn: string): boolean {
  return arn.includes("*");
}

/** Certificates and user pools are the account's, and the settings name them. */
function isGiven(arn: string): boolean {
  return /^arn:aws:(acm|cognito-idp):/.test(arn);
}

/** An ARN is made here when it is an output, lies below one, or is one without the suffix that AWS adds. */
function isMade(arn: string, made: ReadonlySet<string>): boolean {
  if (made.has(arn)) return true;
  return [...made].some((each) => arn.startsWith(`${each}:`) || arn.startsWith(`${each}/`));
}
