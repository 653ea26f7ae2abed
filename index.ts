import { AuditPipeline, AuroraPostgres, KafkaCluster, Network } from "./components";
import { readSettings } from "./config";

const settings = readSettings();
const { everywhere } = settings;

const network = new Network("network", settings.network);
const inPrivateSubnets = { vpcId: network.vpcId, subnetIds: network.privateSubnetIds };

const database = new AuroraPostgres("database", { ...everywhere, ...settings.database, ...inPrivateSubnets });

const kafka = new KafkaCluster("kafka", {
  ...everywhere,
  ...settings.kafka,
  vpcId: network.vpcId,
  subnetIds: settings.kafka.subnetsArePublic ? network.publicSubnetIds : network.privateSubnetIds,
});

const source = {
  endpoint: database.endpoint,
  port: database.port,
  databaseName: database.databaseName,
  securityGroupId: database.securityGroupId,
  adminSecretArn: database.masterSecretArn,
  adminSecretKeyArn: database.keyArn,
};

// From the database through Kafka back into the database; `destination` may also be another cluster.
const pipeline = new AuditPipeline("audit", {
  ...everywhere,
  ...settings.pipeline,
  ...inPrivateSubnets,
  source: { ...source, clusterIdentifier: database.clusterIdentifier, postgresVersion: database.engineVersion },
  destination: settings.auditDatabaseName ? { ...source, databaseName: settings.auditDatabaseName } : undefined,
  kafka: {
    clusterArn: kafka.clusterArn,
    bootstrapBrokersIam: kafka.bootstrapBrokersIam,
    bootstrapBrokersScram: kafka.bootstrapBrokersScram,
    securityGroupId: kafka.securityGroupId,
    scramUsername: kafka.scramUsername,
    scramPassword: kafka.scramPassword,
    scramSecretArn: kafka.scramSecretArn,
    keyArn: kafka.keyArn,
    publicAccessUntil: kafka.publicAccessUntil,
    kafkaVersion: kafka.kafkaVersion,
    replicationFactor: kafka.replicationFactor,
  },
});

// What another stack needs to stand beside this one, or to run its own pipeline over the same parts.
export const vpcId = network.vpcId;
export const privateSubnetIds = network.privateSubnetIds;
export const databaseEndpoint = database.endpoint;
export const databaseName = database.databaseName;
export const auditDatabaseName = settings.auditDatabaseName ?? database.databaseName;
export const databaseSecurityGroupId = database.securityGroupId;
export const databaseMasterSecretArn = database.masterSecretArn;
export const kafkaClusterArn = kafka.clusterArn;
export const kafkaBootstrapBrokers = kafka.bootstrapBrokersIam;
export const kafkaSecurityGroupId = kafka.securityGroupId;
export const captureSecretArn = pipeline.captureSecretArn;
export const writerSecretArn = pipeline.writerSecretArn;
export const operatorFunctionName = pipeline.operatorFunctionName;
// Nothing without the reviewer's page.
export const reviewUrl = settings.pipeline.review && pipeline.reviewUrl;
export const reviewLoadBalancerDnsName = settings.pipeline.review && pipeline.reviewLoadBalancerDnsName;
export const alarmTopicArn = pipeline.alarmTopicArn;
export const dashboardName = pipeline.dashboardName;
