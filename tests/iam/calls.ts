import { operatorMetrics } from "../../contract/operator-metrics";
import {
  type OperatorPermission,
  type OperatorResource,
  operatorPermissions,
} from "../../contract/operator-permissions";
import { pipelineTopics, type Topics } from "../../contract/topics";
import type { Call } from "./evaluate";

/** The names and ARNs that decide what the parts of one pipeline may do. */
export interface PipelineFacts {
  readonly region: string;
  readonly account: string;
  /** ARN of the MSK cluster. */
  readonly clusterArn: string;
  readonly topics: Pick<Topics, "raw" | "events" | "catalog" | "deadLetter">;
  /** Streams application id of the transformer, and its consumer group. */
  readonly applicationId: string;
  readonly connectorName: string;
  /** Secret of DMS's user at the source, and its key. */
  readonly captureSecret: SecretFacts;
  /** Secret of the sink's user at the destination, and its key. */
  readonly writerSecret: SecretFacts;
  /** Secret of the page's user at the destination, and its key; none without the page. */
  readonly reviewSecret?: SecretFacts;
  /** Log group of the transformer. */
  readonly transformerLogGroupArn: string;
  /** Repository of the transformer's image. */
  readonly repositoryArn: string;
}

/** What an operator looks after, and what it runs as. */
export interface OperatorFacts {
  readonly functionArn: string;
  readonly logGroupArn: string;
  readonly failedRunsQueueArn: string;
  /** Key of queue and schedules. */
  readonly keyArn: string;
  readonly administratorSecret: SecretFacts;
  /** Secret of the SCRAM user. */
  readonly kafkaSecret: SecretFacts;
  readonly replicationInstanceArn: string;
  readonly sourceEndpointArn: string;
  readonly targetEndpointArn: string;
  /** Tags of the instance and the endpoints. */
  readonly captureTags: Readonly<Record<string, string>>;
  readonly captureTaskArn: string;
  readonly connectorArn: string;
}

export interface SecretFacts {
  readonly arn: string;
  readonly keyArn: string;
}

/** What one caller must be able to do, and what it must not. */
export interface Expectations {
  readonly allowed: readonly Call[];
  readonly forbidden: readonly Call[];
}

/** ARN of a topic or group inside an MSK cluster. */
export function insideCluster(clusterArn: string, type: "topic" | "group" | "transactional-id", name: string): string {
  return `${clusterArn.replace(":cluster/", `:${type}/`)}/${name}`;
}

/** The same actions on each of these resources. */
function calls(actions: readonly string[], resources: readonly string[], context?: Call["context"]): Call[] {
  return resources.flatMap((resource) => actions.map((action) => ({ action, resource, ...(context && { context }) })));
}

const kafka = (...names: string[]) => names.map((name) => `kafka-cluster:${name}`);

/** What no part of the pipeline may do, whoever it is. */
function forbiddenToAll(facts: PipelineFacts): Call[] {
  const { clusterArn, topics, region, account } = facts;
  const topic = (name: string) => insideCluster(clusterArn, "topic", name);
  const elsewhere = clusterArn.replace(/cluster\/.*/, "cluster/another/00000000-0000-0000-0000-000000000000-1");
  return [
    ...calls(kafka("AlterCluster", "AlterClusterDynamicConfiguration"), [clusterArn]),
    ...calls(kafka("DeleteTopic", "AlterTopic", "AlterTopicDynamicConfiguration"), [
      topic(topics.raw.name),
      topic(topics.events.name),
      topic(topics.catalog.name),
      topic(topics.deadLetter.name),
    ]),
    ...calls(kafka("WriteData"), [topic(topics.raw.name)]),
    ...calls(kafka("Connect"), [elsewhere]),
    ...calls(
      ["secretsmanager:PutSecretValue", "secretsmanager:DeleteSecret"],
      [facts.captureSecret.arn, facts.writerSecret.arn],
    ),
    ...calls(
      ["secretsmanager:GetSecretValue"],
      [`arn:aws:secretsmanager:${region}:${account}:secret:somebody-elses-AbCdEf`, `${facts.writerSecret.arn}x`],
    ),
    ...calls(["kms:Encrypt", "kms:ScheduleKeyDeletion", "kms:PutKeyPolicy"], [facts.captureSecret.keyArn]),
    // Reading a secret decrypts through Secrets Manager; nothing decrypts data by itself.
    ...calls(["kms:Decrypt"], [facts.captureSecret.keyArn, facts.writerSecret.keyArn]),
    ...calls(["iam:PassRole", "sts:AssumeRole"], [`arn:aws:iam::${account}:role/administrator`]),
    ...calls(["iam:CreateAccessKey", "rds:DeleteDBCluster", "dms:DeleteReplicationTask", "kafka:DeleteCluster"], ["*"]),
  ];
}

function readsSecret(secret: SecretFacts, region: string): Call[] {
  return [
    ...calls(["secretsmanager:GetSecretValue"], [secret.arn]),
    ...calls(["kms:Decrypt"], [secret.keyArn], { "kms:ViaService": `secretsmanager.${region}.amazonaws.com` }),
  ];
}

/** MSK Connect's workers, with the connector that runs in them. */
export function connectWorkerCalls(facts: PipelineFacts): Expectations {
  const { clusterArn, topics, connectorName, applicationId } = facts;
  const topic = (name: string) => insideCluster(clusterArn, "topic", name);
  const group = (name: string) => insideCluster(clusterArn, "group", name);
  const internal = ["configs", "offsets", "status"].map((kind) =>
    topic(`__amazon_msk_connect_${kind}_${connectorName}_0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0-2`),
  );
  return {
    allowed: [
      ...calls(kafka("Connect", "DescribeCluster"), [clusterArn]),
      ...calls(kafka("CreateTopic", "DescribeTopic", "ReadData", "WriteData"), internal),
      ...calls(kafka("DescribeTopic", "ReadData"), [topic(topics.events.name)]),
      ...calls(kafka("DescribeTopic", "WriteData"), [topic(topics.deadLetter.name)]),
      ...calls(kafka("AlterGroup", "DescribeGroup"), [
        group(`__amazon_msk_connect_${connectorName}_0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0-2`),
        group(`connect-${connectorName}`),
      ]),
      ...readsSecret(facts.writerSecret, facts.region),
    ],
    forbidden: [
      ...forbiddenToAll(facts),
      ...calls(kafka("ReadData"), [topic(topics.raw.name), topic(topics.catalog.name)]),
      ...calls(kafka("WriteData"), [topic(topics.events.name), topic(topics.catalog.name)]),
      ...calls(kafka("CreateTopic"), [topic(topics.events.name), topic("anything")]),
      ...calls(kafka("ReadData"), [topic("__amazon_msk_connect_configs_another-connector_1-2")]),
      ...calls(kafka("AlterGroup", "DeleteGroup"), [group(applicationId), group("connect-another")]),
      ...onlyOther(facts, facts.captureSecret, facts.writerSecret),
    ],
  };
}

/** The transformer: Kafka Streams without state stores of its own. */
export function transformerCalls(facts: PipelineFacts): Expectations {
  const { clusterArn, topics, connectorName, applicationId } = facts;
  const topic = (name: string) => insideCluster(clusterArn, "topic", name);
  const group = (name: string) => insideCluster(clusterArn, "group", name);
  return {
    allowed: [
      ...calls(kafka("Connect", "DescribeCluster", "WriteDataIdempotently"), [clusterArn]),
      ...calls(kafka("DescribeTopic", "ReadData"), [
        topic(topics.raw.name),
        topic(topics.catalog.name),
        topic(topics.deadLetter.name),
      ]),
      ...calls(kafka("DescribeTopic", "WriteData"), [
        topic(topics.events.name),
        topic(topics.catalog.name),
        topic(topics.deadLetter.name),
      ]),
      ...calls(kafka("DescribeGroup", "AlterGroup"), [group(applicationId)]),
    ],
    forbidden: [
      ...forbiddenToAll(facts),
      ...calls(kafka("CreateTopic"), [topic(`${applicationId}-changelog`), topic("anything")]),
      ...calls(kafka("ReadData"), [topic(`${topics.raw.name}-of-another`)]),
      ...calls(kafka("AlterGroup"), [group(`connect-${connectorName}`), group(`${applicationId}-2`)]),
      ...readsSecret(facts.captureSecret, facts.region),
      ...readsSecret(facts.writerSecret, facts.region),
    ],
  };
}

/** ECS, before and around the transformer's container. */
export function taskExecutionCalls(facts: PipelineFacts): Expectations {
  const { repositoryArn, transformerLogGroupArn } = facts;
  const pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
  return {
    allowed: [
      ...calls(["ecr:GetAuthorizationToken"], ["*"]),
      ...calls(pull, [repositoryArn]),
      ...calls(
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        [`${transformerLogGroupArn}:log-stream:transformer/main/0a1b`],
      ),
    ],
    forbidden: [
      ...forbiddenToAll(facts),
      ...calls(pull, [`${repositoryArn}-of-another`]),
      ...calls(["ecr:PutImage", "ecr:DeleteRepository"], [repositoryArn]),
      ...calls(["logs:PutLogEvents"], [`${transformerLogGroupArn}-of-another:log-stream:a`]),
      ...calls(["logs:DeleteLogGroup"], [transformerLogGroupArn]),
      ...calls(kafka("Connect"), [facts.clusterArn]),
      ...readsSecret(facts.writerSecret, facts.region),
    ],
  };
}

/** ECS, before and around the page's container, which has no role of its own. */
export function reviewExecutionCalls(facts: PipelineFacts, review: ReviewFacts): Expectations {
  const { repositoryArn, logGroupArn, secret } = review;
  const pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
  return {
    allowed: [
      ...calls(["ecr:GetAuthorizationToken"], ["*"]),
      ...calls(pull, [repositoryArn]),
      ...calls(["logs:CreateLogStream", "logs:PutLogEvents"], [`${logGroupArn}:log-stream:review/review/0a1b`]),
      ...readsSecret(secret, facts.region),
    ],
    forbidden: [
      ...forbiddenToAll(facts),
      ...calls(pull, [facts.repositoryArn, `${repositoryArn}-of-another`]),
      ...calls(["ecr:PutImage", "ecr:DeleteRepository"], [repositoryArn]),
      ...calls(["logs:PutLogEvents"], [`${facts.transformerLogGroupArn}:log-stream:a`]),
      ...calls(["logs:GetLogEvents", "logs:DeleteLogGroup"], [logGroupArn]),
      ...calls(["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"], [secret.arn]),
      ...calls(kafka("Connect"), [facts.clusterArn]),
      ...onlyOther(facts, facts.captureSecret, secret),
      ...onlyOther(facts, facts.writerSecret, secret),
      ...calls(["rds-db:connect", "ecs:ExecuteCommand", "elasticloadbalancing:ModifyListener"], ["*"]),
    ],
  };
}

/** What the start of the page's tasks takes. */
export interface ReviewFacts {
  readonly repositoryArn: string;
  readonly logGroupArn: string;
  /** Secret of the page's user at the destination, and its key. */
  readonly secret: SecretFacts;
}

/** DMS, when it fetches the user and password of its source. */
export function captureCalls(facts: PipelineFacts): Expectations {
  return {
    allowed: [
      ...readsSecret(facts.captureSecret, facts.region),
      ...calls(["secretsmanager:DescribeSecret"], [facts.captureSecret.arn]),
      ...calls(["kms:DescribeKey"], [facts.captureSecret.keyArn]),
    ],
    forbidden: [
      ...forbiddenToAll(facts),
      ...calls(kafka("Connect"), [facts.clusterArn]),
      ...onlyOther(facts, facts.writerSecret, facts.captureSecret),
    ],
  };
}

/** EventBridge Scheduler, when it shuts guests out of the brokers at their end time. */
export function guestsEndCalls(facts: PipelineFacts, guests: GuestFacts): Expectations {
  const { groupArn, ruleArn, keyArn } = guests;
  return {
    allowed: [...calls(["ec2:RevokeSecurityGroupIngress"], [groupArn, ruleArn]), ...calls(["kms:Decrypt"], [keyArn])],
    forbidden: [
      ...forbiddenToAll(facts).filter(({ resource }) => resource !== keyArn),
      ...calls(["ec2:RevokeSecurityGroupIngress"], [`${groupArn}0`, `${ruleArn}0`]),
      ...calls(["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress"], [groupArn]),
      ...calls(["kms:Encrypt", "kms:PutKeyPolicy"], [keyArn]),
    ],
  };
}

/** The operator, which alone may change access rules and passwords. */
export function operatorCalls(facts: PipelineFacts, operator: OperatorFacts): Expectations {
  const { clusterArn, topics, region, account } = facts;
  const arn = (service: string, resource: string) => `arn:aws:${service}:${region}:${account}:${resource}`;
  const topic = (name: string) => insideCluster(clusterArn, "topic", name);
  const own = new Set(ownCalls(facts, operator).map((call) => `${call.action} ${call.resource}`));
  const networkInterfaces = [
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DeleteNetworkInterface",
  ];
  const throughQueue = { "kms:ViaService": `sqs.${region}.amazonaws.com` };
  const elsewhere = {
    "aws:ResourceTag/cdc-audit:component": "another-capture",
    "aws:ResourceTag/cdc-audit:stack": "a/b",
  };
  return {
    allowed: [
      ...ownCalls(facts, operator),
      ...calls(["logs:CreateLogStream", "logs:PutLogEvents"], [`${operator.logGroupArn}:log-stream:2026/11/23/a`]),
      ...calls(networkInterfaces, ["*"]),
      ...calls(["sqs:SendMessage"], [operator.failedRunsQueueArn]),
      ...calls(["kms:GenerateDataKey", "kms:Decrypt"], [operator.keyArn], throughQueue),
    ],
    forbidden: [
      ...forbiddenToAll(facts).filter(({ action, resource }) => !own.has(`${action} ${resource}`)),
      ...calls(kafka("WriteData", "ReadData", "CreateTopic", "DeleteTopic", "AlterTopic"), [
        topic(topics.raw.name),
        topic(topics.events.name),
      ]),
      ...calls(["kafka:UpdateConnectivity", "kafka-cluster:AlterCluster"], [`${clusterArn}0`]),
      ...calls(["kafka:UpdateSecurity", "kafka:UpdateClusterConfiguration", "kafka:RebootBroker"], [clusterArn]),
      ...calls(["dms:StartReplicationTask", "dms:StopReplicationTask"], [arn("dms", "task:another")]),
      ...calls(["dms:ModifyReplicationTask", "dms:DeleteReplicationTask"], [operator.captureTaskArn]),
      ...calls(["dms:ModifyEndpoint", "dms:TestConnection"], [arn("dms", "endpoint:ANOTHER")], elsewhere),
      ...calls(["dms:ModifyEndpoint", "dms:TestConnection"], [operator.targetEndpointArn]),
      ...calls(["kafkaconnect:UpdateConnector", "kafkaconnect:DeleteConnector"], [operator.connectorArn]),
      ...calls(["kafkaconnect:DescribeConnector"], [arn("kafkaconnect", "connector/another/0f1e-2")]),
      ...calls(["cloudwatch:PutMetricData"], ["*"], { "cloudwatch:namespace": "AWS/Kafka" }),
      ...calls(["secretsmanager:PutSecretValue"], [operator.administratorSecret.arn]),
      ...calls(["logs:PutLogEvents"], [`${facts.transformerLogGroupArn}:log-stream:a`]),
      // What Lambda may do to the network in the function's name, its code may not.
      ...calls(networkInterfaces, ["*"], { "lambda:SourceFunctionArn": operator.functionArn }),
      ...calls(["lambda:InvokeFunction", "lambda:UpdateFunctionCode"], [operator.functionArn]),
      ...calls(["sqs:ReceiveMessage", "sqs:PurgeQueue"], [operator.failedRunsQueueArn]),
    ],
  };
}

/** What the contract says that the handlers call, on this pipeline's resources. */
function ownCalls(facts: PipelineFacts, operator: OperatorFacts): Call[] {
  const { clusterArn, topics, region, account } = facts;
  const secrets = [
    operator.administratorSecret,
    facts.captureSecret,
    facts.writerSecret,
    operator.kafkaSecret,
    ...(facts.reviewSecret ? [facts.reviewSecret] : []),
  ];
  const resources: Readonly<Record<OperatorResource, readonly string[]>> = {
    any: ["*"],
    "administrator-secrets": [operator.administratorSecret.arn],
    "capture-secret": [facts.captureSecret.arn],
    "writer-secret": [facts.writerSecret.arn],
    "review-secret": facts.reviewSecret === undefined ? [] : [facts.reviewSecret.arn],
    "kafka-secret": [operator.kafkaSecret.arn],
    "secret-keys": secrets.map(({ keyArn }) => keyArn),
    "replication-instance": [operator.replicationInstanceArn],
    endpoints: [operator.sourceEndpointArn, operator.targetEndpointArn],
    "target-endpoint": [operator.targetEndpointArn],
    "capture-task": [operator.captureTaskArn],
    cluster: [clusterArn],
    configurations: [`arn:aws:kafka:${region}:${account}:configuration/brokers/0f1e2d3c-1`],
    "raw-topic": [insideCluster(clusterArn, "topic", topics.raw.name)],
    "events-topic": [insideCluster(clusterArn, "topic", topics.events.name)],
    "transformer-group": [insideCluster(clusterArn, "group", facts.applicationId)],
    "sink-group": [insideCluster(clusterArn, "group", `connect-${facts.connectorName}`)],
    connector: [operator.connectorArn],
  };
  const tagged = Object.entries(operator.captureTags).map(([tag, value]) => [`aws:ResourceTag/${tag}`, value]);
  const contextOf = ({ resource, condition }: OperatorPermission): Call["context"] => {
    if (condition === "through-secrets-manager") return { "kms:ViaService": `secretsmanager.${region}.amazonaws.com` };
    if (condition === "own-metrics") return { "cloudwatch:namespace": operatorMetrics.namespace };
    const toldByTags = ["replication-instance", "endpoints", "target-endpoint"].includes(resource);
    return toldByTags ? (Object.fromEntries(tagged) as Call["context"]) : undefined;
  };
  return Object.values(operatorPermissions)
    .flat()
    .flatMap((permission) => calls(permission.actions, resources[permission.resource], contextOf(permission)));
}

/** EventBridge Scheduler, when it starts the operator. */
export function schedulerCalls(facts: PipelineFacts, operator: OperatorFacts): Expectations {
  const { functionArn, failedRunsQueueArn, keyArn } = operator;
  const throughQueue = { "kms:ViaService": `sqs.${facts.region}.amazonaws.com` };
  return {
    allowed: [
      ...calls(["lambda:InvokeFunction"], [functionArn]),
      ...calls(["sqs:SendMessage"], [failedRunsQueueArn]),
      ...calls(["kms:Decrypt"], [keyArn]),
      ...calls(["kms:GenerateDataKey"], [keyArn], throughQueue),
    ],
    forbidden: [
      ...forbiddenToAll(facts).filter(({ action, resource }) => action !== "kms:Decrypt" || resource !== keyArn),
      ...calls(["lambda:InvokeFunction"], [`${functionArn}-2`]),
      ...calls(["lambda:UpdateFunctionCode", "lambda:DeleteFunction"], [functionArn]),
      ...calls(["sqs:ReceiveMessage"], [failedRunsQueueArn]),
      ...calls(["kms:GenerateDataKey", "kms:Encrypt"], [keyArn]),
      ...readsSecret(operator.administratorSecret, facts.region),
    ],
  };
}

/** The rule that admits guests, the group that it stands in, and the key of the schedule that ends it. */
export interface GuestFacts {
  readonly groupArn: string;
  readonly ruleArn: string;
  readonly keyArn: string;
}

/** Reading another secret than one's own, where the two differ. */
function onlyOther(facts: PipelineFacts, other: SecretFacts, own: SecretFacts): Call[] {
  if (other.arn === own.arn) return [];
  return calls(["secretsmanager:GetSecretValue"], [other.arn]);
}

export const exampleGuests: GuestFacts = {
  groupArn: "arn:aws:ec2:eu-central-1:111122223333:security-group/sg-1",
  ruleArn: "arn:aws:ec2:eu-central-1:111122223333:security-group-rule/sgr-1",
  keyArn: "arn:aws:kms:eu-central-1:111122223333:key/3",
};

export const exampleReview: ReviewFacts = {
  repositoryArn: "arn:aws:ecr:eu-central-1:111122223333:repository/review",
  logGroupArn: "arn:aws:logs:eu-central-1:111122223333:log-group:/ecs/review",
  secret: {
    arn: "arn:aws:secretsmanager:eu-central-1:111122223333:secret:review-AbCdEf",
    keyArn: "arn:aws:kms:eu-central-1:111122223333:key/7",
  },
};

const inExample = (service: string, resource: string) => `arn:aws:${service}:eu-central-1:111122223333:${resource}`;

export const exampleOperator: OperatorFacts = {
  functionArn: inExample("lambda", "function:audit-operator"),
  logGroupArn: inExample("logs", "log-group:/aws/lambda/audit-operator"),
  failedRunsQueueArn: inExample("sqs", "audit-operator-dead-letters"),
  keyArn: inExample("kms", "key/4"),
  administratorSecret: {
    arn: inExample("secretsmanager", "secret:rds!cluster-1-AbCdEf"),
    keyArn: inExample("kms", "key/5"),
  },
  kafkaSecret: { arn: inExample("secretsmanager", "secret:AmazonMSK_1-AbCdEf"), keyArn: inExample("kms", "key/6") },
  replicationInstanceArn: inExample("dms", "rep:INSTANCE"),
  sourceEndpointArn: inExample("dms", "endpoint:SOURCE"),
  targetEndpointArn: inExample("dms", "endpoint:TARGET"),
  captureTags: { "cdc-audit:component": "audit-capture", "cdc-audit:stack": "cdc-audit/dev" },
  captureTaskArn: inExample("dms", "task:audit-capture-task"),
  connectorArn: inExample("kafkaconnect", "connector/audit-sink/0f1e2d3c-2"),
};

/** Facts of a pipeline that exists nowhere, for testing the lists themselves. */
export const exampleFacts: PipelineFacts = {
  region: "eu-central-1",
  account: "111122223333",
  clusterArn: "arn:aws:kafka:eu-central-1:111122223333:cluster/audit/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0-5",
  topics: pipelineTopics(),
  applicationId: "audit-transformer",
  connectorName: "audit-sink",
  captureSecret: {
    arn: "arn:aws:secretsmanager:eu-central-1:111122223333:secret:capture-AbCdEf",
    keyArn: "arn:aws:kms:eu-central-1:111122223333:key/1",
  },
  writerSecret: {
    arn: "arn:aws:secretsmanager:eu-central-1:111122223333:secret:writer-AbCdEf",
    keyArn: "arn:aws:kms:eu-central-1:111122223333:key/2",
  },
  transformerLogGroupArn: "arn:aws:logs:eu-central-1:111122223333:log-group:/ecs/transformer",
  repositoryArn: "arn:aws:ecr:eu-central-1:111122223333:repository/transformer",
};
