import type * as pulumi from "@pulumi/pulumi";

/** What PostgreSQL writes to the WAL of a changed or deleted row's old values. */
export const ReplicaIdentity = {
  /** Every old value: the audit log shows what a row was. Costs WAL on updates and deletes. */
  Full: "full",
  /** The primary key alone: old values of other columns are unknown. */
  Default: "default",
  /** As the table has it. */
  Keep: "keep",
} as const;
export type ReplicaIdentity = (typeof ReplicaIdentity)[keyof typeof ReplicaIdentity];

/**
 * A table to audit, or with `%` several: those that exist, and new ones from their first row on. If several entries
 * match, one that excludes wins, then an exact name, then the longest pattern. A pattern leaves out tables of extensions
 * and of roles that the operator's user can't be granted.
 */
export interface AuditedTableArgs {
  /** Schema of the table, by its whole name. */
  schema: string;
  /** Name of the table; `%` stands for any text, every other character for itself. */
  table: string;
  /** Whether it is left out, whichever other entry names it; no other member may stand beside. Default false. */
  exclude?: boolean;
  /** Columns whose change alone writes no event. Default: none. */
  ignoredColumns?: string[];
  /** Columns whose values are never shown. A table may get such a column later. Default: none. */
  redactedColumns?: string[];
  /**
   * Whether transactions that don't say who acts get a context from the session: its setting `capture.actor`, else its user,
   * with `capture.request_id`, `capture.context`, user, application name and address. Default false.
   */
  identifyActor?: boolean;
  /** Default `full`: only it gives every old value. */
  replicaIdentity?: ReplicaIdentity;
}

/** How much time one partition of the audit table holds. */
export const PartitionPeriod = { Month: "month", Day: "day" } as const;
export type PartitionPeriod = (typeof PartitionPeriod)[keyof typeof PartitionPeriod];

/** A database that the operator prepares and maintains. */
export interface OperatedDatabaseArgs {
  /** Host name of the cluster's writer. */
  endpoint: pulumi.Input<string>;
  /** Default 5432. */
  port?: pulumi.Input<number>;
  /** Database to prepare. */
  databaseName: pulumi.Input<string>;
  /** Security group of the database; a rule that admits the operator is added to it. */
  securityGroupId: pulumi.Input<string>;
  /** Secret `{"username","password"}` of a user with `rds_superuser`, such as Aurora's managed master secret. */
  adminSecretArn: pulumi.Input<string>;
  /** Customer-managed key of that secret. Default: it is under AWS's own key. */
  adminSecretKeyArn?: pulumi.Input<string>;
}

/** The secret that holds the password of a database role. */
export interface RolePasswordArgs {
  /** Secret `{"username","password"}` of the role. */
  secretArn: pulumi.Input<string>;
  /** Customer-managed key of that secret. Default: it is under AWS's own key. */
  keyArn?: pulumi.Input<string>;
  /**
   * Version of the secret. When it changes, the operator sets the password again. Default: only the action `rotate`
   * does.
   */
  versionId?: pulumi.Input<string>;
}

/** The Kafka cluster, which the operator reaches with IAM. */
export interface OperatedKafkaArgs {
  /** ARN of the MSK cluster. */
  clusterArn: pulumi.Input<string>;
  /** `host:port,…` for IAM clients (port 9098). */
  bootstrapBrokersIam: pulumi.Input<string>;
  /** Security group of the brokers; a rule that admits the operator is added to it. */
  securityGroupId: pulumi.Input<string>;
  /** SCRAM user of DMS. No other SCRAM user may write the raw topic. */
  scramUsername: pulumi.Input<string>;
  /** Secret of that user, for rotating its password. Default: the operator can't rotate it. */
  scramSecretArn?: pulumi.Input<string>;
  /** Customer-managed key of that secret, which MSK requires. */
  keyArn?: pulumi.Input<string>;
  /**
   * When public access to the brokers ends, with its zone; the operator closes it then. Default: never open, and the
   * operator closes public access that it finds.
   */
  publicAccessUntil?: pulumi.Input<string>;
}

/** The topics that a canary passes. Access rules of the SCRAM user name the raw topic. */
export interface OperatedTopicsArgs {
  /** Topic of change records. It must exist: give it as the output of the topic's resource. */
  raw: pulumi.Input<string>;
  /** Topic of audit events. It must exist. */
  events: pulumi.Input<string>;
}

/** The parts of the pipeline that the operator may ask about or restart, by name, because they are created after it. */
export interface OperatedPartsArgs {
  /** Logical name of the `ChangeCapture`, whose tag is on its instance and endpoints. */
  captureName: string;
  /** Last part of the DMS task's ARN. */
  captureTaskIdentifier: string;
  /** Consumer group of the transformer. */
  transformerGroup: string;
  /** The MSK Connect connector. */
  connectorName: string;
}

export interface OperatorArgs {
  /** The pipeline's `source_id`, the dimension of the operator's metrics. */
  sourceId: string;
  /** VPC of the subnets. */
  vpcId: pulumi.Input<string>;
  /** Private subnets that reach AWS's services through NAT. */
  subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /** The bundle, which `npm run build:operator` makes: a ZIP, or a folder that holds `index.js`. */
  bundlePath: string;
  /** The database whose changes are audited. */
  source: OperatedDatabaseArgs;
  /** The database that holds the audit table. Default: the source. */
  destination?: OperatedDatabaseArgs;
  /** The role `cdc_capture` in the source. */
  captureRole: RolePasswordArgs;
  /** The role `audit_writer` in the destination. */
  writerRole: RolePasswordArgs;
  /** The role `audit_review` in the destination, with which the reviewer's page logs in. Default: it can't log in. */
  reviewRole?: RolePasswordArgs;
  /** What to put under audit, at least one table. */
  tables: AuditedTableArgs[];
  /**
   * Where the actor trigger finds the name of who acts where the application does not announce it, in this order:
   * `app.user_id`, `request.jwt.claims ->> email`, `comment actor`. An empty list means nowhere. Default: the database keeps
   * what `capture.set_actor_sources` was told last; before that, the sources of docs/actors.md.
   */
  actorSources?: string[];
  /** Major versions of PostgreSQL that the DMS engine reads, of 15 to 18. Default 15, 16 and 17. */
  postgresVersions?: number[];
  /** The limit of the `ChangeCapture`, to refuse values and to warn of columns that it would end at. Default 8000. */
  unboundedVarcharMaxBytes?: number;
  /** The limit of the `ChangeCapture`, to refuse values that it would end at. Default 4096. */
  lobMaxSizeKilobytes?: number;
  /** The limit of topics and `ChangeCapture`, to refuse rows that no message holds. Default 16 MiB. */
  messageMaxBytes?: number;
  /** The Kafka cluster. */
  kafka: OperatedKafkaArgs;
  /** The topics. */
  topics: OperatedTopicsArgs;
  /** The parts that are created after the operator. */
  parts: OperatedPartsArgs;
  /**
   * Any output of the transformer. The source is prepared once it resolves: its triggers may send signals that an older
   * transformer cannot read. Default: the source is prepared right after the destination.
   */
  sourceAfter?: pulumi.Input<string>;
  /** How far ahead the audit table has partitions: `<number> days`, `weeks`, `months` or `years`. Default `3 months`. */
  partitionsAhead?: string;
  /** How much time one partition holds. Default `month`; `day` drops old events by the day. */
  partitionPeriod?: PartitionPeriod;
  /** How long events are kept, by whole partitions: `7 years`, at least `1 day`. Default: for ever. */
  auditRetention?: string;
  /**
   * Runs of the function at a time that the account sets aside. Default: none, as the database's own lock keeps two runs
   * apart and AWS refuses reservations that leave an account fewer than 100.
   */
  reservedConcurrency?: number;
  /**
   * Last day of support, such as `2027-06-30`, of the version that ends first among those that the pipeline runs on: the
   * operator reports how many days are left. Default: it reports none.
   */
  versionsEnd?: pulumi.Input<string | undefined>;
  /** Days that the function's log is kept in CloudWatch. Default 30. */
  logRetentionDays?: pulumi.Input<number>;
  /** A customer-managed key of your own; its policy must let CloudWatch Logs use it. Default: a new one. */
  kmsKeyArn?: pulumi.Input<string>;
}

/** The operator that sends the canaries; an `Operator` fits. */
export interface CanaryOperatorArgs {
  /** Name of the operator's Lambda function. */
  functionName: pulumi.Input<string>;
  /** ARN of the operator's Lambda function. */
  functionArn: pulumi.Input<string>;
  /** Role with which EventBridge Scheduler starts the function. */
  schedulerRoleArn: pulumi.Input<string>;
  /** SQS queue of runs that failed. */
  failedRunsQueueArn: pulumi.Input<string>;
  /** Key of schedule and queue. */
  keyArn: pulumi.Input<string>;
}

/** A database that a canary passes. */
export interface CanaryDatabaseArgs {
  /** Host name of the cluster's writer. */
  endpoint: pulumi.Input<string>;
  /** Default 5432. */
  port?: pulumi.Input<number>;
  /** Database that the canary is written to or looked for in. */
  databaseName: pulumi.Input<string>;
  /** Secret `{"username","password"}` of a user who may write and read canaries. */
  adminSecretArn: pulumi.Input<string>;
}

/** What a canary passes between the databases. */
export interface CanaryKafkaArgs {
  /** `host:port,…` for IAM clients (port 9098). */
  bootstrapBrokersIam: pulumi.Input<string>;
  /** Topic of change records. */
  rawTopic: pulumi.Input<string>;
  /** Topic of audit events. */
  eventsTopic: pulumi.Input<string>;
  /** Consumer group of the transformer. */
  transformerGroup: pulumi.Input<string>;
  /** Consumer group of the sink. */
  sinkGroup: pulumi.Input<string>;
}

export interface CanaryArgs {
  /** The operator that sends canaries. */
  operator: CanaryOperatorArgs;
  /** The pipeline's `source_id`. */
  sourceId: string;
  /** Where a canary starts. */
  source: CanaryDatabaseArgs;
  /** Where it must arrive. Default: the source. */
  destination?: CanaryDatabaseArgs;
  /** What it passes on its way. */
  kafka: CanaryKafkaArgs;
  /** The DMS task. */
  captureTaskArn: pulumi.Input<string>;
  /** The MSK Connect connector. */
  connectorArn: pulumi.Input<string>;
  /**
   * A deployment that changes one of these values ends with a canary, as does one with a new task or connector. Use any
   * text that changes with a part, such as the ARN of the transformer's task definition. Default: none.
   */
  triggers?: Record<string, pulumi.Input<string>>;
  /** Minutes between canaries, 1 to 60. Default 5. */
  intervalMinutes?: number;
  /** Seconds that a scheduled canary may take, 10 to 600, less than the interval. Default 120. */
  timeoutSeconds?: number;
  /** Whether changes are captured; no canary is sent while they are not. Default true. */
  capturing?: pulumi.Input<boolean>;
}
