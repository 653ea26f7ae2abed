import * as pulumi from "@pulumi/pulumi";
import { AuditPipeline, AuroraPostgres, Network, type PipelineKafkaArgs } from "cdc-audit";

const config = new pulumi.Config();
const network = new Network("network", { existing: config.requireObject("vpc") });
const inPrivateSubnets = { vpcId: network.vpcId, subnetIds: network.privateSubnetIds };
const database = new AuroraPostgres("database", inPrivateSubnets);

const audit = new AuditPipeline("audit", {
  ...inPrivateSubnets,
  sourceId: "orders",
  tables: [{ schema: "public", table: "%" }],
  source: {
    endpoint: database.endpoint,
    databaseName: database.databaseName,
    securityGroupId: database.securityGroupId,
    clusterIdentifier: database.clusterIdentifier,
    adminSecretArn: database.masterSecretArn,
    adminSecretKeyArn: database.keyArn,
  },
  kafka: {
    ...config.requireObject<Omit<PipelineKafkaArgs, "scramPassword">>("kafka"),
    scramPassword: config.requireSecret("scramPassword"),
  },
  // Other pipelines on the cluster keep their own topics.
  topics: { prefix: "orders" },
  transformer: { imageUri: config.require("imageUri") },
  sink: { pluginPath: config.require("pluginPath") },
  operator: { bundlePath: "node_modules/cdc-audit/operator" },
});

export const { dashboardName, alarmTopicArn } = audit;
