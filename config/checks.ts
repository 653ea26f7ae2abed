import * as pulumi from "@pulumi/pulumi";
import { auditPipelineProblems } from "../components/audit-pipeline/checks";
import { auroraPostgresProblems, takenDatabaseNames } from "../components/aurora-postgres/checks";
import { defaultEngineVersion } from "../components/aurora-postgres/parameters";
import { kafkaClusterProblems } from "../components/kafka-cluster/checks";
import { networkProblems } from "../components/network/checks";
import { NatGateways } from "../components/network/types";
import { type Problem, checkPattern, known } from "../components/shared/checks";
import { checkLogRetention } from "../components/shared/log-groups";
import { checkNoOverlap } from "../components/shared/maintenance-windows";
import { within } from "./problems";
import type { SettingKey } from "./schema";
import type { Settings } from "./types";

/**
 * What is wrong with settings that could be read: the components' own checks, under the settings' names, and checks that
 * need the whole stack.
 *
 * @param read The settings that could be read; the others are not checked.
 * @param now The moment that public access must end after, and by which versions are judged.
 */
export function contentProblems(settings: Settings, read: ReadonlySet<SettingKey>, now: Date): Problem[] {
  const { everywhere, network, database, kafka, pipeline } = settings;
  const place = { vpcId: unknown, subnetIds: read.has("network") ? subnetsToBe(settings) : unknownList };
  const checks: Readonly<Partial<Record<SettingKey, () => Problem[]>>> = {
    logRetentionDays: () => checkLogRetention("logRetentionDays", everywhere.logRetentionDays),
    kmsKeyArn: () => checkKey(settings),
    network: () => [
      ...within("network", networkProblems(network)),
      ...checkZonesInRegion(settings),
      ...checkWayToBrokers(settings),
    ],
    database: () => within("database", auroraPostgresProblems({ ...database, ...place }, now)),
    capture: () => checkWindowsApart(settings),
    auditDatabaseName: () => checkAuditDatabaseName(settings),
    review: () => [...checkWayToLogin(settings), ...checkCertificateRegion(settings)],
    kafka: () => [
      ...within("kafka", kafkaClusterProblems({ ...kafka, ...place }, now)),
      ...checkPublicSubnets(settings),
    ],
  };
  const source = { ...sourceToBe, postgresVersion: database.engineVersion ?? defaultEngineVersion };
  const problems = [
    // Problems of what must be built first come first.
    ...auditPipelineProblems({ ...pipeline, ...place, source, kafka: kafkaToBe }, now).filter(({ setting }) =>
      read.has(setting === sourceVersion ? "database" : (setting.split(/[.[]/, 1)[0] as SettingKey)),
    ),
    ...checkRegion(settings.region),
    ...Object.entries(checks).flatMap(([key, check]) => (read.has(key as SettingKey) ? check() : [])),
  ];
  return asWritten(settings, problems);
}

/** The argument of the pipeline that a stack takes from its own database. */
const sourceVersion = "source.postgresVersion";

/** The source is the stack's own database, and every subnet is of its network: problems name those settings, each once. */
function asWritten({ network, kafka }: Settings, problems: readonly Problem[]): Problem[] {
  const named = problems.map((problem) => {
    if (problem.setting === sourceVersion) return { ...problem, setting: "database.engineVersion" };
    const [section, member] = problem.setting.split(".");
    if (member !== "subnetIds") return problem;
    if (!network.existing) return { ...problem, setting: "network.availabilityZones" };
    const kind = section === "kafka" && kafka.subnetsArePublic ? "publicSubnetIds" : "privateSubnetIds";
    return { ...problem, setting: `network.existing.${kind}` };
  });
  // Where the network's own check has found a fault, those of the components are the same.
  return named.filter(
    ({ setting }, index) => problems[index]?.setting === setting || !problems.some((each) => each.setting === setting),
  );
}

/** A restart of the database in the middle of the capture's own maintenance would lengthen both. */
function checkWindowsApart({ database, pipeline }: Settings): Problem[] {
  return checkNoOverlap(
    { setting: "capture.maintenanceWindow", window: pipeline.capture.maintenanceWindow },
    { setting: "database.maintenanceWindow", window: database.maintenanceWindow },
    "the capture would meet a database that restarts, again and again",
  );
}

/** Stands for a value that only a deployment knows; checks skip it. */
const unknown = pulumi.output("");
const unknownList = pulumi.output<string[]>([]);

const sourceToBe = { endpoint: unknown, databaseName: unknown, securityGroupId: unknown, adminSecretArn: unknown };
const kafkaToBe = {
  clusterArn: unknown,
  bootstrapBrokersIam: unknown,
  bootstrapBrokersScram: unknown,
  securityGroupId: unknown,
  scramUsername: unknown,
  scramPassword: unknown,
  replicationFactor: pulumi.output(2),
};

/** As many different subnets as there will be, for the checks that count them. */
function subnetsToBe({ network, kafka }: Settings): pulumi.Input<string[]> {
  const { existing, availabilityZones } = network;
  const subnets = kafka.subnetsArePublic ? existing?.publicSubnetIds : existing?.privateSubnetIds;
  return subnets ?? availabilityZones ?? unknownList;
}

function checkRegion(region: string): Problem[] {
  if (/^[a-z]{2}(-[a-z]+)+-\d$/.test(region)) return [];
  return [
    {
      setting: "aws:region",
      value: region || undefined,
      allowed: "an AWS region such as eu-central-1",
      fix: "Run pulumi config set aws:region <region>: otherwise the region would depend on who deploys.",
    },
  ];
}

function checkKey({ everywhere, region }: Settings): Problem[] {
  const allowed = "empty, or the ARN of a key in the stack's region (not an alias)";
  return checkPattern(
    "kmsKeyArn",
    everywhere.kmsKeyArn,
    new RegExp(`^arn:[^:]+:kms:${region}:\\d{12}:key/.+$`),
    allowed,
  );
}

function checkAuditDatabaseName({ auditDatabaseName, pipeline }: Settings): Problem[] {
  const allowed = `empty, or a lower-case letter and up to 62 of them, digits and underscores, and none of ${takenDatabaseNames.join(", ")}`;
  if (auditDatabaseName === undefined) return [];
  if (takenDatabaseNames.includes(auditDatabaseName)) {
    return [{ setting: "auditDatabaseName", value: auditDatabaseName, allowed, fix: "Choose another name." }];
  }
  if (pipeline.operator.enabled === false) {
    return [
      {
        setting: "auditDatabaseName",
        value: auditDatabaseName,
        allowed: "empty without the operator, which creates the database",
        fix: "Remove operator.enabled, or leave the log in the source's database.",
      },
    ];
  }
  return checkPattern("auditDatabaseName", auditDatabaseName, /^[a-z][a-z0-9_]{0,62}$/, allowed);
}

function checkZonesInRegion({ network, region }: Settings): Problem[] {
  if (checkRegion(region).length > 0) return [];
  const elsewhere = (network.availabilityZones ?? []).filter((zone) => !zone.startsWith(region));
  if (elsewhere.length === 0) return [];
  return [
    {
      setting: "network.availabilityZones",
      value: elsewhere,
      allowed: `zones of aws:region (${region})`,
      fix: `Name zones such as ${region}a, or change aws:region.`,
    },
  ];
}

/** MSK's API has no interface endpoint under its usual name, unlike everything else that the operator calls. */
function checkWayToBrokers({ network, pipeline }: Settings): Problem[] {
  if (network.natGateways !== NatGateways.None || pipeline.operator.enabled === false) return [];
  return [
    {
      setting: "network.natGateways",
      value: network.natGateways,
      allowed: "single or per-zone with the operator, which asks MSK's API whether brokers are public",
      fix: "Set network.natGateways to single, or operator.enabled to false.",
    },
  ];
}

/** The load balancer itself asks the identity provider who logged in, from its private subnets. */
function checkWayToLogin({ network, pipeline }: Settings): Problem[] {
  if (network.natGateways !== NatGateways.None || pipeline.review === undefined) return [];
  return [
    {
      setting: "network.natGateways",
      value: network.natGateways,
      allowed: "single or per-zone with review, whose load balancer asks the identity provider who logged in",
      fix: "Set network.natGateways to single, or remove review.",
    },
  ];
}

function checkCertificateRegion({ pipeline, region }: Settings): Problem[] {
  const certificateArn = known(pipeline.review?.certificateArn);
  const elsewhere = /^arn:[^:]+:acm:([a-z0-9-]+):/.exec(certificateArn ?? "")?.[1];
  if (elsewhere === undefined || elsewhere === region || checkRegion(region).length > 0) return [];
  return [
    {
      setting: "review.certificateArn",
      value: certificateArn,
      allowed: `a certificate in aws:region (${region}), where the load balancer is`,
      fix: `Request one in ${region}, or import it there.`,
    },
  ];
}

function checkPublicSubnets({ kafka, network }: Settings): Problem[] {
  if (!kafka.subnetsArePublic || !network.existing || network.existing.publicSubnetIds?.length) return [];
  return [
    {
      setting: "network.existing.publicSubnetIds",
      value: network.existing.publicSubnetIds,
      allowed: "two or three subnets when kafka.subnetsArePublic is true",
      fix: "Name the public subnets of the brokers, or set kafka.subnetsArePublic to false.",
    },
  ];
}
