import * as pulumi from "@pulumi/pulumi";
import { auditSinkProblems } from "../audit-sink/checks";
import { changeCaptureProblems } from "../change-capture/checks";
import { thresholdProblems } from "../monitoring/checks";
import { type Problem, checkPattern, checkWholeNumber, problemText } from "../shared/checks";
import { transformerServiceProblems } from "../transformer-service/checks";
import { type Links, captureArgs, sinkArgs, transformerArgs } from "./parts";
import type { AuditPipelineArgs, AuditedTableArgs } from "./types";

/** Everything that is wrong with the arguments of a pipeline and of its parts; unknown values are left to AWS. */
export function auditPipelineProblems(args: AuditPipelineArgs): Problem[] {
  const links = linksToCome();
  const ofPart = (part: string, problems: Problem[]) =>
    problems.map((problem) => {
      const setting = pipelineSetting(args, part, problem.setting);
      return { ...problem, setting, fix: problem.fix.replace(problem.setting, setting) };
    });
  return withoutRepetitions([
    // What has to be built first is said first.
    ...ofPart("transformer", transformerServiceProblems(transformerArgs(args, links))),
    ...ofPart("sink", auditSinkProblems(sinkArgs(args, links))),
    ...ofPart("capture", changeCaptureProblems(captureArgs(args, links))),
    ...ofPart("alarms", thresholdProblems(args.alarms ?? {})),
    ...checkTopics(args),
    ...args.tables.flatMap(columnProblems),
    ...keyProblems("source.captureSecretKeyArn", args.source.captureSecretKeyArn, args.source.captureSecretArn),
    ...keyProblems("writerSecretKeyArn", args.writerSecretKeyArn, args.writerSecretArn),
  ]);
}

/** Stands for what resources will give: outputs, which every check skips. */
function linksToCome(): Links {
  const later = pulumi.output("");
  return {
    keyArn: later,
    topics: { raw: later, events: later, catalog: later, deadLetter: later },
    captureSecret: { secretArn: later },
    writerSecret: { secretArn: later },
  };
}

/** Settings of the parts that are settings of the whole pipeline, by what the pipeline calls them. */
const sharedSettings: Readonly<Record<string, string>> = {
  subnetIds: "subnetIds",
  sourceId: "sourceId",
  source: "source",
  tables: "tables",
  lobMaxSizeKilobytes: "lobMaxSizeKilobytes",
  logRetentionDays: "logRetentionDays",
  rawPartitions: "topics.rawPartitions",
  eventsPartitions: "topics.eventsPartitions",
  messageMaxBytes: "topics.messageMaxBytes",
  replicationFactor: "kafka.replicationFactor",
};

/** Where the author of a pipeline finds the setting of one of its parts. */
function pipelineSetting(args: AuditPipelineArgs, part: string, setting: string): string {
  const [first] = setting.split(/[.[]/, 1) as [string];
  const rest = setting.slice(first.length);
  if (first === "destination") return `${args.destination ? "destination" : "source"}${rest}`;
  const shared = sharedSettings[first];
  return shared === undefined ? `${part}.${setting}` : `${shared}${rest}`;
}

/** Several parts find the same fault in a setting that they share. */
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

/** An ignored column may change unseen; a redacted one must be seen to change. */
function columnProblems({ schema, table, ignoredColumns = [], redactedColumns = [] }: AuditedTableArgs): Problem[] {
  const columns = [...ignoredColumns, ...redactedColumns];
  const repeated = columns.filter((column, index) => columns.indexOf(column) < index);
  const unnamed = columns.filter((column) => column.length === 0 || column.length > 63);
  return [
    ...(repeated.length === 0
      ? []
      : [
          {
            setting: `ignoredColumns and redactedColumns of ${schema}.${table}`,
            value: repeated,
            allowed: "each column once, in one of the two lists",
            fix: "Remove the repetition.",
          },
        ]),
    ...(unnamed.length === 0
      ? []
      : [
          {
            setting: `ignoredColumns and redactedColumns of ${schema}.${table}`,
            value: unnamed,
            allowed: "column names of 1 to 63 characters",
            fix: "Write the names as \\d in psql shows them, without quotes.",
          },
        ]),
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
