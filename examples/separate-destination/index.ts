import * as pulumi from "@pulumi/pulumi";
import { AuditPipeline, AuroraPostgres, KafkaCluster, Network } from "cdc-audit";

/** What the pipeline must know about a database. */
function knownBy(database: AuroraPostgres) {
  return {
    endpoint: database.endpoint,
    databaseName: database.databaseName,
    securityGroupId: database.securityGroupId,
    adminSecretArn: database.masterSecretArn,
    adminSecretKeyArn: database.keyArn,
  };
}

const config = new pulumi.Config();
const network = new Network("network", { availabilityZones: config.requireObject<string[]>("availabilityZones") });
const inPrivateSubnets = { vpcId: network.vpcId, subnetIds: network.privateSubnetIds };
const orders = new AuroraPostgres("orders", { ...inPrivateSubnets, databaseName: "orders", readers: 1 });
const log = new AuroraPostgres("log", { ...inPrivateSubnets, databaseName: "log", backupRetentionDays: 35 });
const kafka = new KafkaCluster("kafka", { ...inPrivateSubnets, brokers: 3 });

const audit = new AuditPipeline("audit", {
  ...inPrivateSubnets,
  sourceId: "orders",
  tables: [{ schema: "public", table: "%" }],
  source: { ...knownBy(orders), clusterIdentifier: orders.clusterIdentifier },
  destination: knownBy(log),
  kafka,
  transformer: { imageUri: config.require("imageUri") },
  sink: { pluginPath: config.require("pluginPath") },
  operator: { bundlePath: "node_modules/cdc-audit/operator" },
});

export const { dashboardName, alarmTopicArn } = audit;
export const logEndpoint = log.readerEndpoint;
