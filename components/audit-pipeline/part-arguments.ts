/*
 * What each part of a pipeline is told, from what the pipeline is told. Longer than other files, since the parts must agree:
 * side by side one sees that they are told the same.
 */
import * as pulumi from "@pulumi/pulumi";
import { defaultMessageMaxBytes, type Topics, pipelineTopics } from "../../contract/topics";
import { firstEnd } from "../../contract/lifetimes";
import { sinkConnectorName } from "../../contract/sink-connector";
import type { AuditSink, AuditSinkArgs } from "../audit-sink";
import { connectVersion, connectorNameOf } from "../audit-sink/names";
import type { ChangeCapture, ChangeCaptureArgs } from "../change-capture";
import { defaultEngineVersion } from "../change-capture/engine-versions";
import { taskIdentifierOf } from "../change-capture/names";
import type { MonitoringArgs } from "../monitoring";
import type { CanaryArgs, OperatedDatabaseArgs, OperatedPartsArgs, Operator, OperatorArgs } from "../operator";
import { bundleDigest } from "../operator/bundle";
import { functionRuntime } from "../operator/names";
import { canaryTiming } from "../operator/timing";
import { known } from "../shared/checks";
import type { ReviewService, ReviewServiceArgs } from "../review-service";
import type { TransformerService, TransformerServiceArgs } from "../transformer-service";
import { applicationIdOf } from "../transformer-service/names";
import type { AuditPipelineArgs, PipelineDestinationArgs, PipelineReviewArgs } from "./types";

/** Resources of the pipeline that several parts use. Checks run before they exist, with outputs in their place. */
export interface SharedResources {
  readonly keyArn: pulumi.Input<string>;
  /** Topic names that resolve once the topics exist. */
  readonly topics: Readonly<Record<keyof Topics, pulumi.Input<string>>>;
  readonly captureSecret: Secret;
  readonly writerSecret: Secret;
  /** None without the reviewer's page. */
  readonly reviewSecret?: Secret;
  /**
   * Name of the operator's function, which resolves once databases and brokers are prepared. None without an operator.
   */
  readonly operatorFunctionName?: pulumi.Input<string>;
  /** The same name, which resolves once the destination is prepared; the source comes after the transformer. */
  readonly destinationFunctionName?: pulumi.Input<string>;
}

/** A secret of a database role. */
export interface Secret {
  readonly secretArn: pulumi.Input<string>;
  /** Its customer-managed key. None: it is under AWS's own key. */
  readonly keyArn?: pulumi.Input<string>;
  /** Set for a secret that the pipeline makes. */
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
    review: `${name}-review`,
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

/** Which parts the operator may ask about, by the names that they will have. */
export function operatedParts(name: string, args: AuditPipelineArgs): OperatedPartsArgs {
  const names = partNames(name);
  return {
    captureName: names.capture,
    captureTaskIdentifier: taskIdentifierOf(names.capture),
    transformerGroup: applicationIdOf(names.transformer, args.transformer),
    connectorName: connectorNameOf(names.sink, args.sink),
  };
}

export function operatorArgs(args: AuditPipelineArgs, shared: SharedResources, parts: OperatedPartsArgs): OperatorArgs {
  const { operator, kafka } = args;
  const { vpcId, subnetIds, logRetentionDays, kmsKeyArn } = common(args, shared);
  return {
    sourceId: args.sourceId,
    vpcId,
    subnetIds,
    logRetentionDays,
    kmsKeyArn,
    bundlePath: operator.bundlePath ?? "",
    source: operatedDatabase(args.source),
    destination: args.destination && operatedDatabase(args.destination),
    captureRole: shared.captureSecret,
    writerRole: shared.writerSecret,
    reviewRole: shared.reviewSecret,
    tables: args.tables,
    actorSources: operator.actorSources,
    postgresVersions: args.capture?.postgresVersions,
    unboundedVarcharMaxBytes: args.unboundedVarcharMaxBytes,
    lobMaxSizeKilobytes: args.lobMaxSizeKilobytes,
    messageMaxBytes: args.topics?.messageMaxBytes,
    kafka: {
      clusterArn: kafka.clusterArn,
      bootstrapBrokersIam: kafka.bootstrapBrokersIam,
      securityGroupId: kafka.securityGroupId,
      scramUsername: kafka.scramUsername,
      scramSecretArn: kafka.scramSecretArn,
      keyArn: kafka.keyArn,
      publicAccessUntil: kafka.publicAccessUntil,
    },
    topics: { raw: shared.topics.raw, events: shared.topics.events },
    parts,
    partitionsAhead: operator.partitionsAhead,
    partitionPeriod: operator.partitionPeriod,
    auditRetention: operator.auditRetention,
    reservedConcurrency: operator.reservedConcurrency,
    versionsEnd: versionsEnd(args),
  };
}

/** The last day of the version that ends first, among those of all parts. */
function versionsEnd({ capture, source, kafka }: AuditPipelineArgs): pulumi.Output<string | undefined> {
  return pulumi
    .all([capture?.engineVersion, source.postgresVersion, kafka.kafkaVersion])
    .apply(([engine, postgres, brokers]) =>
      firstEnd([
        ["dmsEngine", engine ?? defaultEngineVersion],
        ["lambdaRuntime", functionRuntime],
        ["kafkaConnect", connectVersion],
        ...(postgres ? [["auroraPostgres", postgres] as const] : []),
        ...(brokers ? [["kafka", brokers] as const] : []),
      ]),
    );
}

function operatedDatabase(database: PipelineDestinationArgs): OperatedDatabaseArgs {
  const { endpoint, port, databaseName, securityGroupId, adminSecretKeyArn } = database;
  // The checks refuse a missing one before anything is made.
  const adminSecretArn = database.adminSecretArn ?? pulumi.output("");
  return { endpoint, port, databaseName, securityGroupId, adminSecretArn, adminSecretKeyArn };
}

/** The parts that watch or prove the others; made once those are there. */
export interface RunningParts {
  readonly capture: ChangeCapture;
  readonly transformer: TransformerService;
  readonly sink: AuditSink;
}

/** Parts that a pipeline may lack. */
interface WatchedParts {
  readonly operator: Operator;
  readonly review: ReviewService;
}

export function monitoringArgs(
  args: AuditPipelineArgs,
  shared: SharedResources,
  { capture, transformer, sink, operator, review }: RunningParts & Partial<WatchedParts>,
): MonitoringArgs {
  return {
    ...args.alarms,
    sourceClusterIdentifier: args.source.clusterIdentifier,
    capture: {
      taskArn: capture.taskArn,
      taskIdentifier: capture.taskIdentifier,
      instanceArn: capture.instanceArn,
      instanceIdentifier: capture.instanceIdentifier,
    },
    kafka: {
      clusterArn: args.kafka.clusterArn,
      rawTopic: shared.topics.raw,
      eventsTopic: shared.topics.events,
      deadLetterTopic: shared.topics.deadLetter,
    },
    transformer: {
      clusterName: transformer.clusterName,
      serviceName: transformer.serviceName,
      consumerGroup: transformer.applicationId,
    },
    sink: {
      connectorName: sink.connectorName,
      consumerGroup: sink.consumerGroup,
    },
    operator: operator && {
      functionName: operator.functionName,
      sourceId: args.sourceId,
      failedRunsQueueName: operator.failedRunsQueueName,
      canaryIntervalMinutes: expectedCanaryMinutes(args),
    },
    review: review && {
      loadBalancerMetricName: review.loadBalancerMetricName,
      targetGroupMetricName: review.targetGroupMetricName,
    },
    kmsKeyArn: shared.keyArn,
  };
}

export function canaryArgs(
  args: AuditPipelineArgs,
  shared: SharedResources,
  { capture, transformer, sink, operator }: RunningParts & { readonly operator: Operator },
): CanaryArgs {
  const { functionName, functionArn, schedulerRoleArn, failedRunsQueueArn, keyArn } = operator;
  return {
    operator: { functionName, functionArn, schedulerRoleArn, failedRunsQueueArn, keyArn },
    sourceId: args.sourceId,
    source: operatedDatabase(args.source),
    destination: args.destination && operatedDatabase(args.destination),
    kafka: {
      bootstrapBrokersIam: args.kafka.bootstrapBrokersIam,
      rawTopic: shared.topics.raw,
      eventsTopic: shared.topics.events,
      transformerGroup: transformer.applicationId,
      sinkGroup: sink.consumerGroup,
    },
    captureTaskArn: capture.taskArn,
    connectorArn: sink.connectorArn,
    triggers: {
      transformer: transformer.taskDefinitionArn,
      capture: JSON.stringify({
        tables: args.tables,
        lobMaxSizeKilobytes: args.lobMaxSizeKilobytes,
        unboundedVarcharMaxBytes: args.unboundedVarcharMaxBytes,
      }),
      operator: bundleDigest(args.operator.bundlePath ?? ""),
    },
    ...canarySettings(args),
  };
}

/** When canaries are sent. The checks use it too. */
export function canarySettings({ operator, capture }: AuditPipelineArgs) {
  return {
    intervalMinutes: operator.canaryIntervalMinutes,
    timeoutSeconds: operator.canaryTimeoutSeconds,
    capturing: capture?.startTask,
  };
}

/** Minutes between canaries; undefined while nothing is captured and none is sent. */
export function expectedCanaryMinutes(args: AuditPipelineArgs): number | undefined {
  const { capturing, ...timing } = canarySettings(args);
  return known(capturing) === false ? undefined : canaryTiming(timing).intervalMinutes;
}

export function captureArgs(args: AuditPipelineArgs, shared: SharedResources): ChangeCaptureArgs {
  const { source, kafka } = args;
  return {
    ...args.capture,
    ...common(args, shared),
    source: {
      endpoint: source.endpoint,
      port: source.port,
      databaseName: source.databaseName,
      securityGroupId: source.securityGroupId,
      postgresVersion: source.postgresVersion,
      secretArn: shared.captureSecret.secretArn,
      keyArn: shared.captureSecret.keyArn,
    },
    kafka: {
      bootstrapBrokersScram: kafka.bootstrapBrokersScram,
      securityGroupId: kafka.securityGroupId,
      scramUsername: kafka.scramUsername,
      scramPassword: kafka.scramPassword,
    },
    rawTopic: shared.topics.raw,
    operatorFunctionName: shared.operatorFunctionName,
    tables: args.tables.map(({ schema, table, exclude }) => ({ schema, table, exclude })),
    messageMaxBytes: messageMaxBytesOf(args),
    lobMaxSizeKilobytes: args.lobMaxSizeKilobytes,
    unboundedVarcharMaxBytes: args.unboundedVarcharMaxBytes,
  };
}

export function transformerArgs(args: AuditPipelineArgs, shared: SharedResources): TransformerServiceArgs {
  return {
    ...args.transformer,
    ...common(args, shared),
    sourceId: args.sourceId,
    kafka: iamKafka(args),
    topics: shared.topics,
    rawPartitions: topicsOf(args).raw.partitions,
    messageMaxBytes: messageMaxBytesOf(args),
    lobMaxSizeKilobytes: args.lobMaxSizeKilobytes,
  };
}

export function sinkArgs(args: AuditPipelineArgs, shared: SharedResources): AuditSinkArgs {
  const { endpoint, port, databaseName, securityGroupId } = args.destination ?? args.source;
  return {
    ...args.sink,
    ...common(args, shared),
    kafka: iamKafka(args),
    topics: { events: shared.topics.events, deadLetter: shared.topics.deadLetter },
    destination: {
      endpoint,
      port,
      databaseName,
      securityGroupId,
      secretArn: onceDestinationIsPrepared(shared, shared.writerSecret.secretArn),
      keyArn: shared.writerSecret.keyArn,
    },
    eventsPartitions: topicsOf(args).events.partitions,
    replicationFactor: args.kafka.replicationFactor,
    messageMaxBytes: messageMaxBytesOf(args),
  };
}

/** @param clusterArn The ECS cluster of the transformer, in which the page runs too. */
export function reviewArgs(
  args: AuditPipelineArgs,
  review: PipelineReviewArgs,
  shared: SharedResources,
  clusterArn: pulumi.Input<string>,
): ReviewServiceArgs {
  const { endpoint, port, databaseName, securityGroupId } = args.destination ?? args.source;
  const secret = shared.reviewSecret ?? { secretArn: pulumi.output("") };
  return {
    ...review,
    ...common(args, shared),
    clusterArn,
    database: {
      endpoint,
      port,
      databaseName,
      securityGroupId,
      secretArn: onceDestinationIsPrepared(shared, secret.secretArn),
      keyArn: secret.keyArn,
    },
  };
}

/** The value, once the operator has prepared the destination: nobody can log in before the role exists. */
function onceDestinationIsPrepared(shared: SharedResources, value: pulumi.Input<string>): pulumi.Input<string> {
  const { destinationFunctionName } = shared;
  return destinationFunctionName === undefined
    ? value
    : pulumi.all([value, destinationFunctionName]).apply(([ready]) => ready);
}

function common(args: AuditPipelineArgs, shared: SharedResources) {
  return {
    vpcId: args.vpcId,
    subnetIds: args.subnetIds,
    retainData: retainsData(args),
    logRetentionDays: args.logRetentionDays,
    kmsKeyArn: shared.keyArn,
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
