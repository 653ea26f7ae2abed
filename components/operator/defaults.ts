import { operatorDefaults } from "../../contract/operator";
import { nameLimits, physicalName } from "../shared/names";
import type { CanaryArgs, OperatorArgs } from "./types";

/** The function's name, known at preview. */
export function functionNameOf(name: string): string {
  return physicalName(name, nameLimits.function);
}

/** How the audit table is kept, with defaults filled in. */
export function upkeepOf(args: Pick<OperatorArgs, "partitionsAhead" | "partitionPeriod" | "auditRetention">) {
  return {
    partitionsAhead: args.partitionsAhead ?? operatorDefaults.partitionsAhead,
    partitionPeriod: args.partitionPeriod ?? operatorDefaults.partitionPeriod,
    retention: args.auditRetention,
  };
}

/** When canaries are sent, with defaults filled in. */
export function canaryPace(args: Pick<CanaryArgs, "intervalMinutes" | "timeoutSeconds">) {
  return {
    intervalMinutes: args.intervalMinutes ?? 5,
    timeoutSeconds: args.timeoutSeconds ?? operatorDefaults.canaryTimeoutSeconds,
  };
}

/**
 * Seconds that the canary at the end of a deployment may take: a task that has just started first reads up on the WAL, a
 * connector that has just been made first joins its group.
 */
export const deploymentCanarySeconds = 600;

/** The longest that AWS lets a function run, in seconds: bootstrap and connection tests end by themselves before. */
export const functionTimeoutSeconds = 900;
