import type { OperatorRequest } from "../../contract/operator";
import { awsClients } from "../aws/clients";
import type { OperatorContext } from "../context";
import { withLambdaContext } from "./lambda-context";
import { parseInvocation } from "./request";

/** What the operator needs of the context that AWS Lambda passes. */
export interface LambdaInvocation {
  getRemainingTimeInMillis(): number;
}

/** Milliseconds kept back from the function's time, to report what was not done in time. */
const reserve = 2_000;

/** Kept between invocations, as their connections are. */
const clients = awsClients();

/** The entry of the Lambda function: does what the event asks for and returns what was done. */
export async function handler(event: unknown, invocation: LambdaInvocation): Promise<unknown> {
  const { request, lifecycle } = parseInvocation(event);
  if (lifecycle === "delete")
    return { action: request.action, skipped: "The resource is being deleted; there is nothing to do." };
  return withLambdaContext(
    {
      action: request.action,
      deadline: Date.now() + invocation.getRemainingTimeInMillis() - reserve,
      clients,
      writeLine: (line) => void process.stdout.write(`${line}\n`),
    },
    (context) => handle(request, context),
  );
}

/** Loads only what the action needs: the clients of Kafka and AWS are most of a cold start. */
async function handle(request: OperatorRequest, context: OperatorContext): Promise<unknown> {
  switch (request.action) {
    case "bootstrap":
      return (await import("../handlers/bootstrap")).bootstrap(request, context);
    case "connections":
      return (await import("../handlers/connections")).connections(request, context);
    case "canary":
      return (await import("../handlers/canary/canary")).canary(request, context, {
        diagnose: async (...where) => (await import("../handlers/canary/diagnosis")).diagnoseCanary(...where),
        tableLoads: async ({ captureTaskArn }) =>
          (await import("../aws/table-loads")).tableLoads(context, captureTaskArn),
      });
    case "maintain":
      return (await import("../handlers/maintain")).maintain(request, context);
    case "guard":
      return (await import("../handlers/guard")).guard(request, context);
    case "rotate":
      return (await import("../handlers/rotate")).rotate(request, context);
  }
}
