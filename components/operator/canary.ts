import * as pulumi from "@pulumi/pulumi";
import { known, refuse } from "../shared/checks";
import { canaryProblems } from "./checks";
import { canaryTiming } from "./timing";
import { callOperator } from "./invocation";
import { canaryRequest, deploymentCanaryRequest } from "./requests";
import { scheduleOperator } from "./schedules";
import type { CanaryArgs } from "./types";

/**
 * Proves that rows move: a row written at the source must arrive in the audit table, every few minutes, and at the end of
 * each deployment that made a part anew. A deployment fails with the hop that the row did not pass.
 *
 * Costs per month in us-east-1: at one canary every five minutes less than 1 USD; it is part of the operator's.
 *
 * Replaced by: a renamed stack. It keeps nothing.
 */
export class Canary extends pulumi.ComponentResource {
  /** What the canary of the last deployment told, as JSON: the milliseconds of each hop. Empty without one. */
  public readonly report: pulumi.Output<string>;

  constructor(name: string, args: CanaryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc-audit:index:Canary", name, args, opts);
    refuse(name, canaryProblems(args), this);

    this.report = known(args.capturing) === false ? pulumi.output("") : deploymentCanary(name, args, this);
    scheduledCanary(name, args, this);

    this.registerOutputs({ report: this.report });
  }
}

function deploymentCanary(name: string, args: CanaryArgs, parent: pulumi.Resource): pulumi.Output<string> {
  const { functionName } = args.operator;
  const request = deploymentCanaryRequest(args);
  return callOperator(`${name}-arrives`, { functionName, request, triggers: args.triggers }, { parent }).result;
}

function scheduledCanary(name: string, args: CanaryArgs, parent: pulumi.Resource): void {
  scheduleOperator(
    `${name}-schedule`,
    {
      description: "Sends a canary through the pipeline",
      expression: rate(canaryTiming(args).intervalMinutes),
      request: canaryRequest(args),
      enabled: args.capturing,
      operator: args.operator,
    },
    { parent },
  );
}

/** EventBridge insists on the singular for one. */
function rate(minutes: number): string {
  return `rate(${minutes} ${minutes === 1 ? "minute" : "minutes"})`;
}
