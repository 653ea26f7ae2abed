import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChangeCaptureArgs, SourceDatabaseArgs } from "../../../components/change-capture";
import { changeCaptureProblems } from "../../../components/change-capture/checks";
import { sourceSettings, targetSettings } from "../../../components/change-capture/endpoint-settings";

const now = new Date("2026-11-22T12:00:00Z");

const minimal: ChangeCaptureArgs = {
  vpcId: "vpc-1",
  subnetIds: ["subnet-1", "subnet-2"],
  source: {
    endpoint: "shop.cluster-abc.eu-central-1.rds.amazonaws.com",
    databaseName: "shop",
    securityGroupId: "sg-database",
    secretArn: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:capture-AbCdEf",
  },
  kafka: {
    bootstrapBrokersScram: "b-1.example.com:9096",
    securityGroupId: "sg-kafka",
    scramUsername: "change-capture",
    scramPassword: "correct-horse",
  },
  rawTopic: "cdc.raw",
  tables: [{ schema: "public", table: "orders" }],
};

function settings(args: Partial<ChangeCaptureArgs>): string[] {
  return changeCaptureProblems({ ...minimal, ...args }, now).map((problem) => problem.setting);
}

function source(args: Partial<SourceDatabaseArgs>): Partial<ChangeCaptureArgs> {
  return { source: { ...minimal.source, ...args } };
}

const excluding = (table: string) => ({ schema: "public", table, exclude: true });

describe("a change capture's arguments", () => {
  it("are accepted at their least", () => {
    expect(changeCaptureProblems(minimal)).toEqual([]);
  });

  it("are accepted with every choice made", () => {
    expect(
      settings({
        ...source({ port: 5433, postgresVersion: "17.5" }),
        messageMaxBytes: 1_000_000,
        lobMaxSizeKilobytes: 400,
        unboundedVarcharMaxBytes: 400_000,
        engineVersion: "3.6.1",
        instanceClass: "dms.r6i.2xlarge",
        allocatedStorageGiB: 6144,
        multiAz: true,
        maintenanceWindow: "sun:03:00-sun:04:30",
        heartbeatMinutes: 1,
        slotName: "audit_slot",
        cdcStartPosition: "00000002/7C007178",
        certificatePem: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        logRetentionDays: 90,
      }),
    ).toEqual([]);
  });

  it.each<[string, Partial<ChangeCaptureArgs>, string[]]>([
    ["one subnet", { subnetIds: ["subnet-1"] }, ["subnetIds"]],
    ["one subnet twice", { subnetIds: ["subnet-1", "subnet-1"] }, ["subnetIds"]],
    ["the readers", source({ endpoint: "shop.cluster-ro-abc.eu-central-1.rds.amazonaws.com" }), ["source.endpoint"]],
    ["a proxy", source({ endpoint: "shop.proxy-abc.eu-central-1.rds.amazonaws.com" }), ["source.endpoint"]],
    ["an impossible port", source({ port: 70_000 }), ["source.port"]],
    ["PostgreSQL 18, which DMS can't read", source({ postgresVersion: "18.1" }), ["source.postgresVersion"]],
    [
      "a version that DMS is said not to read",
      { ...source({ postgresVersion: "15.4" }), postgresVersions: [16, 17] },
      ["source.postgresVersion"],
    ],
    ["no version at all", { postgresVersions: [] }, ["postgresVersions"]],
    ["a version that the pipeline is not made for", { postgresVersions: [17, 19] }, ["postgresVersions"]],
    ["a version twice", { postgresVersions: [17, 17] }, ["postgresVersions"]],
    ["an engine too old for 17", { ...source({ postgresVersion: "17" }), engineVersion: "3.5.4" }, ["engineVersion"]],
    ["an engine without its patch", { engineVersion: "3.6" }, ["engineVersion"]],
    ["an engine that has ended", { engineVersion: "3.5.3" }, ["engineVersion"]],
    ["a class of another service", { instanceClass: "db.r6i.large" }, ["instanceClass"]],
    ["a size that its family lacks", { instanceClass: "dms.t3.2xlarge" }, ["instanceClass"]],
    ["a family that DMS never had", { instanceClass: "dms.m5.large" }, ["instanceClass"]],
    ["too little storage", { allocatedStorageGiB: 4 }, ["allocatedStorageGiB"]],
    ["a window without a day", { maintenanceWindow: "03:00-04:00" }, ["maintenanceWindow"]],
    ["a window of ten minutes", { maintenanceWindow: "sun:03:00-sun:03:10" }, ["maintenanceWindow"]],
    ["no heartbeat", { heartbeatMinutes: 0 }, ["heartbeatMinutes"]],
    ["a slot without a position", { slotName: "audit_slot" }, ["cdcStartPosition"]],
    ["a position without a slot", { cdcStartPosition: "0/1" }, ["slotName"]],
    ["a position and a full load", { slotName: "s", cdcStartPosition: "0/1", fullLoad: true }, ["fullLoad"]],
    ["a slot that PostgreSQL can't name", { slotName: "Audit-Slot", cdcStartPosition: "0/1" }, ["slotName"]],
    ["a LOB that fits a message once but not twice", { lobMaxSizeKilobytes: 8192 }, ["messageMaxBytes"]],
    ["a varchar that fits a message once but not twice", { unboundedVarcharMaxBytes: 8_388_608 }, ["messageMaxBytes"]],
    [
      "a varchar that DMS can't be told to take",
      { unboundedVarcharMaxBytes: 10_485_761 },
      ["unboundedVarcharMaxBytes"],
    ],
    ["something that is not a certificate", { certificatePem: "rds-ca-2019" }, ["certificatePem"]],
    ["a retention CloudWatch lacks", { logRetentionDays: 31 }, ["logRetentionDays"]],
    ["no table", { tables: [] }, ["tables"]],
    ["all schemas", { tables: [{ schema: "%", table: "%" }] }, ["tables[0].schema"]],
    ["the audit log itself", { tables: [{ schema: "audit", table: "events" }] }, ["tables[0].schema"]],
    ["the signals", { tables: [{ schema: "capture", table: "%" }] }, ["tables[0].schema"]],
    ["a quoted name", { tables: [{ schema: "public", table: '"Orders"' }] }, ["tables[0]"]],
    ["a name with a space after it", { tables: [{ schema: "public", table: "orders " }] }, ["tables[0]"]],
    ["a table twice", { tables: [...minimal.tables, ...minimal.tables] }, ["tables[1]"]],
    ["a table and its own exclusion", { tables: [...minimal.tables, excluding("orders")] }, ["tables[1]"]],
    ["an exclusion alone", { tables: [excluding("orders")] }, ["tables"]],
    ["a table that a pattern excludes", { tables: [...minimal.tables, excluding("o%")] }, ["tables[0]"]],
    [
      "a pattern that another excludes altogether",
      { tables: [...minimal.tables, { schema: "public", table: "log_%" }, excluding("log%")] },
      ["tables[1]"],
    ],
    [
      "an exclusion in a schema that is never captured",
      { tables: [...minimal.tables, { schema: "audit", table: "%", exclude: true }] },
      ["tables[1].schema"],
    ],
  ])("are refused with %s", (_, args, refused) => {
    expect(settings(args)).toEqual(refused);
  });

  it("are accepted with PostgreSQL 18 once DMS is said to read it", () => {
    expect(settings({ ...source({ postgresVersion: "18.1" }), postgresVersions: [17, 18] })).toEqual([]);
  });

  it("take names that are patterns to others, and exclusions from a pattern", () => {
    const names = ["user_keys", "a[b]c", "two words", "back\\slash", "100%", "%"];
    const tables = names.map((table) => ({ schema: "tenant_1", table }));
    expect(settings({ tables: [...tables, { schema: "tenant_1", table: "flyway%", exclude: true }] })).toEqual([]);
  });

  it("are refused for all reasons at once", () => {
    expect(settings({ subnetIds: [], tables: [], engineVersion: "latest", heartbeatMinutes: 61 })).toEqual([
      "subnetIds",
      "tables",
      "engineVersion",
      "heartbeatMinutes",
    ]);
  });

  it("are left to AWS where they become known only while deploying", () => {
    const later = pulumi.output("whatever") as pulumi.Output<never>;
    expect(
      settings({
        ...source({ endpoint: later, port: later, postgresVersion: later }),
        subnetIds: later,
        messageMaxBytes: later,
        engineVersion: later,
        certificatePem: later,
      }),
    ).toEqual([]);
  });

  it("never show a certificate's text in a message", () => {
    const [problem] = changeCaptureProblems({ ...minimal, certificatePem: "-----BEGIN PRIVATE KEY-----" });
    expect(JSON.stringify(problem)).not.toContain("PRIVATE KEY");
  });

  it("take any engine from the first that reads the database's version, but for those that have ended", () => {
    const version = fc.tuple(
      fc.integer({ min: 3, max: 4 }),
      fc.integer({ min: 0, max: 9 }),
      fc.integer({ max: 9, min: 0 }),
    );
    const ended = ["3.5.1", "3.5.2", "3.5.3", "3.6.0"];
    fc.assert(
      fc.property(
        version,
        fc.constantFrom<[string, number[]]>(["15", [3, 5, 1]], ["16", [3, 5, 3]], ["17", [3, 6, 1]]),
        (engine, [postgresVersion, first]) => {
          const number = (parts: number[]) => parts.reduce((sum, part) => sum * 100 + part, 0);
          const refused = settings({ ...source({ postgresVersion }), engineVersion: engine.join(".") });
          const taken = number(engine) >= number(first) && !ended.includes(engine.join("."));
          expect(refused).toEqual(taken ? [] : ["engineVersion"]);
        },
      ),
      {
        examples: [
          [
            [3, 5, 3],
            ["15", [3, 5, 1]],
          ],
          [
            [3, 5, 4],
            ["16", [3, 5, 3]],
          ],
        ],
      },
    );
  });

  it.each([
    ["15", "3.4.7"],
    ["16", "3.5.1"],
    ["16", "3.5.3"],
    ["17", "3.5.4"],
  ])(
    "name, for PostgreSQL %s and engine %s, an engine that can still be had and reads it",
    (postgresVersion, engineVersion) => {
      const args = { ...minimal, ...source({ postgresVersion }), engineVersion };
      const [problem, ...others] = changeCaptureProblems(args, now);
      expect(others).toEqual([]);
      expect(problem?.fix).toMatch(/^Set engineVersion to 3\.6\.1\./);
    },
  );
});

describe("the source endpoint", () => {
  it("reads old values, writes heartbeats and refuses to cut large values", () => {
    expect(sourceSettings(minimal)).toEqual({
      pluginName: "test-decoding",
      captureDdls: false,
      failTasksOnLobTruncation: true,
      heartbeatEnable: true,
      heartbeatFrequency: 5,
      heartbeatSchema: "capture_heartbeat",
      slotName: undefined,
    });
  });
});

describe("the target endpoint", () => {
  it("logs in with SCRAM over TLS and writes records of the contract's format", () => {
    expect(targetSettings(minimal)).toMatchObject({
      broker: "b-1.example.com:9096",
      securityProtocol: "sasl-ssl",
      saslMechanism: "scram-sha-512",
      messageFormat: "json-unformatted",
      includeTransactionDetails: true,
      includePartitionValue: true,
      partitionIncludeSchemaTable: true,
      includeNullAndEmpty: true,
      messageMaxBytes: 16_777_216,
    });
  });
});
