import { type Problem, checkDistinct, checkOneOf, checkPattern, checkWholeNumber, known } from "../shared/checks";
import { auroraClasses, checkInstanceClass } from "../shared/instance-classes";
import { type DeployedVersion, checkLifetime } from "../shared/lifetimes";
import { checkLogRetention } from "../shared/log-groups";
import { checkBackupWindow, checkMaintenanceWindow, checkNoOverlap } from "../shared/maintenance-windows";
import {
  captureParameters,
  defaultEngineVersion,
  foldedName,
  forbiddenParameters,
  isStaticParameter,
} from "./parameters";
import { type AuroraPostgresArgs, DatabaseInsights, type ServerlessCapacityArgs } from "./types";

/** The versions that a database runs on, to be looked up in the table of lifetimes. */
export function databaseVersions({ engineVersion }: AuroraPostgresArgs): DeployedVersion[] {
  const version = engineVersion ?? defaultEngineVersion;
  return [{ service: "auroraPostgres", setting: "engineVersion", version, usual: defaultEngineVersion }];
}

/**
 * Everything that is wrong with the arguments of a database; unknown values are left to AWS.
 *
 * @param now The day by which versions are judged.
 */
export function auroraPostgresProblems(args: AuroraPostgresArgs, now: Date = new Date()): Problem[] {
  return [
    ...checkDistinct("subnetIds", args.subnetIds, 2, "subnets"),
    ...checkPattern(
      "engineVersion",
      args.engineVersion,
      /^1[5678](\.\d+)?$/,
      "15, 16, 17 or 18, or one of their minor versions such as 17.5",
    ),
    ...databaseVersions(args).flatMap((version) => checkLifetime(version, now)),
    ...checkCapacity(args),
    ...checkWholeNumber("readers", args.readers, 0, 15),
    ...checkDatabaseName(args),
    ...checkWholeNumber("backupRetentionDays", args.backupRetentionDays, 1, 35),
    ...checkBackupWindow("backupWindow", args.backupWindow),
    ...checkMaintenanceWindow("maintenanceWindow", args.maintenanceWindow),
    ...checkNoOverlap(
      { setting: "backupWindow", window: args.backupWindow },
      { setting: "maintenanceWindow", window: args.maintenanceWindow },
      "AWS refuses a backup during maintenance",
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
    return checkInstanceClass("instanceClass", instanceClass, auroraClasses).map((problem) =>
      problem.value === "db.serverless" ? { ...problem, fix: "Remove instanceClass and set serverless." } : problem,
    );
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

function checkParameters({ parameters = [], engineVersion }: AuroraPostgresArgs): Problem[] {
  const reserved = new Set([...captureParameters.map(({ name }) => name), ...forbiddenParameters]);
  const names = parameters.map(({ name }) => known(name));
  const folded = names.map((name) => (name === undefined ? undefined : foldedName(name)));
  return parameters.flatMap((parameter, index): Problem[] => {
    const at = `parameters[${index}]`;
    const [name, value] = [folded[index], names[index]];
    if (name === undefined) return [];
    if (reserved.has(name)) {
      const allowed = "a parameter that the capture does not depend on, in whatever spelling";
      return [{ setting: `${at}.name`, value, allowed, fix: "Remove it: the component decides it." }];
    }
    if (folded.indexOf(name) !== index) {
      const allowed = `each parameter once (parameters[${folded.indexOf(name)}] sets it too, as AWS does not tell cases apart)`;
      return [{ setting: `${at}.name`, value, allowed, fix: "Remove one of them." }];
    }
    // An output may still turn out to be true.
    const { needsRestart } = parameter;
    const atOnce = needsRestart === undefined || known(needsRestart) === false;
    // Of a version that is not known yet AWS itself will say it.
    const version = engineVersion === undefined ? defaultEngineVersion : known(engineVersion);
    if (!atOnce || version === undefined || !isStaticParameter(name, version)) return [];
    return [
      {
        setting: `${at}.needsRestart`,
        value: known(needsRestart),
        allowed: `true for ${name}, which PostgreSQL takes only at a restart: AWS refuses to apply it at once`,
        fix: `Set ${at}.needsRestart to true, and restart the database after the deployment.`,
      },
    ];
  });
}
