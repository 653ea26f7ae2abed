import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { nameLimits, physicalName } from "../shared/names";
import { arnParts, policyDocument, readSecretStatements, serviceTrust } from "../shared/policies";
import { serviceRole } from "../shared/roles";
import { componentTags } from "../shared/tags";
import { sourceAttributes, sourceSettings, targetSettings } from "./endpoint-settings";
import type { ChangeCaptureArgs } from "./types";

export function sourceEndpoint(
  name: string,
  args: ChangeCaptureArgs,
  keyArn: pulumi.Output<string>,
  parent: pulumi.Resource,
): aws.dms.Endpoint {
  const { source } = args;
  const roleArn = serviceRole(
    `${name}-secret-role`,
    {
      description: "DMS reads the capture user's secret",
      // DMS's regional principal: only it may read secrets for an endpoint, and it sends no source account.
      trust: pulumi.output(source.secretArn).apply((arn) => serviceTrust(`dms.${arnParts(arn).region}.amazonaws.com`)),
      permissions: pulumi
        .all([source.secretArn, source.keyArn])
        .apply(([secretArn, secretKeyArn]) => policyDocument(...readSecretStatements(secretArn, secretKeyArn))),
      component: name,
    },
    parent,
  );
  return new aws.dms.Endpoint(
    `${name}-source`,
    {
      endpointId: physicalName(`${name}-source`, nameLimits.replicationEndpoint),
      endpointType: "source",
      engineName: "aurora-postgresql",
      databaseName: source.databaseName,
      secretsManagerArn: source.secretArn,
      secretsManagerAccessRoleArn: roleArn,
      extraConnectionAttributes: sourceAttributes(args),
      postgresSettings: sourceSettings(args),
      sslMode: args.certificatePem ? "verify-full" : "require",
      certificateArn: certificate(name, args, parent)?.certificateArn,
      kmsKeyArn: keyArn,
      // DMS refuses to change the endpoints of a running task.
      pauseReplicationTasks: true,
      tags: componentTags(`${name}-source`, name),
    },
    { parent, deleteBeforeReplace: true },
  );
}

function certificate(name: string, args: ChangeCaptureArgs, parent: pulumi.Resource): aws.dms.Certificate | undefined {
  if (args.certificatePem === undefined) return undefined;
  return new aws.dms.Certificate(
    `${name}-certificate`,
    {
      certificateId: physicalName(`${name}-certificate`, nameLimits.replicationEndpoint),
      certificatePem: args.certificatePem,
      tags: componentTags(`${name}-certificate`, name),
    },
    { parent, deleteBeforeReplace: true },
  );
}

export function targetEndpoint(
  name: string,
  args: ChangeCaptureArgs,
  keyArn: pulumi.Output<string>,
  parent: pulumi.Resource,
): aws.dms.Endpoint {
  return new aws.dms.Endpoint(
    `${name}-target`,
    {
      endpointId: physicalName(`${name}-target`, nameLimits.replicationEndpoint),
      endpointType: "target",
      engineName: "kafka",
      kafkaSettings: targetSettings(args),
      kmsKeyArn: keyArn,
      pauseReplicationTasks: true,
      tags: componentTags(`${name}-target`, name),
    },
    { parent, deleteBeforeReplace: true },
  );
}
