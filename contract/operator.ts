import type { TableSelection } from "./change-capture";

/**
 * What the operator's Lambda can be asked to do. The component sends these as invocations and schedules, the local
 * pipeline and the tests call the same handlers with them. No request holds a secret: only where to find one.
 */
export type OperatorRequest =
  BootstrapRequest | ConnectionsRequest | CanaryRequest | MaintainRequest | GuardRequest | RotateRequest;

/** The handlers by name; each is one value of `action`. */
export const operatorActions = ["bootstrap", "connections", "canary", "maintain", "guard", "rotate"] as const;
export type OperatorAction = (typeof operatorActions)[number];

/** A database and the secret (JSON with `username` and `password`) of a user who may administer it. */
export interface DatabaseAccess {
  readonly host: string;
  /** Default `postgresPort` of `ports.ts`. */
  readonly port?: number;
  readonly database: string;
  readonly adminSecretArn: string;
}

/** A table to put under audit, or to leave out: then the other members have no meaning. */
export interface AuditedTable extends TableSelection {
  readonly ignoredColumns?: readonly string[];
  readonly redactedColumns?: readonly string[];
  /** Whether transactions without a context get one from the session. Default false. */
  readonly identifyActor?: boolean;
  /** Default `full`. */
  readonly replicaIdentity?: "full" | "default" | "keep";
}

/**
 * Checks both databases; then applies the SQL, creates the roles with the passwords of their secrets, and watches the
 * tables. Safe to repeat.
 */
export interface BootstrapRequest {
  readonly action: "bootstrap";
  /** The one side that is prepared, so that sink and transformer can be deployed in between. Default: both. */
  readonly only?: "destination" | "source";
  readonly source: DatabaseAccess & {
    /** Secret of the role `cdc_capture`. */
    readonly captureSecretArn: string;
    readonly tables: readonly AuditedTable[];
    /** As `capture.set_actor_sources` takes them; an empty list means none. Default: the database keeps those that it has. */
    readonly actorSources?: readonly string[];
    /** Major versions of PostgreSQL that the DMS engine reads. Default: those that the pipeline is made for. */
    readonly postgresVersions?: readonly number[];
    /** The limit of DMS's source endpoint. Default `defaultUnboundedVarcharMaxBytes` of `change-capture.ts`. */
    readonly unboundedVarcharMaxBytes?: number;
    /** The limit of the DMS task. Default `defaultLobMaxSizeKilobytes` of `change-capture.ts`. */
    readonly lobMaxSizeKilobytes?: number;
    /** The limit of topic and capture. Default `defaultMessageMaxBytes` of `topics.ts`. */
    readonly messageMaxBytes?: number;
  };
  readonly destination: DatabaseAccess & {
    /** Secret of the role `audit_writer`. */
    readonly writerSecretArn: string;
    /** Secret of the role `audit_review`, with which the reviewer's page logs in. Default: there is none. */
    readonly reviewSecretArn?: string;
    /** PostgreSQL interval. Default that of {@link operatorDefaults}. */
    readonly partitionsAhead?: string;
    /** Default that of {@link operatorDefaults}. */
    readonly partitionPeriod?: "month" | "day";
  };
  /** Longest wait for a lock in milliseconds, and so the longest pause that writers may see. Default 10000. */
  readonly lockTimeoutMilliseconds?: number;
}

/** Tests DMS's connections to both endpoints and waits until both succeed. */
export interface ConnectionsRequest {
  readonly action: "connections";
  readonly replicationInstanceArn: string;
  readonly endpointArns: readonly string[];
}

/** The hops that a canary passes, in the order of the flow; one that does not arrive names where it stopped. */
export const canaryHops = ["source", "capture", "raw-topic", "transformer", "events-topic", "sink"] as const;
export type CanaryHop = (typeof canaryHops)[number];

/**
 * Writes a canary at the source and waits for its row in `audit.events`; then tells the log of full loads that have ended. The function needs
 * {@link canaryDiagnosisSeconds} more than the canary may take.
 */
export interface CanaryRequest {
  readonly action: "canary";
  readonly sourceId: string;
  readonly source: DatabaseAccess;
  readonly destination: DatabaseAccess;
  readonly captureTaskArn: string;
  readonly kafka: {
    readonly bootstrapBrokersIam: string;
    readonly rawTopic: string;
    readonly eventsTopic: string;
    /** Consumer group of the transformer. */
    readonly transformerGroup: string;
    /** Consumer group of the sink: see `sinkConsumerGroup`. */
    readonly sinkGroup: string;
  };
  readonly connectorArn: string;
  /** How long the row may take before the canary fails, in seconds. Default 120. */
  readonly timeoutSeconds?: number;
  /**
   * Whether to signal each table's shape in the canary's own transaction, so that where the canary arrives, they have.
   * After the first start of a capture task: what was signalled before it is not in its slot. Default false.
   */
  readonly publishShapes?: boolean;
}

/**
 * Makes partitions, drops old ones, empties the signal table, signals each table's shape again, reports slots; publishes
 * metrics.
 */
export interface MaintainRequest {
  readonly action: "maintain";
  readonly sourceId: string;
  readonly source: DatabaseAccess;
  readonly destination: DatabaseAccess & {
    readonly partitionsAhead?: string;
    readonly partitionPeriod?: "month" | "day";
    /** PostgreSQL interval of at least a day; none drops nothing. */
    readonly retention?: string;
  };
  /** Last day of support of the version, among those that the pipeline runs on, that ends first. None: no end is known. */
  readonly versionsEnd?: string;
}

/**
 * Closes MSK's public access when its time is over, and sets the ACLs that SCRAM users need before
 * `allow.everyone.if.no.acl.found` may be turned off.
 */
export interface GuardRequest {
  readonly action: "guard";
  readonly clusterArn: string;
  readonly bootstrapBrokersIam: string;
  /** ISO-8601 with zone; public access that is open after it, or without one, is closed. */
  readonly publicAccessUntil?: string;
  /** SCRAM user of DMS, and the topic that it alone may write. */
  readonly captureUsername: string;
  readonly rawTopic: string;
}

/** Gives one credential a new password, in the order that keeps the pipeline running. */
export interface RotateRequest {
  readonly action: "rotate";
  readonly credential: RotatedCredential;
  /** The secret that holds it and that its readers read. */
  readonly secretArn: string;
}

export type RotatedCredential =
  /** `cdc_capture` in the source database: DMS re-reads it only when its task starts again. */
  | { readonly kind: "capture"; readonly source: DatabaseAccess; readonly captureTaskArn: string }
  /** `audit_writer` in the destination: the sink's pool asks Secrets Manager again by itself. */
  | { readonly kind: "writer"; readonly destination: DatabaseAccess }
  /** The role `audit_review`: the page's tasks read the secret when they start. */
  | { readonly kind: "review"; readonly destination: DatabaseAccess }
  /** The SCRAM user of DMS: its endpoint holds the password. */
  | {
      readonly kind: "kafka";
      readonly clusterArn: string;
      readonly bootstrapBrokersScram: string;
      readonly targetEndpointArn: string;
      readonly captureTaskArn: string;
    };

/** A full load of one table that has ended, as the capture's own statistics have it. */
export interface TableLoad {
  readonly schema: string;
  readonly table: string;
  /** ISO-8601, by the clock of the capture. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** How many rows it had to read, those that it could not carry included. */
  readonly rows: number;
}

/** Time that a canary keeps back to find out where it stopped, in seconds. */
export const canaryDiagnosisSeconds = 30;

/** What a request that leaves a setting out gets. */
export const operatorDefaults = {
  canaryTimeoutSeconds: 120,
  partitionsAhead: "3 months",
  partitionPeriod: "month",
} as const;
