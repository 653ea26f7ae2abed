import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import {
  checkDistinct,
  checkOneOf,
  checkPattern,
  checkWholeNumber,
  known,
  problemText,
  refuse,
} from "../../../components/shared/checks";
import { keyPolicy } from "../../../components/shared/encryption-key";
import { checkLogRetention } from "../../../components/shared/log-groups";

const unknown = pulumi.output(7);

describe("a problem", () => {
  it("names the setting, its value, what is allowed and the fix", () => {
    const [problem] = checkWholeNumber("brokers", 1, 2, 60);
    expect(problemText(problem!)).toBe(
      "brokers = 1: allowed is a whole number from 2 to 60. Set brokers to a whole number from 2 to 60.",
    );
    expect(problemText({ ...problem!, value: undefined })).toMatch(/^brokers = \(not set\): /);
  });

  it("is reported together with all others, on its component", () => {
    const problems = [...checkWholeNumber("brokers", 1, 2, 60), ...checkOneOf("stage", "shut", ["prepare", "open"])];
    const component = {} as pulumi.Resource;
    let error: unknown;
    try {
      refuse("kafka", problems, component);
    } catch (caught) {
      error = caught;
    }
    expect(pulumi.ResourceError.isInstance(error)).toBe(true);
    expect((error as pulumi.ResourceError).resource).toBe(component);
    expect((error as Error).message.split("\n")).toHaveLength(3);
    expect(() => refuse("kafka", [], component)).not.toThrow();
  });
});

describe("the checks", () => {
  it("let pass what only a deployment would tell", () => {
    expect(known(unknown)).toBeUndefined();
    expect(known(Promise.resolve(7))).toBeUndefined();
    expect(checkWholeNumber("n", unknown, 100, 200)).toEqual([]);
    expect(checkOneOf("n", unknown, [1, 2])).toEqual([]);
    expect(checkPattern("s", pulumi.output("x"), /y/, "y")).toEqual([]);
    expect(checkDistinct("list", pulumi.output(["a"]), 2, "subnets")).toEqual([]);
    expect(checkDistinct("list", ["a", pulumi.output("a")], 2, "subnets")).toEqual([]);
  });

  it("let pass what is not set", () => {
    expect(checkWholeNumber("n", undefined, 1, 2)).toEqual([]);
    expect(checkPattern("s", undefined, /y/, "y")).toEqual([]);
  });

  it("find too few and repeated elements", () => {
    expect(checkDistinct("subnetIds", ["a"], 2, "subnets")).toHaveLength(1);
    expect(checkDistinct("subnetIds", ["a", "a"], 2, "subnets")).toHaveLength(1);
    expect(checkDistinct("subnetIds", ["a", "b"], 2, "subnets")).toEqual([]);
  });

  it("know the retentions of CloudWatch Logs", () => {
    expect(checkLogRetention("logRetentionDays", 30)).toEqual([]);
    expect(checkLogRetention("logRetentionDays", 31)).toHaveLength(1);
  });
});

describe("the policy of a component's key", () => {
  const arn = "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/1";

  it("leaves decisions to the account's policies and lets its log groups in, in any partition", () => {
    const [account, logs, ...others] = keyPolicy(arn).Statement as { Principal: object; Condition?: object }[];
    expect(account?.Principal).toEqual({ AWS: "arn:aws-us-gov:iam::123456789012:root" });
    expect(logs?.Principal).toEqual({ Service: "logs.us-gov-west-1.amazonaws.com" });
    expect(logs?.Condition).toEqual({
      ArnLike: {
        "kms:EncryptionContext:aws:logs:arn": "arn:aws-us-gov:logs:us-gov-west-1:123456789012:log-group:*",
      },
    });
    expect(others).toEqual([]);
  });

  it("lets publishers use it for the topics of this account alone", () => {
    const statements = keyPolicy(arn, ["cloudwatch.amazonaws.com"]).Statement;
    expect(statements.at(-1)).toMatchObject({
      Principal: { Service: "cloudwatch.amazonaws.com" },
      Condition: {
        ArnLike: { "kms:EncryptionContext:aws:sns:topicArn": "arn:aws-us-gov:sns:us-gov-west-1:123456789012:*" },
      },
    });
  });
});
