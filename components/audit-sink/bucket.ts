import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { nameLimits, physicalName } from "../shared/names";
import { type PolicyDocument, policyDocument } from "../shared/policies";
import { componentTags } from "../shared/tags";

export interface PrivateBucket {
  readonly bucket: aws.s3.Bucket;
  /**
   * What makes the bucket versioned, encrypted and private. An object must depend on it, or it would be none of these.
   */
  readonly ready: readonly pulumi.Resource[];
}

/** A bucket that keeps versions, encrypts with the key, refuses plain HTTP and can't be made public. */
export function privateBucket(
  name: string,
  args: { keyArn: pulumi.Input<string>; retainData: boolean; component: string },
  parent: pulumi.Resource,
): PrivateBucket {
  const bucket = new aws.s3.Bucket(
    name,
    {
      // Bucket names are global: AWS adds a suffix that makes this one unique.
      bucketPrefix: `${physicalName(name, nameLimits.bucketPrefix - 1)}-`,
      forceDestroy: !args.retainData,
      tags: componentTags(name, args.component),
    },
    { parent },
  );
  const of = { bucket: bucket.bucket };
  const publicAccess = new aws.s3.BucketPublicAccessBlock(
    `${name}-public-access`,
    { ...of, blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
    { parent },
  );
  const ownership = new aws.s3.BucketOwnershipControls(
    `${name}-ownership`,
    { ...of, rule: { objectOwnership: "BucketOwnerEnforced" } },
    { parent },
  );
  const versioning = new aws.s3.BucketVersioning(
    `${name}-versioning`,
    { ...of, versioningConfiguration: { status: "Enabled" } },
    { parent },
  );
  const encryption = new aws.s3.BucketServerSideEncryptionConfiguration(
    `${name}-encryption`,
    {
      ...of,
      rules: [
        {
          applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: args.keyArn },
          bucketKeyEnabled: true,
        },
      ],
    },
    { parent },
  );
  const policy = new aws.s3.BucketPolicy(
    `${name}-policy`,
    { ...of, policy: bucket.arn.apply((arn) => JSON.stringify(encryptedTransportOnly(arn))) },
    // S3 takes one change of a bucket's access at a time.
    { parent, dependsOn: [publicAccess] },
  );
  return { bucket, ready: [publicAccess, ownership, versioning, encryption, policy] };
}

/** Refuses every request that does not come over TLS. */
export function encryptedTransportOnly(bucketArn: string): PolicyDocument {
  return policyDocument({
    Sid: "DenyEverythingWithoutTls",
    Effect: "Deny",
    Principal: "*",
    Action: ["s3:*"],
    Resource: [bucketArn, `${bucketArn}/*`],
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  });
}
