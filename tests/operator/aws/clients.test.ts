import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { DescribeReplicationTasksCommand } from "@aws-sdk/client-database-migration-service";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { operatorActions } from "../../../contract/operator";
import { operatorPermissions } from "../../../contract/operator-permissions";
import { awsClients } from "../../../operator/aws/clients";
import { awsStep } from "../../../operator/aws/errors";
import { NotInTimeError, pause, waitFor } from "../../../operator/aws/wait";
import { awsError, passingTime, testContext } from "../support/operator-world";

describe("the AWS clients", () => {
  let server: Server;
  let answers: { status: number; body: object }[];
  let requests: number;

  beforeEach(async () => {
    requests = 0;
    server = createServer((_, response) => {
      const { status, body } = answers[Math.min(requests++, answers.length - 1)]!;
      response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });

  afterEach(() => new Promise((resolve) => server.close(resolve)));

  function clients() {
    return awsClients({
      region: "eu-central-1",
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
  }

  it("ask again by themselves when AWS throttles or is out of order", async () => {
    answers = [
      { status: 400, body: { __type: "ThrottlingException", message: "Rate exceeded" } },
      { status: 500, body: { __type: "InternalFailure" } },
      { status: 200, body: { ReplicationTasks: [{ Status: "running" }] } },
    ];
    const { ReplicationTasks: tasks } = await clients().dms.send(new DescribeReplicationTasksCommand({}));
    expect(tasks).toEqual([{ Status: "running" }]);
    expect(requests).toBe(3);
  });

  it("do not ask again for what is refused for good", async () => {
    answers = [{ status: 400, body: { __type: "AccessDeniedFault", message: "no" } }];
    await expect(clients().dms.send(new DescribeReplicationTasksCommand({}))).rejects.toThrow("no");
    expect(requests).toBe(1);
  });

  it("are each built once, and slow down as AWS asks them to", async () => {
    const own = clients();
    for (const client of [own.dms, own.kafka, own.kafkaConnect, own.secretsManager, own.cloudWatch]) {
      expect(await client.config.retryStrategy()).toHaveProperty("mode", "adaptive");
      expect(await client.config.maxAttempts()).toBe(6);
    }
    expect(own.dms).toBe(own.dms);
  });
});

describe("waiting", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const options = { subject: "The thing", fix: "Mend it." };

  it("looks less and less often, but not too rarely", async () => {
    const { context } = testContext("connections");
    const looks: number[] = [];
    const begun = Date.now();
    await passingTime(
      waitFor(context, options, async () => {
        looks.push(Date.now() - begun);
        return looks.length < 10 ? { pending: "is not there" } : { done: undefined };
      }),
    );
    const pauses = looks.slice(1).map((at, index) => at - looks[index]!);
    expect(pauses.slice(0, 3)).toEqual([2_000, 3_000, 4_500]);
    expect(Math.max(...pauses)).toBe(15_000);
  });

  it("ends when its patience does, with what was last seen", async () => {
    const { context } = testContext("connections");
    const begun = Date.now();
    const work = waitFor(context, { ...options, patience: 20_000 }, async () => ({ pending: "is blue" }));
    await expect(passingTime(work)).rejects.toThrow(/^The thing is blue, after 1\d s of waiting\.$/);
    expect(Date.now() - begun).toBeLessThanOrEqual(20_000);
    await expect(work).rejects.toBeInstanceOf(NotInTimeError);
  });

  it("passes on at once what will not change by itself", async () => {
    const { context } = testContext("connections");
    const look = vi.fn(() => Promise.reject(awsError("AccessDeniedFault", "not authorized")));
    // No time passes here: a second look would never come.
    await expect(waitFor(context, options, look)).rejects.toThrow("not authorized");
    expect(look).toHaveBeenCalledTimes(1);
  });

  it("tells that AWS stayed busy when that is all that was seen", async () => {
    const { context } = testContext("connections", {}, 30);
    const look = () => Promise.reject(awsError("ThrottlingException", "Rate exceeded"));
    await expect(passingTime(waitFor(context, options, look))).rejects.toThrow(
      "could not be looked at (Rate exceeded)",
    );
  });

  it("stops between two looks when the time is over", async () => {
    const controller = new AbortController();
    const waiting = pause(60_000, controller.signal);
    controller.abort(new Error("The time is over."));
    await expect(waiting).rejects.toThrow("The time is over.");
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a step that calls AWS", () => {
  it.each([
    ["AccessDeniedException", /operator-permissions\.ts/],
    ["ForbiddenException", /operator-permissions\.ts/],
    ["KMSKeyNotAccessibleFault", /customer-managed key is enabled/],
    ["KMSAccessDeniedFault", /customer-managed key is enabled/],
    ["ResourceNotFoundException", /deploy again/],
    ["ExpiredTokenException", /run it again/],
    ["ThrottlingException", /continues where it stopped/],
  ])("that ends with %s says what to do", async (name, fix) => {
    const { context, lines } = testContext("rotate");
    const work = awsStep(context, "ask", () => Promise.reject(awsError(name, "AWS says no.")));
    await expect(work).rejects.toThrow(/rotate failed at "ask".*AWS says no\./);
    const last = JSON.parse(lines.at(-1)!) as { fix: string; outcome: string };
    expect(last).toMatchObject({ outcome: "failed", fix: expect.stringMatching(fix) });
  });
});

describe("the permissions of the operator", () => {
  it.each(operatorActions)("of %s name no action twice on one resource, and none by a wildcard", (action) => {
    const named = operatorPermissions[action].flatMap(({ actions, resource }) =>
      actions.map((one) => `${one} ${resource}`),
    );
    expect(named.filter((name, index) => named.indexOf(name) !== index && !name.startsWith("kms:"))).toEqual([]);
    expect(named.join()).not.toContain("*");
  });

  it("change something only where an action is there to change it", () => {
    const changing = Object.entries(operatorPermissions).flatMap(([action, permissions]) =>
      permissions
        .filter(({ resource }) => resource === "any")
        .flatMap(({ actions }) => actions)
        .filter((name) => !/:(Describe|List|Get|PutMetricData)/.test(name))
        .map((name) => `${action} ${name}`),
    );
    expect(changing).toEqual([]);
  });
});
