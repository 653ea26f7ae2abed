import type { OperatorAction } from "./operator";

/**
 * What the operator's handlers call, so that its role can be given that and no more, and a test can hold the two
 * together. A resource stands for what the component knows its ARN of.
 */
export interface OperatorPermission {
  /** IAM actions. Those of `kafka-cluster` are checked by the brokers, for clients that log in with IAM. */
  readonly actions: readonly string[];
  readonly resource: OperatorResource;
  /** Which step needs them. */
  readonly reason: string;
  /** Narrows it where the resource alone would be too wide. */
  readonly condition?: OperatorPermissionCondition;
}

export type OperatorResource =
  /** `*`: AWS knows no narrower resource for these actions. */
  | "any"
  /** Secrets of the two databases' administrators. */
  | "administrator-secrets"
  /** Secret of the role `cdc_capture`. */
  | "capture-secret"
  /** Secret of the role `audit_writer`. */
  | "writer-secret"
  /** Secret of the role `audit_review`, where the reviewer's page is deployed. */
  | "review-secret"
  /** Secret `AmazonMSK_…` of the SCRAM user of DMS. */
  | "kafka-secret"
  /** The customer-managed keys of these secrets. */
  | "secret-keys"
  | "replication-instance"
  /** Both endpoints of the task. */
  | "endpoints"
  | "target-endpoint"
  | "capture-task"
  /** The MSK cluster, for `kafka` and `kafka-cluster` actions alike. */
  | "cluster"
  /** MSK configurations of the account: which one the cluster has is known once it is asked. */
  | "configurations"
  | "raw-topic"
  | "events-topic"
  /** Consumer group of the transformer. */
  | "transformer-group"
  /** Consumer group of the sink. */
  | "sink-group"
  | "connector";

export type OperatorPermissionCondition =
  /** `kms:ViaService` is `secretsmanager.<region>.amazonaws.com`. */
  | "through-secrets-manager"
  /** `cloudwatch:namespace` is that of `operator-metrics.ts`. */
  | "own-metrics";

const decryptSecrets: OperatorPermission = {
  actions: ["kms:Decrypt"],
  resource: "secret-keys",
  reason: "reading secrets that are under a customer-managed key",
  condition: "through-secrets-manager",
};

function readSecret(resource: OperatorResource): OperatorPermission {
  return { actions: ["secretsmanager:GetSecretValue"], resource, reason: "logging in, or setting the password" };
}

const publishMetrics: OperatorPermission = {
  actions: ["cloudwatch:PutMetricData"],
  resource: "any",
  reason: "publishing what was measured",
  condition: "own-metrics",
};

/** Both DMS calls take no resource: they are filtered by what is asked. */
const watchTask: OperatorPermission = {
  actions: ["dms:DescribeReplicationTasks"],
  resource: "any",
  reason: "state of the task, and why it failed",
};

const testConnections: readonly OperatorPermission[] = [
  {
    actions: ["dms:DescribeReplicationInstances", "dms:DescribeConnections"],
    resource: "any",
    reason: "state of the instance and of the tests",
  },
  { actions: ["dms:TestConnection"], resource: "replication-instance", reason: "testing from this instance" },
];

function replaceSecret(resource: OperatorResource): readonly OperatorPermission[] {
  return [
    {
      actions: [
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
      ],
      resource,
      reason: "a new password, first pending, then current",
    },
    {
      actions: ["kms:GenerateDataKey"],
      resource: "secret-keys",
      reason: "encrypting the new version of the secret",
      condition: "through-secrets-manager",
    },
  ];
}

const restartTask: OperatorPermission = {
  actions: ["dms:StopReplicationTask", "dms:StartReplicationTask"],
  resource: "capture-task",
  reason: "DMS reads credentials when its task starts",
};

/** Every AWS and Kafka permission that each action needs, beyond what Lambda itself needs to run and to log. */
export const operatorPermissions: Readonly<Record<OperatorAction, readonly OperatorPermission[]>> = {
  bootstrap: [
    readSecret("administrator-secrets"),
    readSecret("capture-secret"),
    readSecret("writer-secret"),
    readSecret("review-secret"),
    decryptSecrets,
  ],
  connections: [
    ...testConnections,
    { actions: ["dms:TestConnection"], resource: "endpoints", reason: "testing both endpoints" },
  ],
  canary: [
    readSecret("administrator-secrets"),
    decryptSecrets,
    publishMetrics,
    watchTask,
    { actions: ["dms:DescribeTableStatistics"], resource: "capture-task", reason: "full loads that have ended" },
    { actions: ["kafkaconnect:DescribeConnector"], resource: "connector", reason: "state of the sink" },
    { actions: ["kafka-cluster:Connect"], resource: "cluster", reason: "looking at topics and groups" },
    { actions: ["kafka-cluster:DescribeTopic"], resource: "raw-topic", reason: "whether records arrive" },
    { actions: ["kafka-cluster:DescribeTopic"], resource: "events-topic", reason: "whether records arrive" },
    { actions: ["kafka-cluster:DescribeGroup"], resource: "transformer-group", reason: "how far it is behind" },
    { actions: ["kafka-cluster:DescribeGroup"], resource: "sink-group", reason: "how far it is behind" },
  ],
  maintain: [readSecret("administrator-secrets"), decryptSecrets, publishMetrics],
  guard: [
    { actions: ["kafka:DescribeCluster"], resource: "cluster", reason: "state, public access and configuration" },
    {
      actions: ["kafka:DescribeConfigurationRevision"],
      resource: "configurations",
      reason: "whether users without access rules are let in",
    },
    { actions: ["kafka:ListScramSecrets"], resource: "cluster", reason: "whether others log in with SCRAM" },
    { actions: ["kafka:UpdateConnectivity"], resource: "cluster", reason: "turning public access off" },
    {
      actions: ["ec2:DescribeSubnets", "ec2:DescribeRouteTables"],
      resource: "any",
      reason: "MSK looks at the cluster's network as the caller of UpdateConnectivity",
    },
    {
      actions: ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster", "kafka-cluster:AlterCluster"],
      resource: "cluster",
      reason: "reading and adding access rules",
    },
  ],
  rotate: [
    readSecret("administrator-secrets"),
    decryptSecrets,
    ...replaceSecret("capture-secret"),
    ...replaceSecret("writer-secret"),
    ...replaceSecret("review-secret"),
    ...replaceSecret("kafka-secret"),
    watchTask,
    restartTask,
    ...testConnections,
    { actions: ["dms:DescribeEndpoints"], resource: "any", reason: "user name and instance of the endpoint" },
    {
      actions: ["dms:ModifyEndpoint", "dms:TestConnection"],
      resource: "target-endpoint",
      reason: "giving DMS the new password and trying it",
    },
  ],
};
