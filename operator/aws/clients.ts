import type { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import type { DatabaseMigrationServiceClient } from "@aws-sdk/client-database-migration-service";
import type { KafkaClient } from "@aws-sdk/client-kafka";
import type { KafkaConnectClient } from "@aws-sdk/client-kafkaconnect";
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";

/** The clients of the AWS services that the operator calls. */
export interface AwsClients {
  readonly dms: DatabaseMigrationServiceClient;
  readonly kafka: KafkaClient;
  readonly kafkaConnect: KafkaConnectClient;
  readonly secretsManager: SecretsManagerClient;
  readonly cloudWatch: CloudWatchClient;
}
