import type { SecureContext } from "node:tls";
import { PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import type { DatabaseAccess, OperatorAction } from "../../contract/operator";
import { type OperatorMetric, operatorMetrics } from "../../contract/operator-metrics";
import { trustRds } from "./certificates";
import { connectToDatabase } from "./connection";
import { type AwsClients, type OperatorContext, Steps, type WriteLine } from "../context";
import { readSecret } from "../aws/secrets";

export interface LambdaContextOptions {
  readonly action: OperatorAction;
  /** Milliseconds since 1970. */
  readonly deadline: number;
  readonly clients: AwsClients;
  readonly writeLine: WriteLine;
  /** The authorities that a database's certificate may come from. Default: those of Amazon RDS. */
  readonly trusted?: SecureContext;
}

/** Runs a handler with what AWS offers: secrets of Secrets Manager, databases over TLS, metrics in CloudWatch. */
export async function withLambdaContext<Result>(
  options: LambdaContextOptions,
  handle: (context: OperatorContext) => Promise<Result>,
): Promise<Result> {
  const { clients } = options;
  const steps = new Steps(options.action, options.deadline, options.writeLine);
  const credentials = async (secretArn: string) => {
    const found = await readSecret(clients.secretsManager, secretArn);
    steps.redactor.hide(found.password);
    return found;
  };
  const context: OperatorContext = {
    deadline: options.deadline,
    signal: steps.signal,
    clients,
    step: (name, work) => steps.run(name, work),
    credentials,
    hide: (value) => steps.redactor.hide(value),
    kafkaLogin: async () => ({ kind: "iam", region: await clients.kafka.config.region() }),
    connect: async (access: DatabaseAccess) =>
      connectToDatabase(access, await credentials(access.adminSecretArn), options.trusted ?? trustRds(), {
        deadline: options.deadline,
        signal: steps.signal,
      }),
    publishMetrics: async (sourceId, values) => {
      await clients.cloudWatch.send(
        new PutMetricDataCommand({
          Namespace: operatorMetrics.namespace,
          MetricData: Object.entries(values).map(([metric, value]) => ({
            MetricName: operatorMetrics[metric as OperatorMetric],
            Dimensions: [{ Name: operatorMetrics.dimension, Value: sourceId }],
            Value: value,
          })),
        }),
      );
    },
  };
  try {
    return await handle(context);
  } finally {
    steps.end();
  }
}
