import { type Problem, checkDistinct, checkOneOf, checkPattern, checkWholeNumber, known } from "../shared/checks";
import { checkLogRetention } from "../shared/log-groups";
import { captureParameters, forbiddenParameters } from "./parameters";
import { type AuroraPostgresArgs, DatabaseInsights, type ServerlessCapacityArgs } from "./types";

/** Everything that is wrong with the arguments of a database; unknown values are left to AWS. */
export function auroraPostgresProblems(args: AuroraPostgresArgs): Problem[] {
  return [
    ...checkDistinct("subnetIds", args.subnetIds, 2, "subnets"),
    ...checkPattern(
      "engineVersion",
      args.engineVersion,
      /^1[567](\.\d+)?$/,
      "15, 16 or 17, or one of their minor versions such as 17.5 (DMS reads no newer one)",
    ),
    ...checkCapacity(args),
    ...checkWholeNumber("readers", args.readers, 0, 15),
    ...checkDatabaseName(args),
    ...checkWholeNumber("backupRetentionDays", args.backupRetentionDays, 1, 35),
    ...checkPattern(
      "maintenanceWindow",
      args.maintenanceWindow,
      /^(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d-(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d$/,
      "a weekly window in UTC such as sun:03:00-sun:04:00",
    ),
    ...checkOneOf("databaseInsights", args.databaseInsights, Object.values(DatabaseInsights)),
    ...checkLogRetention("logRetentionDays", args.logRetentionDays),
    ...checkParameters(args),
  ];
}

function checkCapacity({ serverless, instanceClass }: AuroraPostgresArgs): Problem[] {
  if (instanceClass !== undefined && serverless !== undefined) {
    return [
      {
        setting: "instanceClass",
        value: known(instanceClass),
        allowed: "either instanceClass or serverless",
        fix: "Remove one of them.",
      },
    ];
  }
  if (instanceClass !== undefined) {
    const allowed = "a provisioned class such as db.r7g.large (for db.serverless use serverless)";
    return checkPattern("instanceClass", instanceClass, /^db\.(?!serverless)[a-z0-9]+\.[a-z0-9]+$/, allowed);
  }
  return serverless === undefined ? [] : checkServerless(serverless);
}

function checkServerless({ minimumCapacity, maximumCapacity }: ServerlessCapacityArgs): Problem[] {
  const minimum = known(minimumCapacity);
  const maximum = known(maximumCapacity);
  const problems: Problem[] = [];
  if (minimum !== undefined && !isCapacity(minimum, 0.5)) {
    problems.push({
      setting: "serverless.minimumCapacity",
      value: minimum,
      allowed: "0.5 to 256 in steps of 0.5 (a captured database never pauses, so 0 would only hide the cost)",
      fix: "Set it to 0.5 for the lowest price.",
    });
  }
  if (maximum !== undefined && !isCapacity(maximum, 1)) {
    problems.push({
      setting: "serverless.maximumCapacity",
      value: maximum,
      allowed: "1 to 256 in steps of 0.5",
      fix: "Set it to the ACU that peak load may use.",
    });
  }
  if (minimum !== undefined && maximum !== undefined && minimum > maximum) {
    problems.push({
      setting: "serverless.maximumCapacity",
      value: maximum,
      allowed: `at least serverless.minimumCapacity (${minimum})`,
      fix: "Raise the maximum or lower the minimum.",
    });
  }
  return problems;
}

function isCapacity(value: number, lowest: number): boolean {
  return value >= lowest && value <= 256 && Number.isInteger(value * 2);
}

/** Names that every PostgreSQL cluster already has or that RDS keeps for itself. */
export const takenDatabaseNames = ["postgres", "rdsadmin", "template0", "template1"];

function checkDatabaseName({ databaseName }: AuroraPostgresArgs): Problem[] {
  const value = known(databaseName);
  if (value === undefined || (/^[a-zA-Z][a-zA-Z0-9_]{0,62}$/.test(value) && !takenDatabaseNames.includes(value))) {
    return [];
  }
  return [
    {
      setting: "databaseName",
      value,
      allowed: `a letter and up to 62 letters, digits and underscores, and none of ${takenDatabaseNames.join(", ")}`,
      fix: "Choose another name.",
    },
  ];
}

function checkParameters({ parameters = [] }: AuroraPostgresArgs): Problem[] {
  const reserved = new Set([...captureParameters.map(({ name }) => name), ...forbiddenParameters]);
  return parameters.flatMap((parameter, index) => {
    const name = known(parameter.name);
    if (name === undefined || !reserved.has(name)) return [];
    return [
      {
        setting: `parameters[${index}].name`,
        value: name,
        allowed: "a parameter that the capture does not depend on",
        fix: "Remove it: the component decides it.",
      },
    ];
  });
}
