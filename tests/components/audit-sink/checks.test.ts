import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AuditSinkArgs } from "../../../components/audit-sink";
import { encryptedTransportOnly } from "../../../components/audit-sink/bucket";
import { auditSinkProblems } from "../../../components/audit-sink/checks";
import { consumerGroupOf } from "../../../components/audit-sink/names";
import { pluginDigest } from "../../../components/audit-sink/plugin";
import { workerConfiguration, workerProperties } from "../../../components/audit-sink/worker-configuration";
import { problemText } from "../../../components/shared/checks";
import { sinkConnectorProperties } from "../../../contract/sink-connector";
import { evaluate } from "../../iam/evaluate";

let folder: string;
let minimal: AuditSinkArgs;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sink-plugin-"));
  const pluginPath = join(folder, "plugin.zip");
  writeFileSync(pluginPath, "first");
  minimal = {
    vpcId: "vpc-1",
    subnetIds: ["subnet-1"],
    kafka: {
      clusterArn: "arn:aws:kafka:eu-central-1:123456789012:cluster/audit/6b1f0a1e-0000-4000-8000-000000000000-5",
      bootstrapBrokersIam: "b-1.example.com:9098",
      securityGroupId: "sg-kafka",
    },
    topics: { events: "audit.events", deadLetter: "audit.dead-letter" },
    destination: {
      endpoint: "shop.cluster-abc.eu-central-1.rds.amazonaws.com",
      databaseName: "shop",
      securityGroupId: "sg-database",
      secretArn: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:writer-AbCdEf",
    },
    pluginPath,
    replicationFactor: 2,
  };
});
afterAll(() => rmSync(folder, { recursive: true }));

function settings(args: Partial<AuditSinkArgs>): string[] {
  return auditSinkProblems({ ...minimal, ...args }).map((problem) => problem.setting);
}

describe("a sink's arguments", () => {
  it("are accepted at their least", () => {
    expect(settings({})).toEqual([]);
  });

  it("name the command that builds a missing plugin", () => {
    const [problem] = auditSinkProblems({ ...minimal, pluginPath: join(folder, "missing.zip") });
    expect(problemText(problem!)).toContain("npm run build:plugin");
  });

  it.each<[string, () => Partial<AuditSinkArgs>, string[]]>([
    ["no subnet", () => ({ subnetIds: [] }), ["subnetIds"]],
    ["an impossible port", () => ({ destination: { ...minimal.destination, port: 0 } }), ["destination.port"]],
    [
      "a secret by name alone",
      () => ({ destination: { ...minimal.destination, secretArn: "audit_writer" } }),
      ["destination.secretArn"],
    ],
    ["a connector name with a dot", () => ({ connectorName: "audit.sink" }), ["connectorName"]],
    ["more tasks than partitions", () => ({ tasks: 7 }), ["tasks"]],
    ["more workers than tasks", () => ({ tasks: 2, workers: 3 }), ["workers"]],
    ["more workers than MSK Connect gives", () => ({ tasks: 20, eventsPartitions: 20, workers: 11 }), ["workers"]],
    ["a size that MSK Connect lacks", () => ({ mcusPerWorker: 3 }), ["mcusPerWorker"]],
    ["no copies", () => ({ replicationFactor: 0 }), ["replicationFactor"]],
  ])("are refused with %s", (_, args, refused) => {
    expect(settings(args())).toEqual(refused);
  });

  it("are refused for all reasons at once, the missing plugin first", () => {
    expect(settings({ pluginPath: "nowhere.zip", tasks: 0, logRetentionDays: 2 })).toEqual([
      "pluginPath",
      "tasks",
      "logRetentionDays",
    ]);
  });
});

describe("the plugin's digest", () => {
  it("changes with the content and with nothing else", () => {
    const copy = join(folder, "copy.zip");
    writeFileSync(copy, "first");
    expect(pluginDigest(copy)).toBe(pluginDigest(minimal.pluginPath));
    writeFileSync(copy, "second");
    expect(pluginDigest(copy)).not.toBe(pluginDigest(minimal.pluginPath));
  });
});

describe("the worker configuration", () => {
  /** What MSK Connect's documentation refuses, as whole names and as beginnings. */
  const refused =
    /^((access\.control|admin|client|connect|inter\.worker|internal|listeners\.https|metrics|rest|sasl|security|socket|ssl|topic\.tracking|worker)\.|(bootstrap\.servers|config\.storage\.topic|connections\.max\.idle\.ms|connector\.client\.config\.override\.policy|group\.id|listeners|metric\.reporters|plugin\.path|receive\.buffer\.bytes|response\.http\.headers\.config|scheduled\.rebalance\.max\.delay\.ms|send\.buffer\.bytes|status\.storage\.topic)$)/;

  it("sets the two mandatory converters and nothing that MSK Connect refuses", () => {
    expect(Object.keys(workerProperties)).toEqual(expect.arrayContaining(["key.converter", "value.converter"]));
    expect(Object.keys(workerProperties).filter((property) => refused.test(property))).toEqual([]);
    expect(Object.keys(workerProperties).filter((property) => /^(producer|consumer)\./.test(property))).toEqual([]);
  });

  it("is written one property a line", () => {
    const { content } = workerConfiguration();
    const lines = content.trimEnd().split("\n");
    expect(Object.fromEntries(lines.map((line) => line.split("=")))).toEqual(workerProperties);
  });
});

describe("the connector's properties", () => {
  const properties = (messageMaxBytes?: number) =>
    sinkConnectorProperties({
      topics: { events: { name: "audit.events" }, deadLetter: { name: "audit.dead-letter" } },
      destination: { host: "localhost", port: 5432, database: "shop", secretId: "writer", region: "eu-central-1" },
      deadLetterReplicationFactor: 2,
      messageMaxBytes,
    });

  it.each([
    [undefined, "16842752", "33685504"],
    [2_000_000, "2065536", "33554432"],
    [64_000_000, "64065536", "128131072"],
  ])(
    "let the dead-letter producer send the largest record of %s bytes, and hold two of them",
    (messageMaxBytes, largest, buffer) => {
      expect(properties(messageMaxBytes)).toMatchObject({
        "producer.override.max.request.size": largest,
        "producer.override.buffer.memory": buffer,
      });
    },
  );

  it("let the clients reconnect no faster than MSK admits them", () => {
    expect(properties()).toMatchObject({
      "consumer.override.reconnect.backoff.ms": "1000",
      "producer.override.reconnect.backoff.ms": "1000",
    });
  });
});

describe("the consumer group", () => {
  it("is what Kafka Connect makes of the connector's name", () => {
    expect(consumerGroupOf("audit-sink")).toBe("connect-audit-sink");
  });
});

describe("the plugin's bucket", () => {
  const policy = encryptedTransportOnly("arn:aws:s3:::plugins");
  const call = (secure: string) => ({
    action: "s3:GetObject",
    resource: "arn:aws:s3:::plugins/audit-sink-plugin.zip",
    principal: { AWS: "arn:aws:iam::123456789012:role/deployer" },
    context: { "aws:SecureTransport": secure },
  });

  it("denies plain HTTP to everybody and leaves the rest to IAM", () => {
    expect(evaluate([policy], call("false"))).toBe("denied");
    expect(evaluate([policy], call("true"))).toBe("not allowed");
  });
});
