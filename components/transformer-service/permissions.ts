import type { TopicNames } from "../../contract/topics";
import { groupArn, topicArn } from "../kafka-cluster/arns";
import { type PolicyDocument, policyDocument } from "../shared/policies";

/** Allows only what the transformer does in Kafka, on its four topics and its one consumer group. */
export function transformerPermissions(clusterArn: string, topics: TopicNames, applicationId: string): PolicyDocument {
  const topic = (role: keyof TopicNames) => topicArn(clusterArn, topics[role].name);
  return policyDocument(
    {
      Sid: "UseCluster",
      Effect: "Allow",
      Action: ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster", "kafka-cluster:WriteDataIdempotently"],
      Resource: [clusterArn],
    },
    {
      Sid: "ReadChangeRecords",
      Effect: "Allow",
      Action: ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"],
      Resource: [topic("raw")],
    },
    {
      Sid: "KeepCatalog",
      Effect: "Allow",
      Action: ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData", "kafka-cluster:WriteData"],
      Resource: [topic("catalog")],
    },
    {
      Sid: "WriteEvents",
      Effect: "Allow",
      Action: ["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"],
      Resource: [topic("events")],
    },
    {
      // Reads: records wait there until a signal describes their table.
      Sid: "KeepDeadLetters",
      Effect: "Allow",
      Action: ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData", "kafka-cluster:WriteData"],
      Resource: [topic("deadLetter")],
    },
    {
      Sid: "UseOwnConsumerGroup",
      Effect: "Allow",
      Action: ["kafka-cluster:DescribeGroup", "kafka-cluster:AlterGroup"],
      Resource: [groupArn(clusterArn, applicationId)],
    },
  );
}
