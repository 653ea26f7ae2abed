import type { ComponentResourceOptions } from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TransformerServiceArgs } from "../../../components/transformer-service";
import { isUnknown } from "../../../recorder/values";
import { deploy, modes, outputValue, refusal } from "../support/deployment";
import {
  account,
  builtArtifacts,
  type BuiltArtifacts,
  clusterArn,
  imageUri,
  kafka,
  placement,
  region,
  topicNames,
  waitsFor,
} from "../support/pipeline-arguments";

function transformer(args: Partial<TransformerServiceArgs> = {}, name = "transformer") {
  return async (opts: ComponentResourceOptions) => {
    const { TransformerService } = await import("../../../components/transformer-service");
    const { bootstrapBrokersIam, securityGroupId } = kafka;
    const minimal: TransformerServiceArgs = {
      ...placement,
      kafka: { clusterArn, bootstrapBrokersIam, securityGroupId },
      topics: topicNames,
      sourceId: "shop",
      imageUri,
    };
    return new TransformerService(name, { ...minimal, ...args }, opts);
  };
}

let artifacts: BuiltArtifacts;
beforeAll(() => {
  artifacts = builtArtifacts();
});
afterAll(() => artifacts.remove());

describe.each(modes)("a transformer in a %s", (mode) => {
  it("runs on ARM in Fargate, in private subnets and its own security group", async () => {
    const { only } = await deploy(transformer(), { mode });
    expect(only("TaskDefinition").inputs).toMatchObject({
      requiresCompatibilities: ["FARGATE"],
      networkMode: "awsvpc",
      runtimePlatform: { cpuArchitecture: "ARM64", operatingSystemFamily: "LINUX" },
      cpu: "1024",
      memory: "2048",
    });
    expect(only("Service").inputs.networkConfiguration).toMatchObject({
      assignPublicIp: false,
      subnets: placement.subnetIds,
    });
  });

  it("rolls back a deployment that does not become healthy, and waits for one that does", async () => {
    expect((await deploy(transformer(), { mode })).only("Service").inputs).toMatchObject({
      deploymentCircuitBreaker: { enable: true, rollback: true },
      deploymentController: { type: "ECS" },
      deploymentMinimumHealthyPercent: 100,
      deploymentMaximumPercent: 200,
      waitForSteadyState: true,
    });
  });

  it("runs an image that it builds, by the digest that the registry gave", async () => {
    const build = transformer({ imageUri: undefined, imageBuildContext: artifacts.buildContext });
    const { only } = await deploy(build, { mode });
    expect(only("Image").inputs).toMatchObject({ context: artifacts.buildContext, platform: "linux/arm64" });
    expect(only("Image").inputs.dockerfile).toMatch(/transformer\/Dockerfile$/);
    const { containerDefinitions } = only("TaskDefinition").inputs;
    if (mode === "preview") expect(isUnknown(containerDefinitions)).toBe(true);
    else expect(JSON.parse(containerDefinitions)[0].image).toMatch(/@sha256:[0-9a-f]{64}$/);
  });

  it("names every child after itself and asks AWS nothing", async () => {
    const everything = { imageUri: undefined, imageBuildContext: artifacts.buildContext, rawPartitions: 4 };
    const { registrations, invokes } = await deploy(transformer(everything), { mode });
    for (const { name } of registrations.slice(1)) expect(name).toMatch(/^transformer-/);
    expect(invokes).toEqual([]);
  });
});

describe("a transformer", () => {
  it("is told its topics, group and source", async () => {
    const { only, result } = await deploy(transformer({ streamThreads: 2, rawPartitions: 4 }));
    const [container] = JSON.parse(only("TaskDefinition").inputs.containerDefinitions);
    const environment = Object.fromEntries(
      container.environment.map(({ name, value }: { name: string; value: string }) => [name, value]),
    );
    expect(environment).toMatchObject({
      AUDIT_SOURCE_ID: "shop",
      AUDIT_BOOTSTRAP_SERVERS: kafka.bootstrapBrokersIam,
      AUDIT_AUTHENTICATION: "iam",
      AUDIT_APPLICATION_ID: (await outputValue(result.applicationId)).value,
      AUDIT_TOPICS_RAW: "cdc.raw",
      AUDIT_TOPICS_EVENTS: "audit.events",
      AUDIT_TOPICS_CATALOG: "audit.catalog",
      AUDIT_TOPICS_DEAD_LETTER: "audit.dead-letter",
      AUDIT_STREAM_THREADS: "2",
    });
    expect(container.image).toBe(imageUri);
  });

  it("keeps its consumer group as long as project, stack and name stay", async () => {
    const group = async (stack: string, name = "transformer") =>
      (await outputValue((await deploy(transformer({}, name), { stack })).result.applicationId)).value;
    expect(await group("dev")).toBe(await group("dev"));
    expect(await group("dev")).not.toBe(await group("prod"));
    expect(await group("dev")).not.toBe(await group("dev", "second"));
  });

  it("reaches Kafka and AWS before its first task starts", async () => {
    expect(waitsFor((await deploy(transformer())).only("Service").options)).toEqual([
      "transformer-to-aws",
      "transformer-to-kafka-egress",
      "transformer-to-kafka-ingress",
    ]);
  });

  it("separates what the program may do from what starting it takes", async () => {
    const { only } = await deploy(transformer());
    const { taskRoleArn, executionRoleArn } = only("TaskDefinition").inputs;
    expect(taskRoleArn).not.toBe(executionRoleArn);
    expect(only("transformer-task-role-permissions").inputs.policy).not.toMatch(/ecr:|logs:/);
    expect(only("transformer-execution-role-permissions").inputs.policy).not.toContain("kafka-cluster:");
    for (const role of ["transformer-task-role", "transformer-execution-role"]) {
      expect(JSON.parse(only(role).inputs.assumeRolePolicy).Statement[0]).toMatchObject({
        Principal: { Service: "ecs-tasks.amazonaws.com" },
        Condition: { StringEquals: { "aws:SourceAccount": account } },
      });
    }
  });

  it("runs one task and scales nothing while one partition is all there is", async () => {
    const { only, all } = await deploy(transformer());
    expect(only("Service").inputs.desiredCount).toBe(1);
    expect(only("Service").options.ignoreChanges).toEqual([]);
    expect(all("Target")).toEqual([]);
    expect(all("MetricAlarm")).toEqual([]);
  });

  it("starts tasks when its group falls behind, at most one thread for each partition", async () => {
    const { only, all } = await deploy(transformer({ rawPartitions: 6, streamThreads: 2 }));
    expect(only("Target").inputs).toMatchObject({ minCapacity: 1, maxCapacity: 3, serviceNamespace: "ecs" });
    expect(only("Target").inputs.resourceId).toBe(
      `service/${only("Cluster").inputs.name}/${only("Service").inputs.name}`,
    );
    expect(only("Service").options.ignoreChanges).toEqual(["desiredCount"]);
    const group = JSON.parse(only("TaskDefinition").inputs.containerDefinitions)[0].environment.find(
      ({ name }: { name: string }) => name === "AUDIT_APPLICATION_ID",
    ).value;
    for (const { inputs } of all("MetricAlarm")) {
      expect(inputs).toMatchObject({
        namespace: "AWS/Kafka",
        metricName: "EstimatedMaxTimeLag",
        dimensions: { "Cluster Name": "audit", "Consumer Group": group, Topic: "cdc.raw" },
      });
    }
    const adjustments = (name: string) =>
      only(name).inputs.stepScalingPolicyConfiguration.stepAdjustments.map(
        ({ scalingAdjustment }: { scalingAdjustment: number }) => scalingAdjustment,
      );
    expect(adjustments("transformer-scale-out")).toEqual([1, 2]);
    expect(adjustments("transformer-scale-in")).toEqual([-1]);
    expect(only("transformer-lag-high").inputs.threshold).toBeGreaterThan(only("transformer-lag-low").inputs.threshold);
  });

  it("keeps a repository with images in it unless told that nothing has to be kept", async () => {
    const build = { imageUri: undefined, imageBuildContext: artifacts.buildContext };
    expect((await deploy(transformer(build))).only("Repository").inputs.forceDelete).toBe(false);
    const { only } = await deploy(transformer({ ...build, retainData: false }));
    expect(only("Repository").inputs).toMatchObject({
      forceDelete: true,
      imageScanningConfiguration: { scanOnPush: true },
      encryptionConfigurations: [{ encryptionType: "KMS", kmsKey: expect.stringContaining(":kms:") }],
    });
  });

  it("may pull the image it was given, from the repository that the image names", async () => {
    const { only } = await deploy(transformer());
    expect(only("transformer-execution-role-permissions").inputs.policy).toContain(
      `arn:aws:ecr:${region}:${account}:repository/transformer`,
    );
  });

  it("refuses wrong arguments together, before it creates anything", async () => {
    const { message, asked } = await refusal(transformer({ imageUri: undefined, cpu: 3, streamThreads: 2 }));
    for (const setting of ["imageUri", "cpu", "maximumTasks"]) expect(message).toContain(`- ${setting} =`);
    expect(asked).toEqual(["cdc-audit:index:TransformerService"]);
  });
});
