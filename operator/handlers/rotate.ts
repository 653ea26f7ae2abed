import { DescribeEndpointsCommand, ModifyEndpointCommand } from "@aws-sdk/client-database-migration-service";
import { databaseRoles } from "../../contract/database-roles";
import type { DatabaseAccess, RotatedCredential, RotateRequest } from "../../contract/operator";
import { describeTask, resumeTask, settledTaskStatus, stopTask, testConnection } from "../aws/dms";
import { awsStep } from "../aws/errors";
import { SecretRotation } from "../aws/secret-rotation";
import { isAwsError, waitFor } from "../aws/wait";
import type { OperatorContext } from "../context";
import { OperatorError } from "../errors";
import { KafkaLoginError, withKafkaAdmin } from "../kafka/admin";
import { setPasswords } from "../database/passwords";
import { inTransaction } from "../database/transaction";

export interface RotateReport {
  readonly credential: RotatedCredential["kind"];
  /** Whether this run continued a rotation that an earlier run left unfinished. */
  readonly resumed: boolean;
  /** What became of the DMS task. A task that somebody had stopped stays so and reads the password when it starts. */
  readonly task: TaskOutcome;
}

type TaskOutcome = "restarted" | "left as it was" | "not concerned";

type KafkaCredential = Extract<RotatedCredential, { kind: "kafka" }>;

/** Milliseconds in which Secrets Manager may still hand out the old version. */
const secretPatience = 30_000;

/**
 * Gives one credential a new password. It may be interrupted anywhere: the next run continues where this one stopped,
 * which Secrets Manager keeps (see {@link SecretRotation}).
 *
 * What can't be avoided:
 * - `capture` and `kafka`: DMS reads its password when its task starts, so the task stands still for some minutes. The
 *   slot keeps the changes of that time; they arrive late, and none is lost.
 * - `review`: the page's tasks keep the password with which they started, so new ones must be started afterwards.
 * - `capture`, `writer` and `review`: PostgreSQL knows one password a role. A login between the promotion of the new password and
 *   the commit in the database may use the wrong one of the two: it is refused once and must try again.
 * - `kafka`: MSK takes up to ten minutes to learn a password. The running task keeps its connections; a connection that
 *   it opens in this time is refused, and DMS retries until the task is restarted.
 */
export async function rotate(request: RotateRequest, context: OperatorContext): Promise<RotateReport> {
  const { credential, secretArn } = request;
  switch (credential.kind) {
    case "capture":
      return rotateCapture(credential.source, credential.captureTaskArn, secretArn, context);
    case "writer":
    case "review":
      return rotateInDestination(credential.kind, credential.destination, secretArn, context);
    case "kafka":
      return rotateKafka(credential, secretArn, context);
  }
}

async function rotateCapture(
  source: DatabaseAccess,
  taskArn: string,
  secretArn: string,
  context: OperatorContext,
): Promise<RotateReport> {
  const rotation = await begin(context, secretArn, databaseRoles.capture);
  await setRolePassword(context, rotation, source, secretArn);
  const task = await withTaskStopped(context, rotation, taskArn, async () => undefined);
  return finish(context, rotation, { credential: "capture", task });
}

async function rotateInDestination(
  credential: "writer" | "review",
  destination: DatabaseAccess,
  secretArn: string,
  context: OperatorContext,
): Promise<RotateReport> {
  const rotation = await begin(context, secretArn, databaseRoles[credential]);
  await setRolePassword(context, rotation, destination, secretArn);
  return finish(context, rotation, { credential, task: "not concerned" });
}

async function rotateKafka(
  credential: KafkaCredential,
  secretArn: string,
  context: OperatorContext,
): Promise<RotateReport> {
  const { username, replicationInstanceArn } = await awsStep(context, "look at the endpoint", () =>
    captureLogin(context, credential),
  );
  const rotation = await begin(context, secretArn, username);
  await awsStep(context, "make the new password current", () => rotation.promote());
  await awsStep(context, "wait until every broker takes it", () => brokersTake(context, credential, rotation));
  const task = await withTaskStopped(context, rotation, credential.captureTaskArn, async () => {
    const endpointArn = credential.targetEndpointArn;
    await awsStep(context, "give the endpoint the new password", () => modifyEndpoint(context, endpointArn, rotation));
    await awsStep(context, "test the endpoint", () => testConnection(context, { replicationInstanceArn, endpointArn }));
  });
  return finish(context, rotation, { credential: "kafka", task });
}

function begin(context: OperatorContext, secretArn: string, username: string): Promise<SecretRotation> {
  return awsStep(context, "prepare the new password", () => SecretRotation.begin(context, secretArn, username));
}

async function finish(
  context: OperatorContext,
  rotation: SecretRotation,
  report: Omit<RotateReport, "resumed">,
): Promise<RotateReport> {
  await awsStep(context, "finish the rotation", () => rotation.finish());
  return { ...report, resumed: rotation.resumed };
}

/**
 * The role's new password is committed only once the secret's new version is current: if the promotion fails, the
 * database forgets it again and both are as before. If this process dies in between, the next run sets it again.
 */
async function setRolePassword(
  context: OperatorContext,
  rotation: SecretRotation,
  access: DatabaseAccess,
  secretArn: string,
): Promise<void> {
  const { username, password } = rotation.credentials;
  await awsStep(context, `set the password of ${username}`, async () => {
    const client = await context.connect(access);
    try {
      await inTransaction(client, {}, async () => {
        await setPasswords(client, { [username]: password });
        await rotation.promote();
      });
    } finally {
      await client.end();
    }
  });
  await awsStep(context, `log in as ${username}`, () =>
    waitFor(
      context,
      {
        subject: `The login as ${username} with secret ${secretArn}`,
        fix: "Run the rotation again: it sets the password once more. Look whether the role may connect to the database.",
        patience: secretPatience,
      },
      async () => {
        try {
          const client = await context.connect({ ...access, adminSecretArn: secretArn });
          await client.end();
          return { done: undefined };
        } catch (error) {
          return { pending: `is refused (${(error as Error).message})` };
        }
      },
    ),
  );
}

/**
 * Does some work while the task is stopped, then starts it again. A task that was stopped before stays stopped, with two
 * exceptions: an earlier run of this rotation stopped it, or it failed, and the new password may be what it lacks.
 */
async function withTaskStopped(
  context: OperatorContext,
  rotation: SecretRotation,
  taskArn: string,
  work: () => Promise<unknown>,
): Promise<TaskOutcome> {
  const goesOn = await awsStep(context, "stop the task", async () => {
    const status = await settledTaskStatus(context, taskArn);
    if (status === "running") {
      await rotation.rememberStop();
      await stopTask(context, taskArn);
      return true;
    }
    return status === "failed" || (await rotation.hasStoppedTask());
  });
  await work();
  if (!goesOn) return "left as it was";
  await awsStep(context, "start the task", () => resumeTask(context, taskArn));
  return "restarted";
}

/** SCRAM user of the endpoint, and the instance that it is tested from. */
async function captureLogin(
  context: OperatorContext,
  { targetEndpointArn, captureTaskArn }: KafkaCredential,
): Promise<{ username: string; replicationInstanceArn: string }> {
  const { Endpoints: endpoints } = await context.clients.dms.send(
    new DescribeEndpointsCommand({ Filters: [{ Name: "endpoint-arn", Values: [targetEndpointArn] }] }),
    { abortSignal: context.signal },
  );
  const username = endpoints?.[0]?.KafkaSettings?.SaslUsername;
  if (!username) {
    throw new OperatorError(
      `Endpoint ${targetEndpointArn} logs in to Kafka without SCRAM.`,
      "Name the target endpoint of the capture task.",
    );
  }
  const replicationInstanceArn = (await describeTask(context, captureTaskArn))?.ReplicationInstanceArn;
  if (!replicationInstanceArn) {
    throw new OperatorError(`DMS knows no replication task ${captureTaskArn}.`, "Deploy again.");
  }
  return { username, replicationInstanceArn };
}

/** Logs in to every broker: they learn of a new password one after the other. */
async function brokersTake(
  context: OperatorContext,
  { bootstrapBrokersScram, clusterArn }: KafkaCredential,
  rotation: SecretRotation,
): Promise<void> {
  const login = { kind: "scram", ...rotation.credentials } as const;
  for (const bootstrapServers of bootstrapBrokersScram.split(",")) {
    await waitFor(
      context,
      {
        subject: `Broker ${bootstrapServers}`,
        fix:
          `Look whether the secret is associated with ${clusterArn} (aws kafka list-scram-secrets) and run the ` +
          "rotation again: it continues here. Until then the task keeps working with the connections that it has.",
        interval: [5_000, 30_000],
      },
      async () => {
        try {
          await withKafkaAdmin({ bootstrapServers, login, attempts: 1 }, (admin) => admin.logIn());
          return { done: undefined };
        } catch (error) {
          if (!(error instanceof KafkaLoginError)) throw error;
          return { pending: "does not take the new password yet" };
        }
      },
    );
  }
}

async function modifyEndpoint(context: OperatorContext, endpointArn: string, rotation: SecretRotation): Promise<void> {
  const { username, password } = rotation.credentials;
  const fix = "Look which task uses it: only this one may. Run the rotation again.";
  await waitFor(context, { subject: `Endpoint ${endpointArn}`, fix }, async () => {
    try {
      await context.clients.dms.send(
        new ModifyEndpointCommand({
          EndpointArn: endpointArn,
          EngineName: "kafka",
          // Every other setting stays.
          ExactSettings: false,
          KafkaSettings: { SaslUsername: username, SaslPassword: password },
        }),
        { abortSignal: context.signal },
      );
      return { done: undefined };
    } catch (error) {
      if (!isAwsError(error, "InvalidResourceStateFault")) throw error;
      return { pending: `can't be changed yet (${error.message})` };
    }
  });
}
