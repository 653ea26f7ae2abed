import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { checkArguments } from "../shared/arguments";
import { encryptionKey } from "../shared/encryption-key";
import { nameLimits, physicalName } from "../shared/names";
import { arnParts } from "../shared/policies";
import { componentTags } from "../shared/tags";
import { monitoringProblems } from "./checks";
import { dashboardBody } from "./dashboard";
import { notifyOfStateChanges } from "./events";
import { pipelineHops } from "./hops";
import { type Alarm, type Hop, type Metric, alarmPeriodMinutes } from "./hops/hop";
import { acrossBrokersQuery } from "./metrics-insights";
import { notificationTopic, publishers } from "./notifications";
import type { MonitoringArgs } from "./types";

export type {
  MonitoredCaptureArgs,
  MonitoredKafkaArgs,
  MonitoredOperatorArgs,
  MonitoredReviewArgs,
  MonitoredSinkArgs,
  MonitoredTransformerArgs,
  MonitoringArgs,
} from "./types";

/**
 * Alarms for each way in which the pipeline stops or falls behind, the state changes of DMS, and a dashboard that shows
 * the flow hop by hop. Everything goes to one SNS topic.
 *
 * Costs: each metric of the alarms that `docs/runbook.md` lists, a dashboard, a key; sums in `docs/cost.md`.
 */
export class Monitoring extends pulumi.ComponentResource {
  /** SNS topic to subscribe to. */
  public readonly topicArn: pulumi.Output<string>;
  /** The dashboard in CloudWatch. */
  public readonly dashboardName: pulumi.Output<string>;
  /** All alarms in CloudWatch. */
  public readonly alarmNames: pulumi.Output<string[]>;

  constructor(name: string, args: MonitoringArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc-audit:index:Monitoring", name, args, opts);
    checkArguments({ kind: "Monitoring", name, resource: this }, args, (given) => monitoringProblems(given));

    const keyArn = encryptionKey(
      name,
      { description: `Notifications of ${name}`, existingKeyArn: args.kmsKeyArn, publishers },
      this,
    );
    const topicArn = notificationTopic(`${name}-topic`, { keyArn, email: args.email, component: name }, this);
    const hops = pipelineHops(args);
    const alarms = hops.flatMap((hop) => hop.alarms).map((alarm) => metricAlarm(name, alarm, topicArn, this));
    for (const [part, resourceArn] of [
      ["task", args.capture.taskArn],
      ["instance", args.capture.instanceArn],
    ] as const) {
      const description = `State changes of the DMS ${part}`;
      notifyOfStateChanges(`${name}-${part}-events`, { resourceArn, description, topicArn, component: name }, this);
    }
    const dashboard = flowDashboard(name, hops, { topicArn, alarms }, this);

    this.topicArn = topicArn;
    this.dashboardName = dashboard.dashboardName;
    this.alarmNames = pulumi.all(alarms.map((alarm) => alarm.name));

    this.registerOutputs({
      topicArn: this.topicArn,
      dashboardName: this.dashboardName,
      alarmNames: this.alarmNames,
    });
  }
}

function metricAlarm(
  name: string,
  alarm: Alarm,
  topicArn: pulumi.Output<string>,
  parent: pulumi.Resource,
): aws.cloudwatch.MetricAlarm {
  const childName = `${name}-${alarm.key}`;
  const periodMinutes = alarm.periodMinutes ?? alarmPeriodMinutes;
  return new aws.cloudwatch.MetricAlarm(
    childName,
    {
      name: physicalName(childName, nameLimits.alarm),
      alarmDescription: `${alarm.meaning} ${alarm.firstStep}`,
      ...alarmMetric(alarm.metric, periodMinutes * 60),
      comparisonOperator: alarm.breachedWhen === "above" ? "GreaterThanThreshold" : "LessThanThreshold",
      threshold: alarm.threshold,
      evaluationPeriods: alarm.minutes / periodMinutes,
      treatMissingData: alarm.silenceBreaches ? "breaching" : "notBreaching",
      alarmActions: [topicArn],
      okActions: [topicArn],
      tags: componentTags(childName, name),
    },
    { parent, deleteBeforeReplace: true },
  );
}

/** The metric as an alarm takes it: by its dimensions, or as a query across brokers. */
function alarmMetric(metric: Metric, periodSeconds: number): Partial<aws.cloudwatch.MetricAlarmArgs> {
  if (metric.acrossBrokers) {
    const expression = pulumi.output(metric).apply(acrossBrokersQuery);
    return { metricQueries: [{ id: "brokers", expression, period: periodSeconds, returnData: true }] };
  }
  return {
    namespace: metric.namespace,
    metricName: metric.name,
    dimensions: metric.dimensions,
    statistic: metric.statistic,
    period: periodSeconds,
  };
}

function flowDashboard(
  name: string,
  hops: readonly Hop[],
  needs: { topicArn: pulumi.Output<string>; alarms: readonly aws.cloudwatch.MetricAlarm[] },
  parent: pulumi.Resource,
): aws.cloudwatch.Dashboard {
  const body = pulumi
    .all([pulumi.output(hops), needs.topicArn, pulumi.all(needs.alarms.map((alarm) => alarm.arn))])
    .apply(([resolvedHops, topicArn, alarmArns]) => dashboardBody(resolvedHops, arnParts(topicArn).region, alarmArns));
  return new aws.cloudwatch.Dashboard(
    `${name}-dashboard`,
    {
      dashboardName: physicalName(`${name}-dashboard`, nameLimits.dashboard),
      dashboardBody: pulumi.jsonStringify(body),
    },
    { parent, deleteBeforeReplace: true },
  );
}
