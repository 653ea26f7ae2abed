import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { nameLimits, physicalName } from "../shared/names";
import { componentTags } from "../shared/tags";

/** A digest of the plugin's content, part of its names: other content is another plugin. */
export function pluginDigest(pluginPath: string): string {
  return createHash("sha256").update(readFileSync(pluginPath)).digest("hex").slice(0, 12);
}

/**
 * Uploads the ZIP and registers it with MSK Connect, which copies it. A plugin never changes: a new one replaces it.
 */
export function connectorPlugin(
  name: string,
  args: { pluginPath: string; bucket: aws.s3.Bucket; bucketReady: readonly pulumi.Resource[] },
  parent: pulumi.Resource,
): aws.mskconnect.CustomPlugin {
  const digest = pluginDigest(args.pluginPath);
  const archive = new aws.s3.BucketObjectv2(
    `${name}-plugin-archive`,
    {
      bucket: args.bucket.bucket,
      key: `audit-sink-plugin-${digest}.zip`,
      source: new pulumi.asset.FileAsset(args.pluginPath),
      contentType: "application/zip",
      tags: componentTags(`${name}-plugin-archive`, name),
    },
    { parent, dependsOn: [...args.bucketReady] },
  );
  return new aws.mskconnect.CustomPlugin(
    `${name}-plugin`,
    {
      name: physicalName(`${name}-plugin-${digest}`, nameLimits.connectorPlugin),
      description: "JDBC sink that outlives database outages and sets refused rows aside",
      contentType: "ZIP",
      location: {
        s3: { bucketArn: args.bucket.arn, fileKey: archive.key, objectVersion: archive.versionId },
      },
      tags: componentTags(`${name}-plugin`, name),
    },
    { parent },
  );
}
