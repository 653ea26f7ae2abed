import {
  DatabaseMigrationServiceClient,
  DescribeTableStatisticsCommand,
  type TableStatistics,
} from "@aws-sdk/client-database-migration-service";
import { mockClient } from "aws-sdk-client-mock";
import { afterAll, afterEach, expect, test } from "vitest";
import { tableLoads } from "../../../operator/aws/table-loads";
import { expectPermitted, testContext } from "../support/operator-world";

const dms = mockClient(DatabaseMigrationServiceClient);

// Other files of this worker call the real client.
afterAll(() => dms.restore());
const task = "arn:aws:dms:eu-central-1:123456789012:task:TASK";

afterEach(() => {
  expectPermitted("canary", { dms });
  dms.reset();
});

const statistics = (changes: Partial<TableStatistics>): TableStatistics => ({
  SchemaName: "shop",
  TableName: "orders",
  TableState: "Table completed",
  FullLoadStartTime: new Date("2026-11-05T10:00:00Z"),
  FullLoadEndTime: new Date("2026-11-05T10:00:09Z"),
  FullLoadRows: 200,
  FullLoadErrorRows: 0,
  ...changes,
});

const load = { schema: "shop", startedAt: "2026-11-05T10:00:00.000Z", endedAt: "2026-11-05T10:00:09.000Z" };

test("the full loads of a task are all pages of its tables whose load has ended", async () => {
  dms
    .on(DescribeTableStatisticsCommand, { ReplicationTaskArn: task, MaxRecords: 500 })
    .resolves({ TableStatistics: [statistics({})], Marker: "more" })
    .on(DescribeTableStatisticsCommand, { ReplicationTaskArn: task, MaxRecords: 500, Marker: "more" })
    .resolves({ TableStatistics: [statistics({ TableName: "empty", FullLoadRows: 0 })] });
  expect(await tableLoads(testContext("canary").context, task)).toEqual([
    { ...load, table: "orders", rows: 200 },
    { ...load, table: "empty", rows: 0 },
  ]);
});

test("rows that DMS could not carry count, so that they are missed in the log", async () => {
  dms.on(DescribeTableStatisticsCommand).resolves({ TableStatistics: [statistics({ FullLoadErrorRows: 3 })] });
  expect(await tableLoads(testContext("canary").context, task)).toEqual([{ ...load, table: "orders", rows: 203 }]);
});

test.each([
  ["is being loaded", { TableState: "Full load", FullLoadEndTime: undefined }],
  ["is being loaded again, and shows the times of before", { TableState: "Table is being reloaded" }],
  ["has failed", { TableState: "Table error" }],
  ["is read for its changes alone", { FullLoadStartTime: undefined, FullLoadEndTime: undefined }],
])("a table that %s has none", async (_, changes) => {
  dms.on(DescribeTableStatisticsCommand).resolves({ TableStatistics: [statistics(changes)] });
  expect(await tableLoads(testContext("canary").context, task)).toEqual([]);
});
