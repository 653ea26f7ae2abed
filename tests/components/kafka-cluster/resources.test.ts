import type { ComponentResourceOptions } from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { KafkaClusterArgs, PublicAccessArgs } from "../../../components/kafka-cluster";
import { isSecret, isUnknown } from "../../../recorder/values";
import { dependencyNames, deploy, modes, outputValue, refusal } from "../support/deployment";

function kafka(args: Partial<KafkaClusterArgs> = {}) {
  return async (opts: ComponentResourceOptions) => {
    const { KafkaCluster } = await import("../../../components/kafka-cluster");
    const subnetIds = ["subnet-1", "subnet-2"];
    return new KafkaCluster("kafka", { vpcId: "vpc-1", subnetIds, brokers: 2, ...args }, opts);
  };
}

const threeZones = { subnetIds: ["subnet-1", "subnet-2", "subnet-3"], brokers: 3 };

function tomorrow(): string {
  return new Date(Date.now() + 86_400_000).toISOString();
}

describe.each(modes)("a Kafka cluster in a %s", (mode) => {
  it("admits IAM and SCRAM clients over TLS and nobody else", async () => {
    const { inputs } = (await deploy(kafka(), { mode })).only("kafka-cluster");
    expect(inputs.clientAuthentication).toEqual({ sasl: { iam: true, scram: true }, unauthenticated: false });
    expect(inputs.encryptionInfo.encryptionInTransit).toEqual({ clientBroker: "TLS", inCluster: true });
  });

  it("has no way in and stays private", async () => {
    const { all, only } = await deploy(kafka(), { mode });
    expect(all("SecurityGroupIngressRule")).toEqual([]);
    expect(only("kafka-cluster").inputs.brokerNodeGroupInfo.connectivityInfo).toEqual({
      publicAccess: { type: "DISABLED" },
    });
  });

  it("spells out replication for two brokers", async () => {
    const { serverProperties } = (await deploy(kafka(), { mode })).only("Configuration").inputs;
    expect(serverProperties.split("\n")).toEqual([
      "auto.create.topics.enable=false",
      "default.replication.factor=2",
      "min.insync.replicas=1",
      "offsets.topic.replication.factor=2",
      "transaction.state.log.replication.factor=2",
      "transaction.state.log.min.isr=1",
      "unclean.leader.election.enable=false",
      "allow.everyone.if.no.acl.found=true",
      "",
    ]);
  });

  it("gives DMS a user in the form that MSK insists on, and never shows the password", async () => {
    const { only } = await deploy(kafka(), { mode });
    const secret = only("kafka-capture-secret").inputs;
    expect(secret.namePrefix).toMatch(/^AmazonMSK_cdc-audit-dev-kafka-/);
    if (mode === "update") expect(secret.kmsKeyId).toMatch(/^arn:aws:kms:/);
    expect(isSecret(only("SecretVersion").markedInputs.secretString)).toBe(true);
    expect(only("RandomPassword").inputs).toEqual({ length: 40, special: false });
  });

  it("follows the newest revision of its configuration", async () => {
    const { configurationInfo } = (await deploy(kafka(), { mode })).only("kafka-cluster").inputs;
    if (mode === "preview") expect(isUnknown(configurationInfo.revision)).toBe(true);
    else expect(configurationInfo).toEqual({ arn: expect.stringContaining(":configuration/"), revision: 1 });
  });

  it("names every child after itself", async () => {
    const topics = [{ name: "cdc.raw", partitions: 1 }];
    const { registrations } = await deploy(
      kafka({ topics, storageAutoscaling: { maximumGiB: 500 }, ...openTo(["203.0.113.7/32"]) }),
      { mode },
    );
    for (const { name } of registrations.slice(1)) expect(name).toMatch(/^kafka-/);
  });
});

describe("a Kafka cluster", () => {
  it("keeps three copies and acknowledges at two from three brokers on", async () => {
    const { only, result } = await deploy(kafka(threeZones));
    const { serverProperties } = only("Configuration").inputs;
    expect(serverProperties).toContain("default.replication.factor=3\nmin.insync.replicas=2\n");
    expect(serverProperties).toContain("transaction.state.log.replication.factor=3\ntransaction.state.log.min.isr=2\n");
    expect((await outputValue(result.replicationFactor)).value).toBe(3);
  });

  it("leaves the configuration's name and versions to AWS, which can change neither", async () => {
    const { inputs } = (await deploy(kafka())).only("Configuration");
    expect(inputs).not.toHaveProperty("name");
    expect(inputs).not.toHaveProperty("kafkaVersions");
  });

  it("hands out the capture password as a secret, and only once MSK knows the user", async () => {
    const updated = (await deploy(kafka())).result;
    expect(await outputValue(updated.scramPassword)).toEqual({ value: expect.any(String), secret: true });
    expect(await dependencyNames(updated.scramPassword)).toContain("kafka-capture-association");
    const previewed = (await deploy(kafka(), { mode: "preview" })).result;
    expect(await outputValue(previewed.scramPassword)).toEqual({ value: undefined, secret: true });
  });

  it("waits for the secret's content before MSK is told of it", async () => {
    const { options } = (await deploy(kafka())).only("SingleScramSecretAssociation");
    const dependencies = [options.dependsOn].flat() as { __name?: string }[];
    expect(dependencies.map((resource) => resource.__name)).toEqual(["kafka-capture-secret-version"]);
  });

  it("lets volumes grow without ever shrinking them back", async () => {
    const { all, only } = await deploy(kafka({ volumeSizeGiB: 50, storageAutoscaling: { maximumGiB: 500 } }));
    expect(only("appautoscaling/target:Target").inputs).toMatchObject({
      serviceNamespace: "kafka",
      scalableDimension: "kafka:broker-storage:VolumeSize",
      maxCapacity: 500,
    });
    expect(only("kafka-storage-policy").inputs.targetTrackingScalingPolicyConfiguration).toEqual({
      predefinedMetricSpecification: { predefinedMetricType: "KafkaBrokerStorageUtilization" },
      targetValue: 60,
      disableScaleIn: true,
    });
    expect(only("kafka-cluster").options.ignoreChanges).toEqual([
      "clusterName",
      "brokerNodeGroupInfo.storageInfo.ebsStorageInfo.volumeSize",
      "kafkaVersion",
    ]);
    expect(all("Target")).toHaveLength(1);
  });

  it("keeps the volume under the program's control without autoscaling", async () => {
    const { all, only } = await deploy(kafka());
    expect(all("Target")).toEqual([]);
    expect(only("kafka-cluster").options.ignoreChanges).toEqual(["clusterName", "kafkaVersion"]);
  });

  it("is safe unless told otherwise: cluster, key and topics protected, the secret restorable", async () => {
    const { only } = await deploy(kafka({ topics: [{ name: "cdc.raw", partitions: 1 }] }));
    for (const name of ["kafka-cluster", "kafka-key", "kafka-topic-cdc.raw"]) {
      expect(only(name).options.protect).toBe(true);
    }
    expect(only("kafka-capture-secret").inputs.recoveryWindowInDays).toBe(30);
  });

  it("leaves nothing behind and blocks on nothing when that is asked for", async () => {
    const { only, registrations } = await deploy(kafka({ retainData: false }));
    expect(registrations.filter(({ options }) => options.protect)).toEqual([]);
    expect(only("kafka-capture-secret").inputs.recoveryWindowInDays).toBe(0);
    expect(only("kafka-key").inputs.deletionWindowInDays).toBe(7);
  });

  it("can't be replaced by a change: a second cluster would need the first one's name", async () => {
    expect((await deploy(kafka())).only("kafka-cluster").options.deleteBeforeReplace).toBe(false);
  });

  it("makes topics with its own replication and their configuration as JSON", async () => {
    const topics = [{ name: "audit.catalog", partitions: 1, config: { "cleanup.policy": "compact" } }];
    const { inputs, options } = (await deploy(kafka({ topics }))).only("kafka-topic-audit.catalog");
    expect(inputs).toMatchObject({
      name: "audit.catalog",
      partitionCount: 1,
      replicationFactor: 2,
      configs: '{"cleanup.policy":"compact"}',
    });
    expect(options.deleteBeforeReplace).toBe(false);
  });

  it("writes its log to a group with retention and key", async () => {
    const { only } = await deploy(kafka({ logRetentionDays: 7 }));
    const log = only("LogGroup").inputs;
    expect(log.retentionInDays).toBe(7);
    expect(log.kmsKeyId).toMatch(/^arn:aws:kms:/);
    expect(only("kafka-cluster").inputs.loggingInfo).toEqual({
      brokerLogs: { cloudwatchLogs: { enabled: true, logGroup: log.name } },
    });
  });

  it("uses a key that it is given and makes none", async () => {
    const kmsKeyArn = "arn:aws:kms:eu-central-1:123456789012:key/mine";
    const { all, only } = await deploy(kafka({ kmsKeyArn }));
    expect(all("Key")).toEqual([]);
    expect(only("kafka-cluster").inputs.encryptionInfo.encryptionAtRestKmsKeyArn).toBe(kmsKeyArn);
  });

  it("tells how clients of each kind reach it", async () => {
    const { result } = await deploy(kafka());
    expect((await outputValue(result.bootstrapBrokersIam)).value).toMatch(/:9098$/);
    expect((await outputValue(result.bootstrapBrokersScram)).value).toMatch(/:9096$/);
    expect((await outputValue(result.scramUsername)).value).toBe("change-capture");
  });

  it("refuses wrong arguments, all at once and before it creates anything", async () => {
    const { message, asked } = await refusal(
      kafka({ brokers: 3, instanceType: "kafka.m5.big", kafkaVersion: "3.9.x", volumeSizeGiB: 0 }),
    );
    for (const setting of ["brokers", "instanceType", "kafkaVersion", "volumeSizeGiB"]) {
      expect(message).toContain(`${setting} = `);
    }
    expect(asked).toEqual(["cdc-audit:index:KafkaCluster"]);
  });
});

function openTo(cidrs: string[]): { subnetsArePublic: boolean; publicAccess: PublicAccessArgs } {
  return { subnetsArePublic: true, publicAccess: { cidrs, until: tomorrow(), stage: "open" } };
}

describe("public access to a Kafka cluster", () => {
  it("first asks for access control lists, with the brokers still private", async () => {
    const open = openTo(["203.0.113.7/32"]);
    const { all, only } = await deploy(kafka({ ...open, publicAccess: { ...open.publicAccess, stage: "prepare" } }));
    expect(only("Configuration").inputs.serverProperties).toContain("allow.everyone.if.no.acl.found=false\n");
    expect(only("kafka-cluster").inputs.brokerNodeGroupInfo.connectivityInfo.publicAccess.type).toBe("DISABLED");
    expect(all("SecurityGroupIngressRule")).toEqual([]);
  });

  it("then admits the named networks with IAM alone", async () => {
    const { all, only } = await deploy(kafka(openTo(["203.0.113.7/32", "198.51.100.0/24"])));
    expect(only("kafka-cluster").inputs.brokerNodeGroupInfo.connectivityInfo.publicAccess.type).toBe(
      "SERVICE_PROVIDED_EIPS",
    );
    const guests = all("SecurityGroupIngressRule").map(({ inputs }) => [
      inputs.cidrIpv4,
      inputs.fromPort,
      inputs.toPort,
    ]);
    expect(guests).toEqual([
      ["203.0.113.7/32", 9198, 9198],
      ["198.51.100.0/24", 9198, 9198],
    ]);
  });

  it("ends by itself: AWS revokes exactly the guests' rules at the end time", async () => {
    const { all, only } = await deploy(kafka(openTo(["203.0.113.7/32", "198.51.100.0/24"])));
    const { inputs } = only("Schedule");
    expect(inputs.scheduleExpression).toMatch(/^at\(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\)$/);
    expect(inputs.scheduleExpressionTimezone).toBe("UTC");
    expect(inputs.target.arn).toBe("arn:aws:scheduler:::aws-sdk:ec2:revokeSecurityGroupIngress");
    const groupId = all("SecurityGroupIngressRule")[0]?.inputs.securityGroupId;
    const { GroupId, SecurityGroupRuleIds } = JSON.parse(inputs.target.input);
    expect(GroupId).toBe(groupId);
    expect(SecurityGroupRuleIds).toEqual([expect.stringMatching(/^sgr-/), expect.stringMatching(/^sgr-/)]);
    const { Statement } = JSON.parse(only("kafka-guests-end-role-permissions").inputs.policy);
    expect(Statement[0].Action).toEqual(["ec2:RevokeSecurityGroupIngress"]);
    expect(Statement[0].Resource).toHaveLength(3);
    expect(Statement[0].Resource.every((arn: string) => !arn.includes("*"))).toBe(true);
  });

  it("is refused on private subnets before anything is created", async () => {
    const { message, asked } = await refusal(kafka({ ...openTo(["203.0.113.7/32"]), subnetsArePublic: false }));
    expect(message).toContain("public subnets (subnetsArePublic)");
    expect(asked).toEqual(["cdc-audit:index:KafkaCluster"]);
  });
});
