import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MonitoringArgs } from "../../../components/monitoring";
import { monitoringProblems } from "../../../components/monitoring/checks";
import { dashboardBody, type ResolvedHop, type Widget } from "../../../components/monitoring/dashboard";
import { stateChangePattern } from "../../../components/monitoring/events";
import { pipelineHops } from "../../../components/monitoring/hops";
import { alarmPeriodMinutes } from "../../../components/monitoring/hops/hop";
import { acrossBrokersQuery } from "../../../components/monitoring/metrics-insights";
import { publishPolicy } from "../../../components/monitoring/notifications";
import { operatorMetrics } from "../../../contract/operator-metrics";
import { evaluate } from "../../iam/evaluate";

const minimal: MonitoringArgs = {
  capture: {
    taskArn: "arn:aws:dms:eu-central-1:123456789012:task:capture-task",
    taskIdentifier: "capture-task",
    instanceArn: "arn:aws:dms:eu-central-1:123456789012:rep:CAPTURE",
    instanceIdentifier: "capture-instance",
  },
  kafka: {
    clusterArn: "arn:aws:kafka:eu-central-1:123456789012:cluster/audit/6b1f0a1e-0000-4000-8000-000000000000-5",
    rawTopic: "cdc.raw",
    eventsTopic: "audit.events",
    deadLetterTopic: "audit.dead-letter",
  },
  transformer: { clusterName: "transformer", serviceName: "transformer-service", consumerGroup: "transformer-group" },
  sink: { connectorName: "audit-sink", consumerGroup: "connect-audit-sink" },
};
const complete: MonitoringArgs = {
  ...minimal,
  sourceClusterIdentifier: "shop",
  operator: {
    functionName: "operator",
    sourceId: "shop",
    failedRunsQueueName: "operator-dead-letters",
    canaryIntervalMinutes: 5,
  },
};

/** The hops as the dashboard gets them. */
function resolved(args: MonitoringArgs): Promise<ResolvedHop[]> {
  return new Promise((resolve) => {
    pulumi.output(pipelineHops(args)).apply((hops) => resolve(hops as ResolvedHop[]));
  });
}

function alarmKeys(args: MonitoringArgs): string[] {
  return pipelineHops(args).flatMap((hop) => hop.alarms.map((alarm) => alarm.key));
}

describe("the alarms", () => {
  it("watch every way in which each hop stops, falls behind or fills up", () => {
    expect(alarmKeys(complete)).toEqual([
      "slot-behind",
      "transaction-ids-used",
      "capture-reads-behind",
      "capture-writes-behind",
      "capture-queues-reads-on-disk",
      "capture-queues-writes-on-disk",
      "capture-storage-low",
      "capture-memory-low",
      "kafka-disk-used",
      "kafka-partitions-offline",
      "kafka-copies-missing",
      "kafka-without-controller",
      "dead-letters",
      "transformer-stopped",
      "transformer-behind",
      "transformer-memory-high",
      "sink-tasks-failed",
      "sink-tasks-missing",
      "sink-behind",
      "partitions-missing",
      "default-partition-used",
      "canary-missing",
      "operator-failing",
      "operator-runs-failed",
      "slot-lost",
      "capture-undermined",
      "version-ends",
    ]);
  });

  it("leave out what nobody reports", () => {
    const reported = alarmKeys(minimal);
    expect(reported).not.toContain("slot-behind");
    expect(reported).not.toContain("partitions-missing");
    expect(reported).toHaveLength(alarmKeys(complete).length - 10);
  });

  it("ring when a part falls silent that always reports while it works", () => {
    const silent = pipelineHops(complete).flatMap((hop) => hop.alarms.filter((alarm) => alarm.silenceBreaches));
    expect(silent.map((alarm) => alarm.key)).toEqual([
      "capture-reads-behind",
      "capture-writes-behind",
      "capture-storage-low",
      "kafka-without-controller",
      "transformer-stopped",
      "transformer-behind",
      "sink-tasks-missing",
      "sink-behind",
      "partitions-missing",
      "canary-missing",
    ]);
  });

  it("miss canaries only where some are sent, and only after two intervals", () => {
    const canary = (canaryIntervalMinutes?: number) =>
      pipelineHops({ ...complete, operator: { functionName: "f", sourceId: "s", canaryIntervalMinutes } })
        .flatMap((hop) => hop.alarms)
        .find((alarm) => alarm.key === "canary-missing");
    expect(canary()).toBeUndefined();
    expect(canary(1)).toMatchObject({ minutes: 5, periodMinutes: 5 });
    expect(canary(60)).toMatchObject({ minutes: 120, periodMinutes: 120 });
  });

  it("look back over whole periods, and no further than CloudWatch can", () => {
    for (const alarm of pipelineHops(complete).flatMap((hop) => hop.alarms)) {
      const periodMinutes = alarm.periodMinutes ?? alarmPeriodMinutes;
      expect(alarm.minutes % periodMinutes, alarm.key).toBe(0);
      expect(alarm.minutes, alarm.key).toBeLessThanOrEqual((periodMinutes < 60 ? 1 : 7) * 24 * 60);
    }
  });

  it("say what happened and what to look at first, within CloudWatch's 1024 characters", () => {
    for (const { key, meaning, firstStep } of pipelineHops(complete).flatMap((hop) => hop.alarms)) {
      for (const sentence of [meaning, firstStep]) expect(sentence, key).toMatch(/^[A-Z].*\.$/);
      expect(`${meaning} ${firstStep}`.length, key).toBeLessThanOrEqual(1024);
    }
  });

  it("take their thresholds from the arguments", () => {
    const hops = pipelineHops({
      ...complete,
      latencySeconds: 120,
      slotLagGiB: 3,
      kafkaDiskUsedPercent: 70,
      partitionDaysAhead: 14,
    });
    const threshold = (key: string) => hops.flatMap((hop) => hop.alarms).find((alarm) => alarm.key === key)?.threshold;
    expect(threshold("capture-reads-behind")).toBe(120);
    expect(threshold("transformer-behind")).toBe(120);
    expect(threshold("sink-behind")).toBe(120);
    expect(threshold("slot-behind")).toBe(3 * 2 ** 30);
    expect(threshold("kafka-disk-used")).toBe(70);
    expect(threshold("sink-tasks-missing")).toBe(1);
    expect(threshold("partitions-missing")).toBe(14);
  });

  it("read the metrics that AWS and the operator publish, by the dimensions they publish them with", async () => {
    const alarms = (await resolved(complete)).flatMap((hop) => hop.alarms);
    const metric = (key: string) => alarms.find((alarm) => alarm.key === key)?.metric;
    expect(metric("capture-reads-behind")).toMatchObject({
      namespace: "AWS/DMS",
      dimensions: { ReplicationInstanceIdentifier: "capture-instance", ReplicationTaskIdentifier: "capture-task" },
    });
    expect(metric("transformer-behind")).toMatchObject({
      namespace: "AWS/Kafka",
      name: "EstimatedMaxTimeLag",
      statistic: "Maximum",
      dimensions: { "Cluster Name": "audit", "Consumer Group": "transformer-group", Topic: "cdc.raw" },
    });
    expect(metric("sink-behind")?.dimensions).toEqual({
      "Cluster Name": "audit",
      "Consumer Group": "connect-audit-sink",
      Topic: "audit.events",
    });
    expect(metric("sink-tasks-failed")).toMatchObject({
      namespace: "AWS/KafkaConnect",
      dimensions: { ConnectorName: "audit-sink" },
    });
    expect(metric("partitions-missing")).toMatchObject({
      namespace: operatorMetrics.namespace,
      dimensions: { [operatorMetrics.dimension]: "shop" },
    });
  });
});

describe("a metric across brokers", () => {
  it("is asked for with every dimension, so that brokers may come and go", () => {
    expect(
      acrossBrokersQuery({
        namespace: "AWS/Kafka",
        name: "BytesInPerSec",
        statistic: "Sum",
        dimensions: { "Cluster Name": "audit", Topic: "audit.dead-letter" },
        acrossBrokers: true,
      }),
    ).toBe(
      `SELECT SUM(BytesInPerSec) FROM SCHEMA("AWS/Kafka", "Broker ID", "Cluster Name", "Topic") ` +
        `WHERE "Cluster Name" = 'audit' AND "Topic" = 'audit.dead-letter'`,
    );
  });
});

describe("the dashboard", () => {
  const region = "eu-central-1";
  const overlap = (one: Widget, other: Widget) =>
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height;

  it("shows the hops in the order in which data flows", async () => {
    const { widgets } = dashboardBody(await resolved(complete), region, []);
    const headings = widgets.filter(({ type }) => type === "text").map(({ properties }) => properties.markdown);
    expect(headings.map((markdown) => String(markdown).split("\n")[0])).toEqual([
      "## 1. Source database",
      "## 2. Change capture",
      "## 3. Kafka",
      "## 4. Transformer",
      "## 5. Audit sink",
      "## 6. Audit table",
      "## 7. End to end",
    ]);
  });

  it("draws a chart with its threshold for every alarm", async () => {
    const hops = await resolved(complete);
    const { widgets } = dashboardBody(hops, region, []);
    const thresholds = widgets.flatMap(({ properties }) => {
      const annotations = properties.annotations as { horizontal: { value: number }[] } | undefined;
      return annotations?.horizontal.map(({ value }) => value) ?? [];
    });
    expect(thresholds).toEqual(hops.flatMap((hop) => hop.alarms.map((alarm) => alarm.threshold)));
  });

  it("lists the alarms it is given", async () => {
    const { widgets } = dashboardBody(await resolved(minimal), region, ["arn:one", "arn:two"]);
    expect(widgets[0]).toMatchObject({ type: "alarm", properties: { alarms: ["arn:one", "arn:two"] } });
  });

  it("fits CloudWatch's grid without overlaps, however many charts a hop has", () => {
    const metric = { namespace: "N", name: "M", statistic: "Sum", dimensions: {} } as const;
    const chart = { title: "chart", metrics: [metric] };
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 8 }), (counts) => {
        const hops = counts.map((count, index) => ({
          title: `hop ${index}`,
          about: "about",
          alarms: [],
          charts: Array.from({ length: count }, () => chart),
        }));
        const { widgets } = dashboardBody(hops, region, []);
        expect(widgets.filter(({ type }) => type === "metric")).toHaveLength(
          counts.reduce((sum, count) => sum + count, 0),
        );
        for (const [index, widget] of widgets.entries()) {
          expect(widget.x + widget.width).toBeLessThanOrEqual(24);
          expect(widgets.slice(index + 1).some((other) => overlap(widget, other))).toBe(false);
        }
      }),
    );
  });
});

describe("a monitoring's arguments", () => {
  it("are accepted at their least and at their most", () => {
    expect(monitoringProblems(minimal)).toEqual([]);
    expect(monitoringProblems(complete)).toEqual([]);
  });

  it("are refused for all reasons at once", () => {
    const refused = monitoringProblems({
      ...minimal,
      email: "on-call",
      latencySeconds: 5,
      slotLagGiB: 0,
      kafkaDiskUsedPercent: 100,
      partitionDaysAhead: 0.5,
    });
    expect(refused.map((problem) => problem.setting)).toEqual([
      "email",
      "latencySeconds",
      "slotLagGiB",
      "kafkaDiskUsedPercent",
      "partitionDaysAhead",
    ]);
  });
});

describe("notifications", () => {
  const topicArn = "arn:aws:sns:eu-central-1:123456789012:alarms";
  const publish = (service: string, source: string, account = "123456789012") => ({
    action: "sns:Publish",
    resource: topicArn,
    principal: { Service: service },
    context: { "aws:SourceAccount": account, "aws:SourceArn": source },
  });

  it.each([
    [
      "this account's alarms",
      "cloudwatch.amazonaws.com",
      "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:a",
      "allowed",
    ],
    ["this account's rules", "events.amazonaws.com", "arn:aws:events:eu-central-1:123456789012:rule/r", "allowed"],
    [
      "another account's rules",
      "events.amazonaws.com",
      "arn:aws:events:eu-central-1:999999999999:rule/r",
      "not allowed",
    ],
    ["another service", "s3.amazonaws.com", "arn:aws:s3:::bucket", "not allowed"],
  ])("from %s are %4$s", (_, service, source, decision) => {
    expect(evaluate([publishPolicy(topicArn)], publish(service, source))).toBe(decision);
  });

  it("from another account's alarms are not allowed", () => {
    const call = publish(
      "cloudwatch.amazonaws.com",
      "arn:aws:cloudwatch:eu-central-1:999999999999:alarm:a",
      "999999999999",
    );
    expect(evaluate([publishPolicy(topicArn)], call)).toBe("not allowed");
  });

  it("of DMS take every state change of the one task, whatever its details", () => {
    expect(stateChangePattern("arn:aws:dms:eu-central-1:123456789012:task:t")).toEqual({
      source: ["aws.dms"],
      "detail-type": [{ prefix: "DMS Replication " }],
      resources: ["arn:aws:dms:eu-central-1:123456789012:task:t"],
    });
  });
});
