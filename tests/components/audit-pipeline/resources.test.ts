import type { ComponentResourceOptions } from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AuditPipeline, AuditPipelineArgs } from "../../../components/audit-pipeline";
import { pipelineTopics, topicList } from "../../../contract/topics";
import { texts } from "../../../recorder/values";
import { dependencyNames, deploy, type Deployment, modes, outputValue, refusal } from "../support/deployment";
import {
  adminSecretArn,
  builtArtifacts,
  type BuiltArtifacts,
  clientSecret,
  scramPassword,
  captureSecretArn,
  kafka,
  pipelineArguments,
  pipelineReviewArguments,
  region,
  waitsFor,
  writerSecretArn,
} from "../support/pipeline-arguments";

let artifacts: BuiltArtifacts;
beforeAll(() => {
  artifacts = builtArtifacts();
});
afterAll(() => artifacts.remove());

function pipeline(args: Partial<AuditPipelineArgs> = {}, name = "audit") {
  return async (opts: ComponentResourceOptions) => {
    const { AuditPipeline } = await import("../../../components/audit-pipeline");
    return new AuditPipeline(name, { ...pipelineArguments(artifacts), ...args }, opts);
  };
}

function environment({ only }: Deployment<unknown>): Record<string, string> {
  const [container] = JSON.parse(only("TaskDefinition").inputs.containerDefinitions);
  return Object.fromEntries(
    container.environment.map(({ name, value }: { name: string; value: string }) => [name, value]),
  );
}

describe.each(modes)("a pipeline in a %s", (mode) => {
  it("is made of topics, operator, capture, transformer, sink, monitoring and canary, each named after it", async () => {
    const { registrations, invokes } = await deploy(pipeline({ alarms: { email: "on-call@example.com" } }), { mode });
    const components = registrations.filter(({ type }) => type.startsWith("cdc-audit:"));
    expect(components.map(({ name }) => name).sort()).toEqual([
      "audit",
      "audit-audit-sink",
      "audit-canary",
      "audit-capture",
      "audit-monitoring",
      "audit-operator",
      "audit-transformer",
    ]);
    for (const { name } of registrations.slice(1)) expect(name).toMatch(/^audit-/);
    expect(invokes).toEqual([]);
  });

  it("makes the contract's topics with as many copies as it is told", async () => {
    const { all } = await deploy(pipeline({ topics: { prefix: "orders", rawPartitions: 3 } }), { mode });
    const made = all("Topic").filter(({ type }) => type.startsWith("aws:msk/"));
    expect(
      made.map(({ inputs }) => ({
        name: inputs.name,
        partitions: inputs.partitionCount,
        config: JSON.parse(inputs.configs),
      })),
    ).toEqual(topicList(pipelineTopics({ prefix: "orders", rawPartitions: 3 })));
    for (const { inputs } of made) expect(inputs).toMatchObject({ replicationFactor: 2, clusterArn: kafka.clusterArn });
  });

  it("lets no password out in the clear", async () => {
    const { registrations, all } = await deploy(pipeline(), { mode });
    const clear = registrations.flatMap(({ name, markedInputs }) =>
      texts(markedInputs)
        .filter(({ text, secret }) => !secret && text.includes(scramPassword))
        .map(({ path }) => `${name}.${path}`),
    );
    expect(clear).toEqual([]);
    for (const { markedInputs, name } of all("SecretVersion")) {
      expect(Object.keys(markedInputs.secretString as object), name).toEqual(["$secret"]);
    }
  });

  it("shares one key between all its parts", async () => {
    const { all } = await deploy(pipeline({ review: pipelineReviewArguments }), { mode });
    expect(all("Key").map(({ name }) => name)).toEqual(["audit-key"]);
  });

  it("has a page for reviewers when it is told of one, and lets neither of its secrets out in the clear", async () => {
    const { registrations, only, invokes } = await deploy(pipeline({ review: pipelineReviewArguments }), { mode });
    const { name, options } = only("ReviewService");
    expect({ name, parent: (options.parent as { __name?: string } | undefined)?.__name }).toEqual({
      name: "audit-review",
      parent: "audit",
    });
    expect(invokes).toEqual([]);
    const holders = registrations.flatMap(({ name, markedInputs }) =>
      texts(markedInputs)
        .filter(({ text }) => text.includes(clientSecret))
        .map(({ secret }) => ({ name, secret })),
    );
    expect(holders).toEqual([
      { name: "audit", secret: true },
      { name: "audit-review", secret: true },
      { name: "audit-review-https", secret: true },
    ]);
    expect(Object.keys(only("audit-review-secret-value").markedInputs.secretString as object)).toEqual(["$secret"]);
  });
});

describe("a pipeline's page for reviewers", () => {
  const withPage = (args: Partial<AuditPipelineArgs> = {}) => pipeline({ review: pipelineReviewArguments, ...args });
  const pageContainer = ({ only }: Deployment<unknown>) =>
    JSON.parse(only("audit-review-task").inputs.containerDefinitions)[0] as {
      environment: { name: string; value: string }[];
      secrets: { valueFrom: string }[];
    };

  it("leaves no trace where there is none", async () => {
    const { registrations, all, result } = await deploy(pipeline());
    expect(registrations.filter(({ name }) => name.includes("review")).map(({ name }) => name)).toEqual([]);
    expect(all("LoadBalancer")).toEqual([]);
    expect((await outputValue(result.reviewUrl)).value).toBe("");
    expect((await outputValue(result.reviewLoadBalancerDnsName)).value).toBe("");
    const request = JSON.stringify(all("Invocation").map(({ inputs }) => inputs.input));
    expect(request).not.toContain("reviewSecretArn");
  });

  it("adds to the pipeline, and changes nothing of what runs already but the operator that makes its login", async () => {
    const [without, with_] = [await deploy(pipeline()), await deploy(withPage())];
    const added = with_.registrations.filter(
      ({ name, type }) => !without.registrations.some((other) => other.name === name && other.type === type),
    );
    expect(added.every(({ name }) => /^audit-(review|monitoring-review)/.test(name))).toBe(true);
    const changed = without.registrations
      .filter(({ name, type, inputs }) => {
        const same = with_.registrations.find((other) => other.name === name && other.type === type);
        return JSON.stringify(same?.inputs) !== JSON.stringify(inputs);
      })
      .map(({ name }) => name);
    expect(changed.filter((name) => !/^audit(-operator.*|-monitoring(-dashboard)?)?$/.test(name))).toEqual([]);
  });

  it("logs in to the database that holds the log, with a password of its own that the operator sets", async () => {
    const destination = {
      endpoint: `audit.cluster-xyz.${region}.rds.amazonaws.com`,
      port: 5433,
      databaseName: "audit",
      securityGroupId: "sg-audit",
      adminSecretArn,
    };
    const deployment = await deploy(withPage({ destination }));
    const { only, all } = deployment;
    const secret = JSON.parse(only("audit-review-secret-value").inputs.secretString);
    expect(secret).toMatchObject({
      username: "audit_review",
      host: destination.endpoint,
      port: 5433,
      dbname: "audit",
    });
    const passwords = ["capture", "writer", "review"].map(
      (role) => JSON.parse(only(`audit-${role}-secret-value`).inputs.secretString).password,
    );
    expect(new Set(passwords).size).toBe(3);
    const container = pageContainer(deployment);
    expect(container.environment).toEqual(
      expect.arrayContaining([
        { name: "REVIEW_DATABASE_HOST", value: destination.endpoint },
        { name: "REVIEW_DATABASE_PORT", value: "5433" },
        { name: "REVIEW_DATABASE_NAME", value: "audit" },
        { name: "REVIEW_DATABASE_USER", value: "audit_review" },
      ]),
    );
    const secretArn = JSON.parse(only("audit-operator-bootstrap").inputs.input).destination.reviewSecretArn as string;
    expect(secretArn).toContain(":secret:");
    expect(container.secrets.map(({ valueFrom }) => valueFrom)).toEqual([`${secretArn}:password::`]);
    const groups = all("SecurityGroupIngressRule").filter(({ name }) => name.startsWith("audit-review-to-database"));
    expect(groups.map(({ inputs }) => [inputs.securityGroupId, inputs.fromPort])).toEqual([["sg-audit", 5433]]);
  });

  it("runs beside the transformer, and is watched", async () => {
    const { only, result, registrations } = await deploy(withPage());
    expect(only("audit-review-service").inputs.cluster).toBe(only("audit-transformer-service").inputs.cluster);
    expect(registrations.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["audit-monitoring-review-unhealthy", "audit-monitoring-review-failing"]),
    );
    expect((await outputValue(result.reviewUrl)).value).toBe("https://audit.example.com");
    expect((await outputValue(result.reviewLoadBalancerDnsName)).value).toMatch(/\.elb\./);
  });

  it("can be read where everything is prepared by hand, too", async () => {
    const { source } = pipelineArguments(artifacts);
    const { only } = await deploy(
      withPage({ operator: { enabled: false }, source: { ...source, adminSecretArn: undefined } }),
    );
    expect(only("audit-review-service").inputs.desiredCount).toBe(1);
  });

  it("leaves nothing behind where nothing has to be kept", async () => {
    const review = {
      ...pipelineReviewArguments,
      imageUri: undefined,
      imageBuildContext: artifacts.buildContext,
    };
    const { all, registrations } = await deploy(pipeline({ review, retainData: false }));
    expect(registrations.filter(({ options }) => options.protect || options.retainOnDelete)).toEqual([]);
    expect(all("Secret").map(({ inputs }) => inputs.recoveryWindowInDays)).toEqual([0, 0, 0]);
    expect(all("Repository").map(({ inputs }) => inputs.forceDelete)).toEqual([true]);
  });
});

describe("a pipeline", () => {
  it("uses topics as they were made, so that nothing starts before they exist", async () => {
    const made = "made.by.kafka";
    const deployment = await deploy(pipeline(), { outputs: { "aws:msk/topic:Topic": { name: made } } });
    const { only } = deployment;
    const { rules } = JSON.parse(only("ReplicationTask").inputs.tableMappings) as { rules: Record<string, string>[] };
    expect(new Set(rules.flatMap((rule) => rule["kafka-target-topic"] ?? []))).toEqual(new Set([made]));
    expect(only("audit-capture-target").inputs.kafkaSettings.topic).toBe(made);
    expect(only("Connector").inputs.connectorConfiguration).toMatchObject({
      topics: made,
      "errors.deadletterqueue.topic.name": made,
    });
    const topics = Object.entries(environment(deployment)).filter(([name]) => name.startsWith("AUDIT_TOPICS_"));
    expect(topics.map(([, topic]) => topic)).toEqual([made, made, made, made]);
  });

  it("waits for the cluster to know the capture's user before DMS logs in", async () => {
    const { registrations, only } = await deploy(async (opts) => {
      const { AuditPipeline } = await import("../../../components/audit-pipeline");
      const { KafkaCluster } = await import("../../../components/kafka-cluster");
      const cluster = new KafkaCluster("kafka", { vpcId: "vpc-1", subnetIds: ["s-1", "s-2"], brokers: 2 }, opts);
      return new AuditPipeline("audit", { ...pipelineArguments(artifacts), kafka: cluster }, opts);
    });
    const place = (name: string) => registrations.findIndex((registration) => registration.name === name);
    const association = registrations.find(({ type }) => type.endsWith(":SingleScramSecretAssociation"));
    expect(place(association!.name)).toBeLessThan(place("audit-capture-target"));
    expect(only("audit-capture-target").inputs.kafkaSettings.saslUsername).toBe("change-capture");
    expect(Object.keys(only("audit").inputs.kafka)).not.toContain("urn");
  });

  it("has each part that understands something new before the one that sends it", async () => {
    const { registrations, only } = await deploy(pipeline());
    const places = [
      "audit-operator-bootstrap",
      only("Connector").name,
      only("Service").name,
      "audit-operator-bootstrap-source",
      "audit-operator-maintain",
      only("ReplicationTask").name,
    ].map((name) => registrations.findIndex((registration) => registration.name === name));
    expect(places).toEqual([...places].sort((one, other) => one - other));
    expect(waitsFor(only("audit-transformer").options)).toEqual(["audit-audit-sink"]);
  });

  it("makes a secret for each role that logs in, with a password DMS can take", async () => {
    const { only, all } = await deploy(pipeline());
    const secret = (name: string) => JSON.parse(only(name).inputs.secretString);
    expect(secret("audit-capture-secret-value")).toMatchObject({
      username: "cdc_capture",
      host: `shop.cluster-abc.${region}.rds.amazonaws.com`,
      port: 5432,
      dbname: "shop",
    });
    expect(secret("audit-writer-secret-value")).toMatchObject({ username: "audit_writer", dbname: "shop" });
    for (const { inputs } of all("RandomPassword")) expect(inputs).toEqual({ length: 40, special: false });
    expect(secret("audit-capture-secret-value").password).not.toBe(secret("audit-writer-secret-value").password);
  });

  it("gives out secrets only once a password is in them", async () => {
    const { result } = await deploy(pipeline());
    expect(await dependencyNames(result.captureSecretArn)).toContain("audit-capture-secret-value");
    expect(await dependencyNames(result.writerSecretArn)).toContain("audit-writer-secret-value");
  });

  it("uses the secrets it is given instead of making its own", async () => {
    const source = { ...pipelineArguments(artifacts).source, captureSecretArn };
    const { all, only, result } = await deploy(pipeline({ source, writerSecretArn }));
    expect(all("Secret")).toEqual([]);
    expect(all("RandomPassword")).toEqual([]);
    expect(only("audit-capture-source").inputs.secretsManagerArn).toBe(captureSecretArn);
    expect(only("Connector").inputs.connectorConfiguration["connection.url"]).toContain(
      encodeURIComponent(writerSecretArn),
    );
    expect((await outputValue(result.writerSecretArn)).value).toBe(writerSecretArn);
    expect(only("audit-capture-secret-role-permissions").inputs.policy).not.toContain("kms:");
  });

  it("writes where it reads, unless told of another destination", async () => {
    const url = ({ only }: Deployment<AuditPipeline>) =>
      only("Connector").inputs.connectorConfiguration["connection.url"] as string;
    expect(url(await deploy(pipeline()))).toContain("//shop.cluster-abc.");
    const elsewhere = await deploy(
      pipeline({
        destination: {
          endpoint: `audit.cluster-xyz.${region}.rds.amazonaws.com`,
          port: 5433,
          databaseName: "audit",
          securityGroupId: "sg-audit",
          adminSecretArn,
        },
      }),
    );
    expect(url(elsewhere)).toContain(`//audit.cluster-xyz.${region}.rds.amazonaws.com:5433/audit?`);
    expect(JSON.parse(elsewhere.only("audit-writer-secret-value").inputs.secretString)).toMatchObject({
      host: `audit.cluster-xyz.${region}.rds.amazonaws.com`,
      port: 5433,
      dbname: "audit",
    });
    const ports = elsewhere
      .all("SecurityGroupIngressRule")
      .map(({ inputs }) => `${inputs.securityGroupId} ${inputs.fromPort}`);
    expect(ports.sort()).toEqual([
      "sg-audit 5433",
      "sg-audit 5433",
      "sg-database 5432",
      "sg-database 5432",
      "sg-kafka 9096",
      "sg-kafka 9096",
      "sg-kafka 9098",
      "sg-kafka 9098",
      "sg-kafka 9098",
    ]);
  });

  it("gives each part its size and the limits they share", async () => {
    const deployment = await deploy(
      pipeline({
        lobMaxSizeKilobytes: 64,
        unboundedVarcharMaxBytes: 20_000,
        topics: { messageMaxBytes: 2_000_000, eventsPartitions: 8 },
        capture: { instanceClass: "dms.r6i.large", multiAz: true },
        transformer: { ...pipelineArguments(artifacts).transformer, cpu: 2048, memoryMiB: 4096 },
        sink: { ...pipelineArguments(artifacts).sink, tasks: 8, workers: 2 },
        logRetentionDays: 90,
      }),
    );
    const { only, all } = deployment;
    expect(only("ReplicationInstance").inputs).toMatchObject({
      replicationInstanceClass: "dms.r6i.large",
      multiAz: true,
    });
    expect(JSON.parse(only("ReplicationTask").inputs.replicationTaskSettings).TargetMetadata.LobMaxSize).toBe(64);
    expect(only("audit-capture-source").inputs.extraConnectionAttributes).toBe("unboundedVarcharMaxSize=20000");
    expect(JSON.parse(only("audit-operator-bootstrap-source").inputs.input).source.unboundedVarcharMaxBytes).toBe(
      20_000,
    );
    expect(only("audit-capture-target").inputs.kafkaSettings.messageMaxBytes).toBe(2_000_000);
    expect(environment(deployment)).toMatchObject({
      AUDIT_LOB_MAX_SIZE_KILOBYTES: "64",
      AUDIT_MESSAGE_MAX_BYTES: "2000000",
      AUDIT_DEAD_LETTER_MAX_BYTES: "2065536",
    });
    expect(only("TaskDefinition").inputs).toMatchObject({ cpu: "2048", memory: "4096" });
    expect(only("Connector").inputs.connectorConfiguration).toMatchObject({
      "tasks.max": "8",
      "producer.override.max.request.size": "2065536",
    });
    for (const { inputs } of all("LogGroup")) expect(inputs.retentionInDays).toBe(90);
  });

  it("has the operator put its tables under audit as the author says", async () => {
    const tables = [
      { schema: "public", table: "orders", ignoredColumns: ["updated_at"], redactedColumns: ["card"] },
      { schema: "shop", table: "%", identifyActor: true, replicaIdentity: "default" as const },
      { schema: "shop", table: "flyway_%", exclude: true },
    ];
    const { only } = await deploy(
      pipeline({
        tables,
        operator: {
          ...pipelineArguments(artifacts).operator,
          actorSources: ["app.user_id", "request.jwt.claims ->> email"],
          partitionsAhead: "30 days",
          partitionPeriod: "day",
          auditRetention: "7 years",
        },
      }),
    );
    const request = (name: string) => JSON.parse(only(name).inputs.input);
    expect(request("audit-operator-bootstrap")).toMatchObject({
      source: { tables, adminSecretArn, actorSources: ["app.user_id", "request.jwt.claims ->> email"] },
      destination: { partitionsAhead: "30 days", partitionPeriod: "day" },
    });
    expect(request("audit-operator-maintain").destination).toMatchObject({ retention: "7 years" });
    const { rules } = JSON.parse(only("ReplicationTask").inputs.tableMappings);
    expect(JSON.stringify(rules)).not.toContain("card");
    expect(rules).toContainEqual(
      expect.objectContaining({
        "rule-action": "exclude",
        "object-locator": { "schema-name": "shop", "table-name": "flyway[_]%" },
      }),
    );
  });

  it("leaves the sources of actors to the database unless told, also that there are none", async () => {
    const requested = async (operator: object) => {
      const { only } = await deploy(pipeline({ operator: { ...pipelineArguments(artifacts).operator, ...operator } }));
      return JSON.parse(only("audit-operator-bootstrap-source").inputs.input).source.actorSources;
    };
    expect(await requested({})).toBeUndefined();
    expect(await requested({ actorSources: [] })).toEqual([]);
  });

  it("tests its connections before the task starts, and sends a canary once everything runs", async () => {
    const { only, registrations } = await deploy(pipeline());
    const place = (name: string) => registrations.findIndex((registration) => registration.name === name);
    const order = [
      "audit-topic-raw",
      "audit-operator-function",
      "audit-operator-guard",
      "audit-capture-connections",
      "audit-capture-task",
      "audit-canary-arrives",
    ].map(place);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(place("audit-operator-bootstrap")).toBeLessThan(place("audit-capture-connections"));
    for (const part of ["audit-transformer-service", "audit-audit-sink-connector"]) {
      expect(place(part)).toBeLessThan(place("audit-canary-arrives"));
    }
    expect(waitsFor(only("ReplicationTask").options)).toContain("audit-capture-connections");
    expect(JSON.parse(only("audit-canary-arrives").inputs.input)).toMatchObject({
      captureTaskArn: expect.stringContaining(":task:"),
      connectorArn: expect.stringContaining(":connector/"),
      kafka: { sinkGroup: `connect-${only("Connector").inputs.name}` },
    });
  });

  it("sends no canary while nothing is captured, and misses none", async () => {
    const { registrations, only } = await deploy(pipeline({ capture: { startTask: false } }));
    const names = registrations.map(({ name }) => name);
    expect(names).not.toContain("audit-canary-arrives");
    expect(names).not.toContain("audit-monitoring-canary-missing");
    expect(names).toContain("audit-capture-connections");
    expect(only("audit-canary-schedule").inputs.state).toBe("DISABLED");
  });

  it("leaves the operator out for teams that prepare everything by hand", async () => {
    const { source } = pipelineArguments(artifacts);
    const { all, result, registrations } = await deploy(
      pipeline({ operator: { enabled: false }, source: { ...source, adminSecretArn: undefined } }),
    );
    for (const type of ["Function", "Invocation", "Schedule", "Queue"]) expect(all(type)).toEqual([]);
    expect((await outputValue(result.operatorFunctionName)).value).toBe("");
    expect(registrations.map(({ name }) => name)).not.toContain("audit-monitoring-operator-failing");
  });

  it("asks for an administrator's secret unless the operator is left out", async () => {
    const { source } = pipelineArguments(artifacts);
    const { message } = await refusal(pipeline({ source: { ...source, adminSecretArn: undefined } }));
    expect(message).toMatch(/source\.adminSecretArn = \(not set\).*masterSecretArn.*operator\.enabled/);
  });

  it("watches what it has made", async () => {
    const deployment = await deploy(
      pipeline({ source: { ...pipelineArguments(artifacts).source, clusterIdentifier: "shop" } }),
    );
    const { only } = deployment;
    const dimensions = (alarm: string) => only(`audit-monitoring-${alarm}`).inputs.dimensions;
    expect(dimensions("slot-behind")).toEqual({ DBClusterIdentifier: "shop", Role: "WRITER" });
    expect(dimensions("capture-reads-behind")).toEqual({
      ReplicationInstanceIdentifier: only("ReplicationInstance").inputs.replicationInstanceId,
      ReplicationTaskIdentifier: only("ReplicationTask").inputs.resourceIdentifier,
    });
    expect(dimensions("transformer-behind")["Consumer Group"]).toBe(environment(deployment).AUDIT_APPLICATION_ID);
    expect(dimensions("sink-behind")["Consumer Group"]).toBe(`connect-${only("Connector").inputs.name}`);
    expect(dimensions("sink-tasks-failed")).toEqual({ ConnectorName: only("Connector").inputs.name });
  });

  it("protects what can't be made again, and lets the rest change", async () => {
    const { registrations } = await deploy(pipeline());
    const kept = registrations.filter(({ options }) => options.protect).map(({ name }) => name);
    expect(kept.sort()).toEqual([
      "audit-capture-task",
      "audit-key",
      "audit-topic-catalog",
      "audit-topic-dead-letter",
      "audit-topic-events",
      "audit-topic-raw",
    ]);
  });

  it("leaves nothing behind where nothing has to be kept", async () => {
    const image = { imageUri: undefined, imageBuildContext: artifacts.buildContext };
    const { registrations, all, only } = await deploy(pipeline({ retainData: false, transformer: image }));
    expect(registrations.filter(({ options }) => options.protect || options.retainOnDelete)).toEqual([]);
    expect(all("Secret").map(({ inputs }) => inputs.recoveryWindowInDays)).toEqual([0, 0]);
    expect(only("Bucket").inputs.forceDestroy).toBe(true);
    expect(only("Repository").inputs.forceDelete).toBe(true);
  });

  it("keeps secrets for 30 days after they were deleted otherwise", async () => {
    const { all } = await deploy(pipeline());
    expect(all("Secret").map(({ inputs }) => inputs.recoveryWindowInDays)).toEqual([30, 30]);
  });

  it("shares a stack and a cluster with another pipeline without a collision", async () => {
    const { registrations } = await deploy(async (opts) => {
      const first = await pipeline()(opts);
      const second = await pipeline({ sourceId: "orders", topics: { prefix: "orders" } }, "orders")(opts);
      return [first, second];
    });
    const named = registrations.flatMap((registration) => {
      const properties = Object.keys(physicalNameLimits[shortType(registration.type)] ?? {});
      return properties.map((property) => `${registration.type} ${property} ${registration.inputs[property]}`);
    });
    expect(named.filter((name) => name.includes("undefined"))).toEqual([]);
    expect(named.length).toBeGreaterThan(80);
    expect(new Set(named).size).toBe(named.length);
    const environments = registrations
      .filter(({ type }) => type.endsWith(":TaskDefinition"))
      .map(({ inputs }) => inputs.containerDefinitions as string);
    expect(new Set(environments).size).toBe(2);
  });

  it("stays within AWS's limits for names, however long stack and pipeline are called", async () => {
    const { registrations } = await deploy(
      pipeline(
        { transformer: { imageBuildContext: artifacts.buildContext }, topics: { rawPartitions: 2 } },
        "a-pipeline-with-a-rather-long-name",
      ),
      { stack: "s".repeat(20) },
    );
    const tooLong = registrations.flatMap(({ type, name, inputs }) =>
      Object.entries(physicalNameLimits[shortType(type)] ?? {})
        .filter(([property, limit]) => String(inputs[property]).length > limit)
        .map(([property]) => `${name}.${property} is ${inputs[property]}`),
    );
    expect(tooLong).toEqual([]);
  });

  it("refuses wrong arguments of all parts together, before it creates anything", async () => {
    const { message, asked } = await refusal(
      pipeline({
        transformer: {},
        sink: { pluginPath: "nowhere.zip" },
        operator: { bundlePath: "nowhere" },
        tables: [],
        capture: { heartbeatMinutes: 0 },
        review: { ...pipelineReviewArguments, oidc: undefined, imageUri: undefined },
      }),
    );
    const settings = [...message.matchAll(/- ([^ ]+) =/g)].map(([, setting]) => setting);
    expect(settings).toEqual([
      "transformer.imageUri",
      "sink.pluginPath",
      "operator.bundlePath",
      "review.imageUri",
      "tables",
      "capture.heartbeatMinutes",
      "review.oidc",
    ]);
    expect(message).toContain("npm run build:plugin");
    expect(message).toContain("npm run build:operator");
    expect(asked).toEqual(["cdc-audit:index:AuditPipeline"]);
  });
});

/** `msk/topic:Topic` of `aws:msk/topic:Topic`: two services have a Topic. */
function shortType(type: string): string {
  return type.replace(/^aws:/, "");
}

/** Properties that name a resource in AWS, and the most characters that AWS takes there. */
const physicalNameLimits: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "appautoscaling/policy:Policy": { name: 256 },
  "cloudwatch/dashboard:Dashboard": { dashboardName: 255 },
  "cloudwatch/eventRule:EventRule": { name: 64 },
  "cloudwatch/logGroup:LogGroup": { name: 512 },
  "cloudwatch/metricAlarm:MetricAlarm": { name: 255 },
  "dms/endpoint:Endpoint": { endpointId: 255 },
  "dms/replicationInstance:ReplicationInstance": { replicationInstanceId: 63 },
  "dms/replicationSubnetGroup:ReplicationSubnetGroup": { replicationSubnetGroupId: 255 },
  "dms/replicationTask:ReplicationTask": { replicationTaskId: 255, resourceIdentifier: 31 },
  "ecr/repository:Repository": { name: 256 },
  "ecs/cluster:Cluster": { name: 255 },
  "ecs/service:Service": { name: 255 },
  "ecs/taskDefinition:TaskDefinition": { family: 255 },
  "iam/role:Role": { name: 64 },
  "msk/topic:Topic": { name: 249 },
  "mskconnect/connector:Connector": { name: 128 },
  "mskconnect/customPlugin:CustomPlugin": { name: 128 },
  "mskconnect/workerConfiguration:WorkerConfiguration": { name: 128 },
  // AWS adds 26 characters to a prefix.
  "s3/bucket:Bucket": { bucketPrefix: 37 },
  "secretsmanager/secret:Secret": { namePrefix: 486 },
  "sns/topic:Topic": { name: 256 },
};
