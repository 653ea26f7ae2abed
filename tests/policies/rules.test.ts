import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as aws from "@pulumi/aws";
import type { Policies, PolicyResource, ResourceValidationArgs } from "@pulumi/policy";
import type { Resource } from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { rules } from "../../policies/rules";

type ResourceClass = { new (...rest: never[]): Resource; readonly __pulumiType: string };
type Props = Record<string, unknown>;

interface Subject {
  readonly resourceClass: ResourceClass;
  readonly props: Props;
  readonly protect?: boolean;
  readonly stack?: string;
  readonly config?: object;
}

/** What a rule says about one resource, alone in its stack. */
function violations(ruleName: string, ...subjects: readonly Subject[]): string[] {
  const rule = rules.find(({ name }) => name === ruleName);
  if (!rule) throw new Error(`The pack has no rule ${ruleName}.`);
  const found: string[] = [];
  const report = (message: string) => void found.push(message);
  if ("validateStack" in rule) {
    const resources = subjects.map(argsOf) as unknown as PolicyResource[];
    const { getConfig, notApplicable, stackTags } = argsOf(subjects[0]!);
    void rule.validateStack({ resources, getConfig, notApplicable, stackTags }, report);
    return found;
  }
  const checks = [rule.validateResource ?? []].flat();
  for (const subject of subjects) for (const check of checks) void check(argsOf(subject), report);
  return found;
}

function argsOf({ resourceClass, props, protect, stack, config }: Subject): ResourceValidationArgs {
  const type = resourceClass.__pulumiType;
  const isType = (asked: unknown) => (asked as ResourceClass).__pulumiType === type;
  return {
    type,
    props,
    name: "subject",
    urn: `urn:pulumi:${stack ?? "prod"}::project::${type}::subject`,
    opts: {
      protect: protect ?? false,
      ignoreChanges: [],
      aliases: [],
      additionalSecretOutputs: [],
      customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
    },
    stackTags: new Map(),
    isType,
    asType: ((asked: unknown) => (isType(asked) ? props : undefined)) as ResourceValidationArgs["asType"],
    getConfig: <T extends object>() => (config ?? {}) as T,
    notApplicable: () => {
      throw new Error("not applicable");
    },
  };
}

/** One resource that the rule accepts, and changes to it that the rule refuses with these words. */
interface Case {
  readonly rule: string;
  readonly resourceClass: unknown;
  readonly accepted: Props;
  readonly refused: readonly (readonly [change: Props, words: RegExp])[];
}

const loggedIn = { type: "authenticate-oidc", order: 1 };
const key = "arn:aws:kms:eu-central-1:111122223333:key/1";
const statement = (change: Props) => ({
  policy: JSON.stringify({
    Statement: [{ Sid: "S", Effect: "Allow", Action: ["s3:GetObject"], Resource: ["arn:aws:s3:::b/*"], ...change }],
  }),
});
const openStatement = statement({ Principal: { AWS: "*" } });
const rootStatement = statement({ Principal: { AWS: "arn:aws:iam::111122223333:root" } });
const digest = `repository@sha256:${"a".repeat(64)}`;
const containers = (container: Props) => ({
  containerDefinitions: JSON.stringify([{ name: "c", image: digest, ...container }]),
});
const stopping = {
  DataErrorPolicy: "STOP_TASK",
  DataTruncationErrorPolicy: "STOP_TASK",
  TableErrorPolicy: "STOP_TASK",
};
const taskSettings = (change: Props) => ({
  replicationTaskSettings: JSON.stringify({
    TargetMetadata: { BatchApplyEnabled: false },
    BeforeImageSettings: { EnableBeforeImage: true, ColumnFilter: "all" },
    ErrorBehavior: stopping,
    ...change,
  }),
});
const properties = (text: string) => ({ serverProperties: text });
const https = { ipProtocol: "tcp", fromPort: 443, toPort: 443 };
const anybody = { cidrBlocks: ["0.0.0.0/0"], protocol: "-1", fromPort: 0, toPort: 0 };

const cases: readonly Case[] = [
  {
    rule: "nothing-open-to-the-world",
    resourceClass: aws.vpc.SecurityGroupIngressRule,
    accepted: { ...https, cidrIpv4: "10.0.0.0/16" },
    refused: [
      [{ cidrIpv4: "0.0.0.0/0" }, /whole internet/],
      [{ cidrIpv6: "::/0" }, /whole internet/],
    ],
  },
  {
    rule: "nothing-open-to-the-world",
    resourceClass: aws.vpc.SecurityGroupEgressRule,
    accepted: { ...https, cidrIpv4: "0.0.0.0/0" },
    refused: [[{ toPort: 9098 }, /more than HTTPS/]],
  },
  {
    rule: "nothing-open-to-the-world",
    resourceClass: aws.ec2.SecurityGroupRule,
    accepted: { type: "ingress", protocol: "tcp", fromPort: 443, toPort: 443, cidrBlocks: ["10.0.0.0/8"] },
    refused: [[{ cidrBlocks: ["10.0.0.0/8", "0.0.0.0/0"] }, /open to the whole internet/]],
  },
  {
    rule: "nothing-open-to-the-world",
    resourceClass: aws.ec2.SecurityGroup,
    accepted: { egress: [{ ...anybody, protocol: "tcp", fromPort: 443, toPort: 443 }] },
    refused: [
      [{ ingress: [anybody] }, /Admits/],
      [{ egress: [anybody] }, /more than HTTPS/],
    ],
  },
  {
    rule: "nothing-public",
    resourceClass: aws.rds.ClusterInstance,
    accepted: {},
    refused: [[{ publiclyAccessible: true }, /public address/]],
  },
  {
    rule: "nothing-public",
    resourceClass: aws.dms.ReplicationInstance,
    accepted: { publiclyAccessible: false },
    refused: [
      [{ publiclyAccessible: true }, /public address/],
      [{ publiclyAccessible: undefined }, /public address/],
    ],
  },
  {
    rule: "nothing-public",
    resourceClass: aws.ecs.Service,
    accepted: { networkConfiguration: { subnets: [] } },
    refused: [[{ networkConfiguration: { assignPublicIp: true } }, /public addresses/]],
  },
  {
    rule: "nothing-public",
    resourceClass: aws.lambda.FunctionUrl,
    accepted: { authorizationType: "AWS_IAM" },
    refused: [[{ authorizationType: "NONE" }, /anybody/]],
  },
  {
    rule: "nothing-public",
    resourceClass: aws.s3.BucketPublicAccessBlock,
    accepted: { blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
    refused: [[{ restrictPublicBuckets: false }, /all four/]],
  },
  {
    rule: "login-before-the-page",
    resourceClass: aws.lb.LoadBalancer,
    accepted: { internal: true, dropInvalidHeaderFields: true },
    refused: [
      [{ internal: false }, /Answers the internet/],
      [{ internal: undefined }, /Answers the internet/],
      [{ dropInvalidHeaderFields: undefined }, /malformed headers/],
    ],
  },
  {
    rule: "login-before-the-page",
    resourceClass: aws.lb.Listener,
    accepted: { protocol: "HTTPS", defaultActions: [loggedIn, { type: "forward", order: 2 }] },
    refused: [
      [{ protocol: "HTTP" }, /without TLS/],
      [{ defaultActions: [{ type: "forward" }] }, /without a login/],
      [
        {
          defaultActions: [
            { ...loggedIn, order: 2 },
            { type: "forward", order: 1 },
          ],
        },
        /without a login/,
      ],
      [{ defaultActions: [{ type: "forward" }, { type: "authenticate-cognito" }] }, /without a login/],
      [
        {
          defaultActions: [
            { type: "authenticate-oidc", authenticateOidc: { onUnauthenticatedRequest: "allow" } },
            { type: "forward" },
          ],
        },
        /without a login/,
      ],
    ],
  },
  {
    rule: "login-before-the-page",
    resourceClass: aws.lb.ListenerRule,
    accepted: { actions: [{ type: "authenticate-cognito" }, { type: "forward" }] },
    refused: [[{ actions: [{ type: "forward" }] }, /past the listener's own/]],
  },
  {
    rule: "encrypted-with-own-key",
    resourceClass: aws.rds.Cluster,
    accepted: { storageEncrypted: true, kmsKeyId: key, manageMasterUserPassword: true, masterUserSecretKmsKeyId: key },
    refused: [
      [{ storageEncrypted: false }, /in the clear/],
      [{ kmsKeyId: undefined }, /Set kmsKeyId/],
      [{ masterUserSecretKmsKeyId: undefined }, /master secret/],
    ],
  },
  {
    rule: "encrypted-with-own-key",
    resourceClass: aws.msk.Cluster,
    accepted: { encryptionInfo: { encryptionAtRestKmsKeyArn: key } },
    refused: [
      [{ encryptionInfo: {} }, /encryptionAtRestKmsKeyArn/],
      [{ encryptionInfo: undefined }, /encryptionAtRestKmsKeyArn/],
    ],
  },
  ...(
    [
      [aws.dms.ReplicationInstance, "kmsKeyArn"],
      [aws.dms.Endpoint, "kmsKeyArn"],
      [aws.secretsmanager.Secret, "kmsKeyId"],
      [aws.cloudwatch.LogGroup, "kmsKeyId"],
      [aws.sns.Topic, "kmsMasterKeyId"],
      [aws.sqs.Queue, "kmsMasterKeyId"],
      [aws.lambda.Function, "kmsKeyArn"],
      [aws.scheduler.Schedule, "kmsKeyArn"],
    ] as const
  ).map(([resourceClass, property]): Case => ({
    rule: "encrypted-with-own-key",
    resourceClass,
    accepted: { [property]: key },
    refused: [[{ [property]: undefined }, new RegExp(`Set ${property}`)]],
  })),
  {
    rule: "encrypted-with-own-key",
    resourceClass: aws.ecr.Repository,
    accepted: { encryptionConfigurations: [{ encryptionType: "KMS", kmsKey: key }] },
    refused: [
      [{ encryptionConfigurations: [{ encryptionType: "AES256" }] }, /encryptionConfigurations/],
      [{ encryptionConfigurations: undefined }, /encryptionConfigurations/],
    ],
  },
  {
    rule: "encrypted-with-own-key",
    resourceClass: aws.s3.BucketServerSideEncryptionConfiguration,
    accepted: { rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: key } }] },
    refused: [[{ rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }] }, /kmsMasterKeyId/]],
  },
  {
    rule: "kafka-knows-its-clients",
    resourceClass: aws.msk.Cluster,
    accepted: {
      clientAuthentication: { sasl: { iam: true } },
      encryptionInfo: { encryptionInTransit: { inCluster: true } },
    },
    refused: [
      [{ clientAuthentication: { sasl: { iam: true }, unauthenticated: true } }, /without a name/],
      [{ clientAuthentication: undefined }, /no way to know/],
      [{ encryptionInfo: { encryptionInTransit: { clientBroker: "TLS_PLAINTEXT" } } }, /clients in the clear/],
      [{ encryptionInfo: { encryptionInTransit: { inCluster: false } } }, /Replicates in the clear/],
    ],
  },
  {
    rule: "kafka-knows-its-clients",
    resourceClass: aws.mskconnect.Connector,
    accepted: {
      kafkaClusterClientAuthentication: { authenticationType: "IAM" },
      kafkaClusterEncryptionInTransit: { encryptionType: "TLS" },
    },
    refused: [
      [{ kafkaClusterClientAuthentication: {} }, /without a name/],
      [{ kafkaClusterEncryptionInTransit: {} }, /in the clear/],
    ],
  },
  {
    rule: "kafka-knows-its-clients",
    resourceClass: aws.dms.Endpoint,
    accepted: { engineName: "kafka", kafkaSettings: { securityProtocol: "sasl-ssl" } },
    refused: [
      [{ kafkaSettings: { securityProtocol: "plaintext" } }, /sasl-ssl/],
      [{ engineName: "aurora-postgresql", sslMode: "none" }, /Reads the database in the clear/],
      [{ engineName: "aurora-postgresql", sslMode: "require", password: "p" }, /Holds the database's password/],
    ],
  },
  {
    rule: "kafka-knows-its-clients",
    resourceClass: aws.rds.ClusterParameterGroup,
    accepted: { parameters: [{ name: "rds.force_ssl", value: "1" }] },
    refused: [[{ parameters: [{ name: "rds.force_ssl", value: "0" }] }, /rds\.force_ssl/]],
  },
  ...[aws.iam.Policy, aws.iam.RolePolicy].map((resourceClass): Case => ({
    rule: "no-wildcard-permissions",
    resourceClass,
    accepted: statement({}),
    refused: [
      [statement({ Action: "*" }), /S allows \*\./],
      [statement({ Action: ["s3:GetObject", "kms:*"] }), /allows kms:\*/],
      [statement({ Action: undefined, NotAction: "iam:*" }), /everything but a few/],
      [statement({ Resource: "*", Sid: undefined }), /every resource/],
    ],
  })),
  {
    rule: "no-wildcard-permissions",
    resourceClass: aws.iam.RolePolicyAttachment,
    accepted: { policyArn: "arn:aws:iam::aws:policy/service-role/AmazonDMSVPCManagementRole" },
    refused: [[{ policyArn: "arn:aws:iam::aws:policy/AdministratorAccess" }, /AdministratorAccess/]],
  },
  {
    rule: "no-wildcard-permissions",
    resourceClass: aws.iam.Role,
    accepted: { assumeRolePolicy: { Statement: [{ Effect: "Allow", Principal: { Service: "dms.amazonaws.com" } }] } },
    refused: [[{ assumeRolePolicy: { Statement: { Effect: "Allow", Principal: "*" } } }, /anybody/]],
  },
  ...[aws.kms.Key, aws.kms.KeyPolicy, aws.sns.TopicPolicy, aws.s3.BucketPolicy, aws.secretsmanager.SecretPolicy].map(
    (resourceClass): Case => ({
      rule: "no-wildcard-permissions",
      resourceClass,
      accepted: rootStatement,
      refused: [[openStatement, /open to anybody/]],
    }),
  ),
  {
    rule: "kafka-keeps-records",
    resourceClass: aws.msk.Topic,
    accepted: { replicationFactor: 2 },
    refused: [[{ replicationFactor: 1 }, /one copy/]],
  },
  {
    rule: "kafka-keeps-records",
    resourceClass: aws.msk.Configuration,
    accepted: properties("auto.create.topics.enable=false\n# note\nunclean.leader.election.enable = false\n"),
    refused: [
      [properties("unclean.leader.election.enable=false\n"), /typing error/],
      [properties("auto.create.topics.enable=false\n"), /elect a leader/],
      [
        properties(
          "auto.create.topics.enable=false\nunclean.leader.election.enable=false\ndefault.replication.factor=1\n",
        ),
        /one copy/,
      ],
      [properties("auto.create.topics.enable=false\\nunclean.leader.election.enable=false"), /real line feeds/],
    ],
  },
  {
    rule: "kafka-keeps-records",
    resourceClass: aws.mskconnect.Connector,
    accepted: { connectorConfiguration: { "errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead" } },
    refused: [[{ connectorConfiguration: { "errors.tolerance": "all" } }, /Drops records/]],
  },
  {
    rule: "capture-loses-nothing",
    resourceClass: aws.dms.ReplicationTask,
    accepted: { migrationType: "cdc", ...taskSettings({}) },
    refused: [
      [taskSettings({ TargetMetadata: { BatchApplyEnabled: true } }), /BatchApplyEnabled/],
      [taskSettings({ TargetMetadata: { FullLobMode: true } }), /FullLobMode/],
      [taskSettings({ BeforeImageSettings: null }), /old values/],
      [taskSettings({ BeforeImageSettings: { EnableBeforeImage: true, ColumnFilter: "pk-only" } }), /old values/],
      [
        taskSettings({ ErrorBehavior: { ...stopping, TableErrorPolicy: "SUSPEND_TABLE" } }),
        /Set TableErrorPolicy to STOP_TASK/,
      ],
      [{ replicationTaskSettings: undefined }, /STOP_TASK/],
    ],
  },
  {
    rule: "capture-loses-nothing",
    resourceClass: aws.dms.Endpoint,
    accepted: {
      engineName: "kafka",
      kafkaSettings: { includeTransactionDetails: true, includeNullAndEmpty: true, messageFormat: "json-unformatted" },
    },
    refused: [
      [{ kafkaSettings: { includeNullAndEmpty: true, messageFormat: "json-unformatted" } }, /no identity/],
      [{ kafkaSettings: { includeTransactionDetails: true, messageFormat: "json-unformatted" } }, /NULLs/],
      [{ kafkaSettings: { includeTransactionDetails: true, includeNullAndEmpty: true } }, /several lines/],
    ],
  },
  {
    rule: "capture-loses-nothing",
    resourceClass: aws.rds.ClusterParameterGroup,
    accepted: { parameters: [{ name: "wal_sender_timeout", value: "30000" }] },
    refused: [[{ parameters: [{ name: "max_slot_wal_keep_size", value: "1000" }] }, /max_slot_wal_keep_size/]],
  },
  {
    rule: "logs-expire",
    resourceClass: aws.cloudwatch.LogGroup,
    accepted: { retentionInDays: 30 },
    refused: [
      [{ retentionInDays: undefined }, /for ever/],
      [{ retentionInDays: 0 }, /for ever/],
    ],
  },
  {
    rule: "images-by-digest",
    resourceClass: aws.ecs.TaskDefinition,
    accepted: containers({}),
    refused: [
      [containers({ image: "repository:latest" }), /can change/],
      [containers({ privileged: true }), /privileged/],
    ],
  },
];

describe.each([...new Set(cases.map(({ rule }) => rule))])("the rule %s", (rule) => {
  const ofRule = cases.filter((each) => each.rule === rule);

  it.each(ofRule.map((each) => [(each.resourceClass as ResourceClass).__pulumiType, each] as const))(
    "accepts a good %s and refuses each way to spoil it",
    (_, { resourceClass, accepted, refused }) => {
      const subject = { resourceClass: resourceClass as ResourceClass, protect: true };
      expect(violations(rule, { ...subject, props: accepted })).toEqual([]);
      for (const [change, words] of refused) {
        const changed = Object.entries({ ...accepted, ...change }).filter(([, value]) => value !== undefined);
        const found = violations(rule, { ...subject, props: Object.fromEntries(changed) });
        expect(found, `${JSON.stringify(change)} is refused`).toEqual(
          expect.arrayContaining([expect.stringMatching(words)]),
        );
      }
    },
  );
});

describe("the rule data-protected-in-production", () => {
  const rule = "data-protected-in-production";
  const database = (change: Props, rest: Partial<Subject> = {}): Subject => ({
    resourceClass: aws.rds.Cluster as unknown as ResourceClass,
    props: { deletionProtection: true, ...change },
    protect: true,
    ...rest,
  });

  const holdsData = [
    aws.msk.Cluster,
    aws.msk.Topic,
    aws.dms.ReplicationTask,
    aws.kms.Key,
  ] as unknown as ResourceClass[];

  it.each(holdsData.map((each) => [each.__pulumiType, each] as const))("protects %s", (_, resourceClass) => {
    const subject = { resourceClass, props: {} };
    expect(violations(rule, { ...subject, protect: true })).toEqual([]);
    expect(violations(rule, { ...subject, protect: false })).toEqual([expect.stringMatching(/option protect/)]);
  });

  it("wants a database that neither one call nor one mistake deletes", () => {
    expect(violations(rule, database({}))).toEqual([]);
    expect(violations(rule, database({}, { protect: false }))).toEqual([expect.stringMatching(/option protect/)]);
    expect(violations(rule, database({ deletionProtection: false }))).toEqual([expect.stringMatching(/one call/)]);
    expect(violations(rule, database({ skipFinalSnapshot: true }))).toEqual([expect.stringMatching(/last snapshot/)]);
  });

  it("leaves other stacks alone, and lets a configuration say which are in production", () => {
    const careless = { protect: false, stack: "dev" };
    expect(violations(rule, database({}, careless))).toEqual([]);
    expect(violations(rule, database({}, { ...careless, config: { productionStacks: ["dev"] } }))).toHaveLength(1);
  });
});

describe("the rule public-access-ends", () => {
  const rule = "public-access-ends";
  const cluster = (type: string): Subject => ({
    resourceClass: aws.msk.Cluster as unknown as ResourceClass,
    props: { brokerNodeGroupInfo: { connectivityInfo: { publicAccess: { type } } } },
  });
  const guest = (description: string): Subject => ({
    resourceClass: aws.vpc.SecurityGroupIngressRule as unknown as ResourceClass,
    props: { cidrIpv4: "203.0.113.7/32", fromPort: 9198, toPort: 9198, description },
  });
  const open = cluster("SERVICE_PROVIDED_EIPS");

  beforeEach(() => void vi.useFakeTimers({ now: new Date("2026-12-01T12:00:00Z") }));
  afterEach(() => void vi.useRealTimers());

  it("lets private brokers be", () => {
    expect(violations(rule, cluster("DISABLED"))).toEqual([]);
  });

  it("admits named networks until their end", () => {
    expect(violations(rule, open, guest("Guest with IAM until 2026-12-01T18:00:00Z"))).toEqual([]);
    expect(violations(rule, open, guest("Guest with IAM until 2026-12-01T11:59:59Z"))).toEqual([
      expect.stringMatching(/ended at 2026-12-01T11:59:59Z/),
    ]);
  });

  it("refuses guests without an end, and public brokers without named guests", () => {
    expect(violations(rule, open, guest("A friend"))).toEqual([expect.stringMatching(/without an end/)]);
    expect(violations(rule, open)).toEqual([expect.stringMatching(/no rule names the networks/)]);
  });
});

describe("the policy pack", () => {
  const tested = new Set([...cases.map(({ rule }) => rule), "data-protected-in-production", "public-access-ends"]);

  it("has a test for every rule", () => {
    expect(names(rules).filter((name) => !tested.has(name))).toEqual([]);
  });

  it("enforces every rule and says how to keep it", () => {
    for (const rule of rules) {
      expect(rule, rule.name).toMatchObject({
        enforcementLevel: "mandatory",
        remediationSteps: expect.any(String) as string,
      });
    }
  });

  it("lists its rules in its README", () => {
    const readme = readFileSync(join(__dirname, "../../policies/README.md"), "utf8");
    const listed = [...readme.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
    expect(listed.sort()).toEqual(names(rules).sort());
  });
});

function names(pack: Policies): string[] {
  return pack.map(({ name }) => name);
}
