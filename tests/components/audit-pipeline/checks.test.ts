import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AuditPipelineArgs } from "../../../components/audit-pipeline";
import { auditPipelineProblems } from "../../../components/audit-pipeline/checks";
import { problemText } from "../../../components/shared/checks";
import { pipelineReviewArguments as review } from "../support/pipeline-arguments";

let folder: string;
let minimal: AuditPipelineArgs;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pipeline-plugin-"));
  const pluginPath = join(folder, "plugin.zip");
  writeFileSync(pluginPath, "plugin");
  const bundlePath = join(folder, "operator.zip");
  writeFileSync(bundlePath, "operator");
  minimal = {
    sourceId: "shop",
    vpcId: "vpc-1",
    subnetIds: ["subnet-1", "subnet-2"],
    source: {
      endpoint: "shop.cluster-abc.eu-central-1.rds.amazonaws.com",
      databaseName: "shop",
      securityGroupId: "sg-database",
      adminSecretArn: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!cluster-admin-AbCdEf",
    },
    kafka: {
      clusterArn: "arn:aws:kafka:eu-central-1:123456789012:cluster/audit/6b1f0a1e-0000-4000-8000-000000000000-5",
      bootstrapBrokersIam: "b-1.example.com:9098",
      bootstrapBrokersScram: "b-1.example.com:9096",
      securityGroupId: "sg-kafka",
      scramUsername: "change-capture",
      scramPassword: "correct-horse",
      replicationFactor: 2,
    },
    tables: [{ schema: "public", table: "orders" }],
    transformer: { imageUri: `transformer@sha256:${"0".repeat(64)}` },
    sink: { pluginPath },
    operator: { bundlePath },
  };
});
afterAll(() => rmSync(folder, { recursive: true }));

function settings(args: Partial<AuditPipelineArgs>): string[] {
  return auditPipelineProblems({ ...minimal, ...args }).map((problem) => problem.setting);
}

describe("a pipeline's arguments", () => {
  it("are accepted at their least", () => {
    expect(settings({})).toEqual([]);
    expect(settings({ review })).toEqual([]);
  });

  it.each<[string, () => Partial<AuditPipelineArgs>, string[]]>([
    ["the transformer's", () => ({ transformer: { ...minimal.transformer, cpu: 3 } }), ["transformer.cpu"]],
    ["the sink's", () => ({ sink: { ...minimal.sink, workers: 0 } }), ["sink.workers"]],
    ["the capture's", () => ({ capture: { engineVersion: "latest" } }), ["capture.engineVersion"]],
    [
      "the alarms'",
      () => ({ alarms: { email: "on-call", latencySeconds: 1 } }),
      ["alarms.email", "alarms.latencySeconds"],
    ],
    ["the topics'", () => ({ topics: { eventsPartitions: 0 } }), ["topics.eventsPartitions"]],
    ["the source's", () => ({ source: { ...minimal.source, port: 0 } }), ["source.port"]],
    ["the destination's", () => ({ destination: { ...minimal.source, port: 0 } }), ["destination.port"]],
    [
      "the operator's",
      () => ({ operator: { ...minimal.operator, reservedConcurrency: 0, canaryIntervalMinutes: 61 } }),
      ["operator.reservedConcurrency", "operator.canaryIntervalMinutes"],
    ],
    [
      "the administrators'",
      () => ({ source: { ...minimal.source, adminSecretArn: "admin" } }),
      ["source.adminSecretArn"],
    ],
    [
      "the brokers'",
      () => ({ kafka: { ...minimal.kafka, publicAccessUntil: "tomorrow" } }),
      ["kafka.publicAccessUntil"],
    ],
    [
      "the page's",
      () => ({ review: { ...review, clientCidrs: ["0.0.0.0/0"], oidc: undefined, groups: [] } }),
      ["review.clientCidrs", "review.oidc", "review.groups"],
    ],
    ["the tables'", () => ({ tables: [{ schema: "audit", table: "events" }] }), ["tables[0].schema"]],
  ])("are named as the pipeline's author wrote them when a part refuses %s", (_, args, refused) => {
    const problems = auditPipelineProblems({ ...minimal, ...args() });
    expect(problems.map((problem) => problem.setting)).toEqual(refused);
    for (const { setting, fix } of problems.filter((problem) => problem.fix.startsWith("Set "))) {
      expect(fix).toContain(setting);
    }
  });

  it("are refused once, however many parts share the setting", () => {
    expect(settings({ logRetentionDays: 2, review })).toEqual(["logRetentionDays"]);
    expect(settings({ sourceId: "my shop" })).toEqual(["sourceId"]);
  });

  it("name what has to be built before anything else", () => {
    const refused = settings({
      tables: [],
      transformer: {},
      sink: { pluginPath: join(folder, "missing.zip") },
      operator: { bundlePath: join(folder, "missing") },
      review: { ...review, imageUri: undefined, sessionHours: 0 },
      topics: { prefix: "Second.Pipeline", retentionDays: 0 },
    });
    expect(refused).toEqual([
      "transformer.imageUri",
      "sink.pluginPath",
      "operator.bundlePath",
      "review.imageUri",
      "tables",
      "review.sessionHours",
      "topics.prefix",
      "topics.retentionDays",
    ]);
  });

  it("refuse a column that is both ignored and redacted, listed twice, or without a name", () => {
    const table = (columns: object) => ({ tables: [{ schema: "public", table: "orders", ...columns }] });
    expect(settings(table({ ignoredColumns: ["updated_at"], redactedColumns: ["card"] }))).toEqual([]);
    expect(settings(table({ ignoredColumns: ["card"], redactedColumns: ["card"] }))).toEqual([
      "tables[0].redactedColumns",
    ]);
    expect(settings(table({ ignoredColumns: ["a", "a"] }))).toEqual(["tables[0].redactedColumns"]);
    expect(settings(table({ redactedColumns: [""] }))).toEqual(["tables[0].redactedColumns"]);
    expect(settings(table({ ignoredColumns: ["é".repeat(32)] }))).toEqual(["tables[0].ignoredColumns"]);
  });

  it("refuse a source of actors that the database would not take, and say what it takes", () => {
    const sources = (...actorSources: string[]) =>
      auditPipelineProblems({ ...minimal, operator: { ...minimal.operator, actorSources } }).map(problemText);
    expect(sources("app.user_id", "request.jwt.claims ->> email", "comment actor")).toEqual([]);
    expect(sources()).toEqual([]);
    const forms =
      "a setting such as jwt.claims.user_id, a member of a setting's JSON such as request.jwt.claims ->> email, or a tag of " +
      "sqlcommenter such as comment actor";
    expect(sources("app.user_id", "user")).toEqual([
      `operator.actorSources[1] = "user": allowed is ${forms}. Set operator.actorSources[1] to ${forms}.`,
    ]);
    expect(sources("app.user_id", "app.user_id")).toEqual([
      'operator.actorSources[1] = "app.user_id": allowed is each source once. Remove operator.actorSources[1], a repetition.',
    ]);
  });

  it("refuse what would have no effect on a table that is left out", () => {
    const tables = [{ schema: "public", table: "%" }];
    const excluded = { schema: "public", table: "tmp_%", exclude: true };
    expect(settings({ tables: [...tables, excluded] })).toEqual([]);
    expect(settings({ tables: [...tables, { ...excluded, redactedColumns: ["card"] }] })).toEqual(["tables[1]"]);
    expect(settings({ tables: [...tables, { ...excluded, exclude: false, redactedColumns: ["card"] }] })).toEqual([]);
  });

  it("refuse the key of a secret that the pipeline makes itself", () => {
    expect(settings({ writerSecretKeyArn: "arn:aws:kms:…" })).toEqual(["writerSecretKeyArn"]);
    expect(settings({ source: { ...minimal.source, captureSecretKeyArn: "arn:aws:kms:…" } })).toEqual([
      "source.captureSecretKeyArn",
    ]);
  });

  it("refuse more tasks of the sink than its topic has partitions", () => {
    expect(settings({ topics: { eventsPartitions: 2 }, sink: { ...minimal.sink, tasks: 3 } })).toEqual(["sink.tasks"]);
  });

  it("refuse messages that topics carry but a captured value outgrows", () => {
    expect(settings({ topics: { messageMaxBytes: 1_000_000 } })).toEqual(["topics.messageMaxBytes"]);
  });
});
