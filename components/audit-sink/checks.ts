import { existsSync } from "node:fs";
import { type Problem, checkDistinct, checkOneOf, checkPattern, checkWholeNumber, known } from "../shared/checks";
import { checkLogRetention } from "../shared/log-groups";
import { capacityOf } from "./sizes";
import type { AuditSinkArgs } from "./types";

/** Everything that is wrong with the arguments of a sink; unknown values are left to AWS. */
export function auditSinkProblems(args: AuditSinkArgs): Problem[] {
  return [
    ...checkPlugin(args),
    ...checkDistinct("subnetIds", args.subnetIds, 1, "subnets"),
    ...checkWholeNumber("destination.port", args.destination.port, 1, 65535),
    ...checkSecret(args),
    ...checkPattern(
      "connectorName",
      args.connectorName,
      /^[A-Za-z0-9][A-Za-z0-9-]{0,127}$/,
      "1 to 128 letters, digits and hyphens",
    ),
    ...checkCapacity(args),
    ...checkWholeNumber("replicationFactor", args.replicationFactor, 1, 15),
    ...checkWholeNumber("messageMaxBytes", args.messageMaxBytes, 1024, 2 ** 30),
    ...checkLogRetention("logRetentionDays", args.logRetentionDays),
  ];
}

function checkPlugin({ pluginPath }: AuditSinkArgs): Problem[] {
  if (existsSync(pluginPath)) return [];
  return [
    {
      setting: "pluginPath",
      value: pluginPath,
      allowed: "the ZIP of the sink plugin, which is not there",
      fix: "Run npm run build:plugin.",
    },
  ];
}

/** The region is read from the ARN, so a bare name is not enough. */
function checkSecret({ destination }: AuditSinkArgs): Problem[] {
  return checkPattern(
    "destination.secretArn",
    known(destination.secretArn),
    /^arn:[^:]+:secretsmanager:[^:]+:\d{12}:secret:.+$/,
    "the full ARN of a secret",
  );
}

function checkCapacity(args: AuditSinkArgs): Problem[] {
  const { tasks, workers, mcusPerWorker, eventsPartitions } = capacityOf(args);
  const problems = [
    ...checkWholeNumber("eventsPartitions", eventsPartitions, 1, 1000),
    ...checkWholeNumber("tasks", tasks, 1, 1000),
    ...checkWholeNumber("workers", workers, 1, 10),
    ...checkOneOf("mcusPerWorker", mcusPerWorker, [1, 2, 4, 8]),
  ];
  if (problems.length > 0) return problems;
  if (tasks > eventsPartitions) {
    problems.push({
      setting: "tasks",
      value: tasks,
      allowed: `1 to ${eventsPartitions}, the partitions of the events topic: a task more would idle`,
      fix: "Lower tasks, or raise eventsPartitions.",
    });
  }
  if (workers > tasks) {
    problems.push({
      setting: "workers",
      value: workers,
      allowed: `1 to ${tasks}, the tasks: a worker more would idle`,
      fix: "Lower workers, or raise tasks.",
    });
  }
  return problems;
}
