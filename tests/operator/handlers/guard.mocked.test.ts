import {
  DescribeClusterCommand,
  DescribeConfigurationRevisionCommand,
  KafkaClient,
  ListScramSecretsCommand,
  UpdateConnectivityCommand,
} from "@aws-sdk/client-kafka";
import { AclOperations, AclPermissionTypes } from "@platformatic/kafka";
import { mockClient } from "aws-sdk-client-mock";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { GuardRequest } from "../../../contract/operator";
import { guard } from "../../../operator/handlers/guard";
import { type AccessRule, captureRules, ruleText } from "../../../operator/kafka/access-rules";
import type * as kafkaAdmin from "../../../operator/kafka/admin";
import { KafkaRefusedError } from "../../../operator/kafka/admin";
import { awsError, expectPermitted, passingTime, testContext } from "../support/operator-world";

/** The cluster's access rules, and what Kafka answers instead of them. */
const kafka = vi.hoisted(() => ({ rules: [] as AccessRule[], failure: undefined as Error | undefined, delay: 0 }));

vi.mock("../../../operator/kafka/admin", async (importOriginal) => {
  const actual = await importOriginal<typeof kafkaAdmin>();
  const answer = <Value>(value: () => Value) =>
    kafka.failure ? Promise.reject(kafka.failure) : Promise.resolve().then(value);
  const admin = {
    accessRules: () => answer(() => [...kafka.rules]),
    addAccessRules: (rules: readonly AccessRule[]) =>
      answer(() => void setTimeout(() => kafka.rules.push(...rules), kafka.delay)),
  };
  return { ...actual, withKafkaAdmin: (_: unknown, work: (open: typeof admin) => Promise<unknown>) => work(admin) };
});

const msk = mockClient(KafkaClient);
const clusterArn = "arn:aws:kafka:eu-central-1:123456789012:cluster/audit/6b1f0a1e-0000-4000-8000-000000000000-5";
const configurationArn = "arn:aws:kafka:eu-central-1:123456789012:configuration/audit/1-1";
const username = "change-capture";
const request: GuardRequest = {
  action: "guard",
  clusterArn,
  bootstrapBrokersIam: "b-1.example:9098",
  captureUsername: username,
  rawTopic: "cdc.raw",
};

interface ClusterLook {
  readonly state?: string;
  readonly open?: boolean;
  readonly version?: string;
}

beforeEach(() => {
  vi.useFakeTimers({ now: new Date("2026-11-22T12:00:00Z") });
  msk.reset();
  Object.assign(kafka, { rules: captureRules(username, "cdc.raw"), failure: undefined, delay: 0 });
  clusterShows({});
  everyoneIn(true);
  scramUsers(1);
  msk.on(UpdateConnectivityCommand).resolves({});
});

afterEach(() => {
  expectPermitted("guard", { kafka: msk });
  // Nothing that the guard does opens anything.
  for (const call of msk.commandCalls(UpdateConnectivityCommand)) {
    expect(call.args[0].input.ConnectivityInfo).toEqual({ PublicAccess: { Type: "DISABLED" } });
  }
  vi.useRealTimers();
});

/** What MSK tells of the cluster, look after look; the last stays. */
function clusterShows(...looks: ClusterLook[]): void {
  let look = 0;
  msk.on(DescribeClusterCommand).callsFake(() => {
    const { state = "ACTIVE", open = false, version = "K1" } = looks[Math.min(look++, looks.length - 1)]!;
    return {
      ClusterInfo: {
        State: state,
        CurrentVersion: version,
        BrokerNodeGroupInfo: {
          ConnectivityInfo: { PublicAccess: { Type: open ? "SERVICE_PROVIDED_EIPS" : "DISABLED" } },
        },
        CurrentBrokerSoftwareInfo: { ConfigurationArn: configurationArn, ConfigurationRevision: 3 },
      },
    };
  });
}

function everyoneIn(value: boolean | undefined): void {
  const line = value === undefined ? "" : `allow.everyone.if.no.acl.found = ${value}\r\n`;
  msk
    .on(DescribeConfigurationRevisionCommand, { Arn: configurationArn, Revision: 3 })
    .resolves({ ServerProperties: new TextEncoder().encode(`auto.create.topics.enable=false\n${line}`) });
}

function scramUsers(count: number): void {
  msk
    .on(ListScramSecretsCommand)
    .resolves({ SecretArnList: Array.from({ length: count }, (_, n) => `arn:secret-${n}`) });
}

function run(changes: Partial<GuardRequest> = {}, seconds?: number) {
  return passingTime(guard({ ...request, ...changes }, testContext("guard", {}, seconds).context));
}

function closings(): (string | undefined)[] {
  return msk.commandCalls(UpdateConnectivityCommand).map(({ args }) => args[0].input.CurrentVersion);
}

describe("the guard of public access", () => {
  it("does nothing where access is closed and the rules are set", async () => {
    expect(await run()).toEqual({ clusterState: "ACTIVE", publicAccess: "closed", rulesAdded: [], warnings: [] });
    expect(closings()).toEqual([]);
  });

  it("lets it be until its end", async () => {
    clusterShows({ open: true });
    expect(await run({ publicAccessUntil: "2026-11-22T12:00:01Z" })).toMatchObject({ publicAccess: "open" });
    expect(closings()).toEqual([]);
  });

  it.each([
    ["at its end", "2026-11-22T12:00:00Z"],
    ["after its end, in whatever zone that is written", "2026-11-22T12:59:00+01:00"],
    ["when it has no end", undefined],
    ["when its end can't be read", "next week"],
  ])("turns it off %s", async (_, publicAccessUntil) => {
    clusterShows({ open: true }, { open: true }, { open: true, state: "UPDATING" }, { open: false, version: "K2" });
    expect(await run({ publicAccessUntil })).toMatchObject({ publicAccess: "closed", clusterState: "ACTIVE" });
    expect(closings()).toEqual(["K1"]);
  });

  it.each(["UPDATING", "HEALING", "MAINTENANCE", "REBOOTING_BROKER"])(
    "waits while the cluster is %s, and then names its new version",
    async (state) => {
      const busy = { open: true, state };
      clusterShows(busy, busy, busy, { open: true, version: "K2" }, { open: false, version: "K3" });
      await run();
      expect(closings()).toEqual(["K2"]);
    },
  );

  it("asks again with the new version when another change came first", async () => {
    clusterShows({ open: true }, { open: true }, { open: true, version: "K2" }, { open: false });
    msk
      .on(UpdateConnectivityCommand, { CurrentVersion: "K1" })
      .rejects(awsError("BadRequestException", "This operation is not valid for the current version"));
    expect(await run()).toMatchObject({ publicAccess: "closed" });
    expect(closings()).toEqual(["K1", "K2"]);
  });

  it("asks again when the cluster is ACTIVE and open though the change was accepted", async () => {
    const open = { open: true };
    clusterShows(open, open, { open: true, state: "UPDATING" }, { open: true, version: "K2" }, { open: false });
    await run();
    expect(closings()).toEqual(["K1", "K2"]);
  });

  it("outlasts throttling and an MSK out of order", async () => {
    clusterShows({ open: true }, { open: true }, { open: true }, { open: true }, { open: false });
    msk
      .on(UpdateConnectivityCommand)
      .rejectsOnce(awsError("TooManyRequestsException"))
      .rejectsOnce(awsError("ServiceUnavailableException"))
      .resolves({});
    expect(await run()).toMatchObject({ publicAccess: "closed" });
    expect(closings()).toHaveLength(3);
  });

  it("says how to shut people out when MSK refuses again and again", async () => {
    clusterShows({ open: true });
    msk.on(UpdateConnectivityCommand).rejects(awsError("BadRequestException", "Not now"));
    await expect(run()).rejects.toThrow(/open to the internet beyond its time.*Not now.*port 9198/);
    expect(closings()).toHaveLength(4);
  });

  it.each(["FAILED", "DELETING"])("says how to shut people out of a cluster that is %s", async (state) => {
    clusterShows({ open: true, state });
    await expect(run()).rejects.toThrow(new RegExp(`is ${state}, and public access can't be turned off.*9198`));
  });

  it("tells that MSK is at work when that takes longer than the function may", async () => {
    clusterShows({ open: true }, { open: true }, { open: true, state: "UPDATING" });
    const begun = Date.now();
    expect(await run({}, 300)).toMatchObject({ publicAccess: "closing", clusterState: "UPDATING" });
    expect(Date.now() - begun).toBeLessThan(300_000);
  });

  it("fails when the cluster never let itself be changed", async () => {
    clusterShows({ open: true, state: "UPDATING" });
    await expect(run({}, 300)).rejects.toThrow(
      /is open to the internet and UPDATING, after \d+ s.*Run the guard again/,
    );
  });

  it("is turned off though Kafka does not answer, which is then told", async () => {
    clusterShows({ open: true }, { open: true }, { open: false });
    kafka.failure = new Error("Kafka does not answer.");
    await expect(run()).rejects.toThrow('guard failed at "access rules": Kafka does not answer.');
    expect(closings()).toEqual(["K1"]);
  });

  it("does not keep the rules from being set when it can't be turned off", async () => {
    kafka.rules = [];
    clusterShows({ open: true, state: "FAILED" });
    await expect(run()).rejects.toThrow('guard failed at "public access"');
    expect(kafka.rules).toHaveLength(4);
  });
});

describe("the guard of access rules", () => {
  const all = [
    "User:change-capture may WRITE topic cdc.raw",
    "User:change-capture may DESCRIBE topic cdc.raw",
    "User:change-capture may IDEMPOTENT_WRITE cluster kafka-cluster",
    "User:change-capture may DESCRIBE cluster kafka-cluster",
  ];
  const rule = (changes: Partial<AccessRule>): AccessRule => ({ ...captureRules(username, "cdc.raw")[0]!, ...changes });

  it("adds them on a new cluster, Write before Describe, so that no step shuts the user out", async () => {
    kafka.rules = [];
    expect(await run()).toMatchObject({ rulesAdded: all, warnings: [] });
    expect(kafka.rules.map(ruleText)).toEqual(all);
  });

  it("adds only what is missing, and nothing the second time", async () => {
    kafka.rules = captureRules(username, "cdc.raw").slice(0, 2);
    expect(await run()).toMatchObject({ rulesAdded: all.slice(2) });
    expect(await run()).toMatchObject({ rulesAdded: [] });
    expect(kafka.rules).toHaveLength(4);
  });

  it("waits until the brokers know the rules", async () => {
    Object.assign(kafka, { rules: [], delay: 5_000 });
    const begun = Date.now();
    await run();
    expect(Date.now() - begun).toBeGreaterThanOrEqual(5_000);
  });

  it("says after a minute that the brokers do not learn them", async () => {
    Object.assign(kafka, { rules: [], delay: 1_000_000 });
    await expect(run()).rejects.toThrow("The brokers do not know yet: User:change-capture may WRITE topic cdc.raw");
  });

  it.each([`User:${username}`, "User:*"])(
    "is refused by a rule that forbids %s, which no other outweighs",
    async (principal) => {
      const forbidding = rule({ principal, permissionType: AclPermissionTypes.DENY });
      kafka.rules = [...captureRules(username, "cdc.raw"), forbidding];
      await expect(run()).rejects.toThrow(`${principal} may not WRITE topic cdc.raw. Remove them with kafka-acls.sh`);
    },
  );

  it("warns of others who may write the topic, and leaves them", async () => {
    const other = rule({ principal: "User:somebody", operation: AclOperations.ALL });
    kafka.rules = [...captureRules(username, "cdc.raw"), other];
    const { warnings } = await run();
    expect(warnings).toEqual([expect.stringContaining("User:somebody may ALL topic cdc.raw")]);
    expect(kafka.rules).toContain(other);
  });

  it("holds back the first rules while other SCRAM users live by there being none", async () => {
    kafka.rules = [];
    scramUsers(3);
    const { rulesAdded, warnings } = await run();
    expect(rulesAdded).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/cdc\.raw and kafka-cluster and shut 2 other SCRAM user/)]);
    expect(kafka.rules).toEqual([]);
  });

  it("does not hold back rules that are not the first on their resource", async () => {
    kafka.rules = captureRules("somebody", "cdc.raw");
    scramUsers(3);
    expect((await run()).rulesAdded).toEqual(all);
  });

  it("lets DMS back in when users without rules were shut out too early, and says so", async () => {
    kafka.rules = [];
    everyoneIn(false);
    scramUsers(3);
    const { rulesAdded, warnings } = await run();
    expect(rulesAdded).toEqual(all);
    expect(warnings).toEqual([expect.stringContaining("DMS could not write cdc.raw")]);
  });

  it("takes MSK's own default for a configuration that does not name the property", async () => {
    kafka.rules = [];
    everyoneIn(undefined);
    expect((await run()).warnings).toEqual([]);
  });

  it("refuses the wrong order when it can't mend it: users shut out, and no right to add rules", async () => {
    kafka.failure = new KafkaRefusedError("CLUSTER_AUTHORIZATION_FAILED", "b-1.example:9098", new Error());
    everyoneIn(false);
    await expect(run()).rejects.toThrow(
      /allow\.everyone\.if\.no\.acl\.found is false before change-capture has a rule.*DMS is locked out.*AlterCluster/,
    );
  });

  it("says what the role lacks while nobody is shut out", async () => {
    kafka.failure = new KafkaRefusedError("CLUSTER_AUTHORIZATION_FAILED", "b-1.example:9098", new Error());
    await expect(run()).rejects.toThrow(/refuses what was asked .*operator-permissions\.ts/);
  });
});
