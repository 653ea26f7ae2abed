import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { tableMappings, taskSettings } from "../../contract/change-capture";
import type { OperatorRequest } from "../../contract/operator";
import { brokerPorts } from "../kafka-cluster";
import { callOperator } from "../operator/invocation";
import { refuse } from "../shared/checks";
import { encryptionKey } from "../shared/encryption-key";
import { logGroup } from "../shared/log-groups";
import { nameLimits, physicalName } from "../shared/names";
import { arnParts, policyDocument, readSecretStatements, serviceTrust } from "../shared/policies";
import { serviceRole } from "../shared/roles";
import { allow, allowHttpsOut, securityGroup } from "../shared/security-groups";
import { componentTags } from "../shared/tags";
import { changeCaptureProblems } from "./checks";
import { defaultEngineVersion, defaultSourcePort, taskIdentifierOf } from "./defaults";
import { connectionDigest, sourceSettings, targetSettings } from "./endpoints";
import { type AccountRolesArgs, accountRoles } from "./service-roles";
import type { ChangeCaptureArgs } from "./types";

export type { CapturedTableArgs, CaptureKafkaArgs, ChangeCaptureArgs, SourceDatabaseArgs } from "./types";

/**
 * A DMS task that writes every change of the chosen tables to one Kafka topic: replication instance, endpoints, table
 * mappings and task settings that lose nothing. Data errors stop the task; they are never skipped.
 *
 * The database must be ready before the task starts: logical replication on, the capture user and the schemas `capture`
 * and `capture_heartbeat` there, the tables watched. An `Operator` sees to it and tests both connections.
 *
 * Costs per month in us-east-1: a `dms.t3.medium` 53 USD and 50 GiB 6 USD, both doubled with `multiAz`; a key 1 USD.
 *
 * Replaced by: another `vpcId` or `kmsKeyArn`, and a renamed stack. The task goes with its endpoints or its instance's key,
 * and its slot with it, which leaves a gap; with `retainData` the preview fails instead. Other changes of tables or
 * settings stop the task, change it and let it go on where it was.
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
    args = withSecretPassword(args);
    super("cdc-audit:index:ChangeCapture", name, args, opts);
    refuse(name, changeCaptureProblems(args), this);

    const keyArn = encryptionKey(
      `${name}-key`,
      {
        description: `Change capture ${name}`,
        existingKeyArn: args.kmsKeyArn,
        retain: args.retainData ?? true,
        component: name,
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

/**
 * Pulumi keeps a component's arguments in its state: the password must be a secret before it gets there. Of the cluster,
 * which may be given as the component that it is, no more is kept than is asked for.
 */
function withSecretPassword(args: ChangeCaptureArgs): ChangeCaptureArgs {
  const { bootstrapBrokersScram, securityGroupId, scramUsername, scramPassword } = args.kafka;
  return {
    ...args,
    kafka: { bootstrapBrokersScram, securityGroupId, scramUsername, scramPassword: pulumi.secret(scramPassword) },
  };
}

interface InstanceNetwork {
  readonly group: aws.ec2.SecurityGroup;
  /** The rules without which the instance reaches nothing. */
  readonly rules: readonly pulumi.Resource[];
}

function instanceNetwork(name: string, args: ChangeCaptureArgs, parent: pulumi.Resource): InstanceNetwork {
  const group = securityGroup(
    `${name}-security-group`,
    { vpcId: args.vpcId, description: "DMS replication instance", component: name },
    parent,
  );
  const rules = [
    ...allow(
      `${name}-to-source`,
      {
        from: group.id,
        to: args.source.securityGroupId,
        port: args.source.port ?? defaultSourcePort,
        description: `DMS of ${name} reads the source database`,
        component: name,
      },
      parent,
    ),
    ...allow(
      `${name}-to-kafka`,
      {
        from: group.id,
        to: args.kafka.securityGroupId,
        port: brokerPorts.scram,
        description: `DMS of ${name} writes change records with SCRAM`,
        component: name,
      },
      parent,
    ),
    allowHttpsOut(
      `${name}-to-aws`,
      { from: group.id, reason: "DMS reads its secret from Secrets Manager", component: name },
      parent,
    ),
  ];
  return { group, rules };
}

function replicationInstance(
  name: string,
  args: ChangeCaptureArgs,
  needs: { keyArn: pulumi.Output<string>; network: InstanceNetwork },
  parent: pulumi.Resource,
): aws.dms.ReplicationInstance {
  const subnetGroup = new aws.dms.ReplicationSubnetGroup(
    `${name}-subnets`,
    {
      replicationSubnetGroupId: physicalName(`${name}-subnets`, nameLimits.replicationSubnetGroup),
      replicationSubnetGroupDescription: `Subnets of ${name}`,
      subnetIds: args.subnetIds,
      tags: componentTags(`${name}-subnets`, name),
    },
    // The provider tries again for two minutes while a new role has not spread yet.
    {
      parent,
      dependsOn: args.createServiceRoles ? accountRoles(name, accountRolesArgs(args), parent) : [],
      deleteBeforeReplace: true,
    },
  );
  return new aws.dms.ReplicationInstance(
    `${name}-instance`,
    {
      replicationInstanceId: physicalName(`${name}-instance`, nameLimits.replicationInstance),
      replicationInstanceClass: args.instanceClass ?? "dms.t3.medium",
      engineVersion: args.engineVersion ?? defaultEngineVersion,
      allocatedStorage: args.allocatedStorageGiB ?? 50,
      multiAz: args.multiAz ?? false,
      // DMS's own default is public.
      publiclyAccessible: false,
      // An engine that changes by itself may change what a record looks like.
      autoMinorVersionUpgrade: false,
      allowMajorVersionUpgrade: true,
      applyImmediately: true,
      preferredMaintenanceWindow: args.maintenanceWindow,
      replicationSubnetGroupId: subnetGroup.replicationSubnetGroupId,
      vpcSecurityGroupIds: [needs.network.group.id],
      kmsKeyArn: needs.keyArn,
      tags: componentTags(`${name}-instance`, name),
    },
    { parent, dependsOn: [...needs.network.rules], deleteBeforeReplace: true },
  );
}

function sourceEndpoint(
  name: string,
  args: ChangeCaptureArgs,
  keyArn: pulumi.Output<string>,
  parent: pulumi.Resource,
): aws.dms.Endpoint {
  const { source } = args;
  const roleArn = serviceRole(
    `${name}-secret-role`,
    {
      description: "DMS reads the capture user's secret",
      // DMS's regional principal, which alone may read secrets for an endpoint; it sends no source account.
      trust: pulumi.output(source.secretArn).apply((arn) => serviceTrust(`dms.${arnParts(arn).region}.amazonaws.com`)),
      permissions: pulumi
        .all([source.secretArn, source.keyArn])
        .apply(([secretArn, secretKeyArn]) => policyDocument(...readSecretStatements(secretArn, secretKeyArn))),
      component: name,
    },
    parent,
  );
  return new aws.dms.Endpoint(
    `${name}-source`,
    {
      endpointId: physicalName(`${name}-source`, nameLimits.replicationEndpoint),
      endpointType: "source",
      engineName: "aurora-postgresql",
      databaseName: source.databaseName,
      secretsManagerArn: source.secretArn,
      secretsManagerAccessRoleArn: roleArn,
      extraConnectionAttributes:
        args.secretsManagerEndpoint &&
        pulumi.interpolate`secretsManagerEndpointOverride=${args.secretsManagerEndpoint}`,
      postgresSettings: sourceSettings(args),
      sslMode: args.certificatePem ? "verify-full" : "require",
      certificateArn: certificate(name, args, parent)?.certificateArn,
      kmsKeyArn: keyArn,
      // A running task refuses to have its endpoints changed.
      pauseReplicationTasks: true,
      tags: componentTags(`${name}-source`, name),
    },
    { parent, deleteBeforeReplace: true },
  );
}

function certificate(name: string, args: ChangeCaptureArgs, parent: pulumi.Resource): aws.dms.Certificate | undefined {
  if (args.certificatePem === undefined) return undefined;
  return new aws.dms.Certificate(
    `${name}-certificate`,
    {
      certificateId: physicalName(`${name}-certificate`, nameLimits.replicationEndpoint),
      certificatePem: args.certificatePem,
      tags: componentTags(`${name}-certificate`, name),
    },
    { parent, deleteBeforeReplace: true },
  );
}

function targetEndpoint(
  name: string,
  args: ChangeCaptureArgs,
  keyArn: pulumi.Output<string>,
  parent: pulumi.Resource,
): aws.dms.Endpoint {
  return new aws.dms.Endpoint(
    `${name}-target`,
    {
      endpointId: physicalName(`${name}-target`, nameLimits.replicationEndpoint),
      endpointType: "target",
      engineName: "kafka",
      kafkaSettings: targetSettings(args),
      kmsKeyArn: keyArn,
      pauseReplicationTasks: true,
      tags: componentTags(`${name}-target`, name),
    },
    { parent, deleteBeforeReplace: true },
  );
}

function accountRolesArgs(args: ChangeCaptureArgs): AccountRolesArgs {
  return { anyArn: args.source.secretArn, retain: args.retainData ?? true };
}

/** DMS would make this log group itself, without retention or key. All tasks of the instance share it. */
function taskLog(
  name: string,
  args: ChangeCaptureArgs,
  keyArn: pulumi.Output<string>,
  instance: aws.dms.ReplicationInstance,
  parent: pulumi.Resource,
): aws.cloudwatch.LogGroup {
  return logGroup(
    `${name}-log`,
    {
      logGroupName: pulumi.interpolate`dms-tasks-${instance.replicationInstanceId}`,
      retentionInDays: args.logRetentionDays,
      keyArn,
      component: name,
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
  /** What has to have succeeded before the task starts. */
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
      // DMS moves it forward as it reads; what was asked for counts at the first start alone.
      ignoreChanges: ["cdcStartPosition"],
      protect: retainData,
      // DMS takes no second task of the same name. Protection is what refuses a replacement that nobody meant.
      deleteBeforeReplace: true,
    },
  );
}
