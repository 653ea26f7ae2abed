import type { ComponentResourceOptions } from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReviewServiceArgs } from "../../../components/review-service";
import { reviewLivenessPath, reviewPasswordVariable } from "../../../contract/review-environment";
import { texts } from "../../../recorder/values";
import { deploy, type Deployment, modes, outputValue, refusal } from "../support/deployment";
import {
  account,
  builtArtifacts,
  type BuiltArtifacts,
  clientSecret,
  database,
  region,
  reviewArguments,
  reviewSecretArn,
  waitsFor,
} from "../support/pipeline-arguments";

function page(args: Partial<ReviewServiceArgs> = {}) {
  return async (opts: ComponentResourceOptions) => {
    const { ReviewService } = await import("../../../components/review-service");
    return new ReviewService("review", { ...reviewArguments, ...args }, opts);
  };
}

function containerOf({ only }: Deployment<unknown>) {
  return JSON.parse(only("TaskDefinition").inputs.containerDefinitions)[0];
}

function environmentOf(deployment: Deployment<unknown>): Record<string, string> {
  return Object.fromEntries(
    containerOf(deployment).environment.map(({ name, value }: { name: string; value: string }) => [name, value]),
  );
}

let artifacts: BuiltArtifacts;
beforeAll(() => {
  artifacts = builtArtifacts();
});
afterAll(() => artifacts.remove());

describe.each(modes)("a reviewer's page in a %s", (mode) => {
  it("answers HTTPS alone, inside the VPC, and asks for a login before it forwards", async () => {
    const { only } = await deploy(page(), { mode });
    expect(only("LoadBalancer").inputs).toMatchObject({ internal: true, dropInvalidHeaderFields: true });
    expect(only("Listener").inputs).toMatchObject({ port: 443, protocol: "HTTPS" });
    const [login, forward] = only("Listener").inputs.defaultActions;
    expect(login).toMatchObject({
      type: "authenticate-oidc",
      order: 1,
      authenticateOidc: { onUnauthenticatedRequest: "authenticate", sessionTimeout: 8 * 3600, scope: "openid email" },
    });
    expect(forward).toMatchObject({ type: "forward", order: 2 });
  });

  it("shows the client's secret to nobody", async () => {
    const { registrations } = await deploy(page(), { mode });
    const holders = registrations.flatMap(({ name, markedInputs }) =>
      texts(markedInputs)
        .filter(({ text }) => text.includes(clientSecret))
        .map(({ secret }) => ({ name, secret })),
    );
    expect(holders).toEqual([
      { name: "review", secret: true },
      { name: "review-https", secret: true },
    ]);
  });

  it("names every child after itself and asks AWS nothing", async () => {
    const { registrations, invokes } = await deploy(
      page({ imageUri: undefined, imageBuildContext: artifacts.buildContext }),
      { mode },
    );
    for (const { name } of registrations.slice(1)) expect(name).toMatch(/^review-/);
    expect(invokes).toEqual([]);
  });
});

describe("a reviewer's page", () => {
  it("runs as a user without rights, on a file system that nobody writes, with no role of its own", async () => {
    const deployment = await deploy(page());
    expect(containerOf(deployment)).toMatchObject({
      user: "10001:10001",
      readonlyRootFilesystem: true,
      linuxParameters: { capabilities: { drop: ["ALL"] } },
      memory: 512,
    });
    const { inputs } = deployment.only("TaskDefinition");
    expect(inputs).not.toHaveProperty("taskRoleArn");
    expect(inputs).toMatchObject({ cpu: "256", memory: "512", runtimePlatform: { cpuArchitecture: "ARM64" } });
    expect(deployment.only("Service").inputs.networkConfiguration).toMatchObject({ assignPublicIp: false });
  });

  it("learns which logins to believe and which groups see what; its password it learns by the name of a secret", async () => {
    const deployment = await deploy(page());
    const environment = environmentOf(deployment);
    expect(environment).toMatchObject({
      AWS_REGION: region,
      REVIEW_DATABASE_HOST: database.endpoint,
      REVIEW_DATABASE_PORT: "5432",
      REVIEW_DATABASE_NAME: "shop",
      REVIEW_DATABASE_USER: "audit_review",
      REVIEW_DATABASE_AUTHENTICATION: "password",
      REVIEW_PUBLIC_ORIGIN: "https://audit.example.com",
      REVIEW_OIDC_ISSUER: "https://login.example.com",
      REVIEW_OIDC_CLIENT_ID: "audit-page",
      REVIEW_GROUPS_CLAIM: "groups",
    });
    expect(environment.REVIEW_LOAD_BALANCER_ARN).toMatch(/^arn:aws:elasticloadbalancing:.*:loadbalancer\/app\//);
    expect(environment).not.toHaveProperty("REVIEW_COGNITO_USER_POOL_ID");
    expect(environment).not.toHaveProperty(reviewPasswordVariable);
    expect(JSON.parse(environment.REVIEW_GROUPS!)).toEqual({ auditors: { tables: ["*"], reveal: true } });
    expect(containerOf(deployment).secrets).toEqual([
      { name: reviewPasswordVariable, valueFrom: `${reviewSecretArn}:password::` },
    ]);
  });

  it("reads groups of a user pool from its access tokens", async () => {
    const pool = `arn:aws:cognito-idp:${region}:${account}:userpool/${region}_AbCdEf123`;
    const cognito = { userPoolArn: pool, userPoolClientId: "client", userPoolDomain: "audit" };
    const deployment = await deploy(page({ oidc: undefined, cognito, sessionHours: 1 }));
    expect(deployment.only("Listener").inputs.defaultActions[0]).toMatchObject({
      type: "authenticate-cognito",
      authenticateCognito: { ...cognito, sessionTimeout: 3600, onUnauthenticatedRequest: "authenticate" },
    });
    expect(environmentOf(deployment)).toMatchObject({
      REVIEW_OIDC_ISSUER: `https://cognito-idp.${region}.amazonaws.com/${region}_AbCdEf123`,
      REVIEW_OIDC_CLIENT_ID: "client",
      REVIEW_COGNITO_USER_POOL_ID: `${region}_AbCdEf123`,
      REVIEW_GROUPS_CLAIM: "cognito:groups",
    });
  });

  it("admits the named networks to the load balancer, and the load balancer alone to the tasks", async () => {
    const { all, only } = await deploy(page({ clientCidrs: ["10.8.0.0/16", "10.9.0.0/24"] }));
    const [balancerGroup] = only("LoadBalancer").inputs.securityGroups;
    const [taskGroup] = only("Service").inputs.networkConfiguration.securityGroups;
    const rules = all("SecurityGroupIngressRule").map(({ inputs }) => inputs);
    expect(rules.filter(({ securityGroupId }) => securityGroupId === balancerGroup)).toEqual([
      expect.objectContaining({ cidrIpv4: "10.8.0.0/16", fromPort: 443, toPort: 443 }),
      expect.objectContaining({ cidrIpv4: "10.9.0.0/24", fromPort: 443, toPort: 443 }),
    ]);
    expect(rules.filter(({ securityGroupId }) => securityGroupId === taskGroup)).toEqual([
      expect.objectContaining({ referencedSecurityGroupId: balancerGroup, fromPort: 8080, toPort: 8080 }),
    ]);
    expect(rules.filter(({ securityGroupId }) => securityGroupId === database.securityGroupId)).toEqual([
      expect.objectContaining({ referencedSecurityGroupId: taskGroup, fromPort: 5432 }),
    ]);
  });

  it("starts once its ways are open and a listener uses its targets, whose health it tells without a login", async () => {
    const { only } = await deploy(page());
    expect(waitsFor(only("Service").options)).toEqual([
      "review-from-10-8-0-0-16",
      "review-https",
      "review-to-aws",
      "review-to-database-egress",
      "review-to-database-ingress",
      "review-to-login",
      "review-to-tasks-egress",
      "review-to-tasks-ingress",
    ]);
    expect(only("TargetGroup").inputs.healthCheck).toMatchObject({ path: reviewLivenessPath, matcher: "200" });
    expect(only("Service").inputs.loadBalancers).toEqual([
      expect.objectContaining({ containerName: "review", containerPort: 8080 }),
    ]);
  });

  it("is started with its own image, log and password, and no more", async () => {
    const keyArn = `arn:aws:kms:${region}:${account}:key/1`;
    const { only } = await deploy(page({ database: { ...reviewArguments.database, keyArn } }));
    const { Statement } = JSON.parse(only("review-execution-role-permissions").inputs.policy);
    expect(Statement.map(({ Sid }: { Sid: string }) => Sid)).toEqual([
      "LogInToRegistryHasNoResource",
      "PullOwnImage",
      "WriteStreamsOfOwnLogGroup",
      "ReadPasswordOfThePage",
      "DecryptPasswordOfThePage",
    ]);
    expect(Statement[3].Resource).toEqual([reviewSecretArn]);
    expect(Statement[4].Condition.StringEquals).toEqual({ "kms:ViaService": `secretsmanager.${region}.amazonaws.com` });
  });

  it("says where it is once it runs, and what its name must point at", async () => {
    const { result } = await deploy(page());
    expect((await outputValue(result.url)).value).toBe("https://audit.example.com");
    expect((await outputValue(result.loadBalancerDnsName)).value).toMatch(/^internal-.*\.elb\.amazonaws\.com$/);
    expect((await outputValue(result.loadBalancerMetricName)).value).toMatch(/^app\//);
  });

  it("refuses wrong arguments together, before it creates anything", async () => {
    const { message, asked } = await refusal(page({ hostName: "audit", clientCidrs: [], oidc: undefined }));
    for (const setting of ["hostName", "clientCidrs", "oidc"]) expect(message).toContain(`- ${setting} =`);
    expect(asked).toEqual(["cdc-audit:index:ReviewService"]);
  });
});
