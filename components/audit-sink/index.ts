import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { postgresPort } from "../../contract/ports";
import { sinkConnectorProperties, sinkConsumerGroup } from "../../contract/sink-connector";
import { brokerPorts } from "../kafka-cluster";
import { checkArguments } from "../shared/arguments";
import { type ClientNetwork, clientNetwork } from "../shared/client-network";
import { encryptionKey } from "../shared/encryption-key";
import { warnOfEnds } from "../shared/lifetimes";
import { logGroup } from "../shared/log-groups";
import { nameLimits, physicalName } from "../shared/names";
import { arnParts } from "../shared/policies";
import { serviceRole } from "../shared/roles";
import { componentTags } from "../shared/tags";
import { privateBucket } from "./bucket";
import { auditSinkProblems } from "./checks";
import { connectVersion, connectorNameOf } from "./names";
import { capacityOf } from "./sizes";
import { executionPermissions, executionTrust } from "./permissions";
import { connectorPlugin } from "./plugin";
import type { AuditSinkArgs } from "./types";
import { workerConfiguration } from "./worker-configuration";

export type { AuditSinkArgs, DestinationDatabaseArgs, SinkTopicsArgs } from "./types";

/**
 * The JDBC sink as an MSK Connect connector: it reads audit events, inserts each into the audit table once, by its
 * identity, and sets refused rows aside on the dead-letter topic. The plugin's name changes with its content; the
 * connector's stays the same.
 *
 * Costs: each MCU of each worker, a key, and the bucket by use; sums in `docs/cost.md`.
 *
 * Replaced by: any change of plugin, connector properties or network. The connector is deleted first, because its
 * successor has the same name and so takes over the consumer group's offsets. Events wait in Kafka for some ten
 * minutes; none is lost.
 */
export class AuditSink extends pulumi.ComponentResource {
  /** The connector. */
  public readonly connectorArn: pulumi.Output<string>;
  /** The connector's dimension in CloudWatch. */
  public readonly connectorName: pulumi.Output<string>;
  /** The connector's consumer group, to watch its lag. */
  public readonly consumerGroup: pulumi.Output<string>;
  /** Role of the workers. */
  public readonly executionRoleArn: pulumi.Output<string>;
  /** Security group of the workers. */
  public readonly securityGroupId: pulumi.Output<string>;
  /** Bucket of the plugin. */
  public readonly bucketName: pulumi.Output<string>;
  /** Where the workers log. */
  public readonly logGroupName: pulumi.Output<string>;

  constructor(name: string, args: AuditSinkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc-audit:index:AuditSink", name, args, opts);
    checkArguments({ kind: "AuditSink", name, resource: this }, args, (given) => auditSinkProblems(given));
    warnOfEnds([{ service: "kafkaConnect", version: connectVersion }], this);

    const connectorName = connectorNameOf(name, args);
    const keyArn = encryptionKey(
      name,
      {
        description: `Audit sink ${name}`,
        existingKeyArn: args.kmsKeyArn,
        retain: args.retainData ?? true,
      },
      this,
    );
    const network = workerNetwork(name, args, this);
    const { bucket, ready } = privateBucket(
      `${name}-bucket`,
      { keyArn, retainData: args.retainData ?? true, component: name },
      this,
    );
    const plugin = connectorPlugin(name, { pluginPath: args.pluginPath, bucket, bucketReady: ready }, this);
    const executionRoleArn = executionRole(name, args, connectorName, this);
    const log = logGroup(
      name,
      {
        // Under this path AWS needs no entry in the account's one small policy for log delivery.
        logGroupName: `/aws/vendedlogs/mskconnect/${connectorName}`,
        retentionInDays: args.logRetentionDays,
        keyArn,
      },
      this,
    );
    const connector = sinkConnector(name, args, { connectorName, network, plugin, executionRoleArn, log }, this);

    this.connectorArn = connector.arn;
    this.connectorName = connector.name;
    this.consumerGroup = connector.name.apply(sinkConsumerGroup);
    this.executionRoleArn = executionRoleArn;
    this.securityGroupId = network.group.id;
    this.bucketName = bucket.bucket;
    this.logGroupName = log.name;

    this.registerOutputs({
      connectorArn: this.connectorArn,
      connectorName: this.connectorName,
      consumerGroup: this.consumerGroup,
      executionRoleArn: this.executionRoleArn,
      securityGroupId: this.securityGroupId,
      bucketName: this.bucketName,
      logGroupName: this.logGroupName,
    });
  }
}

function workerNetwork(name: string, args: AuditSinkArgs, parent: pulumi.Resource): ClientNetwork {
  return clientNetwork(
    name,
    {
      vpcId: args.vpcId,
      description: "MSK Connect workers",
      destinations: [
        {
          place: "kafka",
          securityGroupId: args.kafka.securityGroupId,
          port: brokerPorts.iam,
          description: `Sink ${name} reads events with IAM`,
        },
        {
          place: "destination",
          securityGroupId: args.destination.securityGroupId,
          port: args.destination.port ?? postgresPort,
          description: `Sink ${name} writes the audit table`,
        },
      ],
      reasonForAws: "The sink reads its secret from Secrets Manager",
    },
    parent,
  );
}

function executionRole(
  name: string,
  args: AuditSinkArgs,
  connectorName: string,
  parent: pulumi.Resource,
): pulumi.Output<string> {
  const access = pulumi.output({
    clusterArn: args.kafka.clusterArn,
    eventsTopic: args.topics.events,
    deadLetterTopic: args.topics.deadLetter,
    secretArn: args.destination.secretArn,
    secretKeyArn: args.destination.keyArn,
  });
  return serviceRole(
    `${name}-execution-role`,
    {
      description: "MSK Connect runs the audit sink",
      trust: pulumi.output(args.kafka.clusterArn).apply((arn) => executionTrust(arn, connectorName)),
      permissions: access.apply((known) => executionPermissions({ ...known, connectorName })),
      component: name,
    },
    parent,
  );
}

interface ConnectorNeeds {
  readonly connectorName: string;
  readonly network: ClientNetwork;
  readonly plugin: aws.mskconnect.CustomPlugin;
  readonly executionRoleArn: pulumi.Output<string>;
  readonly log: aws.cloudwatch.LogGroup;
}

function sinkConnector(
  name: string,
  args: AuditSinkArgs,
  needs: ConnectorNeeds,
  parent: pulumi.Resource,
): aws.mskconnect.Connector {
  const { workers, mcusPerWorker } = capacityOf(args);
  const worker = workerConfiguration();
  const workerResource = new aws.mskconnect.WorkerConfiguration(
    `${name}-worker-configuration`,
    {
      name: physicalName(`${name}-worker-${worker.digest}`, nameLimits.connectorWorkerConfiguration),
      description: "Workers of the audit sink",
      propertiesFileContent: worker.content,
      tags: componentTags(`${name}-worker-configuration`, name),
    },
    { parent },
  );
  return new aws.mskconnect.Connector(
    `${name}-connector`,
    {
      name: needs.connectorName,
      description: "Audit events into the audit table",
      kafkaconnectVersion: connectVersion,
      // Autoscaling would override tasks.max.
      capacity: { provisionedCapacity: { workerCount: workers, mcuCount: mcusPerWorker } },
      connectorConfiguration: connectorProperties(args),
      kafkaCluster: {
        apacheKafkaCluster: {
          bootstrapServers: args.kafka.bootstrapBrokersIam,
          vpc: { securityGroups: [needs.network.group.id], subnets: args.subnetIds },
        },
      },
      kafkaClusterClientAuthentication: { authenticationType: "IAM" },
      kafkaClusterEncryptionInTransit: { encryptionType: "TLS" },
      plugins: [{ customPlugin: { arn: needs.plugin.arn, revision: needs.plugin.latestRevision } }],
      workerConfiguration: { arn: workerResource.arn, revision: workerResource.latestRevision },
      serviceExecutionRoleArn: needs.executionRoleArn,
      logDelivery: { workerLogDelivery: { cloudwatchLogs: { enabled: true, logGroup: needs.log.name } } },
      tags: componentTags(`${name}-connector`, name),
    },
    {
      parent,
      dependsOn: [...needs.network.rules],
      // MSK Connect has reported properties as changed in place while the old ones stayed in force.
      replaceOnChanges: ["connectorConfiguration"],
      // The successor has the same name, which keeps the consumer group's offsets.
      deleteBeforeReplace: true,
      // The provider's 20 minutes have been too short next to a new cluster.
      customTimeouts: { create: "45m", update: "45m", delete: "30m" },
    },
  );
}

function connectorProperties(args: AuditSinkArgs): pulumi.Output<Record<string, string>> {
  const { destination, topics } = args;
  return pulumi
    .output({
      events: topics.events,
      deadLetter: topics.deadLetter,
      host: destination.endpoint,
      port: destination.port ?? postgresPort,
      database: destination.databaseName,
      secretId: destination.secretArn,
      replicationFactor: args.replicationFactor,
    })
    .apply(({ events, deadLetter, host, port, database, secretId, replicationFactor }) =>
      sinkConnectorProperties({
        topics: { events: { name: events }, deadLetter: { name: deadLetter } },
        destination: { host, port, database, secretId, region: arnParts(secretId).region },
        tasks: capacityOf(args).tasks,
        deadLetterReplicationFactor: replicationFactor,
        messageMaxBytes: args.messageMaxBytes,
      }),
    );
}
