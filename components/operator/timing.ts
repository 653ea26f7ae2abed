import { operatorDefaults } from "../../contract/operator";
import type { CanaryArgs, OperatorArgs } from "./types";

/** How the audit table is maintained, with defaults filled in. */
export function maintenanceOf(args: Pick<OperatorArgs, "partitionsAhead" | "partitionPeriod" | "auditRetention">) {
  return {
    partitionsAhead: args.partitionsAhead ?? operatorDefaults.partitionsAhead,
    partitionPeriod: args.partitionPeriod ?? operatorDefaults.partitionPeriod,
    retention: args.auditRetention,
  };
}

/** When canaries are sent, with defaults filled in. */
export function canaryTiming(args: Pick<CanaryArgs, "intervalMinutes" | "timeoutSeconds">) {
  return {
    intervalMinutes: args.intervalMinutes ?? 5,
    timeoutSeconds: args.timeoutSeconds ?? operatorDefaults.canaryTimeoutSeconds,
  };
}

/**
 * Seconds that the canary at the end of a deployment may take: a task that has just started must first catch up on the
 * WAL, and a new connector must first join its group.
 */
export const deploymentCanarySeconds = 600;

/** The longest that AWS lets a function run, in seconds: bootstrap and connection tests end by themselves before. */
export const functionTimeoutSeconds = 900;
