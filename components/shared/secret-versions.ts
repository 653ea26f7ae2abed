/**
 * Labels (`versionStages`) of the secret version that a deployment writes. Pulumi must ignore later changes to them,
 * because a rotation moves `AWSCURRENT` to another version. Secrets Manager deletes a version without labels, and the
 * next refresh and deployment would then make the old password the current one. The second label keeps the version.
 */
export const writtenVersionStages = ["AWSCURRENT", "cdc-audit-written"];
