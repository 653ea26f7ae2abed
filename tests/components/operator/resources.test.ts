import type { ComponentResourceOptions } from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CanaryArgs, OperatorArgs } from "../../../components/operator";
import { parseInvocation } from "../../../operator/lambda/request";
import { isUnknown } from "../../../recorder/values";
import { dependencyNames, deploy, modes, outputValue, refusal } from "../support/deployment";
import {
  account,
  administeredDatabase,
  type BuiltArtifacts,
  builtArtifacts,
  captureSecretArn,
  clusterArn,
  kafka,
  placement,
  region,
  topicNames,
  waitsFor,
  writerSecretArn,
} from "../support/pipeline-arguments";

let artifacts: BuiltArtifacts;
beforeAll(() => {
  artifacts = builtArtifacts();
});
afterAll(() => artifacts.remove());

const keyArn = `arn:aws:kms:${region}:${account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const arn = (service: string, resource: string) => `arn:aws:${service}:${region}:${account}:${resource}`;

function operator(args: Partial<OperatorArgs> = {}, name = "operator") {
  return async (opts: ComponentResourceOptions) => {
    const { Operator } = await import("../../../components/operator");
    const { bootstrapBrokersIam, securityGroupId, scramUsername } = kafka;
    const minimal: OperatorArgs = {
      ...placement,
      sourceId: "shop",
      bundlePath: artifacts.bundlePath,
      source: administeredDatabase,
      captureRole: { secretArn: captureSecretArn, versionId: "version-1" },
      writerRole: { secretArn: writerSecretArn },
      tables: [{ schema: "public", table: "orders" }],
      kafka: { clusterArn, bootstrapBrokersIam, securityGroupId, scramUsername },
      topics: { raw: topicNames.raw, events: topicNames.events },
      parts: {
        captureName: "capture",
        captureTaskIdentifier: "capture-task",
        transformerGroup: "transformer",
        connectorName: "audit-sink",
      },
    };
    return new Operator(name, { ...minimal, ...args }, opts);
  };
}

describe.each(modes)("an operator in a %s", (mode) => {
  it("runs its bundle inside the VPC, on ARM, with its log kept for a while", async () => {
    const { only, invokes } = await deploy(operator({ kmsKeyArn: keyArn, logRetentionDays: 90 }), { mode });
    const { inputs } = only("Function");
    expect(inputs).toMatchObject({
      runtime: "nodejs24.x",
      architectures: ["arm64"],
      handler: "index.handler",
      timeout: 900,
      vpcConfig: { subnetIds: placement.subnetIds },
      kmsKeyArn: keyArn,
    });
    expect(inputs).not.toHaveProperty("environment");
    expect(only("LogGroup").inputs).toMatchObject({
      name: `/aws/lambda/${inputs.name}`,
      retentionInDays: 90,
      kmsKeyId: keyArn,
    });
    expect(invokes).toEqual([]);
  });

  it("names every child after itself", async () => {
    const { registrations } = await deploy(operator(), { mode });
    for (const { name } of registrations.slice(1)) expect(name).toMatch(/^operator-/);
  });

  it("knows its function's name in a preview already, so that no change of it makes others look replaced", async () => {
    const { result, only } = await deploy(operator(), { mode });
    expect((await outputValue(result.functionName)).value).toBe(only("Function").inputs.name);
  });

  it("asks for what its own reader takes, and holds no secret in it", async () => {
    const { all } = await deploy(operator(), { mode });
    const requests = [
      ...all("Invocation").map(({ inputs }) => inputs.input),
      ...all("Schedule").map(({ inputs }) => inputs.target.input),
    ].filter((request) => !isUnknown(request));
    expect(requests).toHaveLength(6);
    for (const request of requests) expect(() => parseInvocation(JSON.parse(request))).not.toThrow();
    expect(requests.join()).not.toMatch(/password"/i);
  });
});

describe("an operator", () => {
  it("opens the way to database, brokers and AWS, and no other", async () => {
    const { all, only } = await deploy(operator());
    const [group] = only("Function").inputs.vpcConfig.securityGroupIds;
    const rules = (type: string) =>
      all(type).map(({ inputs }) => [
        inputs.securityGroupId,
        inputs.referencedSecurityGroupId ?? inputs.cidrIpv4,
        inputs.fromPort,
      ]);
    expect(new Set(rules("SecurityGroupEgressRule"))).toEqual(
      new Set([
        [group, "sg-database", 5432],
        [group, "sg-kafka", 9098],
        [group, "sg-kafka", 9096],
        [group, "0.0.0.0/0", 443],
      ]),
    );
    expect(new Set(rules("SecurityGroupIngressRule"))).toEqual(
      new Set([
        ["sg-database", group, 5432],
        ["sg-kafka", group, 9098],
        ["sg-kafka", group, 9096],
      ]),
    );
    expect(waitsFor(only("Function").options)).toHaveLength(7);
  });

  it("opens a second way only to a destination that lies elsewhere", async () => {
    const places = async (destination: OperatorArgs["destination"]) =>
      (await deploy(operator({ destination }))).all("SecurityGroupIngressRule").map(({ name }) => name);
    expect(await places({ ...administeredDatabase, databaseName: "audit" })).not.toContain(
      "operator-to-destination-ingress",
    );
    expect(await places({ ...administeredDatabase, securityGroupId: "sg-audit" })).toContain(
      "operator-to-destination-ingress",
    );
    expect(await places({ ...administeredDatabase, port: 5433 })).toContain("operator-to-destination-ingress");
  });

  it("prepares databases and brokers before anybody gets its outputs", async () => {
    const { result } = await deploy(operator());
    for (const output of [result.functionName, result.functionArn]) {
      expect(await dependencyNames(output)).toEqual(expect.arrayContaining(["operator-guard", "operator-maintain"]));
    }
  });

  it("prepares anew when the bundle or a password has changed, and not otherwise", async () => {
    const triggers = async (args: Partial<OperatorArgs>) => {
      const { only } = await deploy(operator(args));
      const [destination, source] = ["operator-bootstrap", "operator-bootstrap-source"].map(
        (invocation) => only(invocation).inputs.triggers,
      );
      return { destination, source };
    };
    const before = await triggers({});
    expect(await triggers({ logRetentionDays: 1 })).toEqual(before);
    const otherCapture = await triggers({ captureRole: { secretArn: captureSecretArn, versionId: "version-2" } });
    expect(otherCapture.source).not.toEqual(before.source);
    expect(otherCapture.destination).toEqual(before.destination);
    const otherWriter = await triggers({ writerRole: { secretArn: captureSecretArn, versionId: "version-2" } });
    expect(otherWriter.source).toEqual(before.source);
    expect(otherWriter.destination).not.toEqual(before.destination);
    const otherBundle = await triggers({ bundlePath: artifacts.pluginPath });
    expect(otherBundle.source).not.toEqual(before.source);
    expect(otherBundle.destination).not.toEqual(before.destination);
  });

  it("starts maintenance and guard on a schedule, and keeps what failed", async () => {
    const { all, only } = await deploy(operator());
    const expressions = all("Schedule").map(({ name, inputs }) => [name, inputs.scheduleExpression]);
    expect(Object.fromEntries(expressions)).toEqual({
      "operator-maintain-schedule": "rate(6 hours)",
      "operator-guard-schedule": "rate(15 minutes)",
    });
    const queueArn = only("FunctionEventInvokeConfig").inputs.destinationConfig.onFailure.destination;
    expect(queueArn).toContain(":sqs:");
    for (const { inputs } of all("Schedule")) {
      expect(inputs.target.deadLetterConfig.arn).toBe(queueArn);
      expect(inputs.target.arn).toContain(`:function:${only("Function").inputs.name}`);
    }
    expect(only("Queue").inputs).toMatchObject({ messageRetentionSeconds: 1_209_600 });
    expect(only("Queue").inputs.kmsMasterKeyId).toContain(":key/");
  });

  it("tells the guard when public access ends, and nothing where it never begins", async () => {
    const guard = async (publicAccessUntil?: string) => {
      const { only } = await deploy(operator({ kafka: { ...kafka, publicAccessUntil } }));
      return JSON.parse(only("operator-guard-schedule").inputs.target.input);
    };
    expect(await guard("2026-12-01T18:00+01:00")).toMatchObject({ publicAccessUntil: "2026-12-01T17:00:00.000Z" });
    expect(await guard("")).not.toHaveProperty("publicAccessUntil");
    expect(await guard()).toMatchObject({ captureUsername: "change-capture", rawTopic: "cdc.raw" });
  });

  it("may touch the SCRAM user's password only where it is told its secret", async () => {
    const policy = async (args: Partial<OperatorArgs>) =>
      (await deploy(operator(args))).only("operator-role-permissions").inputs.policy as string;
    const kafkaSecret = arn("secretsmanager", "secret:AmazonMSK_capture-AbCdEf");
    expect(await policy({})).not.toContain("AmazonMSK_");
    expect(await policy({})).not.toContain(keyArn);
    const rotating = await policy({ kafka: { ...kafka, scramSecretArn: kafkaSecret, keyArn } });
    expect(rotating).toContain(kafkaSecret);
    expect(rotating).toContain(keyArn);
  });

  it("sets concurrency aside only when asked to", async () => {
    expect((await deploy(operator())).only("Function").inputs).not.toHaveProperty("reservedConcurrentExecutions");
    const { only } = await deploy(operator({ reservedConcurrency: 2 }));
    expect(only("Function").inputs.reservedConcurrentExecutions).toBe(2);
  });

  it("refuses a bundle that is not there before anything else, with the command that makes it", async () => {
    const { message, asked } = await refusal(operator({ bundlePath: "nowhere", partitionsAhead: "soon" }));
    expect(message).toMatch(/bundlePath.*npm run build:operator.*\n.*partitionsAhead/);
    expect(asked).toEqual(["cdc-audit:index:Operator"]);
  });
});

function canary(args: Partial<CanaryArgs> = {}) {
  return async (opts: ComponentResourceOptions) => {
    const { Canary } = await import("../../../components/operator");
    const minimal: CanaryArgs = {
      operator: {
        functionName: "operator",
        functionArn: arn("lambda", "function:operator"),
        schedulerRoleArn: `arn:aws:iam::${account}:role/scheduler`,
        failedRunsQueueArn: arn("sqs", "dead-letters"),
        keyArn,
      },
      sourceId: "shop",
      source: administeredDatabase,
      kafka: {
        bootstrapBrokersIam: kafka.bootstrapBrokersIam,
        rawTopic: topicNames.raw,
        eventsTopic: topicNames.events,
        transformerGroup: "transformer",
        sinkGroup: "connect-audit-sink",
      },
      captureTaskArn: arn("dms", "task:capture-task"),
      connectorArn: arn("kafkaconnect", "connector/audit-sink/1-2"),
    };
    return new Canary("canary", { ...minimal, ...args }, opts);
  };
}

describe.each(modes)("a canary in a %s", (mode) => {
  it("is sent at the end of a deployment with time to spare, and then every few minutes", async () => {
    const { only } = await deploy(canary(), { mode });
    const arrives = parseInvocation(JSON.parse(only("canary-arrives").inputs.input)).request;
    const schedule = only("canary-schedule").inputs;
    const scheduled = parseInvocation(JSON.parse(schedule.target.input)).request;
    expect(arrives).toMatchObject({ action: "canary", timeoutSeconds: 600, sourceId: "shop", publishShapes: true });
    expect(scheduled).toMatchObject({ action: "canary", timeoutSeconds: 120 });
    expect(scheduled).not.toHaveProperty("publishShapes");
    expect(schedule).toMatchObject({ scheduleExpression: "rate(5 minutes)", state: "ENABLED" });
  });
});

describe("a canary", () => {
  it("is sent again for a part that was made anew", async () => {
    const sent = async (revision: string) =>
      (await deploy(canary({ triggers: { transformer: revision } }))).only("canary-arrives").inputs.triggers;
    expect(await sent("task:2")).not.toEqual(await sent("task:1"));
  });

  it("can be sent every minute, in EventBridge's own grammar", async () => {
    const { only } = await deploy(canary({ intervalMinutes: 1, timeoutSeconds: 30 }));
    expect(only("canary-schedule").inputs.scheduleExpression).toBe("rate(1 minute)");
  });

  it("is not sent while nothing is captured", async () => {
    const { all, only } = await deploy(canary({ capturing: false }));
    expect(all("Invocation")).toEqual([]);
    expect(only("canary-schedule").inputs.state).toBe("DISABLED");
  });

  it("refuses to overtake itself", async () => {
    const { message } = await refusal(canary({ intervalMinutes: 2, timeoutSeconds: 120 }));
    expect(message).toContain("timeoutSeconds = 120: allowed is less than intervalMinutes (2, which is 120 seconds)");
  });
});
