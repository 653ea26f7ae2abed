import type { Client } from "pg";
import type { LinkDetour } from "./parts/links";
import type { CapturedSource } from "./parts/source";
import type { TableToWatch } from "./parts/watched";

/** What to run and where its data go. */
export type PipelineOptions = CommonOptions & AuditedDatabase;

/** The database that is audited: one of the user's own, or a sample on the pipeline's server. */
export type AuditedDatabase =
  | {
      readonly source: CapturedSource;
      readonly prepareSample?: never;
    }
  | {
      readonly source?: never;
      /** Creates what the sample database holds, as its owner. */
      readonly prepareSample: (client: Client) => Promise<void>;
    };

interface CommonOptions {
  /** Data, logs and configuration of this run. */
  readonly folder: string;
  /** Tells this run from any other. Default: drawn. */
  readonly run?: string;
  /** Tables to capture; `%` stands for all tables of a schema. */
  readonly tables: readonly TableToWatch[];
  /** Where the actor trigger finds names that others set. Default: what the database has. */
  readonly actorSources?: readonly string[];
  /** A separate database for the audit log. Default: beside the sample tables, where one connection sees both. */
  readonly auditDatabase?: string;
  /** Begin with the data of an earlier run, if there are any. Default false. */
  readonly keep?: boolean;
  /** Note in the log how events arrive, for a command that follows it. Default false. */
  readonly followed?: boolean;
  /** Also send the rows that are there already, as baselines. Default false. */
  readonly fullLoad?: boolean;
  /** Extra settings of the PostgreSQL server. */
  readonly postgresSettings?: Readonly<Record<string, string>>;
  /** Extra environment of the PostgreSQL server. */
  readonly postgresEnvironment?: Readonly<Record<string, string>>;
  /** Extra properties of the broker. */
  readonly brokerSettings?: Readonly<Record<string, string>>;
  /** Extra environment of the transformer. */
  readonly transformerEnvironment?: Readonly<Record<string, string>>;
  /** Leads the links between the parts through something else, such as a proxy. Default: the parts connect directly. */
  readonly between?: LinkDetour;
}
