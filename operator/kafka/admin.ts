import { setTimeout as sleep } from "node:timers/promises";
import {
  Admin,
  AclOperations,
  AclPermissionTypes,
  type AdminOptions,
  ListOffsetTimestamps,
  ResourcePatternTypes,
  ResourceTypes,
} from "@platformatic/kafka";
import { generateAuthToken } from "aws-msk-iam-sasl-signer-js";
import { OperatorError } from "../errors";
import { type AccessRule, clusterResource } from "./access-rules";

/** Where Kafka is, and which user to log in as. */
export interface KafkaConnection {
  /** `host:port,…`. */
  readonly bootstrapServers: string;
  readonly login: KafkaLogin;
  /** Attempts of each request. Default 4. */
  readonly attempts?: number;
}

export type KafkaLogin =
  /** MSK with IAM (port 9098) over TLS, as the role of the environment. */
  | { readonly kind: "iam"; readonly region: string }
  /** SCRAM-SHA-512; over TLS unless said otherwise. */
  | { readonly kind: "scram"; readonly username: string; readonly password: string; readonly tls?: boolean }
  /** No user and no TLS: brokers on this machine. */
  | { readonly kind: "none" };

/** How far a consumer group is with a topic. */
export interface GroupProgress {
  /** Members that the group has now. 0: its reader does not run. */
  readonly members: number;
  /** Whether it has committed anything in this topic. */
  readonly committed: boolean;
  /** Records that it has not committed, over all partitions; before its first commit, all of them. */
  readonly lag: number;
}

/** What the operator asks of a Kafka cluster. The caller closes it. */
export class KafkaAdmin {
  private readonly admin: Admin;

  constructor(private readonly connection: KafkaConnection) {
    this.admin = new Admin({
      clientId: "cdc-audit-operator",
      bootstrapBrokers: connection.bootstrapServers.split(","),
      retries: (connection.attempts ?? 4) - 1,
      retryDelay: 250,
      ...loginOptions(connection.login),
    });
  }

  /** Logs in and asks for nothing. @throws KafkaLoginError when the broker refuses. */
  async logIn(): Promise<void> {
    await this.request(() => this.admin.metadata({ topics: [], forceUpdate: true }));
  }

  /** For each partition the offset that its next record will get: how many records a topic that loses none has taken. */
  endOffsets(topic: string): Promise<bigint[]> {
    return this.request(() => this.offsets(topic, ListOffsetTimestamps.LATEST));
  }

  /** For each partition the offset of its oldest record. */
  startOffsets(topic: string): Promise<bigint[]> {
    return this.request(() => this.offsets(topic, ListOffsetTimestamps.EARLIEST));
  }

  /** Whether the topic has a record that was written at this time or later. */
  async hasRecordsSince(topic: string, time: Date): Promise<boolean> {
    const offsets = await this.request(() => this.offsets(topic, BigInt(time.getTime())));
    return offsets.some((offset) => offset >= 0n);
  }

  /** Records of a topic that a group has not committed; see {@link GroupProgress.lag}. */
  async groupLag(group: string, topic: string): Promise<number> {
    return this.request(async () => (await this.lag(group, topic)).lag);
  }

  async groupProgress(group: string, topic: string): Promise<GroupProgress> {
    return this.request(async () => {
      const [members, progress] = await Promise.all([this.members(group), this.lag(group, topic)]);
      return { members, ...progress };
    });
  }

  /** The access rules (ACLs) on these topics and on the cluster itself, prefixes and wildcards that match included. */
  async accessRules(topics: readonly string[]): Promise<AccessRule[]> {
    const targets = [
      ...topics.map((resourceName) => ({ resourceType: ResourceTypes.TOPIC, resourceName })),
      { resourceType: ResourceTypes.CLUSTER, resourceName: clusterResource },
    ];
    const found = await this.request(() =>
      Promise.all(
        targets.map((target) =>
          this.admin.describeAcls({
            filter: {
              ...target,
              resourcePatternType: ResourcePatternTypes.MATCH,
              principal: null,
              host: null,
              operation: AclOperations.ANY,
              permissionType: AclPermissionTypes.ANY,
            },
          }),
        ),
      ),
    );
    return found.flat().flatMap(({ acls, ...target }) => acls.map((permission) => ({ ...target, ...permission })));
  }

  /** Adds access rules, in this order. Those that are there already stay. */
  async addAccessRules(rules: readonly AccessRule[]): Promise<void> {
    await this.request(() => this.admin.createAcls({ creations: [...rules] }));
  }

  async close(): Promise<void> {
    await this.admin.close();
  }

  private async offsets(topic: string, timestamp: bigint): Promise<bigint[]> {
    const count = await this.partitionCount(topic);
    const partitions = Array.from({ length: count }, (_, partitionIndex) => ({ partitionIndex, timestamp }));
    const [listed] = await this.admin.listOffsets({ topics: [{ name: topic, partitions }] });
    return partitions.map(({ partitionIndex }) => {
      const found = listed?.partitions.find((partition) => partition.partitionIndex === partitionIndex);
      if (!found) throw new Error(`Kafka did not tell the offset of partition ${partitionIndex} of ${topic}.`);
      return found.offset;
    });
  }

  private async partitionCount(topic: string): Promise<number> {
    try {
      const metadata = await this.admin.metadata({ topics: [topic], forceUpdate: true });
      const count = metadata.topics.get(topic)?.partitionsCount;
      if (count) return count;
    } catch (error) {
      // The client's code for wrong arguments: the topic is the only argument here that can be wrong.
      if (errorWithin(error, "code", "PLT_KFK_USER") === undefined) throw error;
    }
    throw new MissingTopicError(topic);
  }

  private async lag(group: string, topic: string): Promise<Omit<GroupProgress, "members">> {
    const [start, end, offsets] = await Promise.all([
      this.offsets(topic, ListOffsetTimestamps.EARLIEST),
      this.offsets(topic, ListOffsetTimestamps.LATEST),
      this.admin.listConsumerGroupOffsets({ groups: [group] }),
    ]);
    const positions = offsets
      .find(({ groupId }) => groupId === group)
      ?.topics.find(({ name }) => name === topic)
      ?.partitions.filter(({ committedOffset }) => committedOffset >= 0n);
    const lag = end.reduce((sum, endOffset, partition) => {
      const position = positions?.find(({ partitionIndex }) => partitionIndex === partition)?.committedOffset;
      return sum + Number(endOffset - (position ?? start[partition] ?? 0n));
    }, 0);
    return { committed: (positions?.length ?? 0) > 0, lag };
  }

  private async members(group: string): Promise<number> {
    try {
      const groups = await this.admin.describeGroups({ groups: [group] });
      return groups.get(group)?.members.size ?? 0;
    } catch (error) {
      if (isKafkaError(error, "GROUP_ID_NOT_FOUND")) return 0;
      throw error;
    }
  }

  private async request<Result>(send: () => Promise<Result>): Promise<Result> {
    for (const pause of [...pausesBetweenLogins, undefined]) {
      try {
        return await send();
      } catch (error) {
        if (pause === undefined || !isTooManyConnects(error)) throw explain(error, this.connection.bootstrapServers);
        await sleep(pause);
      }
    }
    throw new Error("Not reached: the last try returns or throws.");
  }
}

/** Opens an administrator's connection for the time of some work. */
export async function withKafkaAdmin<Result>(
  connection: KafkaConnection,
  work: (admin: KafkaAdmin) => Promise<Result>,
): Promise<Result> {
  const admin = new KafkaAdmin(connection);
  try {
    return await work(admin);
  } finally {
    await admin.close();
  }
}

/** Whether Kafka answered with this error code, such as `CLUSTER_AUTHORIZATION_FAILED`. */
export function isKafkaError(error: unknown, code: string): boolean {
  return errorWithin(error, "apiId", code) !== undefined;
}

/** The error with this property, among an error, those that it bundles and those that caused it. */
function errorWithin(error: unknown, property: string, value: string): Error | undefined {
  return errorsOf(error).find((each) => (each as unknown as Record<string, unknown>)[property] === value);
}

/** An error, those that it bundles and those that caused it. */
function errorsOf(error: unknown): Error[] {
  if (!(error instanceof Error)) return [];
  const inner = [...(error instanceof AggregateError ? (error.errors as unknown[]) : []), error.cause];
  return [error, ...inner.flatMap(errorsOf)];
}

/** How a client logs in. */
export function loginOptions(login: KafkaLogin): Pick<AdminOptions, "sasl" | "tls"> {
  switch (login.kind) {
    case "iam":
      return {
        tls: {},
        sasl: {
          mechanism: "OAUTHBEARER",
          // Made for each connection: a token is valid for 15 minutes.
          token: async () => (await generateAuthToken({ region: login.region })).token,
        },
      };
    case "scram":
      return {
        ...(login.tls === false ? {} : { tls: {} }),
        sasl: { mechanism: "SCRAM-SHA-512", username: login.username, password: login.password },
      };
    case "none":
      return {};
  }
}

/** Milliseconds. MSK's smallest brokers take four new connections a second, and refuse the login of others. */
const pausesBetweenLogins = [1_000, 2_000, 4_000];

function isTooManyConnects(error: unknown): boolean {
  return whatBrokerSaid(error)?.includes("Too many connects") ?? false;
}

/** The broker's own words for why it refuses, where it gave any. */
function whatBrokerSaid(error: unknown): string | undefined {
  return errorsOf(error)
    .map((each) => (each as { serverErrorMessage?: string | null }).serverErrorMessage ?? "")
    .find((message) => message !== "");
}

/** Turns an error of the client, which names an operation, into one that says the reason and the fix. */
function explain(error: unknown, bootstrapServers: string): unknown {
  if (!(error instanceof Error) || error instanceof OperatorError) return error;
  const authentication = errorWithin(error, "code", "PLT_KFK_AUTHENTICATION");
  if (authentication) {
    return new KafkaLoginError(whatBrokerSaid(authentication) ?? authentication.message, bootstrapServers, error);
  }
  const refusal = ["CLUSTER_AUTHORIZATION_FAILED", "TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED"].find(
    (code) => isKafkaError(error, code),
  );
  if (refusal) {
    return new KafkaRefusedError(refusal, bootstrapServers, error);
  }
  const unreachable = errorWithin(error, "code", "PLT_KFK_NETWORK") ?? errorWithin(error, "code", "PLT_KFK_TIMEOUT");
  if (unreachable) {
    return new OperatorError(
      `Kafka at ${bootstrapServers} does not answer (${unreachable.message}).`,
      "Look whether the brokers run, and whether their security group admits the operator on this port.",
      { cause: error },
    );
  }
  return error;
}

export class MissingTopicError extends OperatorError {
  constructor(topic: string) {
    super(`Kafka has no topic ${topic}.`, "Create it again: on AWS by a deployment, as topics are part of the stack.");
    this.name = "MissingTopicError";
  }
}

/** Kafka refuses the login. */
export class KafkaLoginError extends OperatorError {
  constructor(reason: string, bootstrapServers: string, cause: Error) {
    super(
      `Kafka at ${bootstrapServers} refuses the login (${reason}).`,
      "With IAM: let the role kafka-cluster:Connect to this cluster; a change of a policy takes about a minute. " +
        "With SCRAM: the secret must be associated with the cluster; MSK takes up to ten minutes to learn a password.",
      { cause },
    );
    this.name = "KafkaLoginError";
  }
}

/** Kafka accepts the login and refuses the request. */
export class KafkaRefusedError extends OperatorError {
  constructor(
    readonly code: string,
    bootstrapServers: string,
    cause: Error,
  ) {
    super(
      `Kafka at ${bootstrapServers} refuses what was asked (${code}).`,
      "Give the operator's role the kafka-cluster actions that contract/operator-permissions.ts lists.",
      { cause },
    );
    this.name = "KafkaRefusedError";
  }
}
