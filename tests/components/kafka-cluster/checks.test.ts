import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { groupArn, topicArn, transactionalIdArn } from "../../../components/kafka-cluster/arns";
import {
  brokerProperties,
  propertiesText,
  replicationFor,
} from "../../../components/kafka-cluster/broker-configuration";
import { kafkaClusterProblems } from "../../../components/kafka-cluster/checks";
import { scheduleExpression } from "../../../components/kafka-cluster/public-access";
import type { KafkaClusterArgs } from "../../../components/kafka-cluster/types";

const now = new Date("2026-11-22T12:00:00Z");
const minimal: KafkaClusterArgs = { vpcId: "vpc-1", subnetIds: ["subnet-1", "subnet-2"], brokers: 2 };

function problems(args: Partial<KafkaClusterArgs>) {
  return kafkaClusterProblems({ ...minimal, ...args }, now);
}

function settings(args: Partial<KafkaClusterArgs>): string[] {
  return problems(args).map((problem) => problem.setting);
}

describe("replication", () => {
  it("never asks for more copies than there are brokers, and stays writable when one is away", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 15 }), (brokers) => {
        const { factor, minimumInSync } = replicationFor(brokers);
        expect(factor).toBeLessThanOrEqual(brokers);
        expect(factor).toBe(Math.min(3, brokers));
        expect(minimumInSync).toBe(factor - 1);
      }),
    );
  });

  it("is the same for data, offsets and transactions", () => {
    const properties = brokerProperties({ factor: 3, minimumInSync: 2 }, true);
    for (const key of [
      "default.replication.factor",
      "offsets.topic.replication.factor",
      "transaction.state.log.replication.factor",
    ]) {
      expect(properties[key]).toBe("3");
    }
    expect(properties["min.insync.replicas"]).toBe("2");
    expect(properties["transaction.state.log.min.isr"]).toBe("2");
  });
});

describe("the brokers' properties", () => {
  it("make no topics by themselves and never elect a leader that lacks records", () => {
    const properties = brokerProperties({ factor: 2, minimumInSync: 1 }, true);
    expect(properties["auto.create.topics.enable"]).toBe("false");
    expect(properties["unclean.leader.election.enable"]).toBe("false");
  });

  it("let SCRAM users do what no list names only when told so", () => {
    const flag = (allow: boolean) =>
      brokerProperties({ factor: 2, minimumInSync: 1 }, allow)["allow.everyone.if.no.acl.found"];
    expect([flag(true), flag(false)]).toEqual(["true", "false"]);
  });

  it("stand on lines of their own, as MSK reads them", () => {
    expect(propertiesText({ a: "1", b: "2" })).toBe("a=1\nb=2\n");
  });
});

describe("the ARNs inside a cluster", () => {
  const cluster =
    "arn:aws:kafka:eu-central-1:123456789012:cluster/cdc-audit-dev-kafka/1f2e3d4c-5b6a-7980-8a9b-0c1d2e3f4a5b-5";

  it("carry the cluster's name and UUID", () => {
    const inside = "cdc-audit-dev-kafka/1f2e3d4c-5b6a-7980-8a9b-0c1d2e3f4a5b-5";
    expect(topicArn(cluster, "cdc.raw")).toBe(`arn:aws:kafka:eu-central-1:123456789012:topic/${inside}/cdc.raw`);
    expect(groupArn(cluster, "connect-*")).toBe(`arn:aws:kafka:eu-central-1:123456789012:group/${inside}/connect-*`);
    expect(transactionalIdArn(cluster, "t-1")).toBe(
      `arn:aws:kafka:eu-central-1:123456789012:transactional-id/${inside}/t-1`,
    );
  });

  it("keep the partition, such as GovCloud's", () => {
    const gov = cluster.replace("arn:aws:", "arn:aws-us-gov:");
    expect(topicArn(gov, "cdc.raw")).toMatch(/^arn:aws-us-gov:kafka:/);
  });

  it.each(["", "cdc.raw", cluster.replace(":cluster/", ":topic/"), `${cluster}/more`])(
    "are not made from %j",
    (arn) => {
      expect(() => topicArn(arn, "cdc.raw")).toThrow("Not the ARN of an MSK cluster");
    },
  );
});

describe("the arguments of a Kafka cluster", () => {
  it("are accepted with nothing but a place and a number of brokers", () => {
    expect(problems({})).toEqual([]);
  });

  it.each<[string, Partial<KafkaClusterArgs>]>([
    ["three zones", { subnetIds: ["subnet-1", "subnet-2", "subnet-3"], brokers: 6 }],
    ["small brokers", { instanceType: "kafka.t3.small" }],
    ["large brokers", { instanceType: "kafka.m7g.16xlarge" }],
    ["a newer Kafka", { kafkaVersion: "4.1.x.kraft" }],
    ["growing volumes", { volumeSizeGiB: 10, storageAutoscaling: { maximumGiB: 16_384, targetUtilization: 50 } }],
    ["all metrics", { monitoringLevel: "PER_TOPIC_PER_PARTITION" }],
  ])("are accepted with %s", (_, args) => {
    expect(problems(args)).toEqual([]);
  });

  it.each<[string, Partial<KafkaClusterArgs>, string]>([
    ["one broker", { brokers: 1 }, "brokers"],
    ["61 brokers", { brokers: 62 }, "brokers"],
    ["brokers that don't divide over the zones", { brokers: 3 }, "brokers"],
    ["one zone", { subnetIds: ["subnet-1"] }, "subnetIds"],
    ["four zones", { subnetIds: ["1", "2", "3", "4"], brokers: 4 }, "subnetIds"],
    ["one subnet twice", { subnetIds: ["subnet-1", "subnet-1"] }, "subnetIds"],
    ["express brokers", { instanceType: "express.m7g.large" }, "instanceType"],
    ["ZooKeeper", { kafkaVersion: "3.9.x" }, "kafkaVersion"],
    ["an exact version", { kafkaVersion: "3.9.2.kraft" }, "kafkaVersion"],
    ["a Kafka past its support", { kafkaVersion: "3.7.x.kraft" }, "kafkaVersion"],
    ["no volume", { volumeSizeGiB: 0 }, "volumeSizeGiB"],
    [
      "a volume that can't grow",
      { volumeSizeGiB: 100, storageAutoscaling: { maximumGiB: 100 } },
      "storageAutoscaling.maximumGiB",
    ],
    [
      "a threshold that AWS refuses",
      { storageAutoscaling: { maximumGiB: 200, targetUtilization: 90 } },
      "storageAutoscaling.targetUtilization",
    ],
    ["an unknown level", { monitoringLevel: "ALL" as "DEFAULT" }, "monitoringLevel"],
    ["a user name with a space", { scramUsername: "change capture" }, "scramUsername"],
    ["a topic named ..", { topics: [{ name: "..", partitions: 1 }] }, "topics[0].name"],
    ["a topic without partitions", { topics: [{ name: "a", partitions: 0 }] }, "topics[0].partitions"],
    [
      "a topic twice",
      {
        topics: [
          { name: "a", partitions: 1 },
          { name: "a", partitions: 1 },
        ],
      },
      "topics[1].name",
    ],
    [
      "a topic that could never be written",
      { topics: [{ name: "a", partitions: 1, config: { "min.insync.replicas": "3" } }] },
      'topics[0].config["min.insync.replicas"]',
    ],
  ])("are refused with %s", (_, args, setting) => {
    expect(settings(args)).toEqual([setting]);
  });

  it("propose the next number of brokers that divides over the zones", () => {
    const [problem] = problems({ subnetIds: ["1", "2", "3"], brokers: 4 });
    expect(problem?.fix).toContain("Set brokers to 6");
  });
});

describe("public access", () => {
  const access = { cidrs: ["203.0.113.7/32"], until: "2026-11-30T18:00:00Z", stage: "open" as const };
  const open = (changes: object) => settings({ subnetsArePublic: true, publicAccess: { ...access, ...changes } });

  it("is accepted for named networks and a time to come", () => {
    expect(open({})).toEqual([]);
    expect(open({ stage: "prepare", cidrs: ["203.0.113.0/24", "198.51.100.128/25"] })).toEqual([]);
    expect(open({ until: "2026-11-30T18:00+01:00" })).toEqual([]);
  });

  it.each<[string, object, string]>([
    ["nobody named", { cidrs: [] }, "publicAccess.cidrs"],
    ["everybody", { cidrs: ["0.0.0.0/0"] }, "publicAccess.cidrs"],
    ["a network wider than /24", { cidrs: ["203.0.0.0/16"] }, "publicAccess.cidrs"],
    ["an address inside its network", { cidrs: ["203.0.113.7/24"] }, "publicAccess.cidrs"],
    ["an address alone", { cidrs: ["203.0.113.7"] }, "publicAccess.cidrs"],
    ["a time that has passed", { until: "2026-11-22T11:59:59Z" }, "publicAccess.until"],
    ["a time without zone", { until: "2026-11-30T18:00:00" }, "publicAccess.until"],
    ["a day that doesn't exist", { until: "2026-13-01T00:00:00Z" }, "publicAccess.until"],
    ["more than 30 days", { until: "2026-12-23T00:00:00Z" }, "publicAccess.until"],
    ["no stage", { stage: undefined }, "publicAccess.stage"],
  ])("is refused with %s", (_, changes, setting) => {
    expect(open(changes)).toEqual([setting]);
  });

  it("explains both of its deployments when the stage is missing", () => {
    const publicAccess = { ...access, stage: undefined as unknown as "open" };
    const [problem] = problems({ subnetsArePublic: true, publicAccess });
    expect(problem?.fix).toMatch(/0\. .*operator deployed.*1\. Deploy prepare.*2\. Deploy open/);
  });

  it("ends in UTC, whatever zone its time is written in", () => {
    expect(scheduleExpression("2026-11-30T18:00:00+01:00")).toBe("at(2026-11-30T17:00:00)");
    expect(scheduleExpression("2026-11-30T18:00Z")).toBe("at(2026-11-30T18:00:00)");
  });

  it("says how to close it when its time has passed", () => {
    const publicAccess = { ...access, until: "2026-11-01T00:00:00Z" };
    const [problem] = problems({ subnetsArePublic: true, publicAccess });
    expect(problem?.fix).toContain("remove publicAccess and deploy");
  });

  it("is refused on private subnets, along with every other fault", () => {
    expect(settings({ publicAccess: { ...access, cidrs: [], until: "soon" } })).toEqual([
      "publicAccess",
      "publicAccess.cidrs",
      "publicAccess.until",
    ]);
  });
});
