import type * as pulumi from "@pulumi/pulumi";
import type { AuditedTableArgs, PartitionPeriod } from "../operator/types";
import type { ReviewCognitoArgs, ReviewGroupArgs, ReviewOidcArgs } from "../review-service/types";
import type { CpuArchitecture } from "../shared/cpu-architecture";

/** The database whose changes are audited. */
export interface PipelineSourceArgs {
  /** Host name of the cluster's writer. */
  endpoint: pulumi.Input<string>;
  /** Default 5432. */
  port?: pulumi.Input<number>;
  /** Database whose tables are audited. */
  databaseName: pulumi.Input<string>;
  /** Security group of the database; rules that admit the pipeline are added to it. */
  securityGroupId: pulumi.Input<string>;
  /**
   * Secret `{"username","password"}` of a user with `rds_superuser`, as which the operator logs in to prepare the
   * database; for an `AuroraPostgres` its `masterSecretArn`. Required unless the operator is left out.
   */
  adminSecretArn?: pulumi.Input<string>;
  /** Customer-managed key of `adminSecretArn`. Default: that secret is under AWS's own key. */
  adminSecretKeyArn?: pulumi.Input<string>;
  /** Identifier of the Aurora cluster, to watch its replication slots. Default: they are not watched. */
  clusterIdentifier?: pulumi.Input<string>;
  /** PostgreSQL version, such as `17.5`, to check against the DMS engine. Default: not checked. */
  postgresVersion?: pulumi.Input<string>;
  /**
   * A secret of your own for the role `cdc_capture`, JSON with `host`, `port`, `username` and `password`. A second
   * pipeline on the same database needs it, because the role has one password. Default: a new one.
   */
  captureSecretArn?: pulumi.Input<string>;
  /** Customer-managed key of `captureSecretArn`. Default: that secret is under AWS's own key. */
  captureSecretKeyArn?: pulumi.Input<string>;
}

/** The database that holds the audit table. */
export interface PipelineDestinationArgs {
  /** Host name of the cluster's writer. */
  endpoint: pulumi.Input<string>;
  /** Default 5432. */
  port?: pulumi.Input<number>;
  /** Database that holds the schema `audit`. */
  databaseName: pulumi.Input<string>;
  /** Security group of the database; rules that admit sink and operator are added to it. */
  securityGroupId: pulumi.Input<string>;
  /** As `source.adminSecretArn`, for this database. */
  adminSecretArn?: pulumi.Input<string>;
  /** Customer-managed key of `adminSecretArn`. Default: that secret is under AWS's own key. */
  adminSecretKeyArn?: pulumi.Input<string>;
}

/** The MSK cluster that carries the pipeline. */
export interface PipelineKafkaArgs {
  /** ARN of the MSK cluster. */
  clusterArn: pulumi.Input<string>;
  /** `host:port,…` for IAM clients (port 9098). */
  bootstrapBrokersIam: pulumi.Input<string>;
  /** `host:port,…` for SCRAM clients (port 9096). */
  bootstrapBrokersScram: pulumi.Input<string>;
  /** Security group of the brokers; rules that admit the pipeline are added to it. */
  securityGroupId: pulumi.Input<string>;
  /** SCRAM user that DMS writes with. */
  scramUsername: pulumi.Input<string>;
  /** Kept as a secret. Give it as an output that resolves once the cluster knows the user. */
  scramPassword: pulumi.Input<string>;
  /** Secret of that user, for the operator to rotate its password. Default: the operator can't. */
  scramSecretArn?: pulumi.Input<string>;
  /** Customer-managed key of `scramSecretArn`. */
  keyArn?: pulumi.Input<string>;
  /**
   * When public access to the brokers ends, with its zone. Default: never open, and the operator closes public access that
   * it finds.
   */
  publicAccessUntil?: pulumi.Input<string>;
  /** Version of the brokers, such as `3.9.x.kraft`, to ring before it ends. Default: only the other parts' versions ring. */
  kafkaVersion?: pulumi.Input<string>;
  /** Copies that each topic keeps: 3 with three brokers or more, 2 with two. */
  replicationFactor: pulumi.Input<number>;
}

/** Choices about the topics; the contract fixes everything else. */
export interface PipelineTopicsArgs {
  /**
   * Put before each topic's name with a dot, so that several pipelines share a cluster. Default: none, for the first. A
   * change makes new topics and deletes the old ones.
   */
  prefix?: string;
  /** Partitions of `cdc.raw`. Default 1, which keeps DMS's commit order; more keeps each record's own order alone. */
  rawPartitions?: number;
  /** Partitions of `audit.events`, the most tasks that the sink can use. Default 6. */
  eventsPartitions?: number;
  /** Days that change records and events are kept, 1 to 365. Default 7. */
  retentionDays?: number;
  /** Largest message in bytes. Default 16 MiB. */
  messageMaxBytes?: number;
}

/** Choices about the change capture. */
export interface PipelineCaptureArgs {
  /** DMS engine version. Default `3.6.1` for a new instance, and whatever runs for one that is there. */
  engineVersion?: pulumi.Input<string>;
  /**
   * Major versions of PostgreSQL that this engine reads, of 15 to 18: a source of another is refused. Default 15, 16 and 17.
   */
  postgresVersions?: number[];
  /** Default `dms.t3.medium`. */
  instanceClass?: pulumi.Input<string>;
  /** Default 50. */
  allocatedStorageGiB?: pulumi.Input<number>;
  /** Whether a standby in a second zone takes over. Default false. */
  multiAz?: pulumi.Input<boolean>;
  /** Weekly window for maintenance in UTC. Default: AWS chooses. */
  maintenanceWindow?: pulumi.Input<string>;
  /** Whether to make the roles that DMS needs once per account. Default false. */
  createServiceRoles?: boolean;
  /**
   * Whether deploying starts the task. Default true. False to start it by hand: without the operator once the database is
   * prepared, and no canary is sent until it is true.
   */
  startTask?: pulumi.Input<boolean>;
  /** Whether to read the rows that are there already, as baselines. Default false. */
  fullLoad?: boolean;
  /** Minutes between heartbeats, 1 to 60. Default 5. */
  heartbeatMinutes?: pulumi.Input<number>;
  /** A replication slot of your own; needs `cdcStartPosition`. Default: DMS makes one. */
  slotName?: pulumi.Input<string>;
  /** Where to start reading that slot. */
  cdcStartPosition?: pulumi.Input<string>;
  /** PEM of the database's certificate authority. Default: TLS without verifying the host. */
  certificatePem?: pulumi.Input<string>;
  /** DNS name of a Secrets Manager interface endpoint without private DNS. Default: AWS's public name. */
  secretsManagerEndpoint?: pulumi.Input<string>;
}

/** Choices about the transformer; an image is required. */
export interface PipelineTransformerArgs {
  /** The image by digest. */
  imageUri?: pulumi.Input<string>;
  /** Instead of `imageUri`: the folder that holds `transformer/Dockerfile`, to build the image while deploying. */
  imageBuildContext?: string;
  /** Default `ARM64`. */
  architecture?: CpuArchitecture;
  /** Consumer group. Default: made from project, stack and name. A changed one works through the backlog again. */
  applicationId?: string;
  /** CPU units of a task. Default 1024. */
  cpu?: number;
  /** Memory of a task in MiB. Default 2048. */
  memoryMiB?: number;
  /** Stream threads of a task. Default 1. */
  streamThreads?: number;
  /** Tasks that always run. Default 1. */
  minimumTasks?: number;
  /** Tasks that lag may start. Default: as many as the partitions of `cdc.raw` can use. */
  maximumTasks?: number;
}

/** Choices about the sink; the plugin is required. */
export interface PipelineSinkArgs {
  /** The plugin's ZIP, which `npm run build:plugin` makes. */
  pluginPath: string;
  /** Default: made from project, stack and name. A changed one writes all events again, which changes no row. */
  connectorName?: string;
  /** Tasks that write side by side. Default 2. */
  tasks?: number;
  /** Machines that run the tasks. Default 1. */
  workers?: number;
  /** Size of a worker: 1, 2, 4 or 8 MCU. Default 1. */
  mcusPerWorker?: number;
}

/** Choices about the operator, which prepares, tests and maintains the pipeline. */
export interface PipelineOperatorArgs {
  /**
   * Whether the operator is deployed. Default true. False for teams that prepare the databases and access rules by
   * hand: apply `database/`, set the roles' passwords from their secrets, watch the tables, and run `audit.maintain()`
   * and the closing of public access on your own schedule. Then nothing is tested before the capture starts.
   */
  enabled?: boolean;
  /** The operator's bundle, which `npm run build:operator` makes. Required unless the operator is left out. */
  bundlePath?: string;
  /**
   * Where the actor trigger finds the name of who acts where the application does not announce it, in this order:
   * `app.user_id`, `request.jwt.claims ->> email`, `comment actor`. An empty list means nowhere. Default: the database keeps
   * what `capture.set_actor_sources` was told last; before that, the sources of docs/actors.md.
   */
  actorSources?: string[];
  /** How far ahead the audit table has partitions: `<number> days`, `weeks`, `months` or `years`. Default `3 months`. */
  partitionsAhead?: string;
  /** How much time one partition holds. Default `month`. */
  partitionPeriod?: PartitionPeriod;
  /** How long the audit log is kept, by whole partitions: `7 years`, at least `1 day`. Default: for ever. */
  auditRetention?: string;
  /** Minutes between canaries, 1 to 60. Default 5. */
  canaryIntervalMinutes?: number;
  /** Seconds that a canary may take from the source to the audit table, 10 to 600. Default 120. */
  canaryTimeoutSeconds?: number;
  /** Runs of the function at a time that the account sets aside. Default: none. */
  reservedConcurrency?: number;
}

/** Thresholds of the alarms, and the address that gets them. */
export interface PipelineAlarmsArgs {
  /** Address that gets the alarms. Default: nobody, until something subscribes to the topic. */
  email?: pulumi.Input<string>;
  /** Seconds that a hop may be behind for a quarter of an hour. Default 300. */
  latencySeconds?: number;
  /** GiB of WAL that a replication slot may hold back. Default 10. */
  slotLagGiB?: number;
  /** Percentage of a broker's volume that may be used. Default 85. */
  kafkaDiskUsedPercent?: number;
  /** Days ahead for which the audit table must have partitions. Default 7. */
  partitionDaysAhead?: number;
}

/** Choices about the reviewer's page; name, certificate, networks, login, groups and an image are required. */
export interface PipelineReviewArgs {
  /** Name under which browsers open the page, such as `audit.example.com`. Point it at the load balancer's name. */
  hostName: string;
  /** ACM certificate for `hostName`, in the region of the pipeline. */
  certificateArn: pulumi.Input<string>;
  /** Networks that may open the page, such as those of your VPN: `10.8.0.0/16`. None may be the whole internet. */
  clientCidrs: string[];
  /** Login at an OpenID Connect provider. Either this or `cognito` is required. */
  oidc?: ReviewOidcArgs;
  /** Login at an Amazon Cognito user pool. */
  cognito?: ReviewCognitoArgs;
  /** Which groups may see which tables, at least one. Who is in none of them sees nothing. */
  groups: ReviewGroupArgs[];
  /** Columns as `schema.table.column` that are hidden unless a group may see or reveal them. Default: none. */
  maskedColumns?: string[];
  /** Claim that names a reader in `audit.reads`. Default `email`. */
  readerClaim?: string;
  /** Hours after which a reader logs in again, 1 to 24. Default 8. */
  sessionHours?: number;
  /** The image by digest. */
  imageUri?: pulumi.Input<string>;
  /** Instead of `imageUri`: the folder that holds `review/Dockerfile`, to build the image while deploying. */
  imageBuildContext?: string;
  /** Default `ARM64`. */
  architecture?: CpuArchitecture;
  /** CPU units of a task. Default 256. */
  cpu?: number;
  /** Memory of a task in MiB. Default 512. */
  memoryMiB?: number;
  /** Tasks that run, 1 to 10. Default 1. */
  tasks?: number;
}

export interface AuditPipelineArgs {
  /** Which source this is: written to `source_id` of every event. Never change it for a running pipeline. */
  sourceId: string;
  /** VPC of the subnets. */
  vpcId: pulumi.Input<string>;
  /** Private subnets of at least two zones that reach AWS's services, with NAT or interface endpoints. */
  subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /** The database whose changes are audited. */
  source: PipelineSourceArgs;
  /**
   * The database that holds the audit table: on another cluster, or another database on the source's own, which the
   * operator creates if it is missing. Default: the source; DMS then reads and discards every row that the log stores.
   */
  destination?: PipelineDestinationArgs;
  /**
   * A secret `{"username","password"}` of your own for the role `audit_writer`. A second pipeline into the same
   * database needs it, because the role has one password. Default: a new one.
   */
  writerSecretArn?: pulumi.Input<string>;
  /** Customer-managed key of `writerSecretArn`. Default: that secret is under AWS's own key. */
  writerSecretKeyArn?: pulumi.Input<string>;
  /** The Kafka cluster that carries the pipeline; a `KafkaCluster` fits. */
  kafka: PipelineKafkaArgs;
  /** What to audit, at least one table. */
  tables: AuditedTableArgs[];
  /** Names and sizes of the topics. Default: the contract's. */
  topics?: PipelineTopicsArgs;
  /** Text, JSON and arrays above this many KB stop the capture rather than be cut. Default 4096. */
  lobMaxSizeKilobytes?: number;
  /**
   * A longer value of a `varchar` without a length stops the capture rather than be cut. In bytes, to 10485760. Default
   * 8000, which is DMS's own.
   */
  unboundedVarcharMaxBytes?: number;
  /** The DMS instance and task. Default: the smallest that works. */
  capture?: PipelineCaptureArgs;
  /** The transformer's image and tasks. */
  transformer: PipelineTransformerArgs;
  /** The sink's plugin and workers. */
  sink: PipelineSinkArgs;
  /** The operator, which prepares, tests and maintains the pipeline: its bundle, or `enabled: false`. */
  operator: PipelineOperatorArgs;
  /** The reviewer's page, behind an internal load balancer with a login. Default: there is none. */
  review?: PipelineReviewArgs;
  /** Thresholds of the alarms, and who gets them. Default: nobody yet. */
  alarms?: PipelineAlarmsArgs;
  /**
   * Whether Pulumi refuses to delete topics and capture, secrets can be restored for 30 days and buckets and repositories
   * stay until emptied. Default true. False for environments that come and go.
   */
  retainData?: boolean;
  /** Days that logs are kept in CloudWatch. Default 30. */
  logRetentionDays?: pulumi.Input<number>;
  /**
   * A customer-managed key of your own; its policy must let CloudWatch Logs, CloudWatch and EventBridge use it. Default: a
   * new one.
   */
  kmsKeyArn?: pulumi.Input<string>;
}
