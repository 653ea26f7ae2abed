import { type Acl, AclOperations, AclPermissionTypes, ResourcePatternTypes, ResourceTypes } from "@platformatic/kafka";

/** One of Kafka's access control entries: who may, or may not, do what on which resource. */
export type AccessRule = Acl;

/** Name of the one resource of the type cluster. */
export const clusterResource = "kafka-cluster";

const anyHost = "*";

/** How Kafka's ACLs name a SCRAM user. */
export function principalOf(username: string): string {
  return `User:${username}`;
}

/**
 * What the SCRAM user of DMS needs, and all it gets: to write one topic and to find where it is.
 *
 * The order matters: the first rule on a resource shuts out everyone who has no rule there. Write on a topic comes first,
 * since it implies Describe, and Describe does not imply Write.
 */
export function captureRules(username: string, rawTopic: string): AccessRule[] {
  const topic = { resourceType: ResourceTypes.TOPIC, resourceName: rawTopic };
  const cluster = { resourceType: ResourceTypes.CLUSTER, resourceName: clusterResource };
  const allow = (resource: typeof topic | typeof cluster, operation: AccessRule["operation"]): AccessRule => ({
    ...resource,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: principalOf(username),
    host: anyHost,
    operation,
    permissionType: AclPermissionTypes.ALLOW,
  });
  return [
    allow(topic, AclOperations.WRITE),
    allow(topic, AclOperations.DESCRIBE),
    allow(cluster, AclOperations.IDEMPOTENT_WRITE),
    allow(cluster, AclOperations.DESCRIBE),
  ];
}

/** Whether two rules say the same. */
export function sameRule(one: AccessRule, other: AccessRule): boolean {
  return ruleText(one) === ruleText(other);
}

/** A rule in words, such as `User:change-capture may WRITE topic cdc.raw`. */
export function ruleText(rule: AccessRule): string {
  const verb = rule.permissionType === AclPermissionTypes.DENY ? "may not" : "may";
  const resource = nameOf(ResourceTypes, rule.resourceType).toLowerCase();
  const suffix = rule.resourcePatternType === ResourcePatternTypes.PREFIXED ? "*" : "";
  const host = rule.host === anyHost ? "" : ` from ${rule.host}`;
  return `${rule.principal} ${verb} ${nameOf(AclOperations, rule.operation)} ${resource} ${rule.resourceName}${suffix}${host}`;
}

function nameOf(names: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(names).find((name) => names[name] === value) ?? String(value);
}

/** Rules that forbid the user something, by name or with everybody else. They win over any that allow. */
export function denials(rules: readonly AccessRule[], username: string): AccessRule[] {
  const concerned = new Set([principalOf(username), principalOf("*")]);
  return rules.filter(
    ({ permissionType, principal }) => permissionType === AclPermissionTypes.DENY && concerned.has(principal),
  );
}

/** Whether a rule lets the user write a topic, by name or with everybody else. */
export function mayWrite(rules: readonly AccessRule[], username: string): boolean {
  return rules.some(
    (rule) => allowsWriting(rule) && [principalOf(username), principalOf("*")].includes(rule.principal),
  );
}

/** Rules that let somebody else write a topic. */
export function otherWriters(rules: readonly AccessRule[], username: string): AccessRule[] {
  return rules.filter((rule) => allowsWriting(rule) && rule.principal !== principalOf(username));
}

function allowsWriting({ resourceType, permissionType, operation }: AccessRule): boolean {
  const writes: readonly number[] = [AclOperations.WRITE, AclOperations.ALL];
  return (
    resourceType === ResourceTypes.TOPIC && permissionType === AclPermissionTypes.ALLOW && writes.includes(operation)
  );
}
