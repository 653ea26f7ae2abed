import { mostLobMaxSizeKilobytes } from "../../contract/change-capture";
import { type Problem, checkOneOf, checkPattern, checkWholeNumber } from "../shared/checks";
import { imageProblems } from "../shared/container-image";
import { CpuArchitecture } from "../shared/cpu-architecture";
import { checkFargateSize } from "../shared/fargate";
import { checkLogRetention } from "../shared/log-groups";
import { sizeOf } from "./sizes";
import { dockerfile } from "./names";
import type { TransformerServiceArgs } from "./types";

/** Everything that is wrong with the arguments of a transformer; unknown values are left to AWS. */
export function transformerServiceProblems(args: TransformerServiceArgs): Problem[] {
  return [
    ...imageProblems(args, { dockerfile, noun: "transformer" }),
    ...checkPattern("sourceId", args.sourceId, /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, sourceIdRule),
    ...checkPattern(
      "applicationId",
      args.applicationId,
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/,
      "1 to 200 letters, digits, dots, hyphens and underscores (CloudWatch shows no lag for other group names)",
    ),
    ...checkOneOf("architecture", args.architecture, Object.values(CpuArchitecture)),
    ...checkFargateSize(sizeOf(args), minimumCpu),
    ...checkTasks(args),
    ...checkWholeNumber("lobMaxSizeKilobytes", args.lobMaxSizeKilobytes, 1, mostLobMaxSizeKilobytes),
    ...checkWholeNumber("messageMaxBytes", args.messageMaxBytes, 1024, 2 ** 30),
    ...checkLogRetention("logRetentionDays", args.logRetentionDays),
  ];
}

/** CPU units of the smallest task that was measured. */
const minimumCpu = 512;

const sourceIdRule = "1 to 63 letters, digits, dots, hyphens and underscores that tell this source from your others";

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
