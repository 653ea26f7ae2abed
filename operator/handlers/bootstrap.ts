import type { Client } from "pg";
import type { BootstrapRequest } from "../../contract/operator";
import { databaseRoles } from "../../contract/database-roles";
import {
  type BootstrapReport,
  checkDestination,
  checkSource,
  NotReadyError,
  prepareDestination,
  prepareSource,
} from "../database/bootstrap";
import type { OperatorContext } from "../context";
import { OperatorError } from "../errors";
import { createDatabase, isBesideSource } from "../database/destination-database";
import { scramVerifier } from "../database/passwords";
import { withDatabase } from "./with-database";

/** What a bootstrap changed on each side: nothing on one that it was not to prepare. */
export interface BootstrapResult {
  readonly source: BootstrapReport;
  readonly destination: BootstrapReport;
}

const untouched: BootstrapReport = { changes: [], passwordsSet: [], warnings: [] };

/** Characters that DMS refuses in the password of a source endpoint's secret. */
const refusedByDms = /[;.:+]/;

/**
 * Applies the SQL to both databases (which may be one) or to the side that is asked for, gives the roles that log in the passwords of their secrets, and
 * puts the tables under audit. A destination database that the source's own server lacks is created first, empty. Safe
 * to repeat, from any state.
 *
 * @throws StepError with everything that either side lacks, before anything but that empty database is made.
 */
export async function bootstrap(request: BootstrapRequest, context: OperatorContext): Promise<BootstrapResult> {
  const { source, destination } = request;
  const { lockTimeoutMilliseconds } = request;
  const passwords = await context.step("read the secrets of the roles", async () => ({
    capture: await passwordOf(context, source.captureSecretArn, databaseRoles.capture, refusedByDms),
    writer: await passwordOf(context, destination.writerSecretArn, databaseRoles.writer),
    review: destination.reviewSecretArn
      ? await passwordOf(context, destination.reviewSecretArn, databaseRoles.review)
      : undefined,
  }));
  return withDatabase(context, "source", source, async (sourceClient) => {
    if (isBesideSource(source, destination)) {
      await context.step("find or create the destination", () => createDatabase(sourceClient, destination.database));
    }
    return withDatabase(context, "destination", destination, async (destinationClient) => {
      await context.step("check both databases", () => checkBoth(sourceClient, destinationClient, request));
      const preparedDestination =
        request.only === "source"
          ? untouched
          : await context.step("prepare the destination", () =>
              prepareDestination(destinationClient, {
                lockTimeoutMilliseconds,
                passwords: { [databaseRoles.writer]: passwords.writer, [databaseRoles.review]: passwords.review },
                partitionsAhead: destination.partitionsAhead,
                partitionPeriod: destination.partitionPeriod,
              }),
            );
      const preparedSource =
        request.only === "destination"
          ? untouched
          : await context.step("prepare the source", () =>
              prepareSource(sourceClient, {
                lockTimeoutMilliseconds,
                tables: source.tables,
                actorSources: source.actorSources,
                unboundedVarcharMaxBytes: source.unboundedVarcharMaxBytes,
                passwords: { [databaseRoles.capture]: passwords.capture },
              }),
            );
      return { source: preparedSource, destination: preparedDestination };
    });
  });
}

/** The password that a role is to get, from the secret that it logs in with. */
async function passwordOf(
  context: OperatorContext,
  secretArn: string,
  role: string,
  refused?: RegExp,
): Promise<string> {
  const { username, password } = await context.credentials(secretArn);
  if (username !== role) {
    throw new OperatorError(
      `Secret ${secretArn} is for user ${username}, and the role is ${role}.`,
      `Set its "username" to ${role}, or name the secret that holds it.`,
    );
  }
  if (refused?.test(password)) {
    throw new OperatorError(
      `The password in secret ${secretArn} has a character that AWS DMS does not take: one of ; . : +`,
      "Generate one of letters and digits.",
    );
  }
  scramVerifier(password);
  return password;
}

async function checkBoth(source: Client, destination: Client, request: BootstrapRequest): Promise<void> {
  const named = (side: string, problems: Awaited<ReturnType<typeof checkDestination>>) =>
    problems.map((problem) => ({ ...problem, what: `${side}: ${problem.what}` }));
  const problems = [
    ...named("Source", await checkSource(source, request.source)),
    ...named("Destination", await checkDestination(destination)),
  ];
  if (problems.length > 0) {
    throw new NotReadyError("Nothing was touched, since the databases are not ready.", problems);
  }
}
