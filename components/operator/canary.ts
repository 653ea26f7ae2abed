import * as pulumi from "@pulumi/pulumi";
import { checkArguments } from "../shared/arguments";
import { known } from "../shared/checks";
import { canaryProblems } from "./checks";
import { canaryTiming } from "./timing";
import { callOperator } from "./invocation";
import { canaryRequest, deploymentCanaryRequest } from "./requests";
import { scheduleOperator } from "./schedules";
import type { CanaryArgs } from "./types";

/**
 * Proves that rows move: a row written at the source must arrive in the audit table, every few minutes and at the end
 * of each deployment that changed a part. If it does not arrive, the deployment fails and names the hop that stopped
 * it.
 *
 * Costs: by use, as part of the operator's; sums in `docs/cost.md`.
 *
 * Replaced by: a renamed stack. It keeps no state.
 */
export class Canary extends pulumi.ComponentResource {
  /** Report of the last deployment's canary, as JSON: the milliseconds of each hop. Empty without one. */
  public readonly report: pulumi.Output<string>;

  constructor(name: string, args: CanaryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc-audit:index:Canary", name, args, opts);
    checkArguments({ kind: "Canary", name, resource: this }, args, (given) => canaryProblems(given));

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

/** EventBridge requires the singular for one. */
function rate(minutes: number): string {
  return `rate(${minutes} ${minutes === 1 ? "minute" : "minutes"})`;
}
