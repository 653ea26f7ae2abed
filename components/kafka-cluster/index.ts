import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { checkArguments } from "../shared/arguments";
import { encryptionKey } from "../shared/encryption-key";
import { warnOfEnds } from "../shared/lifetimes";
import { logGroup } from "../shared/log-groups";
import { nameLimits, physicalName } from "../shared/names";
import { writtenVersionStages } from "../shared/secret-versions";
import { neverLowered } from "../shared/running-version";
import { securityGroup } from "../shared/security-groups";
import { componentTags } from "../shared/tags";
import { brokerProperties, defaultKafkaVersion, propertiesText, replicationFor } from "./broker-configuration";
import { kafkaClusterProblems, kafkaVersions } from "./checks";
import { admitGuests } from "./public-access";
import { kafkaTopic } from "./topics";
import { type KafkaClusterArgs, MonitoringLevel, PublicAccessStage, type StorageAutoscalingArgs } from "./types";

export { brokerPorts } from "../../contract/ports";
export { groupArn, topicArn, transactionalIdArn } from "./arns";
export { kafkaTopic } from "./topics";
export {
  type KafkaClusterArgs,
  type KafkaTopicArgs,
  MonitoringLevel,
  type PublicAccessArgs,
  PublicAccessStage,
  type StorageAutoscalingArgs,
} from "./types";

/**
 * An MSK cluster of standard brokers in KRaft mode that admits IAM and SCRAM clients over TLS only, with explicit
 * replication for its size, one SCRAM user for DMS, a customer-managed key for data, secret and logs, and no way in
 * until a security group rule is added.
 *
 * Costs: the brokers by class, their volumes, a key, a secret, and each metric from `PER_BROKER` on; sums in
 * `docs/cost.md`.
 *
 * Replaced by: other subnets, another `kmsKeyArn`, a lower `kafkaVersion`. Such a change never loses data: with
 * `retainData` the preview fails; without it, AWS refuses the second cluster of the same name before the first is
 * touched.
 */
export class KafkaCluster extends pulumi.ComponentResource {
  /** ARN of the cluster. */
  public readonly clusterArn: pulumi.Output<string>;
  /** Name of the cluster, and its dimension in CloudWatch. */
  public readonly clusterName: pulumi.Output<string>;
  /** The part of the ARN after the name. It differs from that of earlier clusters of the same name. */
  public readonly clusterUuid: pulumi.Output<string>;
  /** `host:port,…` for IAM clients (port 9098). */
  public readonly bootstrapBrokersIam: pulumi.Output<string>;
  /** `host:port,…` for SCRAM clients (port 9096). */
  public readonly bootstrapBrokersScram: pulumi.Output<string>;
  /** `host:port,…` for IAM clients on the internet (port 9198); empty unless public access is open. */
  public readonly publicBootstrapBrokersIam: pulumi.Output<string>;
  /** Security group of the brokers; it admits nobody until a rule is added. */
  public readonly securityGroupId: pulumi.Output<string>;
  /** ARN of the key of data at rest, SCRAM secret and logs. */
  public readonly keyArn: pulumi.Output<string>;
  /** SCRAM user of DMS. */
  public readonly scramUsername: pulumi.Output<string>;
  /**
   * Password of the SCRAM user, a secret. Resolves only once MSK knows the user, so a resource that waits for it can
   * log in.
   */
  public readonly scramPassword: pulumi.Output<string>;
  /** ARN of the secret `{"username","password"}` of the SCRAM user. */
  public readonly scramSecretArn: pulumi.Output<string>;
  /** When public access ends, for the operator that closes it; empty when none is asked for. */
  public readonly publicAccessUntil: pulumi.Output<string>;
  /** Copies that the cluster's topics keep. */
  public readonly replicationFactor: pulumi.Output<number>;
  /** Version that the brokers run, in MSK's spelling. */
  public readonly kafkaVersion: pulumi.Output<string>;
  /** Number of brokers. */
  public readonly brokers: pulumi.Output<number>;

  constructor(name: string, args: KafkaClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc-audit:index:KafkaCluster", name, args, opts);
    checkArguments({ kind: "KafkaCluster", name, resource: this }, args, (given) => kafkaClusterProblems(given));
    warnOfEnds(kafkaVersions(args), this);

    const replication = replicationFor(args.brokers);
    const retain = args.retainData ?? true;
    const keyArn = encryptionKey(
      name,
      { description: `MSK cluster ${name}`, existingKeyArn: args.kmsKeyArn, retain },
      this,
    );
    const group = securityGroup(
      `${name}-security-group`,
      { vpcId: args.vpcId, description: "Kafka brokers", component: name },
      this,
    );
    const cluster = brokerCluster(name, args, { keyArn, securityGroupId: group.id }, this);
    if (args.storageAutoscaling) growVolumes(name, args.storageAutoscaling, cluster, this);
    if (args.publicAccess?.stage === PublicAccessStage.Open) {
      admitGuests(name, args.publicAccess, { securityGroup: group, keyArn }, this);
    }
    const user = scramUser(name, args, { keyArn, cluster }, this);
    for (const topic of args.topics ?? []) {
      const childName = `${name}-topic-${topic.name}`;
      const replicationFactor = replication.factor;
      kafkaTopic(childName, { clusterArn: cluster.arn, topic, replicationFactor }, { parent: this, protect: retain });
    }

    this.clusterArn = cluster.arn;
    this.clusterName = cluster.clusterName;
    this.clusterUuid = cluster.clusterUuid;
    this.bootstrapBrokersIam = cluster.bootstrapBrokersSaslIam;
    this.bootstrapBrokersScram = cluster.bootstrapBrokersSaslScram;
    this.publicBootstrapBrokersIam = cluster.bootstrapBrokersPublicSaslIam;
    this.securityGroupId = group.id;
    this.keyArn = keyArn;
    this.scramUsername = user.username;
    this.scramPassword = user.password;
    this.scramSecretArn = user.secretArn;
    this.publicAccessUntil = pulumi.output(args.publicAccess?.until ?? "");
    this.replicationFactor = pulumi.output(replication.factor);
    this.kafkaVersion = cluster.kafkaVersion;
    this.brokers = pulumi.output(args.brokers);

    this.registerOutputs({
      clusterArn: this.clusterArn,
      clusterName: this.clusterName,
      clusterUuid: this.clusterUuid,
      bootstrapBrokersIam: this.bootstrapBrokersIam,
      bootstrapBrokersScram: this.bootstrapBrokersScram,
      publicBootstrapBrokersIam: this.publicBootstrapBrokersIam,
      securityGroupId: this.securityGroupId,
      keyArn: this.keyArn,
      scramUsername: this.scramUsername,
      scramPassword: this.scramPassword,
      scramSecretArn: this.scramSecretArn,
      publicAccessUntil: this.publicAccessUntil,
      replicationFactor: this.replicationFactor,
      kafkaVersion: this.kafkaVersion,
      brokers: this.brokers,
    });
  }
}

function brokerCluster(
  name: string,
  args: KafkaClusterArgs,
  needs: { keyArn: pulumi.Output<string>; securityGroupId: pulumi.Output<string> },
  parent: pulumi.Resource,
): aws.msk.Cluster {
  const clusterName = physicalName(name, nameLimits.mskCluster);
  const configuration = brokerConfiguration(name, args, parent);
  const log = logGroup(
    name,
    {
      // Under this path AWS needs no entry in the account's one small policy for log delivery.
      logGroupName: `/aws/vendedlogs/msk/${clusterName}`,
      retentionInDays: args.logRetentionDays,
      keyArn: needs.keyArn,
    },
    parent,
  );
  const isOpen = args.publicAccess?.stage === PublicAccessStage.Open;
  const volumeSize = "brokerNodeGroupInfo.storageInfo.ebsStorageInfo.volumeSize";
  return new aws.msk.Cluster(
    `${name}-cluster`,
    {
      clusterName,
      kafkaVersion: versionOf(clusterName, args, parent),
      numberOfBrokerNodes: args.brokers,
      brokerNodeGroupInfo: {
        clientSubnets: args.subnetIds,
        instanceType: args.instanceType ?? "kafka.m7g.large",
        // Never add a group: a changed list replaces the cluster. Rules are separate resources.
        securityGroups: [needs.securityGroupId],
        storageInfo: { ebsStorageInfo: { volumeSize: args.volumeSizeGiB ?? 100 } },
        // Always set: if it were omitted, open access would stay open.
        connectivityInfo: { publicAccess: { type: isOpen ? "SERVICE_PROVIDED_EIPS" : "DISABLED" } },
      },
      clientAuthentication: { sasl: { iam: true, scram: true }, unauthenticated: false },
      encryptionInfo: {
        encryptionAtRestKmsKeyArn: needs.keyArn,
        encryptionInTransit: { clientBroker: "TLS", inCluster: true },
      },
      configurationInfo: { arn: configuration.arn, revision: configuration.latestRevision },
      enhancedMonitoring: args.monitoringLevel ?? MonitoringLevel.PerBroker,
      loggingInfo: { brokerLogs: { cloudwatchLogs: { enabled: true, logGroup: log.name } } },
      tags: componentTags(`${name}-cluster`, name),
    },
    {
      parent,
      protect: args.retainData ?? true,
      ignoreChanges: [
        // A renamed stack keeps its cluster.
        "clusterName",
        // A volume that has grown is not shrunk, which MSK refuses.
        ...(args.storageAutoscaling ? [volumeSize] : []),
        // MSK raises versions by itself, and a lower one would replace the cluster.
        ...(args.kafkaVersion === undefined ? ["kafkaVersion"] : []),
      ],
      // A replacement would be created first, under the same name, which AWS refuses. So no change loses data.
      deleteBeforeReplace: false,
    },
  );
}

/** The version that is asked for; for a cluster that is there at least the one that it runs. */
function versionOf(clusterName: string, args: KafkaClusterArgs, parent: pulumi.Resource): pulumi.Input<string> {
  if (args.kafkaVersion === undefined) return defaultKafkaVersion;
  return neverLowered(
    {
      service: "kafka",
      setting: "kafkaVersion",
      version: args.kafkaVersion,
      owner: `the cluster ${clusterName}`,
      running: async () => (await aws.msk.getCluster({ clusterName }, { parent })).kafkaVersion,
    },
    parent,
  );
}

/** Named by Pulumi and for any version: MSK can't rename a configuration, and can't delete one in use. */
function brokerConfiguration(name: string, args: KafkaClusterArgs, parent: pulumi.Resource): aws.msk.Configuration {
  const properties = brokerProperties(replicationFor(args.brokers), args.publicAccess === undefined);
  return new aws.msk.Configuration(
    `${name}-configuration`,
    { description: `Brokers of ${name}`, serverProperties: propertiesText(properties) },
    { parent },
  );
}

function growVolumes(
  name: string,
  autoscaling: StorageAutoscalingArgs,
  cluster: aws.msk.Cluster,
  parent: pulumi.Resource,
): void {
  const target = new aws.appautoscaling.Target(
    `${name}-storage`,
    {
      serviceNamespace: "kafka",
      scalableDimension: "kafka:broker-storage:VolumeSize",
      resourceId: cluster.arn,
      minCapacity: 1,
      maxCapacity: autoscaling.maximumGiB,
      tags: componentTags(`${name}-storage`, name),
    },
    { parent },
  );
  new aws.appautoscaling.Policy(
    `${name}-storage-policy`,
    {
      policyType: "TargetTrackingScaling",
      serviceNamespace: target.serviceNamespace,
      scalableDimension: target.scalableDimension,
      resourceId: target.resourceId,
      targetTrackingScalingPolicyConfiguration: {
        predefinedMetricSpecification: { predefinedMetricType: "KafkaBrokerStorageUtilization" },
        targetValue: autoscaling.targetUtilization ?? 60,
        // MSK can't shrink a volume.
        disableScaleIn: true,
      },
    },
    { parent },
  );
}

interface ScramUser {
  readonly username: pulumi.Output<string>;
  readonly password: pulumi.Output<string>;
  readonly secretArn: pulumi.Output<string>;
}

/** The SCRAM user of DMS, in the form that MSK insists on: name prefix, customer-managed key, JSON body. */
function scramUser(
  name: string,
  args: KafkaClusterArgs,
  needs: { keyArn: pulumi.Output<string>; cluster: aws.msk.Cluster },
  parent: pulumi.Resource,
): ScramUser {
  const username = pulumi.output(args.scramUsername ?? "change-capture");
  // Letters and digits only: DMS refuses several other characters in passwords.
  const password = new random.RandomPassword(`${name}-capture-password`, { length: 40, special: false }, { parent });
  const secret = new aws.secretsmanager.Secret(
    `${name}-capture-secret`,
    {
      // A prefix: the deleted secret of an earlier cluster keeps its name while it can be restored.
      namePrefix: `AmazonMSK_${physicalName(name, nameLimits.secretPrefix)}-`,
      description: `SCRAM user of change capture on ${name}`,
      kmsKeyId: needs.keyArn,
      recoveryWindowInDays: (args.retainData ?? true) ? 30 : 0,
      tags: componentTags(`${name}-capture-secret`, name),
    },
    { parent },
  );
  const version = new aws.secretsmanager.SecretVersion(
    `${name}-capture-secret-version`,
    {
      secretId: secret.id,
      secretString: pulumi.secret(pulumi.jsonStringify({ username, password: password.result })),
      versionStages: writtenVersionStages,
    },
    { parent, ignoreChanges: ["versionStages"] },
  );
  // The single association: the plural resource would remove the users of other stacks from the cluster.
  const association = new aws.msk.SingleScramSecretAssociation(
    `${name}-capture-association`,
    { clusterArn: needs.cluster.arn, secretArn: secret.arn },
    { parent, dependsOn: [version] },
  );
  // Read the secret back: the operator may have rotated the password that was created here.
  const current = aws.secretsmanager.getSecretVersionOutput(
    { secretId: secret.arn },
    { parent, dependsOn: [association] },
  );
  return {
    username,
    // Listed again: in a preview the call is not made, so its own dependencies are lost.
    password: pulumi.secret(
      pulumi
        .all([current.secretString, secret.arn, association.id])
        .apply(([text]) => (JSON.parse(text) as { password: string }).password),
    ),
    secretArn: secret.arn,
  };
}
