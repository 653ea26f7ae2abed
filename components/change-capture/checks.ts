import {
  defaultLobMaxSizeKilobytes,
  defaultUnboundedVarcharMaxBytes,
  mostLobMaxSizeKilobytes,
  mostUnboundedVarcharMaxBytes,
  neverAudited,
} from "../../contract/change-capture";
import { compareVersions, openVersions } from "../../contract/lifetimes";
import { defaultMessageMaxBytes } from "../../contract/topics";
import { type Problem, checkDistinct, checkPattern, checkWholeNumber, known } from "../shared/checks";
import { checkInstanceClass, replicationClasses } from "../shared/instance-classes";
import { type DeployedVersion, checkLifetime } from "../shared/lifetimes";
import { checkLogRetention } from "../shared/log-groups";
import { checkMaintenanceWindow } from "../shared/maintenance-windows";
import { tableProblems } from "../shared/tables";
import { defaultEngineVersion, dmsPostgresVersions, firstEngineFor, postgresVersionProblems } from "./engine-versions";
import type { ChangeCaptureArgs } from "./types";

/** The versions that a capture runs on, to be looked up in the table of lifetimes. */
export function captureVersions({ engineVersion }: ChangeCaptureArgs): DeployedVersion[] {
  const version = engineVersion ?? defaultEngineVersion;
  return [{ service: "dmsEngine", setting: "engineVersion", version, usual: defaultEngineVersion }];
}

/**
 * Everything that is wrong with the arguments of a change capture; unknown values are left to AWS.
 *
 * @param now The day by which versions are judged.
 */
export function changeCaptureProblems(args: ChangeCaptureArgs, now: Date = new Date()): Problem[] {
  return [
    ...checkDistinct("subnetIds", args.subnetIds, 2, "subnets"),
    ...checkSource(args),
    ...tableProblems(args.tables, { reservedSchemas: neverAudited.schemas }),
    ...checkMessageSize(args),
    ...checkPattern("engineVersion", args.engineVersion, /^\d+\.\d+\.\d+$/, "a full version such as 3.6.1"),
    ...postgresVersionProblems(args.postgresVersions),
    ...checkEngine(args, now),
    ...checkInstanceClass("instanceClass", args.instanceClass, replicationClasses),
    ...checkWholeNumber("allocatedStorageGiB", args.allocatedStorageGiB, 5, 6144),
    ...checkMaintenanceWindow("maintenanceWindow", args.maintenanceWindow),
    ...checkWholeNumber("heartbeatMinutes", args.heartbeatMinutes, 1, 60),
    ...checkOwnSlot(args),
    ...checkPattern(
      "certificatePem",
      args.certificatePem,
      /^\s*-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----\s*$/,
      "one or more certificates as PEM",
    ).map((problem) => ({ ...problem, value: "(text without a certificate)" })),
    ...checkLogRetention("logRetentionDays", args.logRetentionDays),
  ];
}

function checkSource({ source }: ChangeCaptureArgs): Problem[] {
  const endpoint = known(source.endpoint);
  const problems = checkWholeNumber("source.port", source.port, 1, 65535);
  if (endpoint === undefined) return problems;
  const wrongKind = endpoint.includes(".cluster-ro-") ? "the readers" : endpoint.includes(".proxy-") ? "RDS Proxy" : "";
  if (wrongKind) {
    problems.push({
      setting: "source.endpoint",
      value: endpoint,
      allowed: `the writer's endpoint: ${wrongKind} can't serve logical replication`,
      fix: "Give the cluster's own endpoint.",
    });
  }
  return problems;
}

/** An update carries the old and the new value in one message, so the longest value must fit twice. */
function checkMessageSize(args: ChangeCaptureArgs): Problem[] {
  const { lobMaxSizeKilobytes, unboundedVarcharMaxBytes } = args;
  const problems = [
    ...checkWholeNumber("lobMaxSizeKilobytes", lobMaxSizeKilobytes, 1, mostLobMaxSizeKilobytes),
    ...checkWholeNumber("unboundedVarcharMaxBytes", unboundedVarcharMaxBytes, 1, mostUnboundedVarcharMaxBytes),
  ];
  const messageBytes = args.messageMaxBytes === undefined ? defaultMessageMaxBytes : known(args.messageMaxBytes);
  if (problems.length > 0 || messageBytes === undefined) return problems;
  const limits: [string, number][] = [
    ["lobMaxSizeKilobytes", (lobMaxSizeKilobytes ?? defaultLobMaxSizeKilobytes) * 1024],
    ["unboundedVarcharMaxBytes", unboundedVarcharMaxBytes ?? defaultUnboundedVarcharMaxBytes],
  ];
  const tooLarge = limits.filter(([, bytes]) => 2 * bytes >= messageBytes);
  if (tooLarge.length === 0) return [];
  const names = tooLarge.map(([name]) => name);
  return [
    {
      setting: "messageMaxBytes",
      value: messageBytes,
      allowed: `more than ${2 * Math.max(...tooLarge.map(([, bytes]) => bytes))}, twice ${names.join(" and ")}, as an update carries a value twice`,
      fix: `Raise messageMaxBytes on topic and capture alike, or lower ${names.join(" and ")}.`,
    },
  ];
}

/** Whether DMS still offers the engine, and whether it reads the database's version. */
function checkEngine(args: ChangeCaptureArgs, now: Date): Problem[] {
  const readable = args.postgresVersions ?? dmsPostgresVersions;
  const postgresVersion = known(args.source.postgresVersion);
  const major = postgresVersion?.split(".")[0] ?? "";
  const first = firstEngineFor[major];
  if (postgresVersion !== undefined && !readable.includes(Number(major))) {
    return [
      {
        setting: "source.postgresVersion",
        value: postgresVersion,
        allowed: `PostgreSQL ${readable.join(", ")}`,
        fix:
          Number(major) < Math.min(...readable)
            ? `Upgrade the database to ${Math.max(...readable)}.`
            : `Use PostgreSQL ${Math.max(...readable)}, or add ${major} to postgresVersions once AWS's documents say that your DMS engine reads it.`,
      },
    ];
  }
  const reads = (engine: string) => first === undefined || compareVersions(engine, first) >= 0;
  const ended = captureVersions(args).flatMap((version) => checkLifetime(version, now, reads));
  const engine = args.engineVersion === undefined ? defaultEngineVersion : known(args.engineVersion);
  if (ended.length > 0 || engine === undefined || reads(engine)) return ended;
  const newest = openVersions("dmsEngine", now).filter(reads).at(-1) ?? defaultEngineVersion;
  return [
    {
      setting: "engineVersion",
      value: engine,
      allowed: `${first} or newer for PostgreSQL ${major}`,
      fix: `Set engineVersion to ${newest}.`,
    },
  ];
}

function checkOwnSlot({ slotName, cdcStartPosition, fullLoad }: ChangeCaptureArgs): Problem[] {
  const problems = checkPattern(
    "slotName",
    slotName,
    /^[a-z0-9_]{1,63}$/,
    "1 to 63 lower-case letters, digits and underscores",
  );
  if ((slotName === undefined) !== (cdcStartPosition === undefined)) {
    const missing = slotName === undefined ? "slotName" : "cdcStartPosition";
    problems.push({
      setting: missing,
      value: undefined,
      allowed: "slotName and cdcStartPosition together, or neither: DMS can't tell where a slot of your own stands",
      fix: `Set ${missing} too, or remove the other to have DMS make its own slot.`,
    });
  }
  if (fullLoad && cdcStartPosition !== undefined) {
    problems.push({
      setting: "fullLoad",
      value: fullLoad,
      allowed: "false with cdcStartPosition: a task that starts at a position reads no rows that are there already",
      fix: "Remove fullLoad, or slotName and cdcStartPosition.",
    });
  }
  return problems;
}
