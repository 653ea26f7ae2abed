import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { checkArguments } from "../shared/arguments";
import { encryptionKey } from "../shared/encryption-key";
import { warnOfEnds } from "../shared/lifetimes";
import { logGroup } from "../shared/log-groups";
import { nameLimits, physicalName } from "../shared/names";
import { neverLowered } from "../shared/running-version";
import { securityGroup } from "../shared/security-groups";
import { componentTags } from "../shared/tags";
import { auroraPostgresProblems, databaseVersions } from "./checks";
import { captureParameters, defaultEngineVersion, parameterFamily } from "./parameters";
import { type AuroraPostgresArgs, DatabaseInsights } from "./types";

export {
  type AuroraPostgresArgs,
  DatabaseInsights,
  type DatabaseParameterArgs,
  type ServerlessCapacityArgs,
} from "./types";

/** Days of load history that each mode of Database Insights asks for. */
const insightsRetentionDays = { [DatabaseInsights.Standard]: 7, [DatabaseInsights.Advanced]: 465 };

/**
 * An Aurora PostgreSQL cluster that DMS can capture: logical replication on, TLS forced, storage, logs, insights and
 * the master secret under a customer-managed key, and no way in until a security group rule is added.
 *
 * Costs: for the writer and each reader the minimum capacity (serverless) or the instance class; storage and I/O by
 * use; a key and a secret; sums in `docs/cost.md`.
 *
 * Replaced by: another `databaseName`, `kmsKeyArn` or VPC. Such a change never loses data: with `retainData` the
 * preview fails; without it, AWS refuses the second cluster of the same name before the first is touched.
 */
export class AuroraPostgres extends pulumi.ComponentResource {
  /** Name of the cluster, and its dimension in CloudWatch. */
  public readonly clusterIdentifier: pulumi.Output<string>;
  /** ARN of the cluster. */
  public readonly clusterArn: pulumi.Output<string>;
  /** The part of `rds-db:connect` ARNs that names the cluster. */
  public readonly clusterResourceId: pulumi.Output<string>;
  /** Host name of the writer. Resolves once an instance answers there. */
  public readonly endpoint: pulumi.Output<string>;
  /** Host name of the readers; of the writer where there are none. */
  public readonly readerEndpoint: pulumi.Output<string>;
  /** TCP port of every endpoint. */
  public readonly port: pulumi.Output<number>;
  /** Name of the first database. */
  public readonly databaseName: pulumi.Output<string>;
  /** Security group of the cluster; it admits nobody until a rule is added. */
  public readonly securityGroupId: pulumi.Output<string>;
  /** ARN of the secret `{"username","password"}` of the master user, made and rotated by RDS. */
  public readonly masterSecretArn: pulumi.Output<string>;
  /** ARN of the key of storage, secret, logs and insights. */
  public readonly keyArn: pulumi.Output<string>;
  /** The version that runs, with its minor version. */
  public readonly engineVersion: pulumi.Output<string>;
  /** Names of the instances, the writer first at creation; a failover swaps the roles. */
  public readonly instanceIdentifiers: pulumi.Output<string[]>;

  constructor(name: string, args: AuroraPostgresArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc-audit:index:AuroraPostgres", name, args, opts);
    checkArguments({ kind: "AuroraPostgres", name, resource: this }, args, (given) => auroraPostgresProblems(given));
    warnOfEnds(databaseVersions(args), this);

    const retain = args.retainData ?? true;
    const keyArn = encryptionKey(
      name,
      { description: `Aurora cluster ${name}`, existingKeyArn: args.kmsKeyArn, retain },
      this,
    );
    const group = securityGroup(
      `${name}-security-group`,
      { vpcId: args.vpcId, description: "Aurora PostgreSQL", component: name },
      this,
    );
    const cluster = databaseCluster(name, args, { keyArn, securityGroupId: group.id }, this);
    const instances = databaseInstances(name, args, cluster, this);

    this.clusterIdentifier = cluster.clusterIdentifier;
    this.clusterArn = cluster.arn;
    this.clusterResourceId = cluster.clusterResourceId;
    this.endpoint = onceReady(cluster.endpoint, instances);
    this.readerEndpoint = onceReady(cluster.readerEndpoint, instances);
    this.port = cluster.port;
    this.databaseName = cluster.databaseName;
    this.securityGroupId = group.id;
    this.masterSecretArn = cluster.masterUserSecrets.apply((secrets) => secrets[0]?.secretArn ?? "");
    this.keyArn = keyArn;
    this.engineVersion = cluster.engineVersionActual;
    this.instanceIdentifiers = pulumi.all(instances.map((instance) => instance.identifier));

    this.registerOutputs({
      clusterIdentifier: this.clusterIdentifier,
      clusterArn: this.clusterArn,
      clusterResourceId: this.clusterResourceId,
      endpoint: this.endpoint,
      readerEndpoint: this.readerEndpoint,
      port: this.port,
      databaseName: this.databaseName,
      securityGroupId: this.securityGroupId,
      masterSecretArn: this.masterSecretArn,
      keyArn: this.keyArn,
      engineVersion: this.engineVersion,
      instanceIdentifiers: this.instanceIdentifiers,
    });
  }
}

function databaseCluster(
  name: string,
  args: AuroraPostgresArgs,
  needs: { keyArn: pulumi.Output<string>; securityGroupId: pulumi.Output<string> },
  parent: pulumi.Resource,
): aws.rds.Cluster {
  const identifier = physicalName(name, nameLimits.auroraCluster);
  const retainData = args.retainData ?? true;
  const finalSnapshot = args.finalSnapshot ?? retainData;
  const insights = args.databaseInsights ?? DatabaseInsights.Standard;
  const log = logGroup(
    name,
    {
      logGroupName: `/aws/rds/cluster/${identifier}/postgresql`,
      retentionInDays: args.logRetentionDays,
      keyArn: needs.keyArn,
    },
    parent,
  );
  return new aws.rds.Cluster(
    `${name}-cluster`,
    {
      clusterIdentifier: identifier,
      engine: aws.rds.EngineType.AuroraPostgresql,
      engineVersion: versionOf(identifier, args, parent),
      allowMajorVersionUpgrade: args.allowMajorVersionUpgrade ?? false,
      // Past its standard support the cluster is upgraded rather than charged for extended support.
      engineLifecycleSupport: "open-source-rds-extended-support-disabled",
      databaseName: args.databaseName ?? "app",
      masterUsername: "postgres",
      manageMasterUserPassword: true,
      masterUserSecretKmsKeyId: needs.keyArn,
      iamDatabaseAuthenticationEnabled: true,
      dbClusterParameterGroupName: parameterGroup(name, args, parent).name,
      dbSubnetGroupName: subnetGroup(name, args, parent).name,
      vpcSecurityGroupIds: [needs.securityGroupId],
      storageEncrypted: true,
      kmsKeyId: needs.keyArn,
      serverlessv2ScalingConfiguration: args.instanceClass
        ? undefined
        : {
            minCapacity: args.serverless?.minimumCapacity ?? 0.5,
            maxCapacity: args.serverless?.maximumCapacity ?? 4,
          },
      backupRetentionPeriod: args.backupRetentionDays ?? 7,
      copyTagsToSnapshot: true,
      deletionProtection: retainData,
      skipFinalSnapshot: !finalSnapshot,
      finalSnapshotIdentifier: finalSnapshot ? snapshotName(name, parent) : undefined,
      deleteAutomatedBackups: !finalSnapshot,
      preferredBackupWindow: args.backupWindow,
      preferredMaintenanceWindow: args.maintenanceWindow,
      applyImmediately: args.applyImmediately ?? false,
      enabledCloudwatchLogsExports: ["postgresql"],
      databaseInsightsMode: insights,
      performanceInsightsEnabled: true,
      performanceInsightsKmsKeyId: needs.keyArn,
      performanceInsightsRetentionPeriod: insightsRetentionDays[insights],
      tags: componentTags(`${name}-cluster`, name),
    },
    {
      parent,
      protect: retainData,
      // RDS would create the log group itself, without retention or key.
      dependsOn: [log],
      // A renamed stack keeps its database, and one that asks for no version keeps the one that runs: AWS raises it by itself.
      ignoreChanges: args.engineVersion === undefined ? ["clusterIdentifier", "engineVersion"] : ["clusterIdentifier"],
      // A replacement would be created first, under the same name, which AWS refuses. So no change loses data.
      deleteBeforeReplace: false,
    },
  );
}

/** The version that is asked for; for a cluster that is there at least the one that it runs. */
function versionOf(clusterIdentifier: string, args: AuroraPostgresArgs, parent: pulumi.Resource): pulumi.Input<string> {
  if (args.engineVersion === undefined) return defaultEngineVersion;
  return neverLowered(
    {
      service: "auroraPostgres",
      setting: "engineVersion",
      version: args.engineVersion,
      owner: `the cluster ${clusterIdentifier}`,
      running: async () => (await aws.rds.getCluster({ clusterIdentifier }, { parent })).engineVersion,
    },
    parent,
  );
}

function databaseInstances(
  name: string,
  args: AuroraPostgresArgs,
  cluster: aws.rds.Cluster,
  parent: pulumi.Resource,
): aws.rds.ClusterInstance[] {
  return Array.from({ length: 1 + (args.readers ?? 0) }, (_, index) => {
    const childName = `${name}-instance-${index}`;
    return new aws.rds.ClusterInstance(
      childName,
      {
        clusterIdentifier: cluster.clusterIdentifier,
        engine: aws.rds.EngineType.AuroraPostgresql,
        instanceClass: args.instanceClass ?? "db.serverless",
        // Serverless readers of the first two tiers keep the writer's size, so that they can take over from it.
        promotionTier: Math.min(index, 1),
        publiclyAccessible: false,
        // A minor version that is asked for stays until it ends.
        autoMinorVersionUpgrade: pulumi
          .output(args.engineVersion ?? defaultEngineVersion)
          .apply((version) => !version.includes(".")),
        copyTagsToSnapshot: true,
        preferredMaintenanceWindow: args.maintenanceWindow,
        applyImmediately: args.applyImmediately ?? false,
        tags: componentTags(childName, name),
      },
      { parent },
    );
  });
}

function parameterGroup(
  name: string,
  args: AuroraPostgresArgs,
  parent: pulumi.Resource,
): aws.rds.ClusterParameterGroup {
  const own = (args.parameters ?? []).map((parameter) => ({
    name: parameter.name,
    value: parameter.value,
    applyMethod: pulumi
      .output(parameter.needsRestart)
      .apply((needsRestart) => (needsRestart ? "pending-reboot" : "immediate")),
  }));
  return new aws.rds.ClusterParameterGroup(
    `${name}-parameters`,
    {
      family: pulumi.output(args.engineVersion ?? defaultEngineVersion).apply(parameterFamily),
      description: "Aurora PostgreSQL with logical replication",
      parameters: [...captureParameters, ...own],
      tags: componentTags(`${name}-parameters`, name),
    },
    { parent },
  );
}

function subnetGroup(name: string, args: AuroraPostgresArgs, parent: pulumi.Resource): aws.rds.SubnetGroup {
  return new aws.rds.SubnetGroup(
    `${name}-subnets`,
    {
      subnetIds: args.subnetIds,
      description: "Private subnets of Aurora PostgreSQL",
      tags: componentTags(`${name}-subnets`, name),
    },
    { parent },
  );
}

/** A name that differs each time the cluster is made: AWS refuses a second final snapshot of the same name. */
function snapshotName(name: string, parent: pulumi.Resource): pulumi.Output<string> {
  const suffix = new random.RandomId(`${name}-final-snapshot`, { byteLength: 4 }, { parent });
  const prefix = physicalName(`${name}-final`, nameLimits.clusterSnapshot - 9);
  return pulumi.interpolate`${prefix}-${suffix.hex}`;
}

/** The value, known only once the instances exist: before that nothing answers a connection. */
function onceReady<T>(value: pulumi.Output<T>, instances: readonly aws.rds.ClusterInstance[]): pulumi.Output<T> {
  return pulumi
    .all([value, pulumi.all(instances.map((instance) => instance.id))])
    .apply(([ready]) => ready) as pulumi.Output<T>;
}
