import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { AuditPipelineArgs, PipelineReviewArgs } from "../../../components/audit-pipeline";
import type { ReviewServiceArgs } from "../../../components/review-service";

export const account = "123456789012";
export const region = "eu-central-1";
export const clusterArn = `arn:aws:kafka:${region}:${account}:cluster/audit/6b1f0a1e-0000-4000-8000-000000000000-5`;
export const imageUri = `${account}.dkr.ecr.${region}.amazonaws.com/transformer@sha256:${"0".repeat(64)}`;
export const captureSecretArn = `arn:aws:secretsmanager:${region}:${account}:secret:capture-AbCdEf`;
export const writerSecretArn = `arn:aws:secretsmanager:${region}:${account}:secret:writer-AbCdEf`;
export const adminSecretArn = `arn:aws:secretsmanager:${region}:${account}:secret:rds!cluster-admin-AbCdEf`;
export const reviewSecretArn = `arn:aws:secretsmanager:${region}:${account}:secret:review-AbCdEf`;
export const clientSecret = "incorrect-donkey-battery";
export const scramPassword = "correct-horse-battery";

export const placement = { vpcId: "vpc-1", subnetIds: ["subnet-1", "subnet-2"] };

export const kafka = {
  clusterArn,
  bootstrapBrokersIam: "b-1.audit.example.com:9098,b-2.audit.example.com:9098",
  bootstrapBrokersScram: "b-1.audit.example.com:9096,b-2.audit.example.com:9096",
  securityGroupId: "sg-kafka",
  scramUsername: "change-capture",
  replicationFactor: 2,
};

export const database = {
  endpoint: `shop.cluster-abc.${region}.rds.amazonaws.com`,
  databaseName: "shop",
  securityGroupId: "sg-database",
};

/** The least that a pipeline must be told of a reviewer's page. */
export const pipelineReviewArguments: PipelineReviewArgs = {
  hostName: "audit.example.com",
  certificateArn: `arn:aws:acm:${region}:${account}:certificate/0f1e2d3c`,
  clientCidrs: ["10.8.0.0/16"],
  oidc: {
    issuer: "https://login.example.com",
    authorizationEndpoint: "https://login.example.com/authorize",
    tokenEndpoint: "https://login.example.com/token",
    userInfoEndpoint: "https://login.example.com/userinfo",
    clientId: "audit-page",
    clientSecret,
  },
  groups: [{ name: "auditors", tables: ["*"], reveal: true }],
  imageUri: `${account}.dkr.ecr.${region}.amazonaws.com/review@sha256:${"0".repeat(64)}`,
};

/** The least that a reviewer's page must be told. */
export const reviewArguments: ReviewServiceArgs = {
  ...placement,
  clusterArn: `arn:aws:ecs:${region}:${account}:cluster/transformer`,
  database: { ...database, secretArn: reviewSecretArn },
  ...pipelineReviewArguments,
};

/** A database that an operator may prepare. */
export const administeredDatabase = { ...database, adminSecretArn };

export const topicNames = {
  raw: "cdc.raw",
  events: "audit.events",
  catalog: "audit.catalog",
  deadLetter: "audit.dead-letter",
};

/** A folder with what a developer would have built. */
export interface BuiltArtifacts {
  readonly pluginPath: string;
  readonly bundlePath: string;
  /** Holds `transformer/Dockerfile` and `review/Dockerfile`. */
  readonly buildContext: string;
  remove(): void;
}

export function builtArtifacts(): BuiltArtifacts {
  const folder = mkdtempSync(join(tmpdir(), "built-artifacts-"));
  for (const image of ["transformer", "review"]) {
    mkdirSync(join(folder, image));
    writeFileSync(join(folder, image, "Dockerfile"), "FROM scratch\n");
  }
  mkdirSync(join(folder, "review/dist"));
  writeFileSync(join(folder, "review/dist/server.js"), "// the page");
  const pluginPath = join(folder, "audit-sink-plugin.zip");
  writeFileSync(pluginPath, "a plugin");
  const bundlePath = join(folder, "operator.zip");
  writeFileSync(bundlePath, "an operator");
  return { pluginPath, bundlePath, buildContext: folder, remove: () => rmSync(folder, { recursive: true }) };
}

/** The least that a pipeline must be told. */
export function pipelineArguments(artifacts: BuiltArtifacts): AuditPipelineArgs {
  return {
    sourceId: "shop",
    ...placement,
    source: administeredDatabase,
    kafka: { ...kafka, scramPassword: pulumi.secret(scramPassword) },
    tables: [{ schema: "public", table: "orders" }],
    transformer: { imageUri },
    sink: { pluginPath: artifacts.pluginPath },
    operator: { bundlePath: artifacts.bundlePath },
  };
}

/** Logical names of what a resource waits for although none of its inputs comes from there. */
export function waitsFor({ dependsOn }: pulumi.CustomResourceOptions): string[] {
  const resources = (Array.isArray(dependsOn) ? dependsOn : []) as { __name?: string }[];
  return resources.map((resource) => resource.__name ?? "").sort();
}
