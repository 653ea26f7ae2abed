import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { KafkaTopicArgs } from "./types";

/**
 * Makes a topic through MSK's own API, which needs no network path to the brokers. A change that would replace the
 * topic, and so delete its records, fails: the replacement would have to be created first, under the same name.
 *
 * @param name Logical name; by convention that of the component and of the topic.
 */
export function kafkaTopic(
  name: string,
  args: { clusterArn: pulumi.Input<string>; topic: KafkaTopicArgs; replicationFactor: pulumi.Input<number> },
  opts: pulumi.CustomResourceOptions,
): aws.msk.Topic {
  return new aws.msk.Topic(
    name,
    {
      clusterArn: args.clusterArn,
      name: args.topic.name,
      partitionCount: args.topic.partitions,
      replicationFactor: args.replicationFactor,
      configs: JSON.stringify(args.topic.config ?? {}),
    },
    { ...opts, deleteBeforeReplace: false },
  );
}
