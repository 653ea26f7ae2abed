import * as pulumi from "@pulumi/pulumi";
import { databaseRoles } from "../../contract/database-roles";
import type { Topics } from "../../contract/topics";
import { AuditSink } from "../audit-sink";
import { ChangeCapture } from "../change-capture";
import { kafkaTopic } from "../kafka-cluster";
import { Monitoring } from "../monitoring";
import { publishers } from "../monitoring/notifications";
import { Canary, Operator } from "../operator";
import { refuse } from "../shared/checks";
import { encryptionKey } from "../shared/encryption-key";
import { TransformerService } from "../transformer-service";
import { auditPipelineProblems } from "./checks";
import { roleSecret } from "./credentials";
import {
  type Links,
  type Secret,
  canaryArgs,
  captureArgs,
  expectedCanaries,
  hasOperator,
  operatedParts,
  operatorArgs,
  partNames,
  retainsData,
  sinkArgs,
  topicsOf,
  transformerArgs,
} from "./parts";
import type { AuditPipelineArgs } from "./types";

export type {
  AuditPipelineArgs,
  PipelineAlarmsArgs,
  PipelineCaptureArgs,
  PipelineDestinationArgs,
  PipelineKafkaArgs,
  PipelineOperatorArgs,
  PipelineSinkArgs,
  PipelineSourceArgs,
  PipelineTopicsArgs,
  PipelineTransformerArgs,
} from "./types";

const defaultPostgresPort = 5432;

/**
 * The whole pipeline over a VPC, a database and a Kafka cluster that you name: topics, credentials, operator, change
 * capture, transformer, sink, monitoring and canary. Changes of the named tables become rows of the audit table.
 *
 * Deploying it prepares the databases, tests the connections and ends when a row has gone all the way. The order: topics
 * and secrets; the operator, which prepares databases and brokers; the capture, whose connections it tests before the task
 * starts, transformer and sink; the canary.
 *
 * Several pipelines fit into one stack and one cluster when their names, `sourceId` and `topics.prefix` differ.
 *
 * Costs per month in us-east-1 at its smallest: DMS 59 USD, transformer 29 USD, sink 80 USD, monitoring 6 USD, operator
 * 3 USD, two secrets 0.80 USD, a key 1 USD.
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
  /** Secret of the role `cdc_capture`. */
  public readonly captureSecretArn: pulumi.Output<string>;
  /** Secret of the role `audit_writer`. */
  public readonly writerSecretArn: pulumi.Output<string>;
  /** The operator's Lambda function, to ask for a canary or a rotation; empty without an operator. */
  public readonly operatorFunctionName: pulumi.Output<string>;
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
    const names = partNames(name);
    const given: Links = {
      keyArn,
      topics: topics(name, args, this),
      captureSecret: captureSecret(name, args, keyArn, this),
      writerSecret: writerSecret(name, args, keyArn, this),
    };
    const transformer = new TransformerService(names.transformer, transformerArgs(args, given), { parent: this });
    const operator = hasOperator(args)
      ? new Operator(names.operator, operatorArgs(args, given, operatedParts(name, args)), {
          parent: this,
          // Who understands a signal is there before its SQL sends it.
          dependsOn: [transformer],
        })
      : undefined;
    const links: Links = { ...given, operatorFunctionName: operator?.functionName };
    const capture = new ChangeCapture(names.capture, captureArgs(args, links), { parent: this });
    const sink = new AuditSink(names.sink, sinkArgs(args, links), { parent: this });
    const monitoring = new Monitoring(
      names.monitoring,
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
        },
        operator: operator && {
          functionName: operator.functionName,
          sourceId: args.sourceId,
          failedRunsQueueName: operator.failedRunsQueueName,
          canaryIntervalMinutes: expectedCanaries(args),
        },
        kmsKeyArn: keyArn,
      },
      { parent: this },
    );
    if (operator) {
      const running = {
        operator,
        captureTaskArn: capture.taskArn,
        taskDefinitionArn: transformer.taskDefinitionArn,
        connectorArn: sink.connectorArn,
        transformerGroup: transformer.applicationId,
        sinkGroup: sink.consumerGroup,
      };
      new Canary(names.canary, canaryArgs(args, links, running), { parent: this });
    }

    this.rawTopic = pulumi.output(links.topics.raw);
    this.eventsTopic = pulumi.output(links.topics.events);
    this.deadLetterTopic = pulumi.output(links.topics.deadLetter);
    this.captureSecretArn = pulumi.output(links.captureSecret.secretArn);
    this.writerSecretArn = pulumi.output(links.writerSecret.secretArn);
    this.operatorFunctionName = operator?.functionName ?? pulumi.output("");
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
      operatorFunctionName: this.operatorFunctionName,
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
    scramUsername,
    scramSecretArn,
    keyArn,
    publicAccessUntil,
    replicationFactor,
  } = args.kafka;
  return {
    ...args,
    kafka: {
      clusterArn,
      bootstrapBrokersIam,
      bootstrapBrokersScram,
      securityGroupId,
      scramUsername,
      scramPassword: pulumi.secret(args.kafka.scramPassword),
      scramSecretArn,
      keyArn,
      publicAccessUntil,
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
  const secret = roleSecret(
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
  return { ...secret, keyArn };
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
  const secret = roleSecret(
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
  return { ...secret, keyArn };
}
