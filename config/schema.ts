import { z } from "zod";
import type {
  AuditPipelineArgs,
  PipelineAlarmsArgs,
  PipelineCaptureArgs,
  PipelineOperatorArgs,
  PipelineReviewArgs,
  PipelineSinkArgs,
  PipelineTopicsArgs,
  PipelineTransformerArgs,
} from "../components/audit-pipeline/types";
import { DatabaseInsights, type AuroraPostgresArgs } from "../components/aurora-postgres/types";
import { type KafkaClusterArgs, MonitoringLevel, PublicAccessStage } from "../components/kafka-cluster/types";
import { NatGateways, type NetworkArgs } from "../components/network/types";
import { type AuditedTableArgs, PartitionPeriod, ReplicaIdentity } from "../components/operator/types";
import type { ReviewCognitoArgs, ReviewGroupArgs, ReviewOidcArgs } from "../components/review-service/types";
import { CpuArchitecture } from "../components/shared/cpu-architecture";
import { type SchemasOf, choice, flag, number, secretText, text } from "./values";

/** Kinds of environment, each with its own defaults. */
export const environments = ["dev", "prod"] as const;
export type Environment = (typeof environments)[number];

const network = {
  cidrBlock: text().optional(),
  availabilityZones: z.array(text()).optional(),
  natGateways: choice(NatGateways).optional(),
  interfaceEndpoints: z.array(text()).optional(),
  existing: z
    .strictObject({
      vpcId: text(),
      cidrBlock: text(),
      privateSubnetIds: z.array(text()),
      publicSubnetIds: z.array(text()).optional(),
    })
    .optional(),
} satisfies SchemasOf<NetworkArgs>;

const database = {
  engineVersion: text().optional(),
  allowMajorVersionUpgrade: flag().optional(),
  serverless: z.strictObject({ minimumCapacity: number().optional(), maximumCapacity: number().optional() }).optional(),
  instanceClass: text().optional(),
  readers: number().optional(),
  databaseName: text().optional(),
  backupRetentionDays: number().optional(),
  finalSnapshot: flag().optional(),
  backupWindow: text().optional(),
  maintenanceWindow: text().optional(),
  applyImmediately: flag().optional(),
  databaseInsights: choice(DatabaseInsights).optional(),
  parameters: z.array(z.strictObject({ name: text(), value: text(), needsRestart: flag().optional() })).optional(),
} satisfies SchemasOf<AuroraPostgresArgs, "vpcId" | "subnetIds" | "retainData" | "logRetentionDays" | "kmsKeyArn">;

/** May be missing here: the component's check explains both stages. */
const publicAccessStage = choice(PublicAccessStage)
  .optional()
  .transform((stage) => stage as PublicAccessStage);

const kafka = {
  subnetsArePublic: flag().optional(),
  brokers: number(),
  instanceType: text().optional(),
  kafkaVersion: text().optional(),
  volumeSizeGiB: number().optional(),
  storageAutoscaling: z.strictObject({ maximumGiB: number(), targetUtilization: number().optional() }).optional(),
  publicAccess: z.strictObject({ cidrs: z.array(text()), until: text(), stage: publicAccessStage }).optional(),
  monitoringLevel: choice(MonitoringLevel).optional(),
  scramUsername: text().optional(),
} satisfies SchemasOf<
  KafkaClusterArgs,
  "vpcId" | "subnetIds" | "topics" | "retainData" | "logRetentionDays" | "kmsKeyArn"
>;

const table = {
  schema: text(),
  table: text(),
  exclude: flag().optional(),
  ignoredColumns: z.array(text()).optional(),
  redactedColumns: z.array(text()).optional(),
  identifyActor: flag().optional(),
  replicaIdentity: choice(ReplicaIdentity).optional(),
} satisfies SchemasOf<AuditedTableArgs>;

const topics = {
  prefix: text().optional(),
  rawPartitions: number().optional(),
  eventsPartitions: number().optional(),
  retentionDays: number().optional(),
  messageMaxBytes: number().optional(),
} satisfies SchemasOf<PipelineTopicsArgs>;

const capture = {
  engineVersion: text().optional(),
  postgresVersions: z.array(number()).optional(),
  instanceClass: text().optional(),
  allocatedStorageGiB: number().optional(),
  multiAz: flag().optional(),
  maintenanceWindow: text().optional(),
  createServiceRoles: flag().optional(),
  startTask: flag().optional(),
  fullLoad: flag().optional(),
  heartbeatMinutes: number().optional(),
  slotName: text().optional(),
  cdcStartPosition: text().optional(),
  certificatePem: text().optional(),
  secretsManagerEndpoint: text().optional(),
} satisfies SchemasOf<PipelineCaptureArgs>;

const transformer = {
  imageUri: text().optional(),
  imageBuildContext: text().optional(),
  architecture: choice(CpuArchitecture).optional(),
  applicationId: text().optional(),
  cpu: number().optional(),
  memoryMiB: number().optional(),
  streamThreads: number().optional(),
  minimumTasks: number().optional(),
  maximumTasks: number().optional(),
} satisfies SchemasOf<PipelineTransformerArgs>;

const sink = {
  pluginPath: text(),
  connectorName: text().optional(),
  tasks: number().optional(),
  workers: number().optional(),
  mcusPerWorker: number().optional(),
} satisfies SchemasOf<PipelineSinkArgs>;

const operator = {
  enabled: flag().optional(),
  bundlePath: text().optional(),
  actorSources: z.array(text()).optional(),
  partitionsAhead: text().optional(),
  partitionPeriod: choice(PartitionPeriod).optional(),
  auditRetention: text().optional(),
  canaryIntervalMinutes: number().optional(),
  canaryTimeoutSeconds: number().optional(),
  reservedConcurrency: number().optional(),
} satisfies SchemasOf<PipelineOperatorArgs>;

const reviewOidc = {
  issuer: text(),
  authorizationEndpoint: text(),
  tokenEndpoint: text(),
  userInfoEndpoint: text(),
  clientId: text(),
  clientSecret: secretText(),
  scope: text().optional(),
  groupsClaim: text().optional(),
} satisfies SchemasOf<ReviewOidcArgs>;

const reviewCognito = {
  userPoolArn: text(),
  userPoolClientId: text(),
  userPoolDomain: text(),
} satisfies SchemasOf<ReviewCognitoArgs>;

const reviewGroup = {
  name: text(),
  tables: z.array(text()),
  unmasked: flag().optional(),
  reveal: flag().optional(),
} satisfies SchemasOf<ReviewGroupArgs>;

const review = {
  hostName: text(),
  certificateArn: text(),
  clientCidrs: z.array(text()),
  oidc: z.strictObject(reviewOidc).optional(),
  cognito: z.strictObject(reviewCognito).optional(),
  groups: z.array(z.strictObject(reviewGroup)),
  maskedColumns: z.array(text()).optional(),
  readerClaim: text().optional(),
  sessionHours: number().optional(),
  imageUri: text().optional(),
  imageBuildContext: text().optional(),
  architecture: choice(CpuArchitecture).optional(),
  cpu: number().optional(),
  memoryMiB: number().optional(),
  tasks: number().optional(),
} satisfies SchemasOf<PipelineReviewArgs>;

const alarms = {
  email: text().optional(),
  latencySeconds: number().optional(),
  slotLagGiB: number().optional(),
  kafkaDiskUsedPercent: number().optional(),
  partitionDaysAhead: number().optional(),
} satisfies SchemasOf<PipelineAlarmsArgs>;

/** What the program fills in itself, or leaves to other stacks: see the component for pipelines over other databases. */
type GivenToPipeline =
  | "vpcId"
  | "subnetIds"
  | "source"
  | "destination"
  | "writerSecretArn"
  | "writerSecretKeyArn"
  | "kafka"
  | "retainData"
  | "logRetentionDays"
  | "kmsKeyArn";

const pipeline = {
  sourceId: text(),
  tables: z.array(z.strictObject(table)),
  topics: z.strictObject(topics),
  lobMaxSizeKilobytes: number(),
  unboundedVarcharMaxBytes: number(),
  capture: z.strictObject(capture),
  transformer: z.strictObject(transformer),
  sink: z.strictObject(sink).partial({ pluginPath: true }),
  operator: z.strictObject(operator),
  // What is required of a page is checked by its component, which also says what each member is for.
  review: z.strictObject(review).partial(),
  alarms: z.strictObject(alarms),
} satisfies Record<Exclude<keyof AuditPipelineArgs, GivenToPipeline>, z.ZodType>;

const schemas = {
  network: z.strictObject(network),
  database: z.strictObject(database),
  kafka: z.strictObject(kafka).partial({ brokers: true }),
  ...pipeline,
};
export type NetworkSettings = z.output<typeof schemas.network>;
export type DatabaseSettings = z.output<typeof schemas.database>;
export type KafkaSettings = z.output<typeof schemas.kafka>;
export type CaptureSettings = z.output<typeof schemas.capture>;
export type TransformerSettings = z.output<typeof schemas.transformer>;
export type SinkSettings = z.output<typeof schemas.sink>;
export type OperatorSettings = z.output<typeof schemas.operator>;
export type ReviewSettings = z.output<typeof schemas.review>;
export type TopicSettings = z.output<typeof schemas.topics>;
export type TableSettings = z.output<typeof schemas.tables>;
export type AlarmSettings = z.output<typeof schemas.alarms>;

/** Every setting of a stack, by the key under which `pulumi config` knows it. */
export const settingSchemas = {
  environment: z.enum(environments),
  retainData: flag(),
  logRetentionDays: number(),
  kmsKeyArn: text(),
  auditDatabaseName: text(),
  ...schemas,
} as const;
export type SettingKey = keyof typeof settingSchemas;
