import type * as pulumi from "@pulumi/pulumi";
import { defaultMessageMaxBytes, type Topics, pipelineTopics } from "../../contract/topics";
import type { AuditSinkArgs } from "../audit-sink";
import type { ChangeCaptureArgs } from "../change-capture";
import type { TransformerServiceArgs } from "../transformer-service";
import type { AuditPipelineArgs } from "./types";

/** What the parts take from resources of the pipeline; checks run before those exist, with outputs in their place. */
export interface Links {
  readonly keyArn: pulumi.Input<string>;
  /** Topic names that resolve once the topics exist. */
  readonly topics: Readonly<Record<keyof Topics, pulumi.Input<string>>>;
  readonly captureSecret: Secret;
  readonly writerSecret: Secret;
}

/** A secret and the key it is under, if it has one of its own. */
export interface Secret {
  readonly secretArn: pulumi.Input<string>;
  readonly keyArn?: pulumi.Input<string>;
}

/** The pipeline's topics as the contract defines them. */
export function topicsOf(args: AuditPipelineArgs): Topics {
  return pipelineTopics(args.topics);
}

export function retainsData(args: AuditPipelineArgs): boolean {
  return args.retainData ?? true;
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
      ...links.captureSecret,
    },
    kafka: {
      bootstrapBrokersScram: kafka.bootstrapBrokersScram,
      securityGroupId: kafka.securityGroupId,
      captureUsername: kafka.captureUsername,
      capturePassword: kafka.capturePassword,
    },
    rawTopic: links.topics.raw,
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
    destination: { endpoint, port, databaseName, securityGroupId, ...links.writerSecret },
    eventsPartitions: topicsOf(args).events.partitions,
    replicationFactor: args.kafka.replicationFactor,
    messageMaxBytes: messageMaxBytesOf(args),
  };
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
