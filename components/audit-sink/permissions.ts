import { sinkConsumerGroup } from "../../contract/sink-connector";
import { groupArn, topicArn } from "../kafka-cluster/arns";
import { type PolicyDocument, arnParts, policyDocument, readSecretStatements, serviceTrust } from "../shared/policies";

export interface SinkAccess {
  readonly clusterArn: string;
  readonly connectorName: string;
  readonly eventsTopic: string;
  readonly deadLetterTopic: string;
  readonly secretArn: string;
  readonly secretKeyArn?: string;
}

/** What the workers do: run the connector in Kafka, read events, set records aside, read the writer's password. */
export function executionPermissions(access: SinkAccess): PolicyDocument {
  const { clusterArn, connectorName } = access;
  return policyDocument(
    {
      Sid: "UseCluster",
      Effect: "Allow",
      Action: ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster"],
      Resource: [clusterArn],
    },
    {
      Sid: "ReadEvents",
      Effect: "Allow",
      Action: ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"],
      Resource: [topicArn(clusterArn, access.eventsTopic)],
    },
    {
      Sid: "WriteDeadLetters",
      Effect: "Allow",
      Action: ["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"],
      Resource: [topicArn(clusterArn, access.deadLetterTopic)],
    },
    {
      // MSK Connect names these __amazon_msk_connect_{configs,offsets,status}_<connector>_<id that it gives>.
      Sid: "KeepConnectStateOfThisConnector",
      Effect: "Allow",
      Action: [
        "kafka-cluster:CreateTopic",
        "kafka-cluster:DescribeTopic",
        "kafka-cluster:ReadData",
        "kafka-cluster:WriteData",
      ],
      Resource: [topicArn(clusterArn, `__amazon_msk_connect_*_${connectorName}_*`)],
    },
    {
      // AWS documents only the prefix of the group that the workers form among themselves.
      Sid: "JoinWorkerGroupNamedByMskConnect",
      Effect: "Allow",
      Action: ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"],
      Resource: [groupArn(clusterArn, "__amazon_msk_connect_*")],
    },
    {
      Sid: "UseOwnConsumerGroup",
      Effect: "Allow",
      Action: ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"],
      Resource: [groupArn(clusterArn, sinkConsumerGroup(connectorName))],
    },
    ...readSecretStatements(access.secretArn, access.secretKeyArn),
  );
}

/** MSK Connect assumes the role for this one connector; it chooses the last part of the connector's ARN. */
export function executionTrust(clusterArn: string, connectorName: string): PolicyDocument {
  const { partition, region, account } = arnParts(clusterArn);
  return serviceTrust("kafkaconnect.amazonaws.com", {
    StringEquals: { "aws:SourceAccount": account },
    ArnLike: { "aws:SourceArn": `arn:${partition}:kafkaconnect:${region}:${account}:connector/${connectorName}/*` },
  });
}
