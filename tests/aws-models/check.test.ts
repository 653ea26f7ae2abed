import { describe, expect, it } from "vitest";
import { type Json, checkResource, requestsOf, unknown, wholeMatch } from "./check";
import { documentedConstraints, resourceCalls } from "./mapping";
import modelsFile from "./models.json";
import type { Models } from "./models";

const models = modelsFile as unknown as Models;

const topic: Readonly<Record<string, Json>> = {
  clusterArn: "arn:aws:kafka:eu-central-1:111122223333:cluster/c/u",
  name: "cdc.raw",
  partitionCount: 1,
  replicationFactor: 2,
};

function problems(type: string, inputs: Readonly<Record<string, Json>>): string[] {
  return checkResource(type, inputs).map(({ where, problem }) => `${where}: ${problem}`);
}

describe("checking inputs against AWS's service models", () => {
  it("accepts what AWS accepts", () => {
    expect(problems("aws:msk/topic:Topic", topic)).toEqual([]);
  });

  it("finds a required member that is missing", () => {
    const rest = { clusterArn: "arn", name: "cdc.raw", replicationFactor: 2 };
    expect(problems("aws:msk/topic:Topic", rest)).toEqual([
      "kafka.CreateTopic.PartitionCount: is required and not set",
    ]);
  });

  it("finds an input that leads to no member", () => {
    expect(problems("aws:msk/topic:Topic", { ...topic, retention: 7 })).toEqual([
      expect.stringMatching(/^aws:msk\/topic:Topic retention: no member retention among ClusterArn, /),
    ]);
  });

  it("finds a value outside an enum", () => {
    const task = {
      replicationTaskId: "task",
      migrationType: "everything",
      tableMappings: "{}",
      replicationInstanceArn: "arn",
      sourceEndpointArn: "arn",
      targetEndpointArn: "arn",
    };
    expect(problems("aws:dms/replicationTask:ReplicationTask", task)).toEqual([
      'dms.CreateReplicationTask.MigrationType: "everything" is none of full-load, cdc, full-load-and-cdc',
    ]);
  });

  it("finds a text that is too long or breaks its pattern", () => {
    const role = { name: "r".repeat(65), assumeRolePolicy: "{}" };
    expect(problems("aws:iam/role:Role", role)).toEqual([
      "iam.CreateRole.RoleName: 65 characters where at least 1 and at most 64 are allowed",
    ]);
    expect(problems("aws:iam/role:Role", { ...role, name: "a/b" })).toEqual([
      'iam.CreateRole.RoleName: "a/b" does not match [\\w+=,.@-]+',
    ]);
  });

  it("finds a number outside its range and a value of the wrong kind, however deep", () => {
    const inputs = (size: Json): Readonly<Record<string, Json>> => ({
      clusterName: "c",
      kafkaVersion: "3.9.x.kraft",
      numberOfBrokerNodes: 2,
      brokerNodeGroupInfo: {
        clientSubnets: ["subnet-1", "subnet-2"],
        instanceType: "kafka.t3.small",
        storageInfo: { ebsStorageInfo: { volumeSize: size } },
      },
    });
    const where = "kafka.CreateCluster.BrokerNodeGroupInfo.StorageInfo.EbsStorageInfo.VolumeSize";
    expect(problems("aws:msk/cluster:Cluster", inputs(100))).toEqual([]);
    expect(problems("aws:msk/cluster:Cluster", inputs(0))[0]).toMatch(`${where}: 0`);
    expect(problems("aws:msk/cluster:Cluster", inputs("100"))).toEqual([`${where}: "100" is not a number`]);
  });

  it("knows the limits that AWS states in words only", () => {
    const subnetGroup = { replicationSubnetGroupDescription: "d", subnetIds: ["subnet-1", "subnet-2"] };
    const named = (name: string) => ({ ...subnetGroup, replicationSubnetGroupId: name });
    expect(problems("aws:dms/replicationSubnetGroup:ReplicationSubnetGroup", named("audit"))).toEqual([]);
    expect(problems("aws:dms/replicationSubnetGroup:ReplicationSubnetGroup", named("Audit"))[0]).toMatch(
      /does not match/,
    );
    expect(problems("aws:dms/replicationSubnetGroup:ReplicationSubnetGroup", named("default"))[0]).toMatch(
      /does not match/,
    );
  });

  it("lets pass what only a deployment tells", () => {
    expect(problems("aws:msk/topic:Topic", { ...topic, clusterArn: unknown })).toEqual([]);
  });

  it("reads documents and turns maps of tags into lists", () => {
    const definition = {
      family: "f",
      containerDefinitions: '[{"name":"c","image":"i","portMappings":[{"containerPort":8080}]}]',
      tags: { Name: "f" },
    };
    expect(requestsOf("aws:ecs/taskDefinition:TaskDefinition", definition).requests.RegisterTaskDefinition).toEqual({
      family: "f",
      containerDefinitions: [{ name: "c", image: "i", portMappings: [{ containerPort: 8080 }] }],
      tags: [{ key: "Name", value: "f" }],
    });
  });

  it("puts what other calls carry into those calls", () => {
    const group = { name: "/audit", retentionInDays: 31 };
    expect(requestsOf("aws:cloudwatch/logGroup:LogGroup", group).requests).toEqual({
      CreateLogGroup: { logGroupName: "/audit" },
      PutRetentionPolicy: { retentionInDays: 31 },
    });
  });

  it("asks for a mapping of a type it does not know", () => {
    expect(() => checkResource("aws:sns/platformApplication:PlatformApplication", {})).toThrow(
      /PlatformApplication has no entry in mapping\.ts/,
    );
  });
});

describe("the extracted models", () => {
  it("hold every operation that the mapping names", () => {
    for (const { service, operation } of Object.values(resourceCalls)) {
      expect(models.services[service]?.operations, `${service}.${operation}`).toHaveProperty(operation);
    }
  });

  it("hold the members that constraints in words are about", () => {
    for (const where of Object.keys(documentedConstraints)) {
      const [service = "", operation = "", member = ""] = where.split(".");
      const model = models.services[service];
      const shape = model?.shapes[model.operations[operation] ?? ""];
      expect(Object.keys(shape?.members ?? {}), where).toContain(member);
    }
  });

  it("have patterns that all compile", () => {
    for (const { shapes } of Object.values(models.services)) {
      for (const { pattern } of Object.values(shapes)) {
        if (pattern !== undefined) expect(() => wholeMatch(pattern)).not.toThrow();
      }
    }
  });
});
