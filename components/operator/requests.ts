import * as pulumi from "@pulumi/pulumi";
import type {
  BootstrapRequest,
  CanaryRequest,
  DatabaseAccess,
  GuardRequest,
  MaintainRequest,
} from "../../contract/operator";
import { postgresPort } from "../../contract/ports";
import { dmsPostgresVersions } from "../change-capture/engine-versions";
import { canaryTiming, deploymentCanarySeconds, maintenanceOf } from "./timing";
import type { CanaryArgs, CanaryDatabaseArgs, OperatorArgs } from "./types";

/** Checks both databases and prepares one of them. */
export function bootstrapRequest(
  args: OperatorArgs,
  only: NonNullable<BootstrapRequest["only"]>,
): pulumi.Output<BootstrapRequest> {
  const { partitionsAhead, partitionPeriod } = maintenanceOf(args);
  const postgresVersions = args.postgresVersions ?? dmsPostgresVersions;
  return pulumi
    .output({
      source: access(args.source),
      destination: access(args.destination ?? args.source),
      captureSecretArn: args.captureRole.secretArn,
      writerSecretArn: args.writerRole.secretArn,
      reviewSecretArn: args.reviewRole?.secretArn,
    })
    .apply(({ source, destination, captureSecretArn, writerSecretArn, reviewSecretArn }): BootstrapRequest => ({
      action: "bootstrap",
      only,
      source: {
        ...source,
        captureSecretArn,
        tables: args.tables,
        actorSources: args.actorSources,
        postgresVersions,
        unboundedVarcharMaxBytes: args.unboundedVarcharMaxBytes,
        lobMaxSizeKilobytes: args.lobMaxSizeKilobytes,
        messageMaxBytes: args.messageMaxBytes,
      },
      destination: { ...destination, writerSecretArn, reviewSecretArn, partitionsAhead, partitionPeriod },
    }));
}

/** Maintains partitions, signal table and slots. */
export function maintainRequest(args: OperatorArgs): pulumi.Output<MaintainRequest> {
  return pulumi
    .output({
      source: access(args.source),
      destination: access(args.destination ?? args.source),
      versionsEnd: args.versionsEnd,
    })
    .apply(({ source, destination, versionsEnd }): MaintainRequest => ({
      action: "maintain",
      sourceId: args.sourceId,
      source,
      destination: { ...destination, ...maintenanceOf(args) },
      versionsEnd,
    }));
}

/** Sets the SCRAM user's access rules, and closes public access whose time is over. */
export function guardRequest(args: OperatorArgs): pulumi.Output<GuardRequest> {
  const { clusterArn, bootstrapBrokersIam, scramUsername: captureUsername, publicAccessUntil } = args.kafka;
  return pulumi
    .output({ clusterArn, bootstrapBrokersIam, captureUsername, publicAccessUntil, rawTopic: args.topics.raw })
    .apply((request): GuardRequest => ({
      action: "guard",
      ...request,
      publicAccessUntil: request.publicAccessUntil ? new Date(request.publicAccessUntil).toISOString() : undefined,
    }));
}

/** Sends a canary through the whole pipeline, every few minutes. */
export function canaryRequest(args: CanaryArgs): pulumi.Output<CanaryRequest> {
  return pulumi
    .output({
      source: access(args.source),
      destination: access(args.destination ?? args.source),
      captureTaskArn: args.captureTaskArn,
      kafka: args.kafka,
      connectorArn: args.connectorArn,
    })
    .apply((request): CanaryRequest => ({
      action: "canary",
      sourceId: args.sourceId,
      ...request,
      timeoutSeconds: canaryTiming(args).timeoutSeconds,
    }));
}

/** Sends the canary of a deployment, and with it the tables' shapes: the capture may have begun just now. */
export function deploymentCanaryRequest(args: CanaryArgs): pulumi.Output<CanaryRequest> {
  return canaryRequest(args).apply((request) => ({
    ...request,
    timeoutSeconds: deploymentCanarySeconds,
    publishShapes: true,
  }));
}

function access(database: CanaryDatabaseArgs): pulumi.Output<DatabaseAccess> {
  return pulumi.output({
    host: database.endpoint,
    port: database.port ?? postgresPort,
    database: database.databaseName,
    adminSecretArn: database.adminSecretArn,
  });
}
