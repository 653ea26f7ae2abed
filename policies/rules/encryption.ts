import * as aws from "@pulumi/aws";
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { inspect, isSet, problems } from "./support";

const setKey = (property: string) => `Is not encrypted with a key of yours. Set ${property} to a customer-managed key.`;

/** Everything that holds rows, secrets or logs is encrypted with a customer-managed key. */
export const encryptedWithOwnKey: ResourceValidationPolicy = {
  name: "encrypted-with-own-key",
  description: "Rows, secrets, messages and logs at rest are encrypted with a customer-managed key.",
  enforcementLevel: "mandatory",
  severity: "high",
  remediationSteps: "Name a customer-managed KMS key.",
  validateResource: [
    inspect(aws.rds.Cluster, (cluster) =>
      problems(
        [cluster.storageEncrypted !== true, "Stores its data in the clear. Set storageEncrypted to true."],
        [!isSet(cluster, "kmsKeyId"), setKey("kmsKeyId")],
        [
          cluster.manageMasterUserPassword === true && !isSet(cluster, "masterUserSecretKmsKeyId"),
          "Keeps its master secret under AWS's key. Set masterUserSecretKmsKeyId to a customer-managed key.",
        ],
      ),
    ),
    inspect(aws.msk.Cluster, (cluster) =>
      problems([!isSet(cluster.encryptionInfo, "encryptionAtRestKmsKeyArn"), setKey("encryptionAtRestKmsKeyArn")]),
    ),
    inspect(aws.dms.ReplicationInstance, (instance) => problems([!isSet(instance, "kmsKeyArn"), setKey("kmsKeyArn")])),
    inspect(aws.dms.Endpoint, (endpoint) => problems([!isSet(endpoint, "kmsKeyArn"), setKey("kmsKeyArn")])),
    inspect(aws.secretsmanager.Secret, (secret) => problems([!isSet(secret, "kmsKeyId"), setKey("kmsKeyId")])),
    inspect(aws.cloudwatch.LogGroup, (group) => problems([!isSet(group, "kmsKeyId"), setKey("kmsKeyId")])),
    inspect(aws.sns.Topic, (topic) => problems([!isSet(topic, "kmsMasterKeyId"), setKey("kmsMasterKeyId")])),
    inspect(aws.sqs.Queue, (queue) => problems([!isSet(queue, "kmsMasterKeyId"), setKey("kmsMasterKeyId")])),
    inspect(aws.lambda.Function, (code) => problems([!isSet(code, "kmsKeyArn"), setKey("kmsKeyArn")])),
    inspect(aws.scheduler.Schedule, (schedule) => problems([!isSet(schedule, "kmsKeyArn"), setKey("kmsKeyArn")])),
    inspect(aws.ecr.Repository, (repository) =>
      problems([
        !(repository.encryptionConfigurations ?? []).some(
          (each) => each.encryptionType === "KMS" && isSet(each, "kmsKey"),
        ),
        setKey("encryptionConfigurations"),
      ]),
    ),
    inspect(aws.s3.BucketServerSideEncryptionConfiguration, (configuration) =>
      problems([
        !(configuration.rules ?? []).every(
          ({ applyServerSideEncryptionByDefault: rule }) =>
            rule?.sseAlgorithm === "aws:kms" && isSet(rule, "kmsMasterKeyId"),
        ),
        setKey("kmsMasterKeyId"),
      ]),
    ),
  ],
};

/** Every Kafka client is authenticated and connects over TLS. */
export const kafkaKnowsItsClients: ResourceValidationPolicy = {
  name: "kafka-knows-its-clients",
  description: "Kafka clients authenticate, and every connection is encrypted.",
  enforcementLevel: "mandatory",
  severity: "critical",
  remediationSteps: "Turn IAM or SCRAM on, unauthenticated access off, and allow TLS alone.",
  validateResource: [
    inspect(aws.msk.Cluster, ({ clientAuthentication, encryptionInfo }) => {
      const transit = encryptionInfo?.encryptionInTransit;
      return problems(
        [
          clientAuthentication?.unauthenticated === true,
          "Admits clients without a name. Set unauthenticated to false.",
        ],
        [
          !(clientAuthentication?.sasl?.iam || clientAuthentication?.sasl?.scram || clientAuthentication?.tls),
          "Has no way to know its clients. Turn on sasl.iam or sasl.scram.",
        ],
        [(transit?.clientBroker ?? "TLS") !== "TLS", "Accepts clients in the clear. Set clientBroker to TLS."],
        [transit?.inCluster === false, "Replicates in the clear. Set inCluster to true."],
      );
    }),
    inspect(aws.mskconnect.Connector, (connector) =>
      problems(
        [
          connector.kafkaClusterClientAuthentication.authenticationType !== "IAM",
          "Connects to Kafka without a name. Set authenticationType to IAM.",
        ],
        [
          connector.kafkaClusterEncryptionInTransit.encryptionType !== "TLS",
          "Connects to Kafka in the clear. Set encryptionType to TLS.",
        ],
      ),
    ),
    inspect(aws.dms.Endpoint, (endpoint) =>
      problems(
        [
          endpoint.engineName === "kafka" && endpoint.kafkaSettings?.securityProtocol !== "sasl-ssl",
          "Writes to Kafka without a name or in the clear. Set kafkaSettings.securityProtocol to sasl-ssl.",
        ],
        [
          isPostgres(endpoint.engineName) && (endpoint.sslMode ?? "none") === "none",
          "Reads the database in the clear. Set sslMode to require or verify-full.",
        ],
        [
          isPostgres(endpoint.engineName) && isSet(endpoint, "password"),
          "Holds the database's password. Set secretsManagerArn and secretsManagerAccessRoleArn instead.",
        ],
      ),
    ),
    inspect(aws.rds.ClusterParameterGroup, (group) =>
      problems([
        (group.parameters ?? []).some(({ name, value }) => name === "rds.force_ssl" && value === "0"),
        "Lets clients connect in the clear. Set rds.force_ssl to 1.",
      ]),
    ),
  ],
};

function isPostgres(engineName: string): boolean {
  return engineName === "postgres" || engineName === "aurora-postgresql";
}
