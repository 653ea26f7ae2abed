import { join } from "node:path";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { RecordingEngine } from "../../recorder/engine";
import { placeOf } from "../../recorder/recorder";
import { texts, type Value, type ValueMap } from "../../recorder/values";
import { RunningPlugin } from "../../scripts/plugin";

const { packageFolder, consumerFolder } = inject("packageFacts");
const engine = new RecordingEngine({
  project: "project",
  stack: "stack",
  preview: false,
  place: placeOf("eu-central-1"),
});
let plugin: RunningPlugin;

beforeAll(async () => {
  plugin = await RunningPlugin.start(join(packageFolder, "plugin"), await engine.start(), join(consumerFolder, "yaml"));
  return () => {
    plugin.stop();
    engine.stop();
  };
});

/** What a program in another language may pass in place of a plain value. */
const forms: Readonly<Record<string, (value: Value) => Value>> = {
  "the output of a resource": (value) => ({ $output: value }),
  "a secret": (value) => ({ $secret: value }),
  "a value that is known later": () => ({ $unknown: true }),
};

const place = { vpcId: "vpc-1", subnetIds: ["subnet-1", "subnet-2"] };
const pipeline = {
  ...place,
  sourceId: "orders",
  tables: [{ schema: "public", table: "%" }],
  source: {
    endpoint: "shop.cluster-abc.eu-central-1.rds.amazonaws.com",
    databaseName: "shop",
    securityGroupId: "sg-database",
    adminSecretArn: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:admin-AbCdEf",
  },
  kafka: {
    clusterArn: "arn:aws:kafka:eu-central-1:123456789012:cluster/audit/6b1f0a1e-0000-4000-8000-000000000000-5",
    bootstrapBrokersIam: "b-1.example.com:9098",
    bootstrapBrokersScram: "b-1.example.com:9096",
    securityGroupId: "sg-kafka",
    scramUsername: "change-capture",
    scramPassword: { $secret: "correct-horse" },
    replicationFactor: 2,
  },
  transformer: { imageUri: `registry.example/transformer@sha256:${"0".repeat(64)}` },
  sink: { pluginPath: "audit-sink-plugin.zip" },
  operator: { bundlePath: join(packageFolder, "operator") },
} satisfies ValueMap;
/** What a pipeline must be told of a page for reviewers, by somebody who forgot to mark the client's secret. */
const review = {
  hostName: "audit.example.com",
  certificateArn: "arn:aws:acm:eu-central-1:123456789012:certificate/0f1e2d3c",
  clientCidrs: ["10.8.0.0/16"],
  oidc: {
    issuer: "https://login.example.com",
    authorizationEndpoint: "https://login.example.com/authorize",
    tokenEndpoint: "https://login.example.com/token",
    userInfoEndpoint: "https://login.example.com/userinfo",
    clientId: "audit-page",
    clientSecret: "incorrect-donkey",
  },
  groups: [{ name: "auditors", tables: ["*"], reveal: true }],
  imageUri: `registry.example/review@sha256:${"0".repeat(64)}`,
} satisfies ValueMap;
const reviewService = {
  ...place,
  ...review,
  clusterArn: "arn:aws:ecs:eu-central-1:123456789012:cluster/transformer",
  database: {
    endpoint: pipeline.source.endpoint,
    databaseName: "shop",
    securityGroupId: "sg-database",
    secretArn: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:review-AbCdEf",
  },
} satisfies ValueMap;
const kafkaCluster = { ...place, brokers: 2 };

type Inputs = (form: (value: Value) => Value) => ValueMap;

describe("a plain argument that another language fills with something else", () => {
  const cases: readonly (readonly [component: string, setting: string, inputs: Inputs])[] = [
    ["AuditPipeline", "topics.prefix", (form) => ({ ...pipeline, topics: { prefix: form("shop") } })],
    [
      "AuditPipeline",
      "capture.createServiceRoles",
      (form) => ({ ...pipeline, capture: { createServiceRoles: form(false) } }),
    ],
    [
      "AuditPipeline",
      "operator.enabled",
      (form) => ({ ...pipeline, operator: { ...pipeline.operator, enabled: form(false) } }),
    ],
    [
      "AuditPipeline",
      "transformer.applicationId",
      (form) => ({ ...pipeline, transformer: { ...pipeline.transformer, applicationId: form("mine") } }),
    ],
    [
      "AuditPipeline",
      "tables[0].redactedColumns",
      (form) => ({ ...pipeline, tables: [{ schema: "public", table: "%", redactedColumns: form(["pin"]) }] }),
    ],
    [
      "AuditPipeline",
      "review.hostName",
      (form) => ({ ...pipeline, review: { ...review, hostName: form("audit.example.com") } }),
    ],
    ["ReviewService", "clientCidrs", (form) => ({ ...reviewService, clientCidrs: form(["10.8.0.0/16"]) })],
    [
      "ReviewService",
      "groups[0].tables",
      (form) => ({ ...reviewService, groups: [{ name: "auditors", tables: form(["*"]) }] }),
    ],
    [
      "KafkaCluster",
      "topics[0].name",
      (form) => ({ ...kafkaCluster, topics: [{ name: form("events"), partitions: 1 }] }),
    ],
    ["KafkaCluster", "retainData", (form) => ({ ...kafkaCluster, retainData: form(false) })],
    ["AuroraPostgres", "retainData", (form) => ({ ...place, retainData: form(false) })],
    ["Network", "availabilityZones", (form) => ({ availabilityZones: form(["eu-central-1a", "eu-central-1b"]) })],
  ];
  const all = cases.flatMap(([component, setting, inputs]) =>
    Object.entries(forms).map(([form, make]) => [component, setting, form, inputs(make)] as const),
  );

  it.each(all)("is refused by its name, and nothing is made: %s %s as %s", async (component, setting, form, inputs) => {
    const name = `${component}-${setting}-${form}`.replaceAll(/\W+/g, "-").toLowerCase();
    const type = `cdc-audit:index:${component}`;
    const construction = { project: "project", stack: "stack", config: {}, type, name, inputs };
    await expect(plugin.construct(construction)).rejects.toThrow(`${setting} = "(an output)"`);
    const made = engine.registrations.filter(({ urn }) => urn.includes(`::${name}-`));
    expect(made.map(({ urn }) => urn)).toEqual([]);
  });

  it("is taken when it is plain, beside secrets where inputs belong", async () => {
    const construction = { project: "project", stack: "stack", config: {}, name: "plain" };
    const { rawTopic } = await plugin.construct({
      ...construction,
      type: "cdc-audit:index:AuditPipeline",
      inputs: { ...pipeline, topics: { prefix: "shop" }, source: { ...pipeline.source, port: { $secret: 5432 } } },
    });
    expect(rawTopic).toBe("shop.cdc.raw");
  });

  it.each([
    ["AuditPipeline", { ...pipeline, review }, "reviewUrl"],
    ["ReviewService", reviewService, "url"],
  ] as const)(
    "makes a page for reviewers that tells nobody its client's secret: %s",
    async (component, inputs, url) => {
      const name = `page-of-${component.toLowerCase()}`;
      const construction = {
        project: "project",
        stack: "stack",
        config: {},
        type: `cdc-audit:index:${component}`,
        name,
      };
      const outputs = await plugin.construct({ ...construction, inputs });
      expect(outputs[url]).toBe("https://audit.example.com");
      const made = engine.registrations.filter(({ urn }) => urn.includes(`::${name}-`));
      const holders = made.flatMap(({ type, inputs }) =>
        texts(inputs)
          .filter(({ text }) => text.includes("incorrect-donkey"))
          .map(({ secret }) => [type, secret]),
      );
      expect(holders).toContainEqual(["aws:lb/listener:Listener", true]);
      expect(holders.filter(([, secret]) => !secret)).toEqual([]);
    },
  );
});
