import * as aws from "@pulumi/aws";
import type { ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { inspect, problems } from "./support";

/** Kafka keeps what it acknowledged. */
export const kafkaKeepsRecords: ResourceValidationPolicy = {
  name: "kafka-keeps-records",
  description: "Topics have two copies or more, are made on purpose, and never lose a record to an election.",
  enforcementLevel: "mandatory",
  severity: "high",
  remediationSteps: "Create each topic as a resource with a replication factor of 2 or more.",
  validateResource: [
    inspect(aws.msk.Topic, (topic) =>
      problems([topic.replicationFactor < 2, "Keeps one copy of its records. Set replicationFactor to 2 or more."]),
    ),
    inspect(aws.msk.Configuration, ({ serverProperties }) => {
      const properties = parseProperties(serverProperties);
      const copies = Number(properties.get("default.replication.factor") ?? 2);
      return problems(
        [
          properties.get("auto.create.topics.enable") !== "false",
          "Lets a typing error create a topic. Set auto.create.topics.enable=false.",
        ],
        [copies < 2, "Keeps one copy of new topics. Set default.replication.factor to 2 or more."],
        [
          properties.get("unclean.leader.election.enable") !== "false",
          "May elect a leader that lacks records. Set unclean.leader.election.enable=false.",
        ],
        [serverProperties.includes("\\n"), "Holds the two characters \\n where lines should end. Use real line feeds."],
      );
    }),
    inspect(aws.mskconnect.Connector, ({ connectorConfiguration }) =>
      problems([
        connectorConfiguration["errors.tolerance"] === "all" &&
          !connectorConfiguration["errors.deadletterqueue.topic.name"],
        "Drops records that it can't store. Set errors.deadletterqueue.topic.name, or errors.tolerance to none.",
      ]),
    ),
  ],
};

/** Ports on which MSK answers the internet: TLS, SCRAM, IAM. */
const publicPorts = [9194, 9196, 9198];

/** Public access names its networks and its end. */
export const publicAccessEnds: StackValidationPolicy = {
  name: "public-access-ends",
  description:
    "Brokers that answer the internet admit named networks only, by rules whose description says `until <time>`, a time that has not passed.",
  enforcementLevel: "mandatory",
  severity: "critical",
  remediationSteps: "Close public access, or write a later end time into the rules' descriptions.",
  validateStack: ({ resources }, report) => {
    const clusters = resources.filter((resource) => resource.isType(aws.msk.Cluster));
    const rules = resources.filter((resource) => resource.isType(aws.vpc.SecurityGroupIngressRule));
    const guests = rules.filter(
      ({ props }) =>
        props.cidrIpv4 !== undefined && publicPorts.some((port) => props.fromPort <= port && port <= props.toPort),
    );
    for (const { props, urn } of guests) {
      const until = /\buntil (\S+)/.exec(String(props.description ?? ""))?.[1];
      const end = Date.parse(until ?? "");
      if (Number.isNaN(end)) report("Admits guests without an end. Write `until <time>` into its description.", urn);
      else if (end <= Date.now()) report(`Its time ended at ${until}. Close public access, or name a later end.`, urn);
    }
    for (const { props, urn } of clusters) {
      const type = props.brokerNodeGroupInfo?.connectivityInfo?.publicAccess?.type;
      if (type === "SERVICE_PROVIDED_EIPS" && guests.length === 0) {
        report("Answers the internet, but no rule names the networks it is for. Close it, or add such a rule.", urn);
      }
    }
  },
};

function parseProperties(text: string): ReadonlyMap<string, string> {
  const pairs = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line): [string, string] => {
      const [key = "", ...value] = line.split("=");
      return [key.trim(), value.join("=").trim()];
    });
  return new Map(pairs);
}
