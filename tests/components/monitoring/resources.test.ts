import type { ComponentResourceOptions } from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { MonitoringArgs } from "../../../components/monitoring";
import { isUnknown } from "../../../recorder/values";
import { dependencyNames, deploy, modes, outputValue, refusal } from "../support/deployment";
import { account, clusterArn, region } from "../support/pipeline-arguments";

const minimal: MonitoringArgs = {
  capture: {
    taskArn: `arn:aws:dms:${region}:${account}:task:capture-task`,
    taskIdentifier: "capture-task",
    instanceArn: `arn:aws:dms:${region}:${account}:rep:CAPTURE`,
    instanceIdentifier: "capture-instance",
  },
  kafka: {
    clusterArn,
    rawTopic: "cdc.raw",
    eventsTopic: "audit.events",
    deadLetterTopic: "audit.dead-letter",
  },
  transformer: { clusterName: "transformer", serviceName: "transformer-service", consumerGroup: "transformer-group" },
  sink: { connectorName: "audit-sink", consumerGroup: "connect-audit-sink" },
};

function monitoring(args: Partial<MonitoringArgs> = {}, name = "monitoring") {
  return async (opts: ComponentResourceOptions) => {
    const { Monitoring } = await import("../../../components/monitoring");
    return new Monitoring(name, { ...minimal, ...args }, opts);
  };
}

const complete: Partial<MonitoringArgs> = {
  sourceClusterIdentifier: "shop",
  operator: {
    functionName: "operator",
    sourceId: "shop",
    failedRunsQueueName: "operator-dead-letters",
    canaryIntervalMinutes: 5,
  },
};

describe.each(modes)("a monitoring in a %s", (mode) => {
  it("sends every alarm, and its end, to the topic", async () => {
    const { all, only } = await deploy(monitoring(complete), { mode });
    expect(all("MetricAlarm")).toHaveLength(27);
    for (const { inputs, name } of all("MetricAlarm")) {
      expect(inputs.alarmActions, name).toEqual(inputs.okActions);
      if (mode === "update") expect(inputs.alarmActions[0], name).toBe(only("TopicPolicy").inputs.arn);
    }
  });

  it("knows thresholds and periods at preview already", async () => {
    const { only } = await deploy(monitoring(), { mode });
    expect(only("monitoring-capture-reads-behind").inputs).toMatchObject({
      namespace: "AWS/DMS",
      metricName: "CDCLatencySource",
      statistic: "Maximum",
      period: 300,
      evaluationPeriods: 3,
      threshold: 300,
      comparisonOperator: "GreaterThanThreshold",
      treatMissingData: "breaching",
    });
  });

  it("asks for metrics across brokers with one query", async () => {
    const { inputs } = (await deploy(monitoring(), { mode })).only("monitoring-kafka-disk-used");
    expect(inputs.metricQueries).toEqual([
      {
        id: "brokers",
        expression:
          `SELECT MAX(KafkaDataLogsDiskUsed) FROM SCHEMA("AWS/Kafka", "Broker ID", "Cluster Name") ` +
          `WHERE "Cluster Name" = 'audit'`,
        period: 300,
        returnData: true,
      },
    ]);
    expect(inputs).not.toHaveProperty("metricName");
  });

  it("passes on what DMS says of its task and of its instance", async () => {
    const { all } = await deploy(monitoring(), { mode });
    expect(all("EventRule").map(({ inputs }) => JSON.parse(inputs.eventPattern).resources)).toEqual([
      [minimal.capture.taskArn],
      [minimal.capture.instanceArn],
    ]);
    expect(all("EventTarget")).toHaveLength(2);
  });

  it("names every child after itself and asks AWS nothing", async () => {
    const { registrations, invokes } = await deploy(monitoring({ ...complete, email: "on-call@example.com" }), {
      mode,
    });
    for (const { name } of registrations.slice(1)) expect(name).toMatch(/^monitoring-/);
    expect(invokes).toEqual([]);
  });

  it("draws the dashboard once all alarms are known", async () => {
    const { only, all } = await deploy(monitoring(complete), { mode });
    const { dashboardBody } = only("Dashboard").inputs;
    if (mode === "preview") {
      expect(isUnknown(dashboardBody)).toBe(true);
      return;
    }
    const { widgets } = JSON.parse(dashboardBody);
    expect(widgets[0].properties.alarms).toHaveLength(all("MetricAlarm").length);
    const regions = widgets.flatMap(({ properties }: { properties: { region?: string } }) => properties.region ?? []);
    expect(new Set(regions)).toEqual(new Set([region]));
  });
});

describe("a monitoring", () => {
  it("gives out its topic only when it may be published to", async () => {
    const { result } = await deploy(monitoring());
    expect(await dependencyNames(result.topicArn)).toEqual(
      expect.arrayContaining(["monitoring-topic", "monitoring-topic-policy"]),
    );
  });

  it("encrypts notifications with a key that alarms and event rules may use", async () => {
    const { only } = await deploy(monitoring());
    const { Statement } = JSON.parse(only("KeyPolicy").inputs.policy) as {
      Statement: { Principal: { Service?: string }; Condition?: object }[];
    };
    for (const service of ["cloudwatch.amazonaws.com", "events.amazonaws.com"]) {
      const statement = Statement.find(({ Principal }) => Principal.Service === service);
      // EventBridge sends no aws:SourceAccount to an encrypted topic: a condition on it would lose every event.
      expect(JSON.stringify(statement?.Condition), service).toContain("kms:EncryptionContext:aws:sns:topicArn");
      expect(JSON.stringify(statement?.Condition), service).not.toContain("aws:Source");
    }
    expect(only("monitoring-topic").inputs.kmsMasterKeyId).toContain(":key/");
  });

  it("mails somebody only when told whom", async () => {
    expect((await deploy(monitoring())).all("TopicSubscription")).toEqual([]);
    const { only } = await deploy(monitoring({ email: "on-call@example.com" }));
    expect(only("TopicSubscription").inputs).toMatchObject({ protocol: "email", endpoint: "on-call@example.com" });
  });

  it("tells the names of its alarms, each its own within the account", async () => {
    const names = async (name: string, stack: string) =>
      (await outputValue((await deploy(monitoring(complete, name), { stack })).result.alarmNames)).value!;
    const all = [
      ...(await names("monitoring", "dev")),
      ...(await names("second", "dev")),
      ...(await names("second", "prod")),
    ];
    expect(new Set(all).size).toBe(3 * 27);
    for (const alarm of all) expect(alarm.length).toBeLessThanOrEqual(255);
  });

  it("refuses wrong arguments together, before it creates anything", async () => {
    const { message, asked } = await refusal(monitoring({ email: "on-call", latencySeconds: 1 }));
    for (const setting of ["email", "latencySeconds"]) expect(message).toContain(`- ${setting} =`);
    expect(asked).toEqual(["cdc-audit:index:Monitoring"]);
  });
});
