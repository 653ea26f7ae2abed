import type { ClusterInfo } from "@aws-sdk/client-kafka";
import type { GuardRequest } from "../../contract/operator";
import { awsStep } from "../aws/errors";
import {
  describeCluster,
  everyoneProperty,
  isPublic,
  letsEveryoneIn,
  scramUsers,
  turnPublicAccessOff,
} from "../aws/msk";
import { waitFor } from "../aws/wait";
import type { OperatorContext } from "../context";
import { OperatorError } from "../errors";
import {
  type AccessRule,
  captureRules,
  denials,
  mayWrite,
  otherWriters,
  ruleText,
  sameRule,
} from "../kafka/access-rules";
import { type KafkaAdmin, KafkaRefusedError, withKafkaAdmin } from "../kafka/admin";

export interface GuardReport {
  readonly clusterState: string;
  /** `closing` when MSK has accepted the change and is still at work; the next run tells whether it is done. */
  readonly publicAccess: "closed" | "closing" | "open";
  /** Rules that were added now. */
  readonly rulesAdded: readonly string[];
  /** What is wrong and the guard leaves to people. */
  readonly warnings: readonly string[];
}

/**
 * Closes public access whose time is over, and gives the SCRAM user of DMS its access rules. It never opens anything and
 * never removes a rule.
 *
 * The order that locks nobody out, over all deployments, is: rules first, then `allow.everyone.if.no.acl.found=false`,
 * then public access. The operator logs in with IAM, which no rule binds, so that it can add rules at any point.
 *
 * @throws when public access can't be closed, when rules forbid the user what it needs, or when users without rules are
 * shut out already and the operator can't add any.
 */
export async function guard(request: GuardRequest, context: OperatorContext): Promise<GuardReport> {
  const cluster = await awsStep(context, "look at the cluster", () => describeCluster(context, request.clusterArn));
  // Side by side: each runs even when the other is slow or fails. The log has both failures; closing is reported first.
  const [access, rules] = await Promise.allSettled([
    awsStep(context, "public access", () => closeWhenDue(request, cluster, context)),
    awsStep(context, "access rules", () => ensureRules(request, cluster, context)),
  ]);
  if (access.status === "rejected") throw access.reason;
  if (rules.status === "rejected") throw rules.reason;
  const { State: state } = await awsStep(context, "look at the cluster again", () =>
    describeCluster(context, request.clusterArn),
  );
  return { clusterState: state ?? "unknown", publicAccess: access.value, ...rules.value };
}

async function closeWhenDue(
  request: GuardRequest,
  cluster: ClusterInfo,
  context: OperatorContext,
): Promise<GuardReport["publicAccess"]> {
  if (!isPublic(cluster)) return "closed";
  // A time that can't be read counts as over: access without a known end must not stay open.
  if (Date.parse(request.publicAccessUntil ?? "") > Date.now()) return "open";
  return (await turnPublicAccessOff(context, request.clusterArn)) ? "closed" : "closing";
}

type RulesReport = Pick<GuardReport, "rulesAdded" | "warnings">;

async function ensureRules(
  request: GuardRequest,
  cluster: ClusterInfo,
  context: OperatorContext,
): Promise<RulesReport> {
  const everyoneIn = await letsEveryoneIn(context, cluster);
  const connection = { bootstrapServers: request.bootstrapBrokersIam, login: await context.kafkaLogin() };
  try {
    return await withKafkaAdmin(connection, (admin) => ensureCaptureRules(request, everyoneIn, admin, context));
  } catch (error) {
    if (!(error instanceof KafkaRefusedError) || everyoneIn) throw error;
    throw new OperatorError(
      `${everyoneProperty} is false before ${request.captureUsername} has a rule that lets it write ` +
        `${request.rawTopic}, and the operator may not add one (${error.code}): DMS is locked out.`,
      "Remove publicAccess and deploy, which sets the property to true again; let the operator's role " +
        "kafka-cluster:AlterCluster; run the guard; and only then ask for publicAccess again.",
      { cause: error },
    );
  }
}

async function ensureCaptureRules(
  { captureUsername, rawTopic, clusterArn }: GuardRequest,
  everyoneIn: boolean,
  admin: KafkaAdmin,
  context: OperatorContext,
): Promise<RulesReport> {
  const present = await admin.accessRules([rawTopic]);
  refuseDenials(present, captureUsername);
  const warnings = otherWriters(present, captureUsername).map(
    (rule) => `${ruleText(rule)}, which only ${captureUsername} should. Remove it with kafka-acls.sh --remove.`,
  );
  const missing = captureRules(captureUsername, rawTopic).filter((rule) => !present.some((one) => sameRule(one, rule)));
  if (missing.length === 0) return { rulesAdded: [], warnings };

  const first = missing.filter(({ resourceType }) => !present.some((one) => one.resourceType === resourceType));
  if (everyoneIn && first.length > 0) {
    const others = (await scramUsers(context, clusterArn)) - 1;
    if (others > 0) return { rulesAdded: [], warnings: [...warnings, heldBack(others, first, captureUsername)] };
  }
  if (!everyoneIn && !mayWrite(present, captureUsername)) {
    warnings.push(
      `${everyoneProperty} was false before ${captureUsername} had a rule, so that DMS could not write ${rawTopic}. It ` +
        "can now. Run the guard before that property is changed.",
    );
  }
  await admin.addAccessRules(missing);
  await waitUntilInForce(context, admin, rawTopic, missing);
  return { rulesAdded: missing.map(ruleText), warnings };
}

/** A rule that forbids wins over every rule that allows, so adding ours would not help. */
function refuseDenials(present: readonly AccessRule[], username: string): void {
  const forbidding = denials(present, username);
  if (forbidding.length === 0) return;
  throw new OperatorError(
    `Access rules forbid what ${username} needs: ${forbidding.map(ruleText).join("; ")}.`,
    "Remove them with kafka-acls.sh --remove and run the guard again.",
  );
}

/** The first rule on a resource shuts out everyone who has no rule there. */
function heldBack(others: number, first: readonly AccessRule[], username: string): string {
  const resources = [...new Set(first.map(({ resourceName }) => resourceName))].join(" and ");
  return (
    `No rules were added for ${username}: they would be the first on ${resources} and shut ${others} other SCRAM ` +
    "user(s) of the cluster out of it. Give those users their rules with kafka-acls.sh, as an IAM client, and run the " +
    "guard again."
  );
}

/** Brokers learn of a rule later than the controller. */
async function waitUntilInForce(
  context: OperatorContext,
  admin: KafkaAdmin,
  rawTopic: string,
  added: readonly AccessRule[],
): Promise<void> {
  const fix = "Run the guard again; look at the controller's metrics if it stays so.";
  await waitFor(context, { subject: "The brokers", fix, interval: [100, 5_000], patience: 60_000 }, async () => {
    const present = await admin.accessRules([rawTopic]);
    const absent = added.filter((rule) => !present.some((one) => sameRule(one, rule)));
    return absent.length === 0
      ? { done: undefined }
      : { pending: `do not know yet: ${absent.map(ruleText).join("; ")}` };
  });
}
