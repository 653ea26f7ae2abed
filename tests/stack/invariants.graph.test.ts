import { describe, expect, it } from "vitest";
import type { Registration } from "../../recorder/engine";
import { Graph, input, shortType } from "../../recorder/graph";
import * as all from "./invariants";
import { type Invariant, invariants, physicalNames } from "./invariants";
import type { Recording } from "../../recorder/recorder";
import { recordedGraph, recording } from "../setup/recordings";
import { reveal, type Value, type ValueMap } from "../../recorder/values";

describe.each(["dev", "devWithReview", "prod", "twoPipelines"] as const)("in %s", (name) => {
  const graph = recordedGraph(name);

  it.each(invariants.map((invariant) => [invariant.protects, invariant] as const))("%s", (_, invariant) => {
    expect(invariant.violations(graph)).toEqual([]);
  });
});

describe("while guests are admitted", () => {
  const graph = recordedGraph("devWithGuests");
  const others = invariants.filter((invariant) => invariant !== all.brokersArePrivate);

  it.each(others.map((invariant) => [invariant.protects, invariant] as const))("%s", (_, invariant) => {
    expect(invariant.violations(graph)).toEqual([]);
  });

  it("the brokers answer on the port for IAM alone, to the named networks alone", () => {
    const known = new Set(
      recordedGraph("dev")
        .ofType(ingressRule)
        .map(({ name }) => name),
    );
    const guests = graph.ofType(ingressRule).filter(({ name }) => !known.has(name));
    expect(guests.map((rule) => [input(rule, "cidrIpv4"), input(rule, "fromPort"), input(rule, "toPort")])).toEqual([
      ["203.0.113.7/32", 9198, 9198],
    ]);
  });
});

const ingressRule = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";

describe("in dev", () => {
  it.each(["dev", "devWithReview"] as const)(`${all.destroyLeavesNothing.protects}: %s`, (name) => {
    expect(all.destroyLeavesNothing.violations(recordedGraph(name))).toEqual([]);
  });

  it("no name is over its limit even under a stack name of twenty characters", () => {
    expect(all.inputsFitServiceModels.violations(recordedGraph("devWithLongName"))).toEqual([]);
  });

  it("no resource bears the name of one in another stack of the same program", () => {
    const ownNames = new Set(physicalNames(recordedGraph("devWithReview")).map(({ key }) => key));
    const shared = physicalNames(recordedGraph("devWithLongName")).filter(({ key }) => ownNames.has(key));
    expect(shared.map(({ who }) => who).filter((who) => !sharedOnPurpose.includes(who))).toEqual([]);
  });
});

/** The account's roles for DMS, which one stack of an account makes. */
const sharedOnPurpose = ["audit-capture-dms-vpc-role", "audit-capture-dms-cloudwatch-logs-role"];

describe("in prod", () => {
  it(all.statefulProtected.protects, () => {
    expect(all.statefulProtected.violations(recordedGraph("prod"))).toEqual([]);
  });
});

describe.each([
  ["dev", "devPreview"],
  ["devWithReview", "devWithReviewPreview"],
  ["prod", "prodPreview"],
] as const)("a preview of %s", (deployed, previewed) => {
  it("shows every resource that a deployment makes, with the same protection and order", () => {
    const known = new Set(recording(deployed).registrations.map(({ urn }) => urn));
    const fate = ({ urn, parent, protect, retainOnDelete, dependencies }: Registration) => ({
      urn,
      parent,
      protect,
      retainOnDelete,
      // Only a deployment knows the children of a remote component.
      dependencies: dependencies.filter((dependency) => known.has(dependency)),
    });
    const byUrn = (a: { urn: string }, b: { urn: string }) => (a.urn < b.urn ? -1 : 1);
    const [deployment, preview] = [deployed, previewed].map((name) =>
      recording(name).registrations.map(fate).sort(byUrn),
    );
    expect(preview).toEqual(deployment);
  });

  it("knows every name that a person looks for", () => {
    const hidden = physicalNames(recordedGraph(previewed)).filter(({ key }) => key.endsWith(" "));
    // A final snapshot's name is different each time, on purpose.
    expect(hidden.filter(({ key }) => !key.includes("finalSnapshotIdentifier"))).toEqual([]);
  });
});

type Change = (resource: { -readonly [Key in keyof Registration]: Registration[Key] }) => void;

/** The first resource of a type, changed in a copy of the recording of dev. */
function spoilt(type: string, change: Change, name: "dev" | "devWithReview" | "prod" = "dev"): Graph {
  const copy = recording(name);
  const resource = copy.registrations.find((each) => each.custom && shortType(each.type) === type);
  if (!resource) throw new Error(`The recording has no ${type}.`);
  change(resource);
  return new Graph(copy);
}

/** Sets inputs, as the program gave them and as the provider completes them. */
function set(changes: ValueMap): Change {
  return (resource) => {
    resource.inputs = { ...resource.inputs, ...changes };
    resource.completedInputs = { ...resource.completedInputs, ...changes };
  };
}

/** The service of the page, changed in a copy of the recording that has one. */
function withPage(change: Change): Graph {
  const copy = recording("devWithReview");
  const page = copy.registrations.find(({ name }) => name === "audit-review-service");
  if (!page) throw new Error("The recording has no page.");
  change(page);
  return new Graph(copy);
}

function without(type: string): Graph {
  const copy: Recording = recording("dev");
  const gone = copy.registrations.find((each) => shortType(each.type) === type);
  return new Graph({ ...copy, registrations: copy.registrations.filter((each) => each !== gone) });
}

const policyWith = (statement: ValueMap) =>
  set({ policy: JSON.stringify({ Statement: [{ Effect: "Allow", Resource: "arn:aws:s3:::b", ...statement }] }) });
const inTheClear = (value: Value): Value => (JSON.parse(JSON.stringify(value)) as { $secret: Value }).$secret;

/** For each invariant, a graph that it must refuse, with words of the refusal. */
const broken: readonly (readonly [Invariant, () => Graph, RegExp])[] = [
  [all.childrenNamedAfterParents, () => spoilt("aws.kms.Key", (key) => (key.name = "key")), /^key is a child of/],
  [all.everythingTagged, () => spoilt("aws.rds.Cluster", set({ tags: { Name: "other" } })), /tag Name is not/],
  [
    all.nothingOpenToTheWorld,
    () => spoilt("aws.vpc.SecurityGroupIngressRule", set({ cidrIpv4: "0.0.0.0/0" })),
    /admits the internet/,
  ],
  [
    all.nothingOpenToTheWorld,
    () => spoilt("aws.vpc.SecurityGroupEgressRule", set({ cidrIpv6: "::/0", fromPort: 0, toPort: 65535 })),
    /more than HTTPS/,
  ],
  [all.nothingOpenToTheWorld, () => spoilt("aws.ec2.SecurityGroup", set({ egress: [] })), /inline rules/],
  [all.brokersArePrivate, () => recordedGraph("devWithGuests"), /kafka-cluster does not say/],
  [
    all.nothingOpenToTheWorld,
    () => spoilt("aws.dms.ReplicationInstance", set({ publiclyAccessible: null })),
    /does not say that it is private/,
  ],
  [all.noWildcardPermissions, () => spoilt("aws.iam.RolePolicy", policyWith({ Action: "s3:*" })), /allows s3:\*/],
  [
    all.noWildcardPermissions,
    () => spoilt("aws.iam.RolePolicy", policyWith({ Action: "s3:GetObject", Resource: "*" })),
    /no reason is written/,
  ],
  [
    all.secretsStaySecret,
    () =>
      spoilt(
        "aws.secretsmanager.SecretVersion",
        (version) => (version.inputs = { secretString: inTheClear(version.inputs.secretString ?? null) }),
      ),
    /secretString holds a secret in the clear/,
  ],
  [
    all.passwordsAreSecrets,
    () => spoilt("aws.rds.Cluster", set({ masterPassword: "open sesame" })),
    /masterPassword is not marked/,
  ],
  [all.logsExpire, () => spoilt("aws.cloudwatch.LogGroup", set({ retentionInDays: 0 })), /for ever/],
  [
    all.encryptedWithOwnKeys,
    () => spoilt("aws.dms.ReplicationInstance", set({ kmsKeyArn: null })),
    /kmsKeyArn names no key/,
  ],
  [all.encryptedWithOwnKeys, () => spoilt("aws.msk.Cluster", set({ encryptionInfo: {} })), /names no key/],
  [
    all.rulesHaveCounterparts,
    () => spoilt("aws.vpc.SecurityGroupIngressRule", set({ toPort: 1 })),
    /lets nobody (in|out)/,
  ],
  [all.portsAreOpen, () => spoilt("aws.mskconnect.Connector", set(bootstrap("b-1.c.amazonaws.com:9096"))), /port 9096/],
  [all.topicsExist, () => without("aws.msk.Topic"), /names the topic/],
  [all.arnsResolve, () => without("aws.iam.Role"), /which nothing here makes/],
  [
    all.nothingAsked,
    () => new Graph({ ...recording("dev"), invocations: [{ token: "aws:index/getRegion:getRegion", arguments: {} }] }),
    /calls aws:index\/getRegion/,
  ],
  [
    all.sameAsLocally,
    () => spoilt("aws.msk.Topic", set({ configs: '{"retention.ms":"1"}' })),
    /not as the contract says/,
  ],
  [
    all.sameAsLocally,
    () =>
      spoilt("aws.mskconnect.Connector", (connector) =>
        set({
          connectorConfiguration: { ...(connector.inputs.connectorConfiguration as ValueMap), "insert.mode": "insert" },
        })(connector),
      ),
    /insert\.mode is insert, in the contract upsert/,
  ],
  [
    all.portsAreOpen,
    () =>
      spoilt("aws.lambda.Function", set({ vpcConfig: { securityGroupIds: ["sg-another"], subnetIds: ["subnet-1"] } })),
    /audit-operator-function can't reach port (5432|9098)/,
  ],
  [
    all.requestsAreRead,
    () => spoilt("aws.lambda.Invocation", set({ input: JSON.stringify({ action: "guard", clusterArn: "" }) })),
    /The request is not valid: .*clusterArn/,
  ],
  [
    all.nothingBeforeItsTime,
    () => spoilt("aws.dms.ReplicationTask", (task) => (task.dependencies = [])),
    /audit-capture-task waits for no test/,
  ],
  [
    all.nothingBeforeItsTime,
    () => spoilt("aws.mskconnect.Connector", (connector) => (connector.dependencies = [])),
    /connector waits for no prepared database/,
  ],
  [
    all.nothingBeforeItsTime,
    () => withPage((page) => (page.dependencies = [])),
    /audit-review-service waits for no prepared database/,
  ],
  [
    all.nothingBeforeItsTime,
    () => withPage((page) => (page.dependencies = [])),
    /audit-review-service waits for no login/,
  ],
  [
    all.secretsStaySecret,
    () =>
      spoilt(
        "aws.lb.Listener",
        (listener) =>
          (listener.inputs = { ...listener.inputs, defaultActions: reveal(listener.inputs.defaultActions) }),
        "devWithReview",
      ),
    /audit-review-https.* holds a secret in the clear/,
  ],
  [
    all.everyTypeDescribed,
    () => spoilt("aws.kms.Key", (key) => (key.type = "aws:sns/platformApplication:PlatformApplication")),
    /PlatformApplication/,
  ],
  [all.inputsFitServiceModels, () => spoilt("aws.iam.Role", set({ name: "r".repeat(65) })), /at most 64/],
  [
    all.namesUnique,
    () => {
      const copy = recording("dev");
      for (const role of copy.registrations.filter(({ type }) => type === "aws:iam/role:Role"))
        set({ name: "one" })(role);
      return new Graph(copy);
    },
    /are both/,
  ],
  [all.noLeftovers, () => spoilt("aws.ecs.Service", set({ name: "transformer-undefined" })), /transformer-undefined/],
  [
    all.statefulProtected,
    () => spoilt("aws.msk.Cluster", (cluster) => (cluster.protect = false), "prod"),
    /neither protected/,
  ],
  [
    all.statefulProtected,
    () => spoilt("aws.rds.Cluster", set({ deletionProtection: false, skipFinalSnapshot: true }), "prod"),
    /deleted in one call/,
  ],
  [all.destroyLeavesNothing, () => spoilt("aws.msk.Topic", (topic) => (topic.retainOnDelete = true)), /would stay/],
  [all.destroyLeavesNothing, () => spoilt("aws.s3.Bucket", set({ forceDestroy: false })), /forceDestroy is not true/],
];

function bootstrap(bootstrapServers: string): ValueMap {
  const graph = recordedGraph("dev");
  const [connector] = graph.ofType("aws:mskconnect/connector:Connector");
  const kafkaCluster = connector?.inputs.kafkaCluster as { apacheKafkaCluster: ValueMap };
  return { kafkaCluster: { apacheKafkaCluster: { ...kafkaCluster.apacheKafkaCluster, bootstrapServers } } };
}

describe("each invariant can fail", () => {
  it.each(broken.map((each) => [`${each[0].protects} (${String(each[2])})`, each] as const))(
    "%s",
    (_, [invariant, graph, words]) => {
      expect(invariant.violations(graph())).toEqual(expect.arrayContaining([expect.stringMatching(words)]));
    },
  );

  it("and is shown to", () => {
    const shown = new Set(broken.map(([invariant]) => invariant));
    const known = [...invariants, all.statefulProtected, all.destroyLeavesNothing];
    expect(known.filter((invariant) => !shown.has(invariant)).map(({ protects }) => protects)).toEqual([]);
  });
});
