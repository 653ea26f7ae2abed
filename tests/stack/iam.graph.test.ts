import { describe, expect, it } from "vitest";
import {
  captureCalls,
  connectWorkerCalls,
  type Expectations,
  guestsEndCalls,
  operatorCalls,
  type OperatorFacts,
  type PipelineFacts,
  reviewExecutionCalls,
  schedulerCalls,
  taskExecutionCalls,
  transformerCalls,
} from "../iam/calls";
import { type Call, evaluate, type Policy } from "../iam/evaluate";
import type { Registration } from "../../recorder/engine";
import { type Graph, input, jsonInput, textInput } from "../../recorder/graph";
import { environmentOf } from "./invariants";
import { recordedGraph } from "../setup/recordings";

/** A role that a part of the pipeline takes on, with all that the graph gives it. */
interface Role {
  readonly trust: Policy;
  readonly policies: readonly Policy[];
}

function only(graph: Graph, type: string, where: (resource: Registration) => boolean = () => true): Registration {
  const found = graph.ofType(type).filter(where);
  if (found.length !== 1) throw new Error(`Expected one ${type}, found ${found.map(({ name }) => name).join(", ")}.`);
  return found[0] as Registration;
}

function roleWithArn(graph: Graph, arn: string): Role {
  const role = only(graph, "aws:iam/role:Role", ({ outputs }) => outputs.arn === arn);
  const ofRole = graph
    .ofType("aws:iam/rolePolicy:RolePolicy")
    .filter((policy) => textInput(policy, "role") === textInput(role, "name"));
  return {
    trust: jsonInput(role, "assumeRolePolicy") as Policy,
    policies: ofRole.map((policy) => jsonInput(policy, "policy") as Policy),
  };
}

/** The names and ARNs of the one pipeline in a graph, from the resources that use them. */
function factsOf(graph: Graph): PipelineFacts {
  const cluster = String(only(graph, "aws:msk/cluster:Cluster").outputs.arn);
  const [, , , region = "", account = ""] = cluster.split(":");
  const connector = only(graph, "aws:mskconnect/connector:Connector");
  const task = taskOf(graph, "audit-transformer");
  const source = only(graph, "aws:dms/endpoint:Endpoint", (each) => textInput(each, "endpointType") === "source");
  const environment = environmentOf(task);
  const topic = (name: string | undefined) => ({ name: name ?? "", partitions: 1, config: {} });
  const secretOf = (arn: string) => ({
    arn,
    keyArn: textInput(
      only(graph, "aws:secretsmanager/secret:Secret", ({ outputs }) => outputs.arn === arn),
      "kmsKeyId",
    ),
  });
  const properties = input(connector, "connectorConfiguration") as Record<string, string>;
  const page = graph.ofType("aws:ecs/taskDefinition:TaskDefinition").find(({ name }) => name === "audit-review-task");
  const reviewSecret = page ? passwordOf(page) : undefined;
  const url = new URLSearchParams(properties["connection.url"]?.split("?")[1]);
  return {
    region,
    account,
    clusterArn: cluster,
    topics: {
      raw: topic(environment.AUDIT_TOPICS_RAW),
      events: topic(environment.AUDIT_TOPICS_EVENTS),
      catalog: topic(environment.AUDIT_TOPICS_CATALOG),
      deadLetter: topic(environment.AUDIT_TOPICS_DEAD_LETTER),
    },
    applicationId: environment.AUDIT_APPLICATION_ID ?? "",
    connectorName: textInput(connector, "name"),
    captureSecret: secretOf(textInput(source, "secretsManagerArn")),
    writerSecret: secretOf(url.get("secretsManagerSecretId") ?? ""),
    reviewSecret: reviewSecret ? secretOf(reviewSecret) : undefined,
    transformerLogGroupArn: logGroupOf(graph, task),
    repositoryArn: repositoryOf(graph, "audit-transformer"),
  };
}

interface Container {
  readonly logConfiguration: { readonly options: Readonly<Record<string, string>> };
  readonly secrets?: readonly { readonly valueFrom: string }[];
}

function containerOf(task: Registration): Container {
  return (jsonInput(task, "containerDefinitions") as [Container])[0];
}

function taskOf(graph: Graph, component: string): Registration {
  return only(graph, "aws:ecs/taskDefinition:TaskDefinition", ({ name }) => name === `${component}-task`);
}

function repositoryOf(graph: Graph, component: string): string {
  const isOwn = ({ name }: Registration) => name === `${component}-repository`;
  return String(only(graph, "aws:ecr/repository:Repository", isOwn).outputs.arn);
}

function logGroupOf(graph: Graph, task: Registration): string {
  const logGroupName = containerOf(task).logConfiguration.options["awslogs-group"];
  const isOwn = (each: Registration) => textInput(each, "name") === logGroupName;
  return String(only(graph, "aws:cloudwatch/logGroup:LogGroup", isOwn).outputs.arn);
}

/** ARN of the secret whose password ECS puts into the container. */
function passwordOf(task: Registration): string | undefined {
  return containerOf(task).secrets?.[0]?.valueFrom.replace(/:password::$/, "");
}

/** The one operator in a graph, and what it looks after. */
function operatorOf(graph: Graph): OperatorFacts {
  const operator = only(graph, "aws:lambda/function:Function");
  const queue = only(graph, "aws:sqs/queue:Queue");
  const logGroupName = textInput(operator, "loggingConfig.logGroup");
  const endpoint = (kind: string) =>
    String(
      only(graph, "aws:dms/endpoint:Endpoint", (each) => textInput(each, "endpointType") === kind).outputs.endpointArn,
    );
  const instance = only(graph, "aws:dms/replicationInstance:ReplicationInstance");
  const database = only(graph, "aws:rds/cluster:Cluster");
  const kafkaSecret = only(graph, "aws:secretsmanager/secret:Secret", ({ name }) => name === "kafka-capture-secret");
  const tags = Object.entries(input(instance, "tags") as Record<string, string>);
  const captureTags = Object.fromEntries(tags.filter(([tag]) => tag.startsWith("cdc-audit:")));
  return {
    functionArn: String(operator.outputs.arn),
    logGroupArn: String(
      only(graph, "aws:cloudwatch/logGroup:LogGroup", (each) => textInput(each, "name") === logGroupName).outputs.arn,
    ),
    failedRunsQueueArn: String(queue.outputs.arn),
    keyArn: textInput(queue, "kmsMasterKeyId"),
    administratorSecret: {
      arn: (database.outputs.masterUserSecrets as { secretArn: string }[])[0]?.secretArn ?? "",
      keyArn: textInput(database, "masterUserSecretKmsKeyId"),
    },
    kafkaSecret: { arn: String(kafkaSecret.outputs.arn), keyArn: textInput(kafkaSecret, "kmsKeyId") },
    replicationInstanceArn: String(instance.outputs.replicationInstanceArn),
    sourceEndpointArn: endpoint("source"),
    targetEndpointArn: endpoint("target"),
    captureTags,
    captureTaskArn: String(only(graph, "aws:dms/replicationTask:ReplicationTask").outputs.replicationTaskArn),
    connectorArn: String(only(graph, "aws:mskconnect/connector:Connector").outputs.arn),
  };
}

interface Caller {
  readonly who: string;
  /** The service that takes on the role, and what AWS says of the occasion. */
  readonly service: string;
  readonly context: NonNullable<Call["context"]>;
  readonly roleArn: string;
  readonly expectations: Expectations;
}

function callersOf(graph: Graph): Caller[] {
  const facts = factsOf(graph);
  const { region, account } = facts;
  const connector = only(graph, "aws:mskconnect/connector:Connector");
  const task = taskOf(graph, "audit-transformer");
  const source = only(graph, "aws:dms/endpoint:Endpoint", (each) => textInput(each, "endpointType") === "source");
  const ofAccount = { "aws:SourceAccount": account };
  const tasks = { ...ofAccount, "aws:SourceArn": `arn:aws:ecs:${region}:${account}:task/audit/0a1b2c` };
  return [
    {
      who: "the Connect worker",
      service: "kafkaconnect.amazonaws.com",
      context: { ...ofAccount, "aws:SourceArn": String(connector.outputs.arn) },
      roleArn: textInput(connector, "serviceExecutionRoleArn"),
      expectations: connectWorkerCalls(facts),
    },
    {
      who: "the transformer",
      service: "ecs-tasks.amazonaws.com",
      context: tasks,
      roleArn: textInput(task, "taskRoleArn"),
      expectations: transformerCalls(facts),
    },
    {
      who: "ECS on behalf of the transformer",
      service: "ecs-tasks.amazonaws.com",
      context: tasks,
      roleArn: textInput(task, "executionRoleArn"),
      expectations: taskExecutionCalls(facts),
    },
    {
      who: "DMS",
      service: `dms.${region}.amazonaws.com`,
      context: {},
      roleArn: textInput(source, "secretsManagerAccessRoleArn"),
      expectations: captureCalls(facts),
    },
    {
      who: "the operator",
      service: "lambda.amazonaws.com",
      context: {},
      roleArn: textInput(only(graph, "aws:lambda/function:Function"), "role"),
      expectations: operatorCalls(facts, operatorOf(graph)),
    },
    {
      who: "the operator's schedules",
      service: "scheduler.amazonaws.com",
      context: ofAccount,
      roleArn: textInput(
        only(graph, scheduleType, ({ name }) => name === "audit-canary-schedule"),
        "target.roleArn",
      ),
      expectations: schedulerCalls(facts, operatorOf(graph)),
    },
  ];
}

const scheduleType = "aws:scheduler/schedule:Schedule";

/** Only with the page. */
function reviewCaller(graph: Graph): Caller {
  const facts = factsOf(graph);
  const task = taskOf(graph, "audit-review");
  if (!facts.reviewSecret) throw new Error("The page has no secret.");
  const sourceArn = `arn:aws:ecs:${facts.region}:${facts.account}:task/audit/0a1b2c`;
  return {
    who: "ECS on behalf of the page",
    service: "ecs-tasks.amazonaws.com",
    context: { "aws:SourceAccount": facts.account, "aws:SourceArn": sourceArn },
    roleArn: textInput(task, "executionRoleArn"),
    expectations: reviewExecutionCalls(facts, {
      repositoryArn: repositoryOf(graph, "audit-review"),
      logGroupArn: logGroupOf(graph, task),
      secret: facts.reviewSecret,
    }),
  };
}

/** Only while guests are admitted. */
function guestsEndCaller(graph: Graph): Caller {
  const facts = factsOf(graph);
  const schedule = only(graph, scheduleType, ({ name }) => name === "kafka-guests-end");
  const { GroupId: groupId, SecurityGroupRuleIds: ruleIds } = jsonInput(schedule, "target.input") as {
    GroupId: string;
    SecurityGroupRuleIds: [string];
  };
  const ec2 = `arn:aws:ec2:${facts.region}:${facts.account}`;
  return {
    who: "the schedule that shuts guests out",
    service: "scheduler.amazonaws.com",
    context: { "aws:SourceAccount": facts.account },
    roleArn: textInput(schedule, "target.roleArn"),
    expectations: guestsEndCalls(facts, {
      groupArn: `${ec2}:security-group/${groupId}`,
      ruleArn: `${ec2}:security-group-rule/${ruleIds[0]}`,
      keyArn: textInput(schedule, "kmsKeyArn"),
    }),
  };
}

describe.each(["dev", "devWithGuests", "devWithReview", "prod"] as const)("permissions in %s", (stack) => {
  const graph = recordedGraph(stack);
  const callers = [
    ...callersOf(graph),
    ...(stack === "devWithGuests" ? [guestsEndCaller(graph)] : []),
    ...(stack === "devWithReview" ? [reviewCaller(graph)] : []),
  ];
  const named = callers.map((caller) => [caller.who, caller] as const);

  it.each(named)("%s may do all its work", (_, { roleArn, expectations }) => {
    const { policies } = roleWithArn(graph, roleArn);
    const refused = expectations.allowed.filter((call) => evaluate(policies, call) !== "allowed");
    expect(refused).toEqual([]);
  });

  it.each(named)("%s may do nothing else that would hurt", (_, { roleArn, expectations }) => {
    const { policies } = roleWithArn(graph, roleArn);
    const granted = expectations.forbidden.filter((call) => evaluate(policies, call) === "allowed");
    expect(granted).toEqual([]);
  });

  it.each(named)("the role of %s is taken on by its service alone", (_, { roleArn, service, context }) => {
    const { trust } = roleWithArn(graph, roleArn);
    const assume = (principal: Record<string, string>, occasion: Call["context"] = context) =>
      evaluate([trust], { action: "sts:AssumeRole", resource: roleArn, principal, context: occasion ?? {} });
    expect(assume({ Service: service })).toBe("allowed");
    expect(assume({ Service: "ec2.amazonaws.com" })).toBe("not allowed");
    expect(assume({ AWS: "arn:aws:iam::999999999999:root" })).toBe("not allowed");
    if ("aws:SourceAccount" in context) {
      const elsewhere = {
        "aws:SourceAccount": "999999999999",
        "aws:SourceArn": "arn:aws:ecs:eu-central-1:999999999999:task/a/b",
      };
      expect(assume({ Service: service }, elsewhere)).toBe("not allowed");
    }
  });

  it("every role's policies name one role that exists", () => {
    const roles = graph.ofType("aws:iam/role:Role").map((role) => textInput(role, "name"));
    for (const policy of graph.ofType("aws:iam/rolePolicy:RolePolicy"))
      expect(roles).toContain(textInput(policy, "role"));
  });

  it("keys serve the account's own identities, its log groups and its alarms, and no one else", () => {
    const { region, account } = factsOf(graph);
    const policies = graph.ofType("aws:kms/keyPolicy:KeyPolicy").map((each) => jsonInput(each, "policy") as Policy);
    expect(policies.length).toBeGreaterThan(0);
    const decide = (policy: Policy, principal: Record<string, string>, context: Call["context"] = {}) =>
      evaluate([policy], { action: "kms:Decrypt", resource: "*", principal, context: context ?? {} });
    const logs = { Service: `logs.${region}.amazonaws.com` };
    const group = (of: string) => ({
      "kms:EncryptionContext:aws:logs:arn": `arn:aws:logs:${region}:${of}:log-group:/ecs/transformer`,
    });
    for (const policy of policies) {
      expect(decide(policy, { AWS: `arn:aws:iam::${account}:root` })).toBe("allowed");
      expect(decide(policy, logs, group(account))).toBe("allowed");
      expect(decide(policy, logs, group("999999999999"))).toBe("not allowed");
      expect(decide(policy, { AWS: "arn:aws:iam::999999999999:root" })).toBe("not allowed");
      expect(decide(policy, { Service: "s3.amazonaws.com" })).toBe("not allowed");
    }
  });

  it("the alarm topic hears this account's alarms and event rules, under a key that lets them write", () => {
    const { region, account } = factsOf(graph);
    const topic = only(graph, "aws:sns/topic:Topic");
    const topicArn = String(topic.outputs.arn);
    const topicPolicy = jsonInput(only(graph, "aws:sns/topicPolicy:TopicPolicy"), "policy") as Policy;
    const keyArn = textInput(topic, "kmsMasterKeyId");
    const keyId = keyArn.split("/")[1];
    const keyPolicy = jsonInput(
      only(graph, "aws:kms/keyPolicy:KeyPolicy", (each) => textInput(each, "keyId") === keyId),
      "policy",
    ) as Policy;
    const publishers = [
      ["cloudwatch.amazonaws.com", `arn:aws:cloudwatch:${region}:${account}:alarm:sink-behind`],
      ["events.amazonaws.com", `arn:aws:events:${region}:${account}:rule/task-events`],
    ] as const;
    for (const [service, sourceArn] of publishers) {
      const principal = { Service: service };
      const publish = (context: NonNullable<Call["context"]>) =>
        evaluate([topicPolicy], { action: "sns:Publish", resource: topicArn, principal, context });
      expect(publish({ "aws:SourceAccount": account, "aws:SourceArn": sourceArn })).toBe("allowed");
      const foreign = sourceArn.replace(account, "999999999999");
      expect(publish({ "aws:SourceAccount": "999999999999", "aws:SourceArn": foreign })).toBe("not allowed");
      const encrypt = { "kms:EncryptionContext:aws:sns:topicArn": topicArn };
      const call = { action: "kms:GenerateDataKey", resource: keyArn, principal, context: encrypt };
      expect(evaluate([keyPolicy], call)).toBe("allowed");
    }
  });

  it("the plugin's bucket refuses plain HTTP from everyone", () => {
    const policy = jsonInput(only(graph, "aws:s3/bucketPolicy:BucketPolicy"), "policy") as Policy;
    const bucket = String(only(graph, "aws:s3/bucket:Bucket").outputs.arn);
    const get = (secure: string) =>
      evaluate([policy], {
        action: "s3:GetObject",
        resource: `${bucket}/plugin.zip`,
        principal: { AWS: "arn:aws:iam::111122223333:root" },
        context: { "aws:SecureTransport": secure },
      });
    expect(get("false")).toBe("denied");
    expect(get("true")).toBe("not allowed");
  });
});
