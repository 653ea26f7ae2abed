import {
  type Connection,
  DescribeConnectionsCommand,
  DescribeReplicationInstancesCommand,
  DescribeReplicationTasksCommand,
  type ReplicationTask,
  StartReplicationTaskCommand,
  StopReplicationTaskCommand,
  TestConnectionCommand,
} from "@aws-sdk/client-database-migration-service";
import { brokerPorts, postgresPort } from "../../contract/ports";
import type { OperatorContext } from "../context";
import { OperatorError } from "../errors";
import { isAwsError, type Observation, NotInTimeError, waitFor } from "./wait";

type DmsContext = Pick<OperatorContext, "clients" | "deadline" | "signal">;

/** Milliseconds for which DMS's other calls may not know something that was just made. */
const unknownFor = 60_000;

/** Milliseconds for which DMS may still show the result of the test before. */
const staleFor = 15_000;

/** Milliseconds for which a failing connection is tried again: rules, roles and users take a moment to spread. */
const defaultTestPatience = 120_000;

/** Statuses that a replication instance does not leave by itself. */
const lastingInstanceStatuses = new Set([
  "deleted",
  "deleting",
  "failed",
  "incompatible-credentials",
  "incompatible-network",
  "inaccessible-encryption-credentials",
  "storage-full",
]);

/** Waits until a replication instance works. */
export async function waitForInstance(context: DmsContext, instanceArn: string): Promise<void> {
  const listedBy = Date.now() + unknownFor;
  const subject = `Replication instance ${instanceArn}`;
  await waitFor(
    context,
    { subject, fix: "Look at its events in the DMS console, and run this again once it is available." },
    async () => {
      const status = await instanceStatus(context, instanceArn);
      if (status === "available") return { done: undefined };
      if (status === undefined && Date.now() >= listedBy) {
        throw new OperatorError(`DMS knows no replication instance ${instanceArn}.`, "Deploy again.");
      }
      if (status !== undefined && lastingInstanceStatuses.has(status)) {
        throw new OperatorError(
          `${subject} is ${status}.`,
          "Look at its events in the DMS console; make room or repair what they name, or deploy again.",
        );
      }
      return { pending: `is ${status ?? "not listed yet"}` };
    },
  );
}

async function instanceStatus({ clients, signal }: DmsContext, instanceArn: string): Promise<string | undefined> {
  const { ReplicationInstances: instances } = await absentWhenUnknown(
    clients.dms.send(
      new DescribeReplicationInstancesCommand({
        Filters: [{ Name: "replication-instance-arn", Values: [instanceArn] }],
      }),
      { abortSignal: signal },
    ),
  );
  return instances?.[0]?.ReplicationInstanceStatus;
}

/** DMS answers a filter that matches nothing with an empty list, or with a fault. */
async function absentWhenUnknown<Answer extends object>(answer: Promise<Answer>): Promise<Partial<Answer>> {
  try {
    return await answer;
  } catch (error) {
    if (isAwsError(error, "ResourceNotFoundFault")) return {};
    throw error;
  }
}

export interface TestedConnection {
  readonly replicationInstanceArn: string;
  readonly endpointArn: string;
}

/**
 * Has DMS connect to an endpoint and waits until that succeeds; a test that fails is begun again while there is patience.
 * DMS may show the result of an earlier test for a moment: only one that was begun here counts.
 *
 * @param patience Milliseconds. Default 120,000.
 * @throws OperatorError with DMS's own message of the last failure, and what to do about it.
 */
export async function testConnection(
  context: DmsContext,
  connection: TestedConnection,
  patience: number = defaultTestPatience,
): Promise<void> {
  const test = new ConnectionTest(context, connection);
  const subject = `The connection to endpoint ${connection.endpointArn}`;
  const fix = "Look at the endpoint and at its replication instance in the DMS console, and run this again.";
  try {
    await waitFor(context, { subject, fix, patience }, () => test.look());
  } catch (error) {
    if (!(error instanceof NotInTimeError) || test.failure === undefined) throw error;
    throw new OperatorError(`${subject} fails: ${test.failure}`, connectionFix(test.failure), { cause: error });
  }
}

class ConnectionTest {
  /** DMS's message of the last test that failed. */
  failure: string | undefined;
  private begun: number | undefined;
  private seenTesting = false;
  private readonly knownBy = Date.now() + unknownFor;

  constructor(
    private readonly context: DmsContext,
    private readonly connection: TestedConnection,
  ) {}

  async look(): Promise<Observation<void>> {
    if (this.begun === undefined) return this.begin();
    const { Status: status, LastFailureMessage: message } = await this.describe();
    if (status === "testing") this.seenTesting = true;
    const fresh = this.seenTesting || Date.now() - this.begun >= staleFor;
    if (status === "successful" && fresh) return { done: undefined };
    if (status === "failed" && fresh) {
      this.failure = message ?? "DMS gives no reason.";
      this.begun = undefined;
      return this.begin();
    }
    return { pending: `is not tested yet (${status ?? "not listed"})` };
  }

  private async begin(): Promise<Observation<void>> {
    const { clients, signal } = this.context;
    const { replicationInstanceArn, endpointArn } = this.connection;
    try {
      await clients.dms.send(
        new TestConnectionCommand({ ReplicationInstanceArn: replicationInstanceArn, EndpointArn: endpointArn }),
        { abortSignal: signal },
      );
    } catch (error) {
      // Somebody else tests it, or the instance is busy. Ask again: that test may have begun too early.
      if (isAwsError(error, "InvalidResourceStateFault")) return { pending: `can't be tested yet (${error.message})` };
      if (isAwsError(error, "ResourceNotFoundFault") && Date.now() < this.knownBy) {
        return { pending: "is not known to DMS yet" };
      }
      throw error;
    }
    this.begun = Date.now();
    this.seenTesting = false;
    return { pending: "is being tested" };
  }

  private async describe(): Promise<Connection> {
    const { replicationInstanceArn, endpointArn } = this.connection;
    const { Connections: connections } = await absentWhenUnknown(
      this.context.clients.dms.send(
        new DescribeConnectionsCommand({
          Filters: [
            { Name: "endpoint-arn", Values: [endpointArn] },
            { Name: "replication-instance-arn", Values: [replicationInstanceArn] },
          ],
        }),
        { abortSignal: this.context.signal },
      ),
    );
    return connections?.[0] ?? {};
  }
}

/** Words of DMS's message, and the fix for their usual cause; the first match counts. */
const connectionFixes: readonly (readonly [words: RegExp, fix: string])[] = [
  [
    /secret/i,
    "Let the replication instance reach Secrets Manager (HTTPS out, or an interface endpoint named in " +
      "secretsManagerEndpoint), and the endpoint's role read the secret and decrypt with its key.",
  ],
  [
    /password|authenticat|sasl|login|credential/i,
    "Run the bootstrap for the database's user, or the rotation for the one of Kafka: user and password of the " +
      "endpoint must be those of the secret. MSK takes up to ten minutes to learn a new one.",
  ],
  [
    /pg_hba|replication|wal_level|logical/i,
    "Turn on rds.logical_replication in the cluster's parameter group, reboot the writer, and run the bootstrap.",
  ],
  [/certificate|ssl|tls/i, "Give the endpoint the certificate authority of the server (certificatePem), or none."],
  [
    /topic|leader|metadata/i,
    "Create the topic first, and look at the access rules of the capture user: run the guard.",
  ],
  [
    /time.?out|timed out|refused|unreachable|could not (connect|translate)|network|route|resolve/i,
    `Look at host and port of the endpoint (PostgreSQL ${postgresPort}, Kafka SCRAM ${brokerPorts.scram}), and let the security groups pass the ` +
      "replication instance.",
  ],
];

function connectionFix(message: string): string {
  const known = connectionFixes.find(([words]) => words.test(message))?.[1];
  return known ?? "Compare the endpoint's settings with what it connects to, and run this again.";
}

/** The replication task; undefined when DMS has none of this ARN. */
export async function describeTask(context: DmsContext, taskArn: string): Promise<ReplicationTask | undefined> {
  const { ReplicationTasks: tasks } = await absentWhenUnknown(
    context.clients.dms.send(
      new DescribeReplicationTasksCommand({
        Filters: [{ Name: "replication-task-arn", Values: [taskArn] }],
        // The settings may be longer than everything else together.
        WithoutSettings: true,
      }),
      { abortSignal: context.signal },
    ),
  );
  return tasks?.[0];
}

/** Statuses that a task keeps until somebody does something. */
const settledTaskStatuses = new Set(["created", "failed", "failed-move", "ready", "running", "stopped"]);

/** Waits until a task has stopped starting, stopping or being changed; returns its status. */
export async function settledTaskStatus(context: DmsContext, taskArn: string): Promise<string> {
  const fix = "Look at the task's log, and run this again once it has settled.";
  return waitFor<string>(context, { subject: `Replication task ${taskArn}`, fix }, async () => {
    const status = (await describeTask(context, taskArn))?.Status;
    if (!status) {
      throw new OperatorError(
        `DMS knows no replication task ${taskArn}.`,
        "Deploy again, or name the task that exists.",
      );
    }
    return settledTaskStatuses.has(status) ? { done: status } : { pending: `is ${status}` };
  });
}

/** Stops a task and waits until it stands still. Its slot keeps the changes of that time. */
export async function stopTask(context: DmsContext, taskArn: string): Promise<void> {
  const fix = "Look at the task's log: it may be at the end of a long transaction. Run this again.";
  await waitFor(context, { subject: `Replication task ${taskArn}`, fix }, async () => {
    const status = await settledTaskStatus(context, taskArn);
    if (status !== "running") return { done: undefined };
    try {
      await context.clients.dms.send(new StopReplicationTaskCommand({ ReplicationTaskArn: taskArn }), {
        abortSignal: context.signal,
      });
    } catch (error) {
      // The task has stopped, or begun something else, since the last look.
      if (!isAwsError(error, "InvalidResourceStateFault")) throw error;
    }
    return { pending: "is still running" };
  });
}

/**
 * Starts a task where it left off and waits until it runs. DMS refuses for a while after an endpoint was changed and
 * tested; this waits for that, too.
 *
 * @throws OperatorError with DMS's own message when the task fails.
 */
export async function resumeTask(context: DmsContext, taskArn: string): Promise<void> {
  const fix = "Test the connections, and look at the task's log. Run this again.";
  let begun: number | undefined;
  await waitFor(context, { subject: `Replication task ${taskArn}`, fix }, async () => {
    const status = await settledTaskStatus(context, taskArn);
    if (status === "running") return { done: undefined };
    if (begun !== undefined && status.startsWith("failed")) {
      if (Date.now() - begun < staleFor) return { pending: "is said to have failed" };
      const task = await describeTask(context, taskArn);
      throw new OperatorError(
        `Replication task ${taskArn} has failed: ${task?.LastFailureMessage ?? task?.StopReason ?? "DMS gives no reason."}`,
        fix,
      );
    }
    try {
      await context.clients.dms.send(
        new StartReplicationTaskCommand({
          ReplicationTaskArn: taskArn,
          // Only a task that never ran starts from the beginning; for others that would read everything again.
          StartReplicationTaskType: status === "ready" ? "start-replication" : "resume-processing",
        }),
        { abortSignal: context.signal },
      );
      begun = Date.now();
    } catch (error) {
      if (!isAwsError(error, "InvalidResourceStateFault")) throw error;
      return { pending: `can't start yet (${error.message})` };
    }
    return { pending: "is starting" };
  });
}
