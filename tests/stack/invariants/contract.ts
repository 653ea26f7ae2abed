import type { OperatorRequest } from "../../../contract/operator";
import { sinkConnectorProperties } from "../../../contract/sink-connector";
import { pipelineTopics, topicList, type Topics } from "../../../contract/topics";
import { parseInvocation } from "../../../operator/lambda/request";
import { type Graph, input, jsonInput, textInput } from "../../../recorder/graph";
import { type Invariant, types, environmentOf } from "./invariant";
import { operatorInputs, operatorRequests } from "./operator-requests";

export const topicsExist: Invariant = {
  protects: "nobody waits for a topic that is not there: every topic that is named is made",
  violations: (graph) => {
    const made = new Set(graph.ofType(types.topic).map((topic) => textInput(topic, "name")));
    return namedTopics(graph)
      .filter(({ topic }) => !made.has(topic))
      .map(({ who, topic }) => `${who} names the topic ${topic || "(none)"}`);
  },
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

export function same(a: unknown, b: unknown): boolean {
  const sorted = (value: unknown) => JSON.stringify(Object.entries(value as object).sort());
  return sorted(a) === sorted(b);
}
