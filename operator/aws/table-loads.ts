import { DescribeTableStatisticsCommand, type TableStatistics } from "@aws-sdk/client-database-migration-service";
import type { TableLoad } from "../../contract/operator";
import type { OperatorContext } from "../context";

/** The most that DMS gives at once. */
const pageSize = 500;

/** The state of a table whose full load is over; one that is being loaded again still shows the times of before. */
const loaded = "Table completed";

/** The full loads of a task's tables that have ended. None for a task that reads changes alone. */
export async function tableLoads(
  { clients, signal }: Pick<OperatorContext, "clients" | "signal">,
  taskArn: string,
): Promise<TableLoad[]> {
  const found: TableLoad[] = [];
  let marker: string | undefined;
  do {
    const page = await clients.dms.send(
      new DescribeTableStatisticsCommand({ ReplicationTaskArn: taskArn, MaxRecords: pageSize, Marker: marker }),
      { abortSignal: signal },
    );
    found.push(...(page.TableStatistics ?? []).flatMap(endedLoad));
    marker = page.Marker;
  } while (marker);
  return found;
}

function endedLoad(statistics: TableStatistics): TableLoad[] {
  const { SchemaName, TableName, TableState, FullLoadStartTime, FullLoadEndTime } = statistics;
  if (TableState !== loaded || !SchemaName || !TableName || !FullLoadStartTime || !FullLoadEndTime) return [];
  // A row that DMS could not carry was there all the same, and is missed among the baselines.
  const rows = (statistics.FullLoadRows ?? 0) + (statistics.FullLoadErrorRows ?? 0);
  return [
    {
      schema: SchemaName,
      table: TableName,
      startedAt: FullLoadStartTime.toISOString(),
      endedAt: FullLoadEndTime.toISOString(),
      rows,
    },
  ];
}
