import * as pulumi from "@pulumi/pulumi";
import { AuditPipeline, KafkaCluster, type PipelineSourceArgs } from "cdc-audit";

const config = new pulumi.Config();
const inPrivateSubnets = {
  vpcId: config.require("vpcId"),
  subnetIds: config.requireObject<string[]>("privateSubnetIds"),
};
const kafka = new KafkaCluster("kafka", { ...inPrivateSubnets, brokers: 2 });

// The database's parameter group needs rds.logical_replication = 1; the deployment checks it before it changes
// anything.
const audit = new AuditPipeline("audit", {
  ...inPrivateSubnets,
  sourceId: "orders",
  tables: [
    { schema: "public", table: "orders", ignoredColumns: ["updated_at"] },
    { schema: "public", table: "customers", redactedColumns: ["email"] },
  ],
  source: config.requireObject<PipelineSourceArgs>("database"),
  kafka,
  transformer: { imageUri: config.require("imageUri") },
  sink: { pluginPath: config.require("pluginPath") },
  operator: { bundlePath: "node_modules/cdc-audit/operator" },
});

export const { dashboardName, alarmTopicArn } = audit;
