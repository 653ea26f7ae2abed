import * as pulumi from "@pulumi/pulumi";
import type { Topics } from "../../contract/topics";
import { AuditSink } from "../audit-sink";
import { ChangeCapture } from "../change-capture";
import { kafkaTopic } from "../kafka-cluster";
import { Monitoring } from "../monitoring";
import { publishers } from "../monitoring/notifications";
import { Canary, Operator } from "../operator";
import { checkArguments } from "../shared/arguments";
import { encryptionKey } from "../shared/encryption-key";
import { withSecretScramPassword } from "../shared/scram-user";
import { ReviewService } from "../review-service";
import { withSecretClient } from "../review-service/login";
import { TransformerService } from "../transformer-service";
import { auditPipelineProblems } from "./checks";
import { roleSecrets } from "./credentials";
import {
  type SharedResources,
  canaryArgs,
  captureArgs,
  hasOperator,
  monitoringArgs,
  operatedParts,
  operatorArgs,
  partNames,
  retainsData,
  reviewArgs,
  sinkArgs,
  topicsOf,
  transformerArgs,
} from "./part-arguments";
import type { AuditPipelineArgs, PipelineKafkaArgs } from "./types";

export type {
  AuditPipelineArgs,
  PipelineAlarmsArgs,
  PipelineCaptureArgs,
  PipelineDestinationArgs,
  PipelineKafkaArgs,
  PipelineOperatorArgs,
  PipelineReviewArgs,
  PipelineSinkArgs,
  PipelineSourceArgs,
  PipelineTopicsArgs,
  PipelineTransformerArgs,
} from "./types";

/** What is kept of a Kafka cluster that is given whole. */
const kafkaMembers: Readonly<Record<keyof PipelineKafkaArgs, true>> = {
  clusterArn: true,
  bootstrapBrokersIam: true,
  bootstrapBrokersScram: true,
  securityGroupId: true,
  scramUsername: true,
  scramPassword: true,
  scramSecretArn: true,
  keyArn: true,
  publicAccessUntil: true,
  kafkaVersion: true,
  replicationFactor: true,
};

/**
 * The whole pipeline over a VPC, a database and a Kafka cluster that you name: topics, credentials, operator, change
 * capture, transformer, sink, monitoring and canary. Changes to the named tables become rows of the audit table.
 *
 * Deploying it prepares the databases, tests the connections and ends when a row has gone all the way. The order:
 * topics and secrets; the operator, which prepares destination and brokers; the sink; the transformer; the source; the
 * capture, whose connections the operator tests before the task starts; the canary. Each part is so deployed before
 * the one that sends it something new.
 *
 * Several pipelines fit into one stack and one cluster when their names, `sourceId` and `topics.prefix` differ.
 *
 * Costs: those of its parts, two secrets and one key for all of them; sums in `docs/cost.md`.
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
  /** Where people open the reviewer's page; empty without it. */
  public readonly reviewUrl: pulumi.Output<string>;
  /** What the name of the reviewer's page must point at in DNS; empty without it. */
  public readonly reviewLoadBalancerDnsName: pulumi.Output<string>;
  /** CloudWatch dashboard that shows the flow hop by hop. */
  public readonly dashboardName: pulumi.Output<string>;
  /** The key that all parts share. */
  public readonly keyArn: pulumi.Output<string>;

  constructor(name: string, args: AuditPipelineArgs, opts?: pulumi.ComponentResourceOptions) {
    args = {
      ...args,
      kafka: withSecretScramPassword(args.kafka, kafkaMembers),
      ...(args.review && { review: withSecretClient(args.review) }),
    };
    super("cdc-audit:index:AuditPipeline", name, args, opts);
    checkArguments({ kind: "AuditPipeline", name, resource: this }, args, (given) => auditPipelineProblems(given));

    const keyArn = sharedKey(name, args, this);
    const names = partNames(name);
    const prepared: SharedResources = {
      keyArn,
      topics: topics(name, args, this),
      ...roleSecrets(name, args, keyArn, this),
    };
    const [transformerRuns, setTransformerRuns] = pulumi.deferredOutput<string>();
    const operator = hasOperator(args)
      ? new Operator(
          names.operator,
          { ...operatorArgs(args, prepared, operatedParts(name, args)), sourceAfter: transformerRuns },
          { parent: this },
        )
      : undefined;
    const shared: SharedResources = {
      ...prepared,
      operatorFunctionName: operator?.functionName,
      destinationFunctionName: operator?.destinationFunctionName,
    };
    const sink = new AuditSink(names.sink, sinkArgs(args, shared), { parent: this });
    const transformer = new TransformerService(names.transformer, transformerArgs(args, shared), {
      parent: this,
      // An older sink would refuse events with columns that it does not know.
      dependsOn: [sink],
    });
    setTransformerRuns(transformer.serviceArn);
    const capture = new ChangeCapture(names.capture, captureArgs(args, shared), { parent: this });
    const review =
      args.review &&
      new ReviewService(names.review, reviewArgs(args, args.review, shared, transformer.clusterArn), { parent: this });
    const running = { capture, transformer, sink };
    const watched = { ...running, operator, review };
    const monitoring = new Monitoring(names.monitoring, monitoringArgs(args, shared, watched), { parent: this });
    if (operator) new Canary(names.canary, canaryArgs(args, shared, { ...running, operator }), { parent: this });

    this.rawTopic = pulumi.output(shared.topics.raw);
    this.eventsTopic = pulumi.output(shared.topics.events);
    this.deadLetterTopic = pulumi.output(shared.topics.deadLetter);
    this.captureSecretArn = pulumi.output(shared.captureSecret.secretArn);
    this.writerSecretArn = pulumi.output(shared.writerSecret.secretArn);
    this.operatorFunctionName = operator?.functionName ?? pulumi.output("");
    this.captureTaskArn = capture.taskArn;
    this.applicationId = transformer.applicationId;
    this.transformerServiceArn = transformer.serviceArn;
    this.connectorName = sink.connectorName;
    this.alarmTopicArn = monitoring.topicArn;
    this.reviewUrl = review?.url ?? pulumi.output("");
    this.reviewLoadBalancerDnsName = review?.loadBalancerDnsName ?? pulumi.output("");
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
      reviewUrl: this.reviewUrl,
      reviewLoadBalancerDnsName: this.reviewLoadBalancerDnsName,
      dashboardName: this.dashboardName,
      keyArn: this.keyArn,
    });
  }
}

/** The key that all parts share: the user's, or one of the pipeline's own. */
function sharedKey(name: string, args: AuditPipelineArgs, parent: pulumi.Resource): pulumi.Output<string> {
  return encryptionKey(
    name,
    {
      description: `Audit pipeline ${name}`,
      existingKeyArn: args.kmsKeyArn,
      publishers,
      retain: retainsData(args),
    },
    parent,
  );
}

/** The topics' names, each of which resolves once its topic exists. */
function topics(name: string, args: AuditPipelineArgs, parent: pulumi.Resource): SharedResources["topics"] {
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
