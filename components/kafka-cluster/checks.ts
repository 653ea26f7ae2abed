import { brokerPorts } from "../../contract/ports";
import { type Problem, checkOneOf, checkPattern, checkWholeNumber, known } from "../shared/checks";
import { brokerClasses, checkInstanceClass } from "../shared/instance-classes";
import { type DeployedVersion, checkLifetime } from "../shared/lifetimes";
import { checkLogRetention } from "../shared/log-groups";
import { defaultKafkaVersion, replicationFor } from "./broker-configuration";
import { type KafkaClusterArgs, MonitoringLevel, type PublicAccessArgs, PublicAccessStage } from "./types";

/** Zones that MSK spreads brokers over. */
const zoneCounts = [2, 3];

/** What MSK's API takes, when a cluster is made and when brokers are added; its quota for KRaft clusters is higher. */
const mostBrokers = 15;

const largestVolumeGiB = 16_384;

const longestPublicAccessDays = 30;

/** The versions that a cluster runs on, to be looked up in the table of lifetimes. */
export function kafkaVersions({ kafkaVersion }: KafkaClusterArgs): DeployedVersion[] {
  const version = kafkaVersion ?? defaultKafkaVersion;
  return [{ service: "kafka", setting: "kafkaVersion", version, usual: defaultKafkaVersion }];
}

/**
 * Everything that is wrong with the arguments of a Kafka cluster; unknown values are left to AWS.
 *
 * @param now The moment that public access must end after, and by which versions are judged.
 */
export function kafkaClusterProblems(args: KafkaClusterArgs, now: Date = new Date()): Problem[] {
  return [
    ...checkBrokers(args),
    ...checkInstanceClass("instanceType", args.instanceType, brokerClasses),
    ...checkPattern(
      "kafkaVersion",
      args.kafkaVersion,
      /^(3\.[789]|[4-9]\.\d+)\.x\.kraft$/,
      "a KRaft version in MSK's spelling, such as 3.9.x.kraft",
    ),
    ...kafkaVersions(args).flatMap((version) => checkLifetime(version, now)),
    ...checkStorage(args),
    ...checkOneOf("monitoringLevel", args.monitoringLevel, Object.values(MonitoringLevel)),
    ...checkTopics(args),
    ...checkPattern(
      "scramUsername",
      args.scramUsername,
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
      "up to 64 letters, digits, dots, hyphens and underscores",
    ),
    ...checkLogRetention("logRetentionDays", args.logRetentionDays),
    ...(args.publicAccess ? checkPublicAccess(args.publicAccess, args.subnetsArePublic ?? false, now) : []),
  ];
}

function checkBrokers({ brokers, subnetIds }: KafkaClusterArgs): Problem[] {
  const problems = checkWholeNumber("brokers", brokers, 2, mostBrokers);
  const subnets = known(subnetIds);
  if (subnets === undefined) return problems;
  const identifiers = subnets.map(known).filter((id) => id !== undefined);
  if (!zoneCounts.includes(subnets.length) || new Set(identifiers).size < identifiers.length) {
    problems.push({
      setting: "subnetIds",
      value: subnets.map((id) => known(id) ?? "(known after deployment)"),
      allowed: "two or three different subnets, each in a zone of its own",
      fix: "Name one subnet for each zone that gets brokers.",
    });
  } else if (problems.length === 0 && brokers % subnets.length !== 0) {
    problems.push({
      setting: "brokers",
      value: brokers,
      allowed: `a multiple of the ${subnets.length} subnets, as every zone gets equally many`,
      fix: `Set brokers to ${Math.ceil(brokers / subnets.length) * subnets.length}, or name other subnets.`,
    });
  }
  return problems;
}

function checkStorage({ volumeSizeGiB, storageAutoscaling }: KafkaClusterArgs): Problem[] {
  const problems = checkWholeNumber("volumeSizeGiB", volumeSizeGiB, 1, largestVolumeGiB);
  if (!storageAutoscaling) return problems;
  const { maximumGiB, targetUtilization } = storageAutoscaling;
  problems.push(
    ...checkWholeNumber("storageAutoscaling.maximumGiB", maximumGiB, 1, largestVolumeGiB),
    ...checkWholeNumber("storageAutoscaling.targetUtilization", targetUtilization, 10, 80),
  );
  const size = known(volumeSizeGiB);
  if (size !== undefined && maximumGiB <= size) {
    problems.push({
      setting: "storageAutoscaling.maximumGiB",
      value: maximumGiB,
      allowed: `more than volumeSizeGiB (${size}), which volumes begin with`,
      fix: "Raise it, or remove storageAutoscaling.",
    });
  }
  return problems;
}

function checkTopics({ topics = [], brokers }: KafkaClusterArgs): Problem[] {
  const names = topics.map((topic) => topic.name);
  return topics.flatMap((topic, index) => {
    const at = `topics[${index}]`;
    const problems = [
      ...checkPattern(`${at}.name`, topic.name, /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/, "a Kafka topic name"),
      ...checkWholeNumber(`${at}.partitions`, topic.partitions, 1, 1000 * brokers),
    ];
    if (names.indexOf(topic.name) !== index) {
      problems.push({
        setting: `${at}.name`,
        value: topic.name,
        allowed: "each name once",
        fix: "Remove one of them.",
      });
    }
    const minimumInSync = Number(topic.config?.["min.insync.replicas"]);
    const { factor } = replicationFor(brokers);
    if (minimumInSync > factor) {
      problems.push({
        setting: `${at}.config["min.insync.replicas"]`,
        value: minimumInSync,
        allowed: `at most ${factor}, the copies that ${brokers} brokers keep`,
        fix: "Lower it, or nothing could ever be written.",
      });
    }
    return problems;
  });
}

function checkPublicAccess(access: PublicAccessArgs, subnetsArePublic: boolean, now: Date): Problem[] {
  const problems: Problem[] = [];
  if (!subnetsArePublic) {
    problems.push({
      setting: "publicAccess",
      value: access,
      allowed: "only a cluster whose brokers stand in public subnets (subnetsArePublic)",
      fix:
        "Subnets are chosen when the cluster is made: build a new cluster in public subnets, or reach this one through " +
        "the VPC (VPN, peering, a bastion), which is what the pipeline itself does.",
    });
  }
  if (!Object.values(PublicAccessStage).includes(access.stage)) {
    problems.push({
      setting: "publicAccess.stage",
      value: access.stage,
      allowed: "prepare or open, one deployment each, because MSK refuses public access on a cluster being made",
      fix:
        "0. Have a pipeline with its operator deployed, which lets the SCRAM user write the raw topic and nothing else. " +
        "1. Deploy prepare: from then on users without an access control list may do nothing, and the brokers stay private. 2. Deploy " +
        `open: brokers get public addresses, and the cidrs may connect with IAM on port ${brokerPorts.publicIam} until the end time, when AWS ` +
        "shuts them out and the operator closes the addresses by itself.",
    });
  }
  return [...problems, ...checkGuests(access.cidrs), ...checkEndTime(access.until, now)];
}

function checkGuests(cidrs: string[]): Problem[] {
  const allowed = "one or more networks of /24 or smaller, such as 203.0.113.7/32";
  const wrong = cidrs.filter((cidr) => !isSmallNetwork(cidr));
  if (cidrs.length > 0 && wrong.length === 0) return [];
  const value = cidrs.length === 0 ? cidrs : wrong;
  return [{ setting: "publicAccess.cidrs", value, allowed, fix: "Name the addresses that need to connect." }];
}

function isSmallNetwork(cidr: string): boolean {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr);
  if (!match) return false;
  const [a, b, c, d, bits] = match.slice(1).map(Number) as [number, number, number, number, number];
  return [a, b, c, d].every((octet) => octet <= 255) && bits >= 24 && bits <= 32 && d % 2 ** (32 - bits) === 0;
}

function checkEndTime(until: string, now: Date): Problem[] {
  const format = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;
  const end = format.test(until) ? Date.parse(until) : Number.NaN;
  const latest = now.getTime() + longestPublicAccessDays * 86_400_000;
  if (end > now.getTime() && end <= latest) return [];
  const allowed = `a time with its zone, after now and at most ${longestPublicAccessDays} days ahead`;
  const fix =
    end <= now.getTime()
      ? "Its time has passed: remove publicAccess and deploy to close it, or name a new end."
      : `Name an end such as ${new Date(now.getTime() + 86_400_000).toISOString().slice(0, 16)}Z.`;
  return [{ setting: "publicAccess.until", value: until, allowed, fix }];
}
