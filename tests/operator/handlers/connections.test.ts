import {
  DatabaseMigrationServiceClient,
  DescribeConnectionsCommand,
  DescribeReplicationInstancesCommand,
  TestConnectionCommand,
} from "@aws-sdk/client-database-migration-service";
import { mockClient } from "aws-sdk-client-mock";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ConnectionsRequest } from "../../../contract/operator";
import { connections } from "../../../operator/handlers/connections";
import { awsError, expectPermitted, passingTime, testContext } from "../support/operator-world";

const dms = mockClient(DatabaseMigrationServiceClient);

// Other files of this worker call the real client.
afterAll(() => dms.restore());
const source = "arn:aws:dms:eu-central-1:123456789012:endpoint:SOURCE";
const target = "arn:aws:dms:eu-central-1:123456789012:endpoint:TARGET";
const request: ConnectionsRequest = {
  action: "connections",
  replicationInstanceArn: "arn:aws:dms:eu-central-1:123456789012:rep:INSTANCE",
  endpointArns: [source, target],
};

beforeEach(() => {
  vi.useFakeTimers();
  dms.reset();
  instanceIs("available");
});

afterEach(() => {
  expectPermitted("connections", { dms });
  vi.useRealTimers();
});

function instanceIs(...statuses: (string | undefined)[]): void {
  let look = 0;
  dms.on(DescribeReplicationInstancesCommand).callsFake(() => {
    const status = statuses[Math.min(look++, statuses.length - 1)];
    return { ReplicationInstances: status === undefined ? [] : [{ ReplicationInstanceStatus: status }] };
  });
}

type Look = "testing" | "successful" | { failed: string } | "unlisted" | Error;

/** What DMS shows of an endpoint, look after look; the last stays. Each test begun goes on in the list. */
function endpointShows(endpointArn: string, ...looks: Look[]): void {
  let look = 0;
  dms.on(TestConnectionCommand, { EndpointArn: endpointArn }).resolves({ Connection: { Status: "testing" } });
  dms.on(DescribeConnectionsCommand, filteredBy(endpointArn)).callsFake(() => {
    const shown = looks[Math.min(look++, looks.length - 1)]!;
    if (shown instanceof Error) throw shown;
    if (shown === "unlisted") return { Connections: [] };
    if (typeof shown === "string") return { Connections: [{ Status: shown }] };
    return { Connections: [{ Status: "failed", LastFailureMessage: shown.failed }] };
  });
}

function filteredBy(endpointArn: string) {
  return {
    Filters: [
      { Name: "endpoint-arn", Values: [endpointArn] },
      { Name: "replication-instance-arn", Values: [request.replicationInstanceArn] },
    ],
  };
}

function testsOf(endpointArn: string): number {
  return dms.commandCalls(TestConnectionCommand, { EndpointArn: endpointArn }).length;
}

function run(seconds?: number) {
  return passingTime(connections(request, testContext("connections", {}, seconds).context));
}

describe("testing the connections", () => {
  it("tests each endpoint once and ends when both have succeeded", async () => {
    endpointShows(source, "testing", "successful");
    endpointShows(target, "testing", "testing", "successful");
    expect(await run()).toEqual({ successful: [source, target] });
    expect([testsOf(source), testsOf(target)]).toEqual([1, 1]);
  });

  it("waits for an instance that is being made, and is not listed at first", async () => {
    instanceIs(undefined, "creating", "modifying", "available");
    endpointShows(source, "testing", "successful");
    endpointShows(target, "testing", "successful");
    await run();
    const first = dms.calls().findIndex(({ args }) => args[0] instanceof TestConnectionCommand);
    expect(first).toBe(4);
  });

  it.each(["failed", "incompatible-network", "storage-full"])(
    "gives up at once on an instance that is %s",
    async (status) => {
      instanceIs(status);
      await expect(run()).rejects.toThrow(new RegExp(`Replication instance .* is ${status}\\..*DMS console`));
      expect(dms.commandCalls(DescribeReplicationInstancesCommand)).toHaveLength(1);
    },
  );

  it("says after a minute that an instance does not exist", async () => {
    const begun = Date.now();
    instanceIs(undefined);
    await expect(run()).rejects.toThrow("DMS knows no replication instance");
    expect(Date.now() - begun).toBeGreaterThanOrEqual(60_000);
    expect(Date.now() - begun).toBeLessThan(90_000);
  });

  it("does not believe a success that is shown before its own test was", async () => {
    endpointShows(source, "successful", "testing", { failed: "no route to host" });
    endpointShows(target, "testing", "successful");
    await expect(run()).rejects.toThrow(`The connection to endpoint ${source} fails: no route to host`);
  });

  it("does not believe a failure that is shown before its own test was", async () => {
    endpointShows(source, { failed: "of yesterday" }, "testing", "successful");
    endpointShows(target, "testing", "successful");
    await run();
    expect(testsOf(source)).toBe(1);
  });

  it("believes a result that stays, though DMS never showed the test at work", async () => {
    endpointShows(source, "successful");
    endpointShows(target, "testing", "successful");
    const begun = Date.now();
    await run();
    expect(Date.now() - begun).toBeGreaterThanOrEqual(15_000);
  });

  it("waits for a connection that DMS does not list yet", async () => {
    endpointShows(source, "unlisted", "unlisted", "testing", "successful");
    endpointShows(target, awsError("ResourceNotFoundFault"), "testing", "successful");
    expect(await run()).toEqual({ successful: [source, target] });
  });

  it("asks again while somebody else tests, as that test may have begun too early", async () => {
    endpointShows(source, "testing", "successful");
    endpointShows(target, "testing", "successful");
    let refusals = 0;
    dms.on(TestConnectionCommand, { EndpointArn: source }).callsFake(() => {
      if (refusals++ < 3) throw awsError("InvalidResourceStateFault", "The connection is already being tested");
      return {};
    });
    await run();
    expect(testsOf(source)).toBe(4);
  });

  it("outlasts throttling of every call", async () => {
    const busy = awsError("ThrottlingException", "Rate exceeded");
    endpointShows(source, busy, busy, "testing", busy, "successful");
    endpointShows(target, "testing", "successful");
    dms.on(TestConnectionCommand, { EndpointArn: target }).rejectsOnce(busy).resolves({});
    expect(await run()).toEqual({ successful: [source, target] });
  });

  it("tests again what fails at first, such as a user that MSK is about to learn of", async () => {
    endpointShows(source, "testing", "successful");
    endpointShows(target, "testing", { failed: "SASL authentication failed" }, "testing", "successful");
    await run();
    expect(testsOf(target)).toBe(2);
  });

  it("tells DMS's own messages of all endpoints, and what to do about each", async () => {
    endpointShows(source, "testing", { failed: 'password authentication failed for user "cdc_capture"' });
    endpointShows(target, "testing", { failed: "Connection timed out" });
    const failure: Error = await run().then(
      () => new Error("It succeeded."),
      (error: Error) => error,
    );
    expect(failure.message).toContain('connections failed at "test the connections"');
    expect(failure.message).toContain('fails: password authentication failed for user "cdc_capture"');
    expect(failure.message).toContain("fails: Connection timed out");
    expect(failure.message).toContain("Run the bootstrap");
    expect(failure.message).toContain("security groups");
  });

  it.each([
    ["Failed to retrieve secret from Secrets Manager", "secretsManagerEndpoint"],
    ["no pg_hba.conf entry for replication connection", "rds.logical_replication"],
    ["SSL error: certificate verify failed", "certificatePem"],
    ["Leader not available for topic cdc.raw", "run the guard"],
    ["Something never seen before", "Compare the endpoint's settings"],
  ])("knows what is behind %j", async (message, fix) => {
    endpointShows(source, "testing", { failed: message });
    endpointShows(target, "testing", "successful");
    await expect(run()).rejects.toThrow(fix);
  });

  it("ends before the function does, with what it was waiting for", async () => {
    endpointShows(source, "testing");
    endpointShows(target, "testing", "successful");
    const begun = Date.now();
    await expect(run(60)).rejects.toThrow(/endpoint .*SOURCE is not tested yet \(testing\), after \d+ s of waiting/);
    expect(Date.now() - begun).toBeLessThan(60_000);
  });

  it("says what the role lacks", async () => {
    dms
      .on(TestConnectionCommand)
      .rejects(awsError("AccessDeniedFault", "not authorized to perform dms:TestConnection"));
    await expect(run()).rejects.toThrow(/dms:TestConnection.*contract\/operator-permissions\.ts/);
  });

  it("gives up on an endpoint that stays unknown", async () => {
    endpointShows(target, "testing", "successful");
    dms
      .on(TestConnectionCommand, { EndpointArn: source })
      .rejects(awsError("ResourceNotFoundFault", "No such endpoint"));
    await expect(run()).rejects.toThrow(/No such endpoint.*deploy again/);
  });
});
