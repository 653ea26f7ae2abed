import type { ConnectionsRequest } from "../../contract/operator";
import { testConnection, waitForInstance } from "../aws/dms";
import { awsStep, explainAwsError } from "../aws/errors";
import type { OperatorContext } from "../context";
import { OperatorError } from "../errors";

export interface ConnectionsReport {
  /** Endpoints that DMS can connect to now. */
  readonly successful: readonly string[];
}

/**
 * Has DMS connect to each endpoint from its replication instance, and waits until all have succeeded: DMS starts no task
 * before. A test that fails is repeated for two minutes, as rules and users take a moment to spread.
 *
 * @throws with DMS's own last message for each endpoint that fails.
 */
export async function connections(request: ConnectionsRequest, context: OperatorContext): Promise<ConnectionsReport> {
  const { replicationInstanceArn, endpointArns } = request;
  await awsStep(context, "wait for the replication instance", () => waitForInstance(context, replicationInstanceArn));
  await awsStep(context, "test the connections", async () => {
    const outcomes = await Promise.allSettled(
      endpointArns.map((endpointArn) => testConnection(context, { replicationInstanceArn, endpointArn })),
    );
    const failures = outcomes.filter((outcome) => outcome.status === "rejected").map(({ reason }) => reason as unknown);
    if (failures.length > 0) throw oneError(failures);
  });
  return { successful: endpointArns };
}

/** All that is wrong in one error, so that all can be fixed before the next attempt. */
function oneError(failures: readonly unknown[]): unknown {
  const errors = failures.map(explainAwsError);
  const [first] = errors;
  if (errors.length === 1) return first;
  const sentences = errors.map((error) => (error instanceof Error ? error.message : String(error)));
  const fixes = errors.filter((error) => error instanceof OperatorError).map(({ fix }) => fix);
  return new OperatorError(sentences.join(" "), [...new Set(fixes)].join(" "), { cause: first });
}
