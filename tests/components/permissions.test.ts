import { describe, expect, it } from "vitest";
import { executionPermissions as connectPermissions, executionTrust } from "../../components/audit-sink/permissions";
import { groupArn, topicArn } from "../../components/kafka-cluster/arns";
import { type OperatorAccess, operatorRolePermissions } from "../../components/operator/permissions";
import {
  type PolicyDocument,
  policyDocument,
  readSecretStatements,
  serviceTrust,
} from "../../components/shared/policies";
import { executionPermissions } from "../../components/shared/container-image";
import { transformerPermissions } from "../../components/transformer-service/permissions";
import { pipelineTopics } from "../../contract/topics";
import { type Call, evaluate } from "../iam/evaluate";

const clusterArn = "arn:aws:kafka:eu-central-1:123456789012:cluster/audit/6b1f0a1e-0000-4000-8000-000000000000-5";
const otherClusterArn = "arn:aws:kafka:eu-central-1:123456789012:cluster/other/7c2f0a1e-0000-4000-8000-000000000000-5";
const secretArn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:writer-AbCdEf";
const keyArn = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const topics = pipelineTopics();
const topic = (name: string) => topicArn(clusterArn, name);
const group = (name: string) => groupArn(clusterArn, name);
const kafka = (action: string, resource: string): Call => ({ action: `kafka-cluster:${action}`, resource });
const throughSecretsManager = { "kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com" };

/** One table for a role: what its holder calls, and what nobody with that role may. */
function expectDecisions(policy: PolicyDocument, calls: { allowed: Call[]; refused: Call[] }): void {
  const decisions = (list: Call[]) =>
    list.map((call) => `${call.action} ${call.resource}: ${evaluate([policy], call)}`);
  const wanted = (list: Call[], decision: string) => list.map((call) => `${call.action} ${call.resource}: ${decision}`);
  expect(decisions(calls.allowed)).toEqual(wanted(calls.allowed, "allowed"));
  expect(decisions(calls.refused)).toEqual(wanted(calls.refused, "not allowed"));
}

describe("the transformer's role", () => {
  const policy = transformerPermissions(clusterArn, topics, "shop-transformer");

  it("allows every call that Kafka Streams makes and none beyond", () => {
    expectDecisions(policy, {
      allowed: [
        kafka("Connect", clusterArn),
        kafka("DescribeCluster", clusterArn),
        kafka("WriteDataIdempotently", clusterArn),
        ...Object.values(topics).map(({ name }) => kafka("DescribeTopic", topic(name))),
        kafka("ReadData", topic("cdc.raw")),
        kafka("ReadData", topic("audit.catalog")),
        kafka("WriteData", topic("audit.catalog")),
        kafka("WriteData", topic("audit.events")),
        kafka("WriteData", topic("audit.dead-letter")),
        // Records wait there for the description of their table.
        kafka("ReadData", topic("audit.dead-letter")),
        kafka("DescribeGroup", group("shop-transformer")),
        kafka("AlterGroup", group("shop-transformer")),
      ],
      refused: [
        kafka("Connect", otherClusterArn),
        kafka("WriteData", topic("cdc.raw")),
        kafka("ReadData", topic("audit.events")),
        kafka("ReadData", topic("second.cdc.raw")),
        kafka("WriteData", topicArn(otherClusterArn, "audit.events")),
        kafka("CreateTopic", topic("audit.events")),
        kafka("DeleteTopic", topic("cdc.raw")),
        kafka("AlterTopic", topic("cdc.raw")),
        kafka("AlterCluster", clusterArn),
        kafka("AlterGroup", group("shop-transformer-2")),
        kafka("AlterGroup", group("connect-audit-sink")),
        kafka("DeleteGroup", group("shop-transformer")),
        { action: "secretsmanager:GetSecretValue", resource: secretArn },
        { action: "s3:GetObject", resource: "arn:aws:s3:::any/object" },
      ],
    });
  });
});

describe("the role that starts transformer tasks", () => {
  const repositoryArn = "arn:aws:ecr:eu-central-1:123456789012:repository/transformer";
  const logGroupArn = "arn:aws:logs:eu-central-1:123456789012:log-group:/ecs/transformer";
  const stream = `${logGroupArn}:log-stream:transformer/transformer/0123`;

  it("pulls the one image and writes the one log", () => {
    expectDecisions(executionPermissions(repositoryArn, logGroupArn), {
      allowed: [
        { action: "ecr:GetAuthorizationToken", resource: "*" },
        { action: "ecr:BatchCheckLayerAvailability", resource: repositoryArn },
        { action: "ecr:BatchGetImage", resource: repositoryArn },
        { action: "ecr:GetDownloadUrlForLayer", resource: repositoryArn },
        { action: "logs:CreateLogStream", resource: stream },
        { action: "logs:PutLogEvents", resource: stream },
      ],
      refused: [
        { action: "ecr:BatchGetImage", resource: `${repositoryArn}-2` },
        { action: "ecr:PutImage", resource: repositoryArn },
        {
          action: "logs:PutLogEvents",
          resource: "arn:aws:logs:eu-central-1:123456789012:log-group:/ecs/other:log-stream:s",
        },
        { action: "logs:DeleteLogGroup", resource: logGroupArn },
        kafka("Connect", clusterArn),
      ],
    });
  });

  it("needs nothing of ECR for an image from elsewhere", () => {
    const policy = executionPermissions("", logGroupArn);
    expect(evaluate([policy], { action: "ecr:GetAuthorizationToken", resource: "*" })).toBe("not allowed");
    expect(JSON.stringify(policy)).not.toContain('""');
  });
});

describe("the sink's role", () => {
  const connectorName = "cdc-audit-dev-audit-sink-1234567";
  const policy = connectPermissions({
    clusterArn,
    connectorName,
    eventsTopic: "audit.events",
    deadLetterTopic: "audit.dead-letter",
    secretArn,
    secretKeyArn: keyArn,
  });
  const id = "12345678-09e7-4abc-8be8-c657f7e4ff32-2";
  const internal = ["configs", "offsets", "status"].map((kind) =>
    topic(`__amazon_msk_connect_${kind}_${connectorName}_${id}`),
  );

  it("allows every call that Connect's workers, the sink and its driver make, and none beyond", () => {
    expectDecisions(policy, {
      allowed: [
        kafka("Connect", clusterArn),
        kafka("DescribeCluster", clusterArn),
        kafka("DescribeTopic", topic("audit.events")),
        kafka("ReadData", topic("audit.events")),
        kafka("DescribeTopic", topic("audit.dead-letter")),
        kafka("WriteData", topic("audit.dead-letter")),
        ...internal.flatMap((resource) =>
          ["CreateTopic", "DescribeTopic", "ReadData", "WriteData"].map((action) => kafka(action, resource)),
        ),
        kafka("DescribeGroup", group(`connect-${connectorName}`)),
        kafka("AlterGroup", group(`connect-${connectorName}`)),
        kafka("DescribeGroup", group(`__amazon_msk_connect_cluster_${connectorName}_${id}`)),
        kafka("AlterGroup", group(`__amazon_msk_connect_cluster_${connectorName}_${id}`)),
        { action: "secretsmanager:GetSecretValue", resource: secretArn },
        { action: "kms:Decrypt", resource: keyArn, context: throughSecretsManager },
      ],
      refused: [
        kafka("WriteData", topic("audit.events")),
        kafka("ReadData", topic("audit.dead-letter")),
        kafka("ReadData", topic("cdc.raw")),
        kafka("CreateTopic", topic("audit.events")),
        kafka("DeleteTopic", internal[0]!),
        kafka("WriteData", topic(`__amazon_msk_connect_offsets_another-sink_${id}`)),
        kafka("AlterGroup", group("connect-another-sink")),
        kafka("AlterGroup", group("shop-transformer")),
        { action: "secretsmanager:GetSecretValue", resource: secretArn.replace("writer", "capture") },
        { action: "secretsmanager:PutSecretValue", resource: secretArn },
        { action: "kms:Decrypt", resource: keyArn },
        { action: "kms:Encrypt", resource: keyArn, context: throughSecretsManager },
        { action: "s3:GetObject", resource: "arn:aws:s3:::plugins/plugin.zip" },
      ],
    });
  });

  it("is for this connector of this account alone", () => {
    const assume = (sourceArn: string, account = "123456789012", service = "kafkaconnect.amazonaws.com"): Call => ({
      action: "sts:AssumeRole",
      resource: "*",
      principal: { Service: service },
      context: { "aws:SourceAccount": account, "aws:SourceArn": sourceArn },
    });
    const trust = executionTrust(clusterArn, connectorName);
    const connectorArn = (account: string, name: string) =>
      `arn:aws:kafkaconnect:eu-central-1:${account}:connector/${name}/${id}`;
    const own = connectorArn("123456789012", connectorName);
    expect(evaluate([trust], assume(own))).toBe("allowed");
    expect(evaluate([trust], assume(connectorArn("123456789012", `${connectorName}-2`)))).toBe("not allowed");
    expect(evaluate([trust], assume(connectorArn("999999999999", connectorName), "999999999999"))).toBe("not allowed");
    expect(evaluate([trust], assume(own, "123456789012", "ec2.amazonaws.com"))).toBe("not allowed");
  });
});

describe("the role with which DMS reads its secret", () => {
  it("reads that secret and its key, and nothing else", () => {
    expectDecisions(policyDocument(...readSecretStatements(secretArn, keyArn)), {
      allowed: [
        { action: "secretsmanager:GetSecretValue", resource: secretArn },
        { action: "secretsmanager:DescribeSecret", resource: secretArn },
        { action: "kms:Decrypt", resource: keyArn, context: throughSecretsManager },
        { action: "kms:DescribeKey", resource: keyArn },
      ],
      refused: [
        { action: "secretsmanager:GetSecretValue", resource: `${secretArn}-2` },
        { action: "secretsmanager:ListSecrets", resource: "*" },
        { action: "kms:Decrypt", resource: keyArn },
        { action: "kms:Decrypt", resource: `${keyArn}-2`, context: throughSecretsManager },
      ],
    });
  });

  it("asks nothing of KMS for a secret under AWS's own key", () => {
    expect(JSON.stringify(readSecretStatements(secretArn))).not.toContain("kms:");
  });

  it("is for DMS of that region alone", () => {
    const trust = serviceTrust("dms.eu-central-1.amazonaws.com");
    const assume = (service: string): Call => ({
      action: "sts:AssumeRole",
      resource: "*",
      principal: { Service: service },
    });
    expect(evaluate([trust], assume("dms.eu-central-1.amazonaws.com"))).toBe("allowed");
    expect(evaluate([trust], assume("dms.eu-west-1.amazonaws.com"))).toBe("not allowed");
  });
});

describe("the operator's role", () => {
  const arn = (service: string, resource: string) => `arn:aws:${service}:eu-central-1:123456789012:${resource}`;
  const captureTags = { "cdc-audit:component": "audit-capture", "cdc-audit:stack": "cdc-audit/dev" };
  const access: OperatorAccess = {
    functionName: "audit-operator",
    logGroupArn: arn("logs", "log-group:/aws/lambda/audit-operator"),
    failedRunsQueueArn: arn("sqs", "audit-operator-dead-letters"),
    keyArn,
    administratorSecretArns: [secretArn, secretArn],
    captureSecretArn: secretArn.replace("writer", "capture"),
    writerSecretArn: secretArn,
    secretKeyArns: [],
    clusterArn,
    rawTopic: "cdc.raw",
    eventsTopic: "audit.events",
    transformerGroup: "shop-transformer",
    sinkGroup: "connect-audit-sink",
    connectorName: "audit-sink",
    captureTaskIdentifier: "audit-capture-task",
    captureTags,
  };
  const tagged = (tags: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(tags).map(([tag, value]) => [`aws:ResourceTag/${tag}`, value]));

  it("tests and changes the endpoints of its own capture, told by their tags, and no others", () => {
    const policy = operatorRolePermissions(access);
    const call = (action: string, tags?: Readonly<Record<string, string>>): Call => ({
      action: `dms:${action}`,
      resource: arn("dms", "endpoint:ABC"),
      ...(tags && { context: tagged(tags) }),
    });
    expectDecisions(policy, {
      allowed: [call("TestConnection", captureTags), call("ModifyEndpoint", captureTags)],
      refused: [
        call("TestConnection"),
        call("ModifyEndpoint", { ...captureTags, "cdc-audit:stack": "cdc-audit/prod" }),
        call("ModifyEndpoint", { ...captureTags, "cdc-audit:component": "billing-capture" }),
        call("DeleteEndpoint", captureTags),
      ],
    });
  });

  it("names no secret or key that it was not told of, and none twice", () => {
    const text = JSON.stringify(operatorRolePermissions(access));
    expect(text).not.toContain("AmazonMSK_");
    expect(text).not.toContain("undefined");
    expect(text).not.toContain('"Resource":[]');
    const statements = operatorRolePermissions(access).Statement;
    expect(new Set(statements.map(({ Sid }) => Sid)).size).toBe(statements.length);
    for (const { Resource = [] } of statements) expect(new Set(Resource).size).toBe(Resource.length);
  });

  it("fits into a role as an inline policy, however long the names are", () => {
    const long = "n".repeat(60);
    const longest = operatorRolePermissions({
      ...access,
      scramSecretArn: arn("secretsmanager", `secret:AmazonMSK_${long}`),
      secretKeyArns: Array.from({ length: 5 }, (_, index) => `${keyArn}${index}`),
      captureTags: { "cdc-audit:component": long, "cdc-audit:stack": `${long}/${long}` },
    });
    expect(JSON.stringify(longest).length).toBeLessThanOrEqual(10_240);
  });
});
