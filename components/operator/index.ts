import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { checkArguments } from "../shared/arguments";
import { encryptionKey } from "../shared/encryption-key";
import { warnOfEnds } from "../shared/lifetimes";
import { arnParts, serviceTrust } from "../shared/policies";
import { serviceRole } from "../shared/roles";
import { operatorProblems } from "./checks";
import { failedRunsQueue, keepFailedRuns } from "./failed-runs";
import { functionLog, functionNetwork, functionRole, operatorFunction } from "./function";
import { functionRuntime } from "./names";
import { prepare } from "./preparation";
import { guardRequest, maintainRequest } from "./requests";
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

/**
 * How often the operator maintains partitions, signal table and slots. An alarm rings when two runs in a row are
 * missing.
 */
const maintenanceRate = "rate(6 hours)";

/** How long public addresses may outlive the end of public access; the guests' rules end to the minute. */
const guardRate = "rate(15 minutes)";

/**
 * A Lambda function inside the VPC that does what AWS's APIs can't: prepares the databases, sets the access rules of
 * the SCRAM user, looks after partitions and slots, closes public access when its time is over, and on request tests
 * connections, sends canaries and rotates passwords.
 *
 * Deploying it applies the SQL, creates the roles with their passwords and puts the tables under audit. All of it is
 * safe to repeat, and is repeated when the bundle, the tables or a password change. Its outputs resolve once that has
 * succeeded, so a resource that takes them finds databases and brokers prepared. An upgrade needs an order: destination,
 * sink, transformer, source; `sourceAfter` and `destinationFunctionName` make it.
 *
 * Costs: function, schedules and queue by use, its metrics, a key; sums in `docs/cost.md`.
 *
 * Replaced by: a renamed stack, another VPC. It keeps no state. Deleting it takes up to 40 minutes, because Lambda is
 * slow to return its network interfaces.
 */
export class Operator extends pulumi.ComponentResource {
  /** The function, once databases and brokers are prepared. */
  public readonly functionName: pulumi.Output<string>;
  /** The function, once the destination and the brokers are prepared: for a sink that `sourceAfter` waits for. */
  public readonly destinationFunctionName: pulumi.Output<string>;
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
  /** Role of the function. */
  public readonly roleArn: pulumi.Output<string>;
  /** Security group of the function. */
  public readonly securityGroupId: pulumi.Output<string>;
  /** Where the function logs, one JSON object a line. */
  public readonly logGroupName: pulumi.Output<string>;

  constructor(name: string, args: OperatorArgs, opts?: pulumi.ComponentResourceOptions) {
    // The engine waits for the inputs that it is told of, and `sourceAfter` may wait for children of this component.
    super("cdc-audit:index:Operator", name, { ...args, sourceAfter: undefined }, opts);
    checkArguments({ kind: "Operator", name, resource: this }, args, (given) => operatorProblems(given));
    warnOfEnds([{ service: "lambdaRuntime", version: functionRuntime }], this);

    const keyArn = encryptionKey(name, { description: `Operator ${name}`, existingKeyArn: args.kmsKeyArn }, this);
    const network = functionNetwork(name, args, this);
    const log = functionLog(name, args, keyArn, this);
    const failedRuns = failedRunsQueue(name, keyArn, this);
    const roleArn = functionRole(name, args, { keyArn, log, failedRuns }, this);
    const operator = operatorFunction(name, args, { keyArn, network, log, roleArn }, this);
    keepFailedRuns(name, operator, failedRuns, this);
    const prepared = prepare(name, args, operator, this);
    const schedulerRoleArn = schedulerRole(name, { operator, failedRuns, keyArn }, this);

    this.functionName = prepared.forCapture;
    this.destinationFunctionName = prepared.forSink;
    this.functionArn = pulumi.all([operator.arn, prepared.forCapture]).apply(([arn]) => arn);
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
      destinationFunctionName: this.destinationFunctionName,
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
