import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { tableMappings, taskSettings } from "../../contract/change-capture";
import type { OperatorRequest } from "../../contract/operator";
import { callOperator } from "../operator/invocation";
import { checkArguments } from "../shared/arguments";
import { encryptionKey } from "../shared/encryption-key";
import { warnOfEnds } from "../shared/lifetimes";
import { logGroup } from "../shared/log-groups";
import { nameLimits, physicalName } from "../shared/names";
import { withSecretScramPassword } from "../shared/scram-user";
import { componentTags } from "../shared/tags";
import { changeCaptureProblems, captureVersions } from "./checks";
import { taskIdentifierOf } from "./names";
import { connectionDigest } from "./endpoint-settings";
import { sourceEndpoint, targetEndpoint } from "./endpoints";
import { instanceNetwork, replicationInstance } from "./instance";
import type { CaptureKafkaArgs, ChangeCaptureArgs } from "./types";

export type { CapturedTableArgs, CaptureKafkaArgs, ChangeCaptureArgs, SourceDatabaseArgs } from "./types";

/** What is kept of a Kafka cluster that is given whole. */
const kafkaMembers: Readonly<Record<keyof CaptureKafkaArgs, true>> = {
  bootstrapBrokersScram: true,
  securityGroupId: true,
  scramUsername: true,
  scramPassword: true,
};

/**
 * A DMS task that writes every change of the chosen tables to one Kafka topic: replication instance, endpoints, table
 * mappings and task settings that lose nothing. Data errors stop the task; they are never skipped.
 *
 * The database must be ready before the task starts: logical replication on, the capture user and the schemas `capture`
 * and `capture_heartbeat` created, the tables watched. An `Operator` prepares all of it and tests both connections.
 *
 * Costs: the replication instance by class and its storage, both twice with `multiAz`; a key; sums in `docs/cost.md`.
 *
 * Replaced by: another `vpcId` or `kmsKeyArn`, and a renamed stack. Whatever replaces the endpoints or the instance's
 * key also replaces the task and drops its slot, which leaves a gap; with `retainData` the preview fails instead. Other
 * changes of tables or settings stop the task, change it and resume it at its place.
 */
export class ChangeCapture extends pulumi.ComponentResource {
  /** The replication task. */
  public readonly taskArn: pulumi.Output<string>;
  /** Last part of the task's ARN: its dimension in CloudWatch. */
  public readonly taskIdentifier: pulumi.Output<string>;
  /** The replication instance. */
  public readonly instanceArn: pulumi.Output<string>;
  /** The instance's own dimension in CloudWatch. */
  public readonly instanceIdentifier: pulumi.Output<string>;
  /** The database, for testing the connection. */
  public readonly sourceEndpointArn: pulumi.Output<string>;
  /** The Kafka topic, for testing the connection. */
  public readonly targetEndpointArn: pulumi.Output<string>;
  /** Security group of the replication instance. */
  public readonly securityGroupId: pulumi.Output<string>;

  constructor(name: string, args: ChangeCaptureArgs, opts?: pulumi.ComponentResourceOptions) {
    args = { ...args, kafka: withSecretScramPassword(args.kafka, kafkaMembers) };
    super("cdc-audit:index:ChangeCapture", name, args, opts);
    checkArguments({ kind: "ChangeCapture", name, resource: this }, args, (given) => changeCaptureProblems(given));
    warnOfEnds(captureVersions(args), this);

    const keyArn = encryptionKey(
      name,
      {
        description: `Change capture ${name}`,
        existingKeyArn: args.kmsKeyArn,
        retain: args.retainData ?? true,
      },
      this,
    );
    const network = instanceNetwork(name, args, this);
    const instance = replicationInstance(name, args, { keyArn, network }, this);
    const source = sourceEndpoint(name, args, keyArn, this);
    const target = targetEndpoint(name, args, keyArn, this);
    const log = taskLog(name, args, keyArn, instance, this);
    const tested = testConnections(name, args, { instance, source, target }, this);
    const task = replicationTask(name, args, { instance, source, target, log, tested }, this);

    this.taskArn = task.replicationTaskArn;
    this.taskIdentifier = task.replicationTaskArn.apply((arn) => arn.split(":").at(-1)!);
    this.instanceArn = instance.replicationInstanceArn;
    this.instanceIdentifier = instance.replicationInstanceId;
    this.sourceEndpointArn = source.endpointArn;
    this.targetEndpointArn = target.endpointArn;
    this.securityGroupId = network.group.id;

    this.registerOutputs({
      taskArn: this.taskArn,
      taskIdentifier: this.taskIdentifier,
      instanceArn: this.instanceArn,
      instanceIdentifier: this.instanceIdentifier,
      sourceEndpointArn: this.sourceEndpointArn,
      targetEndpointArn: this.targetEndpointArn,
      securityGroupId: this.securityGroupId,
    });
  }
}

/** DMS would create this log group itself, without retention or key. All tasks of the instance share it. */
function taskLog(
  name: string,
  args: ChangeCaptureArgs,
  keyArn: pulumi.Output<string>,
  instance: aws.dms.ReplicationInstance,
  parent: pulumi.Resource,
): aws.cloudwatch.LogGroup {
  return logGroup(
    name,
    {
      logGroupName: pulumi.interpolate`dms-tasks-${instance.replicationInstanceId}`,
      retentionInDays: args.logRetentionDays,
      keyArn,
    },
    parent,
  );
}

interface Connections {
  readonly instance: aws.dms.ReplicationInstance;
  readonly source: aws.dms.Endpoint;
  readonly target: aws.dms.Endpoint;
}

/** DMS refuses to start a task whose endpoints have not been tested, and starts its own tests too late. */
function testConnections(
  name: string,
  args: ChangeCaptureArgs,
  { instance, source, target }: Connections,
  parent: pulumi.Resource,
): pulumi.Resource[] {
  if (args.operatorFunctionName === undefined) return [];
  const request = pulumi
    .output({
      replicationInstanceArn: instance.replicationInstanceArn,
      endpointArns: [source.endpointArn, target.endpointArn],
    })
    .apply((connections): OperatorRequest => ({ action: "connections", ...connections }));
  return [
    callOperator(
      `${name}-connections`,
      { functionName: args.operatorFunctionName, request, triggers: { settings: connectionDigest(args) } },
      { parent },
    ),
  ];
}

interface TaskNeeds extends Connections {
  readonly log: aws.cloudwatch.LogGroup;
  /** What must succeed before the task starts. */
  readonly tested: readonly pulumi.Resource[];
}

function replicationTask(
  name: string,
  args: ChangeCaptureArgs,
  needs: TaskNeeds,
  parent: pulumi.Resource,
): aws.dms.ReplicationTask {
  const retainData = args.retainData ?? true;
  return new aws.dms.ReplicationTask(
    `${name}-task`,
    {
      replicationTaskId: physicalName(`${name}-task`, nameLimits.replicationTask),
      resourceIdentifier: taskIdentifierOf(name),
      migrationType: args.fullLoad ? "full-load-and-cdc" : "cdc",
      replicationInstanceArn: needs.instance.replicationInstanceArn,
      sourceEndpointArn: needs.source.endpointArn,
      targetEndpointArn: needs.target.endpointArn,
      tableMappings: pulumi.output(args.rawTopic).apply((topic) => JSON.stringify(tableMappings(args.tables, topic))),
      replicationTaskSettings: JSON.stringify(taskSettings({ lobMaxSizeKilobytes: args.lobMaxSizeKilobytes })),
      cdcStartPosition: args.cdcStartPosition,
      startReplicationTask: args.startTask ?? true,
      tags: componentTags(`${name}-task`, name),
    },
    {
      parent,
      dependsOn: [needs.log, ...needs.tested],
      // DMS moves it forward as it reads: the argument counts only at the first start.
      ignoreChanges: ["cdcStartPosition"],
      protect: retainData,
      // DMS takes no second task of the same name. `protect` refuses a replacement that nobody meant.
      deleteBeforeReplace: true,
    },
  );
}
