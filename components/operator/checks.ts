import { actorSourceForms, actorSourcePattern } from "../../contract/actor-sources";
import { operatorDefaults } from "../../contract/operator";
import { type Problem, checkDistinct, checkOneOf, checkPattern, checkWholeNumber, known } from "../shared/checks";
import { checkLogRetention } from "../shared/log-groups";
import { postgresVersionProblems } from "../change-capture/engine-versions";
import { bundleCommand, entryFile, isBundle } from "./bundle";
import { canaryTiming, maintenanceOf } from "./timing";
import { type AuditedTableArgs, type CanaryArgs, type OperatorArgs, PartitionPeriod, ReplicaIdentity } from "./types";

const secretArnPattern = /^arn:[^:]+:secretsmanager:[^:]+:\d{12}:secret:.+$/;

/** Everything that is wrong with the arguments of an operator; unknown values are left to AWS. */
export function operatorProblems(args: OperatorArgs): Problem[] {
  return [
    ...bundleProblems(args.bundlePath),
    ...checkDistinct("subnetIds", args.subnetIds, 1, "subnets"),
    ...checkAdminSecret("source.adminSecretArn", args.source.adminSecretArn),
    ...checkAdminSecret("destination.adminSecretArn", args.destination?.adminSecretArn),
    ...auditedTableProblems(args.tables),
    ...actorSourceProblems(args.actorSources),
    ...postgresVersionProblems(args.postgresVersions),
    ...checkEndTime(args),
    ...upkeepProblems(args),
    ...checkWholeNumber("reservedConcurrency", args.reservedConcurrency, 1, 100),
    ...checkLogRetention("logRetentionDays", args.logRetentionDays),
  ];
}

/** A bundle that is not there, with the command that makes it. */
export function bundleProblems(bundlePath: string | undefined): Problem[] {
  if (bundlePath !== undefined && isBundle(bundlePath)) return [];
  return [
    {
      setting: "bundlePath",
      value: bundlePath,
      allowed: `the operator's bundle, a ZIP or a folder with ${entryFile}, which is not there`,
      fix: `Run ${bundleCommand}.`,
    },
  ];
}

function checkAdminSecret(setting: string, secretArn: OperatorArgs["source"]["adminSecretArn"] | undefined): Problem[] {
  return checkPattern(setting, secretArn, secretArnPattern, "the full ARN of a secret");
}

/** What is wrong with how tables are to be audited; their names are checked where they are captured. */
export function auditedTableProblems(tables: readonly AuditedTableArgs[]): Problem[] {
  return tables.flatMap(({ schema, table, exclude, ...watched }, index) => {
    const settings = Object.keys(watched).filter((name) => watched[name as keyof typeof watched] !== undefined);
    if (exclude && settings.length > 0) {
      return [
        {
          setting: `tables[${index}]`,
          value: `${schema}.${table}`,
          allowed: `exclude alone: of a table that is left out, ${settings.join(" and ")} would have no effect`,
          fix: `Remove ${settings.join(" and ")}, or exclude.`,
        },
      ];
    }
    const { ignoredColumns = [], redactedColumns = [], replicaIdentity } = watched;
    const columns = [...ignoredColumns, ...redactedColumns];
    const repeated = columns.filter((column, place) => columns.indexOf(column) < place);
    const unnamed = columns.filter((column) => column.length === 0 || Buffer.byteLength(column) > 63);
    const problems = checkOneOf(`tables[${index}].replicaIdentity`, replicaIdentity, Object.values(ReplicaIdentity));
    if (repeated.length > 0) {
      problems.push({
        setting: `tables[${index}].redactedColumns`,
        value: repeated,
        // An ignored column may change unseen; a redacted one must be seen to change.
        allowed: "each column once, either here or in ignoredColumns",
        fix: "Remove the repetition.",
      });
    }
    if (unnamed.length > 0) {
      problems.push({
        setting: `tables[${index}].${ignoredColumns.some((column) => unnamed.includes(column)) ? "ignored" : "redacted"}Columns`,
        value: unnamed,
        allowed: "column names of 1 to 63 bytes",
        fix: "Write the names as \\d in psql shows them, without quotes.",
      });
    }
    return problems;
  });
}

/** Sources that the database would refuse, or that would never be asked. */
function actorSourceProblems(sources: readonly string[] = []): Problem[] {
  return sources.flatMap((source, index) => {
    const setting = `actorSources[${index}]`;
    if (sources.indexOf(source) === index) return checkPattern(setting, source, actorSourcePattern, actorSourceForms);
    return [{ setting, value: source, allowed: "each source once", fix: `Remove ${setting}, a repetition.` }];
  });
}

function checkEndTime({ kafka }: OperatorArgs): Problem[] {
  return checkPattern(
    "kafka.publicAccessUntil",
    known(kafka.publicAccessUntil) || undefined,
    /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/,
    "a time with its zone, such as 2026-12-01T18:00:00Z",
  );
}

type UpkeepArgs = Pick<OperatorArgs, "partitionsAhead" | "partitionPeriod" | "auditRetention">;

/** A partition of a day is made for each day ahead: more would slow every query of the table. */
const mostDaysAheadByDay = 366;
const mostDaysAhead = 3660;

/** What is wrong with how the audit table is to be kept. */
function upkeepProblems(args: UpkeepArgs): Problem[] {
  const problems = [
    ...checkInterval("partitionsAhead", args.partitionsAhead),
    ...checkInterval("auditRetention", args.auditRetention),
    ...checkOneOf("partitionPeriod", args.partitionPeriod, Object.values(PartitionPeriod)),
  ];
  if (problems.length > 0) return problems;
  const { partitionsAhead, partitionPeriod } = maintenanceOf(args);
  const most = partitionPeriod === PartitionPeriod.Day ? mostDaysAheadByDay : mostDaysAhead;
  if (intervalDays(partitionsAhead) <= most) return [];
  return [
    {
      setting: "partitionsAhead",
      value: partitionsAhead,
      allowed: `at most ${most} days with partitions of a ${partitionPeriod}`,
      fix: `Set partitionsAhead to ${operatorDefaults.partitionsAhead}.`,
    },
  ];
}

/**
 * A problem when there can't be partitions for as long ahead as the alarm for missing ones wants.
 *
 * @param daysAhead Days ahead below which the alarm rings.
 */
export function partitionAlarmProblems(args: UpkeepArgs, daysAhead: number): Problem[] {
  const { partitionsAhead } = maintenanceOf(args);
  // Less than a day passes between two runs of maintenance.
  if (upkeepProblems(args).length > 0 || intervalDays(partitionsAhead) > daysAhead) return [];
  return [
    {
      setting: "partitionsAhead",
      value: partitionsAhead,
      allowed: `more than alarms.partitionDaysAhead (${daysAhead} days), below which an alarm rings`,
      fix: "Raise partitionsAhead, or lower alarms.partitionDaysAhead.",
    },
  ];
}

const intervalPattern = /^([1-9]\d{0,4}) (day|week|month|year)s?$/;
const daysOfUnit: Readonly<Record<string, number>> = { day: 1, week: 7, month: 28, year: 365 };

function checkInterval(setting: string, interval: string | undefined): Problem[] {
  return checkPattern(
    setting,
    interval,
    intervalPattern,
    `a whole number of days, weeks, months or years: ${operatorDefaults.partitionsAhead}`,
  );
}

/** The fewest days that an interval lasts. */
function intervalDays(interval: string): number {
  const [, count, unit] = intervalPattern.exec(interval)!;
  return Number(count) * daysOfUnit[unit!]!;
}

/** Everything that is wrong with the arguments of a canary; unknown values are left to AWS. */
export function canaryProblems(args: Pick<CanaryArgs, "intervalMinutes" | "timeoutSeconds">): Problem[] {
  const problems = [
    ...checkWholeNumber("intervalMinutes", args.intervalMinutes, 1, 60),
    ...checkWholeNumber("timeoutSeconds", args.timeoutSeconds, 10, 600),
  ];
  if (problems.length > 0) return problems;
  const { intervalMinutes, timeoutSeconds } = canaryTiming(args);
  if (timeoutSeconds < intervalMinutes * 60) return [];
  return [
    {
      setting: "timeoutSeconds",
      value: timeoutSeconds,
      allowed: `less than intervalMinutes (${intervalMinutes}, which is ${intervalMinutes * 60} seconds), so that one canary is back before the next`,
      fix: "Lower timeoutSeconds, or raise intervalMinutes.",
    },
  ];
}
