import * as aws from "@pulumi/aws";
import type { PolicyConfigSchema, ResourceValidationArgs, ResourceValidationPolicy } from "@pulumi/policy";
import { inspect, problems, stackOf } from "./support";

/** Logs are kept for a stated time. */
export const logsExpire: ResourceValidationPolicy = {
  name: "logs-expire",
  description: "Every log group says how long it keeps its lines.",
  enforcementLevel: "mandatory",
  severity: "medium",
  remediationSteps: "Set retentionInDays.",
  validateResource: [
    inspect(aws.cloudwatch.LogGroup, (group) =>
      problems([!group.retentionInDays, "Keeps its lines, and their cost, for ever. Set retentionInDays."]),
    ),
  ],
};

/** What runs is what was built. */
export const imagesByDigest: ResourceValidationPolicy = {
  name: "images-by-digest",
  description: "Containers name their image by digest, so that nobody can change what runs.",
  enforcementLevel: "mandatory",
  severity: "medium",
  remediationSteps: "Name the image as repository@sha256:digest.",
  validateResource: [
    inspect(aws.ecs.TaskDefinition, ({ containerDefinitions }) => {
      const containers = JSON.parse(containerDefinitions) as { name?: string; image?: string; privileged?: boolean }[];
      return containers.flatMap(({ name, image, privileged }) =>
        problems(
          [
            !/@sha256:[0-9a-f]{64}$/.test(image ?? ""),
            `Container ${name} runs ${image}, which can change. Name it as repository@sha256:digest.`,
          ],
          [privileged === true, `Container ${name} is privileged. Remove privileged.`],
        ),
      );
    }),
  ],
};

interface ProtectionSettings {
  readonly productionStacks?: readonly string[];
}

const productionSettings: PolicyConfigSchema = {
  properties: {
    productionStacks: {
      type: "array",
      items: { type: "string" },
      default: ["prod", "production"],
      description: "Names of the stacks whose data must survive mistakes.",
    },
  },
};

/** In production, nothing that holds data can be deleted by mistake. */
export const dataProtectedInProduction: ResourceValidationPolicy = {
  name: "data-protected-in-production",
  description:
    "In production, databases, clusters, topics, capture tasks and keys are protected, and a database leaves a last snapshot.",
  enforcementLevel: "mandatory",
  severity: "critical",
  remediationSteps: "Set the resource option protect.",
  configSchema: productionSettings,
  validateResource: [
    inspect(aws.rds.Cluster, (cluster, args) =>
      inProduction(args, [
        ...unprotected(args),
        ...problems(
          [cluster.deletionProtection !== true, "Can be deleted in one call. Set deletionProtection to true."],
          [cluster.skipFinalSnapshot === true, "Leaves no last snapshot. Set skipFinalSnapshot to false."],
        ),
      ]),
    ),
    inspect(aws.msk.Cluster, (_, args) => inProduction(args, unprotected(args))),
    inspect(aws.msk.Topic, (_, args) => inProduction(args, unprotected(args))),
    inspect(aws.dms.ReplicationTask, (_, args) => inProduction(args, unprotected(args))),
    inspect(aws.kms.Key, (_, args) => inProduction(args, unprotected(args))),
  ],
};

function inProduction(args: ResourceValidationArgs, found: readonly string[]): readonly string[] {
  const { productionStacks = ["prod", "production"] } = args.getConfig<ProtectionSettings>();
  return productionStacks.includes(stackOf(args.urn)) ? found : [];
}

function unprotected({ opts }: ResourceValidationArgs): string[] {
  return problems([!opts.protect, "A destroy or a replacement would delete it. Set the resource option protect."]);
}
