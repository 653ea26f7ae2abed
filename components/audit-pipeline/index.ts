import * as pulumi from "@pulumi/pulumi";
import { databaseRoles } from "../../contract/database-roles";
import { sinkConnectorName } from "../../contract/sink-connector";
import type { Topics } from "../../contract/topics";
import { AuditSink } from "../audit-sink";
import { capacityOf } from "../audit-sink/defaults";
import { ChangeCapture } from "../change-capture";
import { kafkaTopic } from "../kafka-cluster";
import { Monitoring } from "../monitoring";
import { publishers } from "../monitoring/notifications";
import { refuse } from "../shared/checks";
import { encryptionKey } from "../shared/encryption-key";
import { TransformerService } from "../transformer-service";
import { auditPipelineProblems } from "./checks";
import { roleSecret } from "./credentials";
import { type Links, type Secret, captureArgs, retainsData, sinkArgs, topicsOf, transformerArgs } from "./parts";
import type { AuditPipelineArgs } from "./types";

export type {
  AuditedTableArgs,
  AuditPipelineArgs,
  PipelineAlarmsArgs,
  PipelineCaptureArgs,
  PipelineDestinationArgs,
  PipelineKafkaArgs,
  PipelineSinkArgs,
  PipelineSourceArgs,
  PipelineTopicsArgs,
  PipelineTransformerArgs,
} from "./types";

const defaultPostgresPort = 5432;

/**
 * The whole pipeline over a VPC, a database and a Kafka cluster that you name: topics, credentials, change capture,
 * transformer, sink and monitoring. Changes of the named tables become rows of the audit table.
 *
 * Several pipelines fit into one stack and one cluster when their names, `sourceId` and `topics.prefix` differ.
 *
 * Costs per month in us-east-1 at its smallest: DMS 59 USD, transformer 29 USD, sink 80 USD, monitoring 5 USD, two
 * secrets 0.80 USD, a key 1 USD.
 *
 * Replaced by: another `topics.prefix` (new, empty topics) and what its parts say. With `retainData`, the default, a
 * preview that would delete topics or the capture's task fails.
 */
export class AuditPipeline extends pulumi.ComponentResource {
  /** Name of the topic for change records. */
  public readonly rawTopic: pulumi.Output<string>;
  /** Name of the topic for audit events. */
  public readonly eventsTopic: pulumi.Output<string>;
  /** Name of the topic for records that were set aside. */
  public readonly deadLetterTopic: pulumi.Output<string>;
  /** Secret of the role `cdc_capture`, whose password has to be set in the source database. */
  public readonly captureSecretArn: pulumi.Output<string>;
  /** Secret of the role `audit_writer`, whose password has to be set in the destination database. */
  public readonly writerSecretArn: pulumi.Output<string>;
  /** The DMS task. */
  public readonly captureTaskArn: pulumi.Output<string>;
  /** Kafka Streams application id and consumer group of the transformer. */
  public readonly applicationId: pulumi.Output<string>;
  /** The ECS service of the transformer. */
  public readonly transformerServiceArn: pulumi.Output<string>;
  /** The MSK Connect connector of the sink. */
  public readonly connectorName: pulumi.Output<string>;
  /** SNS topic of all alarms. */
  public readonly alarmTopicArn: pulumi.Output<string>;
  /** CloudWatch dashboard that shows the flow hop by hop. */
  public readonly dashboardName: pulumi.Output<string>;
  /** The key that all parts share. */
  public readonly keyArn: pulumi.Output<string>;

  constructor(name: string, args: AuditPipelineArgs, opts?: pulumi.ComponentResourceOptions) {
    args = withSecretPassword(args);
    super("cdc-audit:index:AuditPipeline", name, args, opts);
    refuse(name, auditPipelineProblems(args), this);

    const keyArn = encryptionKey(
      `${name}-key`,
      {
        description: `Audit pipeline ${name}`,
        existingKeyArn: args.kmsKeyArn,
        publishers,
        retain: retainsData(args),
        component: name,
      },
      this,
    );
    const links: Links = {
      keyArn,
      topics: topics(name, args, this),
      captureSecret: captureSecret(name, args, keyArn, this),
      writerSecret: writerSecret(name, args, keyArn, this),
    };
    const capture = new ChangeCapture(`${name}-capture`, captureArgs(args, links), { parent: this });
    const transformer = new TransformerService(`${name}-transformer`, transformerArgs(args, links), { parent: this });
    const sink = new AuditSink(`${name}-${sinkConnectorName}`, sinkArgs(args, links), { parent: this });
    const monitoring = new Monitoring(
      `${name}-monitoring`,
      {
        ...args.alarms,
        sourceClusterIdentifier: args.source.clusterIdentifier,
        capture: {
          taskArn: capture.taskArn,
          taskIdentifier: capture.taskIdentifier,
          instanceArn: capture.instanceArn,
          instanceIdentifier: capture.instanceIdentifier,
        },
        kafka: {
          clusterArn: args.kafka.clusterArn,
          rawTopic: links.topics.raw,
          eventsTopic: links.topics.events,
          deadLetterTopic: links.topics.deadLetter,
        },
        transformer: {
          clusterName: transformer.clusterName,
          serviceName: transformer.serviceName,
          consumerGroup: transformer.applicationId,
        },
        sink: {
          connectorName: sink.connectorName,
          consumerGroup: sink.consumerGroup,
          tasks: capacityOf(sinkArgs(args, links)).tasks,
        },
        kmsKeyArn: keyArn,
      },
      { parent: this },
    );

    this.rawTopic = pulumi.output(links.topics.raw);
    this.eventsTopic = pulumi.output(links.topics.events);
    this.deadLetterTopic = pulumi.output(links.topics.deadLetter);
    this.captureSecretArn = pulumi.output(links.captureSecret.secretArn);
    this.writerSecretArn = pulumi.output(links.writerSecret.secretArn);
    this.captureTaskArn = capture.taskArn;
    this.applicationId = transformer.applicationId;
    this.transformerServiceArn = transformer.serviceArn;
    this.connectorName = sink.connectorName;
    this.alarmTopicArn = monitoring.topicArn;
    this.dashboardName = monitoring.dashboardName;
    this.keyArn = keyArn;

    this.registerOutputs({
      rawTopic: this.rawTopic,
      eventsTopic: this.eventsTopic,
      deadLetterTopic: this.deadLetterTopic,
      captureSecretArn: this.captureSecretArn,
      writerSecretArn: this.writerSecretArn,
      captureTaskArn: this.captureTaskArn,
      applicationId: this.applicationId,
      transformerServiceArn: this.transformerServiceArn,
      connectorName: this.connectorName,
      alarmTopicArn: this.alarmTopicArn,
      dashboardName: this.dashboardName,
      keyArn: this.keyArn,
    });
  }
}

/**
 * Pulumi keeps a component's arguments in its state: the password must be a secret before it gets there. Of the cluster,
 * which may be given as the component that it is, no more is kept than is asked for.
 */
function withSecretPassword(args: AuditPipelineArgs): AuditPipelineArgs {
  const {
    clusterArn,
    bootstrapBrokersIam,
    bootstrapBrokersScram,
    securityGroupId,
    captureUsername,
    replicationFactor,
  } = args.kafka;
  return {
    ...args,
    kafka: {
      clusterArn,
      bootstrapBrokersIam,
      bootstrapBrokersScram,
      securityGroupId,
      captureUsername,
      capturePassword: pulumi.secret(args.kafka.capturePassword),
      replicationFactor,
    },
  };
}

/** The topics' names, each of which resolves once its topic exists. */
function topics(name: string, args: AuditPipelineArgs, parent: pulumi.Resource): Links["topics"] {
  const definitions = topicsOf(args);
  const topic = (role: keyof Topics, suffix: string) =>
    kafkaTopic(
      `${name}-topic-${suffix}`,
      {
        clusterArn: args.kafka.clusterArn,
        topic: definitions[role],
        replicationFactor: args.kafka.replicationFactor,
      },
      { parent, protect: retainsData(args) },
    ).name;
  return {
    raw: topic("raw", "raw"),
    events: topic("events", "events"),
    catalog: topic("catalog", "catalog"),
    deadLetter: topic("deadLetter", "dead-letter"),
  };
}

function captureSecret(
  name: string,
  args: AuditPipelineArgs,
  keyArn: pulumi.Output<string>,
  parent: pulumi.Resource,
): Secret {
  const { source } = args;
  if (source.captureSecretArn !== undefined) {
    return { secretArn: source.captureSecretArn, keyArn: source.captureSecretKeyArn };
  }
  const secretArn = roleSecret(
    `${name}-capture-secret`,
    {
      description: "DMS logs in to the source database",
      username: databaseRoles.capture,
      host: source.endpoint,
      port: source.port ?? defaultPostgresPort,
      databaseName: source.databaseName,
      keyArn,
      retainData: retainsData(args),
      component: name,
    },
    parent,
  );
  return { secretArn, keyArn };
}

function writerSecret(
  name: string,
  args: AuditPipelineArgs,
  keyArn: pulumi.Output<string>,
  parent: pulumi.Resource,
): Secret {
  if (args.writerSecretArn !== undefined) {
    return { secretArn: args.writerSecretArn, keyArn: args.writerSecretKeyArn };
  }
  const destination = args.destination ?? args.source;
  const secretArn = roleSecret(
    `${name}-writer-secret`,
    {
      description: "The sink logs in to the destination database",
      username: databaseRoles.writer,
      host: destination.endpoint,
      port: destination.port ?? defaultPostgresPort,
      databaseName: destination.databaseName,
      keyArn,
      retainData: retainsData(args),
      component: name,
    },
    parent,
  );
  return { secretArn, keyArn };
}
