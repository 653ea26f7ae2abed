import type { ComponentResourceOptions } from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { ChangeCaptureArgs } from "../../../components/change-capture";
import { tableMappings, taskSettings } from "../../../contract/change-capture";
import { texts } from "../../../recorder/values";
import { deploy, modes, outputValue, refusal } from "../support/deployment";
import { scramPassword, captureSecretArn, database, kafka, placement, waitsFor } from "../support/pipeline-arguments";

const keyArn = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

function capture(args: Partial<ChangeCaptureArgs> = {}, name = "capture") {
  return async (opts: ComponentResourceOptions) => {
    const { ChangeCapture } = await import("../../../components/change-capture");
    const { bootstrapBrokersScram, securityGroupId, scramUsername } = kafka;
    const minimal: ChangeCaptureArgs = {
      ...placement,
      source: { ...database, secretArn: captureSecretArn },
      // A plain text, as a careless author would give it.
      kafka: { bootstrapBrokersScram, securityGroupId, scramUsername, scramPassword },
      rawTopic: "cdc.raw",
      tables: [{ schema: "public", table: "orders" }],
    };
    return new ChangeCapture(name, { ...minimal, ...args }, opts);
  };
}

describe.each(modes)("a change capture in a %s", (mode) => {
  it("runs a private instance of a pinned engine", async () => {
    const { inputs } = (await deploy(capture(), { mode })).only("ReplicationInstance");
    expect(inputs).toMatchObject({
      replicationInstanceClass: "dms.t3.medium",
      engineVersion: "3.6.1",
      allocatedStorage: 50,
      multiAz: false,
      publiclyAccessible: false,
      autoMinorVersionUpgrade: false,
    });
  });

  it("sends the contract's mappings and settings, as it is and no more", async () => {
    const { inputs } = (await deploy(capture({ lobMaxSizeKilobytes: 64 }), { mode })).only("ReplicationTask");
    expect(JSON.parse(inputs.tableMappings)).toEqual(tableMappings([{ schema: "public", table: "orders" }], "cdc.raw"));
    expect(JSON.parse(inputs.replicationTaskSettings)).toEqual(taskSettings({ lobMaxSizeKilobytes: 64 }));
    expect(inputs).toMatchObject({ migrationType: "cdc", startReplicationTask: true });
  });

  it("marks a password that came in the clear as a secret wherever it goes, its own arguments included", async () => {
    const { registrations } = await deploy(capture(), { mode });
    const places = registrations.flatMap(({ name, markedInputs }) =>
      texts(markedInputs)
        .filter(({ text }) => text.includes(scramPassword))
        .map(({ secret }) => ({ name, secret })),
    );
    expect(places).toEqual([
      { name: "capture", secret: true },
      { name: "capture-target", secret: true },
    ]);
  });

  it("reads the database's credentials from Secrets Manager and holds none", async () => {
    const { inputs } = (await deploy(capture(), { mode })).only("capture-source");
    expect(inputs).toMatchObject({ engineName: "aurora-postgresql", secretsManagerArn: captureSecretArn });
    for (const setting of ["username", "password", "serverName", "port"]) expect(inputs).not.toHaveProperty(setting);
  });

  it("names every child after itself and asks AWS nothing", async () => {
    const everything = capture({ createServiceRoles: true, certificatePem: certificate });
    const { registrations, invokes } = await deploy(everything, { mode });
    for (const { name } of registrations.slice(1)) expect(name).toMatch(/^capture-/);
    expect(invokes).toEqual([]);
  });
});

const certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

describe("a change capture", () => {
  it("opens the way to the database, to Kafka's SCRAM port and to AWS, and no other", async () => {
    const { all, only } = await deploy(capture());
    const group = only("ReplicationInstance").inputs.vpcSecurityGroupIds[0];
    const rules = (type: string) =>
      all(type).map(({ inputs }) => [
        inputs.securityGroupId,
        inputs.referencedSecurityGroupId ?? inputs.cidrIpv4,
        inputs.fromPort,
        inputs.toPort,
      ]);
    expect(new Set(rules("SecurityGroupEgressRule"))).toEqual(
      new Set([
        [group, "sg-database", 5432, 5432],
        [group, "sg-kafka", 9096, 9096],
        [group, "0.0.0.0/0", 443, 443],
      ]),
    );
    expect(new Set(rules("SecurityGroupIngressRule"))).toEqual(
      new Set([
        ["sg-database", group, 5432, 5432],
        ["sg-kafka", group, 9096, 9096],
      ]),
    );
  });

  it("verifies the host only when it is given the authority to verify it with", async () => {
    const plain = await deploy(capture());
    expect(plain.only("capture-source").inputs.sslMode).toBe("require");
    expect(plain.all("Certificate")).toEqual([]);
    const verified = await deploy(capture({ certificatePem: certificate }));
    expect(verified.only("capture-source").inputs).toMatchObject({
      sslMode: "verify-full",
      certificateArn: expect.stringContaining(":cert:"),
    });
  });

  it("tells DMS another address of Secrets Manager only when there is one", async () => {
    const { only } = await deploy(capture({ secretsManagerEndpoint: "vpce-1.secretsmanager.example.com" }));
    expect(only("capture-source").inputs.extraConnectionAttributes).toBe(
      "secretsManagerEndpointOverride=vpce-1.secretsmanager.example.com",
    );
    expect((await deploy(capture())).only("capture-source").inputs).not.toHaveProperty("extraConnectionAttributes");
  });

  it("tells DMS how long a varchar without a length may be where that is not its own limit", async () => {
    const attributes = async (args: Partial<ChangeCaptureArgs>) =>
      (await deploy(capture(args))).only("capture-source").inputs.extraConnectionAttributes as unknown;
    expect(await attributes({ unboundedVarcharMaxBytes: 8000 })).toBeUndefined();
    expect(await attributes({ unboundedVarcharMaxBytes: 65_536 })).toBe("unboundedVarcharMaxSize=65536");
    expect(await attributes({ unboundedVarcharMaxBytes: 65_536, secretsManagerEndpoint: "vpce-1.example.com" })).toBe(
      "secretsManagerEndpointOverride=vpce-1.example.com;unboundedVarcharMaxSize=65536",
    );
  });

  it("stops the task before an endpoint changes", async () => {
    const { all } = await deploy(capture());
    expect(all("Endpoint").map(({ inputs }) => inputs.pauseReplicationTasks)).toEqual([true, true]);
  });

  it("gives CloudWatch and Pulumi one identifier of the task, within DMS's 31 characters", async () => {
    const { only, result } = await deploy(capture({}, "a-component-with-quite-a-long-name"), { stack: "s".repeat(20) });
    const { resourceIdentifier, replicationTaskId } = only("ReplicationTask").inputs;
    expect(resourceIdentifier).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
    expect(resourceIdentifier.length).toBeLessThanOrEqual(31);
    expect(replicationTaskId).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
    expect((await outputValue(result.taskIdentifier)).value).toBe(resourceIdentifier);
  });

  it("reads a slot of the author's own from where the author says, once", async () => {
    const { only } = await deploy(capture({ slotName: "audit_slot", cdcStartPosition: "0/1A" }));
    expect(only("capture-source").inputs.postgresSettings.slotName).toBe("audit_slot");
    expect(only("ReplicationTask").inputs.cdcStartPosition).toBe("0/1A");
    expect(only("ReplicationTask").options.ignoreChanges).toEqual(["cdcStartPosition"]);
  });

  it("reads the rows that are there already when asked to", async () => {
    expect((await deploy(capture({ fullLoad: true }))).only("ReplicationTask").inputs.migrationType).toBe(
      "full-load-and-cdc",
    );
  });

  it("has an operator test both connections before the task starts, again when their settings change", async () => {
    const tested = async (args: Partial<ChangeCaptureArgs>) => {
      const { only } = await deploy(capture({ operatorFunctionName: "operator", ...args }));
      return only("capture-connections").inputs;
    };
    const { only } = await deploy(capture({ operatorFunctionName: "operator" }));
    const { inputs } = only("capture-connections");
    expect(inputs.functionName).toBe("operator");
    expect(JSON.parse(inputs.input)).toEqual({
      action: "connections",
      replicationInstanceArn: expect.stringContaining(":rep:"),
      endpointArns: [expect.stringContaining(":endpoint:"), expect.stringContaining(":endpoint:")],
    });
    expect(waitsFor(only("ReplicationTask").options)).toEqual(["capture-connections", "capture-log"]);
    const { triggers } = inputs;
    expect((await tested({ tables: [{ schema: "public", table: "%" }] })).triggers).toEqual(triggers);
    expect((await tested({ rawTopic: "another" })).triggers).not.toEqual(triggers);
    expect((await tested({ heartbeatMinutes: 9 })).triggers).not.toEqual(triggers);
  });

  it("makes the account's roles only when asked, before anything that needs them", async () => {
    expect((await deploy(capture())).all("Role").map(({ name }) => name)).toEqual(["capture-secret-role"]);
    const { all, only } = await deploy(capture({ createServiceRoles: true }));
    expect(all("Role").map(({ inputs }) => inputs.name)).toEqual(
      expect.arrayContaining(["dms-vpc-role", "dms-cloudwatch-logs-role"]),
    );
    expect(waitsFor(only("ReplicationSubnetGroup").options)).toEqual([
      "capture-dms-cloudwatch-logs-role-policy",
      "capture-dms-vpc-role-policy",
    ]);
  });

  it.each([true, false])(
    "leaves the account's roles to others, or takes them away, as retainData: %s says",
    async (retain) => {
      const { only } = await deploy(capture({ createServiceRoles: true, retainData: retain }));
      for (const role of ["dms-vpc-role", "dms-cloudwatch-logs-role"]) {
        expect(only(`capture-${role}`).options.retainOnDelete).toBe(retain);
        expect(only(`capture-${role}-policy`).options.retainOnDelete).toBe(retain);
      }
    },
  );

  it("reads its secret as DMS of the region, with the secret's own key", async () => {
    const { only } = await deploy(capture({ source: { ...database, secretArn: captureSecretArn, keyArn } }));
    expect(only("capture-secret-role").inputs.assumeRolePolicy).toContain("dms.eu-central-1.amazonaws.com");
    const statements = JSON.parse(only("capture-secret-role-permissions").inputs.policy).Statement;
    expect(statements.map(({ Resource }: { Resource: string[] }) => Resource)).toEqual([
      [captureSecretArn],
      [keyArn],
      [keyArn],
    ]);
  });

  it("reaches everything before its instance exists, and has its log before its task", async () => {
    const { only } = await deploy(capture());
    expect(waitsFor(only("ReplicationInstance").options)).toEqual([
      "capture-to-aws",
      "capture-to-kafka-egress",
      "capture-to-kafka-ingress",
      "capture-to-source-egress",
      "capture-to-source-ingress",
    ]);
    expect(waitsFor(only("ReplicationTask").options)).toEqual(["capture-log"]);
  });

  it("keeps its task from being deleted unless told that nothing has to be kept", async () => {
    expect((await deploy(capture())).only("ReplicationTask").options).toMatchObject({
      protect: true,
      deleteBeforeReplace: true,
    });
    expect((await deploy(capture({ retainData: false }))).only("ReplicationTask").options).toMatchObject({
      protect: false,
      deleteBeforeReplace: true,
    });
  });

  it("encrypts instance, endpoints and log with the key it is given", async () => {
    const { all, only } = await deploy(capture({ kmsKeyArn: keyArn }));
    expect(all("Key")).toEqual([]);
    expect(only("ReplicationInstance").inputs.kmsKeyArn).toBe(keyArn);
    expect(all("Endpoint").map(({ inputs }) => inputs.kmsKeyArn)).toEqual([keyArn, keyArn]);
    expect(only("LogGroup").inputs).toMatchObject({ kmsKeyId: keyArn, retentionInDays: 30 });
  });

  it("refuses wrong arguments together, before it creates anything", async () => {
    const { message, asked } = await refusal(capture({ tables: [], engineVersion: "latest", heartbeatMinutes: 0 }));
    expect(message).toContain("capture can't be built as asked");
    for (const setting of ["tables", "engineVersion", "heartbeatMinutes"]) expect(message).toContain(`- ${setting} =`);
    expect(asked).toEqual(["cdc-audit:index:ChangeCapture"]);
  });
});
