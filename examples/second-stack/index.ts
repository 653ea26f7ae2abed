import * as pulumi from "@pulumi/pulumi";
import { AuditPipeline, AuroraPostgres, KafkaCluster } from "cdc-audit";

const config = new pulumi.Config();
const first = new pulumi.StackReference(config.require("firstStack"));
const inPrivateSubnets = {
  vpcId: first.requireOutput("vpcId") as pulumi.Output<string>,
  subnetIds: first.requireOutput("privateSubnetIds") as pulumi.Output<string[]>,
};
const database = new AuroraPostgres("payments", { ...inPrivateSubnets, databaseName: "payments" });
const kafka = new KafkaCluster("kafka", { ...inPrivateSubnets, brokers: 2 });

const audit = new AuditPipeline("audit", {
  ...inPrivateSubnets,
  sourceId: "payments",
  tables: [{ schema: "public", table: "%" }],
  source: {
    endpoint: database.endpoint,
    databaseName: database.databaseName,
    securityGroupId: database.securityGroupId,
    clusterIdentifier: database.clusterIdentifier,
    adminSecretArn: database.masterSecretArn,
    adminSecretKeyArn: database.keyArn,
  },
  kafka,
  transformer: { imageUri: config.require("imageUri") },
  sink: { pluginPath: config.require("pluginPath") },
  operator: { bundlePath: "node_modules/cdc-audit/operator" },
});

// The people on call for the first stack can subscribe to the alarms of both.
export const alarmTopicArns = [first.requireOutput("alarmTopicArn"), audit.alarmTopicArn];
