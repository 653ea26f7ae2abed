import { type ResourceCalls, resourceCalls } from "../aws-models/mapping";
import type { Call } from "./evaluate";

/** Operations whose IAM action bears another name. */
const actionNames: Readonly<Record<string, string>> = {
  "lambda:Invoke": "lambda:InvokeFunction",
  "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
  "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
  "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
};

/** Services whose actions bear another name than their API. */
const servicePrefixes: Readonly<Record<string, string>> = { elbv2: "elasticloadbalancing" };

/** Operations that IAM decides on without a resource. */
const withoutResource = new Set(["kms:CreateKey", "ecs:RegisterTaskDefinition"]);

/** A resource to deploy, as far as permissions go. */
export interface Deployed {
  readonly type: string;
  /** Names of the inputs that are set. */
  readonly inputs: readonly string[];
  /** ARN that it will have, or of what it belongs to; undefined where IAM knows none. */
  readonly arn: string | undefined;
}

/** The calls that deploying a resource begins with: its creation, and what the provider sets right after. */
export function creatingCalls({ type, inputs, arn }: Deployed): Call[] {
  const calls = resourceCalls[type];
  if (!calls) throw new Error(`${type} has no entry in the mapping of resources to AWS calls.`);
  const operations = new Set([calls.operation, ...furtherOperations(calls, inputs)]);
  return [...operations].map((operation) => {
    const plain = `${servicePrefixes[calls.service] ?? calls.service}:${operation}`;
    const action = actionNames[plain] ?? plain;
    return { action, resource: withoutResource.has(action) ? "*" : (arn ?? "*") };
  });
}

function furtherOperations({ members = {} }: ResourceCalls, inputs: readonly string[]): string[] {
  return inputs.flatMap((name) => {
    const target = members[name];
    // What is used when the resource goes is not part of making it.
    if (typeof target !== "object" || !("operation" in target)) return [];
    return /^(Delete|ScheduleKeyDeletion)/.test(target.operation) ? [] : [target.operation];
  });
}

/** What else a deployment does, beside creating: reading back, handing over roles, changing, and destroying. */
export function otherCalls(region: string, account: string): Call[] {
  const arn = (service: string, resource: string) => `arn:aws:${service}:${region}:${account}:${resource}`;
  const role = (name: string) => `arn:aws:iam::${account}:role/${name}`;
  const cluster = "cdc-audit-dev-kafka-ffbd57c/2ae96419-ee82-74b7-73e1-c2be1001744d-5";
  const passTo = (name: string, service: string): Call => ({
    action: "iam:PassRole",
    resource: role(name),
    context: { "iam:PassedToService": service },
  });
  const on = (resource: string, ...actions: string[]): Call[] => actions.map((action) => ({ action, resource }));
  return [
    passTo("cdc-audit-dev-audit-transformer-task-role-d12e119", "ecs-tasks.amazonaws.com"),
    passTo("cdc-audit-dev-audit-audit-sink-execution-role-1", "kafkaconnect.amazonaws.com"),
    passTo("cdc-audit-dev-audit-capture-secret-role-1", `dms.${region}.amazonaws.com`),
    passTo("cdc-audit-dev-kafka-guests-end-role-1", "scheduler.amazonaws.com"),
    passTo("cdc-audit-dev-audit-operator-role-1", "lambda.amazonaws.com"),
    passTo("cdc-audit-dev-audit-operator-scheduler-role-1", "scheduler.amazonaws.com"),
    {
      action: "iam:CreateServiceLinkedRole",
      resource: role("aws-service-role/kafkaconnect.amazonaws.com/AWSServiceRoleForKafkaConnect"),
      context: { "iam:AWSServiceName": "kafkaconnect.amazonaws.com" },
    },
    ...on(
      arn("kafka", `cluster/${cluster}`),
      "kafka-cluster:Connect",
      "kafka:DescribeClusterV2",
      "kafka:UpdateBrokerStorage",
    ),
    ...on(
      arn("kafka", `topic/${cluster}/cdc.raw`),
      "kafka-cluster:CreateTopic",
      "kafka-cluster:DescribeTopic",
      "kafka-cluster:DescribeTopicDynamicConfiguration",
      "kafka-cluster:AlterTopic",
      "kafka-cluster:AlterTopicDynamicConfiguration",
      "kafka-cluster:DeleteTopic",
    ),
    ...on(arn("kms", "key/1"), "kms:CreateGrant", "kms:GenerateDataKey", "kms:Decrypt", "kms:ScheduleKeyDeletion"),
    ...on(
      arn("secretsmanager", "secret:AmazonMSK_cdc-audit-dev-kafka-capture-secret-1-20261122-AbCdEf"),
      "secretsmanager:GetSecretValue",
      "secretsmanager:DescribeSecret",
      "secretsmanager:DeleteSecret",
      // MSK puts its own policy on the secret in the deployer's name.
      "secretsmanager:PutResourcePolicy",
    ),
    ...on(
      arn("lambda", "function:cdc-audit-dev-audit-operator-1a2b3c4"),
      "lambda:GetFunction",
      "lambda:GetFunctionConfiguration",
      "lambda:GetFunctionEventInvokeConfig",
      "lambda:ListVersionsByFunction",
      "lambda:UpdateFunctionCode",
      "lambda:UpdateFunctionConfiguration",
      "lambda:DeleteFunction",
    ),
    ...on(arn("sqs", "cdc-audit-dev-audit-operator-dead-letters-1a2b3c4"), "sqs:GetQueueAttributes", "sqs:DeleteQueue"),
    ...on(arn("dms", "task:TASK"), "dms:StartReplicationTask", "dms:StopReplicationTask", "dms:DeleteReplicationTask"),
    ...on(role("cdc-audit-dev-audit-capture-secret-role-1"), "iam:GetRole", "iam:DeleteRole", "iam:DeleteRolePolicy"),
    ...on("*", "ecr:GetAuthorizationToken"),
    ...on("*", "ec2:CreateVpc", "ec2:CreateNatGateway", "ec2:DescribeSubnets", "ec2:CreateNetworkInterface"),
    ...on(
      "*",
      "logs:CreateLogDelivery",
      "logs:PutResourcePolicy",
      "rds:DescribeDBClusters",
      "dms:DescribeReplicationTasks",
    ),
    ...on(arn("ecr", "repository/cdc-audit-dev-audit-transformer-repository-1"), "ecr:PutImage", "ecr:UploadLayerPart"),
    ...on(arn("ecs", "service/a/b"), "ecs:UpdateService", "ecs:DeleteService"),
    ...on(
      arn("elasticloadbalancing", "loadbalancer/app/cdc-audit-dev-audit-review-1/0f1e2d3c"),
      "elasticloadbalancing:ModifyLoadBalancerAttributes",
      "elasticloadbalancing:SetSecurityGroups",
      "elasticloadbalancing:DeleteLoadBalancer",
    ),
    ...on(
      arn("elasticloadbalancing", "targetgroup/cdc-audit-dev-audit-review-1/0f1e2d3c"),
      "elasticloadbalancing:ModifyTargetGroupAttributes",
      "elasticloadbalancing:DeleteTargetGroup",
    ),
    ...on(
      arn("elasticloadbalancing", "listener/app/cdc-audit-dev-audit-review-1/0f1e2d3c/4b5a"),
      "elasticloadbalancing:ModifyListener",
      "elasticloadbalancing:DeleteListener",
    ),
    ...on("*", "elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeTargetGroups"),
    // Elastic Load Balancing looks at a user pool's client in the deployer's name.
    ...on(arn("cognito-idp", "userpool/eu-central-1_abc"), "cognito-idp:DescribeUserPoolClient"),
    ...on(arn("ecr", "repository/cdc-audit-dev-audit-review-repository-1"), "ecr:PutImage", "ecr:UploadLayerPart"),
    {
      action: "iam:CreateServiceLinkedRole",
      resource: role("aws-service-role/elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing"),
      context: { "iam:AWSServiceName": "elasticloadbalancing.amazonaws.com" },
    },
    // The provider follows a deployment by these.
    ...on(arn("ecs", "service/a/b"), "ecs:ListServiceDeployments", "ecs:DescribeServiceDeployments"),
  ];
}

/** What whoever deploys this stack has no business with. */
export function forbiddenCalls(region: string, account: string): Call[] {
  const role = (name: string) => `arn:aws:iam::${account}:role/${name}`;
  return [
    {
      action: "iam:PassRole",
      resource: role("administrator"),
      context: { "iam:PassedToService": "ecs-tasks.amazonaws.com" },
    },
    {
      action: "iam:PassRole",
      resource: role("cdc-audit-dev-audit-transformer-task-role-1"),
      context: { "iam:PassedToService": "ec2.amazonaws.com" },
    },
    { action: "iam:PutRolePolicy", resource: role("administrator") },
    {
      action: "iam:AttachRolePolicy",
      resource: role("cdc-audit-dev-audit-transformer-task-role-1"),
      context: { "iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess" },
    },
    {
      action: "iam:AttachRolePolicy",
      resource: role("dms-vpc-role"),
      context: { "iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess" },
    },
    { action: "iam:CreateUser", resource: `arn:aws:iam::${account}:user/x` },
    { action: "iam:CreateAccessKey", resource: `arn:aws:iam::${account}:user/x` },
    { action: "s3:GetObject", resource: "arn:aws:s3:::somebody-elses/file" },
    {
      action: "secretsmanager:GetSecretValue",
      resource: `arn:aws:secretsmanager:${region}:${account}:secret:payroll-AbCdEf`,
    },
    {
      action: "kafka-cluster:ReadData",
      resource: `arn:aws:kafka:${region}:${account}:topic/cdc-audit-dev-kafka-1/u/audit.events`,
    },
    {
      action: "rds-data:ExecuteStatement",
      resource: `arn:aws:rds:${region}:${account}:cluster:cdc-audit-dev-database-1`,
    },
    { action: "rds-db:connect", resource: `arn:aws:rds-db:${region}:${account}:dbuser:cluster-1/postgres` },
    { action: "ecs:ExecuteCommand", resource: `arn:aws:ecs:${region}:${account}:task/a/b` },
    { action: "logs:GetLogEvents", resource: `arn:aws:logs:${region}:${account}:log-group:/ecs/transformer` },
    { action: "lambda:InvokeFunction", resource: `arn:aws:lambda:${region}:${account}:function:payroll` },
    { action: "lambda:UpdateFunctionCode", resource: `arn:aws:lambda:${region}:${account}:function:payroll` },
    { action: "sqs:DeleteQueue", resource: `arn:aws:sqs:${region}:${account}:orders` },
    {
      action: "iam:PassRole",
      resource: role("administrator"),
      context: { "iam:PassedToService": "lambda.amazonaws.com" },
    },
    { action: "ec2:RunInstances", resource: "*" },
    { action: "organizations:LeaveOrganization", resource: "*" },
  ];
}
