import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReviewServiceArgs } from "../../../components/review-service";
import { reviewServiceProblems } from "../../../components/review-service/checks";
import { problemText } from "../../../components/shared/checks";
import { reviewArguments } from "../support/pipeline-arguments";

function problems(args: Partial<ReviewServiceArgs>) {
  return reviewServiceProblems({ ...reviewArguments, ...args });
}

function settings(args: Partial<ReviewServiceArgs>): string[] {
  return problems(args).map((problem) => problem.setting);
}

const oidc = reviewArguments.oidc!;
const cognito = {
  userPoolArn: "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_AbCdEf123",
  userPoolClientId: "client",
  userPoolDomain: "audit",
};
const group = { name: "auditors", tables: ["*"] };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "review-context-"));
  mkdirSync(join(folder, "review"));
  writeFileSync(join(folder, "review/Dockerfile"), "FROM scratch\n");
  mkdirSync(join(folder, "review/dist"));
  writeFileSync(join(folder, "review/dist/server.js"), "// the page");
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("a reviewer's page's arguments", () => {
  it("are accepted at their least, with either login and either way to an image", () => {
    expect(problems({})).toEqual([]);
    expect(problems({ oidc: undefined, cognito })).toEqual([]);
    expect(problems({ imageUri: undefined, imageBuildContext: folder })).toEqual([]);
  });

  it("name the command that builds what the image copies", () => {
    rmSync(join(folder, "review/dist/server.js"));
    const [problem] = problems({ imageUri: undefined, imageBuildContext: folder });
    expect(problem).toMatchObject({
      setting: "imageBuildContext",
      fix: expect.stringContaining("npm run build:review"),
    });
  });

  it.each<[string, Partial<ReviewServiceArgs>, string[]]>([
    ["no login", { oidc: undefined }, ["oidc"]],
    ["two logins", { cognito }, ["cognito"]],
    [
      "a login without TLS",
      { oidc: { ...oidc, tokenEndpoint: "http://login.example.com/token" } },
      ["oidc.tokenEndpoint"],
    ],
    ["a scope that says nothing of the user", { oidc: { ...oidc, scope: "email groups" } }, ["oidc.scope"]],
    ["the name of a pool", { oidc: undefined, cognito: { ...cognito, userPoolArn: "audit" } }, ["cognito.userPoolArn"]],
    ["an address for the host name", { hostName: "https://audit.example.com/" }, ["hostName"]],
    [
      "a certificate of another service",
      { certificateArn: "arn:aws:iam::123456789012:server-certificate/x" },
      ["certificateArn"],
    ],
    ["nobody who may open it", { clientCidrs: [] }, ["clientCidrs"]],
    ["the whole internet", { clientCidrs: ["0.0.0.0/0"] }, ["clientCidrs"]],
    ["half of the internet", { clientCidrs: ["128.0.0.0/1"] }, ["clientCidrs"]],
    ["an address that is no network's first", { clientCidrs: ["10.8.0.1/16"] }, ["clientCidrs"]],
    ["a network twice", { clientCidrs: ["10.8.0.0/16", "10.8.0.0/16"] }, ["clientCidrs"]],
    ["one subnet", { subnetIds: ["subnet-1"] }, ["subnetIds"]],
    ["no group", { groups: [] }, ["groups"]],
    ["a group twice", { groups: [group, group] }, ["groups[1].name"]],
    ["a group that sees nothing", { groups: [{ ...group, tables: [] }] }, ["groups[0].tables"]],
    ["a table without a schema", { groups: [{ ...group, tables: ["orders"] }] }, ["groups[0].tables"]],
    [
      "reasons for what is shown anyhow",
      { groups: [{ ...group, unmasked: true, reveal: true }] },
      ["groups[0].reveal"],
    ],
    ["a column without its table", { maskedColumns: ["customers.email"] }, ["maskedColumns"]],
    ["a session of a week", { sessionHours: 168 }, ["sessionHours"]],
    ["an image by tag", { imageUri: "review:latest" }, ["imageUri"]],
    ["a folder without a Dockerfile", { imageUri: undefined, imageBuildContext: tmpdir() }, ["imageBuildContext"]],
    ["memory that Fargate lacks for the CPU", { memoryMiB: 1536 }, ["memoryMiB"]],
    ["CPU units that Fargate lacks", { cpu: 128 }, ["cpu"]],
    ["no task", { tasks: 0 }, ["tasks"]],
    ["days that CloudWatch lacks", { logRetentionDays: 2 }, ["logRetentionDays"]],
  ])("are refused with %s", (_, args, refused) => {
    expect(settings(args)).toEqual(refused);
  });

  it("are refused for what is missing, each with what to do", () => {
    const found = reviewServiceProblems({ vpcId: "vpc-1", subnetIds: ["s-1", "s-2"] } as unknown as ReviewServiceArgs);
    expect(found.map(({ setting }) => setting)).toEqual([
      "imageUri",
      "hostName",
      "certificateArn",
      "clientCidrs",
      "oidc",
      "groups",
    ]);
    for (const problem of found) expect(problemText(problem)).toContain("(not set)");
  });

  it("are left to AWS where they become known later", () => {
    const later = pulumi.output("later");
    expect(problems({ certificateArn: later, oidc: { ...oidc, issuer: later, tokenEndpoint: later } })).toEqual([]);
  });
});
