import type * as pulumi from "@pulumi/pulumi";

/** The database that DMS reads, as it is reached from the given subnets. */
export interface SourceDatabaseArgs {
  /** Host name of the cluster's writer: readers and RDS Proxy carry no logical replication. */
  endpoint: pulumi.Input<string>;
  /** Default 5432. */
  port?: pulumi.Input<number>;
  /** Database whose tables are captured; one task reads one database. */
  databaseName: pulumi.Input<string>;
  /** Security group of the database; a rule that admits DMS is added to it. */
  securityGroupId: pulumi.Input<string>;
  /** Secret of the capture user, JSON with `host`, `port`, `username` and `password` (none of `; . : +` in it). */
  secretArn: pulumi.Input<string>;
  /** Customer-managed key of that secret. Default: the secret is under AWS's own key. */
  keyArn?: pulumi.Input<string>;
  /** PostgreSQL version, such as `17.5`, to check against `engineVersion`. Default: not checked. */
  postgresVersion?: pulumi.Input<string>;
}

/** The Kafka cluster that DMS writes to. DMS can't use IAM, so it logs in with SCRAM. */
export interface CaptureKafkaArgs {
  /** `host:port,…` for SCRAM clients (port 9096). */
  bootstrapBrokersScram: pulumi.Input<string>;
  /** Security group of the brokers; a rule that admits DMS is added to it. */
  securityGroupId: pulumi.Input<string>;
  /** SCRAM user. */
  scramUsername: pulumi.Input<string>;
  /** Kept as a secret. DMS must know it, so the state and the endpoint hold it, encrypted. */
  scramPassword: pulumi.Input<string>;
}

/** A table to capture or to leave out, or with `%` several. */
export interface CapturedTableArgs {
  /** Schema of the table, by its whole name. */
  schema: string;
  /** Name of the table; `%` stands for any text, every other character for itself. */
  table: string;
  /** Whether it is left out, whichever other entry names it. Default false. */
  exclude?: boolean;
}

export interface ChangeCaptureArgs {
  /** VPC of the subnets. */
  vpcId: pulumi.Input<string>;
  /** Private subnets of at least two zones. */
  subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /** The database to read. */
  source: SourceDatabaseArgs;
  /** The Kafka cluster to write to; a `KafkaCluster` fits. */
  kafka: CaptureKafkaArgs;
  /** Name of the topic for change records. It must exist: give it as the output of the topic's resource. */
  rawTopic: pulumi.Input<string>;
  /** The tables, at least one. The signal table is added, and the schema `audit` is always left out. */
  tables: CapturedTableArgs[];
  /** Largest message in bytes; topic and brokers must take as much. Default 16 MiB. */
  messageMaxBytes?: pulumi.Input<number>;
  /** Text, JSON and arrays above this many KB stop the task rather than be cut. Default 4096. */
  lobMaxSizeKilobytes?: number;
  /** A longer value of a `varchar` without a length stops the task rather than be cut. In bytes, to 10485760. Default 8000. */
  unboundedVarcharMaxBytes?: number;
  /**
   * DMS engine version. Default `3.6.1` for a new instance, the first that reads PostgreSQL 17, and whatever runs for one that
   * is there: DMS upgrades by itself once a version has ended. It can't be lowered.
   */
  engineVersion?: pulumi.Input<string>;
  /** Major versions of PostgreSQL that this engine reads, of 15 to 18. Default 15, 16 and 17. */
  postgresVersions?: number[];
  /** Default `dms.t3.medium`. */
  instanceClass?: pulumi.Input<string>;
  /** GiB for logs and for changes that wait, 5 to 6144. Default 50. It can grow, not shrink. */
  allocatedStorageGiB?: pulumi.Input<number>;
  /** Whether a standby in a second zone takes over when the first fails. Default false. */
  multiAz?: pulumi.Input<boolean>;
  /** Weekly window for maintenance in UTC, such as `sun:03:00-sun:04:00`, at least 30 minutes. Default: AWS chooses. */
  maintenanceWindow?: pulumi.Input<string>;
  /**
   * Whether to create the roles `dms-vpc-role` and `dms-cloudwatch-logs-role`, which DMS needs once per account. True
   * for the one stack that creates them; false, the default, where another stack or the console has created them.
   * Destroying that stack deletes them, unless `retainData` keeps them for other stacks: set this to false when you
   * deploy the stack again after that.
   */
  createServiceRoles?: boolean;
  /**
   * The function of an `Operator`, which then tests both connections before the task starts: a wrong password or a closed
   * port fails the deployment in DMS's own words. Give it as the operator's output, which resolves once the database is
   * prepared. Default: nothing is tested, and the task starts when its endpoints exist.
   */
  operatorFunctionName?: pulumi.Input<string>;
  /** Whether deploying starts the task. Default true. Without an operator, false until the database is prepared. */
  startTask?: pulumi.Input<boolean>;
  /** Whether to read the rows that are there already, as baselines, before changes. Default false. */
  fullLoad?: boolean;
  /** Minutes between heartbeats, 1 to 60, which keep an idle database from holding on to its WAL. Default 5. */
  heartbeatMinutes?: pulumi.Input<number>;
  /** A replication slot of your own, which outlives the task and which you drop; needs `cdcStartPosition`. */
  slotName?: pulumi.Input<string>;
  /** LSN or checkpoint to start from, not before the slot's confirmed position; needs `slotName`. Read at first start. */
  cdcStartPosition?: pulumi.Input<string>;
  /** PEM of the database's certificate authority: DMS then also verifies the host. Default: TLS without verification. */
  certificatePem?: pulumi.Input<string>;
  /** DNS name of a Secrets Manager interface endpoint without private DNS. Default: AWS's public name is used. */
  secretsManagerEndpoint?: pulumi.Input<string>;
  /**
   * Whether Pulumi refuses to delete or replace the task, and with it its replication slot, and leaves the account's roles
   * behind. Default true.
   */
  retainData?: boolean;
  /** Days that the instance's log is kept in CloudWatch. Default 30. */
  logRetentionDays?: pulumi.Input<number>;
  /** A customer-managed key of your own; its policy must let CloudWatch Logs use it. Default: a new one. */
  kmsKeyArn?: pulumi.Input<string>;
}
