import type { PipelineReviewArgs } from "../components/audit-pipeline/types";
import type { SectionDefaults } from "./defaults";
import type { AlarmSettings, Environment, TableSettings } from "./schema";

/** A stack's settings, checked, with the defaults of its kind of environment filled in. */
export interface Settings extends Pick<SectionDefaults, "network" | "database" | "kafka"> {
  readonly environment: Environment;
  /** `aws:region`; empty when the stack has none. */
  readonly region: string;
  /** What every component takes. */
  readonly everywhere: {
    readonly retainData: boolean;
    readonly logRetentionDays?: number;
    /** Undefined: AWS's own keys. */
    readonly kmsKeyArn?: string;
  };
  /** Undefined: the log is in the source's database. */
  readonly auditDatabaseName?: string;
  readonly pipeline: Pick<SectionDefaults, "topics" | "capture" | "transformer" | "sink" | "operator"> & {
    readonly sourceId: string;
    readonly tables: TableSettings;
    readonly lobMaxSizeKilobytes?: number;
    readonly unboundedVarcharMaxBytes?: number;
    readonly alarms: AlarmSettings;
    /** Undefined: there is no page. */
    readonly review?: PipelineReviewArgs;
  };
}
