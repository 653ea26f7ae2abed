import { describe, expect, it } from "vitest";
import { type Call, type Policy, type Statement, evaluate } from "./evaluate";

const topic = "arn:aws:kafka:eu-central-1:111122223333:topic/audit/uuid/cdc.raw";

function policy(...statements: Partial<Statement>[]): Policy {
  return { Version: "2012-10-17", Statement: statements.map((each) => ({ Effect: "Allow", ...each })) };
}

function decide(statement: Partial<Statement>, call: Partial<Call> = {}) {
  return evaluate([policy(statement)], { action: "kafka-cluster:ReadData", resource: topic, ...call });
}

describe("the IAM evaluator", () => {
  it("allows nothing that no statement allows", () => {
    expect(decide({ Action: "kafka-cluster:WriteData", Resource: "*" })).toBe("not allowed");
    expect(decide({ Action: "kafka-cluster:ReadData", Resource: `${topic}.other` })).toBe("not allowed");
    expect(evaluate([], { action: "kms:Decrypt", resource: "*" })).toBe("not allowed");
  });

  it("lets a Deny win over any Allow, in whatever policy it stands", () => {
    const allow = policy({ Action: "kafka-cluster:*", Resource: "*" });
    const deny = policy({ Effect: "Deny", Action: "kafka-cluster:ReadData", Resource: "*" });
    expect(evaluate([allow, deny], { action: "kafka-cluster:ReadData", resource: topic })).toBe("denied");
    expect(evaluate([allow, deny], { action: "kafka-cluster:Connect", resource: topic })).toBe("allowed");
  });

  it("matches actions without regard to case, and resources with it", () => {
    expect(decide({ Action: "KAFKA-CLUSTER:readdata", Resource: topic })).toBe("allowed");
    expect(decide({ Action: "kafka-cluster:ReadData", Resource: topic.replace("cdc", "CDC") })).toBe("not allowed");
  });

  it("reads * as any characters and ? as one, within one part of an ARN", () => {
    const allows = (Resource: string) => decide({ Action: "kafka-cluster:Read*", Resource }) === "allowed";
    expect(allows("arn:aws:kafka:eu-central-1:111122223333:topic/*")).toBe(true);
    expect(allows("arn:aws:kafka:*:111122223333:topic/audit/uuid/cdc.ra?")).toBe(true);
    expect(allows("arn:aws:kafka:eu-central-1:111122223333:topic/audit/uuid/cdc?")).toBe(false);
    expect(allows("arn:aws:kafka:*")).toBe(false);
    expect(allows("arn:aws:kafka:*:topic/audit/uuid/cdc.raw")).toBe(false);
  });

  it("takes a dot in a pattern for a dot", () => {
    expect(decide({ Action: "kafka-cluster:ReadData", Resource: topic }, { resource: topic.replace(".", "x") })).toBe(
      "not allowed",
    );
  });

  it("reads NotAction and NotResource as everything else", () => {
    expect(decide({ NotAction: "kafka-cluster:WriteData", Resource: "*" })).toBe("allowed");
    expect(decide({ NotAction: "kafka-cluster:*", Resource: "*" })).toBe("not allowed");
    expect(decide({ Action: "*", NotResource: topic })).toBe("not allowed");
  });

  it("holds a statement to its conditions, all of them", () => {
    const conditions = (context: Call["context"], condition: Statement["Condition"]) =>
      decide({ Action: "*", Resource: "*", Condition: condition }, { context });
    const context = {
      "aws:SourceAccount": "111122223333",
      "aws:SourceArn": "arn:aws:dms:eu-central-1:111122223333:rep:A",
    };
    expect(conditions(context, { StringEquals: { "aws:SourceAccount": "111122223333" } })).toBe("allowed");
    expect(conditions(context, { StringEquals: { "AWS:sourceaccount": ["1", "111122223333"] } })).toBe("allowed");
    expect(conditions(context, { StringEquals: { "aws:SourceAccount": "999999999999" } })).toBe("not allowed");
    expect(conditions(context, { ArnLike: { "aws:SourceArn": "arn:aws:dms:*:111122223333:*" } })).toBe("allowed");
    expect(
      conditions(context, {
        StringEquals: { "aws:SourceAccount": "111122223333" },
        ArnLike: { "aws:SourceArn": "arn:aws:dms:*:111122223333:task:*" },
      }),
    ).toBe("not allowed");
  });

  it("treats an absent key as AWS does", () => {
    const absent = (condition: Statement["Condition"]) => decide({ Action: "*", Resource: "*", Condition: condition });
    expect(absent({ StringEquals: { "kms:ViaService": "s3" } })).toBe("not allowed");
    expect(absent({ StringNotEquals: { "kms:ViaService": "s3" } })).toBe("allowed");
    expect(absent({ StringEqualsIfExists: { "kms:ViaService": "s3" } })).toBe("allowed");
    expect(absent({ Null: { "kms:ViaService": "true" } })).toBe("allowed");
    expect(absent({ Bool: { "aws:SecureTransport": "false" } })).toBe("not allowed");
  });

  it("asks for the principal where a policy names one", () => {
    const trust = { Action: "sts:AssumeRole", Principal: { Service: ["dms.amazonaws.com"] } };
    const assume = { action: "sts:AssumeRole", resource: "*" };
    expect(decide(trust, { ...assume, principal: { Service: "dms.amazonaws.com" } })).toBe("allowed");
    expect(decide(trust, { ...assume, principal: { Service: "ecs.amazonaws.com" } })).toBe("not allowed");
    expect(decide(trust, { ...assume, principal: { AWS: "dms.amazonaws.com" } })).toBe("not allowed");
    expect(decide(trust, assume)).toBe("not allowed");
  });

  it("refuses what it does not cover instead of guessing", () => {
    expect(() =>
      decide({ Action: "*", Resource: "*", Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } } }),
    ).toThrow(/IpAddress is not covered/);
    expect(() => decide({ Action: "*", Resource: "arn:aws:s3:::${aws:username}" })).toThrow(
      /variables are not covered/,
    );
    expect(() => decide({ Effect: "allow", Action: "*", Resource: "*" })).toThrow(/Allow or Deny/);
    expect(() => decide({ Resource: "*" })).toThrow(/either Action or NotAction/);
  });
});
