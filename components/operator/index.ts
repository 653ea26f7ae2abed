import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { operatorPorts } from "../../contract/operator-permissions";
import { consumerGroupOf } from "../audit-sink/defaults";
import { refuse } from "../shared/checks";
import { encryptionKey } from "../shared/encryption-key";
import { logGroup } from "../shared/log-groups";
import { nameLimits, physicalName } from "../shared/names";
import { arnParts, serviceTrust } from "../shared/policies";
import { serviceRole } from "../shared/roles";
import { allow, allowHttpsOut, securityGroup } from "../shared/security-groups";
import { componentTags, owner } from "../shared/tags";
import { bundleDigest, entryFile } from "./bundle";
import { operatorProblems } from "./checks";
import { defaultDatabasePort, functionNameOf, functionTimeoutSeconds } from "./defaults";
import { callOperator } from "./invocation";
import { operatorRolePermissions } from "./permissions";
import { bootstrapRequest, guardRequest, maintainRequest } from "./requests";
import { scheduleOperator, schedulerPermissions } from "./schedules";
import type { OperatorArgs } from "./types";

export { Canary } from "./canary";
export {
  type AuditedTableArgs,
  type CanaryArgs,
  type CanaryDatabaseArgs,
  type CanaryKafkaArgs,
  type CanaryOperatorArgs,
  type OperatedDatabaseArgs,
  type OperatedKafkaArgs,
  type OperatedPartsArgs,
  type OperatedTopicsArgs,
  type OperatorArgs,
  PartitionPeriod,
  ReplicaIdentity,
  type RolePasswordArgs,
} from "./types";

/** How often partitions, signal table and slots are looked after; an alarm rings when two runs in a row are missing. */
const maintenanceRate = "rate(6 hours)";

/** How long public access may outlive its end; the rules that let guests in end to the minute. */
const guardRate = "rate(15 minutes)";

/**
 * A Lambda function inside the VPC that does what AWS's APIs can't: prepares the databases, sets the access rules of the
 * SCRAM user, looks after partitions and slots, closes public access when its time is over, and on request tests
 * connections, sends canaries and rotates passwords.
 *
 * Deploying it applies the SQL, creates the roles with their passwords and puts the tables under audit, all safe to
 * repeat: again when the bundle, the tables or a password change. Its outputs resolve once that has succeeded, so
 * whatever is given them finds databases and brokers prepared.
 *
 * Costs per month in us-east-1: function, schedules and queue about 1 USD with a canary every five minutes, its metrics
 * 2.40 USD; a key 1 USD.
 *
 * Replaced by: a renamed stack, another VPC. It keeps nothing. Deleting it takes up to 40 minutes, as long as Lambda
 * takes to give back its network interfaces.
 */
export class Operator extends pulumi.ComponentResource {
  /** The function, once databases and brokers are prepared. */
  public readonly functionName: pulumi.Output<string>;
  /** The function, once databases and brokers are prepared. */
  public readonly functionArn: pulumi.Output<string>;
  /** Role with which EventBridge Scheduler starts the function. */
  public readonly schedulerRoleArn: pulumi.Output<string>;
  /** Queue of runs that could not be started or failed. */
  public readonly failedRunsQueueArn: pulumi.Output<string>;
  /** The queue's dimension in CloudWatch. */
  public readonly failedRunsQueueName: pulumi.Output<string>;
  /** Key of log, schedules and queue. */
  public readonly keyArn: pulumi.Output<string>;
  /** What the function acts as. */
  public readonly roleArn: pulumi.Output<string>;
  /** Security group of the function. */
  public readonly securityGroupId: pulumi.Output<string>;
  /** Where the function logs, one JSON object a line. */
  public readonly logGroupName: pulumi.Output<string>;

  constructor(name: string, args: OperatorArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc-audit:index:Operator", name, args, opts);
    refuse(name, operatorProblems(args), this);

    const keyArn = encryptionKey(
      `${name}-key`,
      { description: `Operator ${name}`, existingKeyArn: args.kmsKeyArn, component: name },
      this,
    );
    const network = functionNetwork(name, args, this);
    const log = functionLog(name, args, keyArn, this);
    const failedRuns = failedRunsQueue(name, keyArn, this);
    const roleArn = functionRole(name, args, { keyArn, log, failedRuns }, this);
    const operator = operatorFunction(name, args, { keyArn, network, log, roleArn }, this);
    keepFailedRuns(name, operator, failedRuns, this);
    const prepared = prepare(name, args, operator, this);
    const schedulerRoleArn = schedulerRole(name, { operator, failedRuns, keyArn }, this);

    this.functionName = prepared;
    this.functionArn = pulumi.all([operator.arn, prepared]).apply(([arn]) => arn);
    this.schedulerRoleArn = schedulerRoleArn;
    this.failedRunsQueueArn = failedRuns.arn;
    this.failedRunsQueueName = failedRuns.name;
    this.keyArn = keyArn;
    this.roleArn = roleArn;
    this.securityGroupId = network.group.id;
    this.logGroupName = log.name;
    keepWatch(name, args, this);

    this.registerOutputs({
      functionName: this.functionName,
      functionArn: this.functionArn,
      schedulerRoleArn: this.schedulerRoleArn,
      failedRunsQueueArn: this.failedRunsQueueArn,
      failedRunsQueueName: this.failedRunsQueueName,
      keyArn: this.keyArn,
      roleArn: this.roleArn,
      securityGroupId: this.securityGroupId,
      logGroupName: this.logGroupName,
    });
  }
}

interface FunctionNetwork {
  readonly group: aws.ec2.SecurityGroup;
  /** The rules without which the function reaches nothing. */
  readonly rules: readonly pulumi.Resource[];
}

function functionNetwork(name: string, args: OperatorArgs, parent: pulumi.Resource): FunctionNetwork {
  const group = securityGroup(
    `${name}-security-group`,
    { vpcId: args.vpcId, description: "Operator", component: name },
    parent,
  );
  const reach = (place: string, to: pulumi.Input<string>, port: pulumi.Input<number>, description: string) =>
    allow(`${name}-to-${place}`, { from: group.id, to, port, description, component: name }, parent);
  const { source, destination = source, kafka } = args;
  const sourcePort = source.port ?? defaultDatabasePort;
  const destinationPort = destination.port ?? defaultDatabasePort;
  const rules = [
    ...reach("source", source.securityGroupId, sourcePort, `${name} prepares the source and sends canaries`),
    // AWS refuses a second rule that says the same.
    ...(destination.securityGroupId === source.securityGroupId && destinationPort === sourcePort
      ? []
      : reach("destination", destination.securityGroupId, destinationPort, `${name} looks after the audit table`)),
    ...reach("kafka", kafka.securityGroupId, operatorPorts.kafkaIam, `${name} sets access rules and looks at topics`),
    ...reach("kafka-scram", kafka.securityGroupId, operatorPorts.kafkaScram, `${name} tries a rotated password`),
    allowHttpsOut(
      `${name}-to-aws`,
      { from: group.id, reason: "The operator reads secrets and asks DMS, MSK and MSK Connect", component: name },
      parent,
    ),
  ];
  return { group, rules };
}

function functionLog(
  name: string,
  args: OperatorArgs,
  keyArn: pulumi.Output<string>,
  parent: pulumi.Resource,
): aws.cloudwatch.LogGroup {
  return logGroup(
    `${name}-log`,
    {
      logGroupName: `/aws/lambda/${functionNameOf(name)}`,
      retentionInDays: args.logRetentionDays,
      keyArn,
      component: name,
    },
    parent,
  );
}

/** Failed runs are kept for as long as SQS can: two weeks to look at what went wrong. */
function failedRunsQueue(name: string, keyArn: pulumi.Output<string>, parent: pulumi.Resource): aws.sqs.Queue {
  const childName = `${name}-dead-letters`;
  return new aws.sqs.Queue(
    childName,
    {
      name: physicalName(childName, nameLimits.queue),
      messageRetentionSeconds: 14 * 86_400,
      kmsMasterKeyId: keyArn,
      tags: componentTags(childName, name),
    },
    { parent, deleteBeforeReplace: true },
  );
}

function functionRole(
  name: string,
  args: OperatorArgs,
  needs: { keyArn: pulumi.Output<string>; log: aws.cloudwatch.LogGroup; failedRuns: aws.sqs.Queue },
  parent: pulumi.Resource,
): pulumi.Output<string> {
  const { source, destination = source, kafka, parts } = args;
  const access = pulumi.output({
    logGroupArn: needs.log.arn,
    failedRunsQueueArn: needs.failedRuns.arn,
    keyArn: needs.keyArn,
    administratorSecretArns: [source.adminSecretArn, destination.adminSecretArn],
    captureSecretArn: args.captureRole.secretArn,
    writerSecretArn: args.writerRole.secretArn,
    scramSecretArn: kafka.scramSecretArn,
    keys: [
      source.adminSecretKeyArn,
      destination.adminSecretKeyArn,
      args.captureRole.keyArn,
      args.writerRole.keyArn,
      kafka.scramSecretArn === undefined ? undefined : kafka.keyArn,
    ],
    clusterArn: kafka.clusterArn,
    rawTopic: args.topics.raw,
    eventsTopic: args.topics.events,
  });
  return serviceRole(
    `${name}-role`,
    {
      description: "The operator prepares databases and brokers and looks after the pipeline",
      trust: serviceTrust("lambda.amazonaws.com"),
      permissions: access.apply(({ keys, ...known }) =>
        operatorRolePermissions({
          ...known,
          functionName: functionNameOf(name),
          secretKeyArns: keys.filter((key) => key !== undefined),
          transformerGroup: parts.transformerGroup,
          sinkGroup: consumerGroupOf(parts.connectorName),
          connectorName: parts.connectorName,
          captureTaskIdentifier: parts.captureTaskIdentifier,
          captureTags: owner(parts.captureName),
        }),
      ),
      component: name,
    },
    parent,
  );
}

interface FunctionNeeds {
  readonly keyArn: pulumi.Output<string>;
  readonly network: FunctionNetwork;
  readonly log: aws.cloudwatch.LogGroup;
  readonly roleArn: pulumi.Output<string>;
}

function operatorFunction(
  name: string,
  args: OperatorArgs,
  needs: FunctionNeeds,
  parent: pulumi.Resource,
): aws.lambda.Function {
  return new aws.lambda.Function(
    `${name}-function`,
    {
      name: functionNameOf(name),
      description: `Looks after the audit pipeline of ${args.sourceId}`,
      runtime: aws.lambda.Runtime.NodeJS24dX,
      architectures: ["arm64"],
      handler: `${entryFile.replace(/\.js$/, "")}.handler`,
      code: new pulumi.asset.FileArchive(args.bundlePath),
      // With memory comes processor: less would make a cold start and TLS slow.
      memorySize: 512,
      timeout: functionTimeoutSeconds,
      role: needs.roleArn,
      vpcConfig: { subnetIds: args.subnetIds, securityGroupIds: [needs.network.group.id] },
      reservedConcurrentExecutions: args.reservedConcurrency,
      kmsKeyArn: needs.keyArn,
      // Each line that it writes is JSON already.
      loggingConfig: { logFormat: "Text", logGroup: needs.log.name },
      tags: componentTags(`${name}-function`, name),
    },
    { parent, dependsOn: [...needs.network.rules], deleteBeforeReplace: true },
  );
}

/** A scheduled run that fails is not tried again, as the next one comes soon; what it was asked and said is kept. */
function keepFailedRuns(
  name: string,
  operator: aws.lambda.Function,
  failedRuns: aws.sqs.Queue,
  parent: pulumi.Resource,
): void {
  new aws.lambda.FunctionEventInvokeConfig(
    `${name}-failed-runs`,
    {
      functionName: operator.name,
      maximumRetryAttempts: 0,
      maximumEventAgeInSeconds: 300,
      destinationConfig: { onFailure: { destination: failedRuns.arn } },
    },
    { parent },
  );
}

/**
 * Databases first, then what reads them at once, then the brokers' access rules. The function's name that it returns
 * resolves once all of it is done.
 */
function prepare(
  name: string,
  args: OperatorArgs,
  operator: aws.lambda.Function,
  parent: pulumi.Resource,
): pulumi.Output<string> {
  const bundle = bundleDigest(args.bundlePath);
  const bootstrap = callOperator(
    `${name}-bootstrap`,
    {
      functionName: operator.name,
      request: bootstrapRequest(args),
      triggers: {
        bundle,
        ...(args.captureRole.versionId && { captureSecret: args.captureRole.versionId }),
        ...(args.writerRole.versionId && { writerSecret: args.writerRole.versionId }),
      },
    },
    { parent },
  );
  const maintain = callOperator(
    `${name}-maintain`,
    { functionName: bootstrap.functionName, request: maintainRequest(args), triggers: { bundle } },
    { parent },
  );
  const guard = callOperator(
    `${name}-guard`,
    { functionName: operator.name, request: guardRequest(args), triggers: { bundle } },
    { parent },
  );
  return pulumi.all([maintain.functionName, guard.functionName]).apply(([functionName]) => functionName);
}

function schedulerRole(
  name: string,
  needs: { operator: aws.lambda.Function; failedRuns: aws.sqs.Queue; keyArn: pulumi.Output<string> },
  parent: pulumi.Resource,
): pulumi.Output<string> {
  const access = pulumi.output({
    functionArn: needs.operator.arn,
    failedRunsQueueArn: needs.failedRuns.arn,
    keyArn: needs.keyArn,
  });
  return serviceRole(
    `${name}-scheduler-role`,
    {
      description: `Starts the operator ${name}`,
      trust: needs.operator.arn.apply((arn) =>
        serviceTrust("scheduler.amazonaws.com", { StringEquals: { "aws:SourceAccount": arnParts(arn).account } }),
      ),
      permissions: access.apply(schedulerPermissions),
      component: name,
    },
    parent,
  );
}

function keepWatch(name: string, args: OperatorArgs, operator: Operator): void {
  scheduleOperator(
    `${name}-maintain-schedule`,
    {
      description: "Keeps partitions, signal table and slots",
      expression: maintenanceRate,
      request: maintainRequest(args),
      operator,
    },
    { parent: operator },
  );
  scheduleOperator(
    `${name}-guard-schedule`,
    {
      description: "Closes public access to the brokers when its time is over",
      expression: guardRate,
      request: guardRequest(args),
      operator,
    },
    { parent: operator },
  );
}
