import * as pulumi from "@pulumi/pulumi";
import { defaultMessageMaxBytes, type Topics, pipelineTopics } from "../../contract/topics";
import { sinkConnectorName } from "../../contract/sink-connector";
import type { AuditSinkArgs } from "../audit-sink";
import { connectorNameOf } from "../audit-sink/defaults";
import type { ChangeCaptureArgs } from "../change-capture";
import { taskIdentifierOf } from "../change-capture/defaults";
import type { CanaryArgs, OperatedDatabaseArgs, OperatedPartsArgs, Operator, OperatorArgs } from "../operator";
import { bundleDigest } from "../operator/bundle";
import { canaryPace } from "../operator/defaults";
import { known } from "../shared/checks";
import type { TransformerServiceArgs } from "../transformer-service";
import { applicationIdOf } from "../transformer-service/defaults";
import type { AuditPipelineArgs, PipelineDestinationArgs } from "./types";

/** What the parts take from resources of the pipeline; checks run before those exist, with outputs in their place. */
export interface Links {
  readonly keyArn: pulumi.Input<string>;
  /** Topic names that resolve once the topics exist. */
  readonly topics: Readonly<Record<keyof Topics, pulumi.Input<string>>>;
  readonly captureSecret: Secret;
  readonly writerSecret: Secret;
  /** The operator's function, which resolves once databases and brokers are prepared; none without an operator. */
  readonly operatorFunctionName?: pulumi.Input<string>;
}

/** A secret and the key it is under, if it has one of its own. */
export interface Secret {
  readonly secretArn: pulumi.Input<string>;
  readonly keyArn?: pulumi.Input<string>;
  /** Of a secret that the pipeline makes. */
  readonly versionId?: pulumi.Input<string>;
}

/** Logical names of the parts. */
export function partNames(name: string) {
  return {
    operator: `${name}-operator`,
    capture: `${name}-capture`,
    transformer: `${name}-transformer`,
    sink: `${name}-${sinkConnectorName}`,
    monitoring: `${name}-monitoring`,
    canary: `${name}-canary`,
  };
}

/** The pipeline's topics as the contract defines them. */
export function topicsOf(args: AuditPipelineArgs): Topics {
  return pipelineTopics(args.topics);
}

export function retainsData(args: AuditPipelineArgs): boolean {
  return args.retainData ?? true;
}

export function hasOperator(args: AuditPipelineArgs): boolean {
  return args.operator.enabled ?? true;
}

/** Which parts the operator may ask about, by the names that they will bear. */
export function operatedParts(name: string, args: AuditPipelineArgs): OperatedPartsArgs {
  const names = partNames(name);
  return {
    captureName: names.capture,
    captureTaskIdentifier: taskIdentifierOf(names.capture),
    transformerGroup: applicationIdOf(names.transformer, args.transformer),
    connectorName: connectorNameOf(names.sink, args.sink),
  };
}

export function operatorArgs(args: AuditPipelineArgs, links: Links, parts: OperatedPartsArgs): OperatorArgs {
  const { operator, kafka } = args;
  const { vpcId, subnetIds, logRetentionDays, kmsKeyArn } = common(args, links);
  return {
    sourceId: args.sourceId,
    vpcId,
    subnetIds,
    logRetentionDays,
    kmsKeyArn,
    bundlePath: operator.bundlePath ?? "",
    source: operatedDatabase(args.source),
    destination: args.destination && operatedDatabase(args.destination),
    captureRole: links.captureSecret,
    writerRole: links.writerSecret,
    tables: args.tables,
    kafka: {
      clusterArn: kafka.clusterArn,
      bootstrapBrokersIam: kafka.bootstrapBrokersIam,
      securityGroupId: kafka.securityGroupId,
      scramUsername: kafka.scramUsername,
      scramSecretArn: kafka.scramSecretArn,
      keyArn: kafka.keyArn,
      publicAccessUntil: kafka.publicAccessUntil,
    },
    topics: { raw: links.topics.raw, events: links.topics.events },
    parts,
    partitionsAhead: operator.partitionsAhead,
    partitionPeriod: operator.partitionPeriod,
    auditRetention: operator.auditRetention,
    reservedConcurrency: operator.reservedConcurrency,
  };
}

function operatedDatabase(database: PipelineDestinationArgs): OperatedDatabaseArgs {
  const { endpoint, port, databaseName, securityGroupId, adminSecretKeyArn } = database;
  // A missing one is refused before anything is made.
  const adminSecretArn = database.adminSecretArn ?? pulumi.output("");
  return { endpoint, port, databaseName, securityGroupId, adminSecretArn, adminSecretKeyArn };
}

/** What the pipeline is made of once all parts but the canary are there. */
export interface RunningParts {
  readonly operator: Operator;
  readonly captureTaskArn: pulumi.Input<string>;
  readonly taskDefinitionArn: pulumi.Input<string>;
  readonly connectorArn: pulumi.Input<string>;
  readonly transformerGroup: pulumi.Input<string>;
  readonly sinkGroup: pulumi.Input<string>;
}

export function canaryArgs(args: AuditPipelineArgs, links: Links, running: RunningParts): CanaryArgs {
  const { functionName, functionArn, schedulerRoleArn, failedRunsQueueArn, keyArn } = running.operator;
  return {
    operator: { functionName, functionArn, schedulerRoleArn, failedRunsQueueArn, keyArn },
    sourceId: args.sourceId,
    source: operatedDatabase(args.source),
    destination: args.destination && operatedDatabase(args.destination),
    kafka: {
      bootstrapBrokersIam: args.kafka.bootstrapBrokersIam,
      rawTopic: links.topics.raw,
      eventsTopic: links.topics.events,
      transformerGroup: running.transformerGroup,
      sinkGroup: running.sinkGroup,
    },
    captureTaskArn: running.captureTaskArn,
    connectorArn: running.connectorArn,
    sentAgainFor: {
      transformer: running.taskDefinitionArn,
      capture: JSON.stringify({ tables: args.tables, lobMaxSizeKilobytes: args.lobMaxSizeKilobytes }),
      operator: bundleDigest(args.operator.bundlePath ?? ""),
    },
    ...canarySettings(args),
  };
}

/** When canaries are sent; also for checks. */
export function canarySettings({ operator, capture }: AuditPipelineArgs) {
  return {
    intervalMinutes: operator.canaryIntervalMinutes,
    timeoutSeconds: operator.canaryTimeoutSeconds,
    capturing: capture?.startTask,
  };
}

/** How often a canary is to be expected; undefined where nothing is captured yet. */
export function expectedCanaries(args: AuditPipelineArgs): number | undefined {
  const { capturing, ...pace } = canarySettings(args);
  return known(capturing) === false ? undefined : canaryPace(pace).intervalMinutes;
}

export function captureArgs(args: AuditPipelineArgs, links: Links): ChangeCaptureArgs {
  const { source, kafka } = args;
  return {
    ...args.capture,
    ...common(args, links),
    source: {
      endpoint: source.endpoint,
      port: source.port,
      databaseName: source.databaseName,
      securityGroupId: source.securityGroupId,
      postgresVersion: source.postgresVersion,
      secretArn: links.captureSecret.secretArn,
      keyArn: links.captureSecret.keyArn,
    },
    kafka: {
      bootstrapBrokersScram: kafka.bootstrapBrokersScram,
      securityGroupId: kafka.securityGroupId,
      scramUsername: kafka.scramUsername,
      scramPassword: kafka.scramPassword,
    },
    rawTopic: links.topics.raw,
    operatorFunctionName: links.operatorFunctionName,
    tables: args.tables.map(({ schema, table }) => ({ schema, table })),
    messageMaxBytes: messageMaxBytesOf(args),
    lobMaxSizeKilobytes: args.lobMaxSizeKilobytes,
  };
}

export function transformerArgs(args: AuditPipelineArgs, links: Links): TransformerServiceArgs {
  return {
    ...args.transformer,
    ...common(args, links),
    sourceId: args.sourceId,
    kafka: iamKafka(args),
    topics: links.topics,
    rawPartitions: topicsOf(args).raw.partitions,
    messageMaxBytes: messageMaxBytesOf(args),
    lobMaxSizeKilobytes: args.lobMaxSizeKilobytes,
  };
}

export function sinkArgs(args: AuditPipelineArgs, links: Links): AuditSinkArgs {
  const { endpoint, port, databaseName, securityGroupId } = args.destination ?? args.source;
  return {
    ...args.sink,
    ...common(args, links),
    kafka: iamKafka(args),
    topics: { events: links.topics.events, deadLetter: links.topics.deadLetter },
    destination: {
      endpoint,
      port,
      databaseName,
      securityGroupId,
      secretArn: oncePrepared(links, links.writerSecret.secretArn),
      keyArn: links.writerSecret.keyArn,
    },
    eventsPartitions: topicsOf(args).events.partitions,
    replicationFactor: args.kafka.replicationFactor,
    messageMaxBytes: messageMaxBytesOf(args),
  };
}

/** The value, once the operator has prepared the databases, so that nobody logs in before the role is there. */
function oncePrepared(links: Links, value: pulumi.Input<string>): pulumi.Input<string> {
  const { operatorFunctionName } = links;
  return operatorFunctionName === undefined
    ? value
    : pulumi.all([value, operatorFunctionName]).apply(([ready]) => ready);
}

function common(args: AuditPipelineArgs, links: Links) {
  return {
    vpcId: args.vpcId,
    subnetIds: args.subnetIds,
    retainData: retainsData(args),
    logRetentionDays: args.logRetentionDays,
    kmsKeyArn: links.keyArn,
  };
}

function iamKafka({ kafka }: AuditPipelineArgs) {
  return {
    clusterArn: kafka.clusterArn,
    bootstrapBrokersIam: kafka.bootstrapBrokersIam,
    securityGroupId: kafka.securityGroupId,
  };
}

function messageMaxBytesOf(args: AuditPipelineArgs): number {
  return args.topics?.messageMaxBytes ?? defaultMessageMaxBytes;
}
