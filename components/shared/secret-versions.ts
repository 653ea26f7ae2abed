/**
 * Labels of a secret's version that a deployment writes, for `versionStages`; later changes to them are to be ignored. A
 * rotation takes `AWSCURRENT` from it. Secrets Manager deletes versions without any label, and then the next refresh and
 * deployment would write the old password again, as the current one: so it keeps one of its own.
 */
export const writtenVersionStages = ["AWSCURRENT", "cdc-audit-written"];
