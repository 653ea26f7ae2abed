import {
  DatabaseMigrationServiceClient,
  DescribeReplicationTasksCommand,
} from "@aws-sdk/client-database-migration-service";
import { DescribeConnectorCommand, KafkaConnectClient } from "@aws-sdk/client-kafkaconnect";
import { mockClient } from "aws-sdk-client-mock";
import type { Client } from "pg";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CanaryRequest } from "../../../../contract/operator";
import { diagnoseCanary } from "../../../../operator/handlers/canary/diagnosis";
import type * as kafkaAdmin from "../../../../operator/kafka/admin";
import { type GroupProgress, MissingTopicError } from "../../../../operator/kafka/admin";
import { awsError, expectPermitted, passingTime, testContext } from "../../support/operator-world";

interface Flow {
  slots: readonly { active: boolean; walStatus: string }[] | Error;
  task: { Status: string; LastFailureMessage?: string; StopReason?: string } | undefined | Error;
  captured: boolean | Error;
  transformer: GroupProgress | Error;
  transformed: boolean | Error;
  connector: { connectorState: string; stateDescription?: { code?: string; message?: string } } | Error;
  sink: GroupProgress | Error | "hangs";
  stored: boolean | Error;
}

const idle: GroupProgress = { members: 1, committed: true, lag: 0 };
/** Everything is at work, nothing waits, and the row is not there. */
const healthy: Flow = {
  slots: [{ active: true, walStatus: "reserved" }],
  task: { Status: "running" },
  captured: true,
  transformer: idle,
  transformed: true,
  connector: { connectorState: "RUNNING" },
  sink: idle,
  stored: false,
};
const world = vi.hoisted(() => ({ flow: undefined as unknown as Flow, since: [] as [string, Date][], closed: 0 }));

vi.mock("../../../../operator/kafka/admin", async (importOriginal) => ({
  ...(await importOriginal<typeof kafkaAdmin>()),
  KafkaAdmin: class {
    hasRecordsSince(topic: string, time: Date) {
      world.since.push([topic, time]);
      return answer(topic === "cdc.raw" ? world.flow.captured : world.flow.transformed);
    }
    groupProgress(group: string) {
      return answer(group === "shop-transformer" ? world.flow.transformer : world.flow.sink);
    }
    close() {
      world.closed += 1;
      return Promise.resolve();
    }
  },
}));

function answer<Value>(value: Value | Error | "hangs"): Promise<Value> {
  if (value === "hangs") return new Promise(() => undefined);
  return value instanceof Error ? Promise.reject(value) : Promise.resolve(value);
}

const dms = mockClient(DatabaseMigrationServiceClient);
const kafkaConnect = mockClient(KafkaConnectClient);
const writtenAt = new Date("2026-11-22T12:00:00.5Z");
const captureTaskArn = "arn:aws:dms:eu-central-1:123456789012:task:TASK";
const source = { host: "source.example", database: "shop", adminSecretArn: "arn:source" };
const request: CanaryRequest = {
  action: "canary",
  sourceId: "shop",
  source,
  destination: { host: "audit.example", database: "audit", adminSecretArn: "arn:destination" },
  captureTaskArn,
  kafka: {
    bootstrapBrokersIam: "b-1.example:9098",
    rawTopic: "cdc.raw",
    eventsTopic: "audit.events",
    transformerGroup: "shop-transformer",
    sinkGroup: "connect-audit-sink",
  },
  connectorArn: "arn:aws:kafkaconnect:eu-central-1:123456789012:connector/audit-sink/1-1",
};

beforeEach(() => {
  vi.useFakeTimers();
  Object.assign(world, { since: [], closed: 0 });
});

afterEach(() => {
  expectPermitted("canary", { dms, kafkaconnect: kafkaConnect });
  vi.useRealTimers();
});

async function diagnose(changes: Partial<Flow>) {
  const flow = (world.flow = { ...healthy, ...changes });
  dms.reset();
  kafkaConnect.reset();
  dms.on(DescribeReplicationTasksCommand).callsFake(async () => {
    const task = await answer(flow.task);
    return { ReplicationTasks: task ? [task] : [] };
  });
  kafkaConnect
    .on(DescribeConnectorCommand, { connectorArn: request.connectorArn })
    .callsFake(() => answer(flow.connector));
  const { context } = testContext("canary", {
    connect: async (access) => {
      const ofSource = access === source;
      return {
        end: async () => undefined,
        query: async () => {
          if (!ofSource) return { rowCount: (await answer(flow.stored)) ? 1 : 0 };
          const slots = await answer(flow.slots);
          return {
            rows: slots.map(({ active, walStatus }, index) => ({
              name: `slot_${index}`,
              plugin: "test_decoding",
              active,
              retained_bytes: "5242880",
              wal_status: walStatus,
            })),
          };
        },
      } as unknown as Client;
    },
  });
  return passingTime(diagnoseCanary(request, context, writtenAt));
}

describe("a canary that did not arrive stopped", () => {
  it.each<[string, Partial<Flow>, string, RegExp, RegExp]>([
    [
      "at a source without a slot",
      { slots: [], task: { Status: "ready" } },
      "source",
      /no replication slot\. The DMS task is ready/,
      /start-replication/,
    ],
    [
      "at a source whose slot lost its place",
      { slots: [{ active: false, walStatus: "lost" }] },
      "source",
      /slot_0 has lost its place/,
      /Lose a slot/,
    ],
    [
      "at a failed task, with DMS's own words",
      {
        task: { Status: "failed", LastFailureMessage: "Relation is not known", StopReason: "Stop Reason FATAL_ERROR" },
      },
      "capture",
      /The DMS task is failed: Relation is not known; Stop Reason FATAL_ERROR\./,
      /start-replication-task --replication-task-arn arn:.*TASK --start-replication-task-type resume-processing/,
    ],
    [
      "at a task that never ran",
      { task: { Status: "ready" } },
      "capture",
      /The DMS task is ready\./,
      /--start-replication-task-type start-replication\./,
    ],
    ["at a task that is gone", { task: undefined }, "capture", /DMS has no task arn:/, /Deploy/],
    [
      "at a slot that nobody reads, though the task runs",
      { slots: [{ active: false, walStatus: "reserved" }] },
      "capture",
      /Nobody reads slot slot_0, which holds 5\.0 MiB of WAL/,
      /connections/,
    ],
    ["before the raw topic", { captured: false }, "raw-topic", /cdc\.raw got no record since.*5\.0 MiB/, /CDCLatency/],
    [
      "at a raw topic that is gone",
      { captured: new MissingTopicError("cdc.raw") },
      "raw-topic",
      /no topic cdc\.raw/,
      /deployment/,
    ],
    [
      "at a transformer that does not run",
      { transformer: { members: 0, committed: true, lag: 7 }, transformed: false },
      "transformer",
      /shop-transformer has no members.*7 records of cdc\.raw wait/,
      /ECS/,
    ],
    [
      "at a transformer that hangs",
      { transformer: { ...idle, lag: 7 }, transformed: false },
      "transformer",
      /writes nothing to audit\.events; 7 records of cdc\.raw wait/,
      /log/,
    ],
    [
      "between transformer and events topic",
      { transformed: false },
      "events-topic",
      /has read all of cdc\.raw/,
      /dead-letters/,
    ],
    [
      "at an events topic that is gone",
      { transformed: new MissingTopicError("audit.events") },
      "events-topic",
      /no topic audit\.events/,
      /deployment/,
    ],
    [
      "at a failed connector, with its reason",
      {
        connector: {
          connectorState: "FAILED",
          stateDescription: { code: "InvalidInput.InvalidConnectorConfiguration", message: "no plugin" },
        },
      },
      "sink",
      /The connector is FAILED \(InvalidInput\.InvalidConnectorConfiguration: no plugin\)/,
      /replace it \(pulumi up --replace\)/,
    ],
    [
      "at a connector that is gone",
      { connector: awsError("NotFoundException") },
      "sink",
      /no connector arn:/,
      /Deploy/,
    ],
    [
      "at a sink without tasks",
      { sink: { members: 0, committed: true, lag: 3 } },
      "sink",
      /connect-audit-sink has no members.*3 events wait/,
      /ErroredTaskCount/,
    ],
    [
      "at a transformer that is behind",
      { transformer: { ...idle, lag: 9 } },
      "transformer",
      /9 records of cdc\.raw behind/,
      /CPU/,
    ],
    ["at a sink that is behind", { sink: { ...idle, lag: 9 } }, "sink", /9 events of audit\.events behind/, /database/],
    ["at the table, refused", {}, "sink", /the row is not there: the sink has set it aside/, /dead-letters/],
    ["nowhere: it was late", { stored: true }, "sink", /arrived after all/, /timeoutSeconds/],
  ])("%s", async (_, changes, hop, finding, fix) => {
    const found = await diagnose(changes);
    expect(found).toEqual({ hop, finding: expect.stringMatching(finding), fix: expect.stringMatching(fix) });
    expect(found.finding).not.toContain("Not looked at");
  });
});

describe("the diagnosis", () => {
  it("names the first hop that stands still, whatever else does", async () => {
    const nothing = { members: 0, committed: false, lag: 5 };
    const broken: Partial<Flow> = {
      task: { Status: "stopped" },
      captured: false,
      transformer: nothing,
      transformed: false,
      connector: { connectorState: "FAILED" },
      sink: nothing,
    };
    expect(await diagnose(broken)).toMatchObject({ hop: "capture" });
    expect(await diagnose({ ...broken, task: healthy.task })).toMatchObject({ hop: "raw-topic" });
    expect(await diagnose({ ...broken, task: healthy.task, captured: true })).toMatchObject({ hop: "transformer" });
  });

  it("does not take the lag of a busy transformer for the reason when the connector has failed", async () => {
    const found = await diagnose({ transformer: { ...idle, lag: 40 }, connector: { connectorState: "FAILED" } });
    expect(found.hop).toBe("sink");
  });

  it("looks for records since the canary was written", async () => {
    await diagnose({});
    expect(world.since).toEqual([
      ["cdc.raw", writtenAt],
      ["audit.events", writtenAt],
    ]);
    expect(world.closed).toBe(1);
  });

  it("goes on past what it may not look at, and says what that was", async () => {
    const found = await diagnose({
      task: awsError("AccessDeniedFault", "not authorized to perform dms:DescribeReplicationTasks"),
      connector: { connectorState: "PAUSED" },
    });
    expect(found.hop).toBe("sink");
    expect(found.finding).toBe(
      "The connector is PAUSED. Not looked at: the DMS task (not authorized to perform dms:DescribeReplicationTasks)",
    );
  });

  it("names the first hop that it could not look at when nothing else stands still", async () => {
    const away = new Error("Kafka does not answer.");
    const found = await diagnose({ captured: away, transformer: away, transformed: away, sink: away });
    expect(found.hop).toBe("raw-topic");
    expect(found.finding).toBe(
      "Nothing that could be looked at stands still. Not looked at: the raw topic, the transformer's group, the events " +
        "topic, the sink's group (Kafka does not answer.)",
    );
  });

  it("does not wait longer for one look than a canary has left", async () => {
    const begun = Date.now();
    const found = await diagnose({ sink: "hangs" });
    expect(Date.now() - begun).toBeLessThan(30_000);
    expect(found.finding).toContain("the sink's group (it took more than 20 s.)");
  });
});
