import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { auroraPostgresProblems } from "../../../components/aurora-postgres/checks";
import {
  captureParameters,
  forbiddenParameters,
  parameterFamily,
} from "../../../components/aurora-postgres/parameters";
import type { AuroraPostgresArgs } from "../../../components/aurora-postgres/types";

const minimal: AuroraPostgresArgs = { vpcId: "vpc-1", subnetIds: ["subnet-1", "subnet-2"] };

function problems(args: Partial<AuroraPostgresArgs>): string[] {
  return auroraPostgresProblems({ ...minimal, ...args }).map((problem) => problem.setting);
}

function parameter(name: string): string {
  const found = captureParameters.find((each) => each.name === name);
  if (!found) throw new Error(`No parameter ${name}`);
  return found.value;
}

describe("the parameters that the capture needs", () => {
  it("are each set once", () => {
    const names = captureParameters.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it("apply at a restart where PostgreSQL asks for one, or AWS would refuse them", () => {
    const atRestart = captureParameters.filter(({ applyMethod }) => applyMethod === "pending-reboot");
    expect(atRestart.map(({ name }) => name).sort()).toEqual([
      "max_logical_replication_workers",
      "max_replication_slots",
      "max_wal_senders",
      "max_worker_processes",
      "rds.logical_replication",
    ]);
  });

  it("leave a WAL sender for every replication slot", () => {
    expect(Number(parameter("max_wal_senders"))).toBeGreaterThanOrEqual(Number(parameter("max_replication_slots")));
  });

  it("leave a worker for logical replication, autovacuum and parallel queries together on 192 vCPUs", () => {
    const vCpus = 192;
    const autovacuum = Math.max(3, Math.floor((vCpus * 8 * 2 ** 30) / 64_371_566_592));
    const parallel = Math.max(8, vCpus / 2);
    const needed = Number(parameter("max_logical_replication_workers")) + autovacuum + parallel;
    expect(Number(parameter("max_worker_processes"))).toBeGreaterThanOrEqual(needed);
  });

  it("keep the WAL sender's timeout within what DMS accepts", () => {
    const timeout = Number(parameter("wal_sender_timeout"));
    expect(timeout).toBeGreaterThanOrEqual(10_000);
    expect(timeout).toBeLessThan(300_000);
  });

  it("never limit how much WAL a lagging slot keeps", () => {
    expect(captureParameters.map(({ name }) => name)).not.toContain("max_slot_wal_keep_size");
  });

  it("belong to the family of the engine's major version", () => {
    expect(["15", "16.4", "17.5"].map(parameterFamily)).toEqual([
      "aurora-postgresql15",
      "aurora-postgresql16",
      "aurora-postgresql17",
    ]);
  });
});

describe("the arguments of a database", () => {
  it("are accepted with nothing but a place", () => {
    expect(auroraPostgresProblems(minimal)).toEqual([]);
  });

  it.each<[string, Partial<AuroraPostgresArgs>]>([
    ["a minor version", { engineVersion: "15.10" }],
    ["PostgreSQL 18, which may be no source", { engineVersion: "18" }],
    ["a provisioned class", { instanceClass: "db.r7g.16xlarge", readers: 15 }],
    ["a class that came after this was written", { instanceClass: "db.r9g.large" }],
    ["windows apart", { backupWindow: "01:00-01:30", maintenanceWindow: "sun:01:30-sun:02:00" }],
    ["a backup over midnight", { backupWindow: "23:50-00:20", maintenanceWindow: "sun:00:20-sun:01:00" }],
    ["the whole range of capacity", { serverless: { minimumCapacity: 0.5, maximumCapacity: 256 } }],
    ["a fixed capacity", { serverless: { minimumCapacity: 2, maximumCapacity: 2 } }],
    ["a maintenance window", { maintenanceWindow: "sun:23:30-mon:00:30" }],
    ["kept logs", { logRetentionDays: 3653 }],
  ])("are accepted with %s", (_, args) => {
    expect(problems(args)).toEqual([]);
  });

  it.each<[string, Partial<AuroraPostgresArgs>, string]>([
    ["one subnet", { subnetIds: ["subnet-1"] }, "subnetIds"],
    ["PostgreSQL 14", { engineVersion: "14.12" }, "engineVersion"],
    ["PostgreSQL 19", { engineVersion: "19" }, "engineVersion"],
    ["pausing", { serverless: { minimumCapacity: 0 } }, "serverless.minimumCapacity"],
    ["a step of a quarter", { serverless: { minimumCapacity: 0.75 } }, "serverless.minimumCapacity"],
    ["too little at most", { serverless: { maximumCapacity: 0.5 } }, "serverless.maximumCapacity"],
    ["too much", { serverless: { maximumCapacity: 256.5 } }, "serverless.maximumCapacity"],
    [
      "a minimum above the maximum",
      { serverless: { minimumCapacity: 8, maximumCapacity: 4 } },
      "serverless.maximumCapacity",
    ],
    ["both kinds of capacity", { serverless: {}, instanceClass: "db.r7g.large" }, "instanceClass"],
    ["the serverless class by name", { instanceClass: "db.serverless" }, "instanceClass"],
    ["an EC2 class", { instanceClass: "r7g.large" }, "instanceClass"],
    ["a class of RDS that Aurora lacks", { instanceClass: "db.t3.micro" }, "instanceClass"],
    ["its Graviton form", { instanceClass: "db.t4g.micro" }, "instanceClass"],
    ["a general-purpose class", { instanceClass: "db.m6g.large" }, "instanceClass"],
    ["a size that the family lacks", { instanceClass: "db.r7g.24xlarge" }, "instanceClass"],
    ["16 readers", { readers: 16 }, "readers"],
    ["half a reader", { readers: 0.5 }, "readers"],
    ["PostgreSQL's own database", { databaseName: "postgres" }, "databaseName"],
    ["a name with a hyphen", { databaseName: "my-app" }, "databaseName"],
    ["no backups", { backupRetentionDays: 0 }, "backupRetentionDays"],
    ["36 days of backups", { backupRetentionDays: 36 }, "backupRetentionDays"],
    ["a window without days", { maintenanceWindow: "03:00-04:00" }, "maintenanceWindow"],
    ["a window of ten minutes", { maintenanceWindow: "sun:03:00-sun:03:10" }, "maintenanceWindow"],
    ["a window without length", { maintenanceWindow: "sun:03:00-sun:03:00" }, "maintenanceWindow"],
    ["a window that ends before it starts", { maintenanceWindow: "sun:04:00-sun:03:00" }, "maintenanceWindow"],
    ["a short backup window", { backupWindow: "01:00-01:20" }, "backupWindow"],
    ["a backup window with a day", { backupWindow: "sun:01:00-sun:02:00" }, "backupWindow"],
    [
      "a backup during maintenance",
      { backupWindow: "01:00-01:31", maintenanceWindow: "sun:01:30-sun:02:00" },
      "backupWindow",
    ],
    [
      "a backup over midnight during maintenance over the week's end",
      { backupWindow: "23:50-00:20", maintenanceWindow: "sun:23:00-mon:00:00" },
      "backupWindow",
    ],
    ["an unknown insight", { databaseInsights: "full" as "advanced" }, "databaseInsights"],
    ["a retention that CloudWatch lacks", { logRetentionDays: 10 }, "logRetentionDays"],
  ])("are refused with %s", (_, args, setting) => {
    expect(problems(args)).toEqual([setting]);
  });

  it("may not overrule a parameter that the capture depends on", () => {
    for (const name of [...captureParameters.map((each) => each.name), ...forbiddenParameters]) {
      expect(problems({ parameters: [{ name, value: "1" }] })).toEqual(["parameters[0].name"]);
    }
    expect(problems({ parameters: [{ name: "log_min_duration_statement", value: "500" }] })).toEqual([]);
  });

  it("may not overrule such a parameter in another spelling, which AWS takes for the same", () => {
    const parameters = [
      { name: "WAL_SENDER_TIMEOUT", value: "1000" },
      { name: " Max_Slot_Wal_Keep_Size", value: "1024" },
      { name: "Idle_Replication_Slot_Timeout", value: "1h" },
    ];
    expect(problems({ parameters })).toEqual(["parameters[0].name", "parameters[1].name", "parameters[2].name"]);
  });

  it("name each parameter once, in whatever spelling", () => {
    const parameters = [
      { name: "log_statement", value: "ddl" },
      { name: "log_statement", value: "all" },
      { name: "LOG_Statement", value: "none" },
    ];
    expect(problems({ parameters })).toEqual(["parameters[1].name", "parameters[2].name"]);
    const [problem] = auroraPostgresProblems({ ...minimal, parameters });
    expect(problem?.allowed).toContain("parameters[0]");
  });

  it("say of a static parameter that it needs a restart, unless that is known only later", () => {
    const preload = { name: "Shared_Preload_Libraries", value: "pg_cron" };
    expect(problems({ parameters: [preload] })).toEqual(["parameters[0].needsRestart"]);
    expect(problems({ parameters: [{ ...preload, needsRestart: false }] })).toEqual(["parameters[0].needsRestart"]);
    expect(problems({ parameters: [{ ...preload, needsRestart: true }] })).toEqual([]);
    expect(problems({ parameters: [{ ...preload, needsRestart: pulumi.output(false) }] })).toEqual([]);
  });

  it("know which version takes a parameter while it runs", () => {
    const parameters = [{ name: "autovacuum_max_workers", value: "5" }];
    expect(problems({ parameters })).toEqual(["parameters[0].needsRestart"]);
    expect(problems({ parameters, engineVersion: "17.5" })).toEqual(["parameters[0].needsRestart"]);
    expect(problems({ parameters, engineVersion: "18.3" })).toEqual([]);
    expect(problems({ parameters, engineVersion: pulumi.output("17") })).toEqual([]);
    expect(problems({ parameters: [{ name: "file_copy_method", value: "clone" }], engineVersion: "18" })).toEqual([]);
  });

  it("accept exactly the capacities in steps of a half", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 256, noNaN: true }), (minimumCapacity) => {
        const accepted = problems({ serverless: { minimumCapacity } }).length === 0;
        expect(accepted).toBe(minimumCapacity % 0.5 === 0);
      }),
      { examples: [[0.5], [1.5], [256], [0.6]] },
    );
  });
});
