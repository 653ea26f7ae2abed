/**
 * ARNs of the things inside an MSK cluster, as IAM policies name them. MSK has them share the cluster's name and UUID:
 * `arn:aws:kafka:eu-central-1:123456789012:topic/<cluster>/<uuid>/<topic>`. Names may end in `*`.
 */
function resourceArn(clusterArn: string, type: "topic" | "group" | "transactional-id", name: string): string {
  const match = /^(arn:[^:]+:kafka:[^:]+:\d{12}):cluster\/([^/]+\/[^/]+)$/.exec(clusterArn);
  if (!match) throw new Error(`Not the ARN of an MSK cluster: ${clusterArn}`);
  return `${match[1]}:${type}/${match[2]}/${name}`;
}

/** ARN of a topic, or with `*` of topics. */
export function topicArn(clusterArn: string, topic: string): string {
  return resourceArn(clusterArn, "topic", topic);
}

/** ARN of a consumer group. */
export function groupArn(clusterArn: string, group: string): string {
  return resourceArn(clusterArn, "group", group);
}

/** ARN of a transactional id. */
export function transactionalIdArn(clusterArn: string, transactionalId: string): string {
  return resourceArn(clusterArn, "transactional-id", transactionalId);
}

/** The cluster's name: its dimension in CloudWatch. */
export function clusterName(clusterArn: string): string {
  const name = /^arn:[^:]+:kafka:[^:]+:\d{12}:cluster\/([^/]+)\//.exec(clusterArn)?.[1];
  if (!name) throw new Error(`Not the ARN of an MSK cluster: ${clusterArn}`);
  return name;
}
