import { existsSync } from "node:fs";
import { join } from "node:path";
import { mostLobMaxSizeKilobytes } from "../../contract/change-capture";
import { type Problem, checkOneOf, checkPattern, checkWholeNumber } from "../shared/checks";
import { checkLogRetention } from "../shared/log-groups";
import { sizeOf } from "./sizes";
import { dockerfile } from "./image";
import { CpuArchitecture, type TransformerServiceArgs } from "./types";

/** Memory in MiB that Fargate offers for each number of CPU units: from, to, in steps. */
const fargateMemory: Readonly<Record<number, { from: number; to: number; step: number }>> = {
  512: { from: 1024, to: 4096, step: 1024 },
  1024: { from: 2048, to: 8192, step: 1024 },
  2048: { from: 4096, to: 16384, step: 1024 },
  4096: { from: 8192, to: 30720, step: 1024 },
  8192: { from: 16384, to: 61440, step: 4096 },
  16384: { from: 32768, to: 122880, step: 8192 },
};

/** Everything that is wrong with the arguments of a transformer; unknown values are left to AWS. */
export function transformerServiceProblems(args: TransformerServiceArgs): Problem[] {
  return [
    ...checkImage(args),
    ...checkPattern("sourceId", args.sourceId, /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, sourceIdRule),
    ...checkPattern(
      "applicationId",
      args.applicationId,
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/,
      "1 to 200 letters, digits, dots, hyphens and underscores (CloudWatch shows no lag for other group names)",
    ),
    ...checkOneOf("architecture", args.architecture, Object.values(CpuArchitecture)),
    ...checkMemory(args),
    ...checkTasks(args),
    ...checkWholeNumber("lobMaxSizeKilobytes", args.lobMaxSizeKilobytes, 1, mostLobMaxSizeKilobytes),
    ...checkWholeNumber("messageMaxBytes", args.messageMaxBytes, 1024, 2 ** 30),
    ...checkLogRetention("logRetentionDays", args.logRetentionDays),
  ];
}

const sourceIdRule = "1 to 63 letters, digits, dots, hyphens and underscores that tell this source from your others";

function checkImage({ imageUri, imageBuildContext }: TransformerServiceArgs): Problem[] {
  if (imageUri === undefined && imageBuildContext === undefined) {
    return [
      {
        setting: "imageUri",
        value: undefined,
        allowed: "the URI of a transformer image with its digest, or imageBuildContext to build one",
        fix: "Set imageBuildContext to the folder that holds transformer/Dockerfile; deploying then builds and pushes the image with Docker.",
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
  return checkPattern(
    "imageUri",
    imageUri,
    /^[^\s@]+@sha256:[0-9a-f]{64}$/,
    "an image with its digest, …@sha256:<64 hexadecimal digits>: a tag may point elsewhere tomorrow",
  );
}

function checkMemory(args: TransformerServiceArgs): Problem[] {
  const { cpu, memoryMiB } = sizeOf(args);
  const offered = fargateMemory[cpu];
  if (offered === undefined) return checkOneOf("cpu", cpu, Object.keys(fargateMemory).map(Number));
  const { from, to, step } = offered;
  if (memoryMiB >= from && memoryMiB <= to && memoryMiB % step === 0) return [];
  return [
    {
      setting: "memoryMiB",
      value: memoryMiB,
      allowed: `${from} to ${to} in steps of ${step} with cpu ${cpu}`,
      fix: `Set memoryMiB to ${from}, or choose another cpu.`,
    },
  ];
}

/** A stream thread works on whole partitions: more threads than partitions cost money and do nothing. */
function checkTasks(args: TransformerServiceArgs): Problem[] {
  const size = sizeOf(args);
  const problems = [
    ...checkWholeNumber("rawPartitions", size.rawPartitions, 1, 1000),
    ...checkWholeNumber("streamThreads", size.streamThreads, 1, 64),
    ...checkWholeNumber("minimumTasks", size.minimumTasks, 1, 1000),
    ...checkWholeNumber("maximumTasks", size.maximumTasks, 1, 1000),
  ];
  if (problems.length > 0) return problems;
  const threads = size.maximumTasks * size.streamThreads;
  if (threads > size.rawPartitions) {
    problems.push({
      setting: "maximumTasks",
      value: size.maximumTasks,
      allowed: `maximumTasks times streamThreads at most rawPartitions (${size.rawPartitions}), but it is ${threads}`,
      fix: "Lower maximumTasks or streamThreads, or raise rawPartitions.",
    });
  }
  if (size.minimumTasks > size.maximumTasks) {
    problems.push({
      setting: "minimumTasks",
      value: size.minimumTasks,
      allowed: `1 to maximumTasks (${size.maximumTasks})`,
      fix: "Lower minimumTasks, or raise maximumTasks and rawPartitions.",
    });
  }
  return problems;
}
