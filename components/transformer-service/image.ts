import * as aws from "@pulumi/aws";
import * as awsx from "@pulumi/awsx";
import * as pulumi from "@pulumi/pulumi";
import { join } from "node:path";
import { nameLimits, physicalName } from "../shared/names";
import { componentTags } from "../shared/tags";
import { CpuArchitecture, type TransformerServiceArgs } from "./types";

/** Path of the transformer's Dockerfile in its build context. */
export const dockerfile = "transformer/Dockerfile";

const platforms = { [CpuArchitecture.Arm64]: "linux/arm64", [CpuArchitecture.X86]: "linux/amd64" };

export interface TransformerImage {
  /** With its digest. */
  readonly uri: pulumi.Output<string>;
  /** Where to pull it from; empty for a registry that is not ECR. */
  readonly repositoryArn: pulumi.Output<string>;
}

/** The image that was given, or a repository with an image built from the context. */
export function transformerImage(
  name: string,
  args: TransformerServiceArgs,
  needs: { architecture: CpuArchitecture; keyArn: pulumi.Output<string> },
  parent: pulumi.Resource,
): TransformerImage {
  if (args.imageUri !== undefined) {
    const uri = pulumi.output(args.imageUri);
    const clusterArn = pulumi.output(args.kafka.clusterArn);
    return { uri, repositoryArn: pulumi.all([uri, clusterArn]).apply(([text, arn]) => ecrRepositoryArn(text, arn)) };
  }
  const repository = imageRepository(name, args, needs.keyArn, parent);
  const image = new awsx.ecr.Image(
    `${name}-image`,
    {
      repositoryUrl: repository.repositoryUrl,
      context: args.imageBuildContext,
      dockerfile: join(args.imageBuildContext!, dockerfile),
      platform: platforms[needs.architecture],
    },
    { parent },
  );
  return { uri: image.imageUri, repositoryArn: repository.arn };
}

function imageRepository(
  name: string,
  args: TransformerServiceArgs,
  keyArn: pulumi.Output<string>,
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
      forceDelete: !(args.retainData ?? true),
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
