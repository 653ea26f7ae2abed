import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TransformerServiceArgs } from "../../../components/transformer-service";
import { transformerServiceProblems } from "../../../components/transformer-service/checks";
import { containerDefinitions } from "../../../components/transformer-service/container";
import { sizeOf } from "../../../components/transformer-service/sizes";
import { ecrRepositoryArn } from "../../../components/shared/container-image";
import { pipelineTopics } from "../../../contract/topics";
import { transformerEndpoints, transformerEnvironment } from "../../../contract/transformer-environment";

const clusterArn = "arn:aws:kafka:eu-central-1:123456789012:cluster/audit/6b1f0a1e-0000-4000-8000-000000000000-5";
const digest = `sha256:${"0123456789abcdef".repeat(4)}`;
const minimal: TransformerServiceArgs = {
  vpcId: "vpc-1",
  subnetIds: ["subnet-1"],
  kafka: { clusterArn, bootstrapBrokersIam: "b-1.example.com:9098", securityGroupId: "sg-kafka" },
  topics: { raw: "cdc.raw", events: "audit.events", catalog: "audit.catalog", deadLetter: "audit.dead-letter" },
  sourceId: "shop",
  imageUri: `123456789012.dkr.ecr.eu-central-1.amazonaws.com/transformer@${digest}`,
};

function problems(args: Partial<TransformerServiceArgs>) {
  return transformerServiceProblems({ ...minimal, ...args });
}

function settings(args: Partial<TransformerServiceArgs>): string[] {
  return problems(args).map((problem) => problem.setting);
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "transformer-context-"));
  mkdirSync(join(folder, "transformer"));
  writeFileSync(join(folder, "transformer/Dockerfile"), "FROM scratch\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("a transformer's arguments", () => {
  it("are accepted at their least", () => {
    expect(problems({})).toEqual([]);
  });

  it("name the ways to an image when there is none", () => {
    const [problem] = problems({ imageUri: undefined });
    expect(problem?.setting).toBe("imageUri");
    expect(problem?.fix).toContain("imageBuildContext");
  });

  it("take a folder with the Dockerfile instead of an image", () => {
    expect(settings({ imageUri: undefined, imageBuildContext: folder })).toEqual([]);
    expect(settings({ imageUri: undefined, imageBuildContext: join(folder, "transformer") })).toEqual([
      "imageBuildContext",
    ]);
    expect(settings({ imageBuildContext: folder })).toEqual(["imageBuildContext"]);
  });

  it.each<[string, Partial<TransformerServiceArgs>, string[]]>([
    ["an image by tag", { imageUri: "transformer:latest" }, ["imageUri"]],
    ["a digest cut short", { imageUri: "transformer@sha256:0123" }, ["imageUri"]],
    ["a source id with a space", { sourceId: "my shop" }, ["sourceId"]],
    ["a group name whose lag CloudWatch drops", { applicationId: "audit:shop" }, ["applicationId"]],
    ["an unknown processor", { architecture: "RISCV" as never }, ["architecture"]],
    ["CPU units that Fargate lacks", { cpu: 1000 }, ["cpu"]],
    ["memory that Fargate lacks for the CPU", { cpu: 1024, memoryMiB: 1024 }, ["memoryMiB"]],
    ["memory between the steps", { memoryMiB: 2500 }, ["memoryMiB"]],
    ["more threads than partitions", { streamThreads: 2 }, ["maximumTasks"]],
    ["more tasks than partitions", { rawPartitions: 4, maximumTasks: 5 }, ["maximumTasks"]],
    ["a minimum above the maximum", { rawPartitions: 4, minimumTasks: 3, maximumTasks: 2 }, ["minimumTasks"]],
    ["no task at all", { minimumTasks: 0 }, ["minimumTasks"]],
    ["no partition", { rawPartitions: 0 }, ["rawPartitions"]],
  ])("are refused with %s", (_, args, refused) => {
    expect(settings(args)).toEqual(refused);
  });

  it("are refused for all reasons at once", () => {
    expect(settings({ imageUri: "transformer", sourceId: "", cpu: 3, streamThreads: 9 })).toEqual([
      "imageUri",
      "sourceId",
      "cpu",
      "maximumTasks",
    ]);
  });
});

describe("the number of tasks", () => {
  it("never leaves a stream thread without a partition, whatever the partitions and threads", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 16 }), (rawPartitions, streamThreads) => {
        const { maximumTasks } = sizeOf({ ...minimal, rawPartitions, streamThreads });
        const accepted = settings({ rawPartitions, streamThreads }).length === 0;
        expect(accepted).toBe(maximumTasks * streamThreads <= rawPartitions);
        if (accepted) expect((maximumTasks + 1) * streamThreads).toBeGreaterThan(rawPartitions);
      }),
    );
  });
});

describe("the container", () => {
  const settingsOfTransformer = {
    sourceId: "shop",
    bootstrapServers: "b-1.example.com:9098",
    applicationId: "audit-transformer",
    topics: pipelineTopics(),
    authentication: "iam",
    lobMaxSizeKilobytes: 2048,
    messageMaxBytes: 16_777_216,
  } as const;
  const [container] = containerDefinitions({
    imageUri: minimal.imageUri as string,
    memoryMiB: 2048,
    logGroupName: "/ecs/transformer",
    anyArn: clusterArn,
    settings: settingsOfTransformer,
  });

  it("is told exactly what the contract says, and nothing secret", () => {
    const environment = Object.fromEntries(container!.environment.map(({ name, value }) => [name, value]));
    expect(environment).toEqual(transformerEnvironment(settingsOfTransformer));
    expect(container).not.toHaveProperty("secrets");
  });

  it("knows how much memory it has, of which the JVM takes its share", () => {
    expect(container).toMatchObject({ essential: true, memory: 2048 });
  });

  it("is healthy while Streams runs, and has time to start and to leave its group", () => {
    expect(container!.healthCheck.command[1]).toContain(`http://127.0.0.1:8080${transformerEndpoints.liveness}`);
    expect(container!.healthCheck.startPeriod).toBeGreaterThanOrEqual(60);
    expect(container!.healthCheck.timeout).toBeLessThan(container!.healthCheck.interval);
    expect(container!.stopTimeout).toBe(120);
  });

  it("logs into its own group of the cluster's region", () => {
    expect(container!.logConfiguration.options).toMatchObject({
      "awslogs-group": "/ecs/transformer",
      "awslogs-region": "eu-central-1",
    });
  });
});

describe("the repository of an image", () => {
  it.each([
    [
      `123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/transformer@${digest}`,
      "arn:aws:ecr:eu-west-1:123456789012:repository/team/transformer",
    ],
    [
      `123456789012.dkr.ecr.eu-west-1.amazonaws.com/transformer:1.2@${digest}`,
      "arn:aws:ecr:eu-west-1:123456789012:repository/transformer",
    ],
    [`ghcr.io/team/transformer@${digest}`, ""],
  ])("of %s is %s", (uri, arn) => {
    expect(ecrRepositoryArn(uri, clusterArn)).toBe(arn);
  });
});
