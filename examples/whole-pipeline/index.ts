import * as pulumi from "@pulumi/pulumi";
import { AuditPipeline, AuroraPostgres, KafkaCluster, Network } from "cdc-audit";

const config = new pulumi.Config();
const network = new Network("network", { availabilityZones: config.requireObject<string[]>("availabilityZones") });
const inPrivateSubnets = { vpcId: network.vpcId, subnetIds: network.privateSubnetIds };
const database = new AuroraPostgres("database", inPrivateSubnets);
const { endpoint, databaseName, securityGroupId, masterSecretArn, keyArn } = database;
const kafka = new KafkaCluster("kafka", { ...inPrivateSubnets, brokers: 2 });

const audit = new AuditPipeline("audit", {
  ...inPrivateSubnets,
  sourceId: "orders",
  tables: [{ schema: "public", table: "%" }],
  source: { endpoint, databaseName, securityGroupId, adminSecretArn: masterSecretArn, adminSecretKeyArn: keyArn },
  kafka,
  transformer: { imageUri: config.require("imageUri") },
  sink: { pluginPath: config.require("pluginPath") },
  operator: { bundlePath: "node_modules/cdc-audit/operator" },
});

export const { dashboardName, alarmTopicArn } = audit;
