import type * as pulumi from "@pulumi/pulumi";

/** What CloudWatch Database Insights records about the database's load. */
export const DatabaseInsights = {
  /** Seven days of load by query and wait, free of charge. */
  Standard: "standard",
  /** 15 months, with lock analysis and execution plans; charged per vCPU or ACU hour. */
  Advanced: "advanced",
} as const;
export type DatabaseInsights = (typeof DatabaseInsights)[keyof typeof DatabaseInsights];

/** Bounds of Aurora Serverless v2, in Aurora capacity units (ACU: 2 GiB of memory with matching CPU). */
export interface ServerlessCapacityArgs {
  /**
   * ACU that are always there and always paid, in steps of 0.5. Default 0.5. A database that is captured never pauses,
   * so 0 is refused.
   */
  minimumCapacity?: pulumi.Input<number>;
  /** ACU that load may use, at least 1, in steps of 0.5. Default 4. It also decides how many connections fit. */
  maximumCapacity?: pulumi.Input<number>;
}

/** A parameter beyond those that change capture needs. */
export interface DatabaseParameterArgs {
  /** Name in PostgreSQL or Aurora. */
  name: pulumi.Input<string>;
  /** Value, in the parameter's own unit. */
  value: pulumi.Input<string>;
  /** Whether PostgreSQL takes it only at a restart. Default false. */
  needsRestart?: pulumi.Input<boolean>;
}

export interface AuroraPostgresArgs {
  /** VPC of the subnets. */
  vpcId: pulumi.Input<string>;
  /** Private subnets of at least two zones. */
  subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * PostgreSQL 15 to 18, as `17` (AWS picks the minor version, and raises it) or `17.5` (AWS raises it only once that minor
   * version ends). Default `17`, the newest that AWS's documents say DMS reads; a `ChangeCapture` refuses 18 as its source
   * unless its `postgresVersions` names it. A higher major version also needs `allowMajorVersionUpgrade`, and the capture stopped
   * and its slot dropped meanwhile. Left out, the version is chosen when the cluster is made, and never changed.
   */
  engineVersion?: pulumi.Input<string>;
  /** Lets a changed `engineVersion` cross a major version. Default false. */
  allowMajorVersionUpgrade?: pulumi.Input<boolean>;
  /** Serverless capacity; excludes `instanceClass`. Default: 0.5 to 4 ACU. */
  serverless?: ServerlessCapacityArgs;
  /** Class of provisioned instances, such as `db.r7g.large`; excludes `serverless`. */
  instanceClass?: pulumi.Input<string>;
  /** Readers beside the writer, 0 to 15; one takes over in about 30 seconds when the writer fails. Default 0. */
  readers?: number;
  /** Name of the first database. Default `app`. A change would replace the cluster and is refused. */
  databaseName?: pulumi.Input<string>;
  /**
   * Whether the data survives mistakes: Pulumi refuses to delete or replace cluster and key, and AWS to delete the
   * cluster. Default true.
   */
  retainData?: boolean;
  /** Days of point-in-time recovery, 1 to 35. Default 7. */
  backupRetentionDays?: pulumi.Input<number>;
  /** Whether destroying the cluster keeps a last snapshot and the automated backups. Default: as `retainData`. */
  finalSnapshot?: boolean;
  /**
   * When AWS takes the daily backup, in UTC: `01:00-01:30`, at least 30 minutes, apart from `maintenanceWindow`. Default: AWS
   * chooses.
   */
  backupWindow?: pulumi.Input<string>;
  /** When AWS may restart the cluster to maintain it, in UTC: `sun:03:00-sun:04:00`, at least 30 minutes. Default: AWS chooses. */
  maintenanceWindow?: pulumi.Input<string>;
  /** Whether changes that restart instances happen at once rather than in the maintenance window. Default false. */
  applyImmediately?: pulumi.Input<boolean>;
  /**
   * What CloudWatch records about load. Default `standard`. AWS refuses to go straight from one to the other on a running
   * cluster: change the retention of Performance Insights to 465 days by hand first.
   */
  databaseInsights?: DatabaseInsights;
  /** Days that the PostgreSQL log is kept in CloudWatch. Default 30. */
  logRetentionDays?: pulumi.Input<number>;
  /** Parameters of your own; those that the capture needs are set already and refused here. Default: none. */
  parameters?: DatabaseParameterArgs[];
  /**
   * A customer-managed key of your own; its policy must let CloudWatch Logs use it. Default: a new one. A change would
   * replace the cluster and is refused.
   */
  kmsKeyArn?: pulumi.Input<string>;
}
