import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { DatabaseMigrationServiceClient } from "@aws-sdk/client-database-migration-service";
import { KafkaClient } from "@aws-sdk/client-kafka";
import { KafkaConnectClient } from "@aws-sdk/client-kafkaconnect";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { AwsClients } from "../context";

export interface AwsClientOptions {
  /** Default: the region of the environment, which Lambda sets. */
  readonly region?: string;
  /** Base URL of every service, for tests against their own server. Default: AWS's. */
  readonly endpoint?: string;
  /** Default: those of the environment. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Calls before an error counts. With adaptive retries the client also lowers its rate while AWS throttles. */
const maximumAttempts = 6;

/** Milliseconds. Without them a lost packet would hold a call until the function's own time is over. */
const timeouts = { connectionTimeout: 3_000, requestTimeout: 10_000 };

/** The AWS clients, each built when it is first asked for, so that an invocation pays only for those it uses. */
export function awsClients(options: AwsClientOptions = {}): AwsClients {
  const configuration = {
    ...options,
    retryMode: "adaptive",
    maxAttempts: maximumAttempts,
    requestHandler: timeouts,
  };
  const dms = once(() => new DatabaseMigrationServiceClient(configuration));
  const kafka = once(() => new KafkaClient(configuration));
  const kafkaConnect = once(() => new KafkaConnectClient(configuration));
  const secretsManager = once(() => new SecretsManagerClient(configuration));
  const cloudWatch = once(() => new CloudWatchClient(configuration));
  return {
    get dms() {
      return dms();
    },
    get kafka() {
      return kafka();
    },
    get kafkaConnect() {
      return kafkaConnect();
    },
    get secretsManager() {
      return secretsManager();
    },
    get cloudWatch() {
      return cloudWatch();
    },
  };
}

function once<Value>(build: () => Value): () => Value {
  let built: Value | undefined;
  return () => (built ??= build());
}
