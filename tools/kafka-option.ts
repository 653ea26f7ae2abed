import { existsSync, readFileSync } from "node:fs";
import type { Command } from "commander";
import { type KafkaConnection, loginOptions } from "../operator/kafka/admin";
import { runFile } from "../local/machine/folders";
import { localKafka } from "../local/servers/topics";

/** Which Kafka a command talks to. */
export interface KafkaOptions {
  readonly bootstrapServers?: string;
  readonly iam?: string;
}

/** Lets a command name another Kafka than the running local pipeline's. */
export function withKafkaOptions(command: Command): Command {
  return command
    .option("--bootstrap-servers <host:port,…>", "the Kafka brokers; default: those of the running local pipeline")
    .option("--iam <region>", "log in to MSK in this region with IAM, as the AWS credentials of the environment");
}

/** @throws when no Kafka is named and none runs here. */
export function chosenKafka({ bootstrapServers, iam }: KafkaOptions): KafkaConnection {
  if (iam !== undefined && bootstrapServers === undefined) {
    throw new Error("--iam needs --bootstrap-servers: the brokers of the MSK cluster to log in to.");
  }
  if (iam !== undefined && bootstrapServers !== undefined) {
    return { bootstrapServers, login: { kind: "iam", region: iam } };
  }
  return localKafka(bootstrapServers ?? runningPipeline());
}

/** What every client of that Kafka is made with. */
export function clientOptions(kafka: KafkaConnection) {
  return { bootstrapBrokers: kafka.bootstrapServers.split(","), ...loginOptions(kafka.login) };
}

function runningPipeline(): string {
  if (!existsSync(runFile)) {
    throw new Error(
      "The local pipeline does not run. Start it (npm run local), or name another Kafka: --bootstrap-servers host:port",
    );
  }
  return (JSON.parse(readFileSync(runFile, "utf8")) as { bootstrapServers: string }).bootstrapServers;
}
