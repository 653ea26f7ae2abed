import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { clusterName } from "../kafka-cluster/arns";
import { nameLimits, physicalName } from "../shared/names";
import { componentTags } from "../shared/tags";

export interface ScalingArgs {
  readonly minimumTasks: number;
  readonly maximumTasks: number;
  readonly ecsClusterName: pulumi.Input<string>;
  readonly serviceName: pulumi.Input<string>;
  readonly kafkaClusterArn: pulumi.Input<string>;
  readonly consumerGroup: string;
  readonly topic: pulumi.Input<string>;
}

/** Seconds of lag at which another task starts, and the seconds beyond them at which two start. */
const behind = { seconds: 60, farBehindSeconds: 240 };
/** A task stops after half an hour with fewer seconds of lag than this. */
const caughtUpSeconds = 10;

/**
 * Starts and stops tasks by how many seconds the consumer group is behind. Each change redistributes the group's
 * partitions, which costs seconds, so tasks stop only after a long wait.
 */
export function scaleOnLag(name: string, args: ScalingArgs, parent: pulumi.Resource): void {
  const target = new aws.appautoscaling.Target(
    `${name}-scaling`,
    {
      serviceNamespace: "ecs",
      scalableDimension: "ecs:service:DesiredCount",
      resourceId: pulumi.interpolate`service/${args.ecsClusterName}/${args.serviceName}`,
      minCapacity: args.minimumTasks,
      maxCapacity: args.maximumTasks,
      tags: componentTags(`${name}-scaling`, name),
    },
    { parent },
  );
  const out = stepPolicy(`${name}-scale-out`, target, { cooldown: 300, steps: scaleOutSteps }, parent);
  const back = stepPolicy(`${name}-scale-in`, target, { cooldown: 900, steps: scaleInSteps }, parent);
  const alarm = (suffix: string, rest: Partial<aws.cloudwatch.MetricAlarmArgs>) =>
    new aws.cloudwatch.MetricAlarm(
      `${name}-${suffix}`,
      {
        name: physicalName(`${name}-${suffix}`, nameLimits.alarm),
        namespace: "AWS/Kafka",
        metricName: "EstimatedMaxTimeLag",
        dimensions: {
          "Cluster Name": pulumi.output(args.kafkaClusterArn).apply(clusterName),
          "Consumer Group": args.consumerGroup,
          Topic: args.topic,
        },
        statistic: "Maximum",
        period: 60,
        treatMissingData: "missing",
        tags: componentTags(`${name}-${suffix}`, name),
        ...rest,
      },
      { parent },
    );
  alarm("lag-high", {
    alarmDescription: "The transformer is behind: another task is started.",
    comparisonOperator: "GreaterThanOrEqualToThreshold",
    threshold: behind.seconds,
    evaluationPeriods: 3,
    alarmActions: [out.arn],
  });
  alarm("lag-low", {
    alarmDescription: "The transformer keeps up: a task too many is stopped.",
    comparisonOperator: "LessThanThreshold",
    threshold: caughtUpSeconds,
    evaluationPeriods: 30,
    alarmActions: [back.arn],
  });
}

type Step = aws.types.input.appautoscaling.PolicyStepScalingPolicyConfigurationStepAdjustment;

/** Bounds are seconds beyond the alarm's threshold. */
const scaleOutSteps: Step[] = [
  {
    metricIntervalLowerBound: "0",
    metricIntervalUpperBound: String(behind.farBehindSeconds),
    scalingAdjustment: 1,
  },
  { metricIntervalLowerBound: String(behind.farBehindSeconds), scalingAdjustment: 2 },
];
const scaleInSteps: Step[] = [{ metricIntervalUpperBound: "0", scalingAdjustment: -1 }];

function stepPolicy(
  name: string,
  target: aws.appautoscaling.Target,
  { cooldown, steps }: { cooldown: number; steps: Step[] },
  parent: pulumi.Resource,
): aws.appautoscaling.Policy {
  return new aws.appautoscaling.Policy(
    name,
    {
      name: physicalName(name, nameLimits.scalingPolicy),
      policyType: "StepScaling",
      serviceNamespace: target.serviceNamespace,
      scalableDimension: target.scalableDimension,
      resourceId: target.resourceId,
      stepScalingPolicyConfiguration: {
        adjustmentType: "ChangeInCapacity",
        metricAggregationType: "Maximum",
        cooldown,
        stepAdjustments: steps,
      },
    },
    { parent },
  );
}
