import { defaultLobMaxSizeKilobytes, neverAudited } from "../../contract/change-capture";
import { defaultMessageMaxBytes } from "../../contract/topics";
import { type Problem, checkDistinct, checkPattern, checkWholeNumber, known } from "../shared/checks";
import { checkLogRetention } from "../shared/log-groups";
import { tableProblems } from "../shared/tables";
import { defaultEngineVersion, dmsPostgresVersions, firstEngineFor, postgresVersionProblems } from "./engine-versions";
import type { ChangeCaptureArgs } from "./types";

/** Everything that is wrong with the arguments of a change capture; unknown values are left to AWS. */
export function changeCaptureProblems(args: ChangeCaptureArgs): Problem[] {
  return [
    ...checkDistinct("subnetIds", args.subnetIds, 2, "subnets"),
    ...checkSource(args),
    ...tableProblems(args.tables, { reservedSchemas: neverAudited.schemas }),
    ...checkMessageSize(args),
    ...checkPattern("engineVersion", args.engineVersion, /^\d+\.\d+\.\d+$/, "a full version such as 3.6.1"),
    ...postgresVersionProblems(args.postgresVersions),
    ...checkEngineReadsSource(args),
    ...checkPattern(
      "instanceClass",
      args.instanceClass,
      /^dms\.[a-z]\d[a-z]*\.[a-z0-9]+$/,
      "a DMS class such as dms.t3.medium or dms.r6i.large",
    ),
    ...checkWholeNumber("allocatedStorageGiB", args.allocatedStorageGiB, 5, 6144),
    ...checkPattern(
      "maintenanceWindow",
      args.maintenanceWindow,
      /^(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d-(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d$/,
      "a weekly window in UTC such as sun:03:00-sun:04:00",
    ),
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

/** An update carries the old and the new value in one message, so a LOB must fit twice. */
function checkMessageSize(args: ChangeCaptureArgs): Problem[] {
  const problems = checkWholeNumber("lobMaxSizeKilobytes", args.lobMaxSizeKilobytes, 1, 102_400);
  const lobKilobytes = args.lobMaxSizeKilobytes ?? defaultLobMaxSizeKilobytes;
  const messageBytes = args.messageMaxBytes === undefined ? defaultMessageMaxBytes : known(args.messageMaxBytes);
  const leastBytes = 2 * lobKilobytes * 1024;
  if (problems.length === 0 && messageBytes !== undefined && leastBytes >= messageBytes) {
    problems.push({
      setting: "messageMaxBytes",
      value: messageBytes,
      allowed: `more than ${leastBytes}, twice lobMaxSizeKilobytes, as an update carries a value twice`,
      fix: "Raise messageMaxBytes on topic and capture alike, or lower lobMaxSizeKilobytes.",
    });
  }
  return problems;
}

function checkEngineReadsSource({ engineVersion, source, postgresVersions }: ChangeCaptureArgs): Problem[] {
  const readable = postgresVersions ?? dmsPostgresVersions;
  const postgresVersion = known(source.postgresVersion);
  if (postgresVersion === undefined) return [];
  const major = postgresVersion.split(".")[0]!;
  const first = firstEngineFor[major];
  if (!readable.includes(Number(major))) {
    return [
      {
        setting: "source.postgresVersion",
        value: postgresVersion,
        allowed: `PostgreSQL ${readable.join(", ")}`,
        fix: "Upgrade the database, or name its version in postgresVersions once the DMS engine reads it.",
      },
    ];
  }
  if (first === undefined) return [];
  const engine = engineVersion === undefined ? defaultEngineVersion : known(engineVersion);
  if (engine === undefined || compareVersions(engine, first) >= 0) return [];
  return [
    {
      setting: "engineVersion",
      value: engine,
      allowed: `${first} or newer for PostgreSQL ${major}`,
      fix: `Set engineVersion to ${first}.`,
    },
  ];
}

/** Positive when the first version is the newer. */
function compareVersions(one: string, other: string): number {
  const [left, right] = [one, other].map((version) => version.split(".").map(Number)) as [number[], number[]];
  const differing = left.findIndex((part, index) => part !== right[index]);
  return differing < 0 ? 0 : left[differing]! - (right[differing] ?? 0);
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
