import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { goldenText } from "../../recorder/golden";
import { Graph, input } from "../../recorder/graph";
import { mermaidPicture } from "../../recorder/picture";
import { type Recording, recordStack } from "../../recorder/recorder";
import { placeholderSecret, readStackSettings } from "../../recorder/stack-settings";
import { printTree } from "../../recorder/tree";
import { isSecret, isUnknown, texts } from "../../recorder/values";

const projectFolder = join(__dirname, "fixtures", "program");

let deployment: Recording;
let preview: Recording;

beforeAll(async () => {
  deployment = await recordStack({ projectFolder, stack: "sample" });
  preview = await recordStack({ projectFolder, stack: "sample", preview: true });
});

function resource(recording: Recording, name: string) {
  const found = recording.registrations.find((registration) => registration.name === name);
  if (!found) throw new Error(`The fixture has no resource ${name}.`);
  return found;
}

describe("the graph recorder", () => {
  it("names every resource as Pulumi would, by stack, project and chain of types", () => {
    expect(resource(deployment, "database-cluster").urn).toBe(
      "urn:pulumi:sample::recorder-fixture::recorder-fixture:index:Database$aws:rds/cluster:Cluster::database-cluster",
    );
    expect(resource(deployment, "topic").urn).toBe("urn:pulumi:sample::recorder-fixture::aws:sns/topic:Topic::topic");
  });

  it("records parents and the protection that children inherit", () => {
    const database = resource(deployment, "database");
    expect(resource(deployment, "database-cluster")).toMatchObject({ parent: database.urn, protect: true });
    expect(resource(deployment, "key")).toMatchObject({ protect: false, retainOnDelete: true });
  });

  it("records resource options", () => {
    expect(resource(deployment, "database-cluster")).toMatchObject({
      deleteBeforeReplace: true,
      ignoreChanges: ["masterPassword"],
      customTimeouts: { create: "2h" },
    });
    expect(resource(deployment, "database").aliases).toMatchObject([{ name: "db" }]);
  });

  it("records what depends on what, by property where the value says so", () => {
    const key = resource(deployment, "key").urn;
    const topic = resource(deployment, "topic");
    expect(topic.propertyDependencies).toEqual({ kmsMasterKeyId: [key] });
    expect(topic.dependencies).toContain(key);
    expect(topic.dependencies).toContain(resource(deployment, "database-cluster").urn);
  });

  it("keeps secrets marked through outputs and inputs", () => {
    expect(isSecret(resource(deployment, "database-cluster").inputs.masterPassword)).toBe(true);
    expect(isSecret(resource(preview, "database-cluster").inputs.masterPassword)).toBe(true);
    expect(isSecret(deployment.stackOutputs.password)).toBe(true);
  });

  it("lets a deployment know what a preview can't", () => {
    expect(isUnknown(resource(preview, "topic").inputs.kmsMasterKeyId)).toBe(true);
    expect(resource(deployment, "topic").inputs.kmsMasterKeyId).toMatch(
      /^arn:aws:kms:eu-west-1:\d{12}:key\/[0-9a-f-]{36}$/,
    );
    expect(isUnknown(preview.stackOutputs.subnets)).toBe(true);
    expect(deployment.stackOutputs.subnets).toHaveLength(2);
  });

  it("gives automatic names where the provider would, in both modes", () => {
    for (const recording of [deployment, preview]) {
      expect(input(resource(recording, "database-cluster"), "clusterIdentifier")).toMatch(
        /^database-cluster-[0-9a-f]{7}$/,
      );
    }
  });

  it("writes down each call of a provider function", () => {
    expect(deployment.invocations).toEqual([{ token: "aws:index/getCallerIdentity:getCallerIdentity", arguments: {} }]);
  });

  it("records the same again on the next run", async () => {
    const again = await recordStack({ projectFolder, stack: "sample" });
    expect(goldenText(again)).toBe(goldenText(deployment));
  });

  it("says why a program failed", async () => {
    const failing = recordStack({
      projectFolder,
      stack: "sample",
      config: { "recorder-fixture:failWith": "no such subnet" },
    });
    await expect(failing).rejects.toThrow(/program failed for stack sample[^]*no such subnet/);
  });
});

describe("reading stack settings", () => {
  const settings = readStackSettings(projectFolder, "sample");

  it("lets the stack file win over the project's defaults, under the full key", () => {
    expect(settings.config).toMatchObject({
      "recorder-fixture:brokers": "3",
      "recorder-fixture:topicName": "from-stack",
      "aws:region": "eu-west-1",
    });
  });

  it("hands lists over as JSON and declared secrets as secrets", () => {
    expect(settings.config["recorder-fixture:subnets"]).toBe('["subnet-1","subnet-2"]');
    expect(settings.secretKeys).toEqual(["recorder-fixture:password", "recorder-fixture:encrypted"]);
  });

  it("puts a placeholder for what only the stack's key opens", () => {
    expect(settings.config["recorder-fixture:encrypted"]).toBe(placeholderSecret);
  });

  it("names the file that is missing", () => {
    expect(() => readStackSettings(projectFolder, "nowhere")).toThrow(/Pulumi\.nowhere\.yaml does not exist/);
  });
});

describe("showing a recording", () => {
  it("prints a tree of components and what they make", () => {
    const lines = printTree(new Graph(deployment)).split("\n");
    expect(lines[0]).toMatch(/^recorder-fixture-sample: 5 resources/);
    expect(lines).toContain("├─ database  recorder-fixture.Database  [protected]");
    expect(lines).toContain("│  ├─ database-cluster  aws.rds.Cluster  [protected]");
    expect(lines).toContain("└─ vpc  awsx.ec2.Vpc  [made by a plugin]");
  });

  it("draws each component once, with what it makes and the arrows that others don't imply", () => {
    const picture = mermaidPicture(new Graph(deployment));
    expect(picture).toMatch(/^flowchart LR\n/);
    expect(picture).toContain("<b>database</b><br/>rds.Cluster<br/><i>and 1 more</i>");
    expect(picture.match(/-->/g)).toHaveLength(1);
  });

  it("never writes a secret into a golden text", () => {
    const secrets = deployment.registrations.flatMap(({ inputs }) => texts(inputs).filter((each) => each.secret));
    expect(secrets.length).toBeGreaterThan(0);
    for (const { text } of secrets) expect(goldenText(deployment)).not.toContain(text);
  });
});
