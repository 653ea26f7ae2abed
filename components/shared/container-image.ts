import * as aws from "@pulumi/aws";
import * as awsx from "@pulumi/awsx";
import * as pulumi from "@pulumi/pulumi";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Problem, checkPattern } from "./checks";
import { CpuArchitecture } from "./cpu-architecture";
import { nameLimits, physicalName } from "./names";
import { type PolicyDocument, type PolicyStatement, policyDocument } from "./policies";
import { componentTags } from "./tags";

const platforms = { [CpuArchitecture.Arm64]: "linux/arm64", [CpuArchitecture.X86]: "linux/amd64" };

export interface ContainerImage {
  /** With its digest. */
  readonly uri: pulumi.Output<string>;
  /** Where to pull it from; empty for a registry that is not ECR. */
  readonly repositoryArn: pulumi.Output<string>;
}

/** The two ways to an image, of which a component is given one. */
export interface ImageChoice {
  readonly imageUri?: pulumi.Input<string>;
  readonly imageBuildContext?: string;
}

/** Which image it is. */
export interface ImageKind {
  /** Path of the Dockerfile in the build context. */
  readonly dockerfile: string;
  readonly noun: string;
  /** A file that the Dockerfile copies and a command makes. Default: the image builds everything itself. */
  readonly built?: { readonly path: string; readonly command: string };
}

/** Problems of the choice of an image: none, both, a folder without the Dockerfile, or a tag instead of a digest. */
export function imageProblems(
  { imageUri, imageBuildContext }: ImageChoice,
  { dockerfile, noun, built }: ImageKind,
): Problem[] {
  if (imageUri === undefined && imageBuildContext === undefined) {
    return [
      {
        setting: "imageUri",
        value: undefined,
        allowed: `the URI of a ${noun} image with its digest, or imageBuildContext to build one`,
        fix: `Set imageBuildContext to the folder that holds ${dockerfile}; deploying then builds and pushes the image with Docker.`,
      },
    ];
  }
  if (imageUri !== undefined && imageBuildContext !== undefined) {
    return [
      {
        setting: "imageBuildContext",
        value: imageBuildContext,
        allowed: "either imageUri or imageBuildContext",
        fix: "Remove one of them.",
      },
    ];
  }
  if (imageBuildContext !== undefined && !existsSync(join(imageBuildContext, dockerfile))) {
    return [
      {
        setting: "imageBuildContext",
        value: imageBuildContext,
        allowed: `a folder that holds ${dockerfile}`,
        fix: "Give the root of this repository, or set imageUri to an image that was built elsewhere.",
      },
    ];
  }
  if (imageBuildContext !== undefined && built && !existsSync(join(imageBuildContext, built.path))) {
    return [
      {
        setting: "imageBuildContext",
        value: imageBuildContext,
        allowed: `a folder that holds ${built.path}, which ${dockerfile} copies`,
        fix: `Run ${built.command} there before you deploy.`,
      },
    ];
  }
  return checkPattern(
    "imageUri",
    imageUri,
    /^[^\s@]+@sha256:[0-9a-f]{64}$/,
    "an image with its digest, …@sha256:<64 hexadecimal digits>: a tag may point elsewhere tomorrow",
  );
}

/** The image that was given, or a repository with an image built from the context. */
export function containerImage(
  name: string,
  needs: ImageChoice & {
    /** Path of the Dockerfile in the build context. */
    readonly dockerfile: string;
    readonly architecture: CpuArchitecture;
    readonly keyArn: pulumi.Output<string>;
    /** ARN of any resource in the same partition. */
    readonly anyArn: pulumi.Input<string>;
    /** Whether a repository with images in it survives. */
    readonly retainData: boolean;
  },
  parent: pulumi.Resource,
): ContainerImage {
  if (needs.imageUri !== undefined) {
    const uri = pulumi.output(needs.imageUri);
    return {
      uri,
      repositoryArn: pulumi.all([uri, needs.anyArn]).apply(([text, arn]) => ecrRepositoryArn(text, arn)),
    };
  }
  const repository = imageRepository(name, needs, parent);
  const image = new awsx.ecr.Image(
    `${name}-image`,
    {
      repositoryUrl: repository.repositoryUrl,
      context: needs.imageBuildContext,
      dockerfile: join(needs.imageBuildContext!, needs.dockerfile),
      platform: platforms[needs.architecture],
    },
    { parent },
  );
  return { uri: image.imageUri, repositoryArn: repository.arn };
}

function imageRepository(
  name: string,
  { keyArn, retainData }: { readonly keyArn: pulumi.Output<string>; readonly retainData: boolean },
  parent: pulumi.Resource,
): aws.ecr.Repository {
  const repository = new aws.ecr.Repository(
    `${name}-repository`,
    {
      name: physicalName(`${name}-repository`, nameLimits.repository),
      // The build moves one tag from image to image; what runs is pinned by digest.
      imageTagMutability: "MUTABLE",
      imageScanningConfiguration: { scanOnPush: true },
      encryptionConfigurations: [{ encryptionType: "KMS", kmsKey: keyArn }],
      forceDelete: !retainData,
      tags: componentTags(`${name}-repository`, name),
    },
    { parent },
  );
  new aws.ecr.LifecyclePolicy(
    `${name}-repository-cleanup`,
    { repository: repository.name, policy: JSON.stringify(keepRecentImages) },
    { parent },
  );
  return repository;
}

/** Enough for rolling back; older images are deleted. */
const keepRecentImages = {
  rules: [
    {
      rulePriority: 1,
      description: "Keep the 20 newest images without a tag",
      selection: { tagStatus: "untagged", countType: "imageCountMoreThan", countNumber: 20 },
      action: { type: "expire" },
    },
  ],
};

/**
 * ARN of the ECR repository that an image URI names; empty for other registries.
 *
 * @param anyArn ARN of any resource in the same partition.
 */
export function ecrRepositoryArn(imageUri: string, anyArn: string): string {
  const match = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/([^@:]+)/.exec(imageUri);
  if (!match) return "";
  const [, account, region, repository] = match;
  return `arn:${anyArn.split(":")[1]}:ecr:${region}:${account}:repository/${repository}`;
}

/**
 * What ECS does to start a task: pull the image and write the log.
 *
 * @param repositoryArn Empty when the image comes from a registry that needs no permission.
 * @param further What this task's start takes besides, such as reading a secret.
 */
export function executionPermissions(
  repositoryArn: string,
  logGroupArn: string,
  further: readonly PolicyStatement[] = [],
): PolicyDocument {
  const pull = [
    {
      // ECR's login has no resource; the next statement says what may be pulled.
      Sid: "LogInToRegistryHasNoResource",
      Effect: "Allow" as const,
      Action: ["ecr:GetAuthorizationToken"],
      Resource: ["*"],
    },
    {
      Sid: "PullOwnImage",
      Effect: "Allow" as const,
      Action: ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
      Resource: [repositoryArn],
    },
  ];
  return policyDocument(
    ...(repositoryArn === "" ? [] : pull),
    {
      // ECS names a stream after each task, so all streams of the one group are meant.
      Sid: "WriteStreamsOfOwnLogGroup",
      Effect: "Allow",
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: [`${logGroupArn}:log-stream:*`],
    },
    ...further,
  );
}
