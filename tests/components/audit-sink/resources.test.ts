import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ComponentResourceOptions } from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AuditSinkArgs } from "../../../components/audit-sink";
import { sinkConnectorProperties } from "../../../contract/sink-connector";
import { deploy, modes, outputValue, refusal } from "../support/deployment";
import {
  builtArtifacts,
  type BuiltArtifacts,
  clusterArn,
  database,
  kafka,
  placement,
  region,
  topicNames,
  waitsFor,
  writerSecretArn,
} from "../support/pipeline-arguments";

let artifacts: BuiltArtifacts;
beforeAll(() => {
  artifacts = builtArtifacts();
});
afterAll(() => artifacts.remove());

function sink(args: Partial<AuditSinkArgs> = {}, name = "sink") {
  return async (opts: ComponentResourceOptions) => {
    const { AuditSink } = await import("../../../components/audit-sink");
    const { bootstrapBrokersIam, securityGroupId } = kafka;
    const minimal: AuditSinkArgs = {
      ...placement,
      kafka: { clusterArn, bootstrapBrokersIam, securityGroupId },
      topics: topicNames,
      destination: { ...database, secretArn: writerSecretArn },
      pluginPath: artifacts.pluginPath,
      replicationFactor: 2,
    };
    return new AuditSink(name, { ...minimal, ...args }, opts);
  };
}

describe.each(modes)("a sink in a %s", (mode) => {
  it("connects with IAM over TLS, on Java 17's Connect, with as many workers as it is told", async () => {
    const { inputs } = (await deploy(sink({ workers: 2, mcusPerWorker: 2 }), { mode })).only("Connector");
    expect(inputs).toMatchObject({
      kafkaconnectVersion: "3.7.x",
      kafkaClusterClientAuthentication: { authenticationType: "IAM" },
      kafkaClusterEncryptionInTransit: { encryptionType: "TLS" },
      capacity: { provisionedCapacity: { workerCount: 2, mcuCount: 2 } },
    });
    expect(inputs.capacity).not.toHaveProperty("autoscaling");
    expect(inputs.kafkaCluster.apacheKafkaCluster.bootstrapServers).toBe(kafka.bootstrapBrokersIam);
  });

  it("has the contract's properties, and no password", async () => {
    const { inputs } = (await deploy(sink({ tasks: 3, messageMaxBytes: 2_000_000 }), { mode })).only("Connector");
    expect(inputs.connectorConfiguration).toEqual(
      sinkConnectorProperties({
        topics: { events: { name: "audit.events" }, deadLetter: { name: "audit.dead-letter" } },
        destination: {
          host: database.endpoint,
          port: 5432,
          database: database.databaseName,
          secretId: writerSecretArn,
          region,
        },
        tasks: 3,
        deadLetterReplicationFactor: 2,
        messageMaxBytes: 2_000_000,
      }),
    );
  });

  it("names every child after itself and asks AWS nothing", async () => {
    const { registrations, invokes } = await deploy(sink(), { mode });
    for (const { name } of registrations.slice(1)) expect(name).toMatch(/^sink-/);
    expect(invokes).toEqual([]);
  });
});

describe("a sink", () => {
  it("deletes the connector before its successor of the same name, whenever a property changes", async () => {
    const { only } = await deploy(sink());
    expect(only("Connector").options).toMatchObject({
      deleteBeforeReplace: true,
      replaceOnChanges: ["connectorConfiguration"],
    });
  });

  it("keeps the connector's name, and with it the offsets, when plugin and properties change", async () => {
    const before = await deploy(sink());
    const changedPlugin = join(artifacts.buildContext, "changed.zip");
    writeFileSync(changedPlugin, "another plugin");
    const after = await deploy(sink({ pluginPath: changedPlugin, tasks: 1 }));
    expect(after.only("Connector").inputs.name).toBe(before.only("Connector").inputs.name);
    expect(after.only("CustomPlugin").inputs.name).not.toBe(before.only("CustomPlugin").inputs.name);
    expect(after.only("BucketObjectv2").inputs.key).not.toBe(before.only("BucketObjectv2").inputs.key);
  });

  it("tells its consumer group, which follows from the connector's name", async () => {
    const { result, only } = await deploy(sink({ connectorName: "orders-sink" }));
    expect(only("Connector").inputs.name).toBe("orders-sink");
    expect((await outputValue(result.consumerGroup)).value).toBe("connect-orders-sink");
    expect(only("sink-execution-role-permissions").inputs.policy).toContain("/connect-orders-sink");
  });

  it("never shares a connector with another stack or another sink", async () => {
    const name = async (stack: string, component = "sink") =>
      (await deploy(sink({}, component), { stack })).only("Connector").inputs.name;
    expect(new Set([await name("dev"), await name("prod"), await name("dev", "second")]).size).toBe(3);
  });

  it("uploads the plugin into a bucket that is private, versioned, encrypted and refuses plain HTTP", async () => {
    const { only } = await deploy(sink());
    expect(only("BucketPublicAccessBlock").inputs).toMatchObject({
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    expect(only("BucketVersioning").inputs.versioningConfiguration).toEqual({ status: "Enabled" });
    const [rule] = only("BucketServerSideEncryptionConfiguration").inputs.rules;
    expect(rule.applyServerSideEncryptionByDefault.sseAlgorithm).toBe("aws:kms");
    expect(only("BucketPolicy").inputs.policy).toContain("aws:SecureTransport");
    expect(waitsFor(only("BucketObjectv2").options)).toEqual([
      "sink-bucket-encryption",
      "sink-bucket-ownership",
      "sink-bucket-policy",
      "sink-bucket-public-access",
      "sink-bucket-versioning",
    ]);
  });

  it("reaches Kafka, the destination and AWS before the connector starts", async () => {
    expect(waitsFor((await deploy(sink())).only("Connector").options)).toEqual([
      "sink-to-aws",
      "sink-to-destination-egress",
      "sink-to-destination-ingress",
      "sink-to-kafka-egress",
      "sink-to-kafka-ingress",
    ]);
  });

  it("opens the way to Kafka's IAM port and to the destination on its port", async () => {
    const { all } = await deploy(sink({ destination: { ...database, port: 5433, secretArn: writerSecretArn } }));
    const rules = all("SecurityGroupIngressRule").map(({ inputs }) => [inputs.securityGroupId, inputs.fromPort]);
    expect(rules).toEqual(
      expect.arrayContaining([
        ["sg-kafka", 9098],
        ["sg-database", 5433],
      ]),
    );
    expect(rules).toHaveLength(2);
  });

  it("empties its bucket when destroyed only where nothing has to be kept", async () => {
    expect((await deploy(sink())).only("Bucket").inputs.forceDestroy).toBe(false);
    expect((await deploy(sink({ retainData: false }))).only("Bucket").inputs.forceDestroy).toBe(true);
  });

  it("logs into a group that AWS admits without an entry in the account's policy", async () => {
    const { only } = await deploy(sink({ logRetentionDays: 7 }));
    expect(only("LogGroup").inputs).toMatchObject({ retentionInDays: 7, kmsKeyId: expect.stringContaining(":kms:") });
    expect(only("LogGroup").inputs.name).toMatch(/^\/aws\/vendedlogs\//);
    expect(only("Connector").inputs.logDelivery.workerLogDelivery.cloudwatchLogs).toEqual({
      enabled: true,
      logGroup: only("LogGroup").inputs.name,
    });
  });

  it("says how to build a missing plugin, before it creates anything", async () => {
    const { message, asked } = await refusal(sink({ pluginPath: "nowhere.zip", tasks: 9 }));
    expect(message).toContain("npm run build:plugin");
    expect(message).toContain("- tasks =");
    expect(asked).toEqual(["cdc-audit:index:AuditSink"]);
  });
});
