import { operatorMetrics } from "../../contract/operator-metrics";
import {
  type OperatorPermission,
  type OperatorPermissionCondition,
  type OperatorResource,
  operatorPermissions,
} from "../../contract/operator-permissions";
import { groupArn, topicArn } from "../kafka-cluster/arns";
import { type ArnParts, type PolicyDocument, type PolicyStatement, arnParts, policyDocument } from "../shared/policies";
import { keepFailedRunStatements } from "./schedules";

/** What the operator's permissions depend on. */
export interface OperatorAccess {
  readonly functionName: string;
  readonly logGroupArn: string;
  readonly failedRunsQueueArn: string;
  /** Key of the queue. */
  readonly keyArn: string;
  readonly administratorSecretArns: readonly string[];
  readonly captureSecretArn: string;
  readonly writerSecretArn: string;
  /** Without it there is no login for the reviewer's page. */
  readonly reviewSecretArn?: string;
  /** Without it the operator can't rotate the SCRAM user's password. */
  readonly scramSecretArn?: string;
  /** Customer-managed keys of these secrets. */
  readonly secretKeyArns: readonly string[];
  readonly clusterArn: string;
  readonly rawTopic: string;
  readonly eventsTopic: string;
  readonly transformerGroup: string;
  readonly sinkGroup: string;
  readonly connectorName: string;
  readonly captureTaskIdentifier: string;
  /** Tags of the DMS instance and endpoints that it may test: DMS itself chooses their ARNs. */
  readonly captureTags: Readonly<Record<string, string>>;
}

type Conditions = NonNullable<PolicyStatement["Condition"]>;

/** What the operator's function may do: what the contract lists for its actions, and what it takes to run in a VPC. */
export function operatorRolePermissions(access: OperatorAccess): PolicyDocument {
  return policyDocument(...actionStatements(access), ...runtimeStatements(access));
}

/** One statement for each kind of resource, with what all actions together do to it. */
function actionStatements(access: OperatorAccess): PolicyStatement[] {
  const resources = resourceArns(access);
  const groups = new Map<string, OperatorPermission[]>();
  for (const permission of Object.values(operatorPermissions).flat()) {
    const key = sid(permission);
    groups.set(key, [...(groups.get(key) ?? []), permission]);
  }
  return [...groups].flatMap(([Sid, [first, ...rest]]): PolicyStatement[] => {
    const { resource, condition } = first!;
    const actions = [first!, ...rest].flatMap((permission) => permission.actions);
    const arns = resources[resource];
    if (arns.length === 0) return [];
    const conditions = conditionsOf(access, resource, condition);
    return [
      {
        Sid,
        Effect: "Allow",
        Action: [...new Set(actions)].sort(),
        Resource: arns,
        ...(conditions ? { Condition: conditions } : {}),
      },
    ];
  });
}

/** `administrator-secrets` becomes `AdministratorSecrets`; where there is no resource, the name says so. */
function sid({ resource, condition }: OperatorPermission): string {
  if (resource === "any") return condition === "own-metrics" ? "MetricsKnowTheirNamespaceAlone" : "TheseKnowNoResource";
  return resource
    .split("-")
    .map((word) => word[0]!.toUpperCase() + word.slice(1))
    .join("");
}

function resourceArns(access: OperatorAccess): Readonly<Record<OperatorResource, readonly string[]>> {
  const { clusterArn } = access;
  const place = arnParts(clusterArn);
  const inPlace = (service: string, resource: string) => arnIn(place, service, resource);
  return {
    any: ["*"],
    "administrator-secrets": [...new Set(access.administratorSecretArns)],
    "capture-secret": [access.captureSecretArn],
    "writer-secret": [access.writerSecretArn],
    "review-secret": access.reviewSecretArn === undefined ? [] : [access.reviewSecretArn],
    "kafka-secret": access.scramSecretArn === undefined ? [] : [access.scramSecretArn],
    "secret-keys": [...new Set(access.secretKeyArns)],
    "replication-instance": [inPlace("dms", "rep:*")],
    endpoints: [inPlace("dms", "endpoint:*")],
    "target-endpoint": [inPlace("dms", "endpoint:*")],
    "capture-task": [inPlace("dms", `task:${access.captureTaskIdentifier}`)],
    cluster: [clusterArn],
    configurations: [inPlace("kafka", "configuration/*")],
    "raw-topic": [topicArn(clusterArn, access.rawTopic)],
    "events-topic": [topicArn(clusterArn, access.eventsTopic)],
    "transformer-group": [groupArn(clusterArn, access.transformerGroup)],
    "sink-group": [groupArn(clusterArn, access.sinkGroup)],
    connector: [inPlace("kafkaconnect", `connector/${access.connectorName}/*`)],
  };
}

/** Resources whose ARNs AWS chooses: permissions name them by their tags. */
const toldByTags: readonly OperatorResource[] = ["replication-instance", "endpoints", "target-endpoint"];

function conditionsOf(
  access: OperatorAccess,
  resource: OperatorResource,
  condition: OperatorPermissionCondition | undefined,
): Conditions | undefined {
  if (toldByTags.includes(resource)) {
    const tags = Object.entries(access.captureTags).map(([tag, value]) => [`aws:ResourceTag/${tag}`, value] as const);
    return { StringEquals: Object.fromEntries(tags) };
  }
  if (condition === "own-metrics") return { StringEquals: { "cloudwatch:namespace": operatorMetrics.namespace } };
  if (condition === "through-secrets-manager") {
    const { region } = arnParts(access.clusterArn);
    return { StringEquals: { "kms:ViaService": `secretsmanager.${region}.amazonaws.com` } };
  }
  return undefined;
}

/** What Lambda does with the function's role: log, attach it to the VPC, keep runs that failed. */
function runtimeStatements(access: OperatorAccess): PolicyStatement[] {
  const functionArn = arnIn(arnParts(access.clusterArn), "lambda", `function:${access.functionName}`);
  return [
    {
      Sid: "WriteOwnLog",
      Effect: "Allow",
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: [`${access.logGroupArn}:log-stream:*`],
    },
    {
      // Lambda checks for these, without a resource, before it creates the function.
      Sid: "AttachToVpcKnowsNoResource",
      Effect: "Allow",
      Action: [...networkInterfaceActions, "ec2:DescribeSubnets"],
      Resource: ["*"],
    },
    {
      // Only Lambda itself needs them: the code in the function may not change the network.
      Sid: "CodeLeavesNetworkAlone",
      Effect: "Deny",
      Action: networkInterfaceActions,
      Resource: ["*"],
      Condition: { ArnEquals: { "lambda:SourceFunctionArn": functionArn } },
    },
    ...keepFailedRunStatements(access.failedRunsQueueArn, access.keyArn),
  ];
}

const networkInterfaceActions: readonly string[] = [
  "ec2:AssignPrivateIpAddresses",
  "ec2:CreateNetworkInterface",
  "ec2:DeleteNetworkInterface",
  "ec2:DescribeNetworkInterfaces",
  "ec2:UnassignPrivateIpAddresses",
];

function arnIn({ partition, region, account }: ArnParts, service: string, resource: string): string {
  return `arn:${partition}:${service}:${region}:${account}:${resource}`;
}
