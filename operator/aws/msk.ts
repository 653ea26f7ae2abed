import {
  type ClusterInfo,
  DescribeClusterCommand,
  DescribeConfigurationRevisionCommand,
  paginateListScramSecrets,
  UpdateConnectivityCommand,
} from "@aws-sdk/client-kafka";
import { brokerPorts } from "../../contract/ports";
import type { OperatorContext } from "../context";
import { OperatorError } from "../errors";
import { isAwsError, NotInTimeError, type Observation, waitFor } from "./wait";

type MskContext = Pick<OperatorContext, "clients" | "deadline" | "signal">;

/** The broker property that decides whether SCRAM users may use what no access rule names. */
export const everyoneProperty = "allow.everyone.if.no.acl.found";

/** States that a cluster does not leave by itself. */
const lastingClusterStates = new Set<string | undefined>(["DELETING", "FAILED"]);

/** After so many refusals of one request in a row, the cluster's version or a passing state is not the reason. */
const mostRefusals = 4;

export async function describeCluster({ clients, signal }: MskContext, clusterArn: string): Promise<ClusterInfo> {
  const { ClusterInfo: cluster } = await clients.kafka.send(new DescribeClusterCommand({ ClusterArn: clusterArn }), {
    abortSignal: signal,
  });
  if (!cluster) throw new OperatorError(`MSK tells nothing of cluster ${clusterArn}.`, "Run it again.");
  return cluster;
}

/** Whether the brokers have addresses on the internet. */
export function isPublic(cluster: ClusterInfo): boolean {
  const type = cluster.BrokerNodeGroupInfo?.ConnectivityInfo?.PublicAccess?.Type;
  return type !== undefined && type !== "DISABLED";
}

/** Whether the brokers' configuration lets SCRAM users use what no access rule names. MSK's own default does. */
export async function letsEveryoneIn({ clients, signal }: MskContext, cluster: ClusterInfo): Promise<boolean> {
  const { ConfigurationArn: arn, ConfigurationRevision: revision } = cluster.CurrentBrokerSoftwareInfo ?? {};
  if (!arn || revision === undefined) return true;
  const { ServerProperties: properties } = await clients.kafka.send(
    new DescribeConfigurationRevisionCommand({ Arn: arn, Revision: revision }),
    { abortSignal: signal },
  );
  const lines = new TextDecoder().decode(properties).split(/\r?\n/);
  const values = lines.map((line) => line.split("=").map((part) => part.trim()));
  return values.findLast(([name]) => name === everyoneProperty)?.[1] !== "false";
}

/** How many users may log in with SCRAM. */
export async function scramUsers({ clients }: MskContext, clusterArn: string): Promise<number> {
  let users = 0;
  for await (const page of paginateListScramSecrets({ client: clients.kafka }, { ClusterArn: clusterArn })) {
    users += page.SecretArnList?.length ?? 0;
  }
  return users;
}

/**
 * Turns public access off as soon as MSK accepts the change, and waits until it is off. Returns false when MSK has
 * accepted the change and has not finished it in time.
 */
export async function turnPublicAccessOff(context: MskContext, clusterArn: string): Promise<boolean> {
  const closing = new Closing(context, clusterArn);
  const subject = `Cluster ${clusterArn}`;
  const fix =
    "It is open to the internet beyond its time. Run the guard again, or turn public access off in the MSK console as " +
    "soon as the cluster is ACTIVE.";
  try {
    await waitFor(context, { subject, fix, interval: [5_000, 30_000] }, () => closing.look());
    return true;
  } catch (error) {
    if (error instanceof NotInTimeError && closing.accepted) return false;
    throw error;
  }
}

class Closing {
  /** Whether MSK has taken on the change. */
  accepted = false;
  private refusals = 0;

  constructor(
    private readonly context: MskContext,
    private readonly clusterArn: string,
  ) {}

  async look(): Promise<Observation<void>> {
    const cluster = await describeCluster(this.context, this.clusterArn);
    if (!isPublic(cluster)) return { done: undefined };
    if (lastingClusterStates.has(cluster.State)) {
      throw new OperatorError(
        `Cluster ${this.clusterArn} is ${cluster.State}, and public access can't be turned off.`,
        `Remove the rules for port ${brokerPorts.publicIam} from its security group. MSK says: ${cluster.StateInfo?.Message ?? "nothing"}`,
      );
    }
    if (cluster.State !== "ACTIVE") return { pending: `is open to the internet and ${cluster.State}` };
    // Accepted and ACTIVE again, yet open: the change failed, or has not begun. Ask for it once more.
    return this.request(cluster.CurrentVersion);
  }

  private async request(version: string | undefined): Promise<Observation<void>> {
    try {
      await this.context.clients.kafka.send(
        new UpdateConnectivityCommand({
          ClusterArn: this.clusterArn,
          CurrentVersion: version,
          ConnectivityInfo: { PublicAccess: { Type: "DISABLED" } },
        }),
        { abortSignal: this.context.signal },
      );
      this.accepted = true;
      this.refusals = 0;
      return { pending: "is being closed" };
    } catch (error) {
      // Another change came first and changed the version or the state.
      if (!isAwsError(error, "BadRequestException")) throw error;
      this.refusals += 1;
      if (this.refusals < mostRefusals) return { pending: `refuses the change (${error.message})` };
      throw new OperatorError(
        `Cluster ${this.clusterArn} is open to the internet beyond its time, and MSK refuses to close it: ${error.message}`,
        `Turn public access off in the MSK console, or remove the rules for port ${brokerPorts.publicIam} from its security group.`,
        { cause: error },
      );
    }
  }
}
