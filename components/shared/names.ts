import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/** Longest names that AWS accepts, in characters, for the resources that the components name themselves. */
export const nameLimits = {
  auroraCluster: 63,
  auroraInstance: 63,
  clusterSnapshot: 63,
  mskCluster: 64,
  connector: 128,
  connectorPlugin: 128,
  connectorWorkerConfiguration: 128,
  replicationInstance: 63,
  replicationEndpoint: 255,
  replicationSubnetGroup: 255,
  replicationTask: 255,
  /** The last part of a DMS ARN, and the task's dimension in CloudWatch. */
  replicationResource: 31,
  role: 64,
  function: 64,
  queue: 80,
  service: 255,
  loadBalancer: 32,
  targetGroup: 32,
  scalingPolicy: 256,
  /** No limit of Kafka's, but short enough for metrics and logs to read well. */
  consumerGroup: 100,
  repository: 256,
  topic: 256,
  eventRule: 64,
  schedule: 64,
  alarm: 255,
  notificationTopic: 256,
  dashboard: 255,
  /** 63 less the 26 characters that AWS puts after a bucket prefix. */
  bucketPrefix: 37,
  /** 512 less the suffixes that Pulumi and Secrets Manager add, and `AmazonMSK_`. */
  secretPrefix: 450,
  /** 512 less the path in front of it. */
  logGroup: 400,
} as const;

/** The project and stack for which a physical name must be unique within one AWS account and region. */
export interface NameScope {
  readonly project: string;
  readonly stack: string;
}

const digestLength = 7;

/**
 * A name for AWS that is known at preview: `<project>-<stack>-<name>-<digest>`, shortened from the left where the limit
 * requires it. It holds lower-case letters, digits and single hyphens, begins with a letter and does not end with a
 * hyphen, which every AWS service accepts. The digest of all three parts keeps names apart that shortening, folding or
 * joining would make equal.
 *
 * @param name The logical name of the resource.
 * @param maximumLength One of {@link nameLimits}; at least 16.
 * @param scope Defaults to the running project and stack.
 */
export function physicalName(name: string, maximumLength: number, scope: NameScope = currentScope()): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([scope.project, scope.stack, name]))
    .digest("hex");
  const room = maximumLength - digestLength - 1;
  const candidates = [[scope.project, scope.stack, name], [scope.stack, name], [name]].map(foldToIdentifier);
  const readable = candidates.find((text) => text.length <= room) ?? foldToIdentifier([name]).slice(0, room);
  return `${readable.replace(/-$/, "")}-${digest.slice(0, digestLength)}`;
}

/** The project and stack of the running program. */
export function currentScope(): NameScope {
  return { project: pulumi.getProject(), stack: pulumi.getStack() };
}

function foldToIdentifier(parts: readonly string[]): string {
  const folded = parts
    .join("-")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  return /^[a-z]/.test(folded) ? folded : `x${folded}`;
}
