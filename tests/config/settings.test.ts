import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Output } from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { z } from "zod";
import { pipelineEndpoints } from "../../components/network/checks";
import { defaultLobMaxSizeKilobytes } from "../../contract/change-capture";
import { environmentDefaults } from "../../config/defaults";
import { environments, settingSchemas } from "../../config/schema";
import { InvalidSettings, leftOut, parseSettings } from "../../config/settings";
import type { Settings } from "../../config/types";
import { outputValue } from "../components/support/deployment";

const now = new Date("2026-11-22T12:00:00Z");
const root = join(__dirname, "../..");

/** What must be built before a deployment, pointed at files that are always there. */
const built = {
  transformer: `{"imageUri": "registry.example/transformer@sha256:${"a".repeat(64)}"}`,
  sink: '{"pluginPath": "package.json"}',
  operator: '{"bundlePath": "recorder/stand-ins/operator.zip"}',
};
const minimal = {
  environment: "dev",
  retainData: "false",
  sourceId: "orders",
  tables: '[{"schema": "public", "table": "%"}]',
  network: '{"availabilityZones": ["eu-central-1a", "eu-central-1b"]}',
  ...built,
};

/** An existing network with two subnets, but for these members. */
function existing(members: object): Record<string, string> {
  const network = { vpcId: "vpc-1", cidrBlock: "10.0.0.0/16", privateSubnetIds: ["subnet-1", "subnet-2"] };
  return { network: JSON.stringify({ existing: { ...network, ...members } }) };
}

interface Schema {
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly element?: Schema;
  readonly def: { readonly innerType?: Schema; readonly in?: Schema };
}

/** Whether a stack's file has a place for a setting, such as `tables[0].schema`. */
function isSetting(path: string): boolean {
  const unwrapped = (schema: Schema): Schema => {
    const inner = schema.def.innerType ?? schema.def.in;
    return inner ? unwrapped(inner) : schema;
  };
  let schema: Schema | undefined = { shape: settingSchemas as unknown as Record<string, Schema>, def: {} };
  for (const part of path.split(/[.[]/)) {
    const { shape, element }: Schema = unwrapped(schema);
    schema = part.endsWith("]") ? element : shape?.[part];
    if (!schema) return false;
  }
  return true;
}

/** Settings of an operator that has been built. */
function operator(members: object): string {
  return JSON.stringify({ ...(JSON.parse(built.operator) as object), ...members });
}
const actorSource = "operator.actorSources[1]";
const canaryTimeout = "operator.canaryTimeoutSeconds";
const partitionsAhead = "operator.partitionsAhead";

function settings(
  project: Record<string, string | undefined> = {},
  region: string | undefined = "eu-central-1",
  secretKeys: readonly string[] = [],
): Settings {
  const written = Object.entries({ ...minimal, ...project }).filter(([, value]) => value !== undefined);
  return parseSettings({ region, project: Object.fromEntries(written) as Record<string, string>, secretKeys }, now);
}

function problems(project: Record<string, string | undefined>, region?: string, secretKeys?: readonly string[]) {
  try {
    settings(project, region, secretKeys);
  } catch (error) {
    if (error instanceof InvalidSettings) return error.problems;
    throw error;
  }
  return [];
}

function faults(project: Record<string, string | undefined>, region?: string): string[] {
  return problems(project, region).map((problem) => problem.setting);
}

describe("the settings of a stack", () => {
  it("need little for a small environment", () => {
    expect(settings()).toMatchObject({
      environment: "dev",
      everywhere: { retainData: false, logRetentionDays: 30, kmsKeyArn: undefined },
      network: { natGateways: "single" },
      database: { serverless: { minimumCapacity: 0.5, maximumCapacity: 2 }, backupRetentionDays: 1 },
      kafka: { brokers: 2, instanceType: "kafka.t3.small" },
      pipeline: { sourceId: "orders", lobMaxSizeKilobytes: defaultLobMaxSizeKilobytes, capture: { multiAz: false } },
    });
  });

  it("make a prod environment outlive a zone", () => {
    const network = '{"availabilityZones": ["eu-central-1a", "eu-central-1b", "eu-central-1c"]}';
    expect(settings({ environment: "prod", network })).toMatchObject({
      network: { natGateways: "per-zone" },
      database: { readers: 1 },
      kafka: { brokers: 3, storageAutoscaling: { maximumGiB: 1000 } },
      pipeline: { capture: { multiAz: true } },
    });
  });

  it("take what is written before what is usual", () => {
    const { database, kafka } = settings({
      database: '{"serverless": {"minimumCapacity": 2}, "readers": 2}',
      kafka: '{"brokers": 4}',
    });
    expect(database).toMatchObject({ serverless: { minimumCapacity: 2 }, readers: 2, backupRetentionDays: 1 });
    expect(kafka).toMatchObject({ brokers: 4, instanceType: "kafka.t3.small" });
  });

  it("let a written instance class replace the usual serverless capacity", () => {
    expect(settings({ database: '{"instanceClass": "db.r7g.large"}' }).database.serverless).toBeUndefined();
    expect(faults({ database: '{"instanceClass": "db.r7g.large", "serverless": {}}' })).toEqual([
      "database.instanceClass",
    ]);
  });

  it("use an existing network as it is", () => {
    const existing = { vpcId: "vpc-1", cidrBlock: "10.0.0.0/16", privateSubnetIds: ["subnet-1", "subnet-2"] };
    expect(settings({ network: JSON.stringify({ existing }) }).network).toEqual({ existing });
  });

  it("accept numbers and flags as the CLI writes them, as texts or as JSON", () => {
    const kafka = '{"brokers": "4", "subnetsArePublic": "true"}';
    expect(settings({ kafka, logRetentionDays: "7", sourceId: "42" })).toMatchObject({
      kafka: { brokers: 4, subnetsArePublic: true },
      everywhere: { logRetentionDays: 7 },
      pipeline: { sourceId: "42" },
    });
  });

  it("give each component its own key unless one is named", () => {
    const kmsKeyArn = "arn:aws:kms:eu-central-1:123456789012:key/1";
    expect(settings({ kmsKeyArn }).everywhere.kmsKeyArn).toBe(kmsKeyArn);
    expect(settings({ kmsKeyArn: "" }).everywhere.kmsKeyArn).toBeUndefined();
  });

  it("leave the sources of actors to the database unless they are written, also as none", () => {
    const sources = (members: object) => settings({ operator: operator(members) }).pipeline.operator.actorSources;
    expect(sources({})).toBeUndefined();
    expect(sources({ actorSources: [] })).toEqual([]);
    expect(sources({ actorSources: ["app.user_id", "comment actor"] })).toEqual(["app.user_id", "comment actor"]);
  });

  it("leave the log in the source's database unless it is given one of its own", () => {
    expect(settings().auditDatabaseName).toBeUndefined();
    expect(settings({ auditDatabaseName: "audit_2" }).auditDatabaseName).toBe("audit_2");
  });
});

const groupProblems = ["review.groups[0].tables", "review.groups[0].table"];
const withoutNat = JSON.stringify({
  availabilityZones: ["eu-central-1a", "eu-central-1b"],
  natGateways: "none",
  interfaceEndpoints: pipelineEndpoints,
});

/** A page with a login at an OpenID Connect provider, but for these members; those that are undefined are left out. */
function page(members: object = {}): Record<string, string> {
  return { review: JSON.stringify({ ...completePage, ...members }) };
}
const clientSecret = "incorrect-donkey-battery";
const oidc = {
  issuer: "https://login.example.com",
  authorizationEndpoint: "https://login.example.com/authorize",
  tokenEndpoint: "https://login.example.com/token",
  userInfoEndpoint: "https://login.example.com/userinfo",
  clientId: "audit-page",
  clientSecret,
};
const completePage = {
  hostName: "audit.example.com",
  certificateArn: "arn:aws:acm:eu-central-1:123456789012:certificate/0f1e2d3c",
  clientCidrs: ["10.8.0.0/16"],
  oidc,
  groups: [{ name: "auditors", tables: ["*"], reveal: true }],
  imageUri: `registry.example/review@sha256:${"a".repeat(64)}`,
};
const cognito = {
  userPoolArn: "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_AbCdEf123",
  userPoolClientId: "client",
  userPoolDomain: "audit-example",
};

describe("the page for reviewers", () => {
  const encrypted = ["review"];
  const pageProblems = (members: object, project: Record<string, string> = {}) =>
    problems({ ...page(members), ...project }, undefined, encrypted);

  it("is left out, in any environment, until the stack names one of its settings", () => {
    expect(settings().pipeline.review).toBeUndefined();
    expect(settings({ review: "{}" }).pipeline.review).toBeUndefined();
    const network = '{"availabilityZones": ["eu-central-1a", "eu-central-1b", "eu-central-1c"]}';
    expect(settings({ environment: "prod", network }).pipeline.review).toBeUndefined();
  });

  it("is as it was written, its client's secret marked as one", async () => {
    const { review } = settings(page({ sessionHours: "4", tasks: 2 }), undefined, encrypted).pipeline;
    const secret = review?.oidc?.clientSecret as Output<string>;
    expect(review).toEqual({
      ...completePage,
      oidc: { ...oidc, clientSecret: secret },
      sessionHours: 4,
      tasks: 2,
    });
    expect(await outputValue(secret)).toEqual({ value: clientSecret, secret: true });
  });

  it("takes a login at Cognito, which has no secret to encrypt", () => {
    expect(settings(page({ oidc: undefined, cognito })).pipeline.review).toMatchObject({ cognito });
  });

  it("is refused a client's secret that everybody can read, without repeating it", () => {
    const found = problems(page());
    expect(found.map(({ setting }) => setting)).toEqual(["review.oidc.clientSecret"]);
    expect(found[0]?.fix).toContain("--secret review.oidc.clientSecret");
    expect(JSON.stringify(found)).not.toContain(clientSecret);
  });

  it.each<[string, object, Record<string, string>, readonly string[]]>([
    ["no login", { oidc: undefined }, {}, ["review.oidc"]],
    ["two logins", { cognito }, {}, ["review.cognito"]],
    ["no groups", { groups: undefined }, {}, ["review.groups"]],
    ["the whole internet", { clientCidrs: ["0.0.0.0/0"] }, {}, ["review.clientCidrs"]],
    ["no name", { hostName: undefined }, {}, ["review.hostName"]],
    ["an address for a name", { hostName: "https://audit.example.com/" }, {}, ["review.hostName"]],
    ["a login without TLS", { oidc: { ...oidc, tokenEndpoint: "http://login" } }, {}, ["review.oidc.tokenEndpoint"]],
    ["a login that lacks a member", { oidc: { ...oidc, issuer: undefined } }, {}, ["review.oidc.issuer"]],
    ["a misspelt member", { maskedColumn: ["shop.customers.email"] }, {}, ["review.maskedColumn"]],
    ["a misspelt member of a group", { groups: [{ name: "a", table: ["*"] }] }, {}, groupProblems],
    ["an image by tag", { imageUri: "registry.example/review:latest" }, {}, ["review.imageUri"]],
    [
      "a certificate of another region",
      { certificateArn: "arn:aws:acm:us-east-1:123456789012:certificate/1" },
      {},
      ["review.certificateArn"],
    ],
    ["no way to the login", {}, { network: withoutNat, operator: '{"enabled": false}' }, ["network.natGateways"]],
  ])("is refused %s", (_, members, project, refused) => {
    expect(pageProblems(members, project).map(({ setting }) => setting)).toEqual(refused);
  });

  const unreadable = [
    { oidc: undefined, odic: oidc },
    { oidc: { ...oidc, clientSecret: undefined, clientSecrt: clientSecret } },
    { oidc: { ...oidc, clientSecret: [clientSecret] } },
    { oidc: { ...oidc, clientSecret: { secure: clientSecret } } },
    { oidc: clientSecret },
    { hostName: oidc },
    { groups: oidc },
    { groups: [{ name: [[oidc]], tables: ["*"] }] },
    { cognito: { ...cognito, clientSecret } },
  ];

  it.each([[["review"]], [[]]])("shows no value that may be a secret where %j is encrypted", (secretKeys) => {
    const written = JSON.stringify({ ...completePage, oidc });
    const places: Record<string, string>[] = [
      ...unreadable.map((members) => page(members)),
      { review: clientSecret },
      { review: written.slice(0, -1) },
      { review: `[${written}]` },
      { reviw: written },
      { operator: operator({ review: oidc }) },
    ];
    for (const project of places) {
      const found = problems(project, undefined, secretKeys);
      expect(found).not.toEqual([]);
      expect(JSON.stringify(found)).not.toContain(clientSecret);
    }
  });

  it("shows a wrong value that is no secret, unless it is encrypted", () => {
    const [shown] = problems(page({ hostName: "audit", oidc: undefined, cognito }));
    expect(shown).toMatchObject({ setting: "review.hostName", value: "audit" });
    const [list] = problems(page({ clientCidrs: "10.0.0.0/8", oidc: undefined, cognito }));
    expect(list).toMatchObject({ setting: "review.clientCidrs", value: "10.0.0.0/8" });
  });

  it("shows no value of an encrypted setting in a message, wherever the secret was put", () => {
    const misplaced = [
      { oidc: undefined, odic: oidc },
      { oidc: { ...oidc, clientId: undefined, client: clientSecret } },
      { hostName: clientSecret },
      { oidc: clientSecret },
    ];
    for (const members of misplaced) {
      const found = pageProblems(members);
      expect(found).not.toEqual([]);
      expect(JSON.stringify(found)).not.toContain(clientSecret);
    }
    const broken = problems({ review: page().review?.slice(0, -1) }, undefined, encrypted);
    expect(broken.map(({ setting }) => setting)).toEqual(["review"]);
    expect(JSON.stringify(broken)).not.toContain(clientSecret);
  });
});

describe("wrong settings", () => {
  it("are reported all at once, each with its value, what is allowed and the fix", () => {
    const found = problems({
      environment: "production",
      retainData: undefined,
      kafak: "{}",
      kafka: '{"brokers": 3, "volumeSizeGiB": "large", "colour": "red"}',
      database: '{"engineVersion": "14"}',
      network: '{"cidrBlock": "8.8.0.0/16", "availabilityZones": ["eu-west-1a", "eu-west-1b"]}',
      tables: "[]",
      logRetentionDays: "8",
    });
    expect(found.map((problem) => problem.setting).sort()).toEqual([
      "database.engineVersion",
      "environment",
      "kafak",
      "kafka.brokers",
      "kafka.colour",
      "kafka.volumeSizeGiB",
      "logRetentionDays",
      "network.availabilityZones",
      "network.cidrBlock",
      "retainData",
      "tables",
    ]);
    for (const problem of found) {
      expect(problem.allowed).not.toBe("");
      expect(problem.fix).toMatch(/\.$/);
    }
  });

  it("begin with what has to be built first, and the command that builds it", () => {
    const found = problems({
      transformer: '{"cpu": 3}',
      sink: '{"pluginPath": "absent.zip"}',
      operator: '{"bundlePath": "absent"}',
      environment: "x",
    });
    expect(found.map((problem) => problem.setting)).toEqual([
      "transformer.imageUri",
      "sink.pluginPath",
      "operator.bundlePath",
      "transformer.cpu",
      "environment",
    ]);
    expect(found[0]?.fix).toContain("imageBuildContext");
    expect(found[1]?.fix).toContain("npm run build:plugin");
    expect(found[2]?.fix).toContain("npm run build:operator");
  });

  it.each<[string, Record<string, string | undefined>, string]>([
    ["no environment", { environment: undefined }, "environment"],
    ["no decision about data", { retainData: undefined }, "retainData"],
    ["no source", { sourceId: undefined }, "sourceId"],
    ["no tables", { tables: undefined }, "tables"],
    ["no zones", { network: undefined }, "network.availabilityZones"],
    ["a misspelt setting", { kafkaBrokers: "2" }, "kafkaBrokers"],
    ["a misspelt member", { kafka: '{"broker": 2}' }, "kafka.broker"],
    ["a misspelt member of a member", { database: '{"serverless": {"minimum": 1}}' }, "database.serverless.minimum"],
    ["a misspelt member of a table", { tables: '[{"schema": "a", "table": "b", "ignored": []}]' }, "tables[0].ignored"],
    ["a text for an object", { kafka: "small" }, "kafka"],
    ["broken JSON", { kafka: '{"brokers": 2' }, "kafka"],
    ["a text for a number", { kafka: '{"brokers": "two"}' }, "kafka.brokers"],
    [
      "an unknown choice",
      { network: '{"availabilityZones": ["eu-central-1a", "eu-central-1b"], "natGateways": "two"}' },
      "network.natGateways",
    ],
    ["a key's alias", { kmsKeyArn: "alias/mine" }, "kmsKeyArn"],
    ["a key of another region", { kmsKeyArn: "arn:aws:kms:us-east-1:123456789012:key/1" }, "kmsKeyArn"],
    ["a database that every server has", { auditDatabaseName: "postgres" }, "auditDatabaseName"],
    ["a database by a name that needs quotes", { auditDatabaseName: "audit-log" }, "auditDatabaseName"],
    [
      "a database of the log's own that nobody would create",
      { auditDatabaseName: "audit", operator: '{"enabled": false}' },
      "auditDatabaseName",
    ],
    ["brokers that don't divide over the zones", { kafka: '{"brokers": 3}' }, "kafka.brokers"],
    [
      "an engine of DMS that can't read the database",
      { capture: '{"engineVersion": "3.5.4"}' },
      "capture.engineVersion",
    ],
    ["a database that DMS is not known to read", { database: '{"engineVersion": "18"}' }, "database.engineVersion"],
    ["more sink tasks than partitions", { sink: '{"pluginPath": "package.json", "tasks": 7}' }, "sink.tasks"],
    ["an image by tag", { transformer: '{"imageUri": "registry.example/transformer:latest"}' }, "transformer.imageUri"],
    ["values that could not pass as messages", { lobMaxSizeKilobytes: "20000" }, "topics.messageMaxBytes"],
    ["strings that could not pass either", { unboundedVarcharMaxBytes: "9000000" }, "topics.messageMaxBytes"],
    [
      "a table that another entry excludes",
      { tables: '[{"schema": "a", "table": "b"}, {"schema": "a", "table": "b%", "exclude": true}]' },
      "tables[0]",
    ],
    ["more brokers than MSK's API takes", { kafka: '{"brokers": 16}' }, "kafka.brokers"],
    ["a source of actors that is none", { operator: operator({ actorSources: ["a.b", "user"] }) }, actorSource],
    ["a source of actors twice", { operator: operator({ actorSources: ["a.b", "a.b"] }) }, actorSource],
    [
      "sources of actors that nobody would set",
      { operator: '{"enabled": false, "actorSources": []}' },
      "operator.actorSources",
    ],
    ["a canary that outlasts its interval", { operator: operator({ canaryIntervalMinutes: 1 }) }, canaryTimeout],
    ["a canary with no time to arrive", { operator: operator({ canaryTimeoutSeconds: 5 }) }, canaryTimeout],
    ["no unit for an interval", { operator: operator({ auditRetention: "7" }) }, "operator.auditRetention"],
    ["a retention of hours", { operator: operator({ auditRetention: "12 hours" }) }, "operator.auditRetention"],
    ["partitions that an alarm misses", { operator: operator({ partitionsAhead: "7 days" }) }, partitionsAhead],
    [
      "thousands of partitions",
      { operator: operator({ partitionsAhead: "5 years", partitionPeriod: "day" }) },
      partitionsAhead,
    ],
    ["an unknown period", { operator: operator({ partitionPeriod: "hour" }) }, "operator.partitionPeriod"],
    [
      "wishes to an operator that is left out",
      { operator: '{"enabled": false, "canaryIntervalMinutes": 5}' },
      "operator.canaryIntervalMinutes",
    ],
    [
      "an operator that can't reach MSK's API",
      {
        network: withoutNat,
      },
      "network.natGateways",
    ],
    [
      "an unknown replica identity",
      { tables: '[{"schema": "a", "table": "b", "replicaIdentity": "all"}]' },
      "tables[0].replicaIdentity",
    ],
    ["the pipeline's own tables", { tables: '[{"schema": "audit", "table": "events"}]' }, "tables[0].schema"],
    ["a class that Aurora lacks", { database: '{"instanceClass": "db.t3.micro"}' }, "database.instanceClass"],
    ["a class that MSK lacks", { kafka: '{"instanceType": "kafka.m7g.3xlarge"}' }, "kafka.instanceType"],
    ["a class that DMS lacks", { capture: '{"instanceClass": "dms.t3.2xlarge"}' }, "capture.instanceClass"],
    [
      "a parameter of the capture in capitals",
      { database: '{"parameters": [{"name": "WAL_SENDER_TIMEOUT", "value": "1000"}]}' },
      "database.parameters[0].name",
    ],
    ["a short window", { capture: '{"maintenanceWindow": "sun:03:00-sun:03:10"}' }, "capture.maintenanceWindow"],
    [
      "windows of database and capture at once",
      {
        database: '{"maintenanceWindow": "sun:03:00-sun:04:00"}',
        capture: '{"maintenanceWindow": "sun:03:30-sun:04:30"}',
      },
      "capture.maintenanceWindow",
    ],
    [
      "backups during maintenance",
      { database: '{"backupWindow": "03:00-03:30", "maintenanceWindow": "sun:03:00-sun:04:00"}' },
      "database.backupWindow",
    ],
    ["a Kafka that MSK has ended", { kafka: '{"kafkaVersion": "3.7.x.kraft"}' }, "kafka.kafkaVersion"],
    ["an existing network that is none", existing({ cidrBlock: "not a block" }), "network.existing.cidrBlock"],
    ["an existing network of DMS's own", existing({ cidrBlock: "192.168.0.0/24" }), "network.existing.cidrBlock"],
    ["one private subnet", existing({ privateSubnetIds: ["subnet-1"] }), "network.existing.privateSubnetIds"],
    [
      "more private subnets than MSK has zones",
      existing({ privateSubnetIds: ["subnet-1", "subnet-2", "subnet-3", "subnet-4"] }),
      "network.existing.privateSubnetIds",
    ],
    [
      "more public subnets than MSK has zones",
      {
        ...existing({ publicSubnetIds: ["subnet-5", "subnet-6", "subnet-7", "subnet-8"] }),
        kafka: '{"brokers": 4, "subnetsArePublic": true}',
      },
      "network.existing.publicSubnetIds",
    ],
  ])("are refused: %s", (what, project, setting) => {
    expect(faults(project)).toEqual([setting]);
    // Somebody looks for it in the stack's file: it is no name from inside.
    expect(isSetting(setting)).toBe(!what.includes("misspelt"));
  });

  it("speak of a setting of another section by that section's name", () => {
    const [sink] = problems({ sink: '{"pluginPath": "package.json", "tasks": 7}' });
    expect(sink?.fix).toBe("Lower sink.tasks, or raise topics.eventsPartitions.");
    const threads = { ...(JSON.parse(built.transformer) as object), streamThreads: 2 };
    const [transformer] = problems({ transformer: JSON.stringify({ ...threads, maximumTasks: 1 }) });
    expect(transformer?.allowed).toContain("at most topics.rawPartitions (1)");
  });

  it("without a region would depend on who deploys", () => {
    expect(faults({}, "")).toEqual(["aws:region"]);
  });

  it("need no operator where everything is prepared by hand", () => {
    expect(settings({ operator: '{"enabled": false}' }).pipeline.operator).toMatchObject({ enabled: false });
  });

  it("do not give zones of another region", () => {
    expect(faults({}, "eu-west-1")).toEqual(["network.availabilityZones"]);
  });

  it("explain both stages of public access", () => {
    const publicAccess = { cidrs: ["203.0.113.7/32"], until: "2026-11-30T00:00:00Z" };
    const [problem, ...others] = problems({ kafka: JSON.stringify({ subnetsArePublic: true, publicAccess }) });
    expect(problem?.setting).toBe("kafka.publicAccess.stage");
    expect(problem?.fix).toMatch(/1\. .*prepare.*2\. Deploy open/);
    expect(others).toEqual([]);
  });

  it("ask for public subnets where brokers shall stand in them", () => {
    const existing = { vpcId: "vpc-1", cidrBlock: "10.0.0.0/16", privateSubnetIds: ["subnet-1", "subnet-2"] };
    expect(faults({ network: JSON.stringify({ existing }), kafka: '{"subnetsArePublic": true}' })).toEqual([
      "network.existing.publicSubnetIds",
    ]);
  });
});

describe("Pulumi.yaml", () => {
  const project = parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as {
    config: Record<string, { type: string; description: string; default?: unknown }>;
  };

  it("declares exactly the settings, each with a description", () => {
    expect(Object.keys(project.config).sort()).toEqual(Object.keys(settingSchemas).sort());
    for (const { description } of Object.values(project.config)) expect(description.length).toBeGreaterThan(20);
  });

  it("leaves out what the program leaves out, and with the same value", () => {
    for (const [key, { default: value }] of Object.entries(project.config)) {
      const text = typeof value === "object" ? JSON.stringify(value) : value === undefined ? undefined : String(value);
      expect([key, text]).toEqual([key, leftOut[key as keyof typeof leftOut]]);
    }
  });

  it("describes every member of every object, with its defaults", () => {
    for (const [key, { type, description }] of Object.entries(project.config)) {
      if (type !== "object") continue;
      const { shape } = settingSchemas[key as keyof typeof settingSchemas] as unknown as {
        shape: Record<string, z.ZodType>;
      };
      for (const member of Object.keys(shape)) expect(description).toMatch(new RegExp(`\\b${member}\\b`));
    }
    for (const environment of environments) {
      for (const [key, section] of Object.entries(environmentDefaults[environment])) {
        for (const value of Object.values(section)) {
          if (typeof value !== "object") expect(project.config[key]?.description).toContain(String(value));
        }
      }
    }
  });
});

describe.each(environments)("the stack file of %s", (stack) => {
  const file = parse(readFileSync(join(root, `Pulumi.${stack}.yaml`), "utf8")) as { config: Record<string, unknown> };
  const written = Object.entries(file.config)
    .filter(([key]) => key.startsWith("cdc-audit:"))
    .map(([key, value]) => [
      key.slice("cdc-audit:".length),
      typeof value === "object" ? JSON.stringify(value) : String(value),
    ]);

  it("is complete once image, plugin and operator are built", () => {
    const project = { ...(Object.fromEntries(written) as Record<string, string>), ...built };
    const parsed = parseSettings({ region: String(file.config["aws:region"]), project }, now);
    expect(parsed.environment).toBe(stack);
    expect(parsed.everywhere.retainData).toBe(stack === "prod");
  });

  it("tags everything, and fits any account", () => {
    expect(file.config["aws:defaultTags"]).toMatchObject({ tags: { environment: stack } });
    expect(JSON.stringify(file.config)).not.toMatch(/\d{12}/);
  });
});
