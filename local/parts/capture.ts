import { readFileSync } from "node:fs";
import { kafkaEndpointFormat, tableMappings, taskSettings, type TableSelection } from "../../contract/change-capture";
import { databaseRoles } from "../../contract/database-roles";
import type { TableLoad } from "../../contract/operator";
import { defaultMessageMaxBytes } from "../../contract/topics";
import { standInProcess } from "../dms-stand-in/process";
import type { ManagedProcess } from "../machine/managed-process";

/** The replication slot of the DMS stand-in. */
export const slotName = "cdc_audit_local";

export interface CaptureOptions {
  /** Connection URL of the audited database; its user is replaced by the role that captures. */
  readonly sourceUrl: string;
  /** Password of that role. */
  readonly password: string;
  readonly bootstrapServers: string;
  readonly topic: string;
  readonly tables: readonly TableSelection[];
  readonly fullLoad: boolean;
  readonly configurationFile: string;
  readonly logFile: string;
}

/** The DMS stand-in, configured as the product configures its DMS task; the caller starts it. */
export function captureProcess(options: CaptureOptions): ManagedProcess {
  const { bootstrapServers, topic, tables, fullLoad, configurationFile, logFile } = options;
  const source = new URL(options.sourceUrl);
  source.username = databaseRoles.capture;
  source.password = encodeURIComponent(options.password);
  return standInProcess(
    {
      sourceUrl: source.toString(),
      slotName,
      bootstrapServers,
      topic,
      tableMappings: tableMappings(tables, topic),
      taskSettings: taskSettings(),
      endpointFormat: kafkaEndpointFormat,
      messageMaxBytes: defaultMessageMaxBytes,
      fullLoad,
    },
    { configurationFile, logFile },
  );
}

/** The full loads that the stand-in's log tells of, in place of the table statistics of a DMS task. */
export function tableLoads(logFile: string): TableLoad[] {
  return readFileSync(logFile, "utf8")
    .split("\n")
    .filter((line) => line.includes('"event":"table-loaded"'))
    .map((line) => {
      const { schema, table, startedAt, endedAt, rows } = JSON.parse(line) as TableLoad;
      return { schema, table, startedAt, endedAt, rows };
    });
}
