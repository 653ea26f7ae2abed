import { describe, expect, it } from "vitest";
import { operatorActions, type OperatorRequest } from "../../../contract/operator";
import { InvalidRequestError, parseInvocation } from "../../../operator/lambda/request";

const database = { host: "db.example", port: 5432, database: "shop", adminSecretArn: "arn:admin" };
const kafka = {
  bootstrapBrokersIam: "b-1:9098",
  rawTopic: "cdc.raw",
  eventsTopic: "audit.events",
  transformerGroup: "audit-transformer",
  sinkGroup: "connect-audit-sink",
};

/** One request of each action, with every member that it may have. */
const requests: { readonly [Action in OperatorRequest["action"]]: OperatorRequest & { action: Action } } = {
  bootstrap: {
    action: "bootstrap",
    source: {
      ...database,
      captureSecretArn: "arn:capture",
      tables: [
        {
          schema: "shop",
          table: "%",
          ignoredColumns: ["updated_at"],
          redactedColumns: ["card"],
          identifyActor: true,
          replicaIdentity: "keep",
        },
      ],
      actorSources: ["app.user_id", "request.jwt.claims ->> email"],
    },
    destination: { ...database, writerSecretArn: "arn:writer", partitionsAhead: "1 year", partitionPeriod: "day" },
    lockTimeoutMilliseconds: 500,
  },
  connections: { action: "connections", replicationInstanceArn: "arn:instance", endpointArns: ["arn:a", "arn:b"] },
  canary: {
    action: "canary",
    sourceId: "shop",
    source: database,
    destination: database,
    captureTaskArn: "arn:task",
    kafka,
    connectorArn: "arn:connector",
    timeoutSeconds: 60,
  },
  maintain: {
    action: "maintain",
    versionsEnd: "2027-06-30",
    sourceId: "shop",
    source: database,
    destination: { ...database, partitionsAhead: "1 year", partitionPeriod: "month", retention: "7 years" },
  },
  guard: {
    action: "guard",
    clusterArn: "arn:cluster",
    bootstrapBrokersIam: "b-1:9098",
    publicAccessUntil: "2026-12-01T12:00:00+01:00",
    captureUsername: "capture",
    rawTopic: "cdc.raw",
  },
  rotate: {
    action: "rotate",
    secretArn: "arn:secret",
    credential: { kind: "capture", source: database, captureTaskArn: "arn:task" },
  },
};

function refusalOf(event: unknown): string {
  try {
    parseInvocation(event);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidRequestError);
    return (error as Error).message;
  }
  throw new Error("It was expected to be refused.");
}

describe("A request", () => {
  it.each(operatorActions)("to %s is taken whole, and unchanged", (action) => {
    expect(parseInvocation(requests[action])).toEqual({ request: requests[action] });
  });

  it.each([
    [{ kind: "writer", destination: database }],
    [
      {
        kind: "kafka",
        clusterArn: "arn:cluster",
        bootstrapBrokersScram: "b-1:9096",
        targetEndpointArn: "arn:endpoint",
        captureTaskArn: "arn:task",
      },
    ],
  ])("to rotate the credential %j is taken", (credential) => {
    expect(parseInvocation({ ...requests.rotate, credential }).request).toMatchObject({ credential });
  });

  it.each([
    ["no object", "bootstrap", "it is no JSON object"],
    ["null", null, "it is no JSON object"],
    ["a list", [requests.canary], "it is no JSON object"],
    ["no action", {}, "action is undefined; allowed are bootstrap, connections, canary, maintain, guard, rotate"],
    [
      "an unknown action",
      { ...requests.canary, action: "drop" },
      'action is "drop"; allowed are bootstrap, connections, canary, maintain, guard, rotate',
    ],
    [
      "an unknown member",
      { ...requests.connections, force: true },
      "it has the unknown member force; allowed are action, replicationInstanceArn, endpointArns",
    ],
    [
      "an unknown member further in",
      { ...requests.canary, source: { ...database, password: "hunter2" } },
      "source has the unknown member password; allowed are host, port, database, adminSecretArn",
    ],
    [
      "a misspelt column list of a table",
      {
        ...requests.bootstrap,
        source: { ...requests.bootstrap.source, tables: [{ schema: "s", table: "t", redacted: ["card"] }] },
      },
      "source.tables.0 has the unknown member redacted; allowed are schema, table, exclude, ignoredColumns, redactedColumns, identifyActor, replicaIdentity",
    ],
    [
      "a source of actors that is none",
      { ...requests.bootstrap, source: { ...requests.bootstrap.source, actorSources: ["app.user_id", "user"] } },
      "source.actorSources.1 is no source; allowed is a setting such as jwt.claims.user_id, a member of a setting's JSON",
    ],
    ["a missing member", { ...requests.maintain, sourceId: undefined }, "sourceId must be string"],
    ["an empty text", { ...requests.maintain, sourceId: "" }, "sourceId is empty"],
    ["a day that is none", { ...requests.maintain, versionsEnd: "2027-02-30" }, "versionsEnd Invalid ISO date"],
    [
      "a value outside its choices",
      { ...requests.maintain, destination: { ...database, partitionPeriod: "week" } },
      "destination.partitionPeriod must be one of month, day",
    ],
    ["a credential of an unknown kind", { ...requests.rotate, credential: { kind: "reader" } }, "credential.kind"],
    [
      "an end of public access without a zone",
      { ...requests.guard, publicAccessUntil: "2026-12-01" },
      "publicAccessUntil",
    ],
  ])("that is or has %s is refused with what is allowed", (_, event, reason) => {
    expect(refusalOf(event)).toContain(reason);
  });

  it("is refused without its values, which may be secrets by mistake", () => {
    expect(refusalOf({ ...requests.canary, source: { ...database, password: "hunter2" } })).not.toContain("hunter2");
  });

  it.each(["create", "update", "delete"])("of a resource whose life it follows says %s", (action) => {
    const event = { ...requests.bootstrap, tf: { action, prev_input: "{}" } };
    expect(parseInvocation(event)).toEqual({ request: requests.bootstrap, lifecycle: action });
  });

  it("of a resource in an unknown state of life is refused", () => {
    expect(refusalOf({ ...requests.bootstrap, tf: { action: "read" } })).toContain(
      "tf.action must be one of create, update, delete",
    );
  });
});
