import * as pulumi from "@pulumi/pulumi";
import { auditSinkProblems } from "../audit-sink/checks";
import { changeCaptureProblems } from "../change-capture/checks";
import { thresholdProblems } from "../monitoring/checks";
import { defaultPartitionDaysAhead } from "../monitoring/hops/audit-table";
import { auditedTableProblems, canaryProblems, operatorProblems, partitionAlarmProblems } from "../operator/checks";
import { type Problem, checkPattern, checkWholeNumber, problemText } from "../shared/checks";
import { reviewServiceProblems } from "../review-service/checks";
import { transformerServiceProblems } from "../transformer-service/checks";
import {
  type SharedResources,
  canarySettings,
  captureArgs,
  hasOperator,
  operatorArgs,
  reviewArgs,
  sinkArgs,
  transformerArgs,
} from "./part-arguments";
import type { AuditPipelineArgs, PipelineReviewArgs } from "./types";

/**
 * Everything that is wrong with the arguments of a pipeline and of its parts; unknown values are left to AWS.
 *
 * @param now The day by which versions are judged.
 */
export function auditPipelineProblems(args: AuditPipelineArgs, now: Date = new Date()): Problem[] {
  const shared = unknownResources();
  const ofPart = (part: string, problems: Problem[]) =>
    problems.map((problem) => {
      const setting = pipelineSetting(args, part, problem.setting);
      const { allowed, fix } = problem;
      return {
        ...problem,
        setting,
        allowed: pipelineNames(allowed),
        fix: pipelineNames(fix.replace(problem.setting, setting)),
      };
    });
  const problems = withoutRepetitions([
    ...ofPart("transformer", transformerServiceProblems(transformerArgs(args, shared))),
    ...ofPart("sink", auditSinkProblems(sinkArgs(args, shared))),
    ...ofPart("operator", hasOperator(args) ? operatorPartProblems(args, shared) : absentOperatorProblems(args)),
    ...ofPart("capture", changeCaptureProblems(captureArgs(args, shared), now)),
    ...ofPart("alarms", thresholdProblems(args.alarms ?? {})),
    ...ofPart("review", args.review ? reviewPartProblems(args, args.review, shared) : []),
    ...checkTopics(args),
    ...auditedTableProblems(args.tables),
    ...keyProblems("source.captureSecretKeyArn", args.source.captureSecretKeyArn, args.source.captureSecretArn),
    ...keyProblems("writerSecretKeyArn", args.writerSecretKeyArn, args.writerSecretArn),
  ]);
  const hasToBeBuilt = ({ setting }: Problem) => builtFirst.includes(setting);
  return [...problems.filter(hasToBeBuilt), ...problems.filter((problem) => !hasToBeBuilt(problem))];
}

/** What must be built before a deployment: its problems come first. */
const builtFirst: readonly string[] = [
  "transformer.imageUri",
  "transformer.imageBuildContext",
  "sink.pluginPath",
  "operator.bundlePath",
  "review.imageUri",
  "review.imageBuildContext",
];

function reviewPartProblems(args: AuditPipelineArgs, review: PipelineReviewArgs, shared: SharedResources): Problem[] {
  return reviewServiceProblems(reviewArgs(args, review, shared, pulumi.output("")));
}

function operatorPartProblems(args: AuditPipelineArgs, shared: SharedResources): Problem[] {
  // The names are derived from the pipeline's, so they need no check.
  const parts = { captureName: "", captureTaskIdentifier: "", transformerGroup: "", connectorName: "" };
  const { source, destination, operator, alarms } = args;
  return [
    ...operatorProblems(operatorArgs(args, shared, parts)),
    ...canaryProblems(canarySettings(args)).map(asPipelineCanary),
    ...partitionAlarmProblems(operator, alarms?.partitionDaysAhead ?? defaultPartitionDaysAhead),
    ...(source.adminSecretArn === undefined ? [missingAdminSecret("source")] : []),
    ...(destination && destination.adminSecretArn === undefined ? [missingAdminSecret("destination")] : []),
  ];
}

/** `intervalMinutes` of a canary is `canaryIntervalMinutes` of a pipeline's operator. */
function asPipelineCanary({ setting, value, allowed, fix }: Problem): Problem {
  const pipelineName = (text: string) =>
    text.replaceAll("intervalMinutes", "canaryIntervalMinutes").replaceAll("timeoutSeconds", "canaryTimeoutSeconds");
  return { setting: pipelineName(setting), value, allowed: pipelineName(allowed), fix: pipelineName(fix) };
}

function missingAdminSecret(side: "source" | "destination"): Problem {
  return {
    setting: `${side}.adminSecretArn`,
    value: undefined,
    allowed: "the secret of a user with rds_superuser, which the operator needs to prepare the database",
    fix: "Give the cluster's masterSecretArn, or set operator.enabled to false and prepare the database by hand.",
  };
}

/** Without an operator its settings would have no effect. */
function absentOperatorProblems({ operator }: AuditPipelineArgs): Problem[] {
  return Object.entries(operator)
    .filter(([setting, value]) => value !== undefined && setting !== "enabled" && setting !== "bundlePath")
    .map(([setting, value]) => ({
      setting,
      value,
      allowed: "nothing while operator.enabled is false",
      fix: `Remove ${setting}, or remove operator.enabled.`,
    }));
}

/** Stands in for resources that do not exist yet: outputs, which every check skips. */
function unknownResources(): SharedResources {
  const later = pulumi.output("");
  return {
    keyArn: later,
    topics: { raw: later, events: later, catalog: later, deadLetter: later },
    captureSecret: { secretArn: later },
    writerSecret: { secretArn: later },
  };
}

/** Settings of the parts that are settings of the whole pipeline, with the pipeline's names for them. */
const sharedSettings: Readonly<Record<string, string>> = {
  subnetIds: "subnetIds",
  sourceId: "sourceId",
  source: "source",
  tables: "tables",
  lobMaxSizeKilobytes: "lobMaxSizeKilobytes",
  unboundedVarcharMaxBytes: "unboundedVarcharMaxBytes",
  logRetentionDays: "logRetentionDays",
  rawPartitions: "topics.rawPartitions",
  eventsPartitions: "topics.eventsPartitions",
  messageMaxBytes: "topics.messageMaxBytes",
  replicationFactor: "kafka.replicationFactor",
  kafka: "kafka",
};

/** Where the author of a pipeline finds the setting of one of its parts. */
function pipelineSetting(args: AuditPipelineArgs, part: string, setting: string): string {
  const [first] = setting.split(/[.[]/, 1) as [string];
  const rest = setting.slice(first.length);
  if (first === "destination") return `${args.destination ? "destination" : "source"}${rest}`;
  const shared = sharedSettings[first];
  return shared === undefined ? `${part}.${setting}` : `${shared}${rest}`;
}

/** A part's sentence with the pipeline's names for the settings of other parts that it mentions. */
function pipelineNames(sentence: string): string {
  return Object.entries(sharedSettings).reduce(
    (text, [own, shared]) =>
      own === shared ? text : text.replaceAll(new RegExp(`(?<![\\w.])${own}(?![\\w.]\\w)`, "g"), shared),
    sentence,
  );
}

/** Parts that share a setting find the same fault in it. */
function withoutRepetitions(problems: Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [problemText(problem), problem])).values()];
}

function checkTopics({ topics }: AuditPipelineArgs): Problem[] {
  return [
    ...checkPattern(
      "topics.prefix",
      topics?.prefix,
      /^[a-z][a-z0-9-]{0,39}$/,
      "1 to 40 lower-case letters, digits and hyphens, beginning with a letter (it becomes part of topic names)",
    ),
    ...checkWholeNumber("topics.retentionDays", topics?.retentionDays, 1, 365),
  ];
}

function keyProblems(setting: string, keyArn: unknown, secretArn: unknown): Problem[] {
  if (keyArn === undefined || secretArn !== undefined) return [];
  const owner = setting.replace("KeyArn", "Arn");
  return [
    {
      setting,
      value: "(given)",
      allowed: `a key only together with ${owner}; a secret that the pipeline makes is under the pipeline's key`,
      fix: `Remove it, or set ${owner}.`,
    },
  ];
}
