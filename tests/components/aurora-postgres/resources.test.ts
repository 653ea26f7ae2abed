import type { ComponentResourceOptions } from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { AuroraPostgresArgs } from "../../../components/aurora-postgres";
import { isUnknown } from "../../../recorder/values";
import { dependencyNames, deploy, modes, outputValue, refusal } from "../support/deployment";

function database(args: Partial<AuroraPostgresArgs> = {}) {
  return async (opts: ComponentResourceOptions) => {
    const { AuroraPostgres } = await import("../../../components/aurora-postgres");
    return new AuroraPostgres("database", { vpcId: "vpc-1", subnetIds: ["subnet-1", "subnet-2"], ...args }, opts);
  };
}

describe.each(modes)("a database in a %s", (mode) => {
  it("turns logical replication on from its first start", async () => {
    const { only } = await deploy(database(), { mode });
    const { inputs } = only("ClusterParameterGroup");
    expect(inputs.family).toBe("aurora-postgresql17");
    expect(inputs.parameters).toContainEqual({
      name: "rds.logical_replication",
      value: "1",
      applyMethod: "pending-reboot",
    });
    expect(inputs.parameters).toContainEqual({ name: "rds.force_ssl", value: "1", applyMethod: "immediate" });
  });

  it("is encrypted with a key of its own, as are its secret, insights and log", async () => {
    const { only } = await deploy(database(), { mode });
    const { inputs } = only("database-cluster");
    const keys = [inputs.kmsKeyId, inputs.masterUserSecretKmsKeyId, inputs.performanceInsightsKmsKeyId];
    keys.push(only("LogGroup").inputs.kmsKeyId);
    if (mode === "preview") expect(keys.every(isUnknown)).toBe(true);
    else expect(new Set(keys)).toEqual(new Set([expect.stringMatching(/^arn:aws:kms:/)]));
    expect(inputs.storageEncrypted).toBe(true);
    expect(only("Key").inputs.enableKeyRotation).toBe(true);
  });

  it("never holds a password: RDS makes and keeps the master's", async () => {
    const { inputs } = (await deploy(database(), { mode })).only("database-cluster");
    expect(inputs.manageMasterUserPassword).toBe(true);
    expect(inputs).not.toHaveProperty("masterPassword");
    expect(inputs.iamDatabaseAuthenticationEnabled).toBe(true);
  });

  it("makes the log group before RDS would, under the name that RDS writes to", async () => {
    const { only } = await deploy(database(), { mode });
    const { clusterIdentifier, enabledCloudwatchLogsExports } = only("database-cluster").inputs;
    expect(enabledCloudwatchLogsExports).toEqual(["postgresql"]);
    expect(only("LogGroup").inputs).toMatchObject({
      name: `/aws/rds/cluster/${clusterIdentifier}/postgresql`,
      retentionInDays: 30,
    });
    const dependencies = [only("database-cluster").options.dependsOn].flat() as { __name?: string }[];
    expect(dependencies.map((resource) => resource.__name)).toEqual(["database-log"]);
  });

  it("admits nobody", async () => {
    const { all, only } = await deploy(database(), { mode });
    expect(all("SecurityGroupIngressRule")).toEqual([]);
    expect(only("SecurityGroup").inputs).not.toHaveProperty("ingress");
    expect(only("ClusterInstance").inputs.publiclyAccessible).toBe(false);
  });

  it("names every child after itself", async () => {
    const { registrations } = await deploy(database({ readers: 2 }), { mode });
    for (const { name } of registrations.slice(1)) expect(name).toMatch(/^database-/);
  });
});

describe("a database", () => {
  it("is safe unless told otherwise: protected, backed up, with a last snapshot", async () => {
    const { only } = await deploy(database());
    const { inputs } = only("database-cluster");
    expect(inputs).toMatchObject({
      deletionProtection: true,
      backupRetentionPeriod: 7,
      skipFinalSnapshot: false,
      deleteAutomatedBackups: false,
      copyTagsToSnapshot: true,
    });
    expect(only("database-cluster").options.protect).toBe(true);
    expect(only("database-key").options.protect).toBe(true);
    expect(inputs.finalSnapshotIdentifier).toMatch(/^cdc-audit-dev-database-final-[0-9a-f]{7}-[0-9a-f]{8}$/);
  });

  it("leaves nothing behind when that is asked for", async () => {
    const { all, only } = await deploy(database({ retainData: false }));
    const { inputs } = only("database-cluster");
    expect(inputs).toMatchObject({
      deletionProtection: false,
      skipFinalSnapshot: true,
      deleteAutomatedBackups: true,
    });
    expect(inputs).not.toHaveProperty("finalSnapshotIdentifier");
    expect(only("database-cluster").options.protect).toBe(false);
    expect(all("RandomId")).toEqual([]);
  });

  it("can't be replaced by a change: a second cluster would need the first one's name", async () => {
    const { options } = (await deploy(database())).only("database-cluster");
    expect(options.deleteBeforeReplace).toBe(false);
    expect(options.ignoreChanges).toEqual(["clusterIdentifier", "engineVersion"]);
  });

  it("is serverless at Aurora's floor by default", async () => {
    const { only } = await deploy(database());
    expect(only("database-cluster").inputs.serverlessv2ScalingConfiguration).toEqual({
      minCapacity: 0.5,
      maxCapacity: 4,
    });
    expect(only("ClusterInstance").inputs.instanceClass).toBe("db.serverless");
  });

  it("builds provisioned writer and readers of one class", async () => {
    const { all, only } = await deploy(database({ instanceClass: "db.r7g.large", readers: 2 }));
    const instances = all("ClusterInstance").map(({ inputs }) => [inputs.instanceClass, inputs.promotionTier]);
    expect(instances).toEqual([
      ["db.r7g.large", 0],
      ["db.r7g.large", 1],
      ["db.r7g.large", 1],
    ]);
    expect(only("database-cluster").inputs).not.toHaveProperty("serverlessv2ScalingConfiguration");
  });

  it("keeps load history as long as its mode of Database Insights asks for", async () => {
    const advanced = (await deploy(database({ databaseInsights: "advanced" }))).only("database-cluster").inputs;
    expect(advanced).toMatchObject({ databaseInsightsMode: "advanced", performanceInsightsRetentionPeriod: 465 });
    const standard = (await deploy(database())).only("database-cluster").inputs;
    expect(standard).toMatchObject({ databaseInsightsMode: "standard", performanceInsightsRetentionPeriod: 7 });
  });

  it("takes parameters of one's own beside those of the capture", async () => {
    const parameters = [
      { name: "shared_preload_libraries", value: "pg_stat_statements,pgaudit", needsRestart: true },
      { name: "log_min_duration_statement", value: "500" },
    ];
    const { inputs } = (await deploy(database({ parameters }))).only("ClusterParameterGroup");
    expect(inputs.parameters.slice(-2)).toEqual([
      { name: "shared_preload_libraries", value: "pg_stat_statements,pgaudit", applyMethod: "pending-reboot" },
      { name: "log_min_duration_statement", value: "500", applyMethod: "immediate" },
    ]);
  });

  it("uses a key that it is given and makes none", async () => {
    const kmsKeyArn = "arn:aws:kms:eu-central-1:123456789012:key/mine";
    const { all, only, result } = await deploy(database({ kmsKeyArn }));
    expect(all("Key")).toEqual([]);
    expect(only("database-cluster").inputs.kmsKeyId).toBe(kmsKeyArn);
    expect((await outputValue(result.keyArn)).value).toBe(kmsKeyArn);
  });

  it("tells how to reach it and where its secret is", async () => {
    const { result } = await deploy(database());
    expect((await outputValue(result.endpoint)).value).toMatch(/\.rds\.amazonaws\.com$/);
    expect((await outputValue(result.port)).value).toBe(5432);
    expect((await outputValue(result.databaseName)).value).toBe("app");
    expect((await outputValue(result.masterSecretArn)).value).toMatch(/^arn:aws:secretsmanager:/);
    expect((await outputValue(result.instanceIdentifiers)).value).toHaveLength(1);
  });

  it("has no endpoint before its instances exist", async () => {
    const { result } = await deploy(database({ readers: 1 }));
    for (const endpoint of [result.endpoint, result.readerEndpoint]) {
      expect(await dependencyNames(endpoint)).toEqual(
        expect.arrayContaining(["database-instance-0", "database-instance-1"]),
      );
    }
  });

  it("refuses wrong arguments, all at once and before it creates anything", async () => {
    const { message, asked } = await refusal(
      database({ engineVersion: "14.1", backupRetentionDays: 0, databaseName: "1st", subnetIds: ["subnet-1"] }),
    );
    for (const setting of ["engineVersion", "backupRetentionDays", "databaseName", "subnetIds"]) {
      expect(message).toContain(`${setting} = `);
    }
    expect(asked).toEqual(["cdc-audit:index:AuroraPostgres"]);
  });
});

describe("two databases", () => {
  it("of two stacks have different names in AWS", async () => {
    const identifiers: string[] = [];
    for (const stack of ["dev", "prod"]) {
      identifiers.push((await deploy(database(), { stack })).only("database-cluster").inputs.clusterIdentifier);
    }
    expect(new Set(identifiers).size).toBe(2);
  });
});
