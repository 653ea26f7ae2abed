import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { Graph, input, textInput } from "../../recorder/graph";
import { RunningPolicyPack } from "../policies/policy-pack";
import type { Recording } from "../../recorder/recorder";
import { isSecret } from "../../recorder/values";
import { typescriptExamples } from "./consumer";
import type { RecordedExample } from "../setup/package";

const facts = inject("packageFacts");
let pack: RunningPolicyPack;

beforeAll(async () => {
  pack = await RunningPolicyPack.start(resolve(__dirname, "../../policies"));
});

afterAll(() => pack.stop());

function recording(example: RecordedExample): Recording {
  return JSON.parse(readFileSync(join(facts.recordings, `${example}.json`), "utf8")) as Recording;
}

function graph(example: RecordedExample): Graph {
  return new Graph(recording(example));
}

describe("an example in an empty folder, with the packed components", () => {
  it("compiles", () => {
    expect(facts.typeErrors).toBe("");
  });

  it.each([...typescriptExamples, "yaml"] as const)("passes the policy pack: %s", async (example) => {
    const recorded = recording(example);
    expect(recorded.registrations.length).toBeGreaterThan(80);
    // A version that ends within half a year is worth a warning, and no fault of an example.
    expect(recorded.log.filter(({ message }) => !/ ends on \d{4}-/.test(message))).toEqual([]);
    expect(await pack.findings(recorded)).toEqual([]);
  });

  it("takes no more than 20 lines for the whole pipeline", () => {
    const text = readFileSync(join(facts.consumerFolder, "whole-pipeline/index.ts"), "utf8");
    expect(text.split("\n").filter((line) => line.trim() !== "").length).toBeLessThanOrEqual(21);
  });
});

describe("the examples", () => {
  it("make no database where you bring your own, and let the pipeline into it", () => {
    const own = graph("own-database");
    expect(own.ofType("aws:rds/cluster:Cluster")).toEqual([]);
    expect(own.ofType("aws:msk/cluster:Cluster")).toHaveLength(1);
    const admitting = own
      .ofType("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
      .filter((rule) => textInput(rule, "securityGroupId") === "sg-0a1b2c3d4e5f60718");
    expect(admitting.length).toBeGreaterThanOrEqual(2);
  });

  it("make no brokers where you bring your own, and keep their password a secret", () => {
    const own = graph("own-kafka");
    expect(own.ofType("aws:msk/cluster:Cluster")).toEqual([]);
    expect(own.ofType("aws:msk/topic:Topic").map((topic) => textInput(topic, "name"))).toContain("orders.cdc.raw");
    const target = own.ofType("aws:dms/endpoint:Endpoint").find((each) => input(each, "engineName") === "kafka");
    const { kafkaSettings } = target?.inputs ?? {};
    const password = isSecret(kafkaSettings) || isSecret((kafkaSettings as Record<string, never>)?.saslPassword);
    expect(password).toBe(true);
  });

  it("write to the other cluster where the log has one of its own", () => {
    const separate = graph("separate-destination");
    const clusters = separate.ofType("aws:rds/cluster:Cluster");
    expect(clusters.map(({ name }) => name).sort()).toEqual(["log-cluster", "orders-cluster"]);
    const [connector] = separate.ofType("aws:mskconnect/connector:Connector");
    const endpoint = String(clusters.find(({ name }) => name === "log-cluster")?.outputs.endpoint);
    expect(JSON.stringify(connector?.completedInputs)).toContain(endpoint);
  });

  it("stand in the network that another stack tells of", () => {
    const second = graph("second-stack");
    const [group] = second.ofType("aws:rds/subnetGroup:SubnetGroup");
    expect(JSON.stringify(group && input(group, "subnetIds"))).toMatch(
      /^\["subnet-[0-9a-f]{17}","subnet-[0-9a-f]{17}"\]$/,
    );
    expect(second.ofType("awsx:ec2:Vpc")).toEqual([]);
  });

  it("make the same in YAML as in TypeScript, resource by resource", () => {
    const made = (example: RecordedExample) =>
      graph(example)
        .resources.filter(({ custom, remote }) => custom || remote)
        .map(({ urn, inputs, protect }) => ({ urn, inputs, protect }))
        .sort((a, b) => (a.urn < b.urn ? -1 : 1));
    expect(made("yaml")).toEqual(made("whole-pipeline"));
  });
});
